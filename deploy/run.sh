#!/usr/bin/env bash
# Installs what is missing on a fresh Debian 12 machine, builds procevent_exporter and serves until Ctrl-C or SIGTERM.
# Arguments go to the binary: `deploy/run.sh --web.listen-address=127.0.0.1:13675`. With --demo as the first it replays
# deploy/demo/demo.pcap, again and again, instead of listening to the kernel: that needs no privilege.
set -euo pipefail

root="$(cd -P "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
binary="$root/build/release/procevent_exporter"

# A build as root leaves what others cannot write to.
check_build_folder() {
  local folder="$root/build/release"
  while [[ ! -e "$folder" ]]; do
    folder="$(dirname "$folder")"
  done
  if [[ ! -w "$folder" ]]; then
    echo "run.sh: $folder cannot be written to, it belongs to $(stat -c %U "$folder");" \
      "run this as that user, or hand it over: sudo chown -R $(id -un) '$folder'" >&2
    exit 1
  fi
}

build() {
  "$root/deploy/install_packages.sh" build runtime
  (cd "$root" && cmake --preset release >/dev/null && cmake --build --preset release -j "$(nproc)")
}

warn_without_net_admin() {
  local effective
  effective="$(sed -n 's/^CapEff:\s*//p' /proc/self/status)"
  if ((!(16#$effective >> 12 & 1))); then
    echo "run.sh: without CAP_NET_ADMIN the receive buffer stays small, and kernels before 6.6 refuse to listen at all;" \
      "run it as root for the whole service, or with --demo to see a recorded machine" >&2
  fi
}

# Where the child listens, by its own sockets and not by what it was told: the port may come from a flag or a file.
listening_address() {
  local inodes
  inodes="$(find "/proc/$child/fd" -lname 'socket:*' -printf '%l\n' 2>/dev/null | tr -dc '0-9\n')"
  awk -v inodes="$inodes" '
    BEGIN { split(inodes, list); for (i in list) mine[list[i]] = 1 }
    $4 == "0A" && $10 in mine { print $2; exit }' /proc/net/tcp
}

# get HOST PORT PATH: the whole answer; nothing, if the connection is refused or reset.
get() (
  trap '' PIPE
  exec 3<>"/dev/tcp/$1/$2" && printf 'GET %s HTTP/1.0\r\n\r\n' "$3" >&3 && timeout 2 cat <&3
)

# Waits until the child serves, or is gone. An allow list may leave this machine out: then nobody is asked again.
announce() {
  local address host port answer path
  while kill -0 "$child" 2>/dev/null; do
    address="$(listening_address)"
    if [[ -n "$address" ]]; then
      host="$((16#${address:6:2})).$((16#${address:4:2})).$((16#${address:2:2})).$((16#${address:0:2}))"
      port="$((16#${address:9}))"
      [[ "$host" != 0.0.0.0 ]] || host=localhost
      answer="$(get "$host" "$port" / 2>/dev/null || true)"
      # The landing page's first link is the metrics', wherever a flag or a file put them.
      path="$(sed -n 's/.*<a href="\([^"]*\)".*/\1/p' <<<"$answer" | sed -n 1p)"
      if [[ -n "$path" ]]; then
        printf '\nserving http://%s:%d/\n  curl -s http://%s:%d%s\n\n' "$host" "$port" "$host" "$port" "$path"
        return
      elif [[ -z "$answer" ]] && kill -0 "$child" 2>/dev/null; then
        printf '\nserving http://%s:%d/, but not for this machine (see web.allow)\n\n' "$host" "$port"
        return
      fi
    fi
    sleep 0.1
  done
}

config=(--config.file="$root/deploy/procevent_exporter.yml")
[[ -z "${PROCEVENT_CONFIG_FILE-}" ]] || config=()
for argument in "$@"; do
  [[ "$argument" != --config.file* ]] || config=()
done

demo=
if [[ "${1-}" == --demo ]]; then
  demo=yes
  shift
  set -- --source.replay="$root/deploy/demo/demo.pcap" --source.replay-loop=true "$@"
fi

check_build_folder
build >&2 # the standard output is for the URL
[[ -n "$demo" ]] || warn_without_net_admin

# The child must not outlive this script, whatever ends it.
setpriv --pdeathsig TERM -- "$binary" "${config[@]}" "$@" &
child=$!
trap 'kill -TERM "$child" 2>/dev/null || true' INT TERM
announce

# A signal ends a wait early; the last one, for a child that is gone, has its status.
status=0
while kill -0 "$child" 2>/dev/null; do
  wait "$child" || true
done
wait "$child" || status=$?
exit "$status"
