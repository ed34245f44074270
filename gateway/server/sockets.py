"""The connections that this process has open; Granian does not tell."""

import os
import socket
import stat
import struct
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Set
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import lru_cache
from ipaddress import ip_address

from gateway.server import pauses, socket_tables
from gateway.server.socket_tables import Seen

RESET = struct.pack("ii", 1, 0)
"""SO_LINGER: closing throws away what was not sent, instead of keeping it for a client that does not take it."""


@dataclass(frozen=True, slots=True)
class Connection:
    """An established connection; ``unsent`` are bytes that its client has not taken yet."""

    address: str
    port: int
    inode: int
    descriptor: int
    unsent: int = 0


class OwnConnections:
    """Finds those of this process among ``connections_to`` a port, and remembers whose each is: to look through ten
    thousand open files took longer than all else. For one thread.
    """

    def __init__(self, connections_to: Callable[[int], Iterable[Seen]] = socket_tables.connections_to) -> None:
        self._connections_to = connections_to
        self._own: dict[int, Connection] = {}
        self._others: set[int] = set()
        self._not_found: set[int] = set()
        """Those that were not found among our open files once: one that is being accepted is there a moment later."""

    def __call__(self, port: int) -> list[Connection]:
        """Return the connections of this process to its ``port``. Raises ``OSError`` where the system shows none."""
        seen = {each[0]: each for each in self._connections_to(port)}
        known = pauses.in_pieces(self._own.items())
        own = {inode: _as_seen(each, seen[inode][1]) for inode, each in known if inode in seen}
        self._others &= seen.keys()
        if new := seen.keys() - own.keys() - self._others:
            own |= self._found(new, seen, own.values())
        self._own = own
        return list(own.values())

    def _found(self, new: Set[int], seen: Mapping[int, Seen], known: Iterable[Connection]) -> dict[int, Connection]:
        """Return those of ``new`` that are ours."""
        descriptors = own_sockets(besides={each.descriptor for each in known})
        not_found = new - descriptors.keys()
        self._others |= not_found & self._not_found
        self._not_found = not_found - self._others
        return {inode: _connection(seen[inode], descriptors[inode]) for inode in new & descriptors.keys()}


def _connection(seen: Seen, descriptor: int) -> Connection:
    inode, unsent, address, port = seen
    return Connection(address_of(address), int.from_bytes(port, "big"), inode, descriptor, unsent)


def _as_seen(known: Connection, unsent: int) -> Connection:
    return known if known.unsent == unsent else replace(known, unsent=unsent)


def is_known_here() -> bool:
    """Return whether this system shows connections."""
    return os.path.isdir("/proc/self/fd")


@lru_cache(maxsize=4096)
def address_of(packed: bytes) -> str:
    """Return ``127.0.0.1`` of its four bytes, also where they stand in an IPv6 address."""
    found = ip_address(packed)
    mapped = getattr(found, "ipv4_mapped", None)
    return str(mapped or found)


def own_sockets(*, besides: Collection[int] = ()) -> dict[int, int]:
    """Return the descriptors of this process's sockets by inode, all but those ``besides``."""
    found = {}
    for name in os.listdir("/proc/self/fd"):
        if (descriptor := int(name)) not in besides:
            with suppress(OSError):  # closed meanwhile
                target = os.readlink(f"/proc/self/fd/{name}")
                if target.startswith("socket:["):
                    found[int(target[8:-1])] = descriptor
    return found


def connection_of(client: str) -> Connection | None:
    """Return the connection of this process to ``address:port``, an IPv6 address in brackets; None where there is
    none, or the system does not show it.
    """
    address, _, port = client.rpartition(":")
    with suppress(OSError, ValueError):
        wanted = (ip_address(address.strip("[]")).packed, int(port))
        for name in os.listdir("/proc/self/fd"):
            if _peer(int(name), wanted[1]) == wanted:
                inode = os.fstat(int(name)).st_ino
                return Connection(address, wanted[1], inode, int(name))
    return None


def _peer(descriptor: int, port: int) -> tuple[bytes, int] | None:
    """Return address and port of a socket's peer where it has ``port``: of IPv6 or, as its addresses are shorter, IPv4.

    At ten thousand open files each call counts: these take some 30 ms.
    """
    try:
        known = socket.socket(socket.AF_INET6, socket.SOCK_STREAM, socket.IPPROTO_TCP, fileno=descriptor)
    except OSError:
        return None  # no socket
    try:
        peer = known.getpeername()
    except OSError:
        return None  # one that listens, or closed meanwhile
    finally:
        known.detach()
    if not isinstance(peer, tuple) or peer[1] != port:
        return None
    found = ip_address(peer[0].partition("%")[0])
    return (getattr(found, "ipv4_mapped", None) or found).packed, port


@contextmanager
def borrowed(connection: Connection) -> Iterator[socket.socket]:
    """Give the socket of ``connection`` for a moment. Raises ``OSError`` where it is closed."""
    descriptor = os.dup(connection.descriptor)
    try:
        if os.fstat(descriptor).st_ino != connection.inode:
            raise ConnectionError("the number is another file's by now")
        with socket.socket(fileno=os.dup(descriptor)) as own:
            yield own
    finally:
        os.close(descriptor)


def end(connection: Connection) -> bool:
    """End ``connection`` under whoever serves it, who notices as if its client had left; return whether it still was
    there.
    """
    try:
        descriptor = os.dup(connection.descriptor)
    except OSError:
        return False
    found = os.fstat(descriptor)
    if not stat.S_ISSOCK(found.st_mode) or found.st_ino != connection.inode:
        os.close(descriptor)  # its number is another file's by now
        return False
    with socket.socket(fileno=descriptor) as own, suppress(OSError):
        own.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        own.shutdown(socket.SHUT_RDWR)
    return True
