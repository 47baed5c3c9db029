"""What each thread of the exporter may do, as the kernel tells it in /proc: the reader has CAP_NET_ADMIN, all others
nothing. And all works with no more than that."""

import contextlib
import os
import shutil
import threading

import connector
import harness
import test_silence

NET_ADMIN = 1 << 12
SYS_PTRACE = 1 << 19
READER = "pe-reader"
SETS = ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")
NOBODY = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
ONLY_NET_ADMIN = (*NOBODY, "--inh-caps=-all,+net_admin", "--ambient-caps=+net_admin")
AS_ROOT_WITH_NET_ADMIN = ("setpriv", "--bounding-set=-all,+net_admin", "--inh-caps=-all")


def hide_pids(options):
    """/proc with these options, for what is executed behind it."""
    return ("unshare", "--mount", "sh", "-c", f'mount -t proc -o {options} proc /proc && exec "$@"', "sh")


class Thread:
    """A thread as /proc/PID/task/TID/status tells it."""

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


def faults(threads, reader=NET_ADMIN, bounding=0):
    """What is not as it should be; empty if all is."""
    found = []
    readers = [thread for thread in threads if thread.name == READER]
    if len(readers) != 1:
        found.append(f"{len(readers)} threads are called {READER}")
    for thread in threads:
        has = reader if thread.name == READER else 0
        wanted = {"CapInh": 0, "CapPrm": has, "CapEff": has, "CapBnd": bounding, "CapAmb": 0}
        if thread.sets != wanted or not thread.no_new_privs:
            found.append(f"{thread.name}: {thread.sets}, no_new_privs {thread.no_new_privs}")
    return found


class Privilege(harness.LiveTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        harness.require(None if shutil.which("setpriv") and shutil.which("unshare") else "not installed: util-linux")

    def check(self, exporter, **wanted):
        """Holds as soon as it serves, and at any time while it is scraped."""
        pid = exporter.pid()
        # A thread of the server may not have run yet.
        harness.wait_for("every thread to have begun", lambda: not faults(threads_of(pid), **wanted), 5)
        self.assertGreater(len(threads_of(pid)), 60)
        scrapes = [threading.Thread(target=exporter.scrape) for _ in range(20)]
        for scrape in scrapes:
            scrape.start()
        looks = 0
        while looks < 5 or any(scrape.is_alive() for scrape in scrapes):
            self.assertEqual(faults(threads_of(pid), **wanted), [])
            looks += 1
        for scrape in scrapes:
            scrape.join()

    def check_buffer(self, exporter):
        """A socket has the 32 MiB asked for, which the kernel doubles: far more than the sysctl gives."""
        self.assertEqual(exporter.scrape().sum("procevent_receive_queue_limit_bytes"), 64 << 20)
        self.assertNotIn("receive buffer", exporter.log())

    def check_names(self, exporter):
        """The names of processes that others began are known."""
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

    def test_as_nobody_with_one_capability(self):
        harness.require(harness.why_not_for_anybody())
        with open("/proc/self/status", encoding="ascii") as file:
            bounding = Thread(file.read()).sets["CapBnd"]
        with harness.Exporter(prefix=ONLY_NET_ADMIN) as exporter:
            exporter.wait_ready()
            self.check(exporter, bounding=bounding)  # to lower it takes CAP_SETPCAP
            self.check_buffer(exporter)
            self.check_names(exporter)
            self.assertNotIn("level=warning", exporter.log())

    def test_as_root_in_a_container(self):
        with harness.Exporter(prefix=AS_ROOT_WITH_NET_ADMIN) as exporter:
            exporter.wait_ready()
            self.check(exporter, bounding=NET_ADMIN)
            self.check_buffer(exporter)

    def test_as_nobody_without_any(self):
        harness.require(harness.why_not_for_anybody())
        with open("/proc/self/status", encoding="ascii") as file:
            bounding = Thread(file.read()).sets["CapBnd"]
        with harness.Exporter(prefix=NOBODY) as exporter:
            harness.wait_for("it to serve", exporter.readiness)
            self.check(exporter, reader=0, bounding=bounding)

    def test_a_fresh_socket_gets_its_buffer_too(self):
        with harness.Exporter(config="reader:\n  canary_interval: 1s\n") as exporter:
            exporter.wait_ready()
            with exporter.stopped():
                self.assertEqual(test_silence.silence_as_nobody(), 0)
                self.assertFalse(connector.somebody_listens())

            def renewed():
                scrape = exporter.scrape()
                return (scrape.value("procevent_listener_up") == 1 and
                        scrape.value("procevent_listener_restarts_total", reason="silence") >= 1)

            harness.wait_for("a fresh socket", renewed)
            self.check_buffer(exporter)
            self.check(exporter)
        self.addCleanup(connector.forget_the_dead)

    def test_a_port_below_1024_is_bound_first(self):
        with open("/proc/sys/net/ipv4/ip_unprivileged_port_start", encoding="ascii") as file:
            harness.require(None if int(file.read()) == 1024 else "anybody may bind ports below 1024 here")
        with harness.Exporter("--web.listen-address=127.0.0.1:867") as exporter:
            exporter.port = 867
            exporter.wait_ready()
            self.check(exporter)

    def test_where_proc_hides_others_but_not_from_us(self):
        with harness.Exporter(prefix=hide_pids("hidepid=2")) as exporter:  # it shows them to group 0
            exporter.wait_ready()
            self.check(exporter)
            self.check_names(exporter)
            self.assertNotIn("hidepid", exporter.log())

    def test_where_proc_hides_others_from_nobody_with_the_capability_to_see_them(self):
        harness.require(harness.why_not_for_anybody())
        with open("/proc/self/status", encoding="ascii") as file:
            bounding = Thread(file.read()).sets["CapBnd"]
        both = "+net_admin,+sys_ptrace"
        prefix = (*hide_pids("hidepid=2"), *NOBODY, f"--inh-caps=-all,{both}", f"--ambient-caps={both}")
        with harness.Exporter(prefix=prefix) as exporter:
            exporter.wait_ready()
            self.check(exporter, reader=NET_ADMIN | SYS_PTRACE, bounding=bounding)
            self.check_names(exporter)
            self.assertNotIn("level=warning", exporter.log())

    def test_where_proc_hides_others(self):
        for options in ("hidepid=2,gid=4242", "hidepid=4"):
            with self.subTest(options), harness.Exporter(prefix=hide_pids(options)) as exporter:
                exporter.wait_ready()
                self.check(exporter, reader=NET_ADMIN | SYS_PTRACE)
                self.check_names(exporter)
                self.assertEqual(exporter.log().count("the reader keeps CAP_SYS_PTRACE"), 1)


if __name__ == "__main__":
    harness.main()
