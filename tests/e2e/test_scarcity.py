"""The exporter where threads or memory are short: it says so and ends, or works and stops well."""

import os
import resource
import signal
import subprocess
import tempfile

import harness


class FewThreads(harness.LiveTest):
    """Where processes are short, as in a fork bomb: it says so, or works and stops well."""

    def limited(self, threads):
        return ["prlimit", f"--nproc={threads}", "setpriv", "--reuid=54321", "--regid=54321", "--clear-groups"]

    def test_too_few_are_told(self):
        for threads in (1, 2, 3, 40, 65, 66):
            with self.subTest(threads):
                done = subprocess.run([*self.limited(threads), harness.exporter_binary(),
                                       f"--web.listen-address=127.0.0.1:{harness.free_port()}"],
                                      stdin=subprocess.DEVNULL, capture_output=True, text=True,
                                      timeout=harness.DEADLINE_SECONDS, check=False)
                self.assertEqual(done.returncode, 1, done.stderr)
                self.assertRegex(done.stderr, "level=error .*raise the limit of processes")

    def test_it_stops_where_no_thread_is_left(self):
        with harness.Exporter(prefix=self.limited(67)) as exporter:
            harness.wait_for("an answer", lambda: (answer := exporter.readiness()) and answer.status in (200, 503))
            self.assertEqual(exporter.get("/metrics").status, 200)
            self.assertEqual(exporter.stop()[0], 0)


class FewOpenFiles(harness.LiveTest):
    """Where descriptors are short."""

    def test_as_many_as_doctor_lets_pass_are_enough(self):
        with harness.Exporter(prefix=["prlimit", "--nofile=16:16"]) as exporter:
            self.assertEqual(exporter.wait_ready().get("/metrics").status, 200)
            self.assertIn("only 16 files may be open, so that many clients", exporter.log())


class LittleMemory(harness.LiveTest):
    """Where address space is short: it says so, or works."""

    ENOUGH = 64 << 10  # KiB: what it asks for

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # What the loader and the libraries take is not ours.
        cls.least = next(kib for kib in range(1 << 10, cls.ENOUGH, 64) if cls.run_within(kib, "--version").returncode == 0)

    @staticmethod
    def run_within(kib, *arguments, before_exec=lambda: None):
        def limit():
            before_exec()
            resource.setrlimit(resource.RLIMIT_AS, (kib << 10, kib << 10))

        return subprocess.run([harness.exporter_binary(), *arguments], stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, timeout=harness.DEADLINE_SECONDS, check=False, preexec_fn=limit)

    @staticmethod
    def stop_when_it_serves():
        """A signal that is kept until then."""
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
        os.kill(os.getpid(), signal.SIGTERM)

    def test_it_serves_or_says_why_not(self):
        address = f"--web.listen-address=127.0.0.1:{harness.free_port()}"
        codes, kib = [], self.least
        while kib < self.ENOUGH:
            with self.subTest(f"{kib} KiB"):
                done = self.run_within(kib, address, before_exec=self.stop_when_it_serves)
                codes.append(done.returncode)
                if done.returncode == 0:
                    self.assertIn("serving /metrics", done.stderr)
                else:
                    self.assertEqual(done.returncode, 1, done.stderr)
                    self.assertRegex(done.stderr, r'^ts=\S+ level=error msg="[^"\n]+; [^"\n]*ulimit -v[^"\n]*"\n$')
            kib = kib * 21 // 20
        self.assertEqual(codes, sorted(codes, reverse=True), "more memory did less")
        self.assertEqual(codes[0], 1)

    def test_what_doctor_finds_enough_is_enough(self):
        address = f"--web.listen-address=127.0.0.1:{harness.free_port()}"
        codes, kib = [], self.least
        while kib < self.ENOUGH:
            codes.append(self.run_within(kib, "doctor", address).returncode)
            if codes[-1] == 0:
                done = self.run_within(kib, address, before_exec=self.stop_when_it_serves)
                self.assertEqual(done.returncode, 0, f"{kib} KiB: {done.stderr}")
            kib = kib * 51 // 50
        self.assertEqual((codes[0], codes[-1]), (1, 0))

    def test_what_it_asks_for_is_enough(self):
        with harness.Exporter(prefix=["prlimit", f"--as={self.ENOUGH << 10}"]) as exporter:
            self.assertEqual(exporter.wait_ready().get("/metrics").status, 200)

    def test_check_config_says_so(self):
        with tempfile.NamedTemporaryFile("w", suffix=".yml", prefix="procevent-e2e-") as file:
            file.write(f"# {'x' * 60000}\n")
            file.flush()
            done = self.run_within(self.least, "check-config", f"--config.file={file.name}")
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertRegex(done.stderr, r"^procevent_exporter: not enough memory; with the defaults 64 MiB [^\n]*ulimit -v[^\n]*\n$")


if __name__ == "__main__":
    harness.main()
