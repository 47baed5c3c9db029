"""Access to the kernel's process-event connector: sockets, events, and the kernel's count of listeners.

Shares no code with the exporter, so that its results can verify the exporter.
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
MAX_LEAKED = 1 << 16  # listeners since boot that ended without unsubscribing
INVALID_OPERATION = 9  # the kernel rejects it, but stores it as the socket's last operation

NAMES = {0: "ack", 0x1: "fork", 0x2: "exec", 0x4: "uid", 0x40: "gid", 0x80: "sid", 0x100: "ptrace", 0x200: "comm",
         0x40000000: "coredump", 0x80000000: "exit"}
ALL_NAMES = (*NAMES.values(), "unknown")

# nlmsghdr; cn_msg; what, cpu and timestamp of proc_event; six words of body.
_DATAGRAM = struct.Struct("=IHHII IIIIHH IIQ 6I")
_REQUEST = struct.Struct("=IHHII IIIIHH I")
_libc = ctypes.CDLL(None, use_errno=True)

# `body` is six numbers. fork: parent pid, parent tgid, child pid, child tgid; others: pid, tgid, ...
# `time_ns` is the kernel's timestamp, on the clock of time.monotonic_ns().
Event = collections.namedtuple("Event", "name time_ns cpu sequence acknowledges body")


def rename_self():
    """Causes one COMM event by setting the calling thread's name to its current name."""
    with open("/proc/thread-self/comm", "rb") as file:
        name = file.read().rstrip(b"\n")
    if _libc.prctl(PR_SET_NAME, ctypes.c_char_p(name), 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "PR_SET_NAME")


def prime_cpus():
    """Causes an event on every CPU, so that earlier losses show as sequence gaps."""
    allowed = os.sched_getaffinity(0)
    try:
        for cpu in sorted(allowed):
            os.sched_setaffinity(0, {cpu})
            rename_self()
    finally:
        os.sched_setaffinity(0, allowed)


class Connector:
    """A socket in the connector's group, used in a `with`. listen() subscribes."""

    def __init__(self, buffer_bytes=None):
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK, NETLINK_CONNECTOR)
        self._socket.setsockopt(SOL_NETLINK, NETLINK_NO_ENOBUFS, 1)
        if buffer_bytes is not None:
            self._socket.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, buffer_bytes)
        self._socket.bind((0, 1))
        self._subscribed = False

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """Unsubscribes if subscribed. Otherwise the kernel would count the listener until reboot."""
        if self._subscribed:
            self.send(IGNORE)
            self._subscribed = False
        self._socket.close()

    def send(self, operation):
        """Sends a request and returns the number of the kernel's acknowledgement."""
        token = random.randrange(1 << 31)
        self._socket.send(_REQUEST.pack(_REQUEST.size, 3, 0, 0, 0, 1, 1, 0, token, 4, 0, operation))
        return token + 1

    def listen(self, deadline_seconds=5.0):
        """Subscribes. Returns False without an acknowledgement. Drops the events received meanwhile."""
        awaited = self.send(LISTEN)
        self._subscribed = True
        deadline = time.monotonic() + deadline_seconds
        while (left := deadline - time.monotonic()) > 0:
            if any(event.name == "ack" and event.acknowledges == awaited for event in self.receive()):
                return True
            select.select([self._socket], [], [], left)
        return False

    def datagrams(self):
        """The kernel's datagrams until the queue is empty."""
        while True:
            try:
                data, (sender, _) = self._socket.recvfrom(256)
            except BlockingIOError:
                return
            if sender == 0:
                yield data

    def receive(self):
        """The kernel's events until the queue is empty."""
        for data in self.datagrams():
            if len(data) != _DATAGRAM.size:
                raise RuntimeError(f"unexpected datagram of {len(data)} bytes: {data.hex()}")
            word = _DATAGRAM.unpack(data)
            yield Event(NAMES.get(word[11], "unknown"), word[13], word[12], word[7], word[8], word[14:])

    def drops(self):
        info = self._socket.getsockopt(socket.SOL_SOCKET, SO_MEMINFO, 64)
        return struct.unpack_from("=I", info, 4 * DROPS)[0]


def kernel_has_listeners():
    """Whether the kernel sends events, which it does only while it counts a listener."""
    with Connector() as probe:
        collections.deque(probe.receive(), maxlen=0)
        rename_self()
        return any(event.name == "comm" and event.body[0] == os.getpid() for event in probe.receive())


def sockets_in_group():
    """The number of sockets in the connector's group, subscribed or not, without the kernel's own."""
    with open("/proc/net/netlink", encoding="ascii") as file:
        rows = [line.split() for line in file][1:]
    return sum(int(row[1]) == NETLINK_CONNECTOR and int(row[3], 16) & 1 for row in rows)


def change_listener_count(change):
    """Changes the kernel's count of listeners. Below 1 no subscriber receives events."""
    with Connector() as sender:
        for _ in range(abs(change)):
            sender.send(INVALID_OPERATION)
            sender.send(LISTEN if change > 0 else IGNORE)


def listener_count(limit=4096):
    """The kernel's count of listeners. Changes the count until events stop or start, and then restores it.

    For a moment no subscriber receives events, so do not call it during a measurement.
    """
    step = -1 if kernel_has_listeners() else 1
    changed = 0
    while kernel_has_listeners() == (step < 0):
        if abs(changed) == limit:
            raise RuntimeError(f"the kernel's count of listeners is further than {limit} from 0, or cannot be changed")
        change_listener_count(step)
        changed += step
    change_listener_count(-changed)
    return -changed if step < 0 else 1 - changed


def reset_listener_count():
    """Removes killed listeners from the kernel's count, if no socket is in the group.

    Returns False without a change if another socket is in the group.
    """
    if sockets_in_group() > 0:
        return False
    change_listener_count(-listener_count(MAX_LEAKED))
    return True


def live_skip_reason():
    """The reason why the real connector cannot be tested here, or None."""
    if os.geteuid() != 0:
        return "not root"
    try:
        with open("/proc/net/connector", encoding="ascii") as file:
            if "cn_proc" not in file.read():
                return "this kernel has no process-event connector"
        if not reset_listener_count():
            change_listener_count(-min(0, listener_count()))  # undoes a negative count left by an earlier program
        with Connector() as listener:
            return None if listener.listen() else "the kernel does not acknowledge a subscription"
    except FileNotFoundError:
        return "no /proc/net/connector: no connector in this kernel, or not the host's network namespace"
    except RuntimeError as error:
        return str(error)
    except OSError as error:
        return f"the connector cannot be used: {errno.errorcode.get(error.errno)} {error.strerror}"
