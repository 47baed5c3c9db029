"""An independent count of the kernel's process events, on a socket large enough for a whole storm."""

import collections
import time

import connector

BUFFER_BYTES = 64 << 20  # 161 000 events
SETTLE_SECONDS = 0.02  # an event has its time before it has reached everybody
IN_FLIGHT_NS = 2_000_000  # the same, where a scrape follows

# By name, how many events had been made, at least and at most, when something happened that is not a moment.
Span = collections.namedtuple("Span", "least most")


def width(span):
    """0: nothing was made meanwhile, and the counts are exact."""
    return sum(span.most.values()) - sum(span.least.values())


def summed(span):
    """All names taken together, under one."""
    return Span({"all": sum(span.least.values())}, {"all": sum(span.most.values())})


def storm_numbers(events, storm_pid):
    """What the process `storm_pid` and its descendants did, in the storm's own terms, without its own start and end."""
    numbers = collections.Counter(forks=0, execs=0, exits=0, threads=0, thread_exits=0)
    family = set()
    for name, pid, tgid, child_pid, child_tgid in events:
        if name == "fork" and child_pid == child_tgid:
            if tgid in family:
                family.add(child_tgid)
                numbers["forks"] += 1
            elif child_tgid == storm_pid:
                family.add(child_tgid)
            else:
                family.discard(child_tgid)  # the PID of one that is gone, used again
        elif name == "fork":
            numbers["threads"] += child_tgid in family
        elif tgid in family and tgid != storm_pid:
            numbers["execs"] += name == "exec"
            numbers["exits"] += name == "exit" and pid == tgid
            numbers["thread_exits"] += name == "exit" and pid != tgid
    return dict(numbers)


class Witness:
    """Subscribed for as long as the `with` lasts. Its numbers are those of the last drain().

    Every event has the kernel's time, so that it can be said afterwards how many there had been at a given one.
    """

    def __init__(self):
        self._connector = connector.Connector(BUFFER_BYTES)
        self._last_sequence = {}
        self._times = []  # of every event: when, and its name
        self.life_events = []  # fork, exec and exit events: name and the first four words of the body
        self.gaps = 0

    def __enter__(self):
        if not self._connector.listen():
            self._connector.close()
            raise RuntimeError("the kernel does not acknowledge the witness")
        return self

    def __exit__(self, *_):
        self._connector.close()

    def drain(self):
        """Counts what has come."""
        for event in self._connector.receive():
            self._times.append((event.time_ns, event.name))
            if event.name in ("fork", "exec", "exit"):
                self.life_events.append((event.name, *event.body[:4]))
            last = self._last_sequence.get(event.cpu, event.sequence - 1)
            self.gaps += (event.sequence - last - 1) % (1 << 32)
            self._last_sequence[event.cpu] = event.sequence

    def span(self, start_ns, end_ns):
        """Of something that began at `start_ns` and ended at `end_ns`, both in the past."""
        time.sleep(SETTLE_SECONDS)
        self.drain()
        least = collections.Counter(name for when, name in self._times if when < start_ns - IN_FLIGHT_NS)
        most = least + collections.Counter(name for when, name in self._times
                                           if start_ns - IN_FLIGHT_NS <= when <= end_ns)
        return Span(*({name: counts[name] for name in connector.ALL_NAMES} for counts in (least, most)))

    def lost(self):
        """Of its own: above 0 it is no witness."""
        return self.gaps + self._connector.drops()
