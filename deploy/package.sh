#!/usr/bin/env bash
# Installs what is missing on a fresh Debian 12 machine, builds the Debian package of the preset `release`, and prints
# where it is.
set -euo pipefail
cd -P "$(dirname "${BASH_SOURCE[0]}")/.."
folder="$PWD/build/release/package"
umask 022 # the folders of the package have the modes of those that are made here

build() {
  deploy/install_packages.sh build package
  cmake --preset release >/dev/null
  cmake --build --preset release -j "${CMAKE_BUILD_PARALLEL_LEVEL:-$(nproc)}"
  rm -rf "$folder" # what was built before
  cpack --config build/release/CPackConfig.cmake -G DEB -B "$folder"
}

build >&2 # the standard output is for the path
printf '%s\n' "$folder"/*.deb
