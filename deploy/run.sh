#!/usr/bin/env bash
# Installs the required packages of Debian 12, builds procevent_exporter, and serves until Ctrl-C or SIGTERM.
# Arguments are passed to the binary: `deploy/run.sh --web.listen-address=127.0.0.1:13675`. With --demo it replays
# deploy/demo/demo.pcap in a loop instead of subscribing to the kernel, which needs no privilege.
set -euo pipefail

root="$(cd -P "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
binary="$root/build/release/procevent_exporter"

# After a build as root, other users cannot write to the build folder.
check_build_folder() {
  local folder="$root/build/release"
  while [[ ! -e "$folder" ]]; do
    folder="$(dirname "$folder")"
  done
  if [[ ! -w "$folder" ]]; then
    echo "run.sh: cannot write to $folder: it belongs to $(stat -c %U "$folder");" \
      "run as that user, or run: sudo chown -R $(id -un) '$folder'" >&2
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
    echo "run.sh: no CAP_NET_ADMIN: the receive buffer stays small, and kernels before 6.6 refuse the subscription;" \
      "run as root, or with --demo to replay a recorded machine" >&2
  fi
}

# The address that the child listens on, found by its sockets, since the port may come from a flag or a file.
listening_address() {
  local inodes
  inodes="$(find "/proc/$child/fd" -lname 'socket:*' -printf '%l\n' 2>/dev/null | tr -dc '0-9\n')"
  awk -v inodes="$inodes" '
    BEGIN { split(inodes, list); for (i in list) mine[list[i]] = 1 }
    $4 == "0A" && $10 in mine { print $2; exit }' /proc/net/tcp
}

# get HOST PORT PATH: prints the response, or nothing if the connection is refused or reset.
get() (
  trap '' PIPE
  exec 3<>"/dev/tcp/$1/$2" && printf 'GET %s HTTP/1.0\r\n\r\n' "$3" >&3 && timeout 2 cat <&3
)

# Waits until the child serves or has ended. If web.allow excludes this machine, there is no second request.
announce() {
  local address host port response path
  while kill -0 "$child" 2>/dev/null; do
    address="$(listening_address)"
    if [[ -n "$address" ]]; then
      host="$((16#${address:6:2})).$((16#${address:4:2})).$((16#${address:2:2})).$((16#${address:0:2}))"
      port="$((16#${address:9}))"
      [[ "$host" != 0.0.0.0 ]] || host=localhost
      response="$(get "$host" "$port" / 2>/dev/null || true)"
      # The first link of the landing page is the path of the metrics, which may be configured.
      path="$(sed -n 's/.*<a href="\([^"]*\)".*/\1/p' <<<"$response" | sed -n 1p)"
      if [[ -n "$path" ]]; then
        printf '\nserving http://%s:%d/\n  curl -s http://%s:%d%s\n\n' "$host" "$port" "$host" "$port" "$path"
        return
      elif [[ -z "$response" ]] && kill -0 "$child" 2>/dev/null; then
        printf '\nserving http://%s:%d/, but not to this machine (see web.allow)\n\n' "$host" "$port"
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

# These commands take no configuration file, and use standard input.
case "${1-}" in decode | encode | watch) no_config=yes ;; *) no_config= ;; esac

demo=
for argument in "$@"; do
  shift
  if [[ "$argument" == --demo ]]; then
    demo=yes
    set -- "$@" --source.replay="$root/deploy/demo/demo.pcap" --source.replay-loop=true
  else
    set -- "$@" "$argument"
  fi
done

# The demo uses an existing build of another user, such as root.
if [[ -z "$demo" || ! -x "$binary" || -w "$root/build/release" ]]; then
  check_build_folder
  build >&2 # the standard output is for the URL
fi
[[ -z "$no_config" ]] || exec "$binary" "$@"
[[ -n "$demo" ]] || warn_without_net_admin

# The child must not outlive this script, whatever ends it.
setpriv --pdeathsig TERM -- "$binary" "${config[@]}" "$@" &
child=$!
trap 'kill -TERM "$child" 2>/dev/null || true' INT TERM
announce

# A signal interrupts `wait`. The final `wait`, after the child has exited, returns the child's status.
status=0
while kill -0 "$child" 2>/dev/null; do
  wait "$child" || true
done
wait "$child" || status=$?
exit "$status"
