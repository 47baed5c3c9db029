#!/bin/bash
# Runs in the emulated machine when it has booted (test_boot.py): looks at the unit, makes a storm, runs the live tests,
# and turns the machine off. Everything that is told stands on a line of its own, behind PROBE.
exec >/dev/ttyS0 2>&1
trap 'systemctl --force poweroff' EXIT
cd /opt/probe || exit

tell() { printf '\nPROBE %s\n' "$*"; }

get() (
  exec 3<>/dev/tcp/127.0.0.1/13675 && printf 'GET %s HTTP/1.0\r\n\r\n' "$1" >&3 && cat <&3
)

value() { # of one series of /metrics
  get /metrics | awk -v series="$1" '$1 == series { print $2 }'
}

tell "kernel=$(uname -r)"
for _ in {1..60}; do
  state="$(systemctl is-active procevent_exporter)"
  [[ "$state" == activating ]] || break
  sleep 1
done
tell "state=$state"
tell "status=$(systemctl show --property=StatusText --value procevent_exporter)"
tell "user=$(stat -c %U "/proc/$(systemctl show --property=MainPID --value procevent_exporter)")"
tell "ready=$(get /-/ready | head -n 1)"

storm="$(./storm --kind fork --count 5000 --workers 2)"
tell "storm=$storm"
sleep 5
tell "forks=$(value 'procevent_forks_total{comm="storm"}')"
tell "lost=$(get /metrics | awk '/^procevent_events_lost_total/ { lost += $2 } END { print lost + 0 }')"
tell "listening=$(value procevent_listener_up)"
tell "reload=$(systemctl reload procevent_exporter && sleep 2 && value procevent_config_last_reload_successful)"

systemctl stop procevent_exporter
tell "stopped=$(systemctl show --property=Result --value procevent_exporter)"
tell "restarts=$(systemctl show --property=NRestarts --value procevent_exporter)"
denied="$(journalctl --no-pager --quiet _TRANSPORT=audit + _TRANSPORT=kernel | grep -c 'SECCOMP\|type=1326')"
tell "denied=$denied"
journalctl --no-pager --quiet --unit procevent_exporter --output cat | while read -r line; do tell "log=$line"; done

for program in live_test census_live_test; do
  PROCEVENT_REQUIRE_LIVE=1 timeout 500 "./$program" --gtest_brief=1 | grep -v '^$' | while read -r line; do
    tell "$program: $line"
  done
  tell "$program=${PIPESTATUS[0]}"
done
tell "end=1"
