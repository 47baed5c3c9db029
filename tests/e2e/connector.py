"""The kernel's process-event connector, raw: sockets, events, and the count of listeners that the kernel keeps.

Knows nothing of the exporter, and shares no code with it: what it says can be held against the exporter.
"""

import collections
import ctypes
import errno
import os
import random
import select
import socket
import struct
import time

NETLINK_CONNECTOR = 11
SOL_NETLINK = 270
NETLINK_NO_ENOBUFS = 5
SO_RCVBUFFORCE = 33
SO_MEMINFO = 55
DROPS = 8  # SK_MEMINFO_DROPS
PR_SET_NAME = 15

LISTEN = 1
IGNORE = 2
MOST_LEAKED = 1 << 16  # listeners that ended without a word, since this machine was started
NO_OPERATION = 9  # any that the kernel refuses, but remembers as the socket's last

NAMES = {0: "ack", 0x1: "fork", 0x2: "exec", 0x4: "uid", 0x40: "gid", 0x80: "sid", 0x100: "ptrace", 0x200: "comm",
         0x40000000: "coredump", 0x80000000: "exit"}
ALL_NAMES = (*NAMES.values(), "unknown")

# nlmsghdr; cn_msg; proc_event's what, cpu and timestamp; six words of body.
_DATAGRAM = struct.Struct("=IHHII IIIIHH IIQ 6I")
_REQUEST = struct.Struct("=IHHII IIIIHH I")
_libc = ctypes.CDLL(None, use_errno=True)

# `body` is six numbers. fork: parent pid, parent tgid, child pid, child tgid; others: pid, tgid, ...
# `time_ns` is the kernel's, as in time.monotonic_ns().
Event = collections.namedtuple("Event", "name time_ns cpu sequence acknowledges body")


def rename_self():
    """Makes one COMM event, which changes nothing: the calling thread gets the name that it has."""
    with open("/proc/thread-self/comm", "rb") as file:
        name = file.read().rstrip(b"\n")
    if _libc.prctl(PR_SET_NAME, ctypes.c_char_p(name), 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "PR_SET_NAME")


def prime_cpus():
    """An event from every CPU, so that what it lost before shows as a gap."""
    allowed = os.sched_getaffinity(0)
    try:
        for cpu in sorted(allowed):
            os.sched_setaffinity(0, {cpu})
            rename_self()
    finally:
        os.sched_setaffinity(0, allowed)


class Connector:
    """A socket in the connector's group. It subscribes only if told to; use it in a `with`."""

    def __init__(self, buffer_bytes=None):
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK, NETLINK_CONNECTOR)
        self._socket.setsockopt(SOL_NETLINK, NETLINK_NO_ENOBUFS, 1)
        if buffer_bytes is not None:
            self._socket.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, buffer_bytes)
        self._socket.bind((0, 1))
        self._listens = False

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """Unsubscribes, if subscribed: the kernel would count the listener forever."""
        if self._listens:
            self.send(IGNORE)
            self._listens = False
        self._socket.close()

    def send(self, operation):
        """Returns the number by which the kernel's acknowledgement is known."""
        token = random.randrange(1 << 31)
        self._socket.send(_REQUEST.pack(_REQUEST.size, 3, 0, 0, 0, 1, 1, 0, token, 4, 0, operation))
        return token + 1

    def listen(self, deadline_seconds=5.0):
        """Subscribes. False if the kernel does not acknowledge it. Events that come meanwhile are dropped."""
        awaited = self.send(LISTEN)
        self._listens = True
        deadline = time.monotonic() + deadline_seconds
        while (left := deadline - time.monotonic()) > 0:
            if any(event.name == "ack" and event.acknowledges == awaited for event in self.receive()):
                return True
            select.select([self._socket], [], [], left)
        return False

    def datagrams(self):
        """What the kernel sent, byte by byte, until the queue is empty."""
        while True:
            try:
                data, (sender, _) = self._socket.recvfrom(256)
            except BlockingIOError:
                return
            if sender == 0:
                yield data

    def receive(self):
        """The kernel's events that wait in the queue, until it is empty."""
        for data in self.datagrams():
            if len(data) != _DATAGRAM.size:
                raise RuntimeError(f"a datagram of {len(data)} bytes from the connector: {data.hex()}")
            word = _DATAGRAM.unpack(data)
            yield Event(NAMES.get(word[11], "unknown"), word[13], word[12], word[7], word[8], word[14:])

    def drops(self):
        info = self._socket.getsockopt(socket.SOL_SOCKET, SO_MEMINFO, 64)
        return struct.unpack_from("=I", info, 4 * DROPS)[0]


def somebody_listens():
    """Whether the kernel makes events at all: it does only while it counts a listener."""
    with Connector() as probe:
        collections.deque(probe.receive(), maxlen=0)
        rename_self()
        return any(event.name == "comm" and event.body[0] == os.getpid() for event in probe.receive())


def sockets_in_group():
    """How many sockets are in the connector's group, subscribed or not; the kernel's own is in none."""
    with open("/proc/net/netlink", encoding="ascii") as file:
        rows = [line.split() for line in file][1:]
    return sum(int(row[1]) == NETLINK_CONNECTOR and int(row[3], 16) & 1 for row in rows)


def change_listener_count(change):
    """Adds to the count of listeners that the kernel keeps; below 1 everybody is deaf."""
    with Connector() as lever:
        for _ in range(abs(change)):
            lever.send(NO_OPERATION)
            lever.send(LISTEN if change > 0 else IGNORE)


def listener_count(most=4096):
    """What the kernel counts, found by taking away until nobody listens, or adding until somebody does, and undone.

    For an instant every listener is deaf: not for use while exactness is being measured.
    """
    step = -1 if somebody_listens() else 1
    changed = 0
    while somebody_listens() == (step < 0):
        if abs(changed) == most:
            raise RuntimeError(f"the kernel's count of listeners is further than {most} from 0, or not ours to change")
        change_listener_count(step)
        changed += step
    change_listener_count(-changed)
    return -changed if step < 0 else 1 - changed


def forget_the_dead():
    """Takes back what killed listeners left in the kernel's count, where nobody is there who could be meant by it.

    False, and nothing done, where another socket is in the group.
    """
    if sockets_in_group() > 0:
        return False
    change_listener_count(-listener_count(MOST_LEAKED))
    return True


def why_not_live():
    """One line, where the real connector cannot be tested here; else None."""
    if os.geteuid() != 0:
        return "not root"
    try:
        with open("/proc/net/connector", encoding="ascii") as file:
            if "cn_proc" not in file.read():
                return "this kernel has no process-event connector"
        if not forget_the_dead():
            change_listener_count(-min(0, listener_count()))  # who silenced everybody before must not spoil our tests
        with Connector() as listener:
            return None if listener.listen() else "the kernel does not acknowledge a subscription"
    except FileNotFoundError:
        return "no /proc/net/connector: no connector in this kernel, or not the host's network namespace"
    except RuntimeError as error:
        return str(error)
    except OSError as error:
        return f"the connector cannot be used: {errno.errorcode.get(error.errno)} {error.strerror}"
