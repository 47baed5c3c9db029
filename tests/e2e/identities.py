"""The sums that hold in every scrape, and a page of samples to check them on."""

import re

import samples


def counted_or_pending(event, *counters):
    """Terms of: counted + pending - received."""
    return (*((1, name, labels) for name, labels in counters), (1, "procevent_pending", {"event": event}),
            (-1, "procevent_events_total", {"event": event}))


# Sums that must be 0, as terms of sign, metric and labels.
SUMS = {
    "forks": counted_or_pending("fork", ("procevent_forks_total", {}), ("procevent_threads_started_total", {})),
    "execs": counted_or_pending("exec", ("procevent_execs_total", {})),
    "exits": counted_or_pending("exit", ("procevent_exits_total", {}), ("procevent_threads_ended_total", {})),
    "coredumps": counted_or_pending("coredump", ("procevent_coredumps_total", {})),
    "ptrace": counted_or_pending("ptrace", ("procevent_ptrace_total", {})),
    "uid": counted_or_pending("uid", ("procevent_credential_changes_total", {"credential": "uid"})),
    "gid": counted_or_pending("gid", ("procevent_credential_changes_total", {"credential": "gid"})),
    "exit codes": ((1, "procevent_exit_code_count", {}), (-1, "procevent_exits_total", {})),
    "all exit codes": ((1, "procevent_exit_code_bucket", {"le": "+Inf"}), (-1, "procevent_exits_total", {})),
    "successes": ((1, "procevent_exit_code_bucket", {"le": "0"}),
                  (-1, "procevent_exits_total", {"outcome": "success"})),
    "statuses": ((1, "procevent_exit_codes_total", {}), (-1, "procevent_exits_total", {"outcome": "failure"})),
    "signals": ((1, "procevent_exit_signals_total", {}), (-1, "procevent_exits_total", {"outcome": "signal"})),
    "delays": ((1, "procevent_event_delay_seconds_count", {}), (-1, "procevent_events_total", {}),
               (1, "procevent_events_total", {"event": "ack"})),
}
# The first sum must not exceed the second.
ORDERED = {
    "lifetimes": (((1, "procevent_process_lifetime_seconds_count", {}),), ((1, "procevent_exits_total", {}),)),
    "unexeced": (((1, "procevent_exits_without_exec_total", {}),), ((1, "procevent_exits_total", {}),)),
    "comms": (((1, "procevent_groups", {}),), ((1, "procevent_groups_limit", {}),)),
    "threads": (((1, "procevent_processes", {}),), ((1, "procevent_threads", {}),)),
    "audit": (((1, "procevent_events_total", {"event": "fork"}),), ((1, "procevent_kernel_clones_total", {}),)),
    "reported": (((1, "procevent_kernel_clones_total", {}), (-1, "procevent_events_total", {"event": "fork"})),
                  ((1, "procevent_events_lost_total", {}), (1, "procevent_unseen_clones_total", {}))),
}
AUDITS = ("audit", "reported")  # compare with the kernel's count of forks


class Page:
    """The samples of one scrape, with the types of their families."""

    def __init__(self, text):
        types = dict(re.findall(r"^# TYPE (\S+) (\S+)$", text, re.MULTILINE))
        self._samples = {}
        for line in text.splitlines():
            if line and not line.startswith("#"):
                key, value = line.rsplit(" ", 1)
                if key in self._samples:
                    raise AssertionError(f"repeated sample: {key}")
                self._samples[key] = float(value)
        counters = {name for name, kind in types.items() if kind == "counter"}
        for name, kind in types.items():
            if kind == "histogram":
                counters |= {name + "_bucket", name + "_count", name + "_sum"}
        self.growing = {key: value for key, value in self._samples.items() if key.partition("{")[0] in counters}
        self.growing_names = counters & {key.partition("{")[0] for key in self._samples}
        self.families = samples.Samples(text)

    def __len__(self):
        return len(self._samples)

    def of(self, name, labels):
        """The values of samples with the given labels, among others."""
        if name not in self.families.names():
            return []
        start = name + "{"
        wanted = [f'{label}="{value}"' for label, value in labels.items()]
        return [value for key, value in self._samples.items()
                if (key == name or key.startswith(start)) and all(part in key for part in wanted)]

    def sum(self, terms):
        return sum(sign * sum(self.of(name, labels)) for sign, name, labels in terms)


def check_sums(test, page):
    """Checks all identities. The audit of forks is left out if its series is: see procevent_kernel_clones_total.

    Returns whether forks were audited.
    """
    for name, terms in SUMS.items():
        test.assertEqual(page.sum(terms), 0, name)
    audited = page.of("procevent_kernel_clones_total", {})
    for name, (less, more) in ORDERED.items():
        if audited or name not in AUDITS:
            test.assertLessEqual(page.sum(less), page.sum(more), name)
    return bool(audited)
