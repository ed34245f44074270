"""The connections that this process has open, as Linux shows them; Granian does not tell."""

import os
import socket
import stat
import struct
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_address
from pathlib import Path

OPEN = frozenset({"01", "08"})
"""States in which we hold a connection: established, and those whose client has said that it sends nothing more."""
TABLES = ("/proc/self/net/tcp", "/proc/self/net/tcp6")
RESET = struct.pack("ii", 1, 0)
"""SO_LINGER: closing throws away what was not sent, instead of keeping it for a client that does not take it."""


@dataclass(frozen=True, slots=True)
class Connection:
    """An established connection; ``unsent`` are bytes that its client has not taken yet."""

    address: str
    port: int
    inode: str
    descriptor: int
    unsent: int = 0


def is_known_here() -> bool:
    """Return whether this system shows connections."""
    return os.path.isdir("/proc/self/fd")


def established(port: int) -> list[Connection]:
    """Return the connections of this process to its ``port``. Raises ``OSError`` without /proc."""
    tables = [Path(name).read_text(encoding="ascii") for name in TABLES if os.path.exists(name)]
    return list(connections_of(tables, port, own_sockets()))


def connections_of(tables: Iterable[str], port: int, descriptors: dict[str, int]) -> Iterator[Connection]:
    """Yield the established connections to ``port`` among the sockets ``descriptors`` (by inode).

    ``tables`` are the contents of ``/proc/net/tcp`` and ``tcp6``.
    """
    wanted = f":{port:04X}"
    for table in tables:
        for line in table.splitlines()[1:]:
            fields = line.split(maxsplit=10)
            if len(fields) < 10 or fields[3] not in OPEN or not fields[1].endswith(wanted):
                continue
            if (descriptor := descriptors.get(fields[9])) is not None:
                peer, _, far_port = fields[2].rpartition(":")
                unsent = int(fields[4].partition(":")[0], 16)
                yield Connection(address_of(peer), int(far_port, 16), fields[9], descriptor, unsent)


@lru_cache(maxsize=4096)
def address_of(hexadecimal: str) -> str:
    """Return ``127.0.0.1`` of ``0100007F``: the kernel writes each four bytes in the machine's own order."""
    data = bytes.fromhex(hexadecimal)
    words = (data[at : at + 4][::-1] for at in range(0, len(data), 4))
    found = ip_address(b"".join(words))
    mapped = getattr(found, "ipv4_mapped", None)
    return str(mapped or found)


def own_sockets() -> dict[str, int]:
    """Return the descriptors of this process's sockets by inode."""
    found = {}
    for name in os.listdir("/proc/self/fd"):
        with suppress(OSError):  # closed meanwhile
            target = os.readlink(f"/proc/self/fd/{name}")
            if target.startswith("socket:["):
                found[target[8:-1]] = int(name)
    return found


def end(connection: Connection) -> bool:
    """End ``connection`` under whoever serves it, who notices as if its client had left; return whether it still was
    there.
    """
    try:
        descriptor = os.dup(connection.descriptor)
    except OSError:
        return False
    found = os.fstat(descriptor)
    if not stat.S_ISSOCK(found.st_mode) or str(found.st_ino) != connection.inode:
        os.close(descriptor)  # its number is another file's by now
        return False
    with socket.socket(fileno=descriptor) as own, suppress(OSError):
        own.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        own.shutdown(socket.SHUT_RDWR)
    return True
