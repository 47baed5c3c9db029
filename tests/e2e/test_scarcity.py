"""The exporter with too few threads, descriptors or too little memory: it reports the cause and exits, or works."""

import os
import resource
import signal
import subprocess
import tempfile

import connector
import harness


class FewThreads(harness.LiveTest):
    """A low limit of processes, as during a fork bomb."""

    def limited(self, threads):
        return ["prlimit", f"--nproc={threads}", "setpriv", "--reuid=54321", "--regid=54321", "--clear-groups"]

    def test_too_few_threads_are_reported(self):
        for threads in (1, 2, 3, 40, 65, 66):
            with self.subTest(threads):
                done = subprocess.run([*self.limited(threads), harness.exporter_binary(),
                                       f"--web.listen-address=127.0.0.1:{harness.free_port()}"],
                                      stdin=subprocess.DEVNULL, capture_output=True, text=True,
                                      timeout=harness.DEADLINE_SECONDS, check=False)
                self.assertEqual(done.returncode, 1, done.stderr)
                self.assertRegex(done.stderr, "level=error .*raise the limit of processes")

    def test_stops_with_no_thread_left(self):
        with harness.Exporter(prefix=self.limited(67)) as exporter:
            harness.wait_for("an answer", lambda: (answer := exporter.readiness()) and answer.status in (200, 503))
            self.assertEqual(exporter.get("/metrics").status, 200)
            self.assertEqual(exporter.stop()[0], 0)


class FewOpenFiles(harness.LiveTest):
    """A low limit of open files."""

    def test_exits_below_the_least_that_doctor_accepts(self):
        before = connector.listener_count()
        done = subprocess.run(["prlimit", "--nofile=15:15", harness.exporter_binary(),
                               f"--web.listen-address=127.0.0.1:{harness.free_port()}"], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=harness.DEADLINE_SECONDS, check=False)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
        self.assertTrue(harness.log_lines(done.stderr, "too low to serve", level="error", limit=15, needed=400))
        self.assertEqual(connector.listener_count(), before, "a subscription was left behind")

    def test_works_with_the_least_that_doctor_accepts(self):
        with harness.Exporter(prefix=["prlimit", "--nofile=16:16"]) as exporter:
            self.assertEqual(exporter.wait_ready().get("/metrics").status, 200)
            self.assertTrue(harness.log_lines(exporter.log(), "many clients", level="warning", limit=16, needed=400),
                            exporter.log())


class LittleMemory(harness.LiveTest):
    """A low limit of address space."""

    ENOUGH = 64 << 10  # KiB, as in the error message

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # The least address space that the loader and the libraries need.
        cls.min_kib = next(kib for kib in range(1 << 10, cls.ENOUGH, 64)
                           if cls.run_within(kib, "--version").returncode == 0)

    @staticmethod
    def run_within(kib, *arguments, before_exec=lambda: None):
        def limit():
            before_exec()
            resource.setrlimit(resource.RLIMIT_AS, (kib << 10, kib << 10))

        return subprocess.run([harness.exporter_binary(), *arguments], stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, timeout=harness.DEADLINE_SECONDS, check=False, preexec_fn=limit)

    @staticmethod
    def stop_after_start():
        """Blocks SIGTERM and sends it: it stays pending until the exporter handles signals."""
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
        os.kill(os.getpid(), signal.SIGTERM)

    def test_serves_or_names_the_cause(self):
        address = f"--web.listen-address=127.0.0.1:{harness.free_port()}"
        codes, kib = [], self.min_kib
        while kib < self.ENOUGH:
            with self.subTest(f"{kib} KiB"):
                done = self.run_within(kib, address, before_exec=self.stop_after_start)
                codes.append(done.returncode)
                if done.returncode == 0:
                    self.assertIn("/metrics", done.stderr)
                else:
                    self.assertEqual(done.returncode, 1, done.stderr)
                    self.assertRegex(done.stderr, r'^ts=\S+ level=error msg="[^\n]+; [^\n]*ulimit -v[^\n]*\n$')
            kib = kib * 21 // 20
        self.assertEqual(codes, sorted(codes, reverse=True), "a higher limit failed where a lower one worked")
        self.assertEqual(codes[0], 1)

    def test_works_where_doctor_succeeds(self):
        address = f"--web.listen-address=127.0.0.1:{harness.free_port()}"
        codes, kib = [], self.min_kib
        while kib < self.ENOUGH:
            codes.append(self.run_within(kib, "doctor", address).returncode)
            if codes[-1] == 0:
                done = self.run_within(kib, address, before_exec=self.stop_after_start)
                self.assertEqual(done.returncode, 0, f"{kib} KiB: {done.stderr}")
            kib = kib * 51 // 50
        self.assertEqual((codes[0], codes[-1]), (1, 0))

    def test_works_with_the_documented_memory(self):
        with harness.Exporter(prefix=["prlimit", f"--as={self.ENOUGH << 10}"]) as exporter:
            self.assertEqual(exporter.wait_ready().get("/metrics").status, 200)

    @staticmethod
    def end(process):
        """Ends a process that unsubscribes, if it still runs."""
        process.terminate()
        process.wait(harness.DEADLINE_SECONDS)

    def check_failed_reader(self, code, log):
        self.assertEqual(code, 1, log)
        lines = harness.log_lines(log, level="error")
        self.assertEqual([line["err"] for line in lines], ["Cannot allocate memory"], log)
        self.assertRegex(lines[0]["msg"], "^cannot process events: .*; raise the memory limit")

    def test_exits_with_the_cause_if_the_reader_has_no_memory(self):
        library = os.environ.get("PROCEVENT_FAILING_NEW", "")
        harness.require(None if library else "PROCEVENT_FAILING_NEW is not set: a sanitizer has its own operator new")
        before = connector.listener_count()
        with tempfile.TemporaryDirectory(prefix="procevent-e2e-") as directory:
            trigger = os.path.join(directory, "fail")
            preload = {"LD_PRELOAD": library, "PROCEVENT_FAIL_NEW": trigger}
            # An expression whose automaton grows with the names that it is applied to.
            config = "name_groups:\n  - match: '.*[0-4].{8}'\n    name: group\n"
            exporter = harness.Exporter(environment=preload, config=config)
            self.addCleanup(self.end, exporter.process)
            exporter.wait_ready()
            record = subprocess.Popen([harness.exporter_binary(), "record", f"--config.file={exporter.config_file}",
                                       "/dev/null"], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                                      env={**os.environ, **preload})
            self.addCleanup(self.end, record)
            harness.wait_for("the recording to subscribe", lambda: connector.sockets_in_group() == 2)
            with open(trigger, "w", encoding="ascii"):
                pass
            for number in range(100):
                name = f"{number:03}{number * 7919 % 10 ** 12:012}"
                subprocess.run(["sh", "-c", f"printf {name} > /proc/$$/comm; (:)"], check=True)
            self.check_failed_reader(exporter.process.wait(harness.DEADLINE_SECONDS), exporter.log())
            _, log = record.communicate(timeout=harness.DEADLINE_SECONDS)
            self.check_failed_reader(record.returncode, log)
        self.assertEqual(connector.listener_count(), before, "a subscription was left behind")

    def test_check_config_reports_it(self):
        with tempfile.NamedTemporaryFile("w", suffix=".yml", prefix="procevent-e2e-") as file:
            file.write(f"# {'x' * 60000}\n")
            file.flush()
            done = self.run_within(self.min_kib, "check-config", f"--config.file={file.name}")
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertRegex(done.stderr, r"^procevent_exporter: [^\n]*memory; [^\n]*64 MiB[^\n]*ulimit -v[^\n]*\n$")


if __name__ == "__main__":
    harness.main()
