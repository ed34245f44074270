"""What the clients of streams have not taken. Granian keeps whatever it is handed for each of them, without a bound.

Each look at the connections (``connections.py``) shows which of them have bytes that their clients have not taken; of
those the kernel tells how many they took. So what a stream was handed meanwhile is known to within a look.
"""

import socket
import struct
from collections.abc import Callable, Mapping, Sequence

import structlog
from prometheus_client import Counter

from gateway.server import pauses, sockets
from gateway.server.connections import far_end
from gateway.server.sockets import Connection

log = structlog.get_logger()

CUT = Counter("cti_streams_cut_total", "Streams of events that were ended because their client did not take them")
HARDLY_ANY = 4096
"""While the kernel keeps fewer bytes than this of a connection, it takes more, and Granian keeps none."""
MUCH = 32 * 1024
"""Bytes from one look to the next from which on it is asked how many the client takes."""
MOST = 256 * 1024
"""Bytes that are kept of one stream. A page that comes back is told what it missed, or reads its state anew."""
TAKEN = struct.Struct("=120xQ")
"""``tcpi_bytes_acked`` in Linux's ``tcp_info``."""


class Untaken:
    """What the last look showed of streams' clients, by their far ends (``address:port``). For any thread."""

    def __init__(
        self,
        taken: Callable[[Connection], int | None] | None = None,
        end: Callable[[Connection], bool] = sockets.end,
    ) -> None:
        self._taken_from = taken or taken_from
        self._end = end
        self._watched: set[str] = set()
        self._slow: Mapping[str, Connection] = {}
        self._taken: Mapping[str, int] = {}
        self.looks = 0
        self.hurry: Callable[[], None] = lambda: None
        """Asks for a look soon."""

    def note(self, found: Sequence[Connection]) -> None:
        """Take note of what a look at the connections found."""
        watched = set(self._watched)
        self._slow = {far_end(each): each for each in pauses.in_pieces(found) if each.unsent >= HARDLY_ANY}
        known = ((far_end(each), each) for each in pauses.in_pieces(found)) if watched else ()
        asked = ((client, self._taken_from(each)) for client, each in known if client in watched)
        self._taken = {client: taken for client, taken in asked if taken is not None}
        self.looks += 1

    def watch(self, client: str) -> None:
        """Have it asked at each look how many bytes a client has taken, the first time soon."""
        self._watched.add(client)
        self.hurry()

    def unwatch(self, client: str) -> None:
        """Ask no more."""
        self._watched.discard(client)

    def is_slow(self, client: str) -> bool:
        """Return whether a client had not taken what had come to it."""
        return client in self._slow

    def taken_by(self, client: str) -> int | None:
        """Return how many bytes a client had taken, ever; None where that was not asked."""
        return self._taken.get(client)

    def cut(self, client: str) -> None:
        """End the connection of a slow client, with all that is kept for it."""
        if known := self._slow.get(client):
            self._end(known)


class Handed:
    """How much a stream was handed that its client has not taken, as far as is known. For one thread at a time."""

    __slots__ = ("_bytes", "_client", "_is_too_much", "_is_watched", "_look", "_taken", "_untaken")

    def __init__(self, untaken: Untaken, client: str) -> None:
        self._untaken = untaken
        self._client = client
        self._look = 0
        self._taken: int | None = None
        self._bytes = 0
        self._is_watched = False
        self._is_too_much = False

    def add(self, count: int) -> None:
        """Take note of ``count`` more bytes."""
        if self._look != self._untaken.looks:
            self._look_again()
        self._bytes += count
        if self._bytes > MUCH and not self._is_watched:
            self._is_watched = True
            self._untaken.watch(self._client)

    def is_too_much(self) -> bool:
        """Return whether more than ``MOST`` bytes were left at the last look."""
        if self._bytes > MOST:
            if self._look != self._untaken.looks:
                self._look_again()
            else:
                self._untaken.hurry()
        return self._is_too_much

    def cut(self) -> None:
        """End the connection: what is kept for it would be kept until the client takes it, or is gone."""
        CUT.inc()
        log.warning("stream_cut", client=self._client, bytes=self._bytes, hint="The client does not read.")
        self._untaken.cut(self._client)

    def close(self) -> None:
        """Have nothing asked any more. Safe to call again."""
        if self._is_watched:
            self._untaken.unwatch(self._client)

    def _look_again(self) -> None:
        """Take off what the client took since the look before."""
        before, self._look = self._taken, self._untaken.looks
        self._taken = self._untaken.taken_by(self._client)
        if not self._untaken.is_slow(self._client):
            self._bytes, self._is_too_much = 0, False
        elif before is not None and self._taken is not None:
            self._bytes = max(0, self._bytes - (self._taken - before))
            self._is_too_much = self._bytes > MOST


def taken_from(connection: Connection) -> int | None:
    """Return how many bytes the client of a connection has acknowledged; None where that is not known any more."""
    try:
        with sockets.borrowed(connection) as own:
            told = own.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, TAKEN.size)
    except OSError:
        return None
    return int(TAKEN.unpack(told)[0]) if len(told) == TAKEN.size else None
