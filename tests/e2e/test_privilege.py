"""Capabilities of each thread of the exporter, from /proc: the reader has CAP_NET_ADMIN, all others have none.
Everything works with these."""

import contextlib
import os
import shutil
import threading

import connector
import harness
import test_lost_subscription

NET_ADMIN = 1 << 12
SYS_PTRACE = 1 << 19
READER = "pe-reader"
SETS = ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")
NOBODY = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
ONLY_NET_ADMIN = (*NOBODY, "--inh-caps=-all,+net_admin", "--ambient-caps=+net_admin")
AS_ROOT_WITH_NET_ADMIN = ("setpriv", "--bounding-set=-all,+net_admin", "--inh-caps=-all")


def hide_pids(options):
    """A command prefix that mounts /proc with these options."""
    return ("unshare", "--mount", "sh", "-c", f'mount -t proc -o {options} proc /proc && exec "$@"', "sh")


class Thread:
    """A thread as in /proc/PID/task/TID/status."""

    def __init__(self, text):
        rows = dict(line.split(":\t", 1) for line in text.splitlines() if ":\t" in line)
        self.name = rows["Name"]
        self.sets = {name: int(rows[name], 16) for name in SETS}
        self.no_new_privs = rows["NoNewPrivs"] == "1"


def threads_of(pid):
    threads = []
    for task in os.listdir(f"/proc/{pid}/task"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError), \
                open(f"/proc/{pid}/task/{task}/status", encoding="ascii") as file:
            threads.append(Thread(file.read()))
    return threads


def find_faults(threads, reader=NET_ADMIN, bounding=0):
    """Lists the threads with wrong capabilities."""
    found = []
    readers = [thread for thread in threads if thread.name == READER]
    if len(readers) != 1:
        found.append(f"{len(readers)} threads are called {READER}")
    for thread in threads:
        capabilities = reader if thread.name == READER else 0
        wanted = {"CapInh": 0, "CapPrm": capabilities, "CapEff": capabilities, "CapBnd": bounding, "CapAmb": 0}
        if thread.sets != wanted or not thread.no_new_privs:
            found.append(f"{thread.name}: {thread.sets}, no_new_privs {thread.no_new_privs}")
    return found


class Privilege(harness.LiveTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        harness.require(None if shutil.which("setpriv") and shutil.which("unshare") else "not installed: util-linux")

    def check(self, exporter, **expected):
        """Checks the capabilities once the server threads run, and again during scrapes."""
        pid = exporter.pid()
        # A server thread may not have run yet.
        harness.wait_for("every thread to start", lambda: not find_faults(threads_of(pid), **expected), 5)
        self.assertGreater(len(threads_of(pid)), 60)
        scrapes = [threading.Thread(target=exporter.scrape) for _ in range(20)]
        for scrape in scrapes:
            scrape.start()
        checks = 0
        while checks < 5 or any(scrape.is_alive() for scrape in scrapes):
            self.assertEqual(find_faults(threads_of(pid), **expected), [])
            checks += 1
        for scrape in scrapes:
            scrape.join()

    def check_buffer(self, exporter):
        """The socket has the requested 32 MiB, doubled by the kernel. The sysctl allows far less."""
        self.assertEqual(exporter.scrape().sum("procevent_receive_queue_limit_bytes"), 64 << 20)
        self.assertNotIn("receive buffer", exporter.log())

    def check_names(self, exporter):
        """The exporter resolves the names of processes of other users."""
        with harness.Storm("fork", 200) as storm:
            storm.wait()
        harness.wait_for("the storm's name",
                         lambda: exporter.scrape().by("procevent_forks_total", "comm").get("storm", 0) >= 200)

    def test_as_root(self):
        with harness.Exporter() as exporter:
            exporter.wait_ready()
            self.check(exporter)
            self.check_buffer(exporter)
            self.check_names(exporter)
            self.assertNotIn("level=warning", exporter.log())

    def test_as_nobody_with_net_admin(self):
        harness.require(harness.unprivileged_skip_reason())
        with open("/proc/self/status", encoding="ascii") as file:
            bounding = Thread(file.read()).sets["CapBnd"]
        with harness.Exporter(prefix=ONLY_NET_ADMIN) as exporter:
            exporter.wait_ready()
            self.check(exporter, bounding=bounding)  # lowering it requires CAP_SETPCAP
            self.check_buffer(exporter)
            self.check_names(exporter)
            self.assertNotIn("level=warning", exporter.log())

    def test_as_root_in_a_container(self):
        with harness.Exporter(prefix=AS_ROOT_WITH_NET_ADMIN) as exporter:
            exporter.wait_ready()
            self.check(exporter, bounding=NET_ADMIN)
            self.check_buffer(exporter)

    def test_as_nobody_without_capabilities(self):
        harness.require(harness.unprivileged_skip_reason())
        with open("/proc/self/status", encoding="ascii") as file:
            bounding = Thread(file.read()).sets["CapBnd"]
        with harness.Exporter(prefix=NOBODY) as exporter:
            harness.wait_for("the server to start", exporter.readiness)
            self.check(exporter, reader=0, bounding=bounding)

    def test_renewed_socket_has_the_buffer_size(self):
        with harness.Exporter(config="reader:\n  canary_interval: 1s\n") as exporter:
            exporter.wait_ready()
            with exporter.stopped():
                self.assertEqual(test_lost_subscription.end_subscriptions_as_nobody(), 0)
                self.assertFalse(connector.kernel_has_listeners())

            def renewed():
                scrape = exporter.scrape()
                return (scrape.value("procevent_up") == 1 and
                        scrape.value("procevent_subscription_restarts_total", reason="silence") >= 1)

            harness.wait_for("a renewed socket", renewed)
            self.check_buffer(exporter)
            self.check(exporter)
        self.addCleanup(connector.reset_listener_count)

    def test_port_below_1024(self):
        with open("/proc/sys/net/ipv4/ip_unprivileged_port_start", encoding="ascii") as file:
            harness.require(None if int(file.read()) == 1024 else "here every user may bind ports below 1024")
        with harness.Exporter("--web.listen-address=127.0.0.1:867") as exporter:
            exporter.port = 867
            exporter.wait_ready()
            self.check(exporter)

    def test_hidepid_with_access_by_group(self):
        with harness.Exporter(prefix=hide_pids("hidepid=2")) as exporter:  # group 0 still sees all processes
            exporter.wait_ready()
            self.check(exporter)
            self.check_names(exporter)
            self.assertNotIn("hidepid", exporter.log())

    def test_hidepid_as_nobody_with_sys_ptrace(self):
        harness.require(harness.unprivileged_skip_reason())
        with open("/proc/self/status", encoding="ascii") as file:
            bounding = Thread(file.read()).sets["CapBnd"]
        both = "+net_admin,+sys_ptrace"
        prefix = (*hide_pids("hidepid=2"), *NOBODY, f"--inh-caps=-all,{both}", f"--ambient-caps={both}")
        with harness.Exporter(prefix=prefix) as exporter:
            exporter.wait_ready()
            self.check(exporter, reader=NET_ADMIN | SYS_PTRACE, bounding=bounding)
            self.check_names(exporter)
            self.assertNotIn("level=warning", exporter.log())

    def test_hidepid(self):
        for options in ("hidepid=2,gid=4242", "hidepid=4"):
            with self.subTest(options), harness.Exporter(prefix=hide_pids(options)) as exporter:
                exporter.wait_ready()
                self.check(exporter, reader=NET_ADMIN | SYS_PTRACE)
                self.check_names(exporter)
                self.assertEqual(exporter.log().count("the reader keeps CAP_SYS_PTRACE"), 1)


if __name__ == "__main__":
    harness.main()
