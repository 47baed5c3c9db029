#!/usr/bin/env bash
# Records deploy/demo/demo.pcap, as root: half a minute with forks, failures, crashes, threads, and a fork storm.
#   deploy/demo/record.sh build/release/procevent_exporter
set -euo pipefail
export PATH=/usr/sbin:/usr/bin:/sbin:/bin

binary="$(realpath "${1:?usage: deploy/demo/record.sh EXPORTER}")"
capture="$(cd -P "$(dirname "${BASH_SOURCE[0]}")" && pwd)/demo.pcap"
workdir="$(mktemp -d)"
trap 'rm -rf "$workdir"' EXIT
cd "$workdir"
ulimit -c 0

# program NAME <<'END' ...: creates a script with that name.
program() {
  { echo '#!/bin/bash'; cat; } >"$1"
  chmod +x "$1"
}
program web-worker <<'END'
for _ in 1 2 3; do sleep 0.0"$((RANDOM % 5))"; ls / | grep -c . >/dev/null; done
END
program backup <<'END'
for f in /etc/*.conf; do gzip -c "$f" | wc -c >/dev/null; done
END
program flaky-agent <<'END'
sleep 0.05; exit 3
END
program crasher <<'END'
case $((RANDOM % 3)) in 0) kill -SEGV $$ ;; 1) kill -ABRT $$ ;; 2) kill -KILL $$ ;; esac
END
program as-nobody <<'END'
setpriv --reuid 65534 --regid 65534 --clear-groups id >/dev/null
END
program threads <<'END'
python3 -c 'import threading; [t.start() for t in [threading.Thread(target=sum, args=([1],)) for _ in range(8)]]'
END
program fork-storm <<'END'
for i in $(seq 1200); do (exit $((i % 4))) & done; wait
seq 250 | xargs -P 8 -n 1 true
END

# repeat SECONDS TIMES PROGRAM: runs the program repeatedly and ignores its status.
repeat() {
  for _ in $(seq "$2"); do ./"$3" 2>/dev/null || true; sleep "$1"; done
}

"$binary" record "$capture" --duration=32s &
sleep 1
repeat 0.5 40 web-worker &
repeat 3 8 backup &
repeat 0.4 50 flaky-agent &
repeat 2 10 crasher &
repeat 4 6 as-nobody &
repeat 5 5 threads &
sleep 14
./fork-storm
wait
ls -l "$capture"
