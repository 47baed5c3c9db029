#!/usr/bin/env bash
# Installs what is missing of the named sections of packages.txt: `deploy/install_packages.sh build runtime`.
# Says nothing and exits 0 if nothing is missing. Exits 1 if apt-get fails, 2 on wrong usage and where it may not
# install: then it prints the line to run.
set -euo pipefail

list="$(dirname "${BASH_SOURCE[0]}")/packages.txt"
os_release="${PROCEVENT_OS_RELEASE:-/etc/os-release}" # the tests' seam

complain() {
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

# By a package of another name, as some builds of nodejs bring npm.
is_provided() {
  dpkg-query -W -f '${db:Status-Status}, ${Provides},\n' | grep -E "^installed,.* ${1//[.+]/.}( \(.*\))?," >/dev/null
}

is_debian_12() {
  [[ -r "$os_release" ]] && grep -qx 'ID=debian' "$os_release" && grep -qx 'VERSION_ID="12"' "$os_release"
}

# apt-get as root: with these words before it.
install() {
  local -a apt=("$@" env DEBIAN_FRONTEND=noninteractive apt-get -q -o Acquire::Retries=3 -o DPkg::Lock::Timeout=300)
  local try
  for try in 1 2 3; do
    "${apt[@]}" update && break
    complain "apt-get update failed (try $try of 3)"
    sleep $((try * ${PROCEVENT_APT_PAUSE:-5}))
  done
  # Even if update failed: the lists may be good enough, and if not, this says what is missing.
  if ! "${apt[@]}" install -y --no-install-recommends "${missing[@]}"; then
    complain "apt-get could not install: ${missing[*]}"
    exit 1
  fi
}

if (($# == 0)); then
  complain "usage: install_packages.sh SECTION... (sections: $(sections | xargs))"
  exit 2
fi
for section in "$@"; do
  if ! sections | grep -qx -- "$section"; then
    complain "no section '$section' in packages.txt (sections: $(sections | xargs))"
    exit 2
  fi
done

wanted=()
for section in "$@"; do
  mapfile -t -O "${#wanted[@]}" wanted <<<"$(packages_of "$section")"
done
if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
  complain "this is not a Debian machine (no dpkg, no apt-get); what is needed, by Debian 12's names: ${wanted[*]}"
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
  complain "this is not Debian 12, whose packages these are; missing: ${missing[*]}"
  exit 2
fi

if (($(id -u) == 0)); then
  install
elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
  install sudo -n
else
  complain "packages are missing, and installing them needs root. Run:"
  echo "sudo apt-get update && sudo apt-get install -y --no-install-recommends ${missing[*]}" >&2
  exit 2
fi
