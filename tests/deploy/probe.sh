#!/bin/bash
# Runs in the emulated machine when it has booted (test_boot.py): looks at the unit, makes a storm, runs the live tests,
# upgrades, removes, purges and installs the package, and turns the machine off. Everything that is told stands on a
# line of its own, behind PROBE.
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

property() { # of the unit
  systemctl show --property="$1" --value procevent_exporter
}

tell "kernel=$(uname -r)"
for _ in {1..60}; do
  state="$(systemctl is-active procevent_exporter)"
  [[ "$state" == activating ]] || break
  sleep 1
done
tell "state=$state"
tell "status=$(property StatusText)"
tell "user=$(stat -c %U "/proc/$(property MainPID)")"
tell "ready=$(get /-/ready | head -n 1)"

storm="$(./storm --kind fork --count 5000 --workers 2)"
tell "storm=$storm"
sleep 5
tell "forks=$(value 'procevent_forks_total{comm="storm"}')"
tell "lost=$(get /metrics | awk '/^procevent_events_lost_total/ { lost += $2 } END { print lost + 0 }')"
tell "listening=$(value procevent_listener_up)"
tell "reload=$(systemctl reload procevent_exporter && sleep 2 && value procevent_config_last_reload_successful)"

systemctl stop procevent_exporter
tell "stopped=$(property Result)"
tell "restarts=$(property NRestarts)"
journalctl --no-pager --quiet --unit procevent_exporter --output cat | while read -r line; do tell "log=$line"; done

# What is forbidden kills here (test_boot.py), as one call that serving takes shows.
planted=/run/systemd/system/procevent_exporter.service.d
mkdir -p "$planted"
printf '[Service]\nRestart=no\nSystemCallFilter=~listen\n' >"$planted/planted.conf"
systemctl daemon-reload
systemctl start procevent_exporter
tell "planted=$(property ExecMainStatus)"
rm -r "$planted"
systemctl daemon-reload
systemctl reset-failed procevent_exporter

# Left out is what nobody can do before Linux 6.6, which is to silence the kernel without a privilege; a bound of the
# CPU that an event takes; and programs that have to rename themselves within the 10 ms after their exec in which nobody
# looks for its name: emulated, they take longer, and the exec is rightly booked under the name that it had.
left_out='*AfterNobodySilenced*:*AHundredThousandNames*'
left_out+=':*ExecFromAThread*:*UnderAWrongNameInARush:*NoShellIsTakenForTheSleep*'
live() {
  PROCEVENT_REQUIRE_LIVE=1 timeout 900 "./$1" --gtest_brief=1 --gtest_filter="-$left_out" |
    grep -v '^$' | while read -r line; do tell "$1: $line"; done
  tell "$1=${PIPESTATUS[0]}"
}

live live_test
live process_tracker_live_test

# The package, where systemd runs.
package() {
  dpkg "$@" | while read -r line; do tell "dpkg: $line"; done
  tell "dpkg$1=${PIPESTATUS[0]}"
}

systemctl start procevent_exporter
before="$(property MainPID)"
package --install ./*.deb
after="$(property MainPID)"
tell "upgraded=$(systemctl is-active procevent_exporter) from $before to $after"
package --remove procevent-exporter
[[ -e /proc/$after ]] && runs=runs || runs=ended
tell "removed=$(systemctl is-active procevent_exporter) $(property LoadState) $runs"
rm -r /etc/systemd/system/procevent_exporter.service.d
package --purge procevent-exporter
left="$(find / -xdev -name '*procevent*' -not -path '/opt/probe/*' -not -path '/tmp/procevent-live-*' -printf '%p ')"
tell "left=$left"
package --install ./*.deb
tell "installed=$(systemctl is-active procevent_exporter) $(systemctl is-enabled procevent_exporter)"
tell "end=1"
