"""The sums that hold in every scrape, and a page of samples to check them on."""

import re

import samples


def accounted(event, *counters):
    """Terms of: counted by group + pending + retired - received. `counters` are an activity, a metric and labels."""
    terms = [(-1, "procevent_events_total", {"event": event})]
    for activity, name, labels in counters:
        terms += [(1, name, labels), *((1, f"procevent_{kind}", {"activity": activity})
                                       for kind in ("pending", "retired_total"))]
    return tuple(terms)


def host_total(total, activity, *counters):
    """Terms of: the host's total - counted by group - pending - retired."""
    return ((1, total, {}), *((-1, name, {}) for name in counters), (-1, "procevent_pending", {"activity": activity}),
            (-1, "procevent_retired_total", {"activity": activity}))


# Sums that must be 0, as terms of sign, metric and labels.
SUMS = {
    "fork events": accounted("fork", ("fork", "procevent_forks_total", {}),
                             ("thread_start", "procevent_threads_started_total", {})),
    "exec events": accounted("exec", ("exec", "procevent_execs_total", {})),
    "exit events": accounted("exit", ("exit", "procevent_exits_total", {}),
                             ("thread_end", "procevent_threads_ended_total", {})),
    "coredump events": accounted("coredump", ("coredump", "procevent_coredumps_total", {})),
    "ptrace events": accounted("ptrace", ("ptrace", "procevent_ptrace_total", {})),
    "uid events": accounted("uid", ("uid_change", "procevent_credential_changes_total", {"credential": "uid"})),
    "gid events": accounted("gid", ("gid_change", "procevent_credential_changes_total", {"credential": "gid"})),
    "host forks": host_total("procevent_host_forks_total", "fork", "procevent_forks_total"),
    "host threads started": host_total("procevent_host_threads_started_total", "thread_start",
                                       "procevent_threads_started_total"),
    "host threads ended": host_total("procevent_host_threads_ended_total", "thread_end",
                                     "procevent_threads_ended_total"),
    "host execs": host_total("procevent_host_execs_total", "exec", "procevent_execs_total"),
    "host exits": host_total("procevent_host_exits_total", "exit", "procevent_exits_total"),
    "exit codes": ((1, "procevent_exit_code_count", {}), (-1, "procevent_host_exits_total", {})),
    "all exit codes": ((1, "procevent_exit_code_bucket", {"le": "+Inf"}), (-1, "procevent_exit_code_count", {})),
    "statuses": ((1, "procevent_exit_codes_total", {}), (-1, "procevent_exits_total", {"outcome": "failure"})),
    "signals": ((1, "procevent_exit_signals_total", {}), (-1, "procevent_exits_total", {"outcome": "signal"})),
    "delays": ((1, "procevent_event_delay_seconds_count", {}), (-1, "procevent_events_total", {})),
}
# These replace the sums of the same names with histograms.exit_code.by_group.
SUMS_BY_GROUP = {"exit codes": ((1, "procevent_exit_code_count", {}), (-1, "procevent_exits_total", {}))}
# The first sum must not exceed the second.
ORDERED = {
    "successes": (((1, "procevent_exit_code_bucket", {"le": "0.0"}),),
                  ((1, "procevent_host_exits_total", {"outcome": "success"}),)),
    "lifetimes": (((1, "procevent_process_lifetime_seconds_count", {}),), ((1, "procevent_host_exits_total", {}),)),
    "without exec": (((1, "procevent_exits_without_exec_total", {}),), ((1, "procevent_exits_total", {}),)),
    "groups": (((1, "procevent_groups", {}),), ((1, "procevent_groups_limit", {}),)),
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


def check_sums(test, page, by_group=False):
    """Checks all identities. The audit of forks is left out if its series is: see procevent_kernel_clones_total.
    `by_group`: the page has the histogram of exit codes by group.

    Returns whether forks were audited.
    """
    for name, terms in {**SUMS, **(SUMS_BY_GROUP if by_group else {})}.items():
        test.assertEqual(page.sum(terms), 0, name)
    audited = page.of("procevent_kernel_clones_total", {})
    for name, (less, more) in ORDERED.items():
        if audited or name not in AUDITS:
            test.assertLessEqual(page.sum(less), page.sum(more), name)
    return bool(audited)
