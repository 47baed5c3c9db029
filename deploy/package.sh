#!/usr/bin/env bash
# Builds the Debian package with the preset `release` and prints its path. Installs the required packages of Debian 12
# first.
set -euo pipefail
cd -P "$(dirname "${BASH_SOURCE[0]}")/.."
folder="$PWD/build/release/package"
umask 022 # the package's folders get the modes of the folders created here

build() {
  deploy/install_packages.sh build package
  cmake --preset release >/dev/null
  cmake --build --preset release -j "${CMAKE_BUILD_PARALLEL_LEVEL:-$(nproc)}"
  rm -rf "$folder" # removes earlier packages
  cpack --config build/release/CPackConfig.cmake -G DEB -B "$folder"
}

build >&2 # the standard output is for the path
printf '%s\n' "$folder"/*.deb
