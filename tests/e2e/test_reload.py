"""Tests SIGHUP: keys that change while the exporter runs, keys that need a restart, and invalid configurations."""

import os
import signal
import subprocess
import unittest

import harness
import identities

RESTART = "changed keys are not in force; restart the exporter"
NAMES = 30  # more than the largest limit of groups
GROUPED = "name_groups:\n  - match: reload-.*\n    name: reloaded\n"


class ReloadTest(harness.LiveTest):
    CONFIG = "log:\n  level: info\n"

    def setUp(self):
        self.exporter = self.enterContext(harness.Exporter(config=self.CONFIG)).wait_ready()

    def reload(self, config, words, **fields):
        """Writes the file, sends the signal, and waits for a log line with the words and fields."""
        with open(self.exporter.config_file, "w", encoding="utf-8") as file:
            file.write(config)

        def count():
            return len(harness.log_lines(self.exporter.log(), words, **fields))

        before = count()
        os.kill(self.exporter.pid(), signal.SIGHUP)
        harness.wait_for(f"a log line with {words!r} and {fields}", lambda: count() > before)

    def run_process(self, name):
        """Runs a process with the name, which exits with 3."""
        subprocess.run(["/bin/sh", "-c", f"printf {name} >/proc/$$/comm; exit 3"], check=False)


class Reload(ReloadTest):
    def successful(self):
        return self.exporter.scrape().value("procevent_exporter_config_last_reload_successful")

    def exits(self, comm):
        """The number of exits of the command with a status other than 0."""
        try:
            return self.exporter.scrape().value("procevent_exits_total", comm=comm, outcome="failure")
        except KeyError:
            return 0

    def test_name_groups_apply_to_new_processes(self):
        self.run_process("reload-1")
        harness.wait_for("its exit", lambda: self.exits("reload-1") == 1)
        before = self.exporter.scrape()
        self.reload(GROUPED, "configuration reloaded", applied="name_groups")
        self.run_process("reload-1")
        self.run_process("reload-2")
        harness.wait_for("their exits", lambda: self.exits("reloaded") == 2)
        self.assertEqual(self.exits("reload-1"), 1, "earlier counts stay")
        after = self.exporter.scrape()
        self.assertGreaterEqual(after.sum("procevent_exits_total"), before.sum("procevent_exits_total") + 2)
        self.assertEqual(after.sum("procevent_events_lost_total"), before.sum("procevent_events_lost_total"))

    def test_name_groups_apply_to_running_processes(self):
        with subprocess.Popen(["/bin/sh", "-c", "printf reload-3 >/proc/$$/comm; (:); read line; (:)"],
                              stdin=subprocess.PIPE) as shell:
            def forks(comm):
                return self.exporter.scrape().by("procevent_forks_total", "comm").get(comm, 0)

            harness.wait_for("its first fork", lambda: forks("reload-3") == 1)
            self.reload(GROUPED, "configuration reloaded", applied="name_groups")
            shell.communicate(b"\n")
            harness.wait_for("its second fork", lambda: forks("reloaded") == 1)
            self.assertEqual(forks("reload-3"), 1)

    def test_log_level_changes(self):
        self.reload("log:\n  level: warning\ngroups:\n  limit: 77\n", RESTART, keys="groups.limit")
        self.assertTrue(harness.log_lines(self.exporter.log(), applied="log.level"), "each applied key is logged")
        self.reload("log:\n  level: warning\ngroups:\n  limit: 78\n", RESTART, keys="groups.limit")
        self.assertFalse(harness.log_lines(self.exporter.log(), applied=""), "logged at level info")
        self.reload("log:\n  level: info\n", "configuration reloaded", level="info", applied="log.level")

    def test_keys_that_need_a_restart_are_reported(self):
        self.reload("log:\n  format: json\n", RESTART, keys="log.format")
        self.assertEqual(self.successful(), 1)
        self.assertEqual(self.exporter.scrape().value("procevent_exporter_config_restart_pending"), 1)
        self.reload("log:\n  level: info\n", "configuration reloaded", applied="")
        self.assertEqual(self.exporter.scrape().value("procevent_exporter_config_restart_pending"), 0)

    def test_invalid_file_changes_nothing(self):
        stamp = self.exporter.scrape().value("procevent_exporter_config_last_reload_success_timestamp_seconds")
        self.reload(GROUPED + "groups:\n  limit: many\n", "cannot reload the configuration", errors=1)
        self.assertIn("procevent_exporter.yml:5:10: groups.limit: invalid value ", self.exporter.log())
        self.assertEqual(self.successful(), 0)
        self.run_process("reload-4")
        harness.wait_for("its exit", lambda: self.exits("reload-4") == 1)
        self.assertEqual(self.exporter.scrape().value("procevent_exporter_config_last_reload_success_timestamp_seconds"), stamp)
        self.reload(GROUPED, "configuration reloaded", applied="name_groups")
        self.assertEqual(self.successful(), 1)

    def test_missing_file_changes_nothing(self):
        os.remove(self.exporter.config_file)
        os.kill(self.exporter.pid(), signal.SIGHUP)
        harness.wait_for("the failure", lambda: self.successful() == 0)
        self.assertEqual(self.exporter.readiness().status, 200)


class GroupLimit(ReloadTest):
    """Reloads of groups.limit while more commands run than it allows."""

    CONFIG = "groups:\n  limit: 10\n"

    def setUp(self):
        super().setUp()
        self.last = self.page()

    def page(self):
        return identities.Page(self.exporter.get("/metrics").body.decode())

    def value(self, name):
        """The sum of a metric. Checks the sums of the page, and that no counter fell."""
        page = self.page()
        identities.check_sums(self, page)
        for key in self.last.growing.keys() & page.growing.keys():
            self.assertGreaterEqual(page.growing[key], self.last.growing[key], key)
        self.last = page
        return page.sum([(1, name, {})])

    def fill(self, name, groups):
        """Runs processes with many names until so many groups have series. Returns the names that have."""
        def full():
            for i in range(NAMES):
                self.run_process(f"{name}-{i}")
            return self.value("procevent_groups") == groups

        harness.wait_for(f"{groups} groups", full)
        return {comm for comm in self.last.families.by("procevent_exits_total", "comm") if comm.startswith(name)}

    def test_limit_grows_and_does_not_shrink(self):
        self.assertTrue(self.fill("first", 10))
        self.assertGreater(self.value("procevent_groups_overflowed_total"), 0)
        self.reload("groups:\n  limit: 20\n", "configuration reloaded", applied="groups.limit")
        self.assertEqual(self.value("procevent_groups_limit"), 20)
        self.assertEqual(self.value("procevent_exporter_config_restart_pending"), 0)
        self.assertTrue(self.fill("second", 20), "no new command got a series")
        self.reload("groups:\n  limit: 15\n", RESTART + "; a reload can only increase groups.limit",
                    keys="groups.limit")
        self.assertEqual(self.value("procevent_groups_limit"), 20)
        self.assertEqual(self.value("procevent_groups"), 20)
        self.assertEqual(self.value("procevent_exporter_config_restart_pending"), 1)


if __name__ == "__main__":
    harness.main()
