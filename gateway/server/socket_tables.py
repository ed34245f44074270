"""Established connections of this machine to one port, as Linux shows them: asked for by netlink (sock_diag(7)), else
read from /proc.

At ten thousand connections the kernel's answer is read in some milliseconds, /proc in a hundred.
"""

import os
import socket
import struct
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from gateway.server import pauses

Seen = tuple[int, int, bytes, bytes]
"""Inode, bytes that the client has not taken yet, and the client's address (4 or 16 bytes) and port (2 bytes) in
network order.
"""
TABLES = ("/proc/self/net/tcp", "/proc/self/net/tcp6")
OPEN = frozenset({"01", "08"})
"""States in which we hold a connection: established, and those whose client has said that it sends nothing more."""
OPEN_STATES = sum(1 << int(state) for state in OPEN)
NETLINK_SOCK_DIAG = 4
SOCK_DIAG_BY_FAMILY, ERROR, DONE = 20, 2, 3
REQUEST_DUMP = 0x301
"""NLM_F_REQUEST and NLM_F_DUMP: all that are asked for."""
REQUEST = struct.Struct("=IHHII BBBxI 2s46x")
"""nlmsghdr and inet_diag_req_v2, of whose socket only the local port is given."""
MESSAGE = struct.Struct("=IH10x B5x2s16x16s20xI4xI")
"""nlmsghdr and inet_diag_msg: length, type; family, port and address of the client, bytes not taken, inode."""
HEAD = struct.Struct("=IH10xi")
"""nlmsghdr: length, type; and the error that follows one of type ``ERROR``."""
MOST_AT_ONCE = 32 * 1024
"""What the kernel puts into one answer, however much could be taken."""
ANSWER_WITHIN_S = 2.0


def connections_to(port: int) -> Iterable[Seen]:
    """Return the established connections to ``port`` that somebody holds. Raises ``OSError`` where none are shown."""
    try:
        return list(asked(port))
    except OSError:  # not allowed here, or the kernel has no such answer
        return connections_of([Path(name).read_text(encoding="ascii") for name in TABLES if os.path.exists(name)], port)


def asked(port: int) -> Iterator[Seen]:
    """Yield what the kernel answers. Raises ``OSError``."""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_DGRAM, NETLINK_SOCK_DIAG) as kernel:
        kernel.settimeout(ANSWER_WITHIN_S)
        for family in (socket.AF_INET, socket.AF_INET6):
            kernel.send(request(family, port))
            is_more = True
            while is_more:
                answer = kernel.recv(MOST_AT_ONCE)
                is_more = not is_last(answer)
                yield from told(answer)
                if is_more:
                    time.sleep(pauses.REST_S)


def request(family: int, port: int) -> bytes:
    """Return the message that asks for all connections of ``family`` to ``port``."""
    head = (REQUEST.size, SOCK_DIAG_BY_FAMILY, REQUEST_DUMP, 0, 0)
    return REQUEST.pack(*head, family, socket.IPPROTO_TCP, 0, OPEN_STATES, port.to_bytes(2, "big"))


def told(answer: bytes) -> Iterator[Seen]:
    """Yield the connections of one answer."""
    at, end = 0, len(answer) - MESSAGE.size
    while at <= end:
        length, kind, family, port, address, unsent, inode = MESSAGE.unpack_from(answer, at)
        if kind == SOCK_DIAG_BY_FAMILY and inode:  # without one it waits to be accepted
            yield inode, unsent, address[:4] if family == socket.AF_INET else address, port
        at += max(length + 3 & ~3, HEAD.size)


def is_last(answer: bytes) -> bool:
    """Return whether no more follows ``answer``. Raises ``OSError`` where it says that something failed."""
    at = 0
    while at + HEAD.size <= len(answer):
        length, kind, error = HEAD.unpack_from(answer, at)
        if kind == ERROR:
            raise OSError(-error, os.strerror(-error))
        if kind == DONE:
            return True
        at += max(length + 3 & ~3, HEAD.size)
    return False


def connections_of(tables: Iterable[str], port: int) -> Iterator[Seen]:
    """Yield those of ``tables``, the contents of ``/proc/net/tcp`` and ``tcp6``."""
    wanted = f":{port:04X}"
    for table in tables:
        for line in table.splitlines()[1:]:
            fields = line.split(maxsplit=10)
            if len(fields) < 10 or fields[3] not in OPEN or not fields[1].endswith(wanted) or fields[9] == "0":
                continue
            peer, _, far_port = fields[2].rpartition(":")
            unsent = int(fields[4].partition(":")[0], 16)
            yield int(fields[9]), unsent, packed(peer), bytes.fromhex(far_port)


def packed(hexadecimal: str) -> bytes:
    """Return the bytes of an address in a table, where each four stand in the machine's own order."""
    data = bytes.fromhex(hexadecimal)
    return b"".join(data[at : at + 4][::-1] for at in range(0, len(data), 4))
