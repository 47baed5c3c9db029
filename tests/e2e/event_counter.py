"""Counts the kernel's process events independently of the exporter, with a buffer for a whole storm."""

import collections
import time

import connector

BUFFER_BYTES = 64 << 20  # 161 000 events
SETTLE_SECONDS = 0.02  # from an event's timestamp until it has reached every subscriber
IN_FLIGHT_NS = 2_000_000  # the same before a scrape

# Lower and upper bound of the number of events by name, for an action that takes time.
Span = collections.namedtuple("Span", "least most")


def width(span):
    """The number of events during the action. 0: the counts are exact."""
    return sum(span.most.values()) - sum(span.least.values())


def summed(span):
    """The span of the sum over all names, under the name `all`."""
    return Span({"all": sum(span.least.values())}, {"all": sum(span.most.values())})


def storm_numbers(events, storm_pid):
    """The events of the storm's descendants in the storm's own terms. Excludes the storm process itself."""
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
                family.discard(child_tgid)  # a reused PID
        elif name == "fork":
            numbers["threads"] += child_tgid in family
        elif tgid in family and tgid != storm_pid:
            numbers["execs"] += name == "exec"
            numbers["exits"] += name == "exit" and pid == tgid
            numbers["thread_exits"] += name == "exit" and pid != tgid
    return dict(numbers)


class EventCounter:
    """A subscription for as long as the `with` lasts. Its numbers are those of the last drain().

    Events have kernel timestamps, so span() can count the events before a given time afterwards.
    """

    def __init__(self):
        self._connector = connector.Connector(BUFFER_BYTES)
        self._last_sequence = {}
        self._times = []  # timestamp and name of every event
        self.life_events = []  # fork, exec and exit events: name and the first four words of the body
        self.gaps = 0

    def __enter__(self):
        if not self._connector.listen():
            self._connector.close()
            raise RuntimeError("the kernel does not acknowledge the subscription of EventCounter")
        return self

    def __exit__(self, *_):
        self._connector.close()

    def drain(self):
        """Counts the received events."""
        for event in self._connector.receive():
            self._times.append((event.time_ns, event.name))
            if event.name in ("fork", "exec", "exit"):
                self.life_events.append((event.name, *event.body[:4]))
            last = self._last_sequence.get(event.cpu, event.sequence - 1)
            self.gaps += (event.sequence - last - 1) % (1 << 32)
            self._last_sequence[event.cpu] = event.sequence

    def span(self, start_ns, end_ns):
        """The span of an action from `start_ns` to `end_ns`, both in the past."""
        time.sleep(SETTLE_SECONDS)
        self.drain()
        least = collections.Counter(name for when, name in self._times if when < start_ns - IN_FLIGHT_NS)
        most = least + collections.Counter(name for when, name in self._times
                                           if start_ns - IN_FLIGHT_NS <= when <= end_ns)
        return Span(*({name: counts[name] for name in connector.ALL_NAMES} for counts in (least, most)))

    def lost(self):
        """Losses of this counter itself. Above 0 its counts are not valid."""
        return self.gaps + self._connector.drops()
