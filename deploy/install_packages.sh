#!/usr/bin/env bash
# Installs the missing packages of sections of packages.txt: `deploy/install_packages.sh build runtime`.
# Exits 0 without output if nothing is missing, 1 if apt-get fails, and 2 on wrong usage or if it cannot install. In the
# last case it prints the command to run.
set -euo pipefail

list="$(dirname "${BASH_SOURCE[0]}")/packages.txt"
os_release="${PROCEVENT_OS_RELEASE:-/etc/os-release}" # overridden by the tests

print_error() {
  printf 'install_packages.sh: %s\n' "$*" >&2
}

sections() {
  sed -n 's/^\[\([a-z]*\)\].*/\1/p' "$list"
}

packages_of() {
  awk -v wanted="$1" '
    { sub(/#.*/, "") }
    /^\[/ { section = substr($1, 2, length($1) - 2); next }
    section == wanted && NF { print $1 }' "$list"
}

is_installed() {
  [[ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" == installed* ]] || is_provided "$1"
}

# Provided by another package, such as npm by some builds of nodejs.
is_provided() {
  dpkg-query -W -f '${db:Status-Status}, ${Provides},\n' | grep -E "^installed,.* ${1//[.+]/.}( \(.*\))?," >/dev/null
}

is_debian_12() {
  [[ -r "$os_release" ]] && grep -qx 'ID=debian' "$os_release" && grep -qx 'VERSION_ID="12"' "$os_release"
}

# Runs apt-get as root. The arguments are a prefix such as sudo.
install() {
  local -a apt=("$@" env DEBIAN_FRONTEND=noninteractive apt-get -q -o Acquire::Retries=3 -o DPkg::Lock::Timeout=300)
  local try
  for try in 1 2 3; do
    "${apt[@]}" update && break
    print_error "apt-get update failed, attempt $try of 3"
    sleep $((try * ${PROCEVENT_APT_PAUSE:-5}))
  done
  # Runs even if the update failed: the old lists may suffice, and otherwise apt-get reports the missing package.
  if ! "${apt[@]}" install -y --no-install-recommends "${missing[@]}"; then
    print_error "cannot install ${missing[*]}: apt-get failed"
    exit 1
  fi
}

if (($# == 0)); then
  print_error "usage: install_packages.sh SECTION... (sections: $(sections | xargs))"
  exit 2
fi
for section in "$@"; do
  if ! sections | grep -qx -- "$section"; then
    print_error "invalid section '$section': expected one of: $(sections | xargs)"
    exit 2
  fi
done

wanted=()
for section in "$@"; do
  mapfile -t -O "${#wanted[@]}" wanted <<<"$(packages_of "$section")"
done
if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
  print_error "cannot install packages: not a Debian machine; install the equivalents of: ${wanted[*]}"
  exit 2
fi

missing=()
for package in "${wanted[@]}"; do
  is_installed "$package" || missing+=("$package")
done
if ((${#missing[@]} == 0)); then
  exit 0
fi
if ! is_debian_12; then
  print_error "cannot install packages: not Debian 12; install the equivalents of: ${missing[*]}"
  exit 2
fi

if (($(id -u) == 0)); then
  install
elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
  install sudo -n
else
  print_error "cannot install packages: not root; run:"
  echo "sudo apt-get update && sudo apt-get install -y --no-install-recommends ${missing[*]}" >&2
  exit 2
fi
