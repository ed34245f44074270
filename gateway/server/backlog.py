"""Bounds what Granian keeps of a stream that a thread makes: it takes at once whatever it is handed, without a bound.

The kernel tells of one socket what its client has taken and what it keeps itself: all else of what was handed over is
in this process. A thread that has handed over much waits until most of it has gone on.
"""

import fcntl
import socket
import termios
import time
from collections.abc import Callable
from typing import NamedTuple

import structlog

from gateway.server import sockets
from gateway.server.sockets import Connection
from gateway.server.surplus import STALLED_S
from gateway.server.untaken import HARDLY_ANY, TAKEN

log = structlog.get_logger()

FIRST_ASKED = 32 * 1024
"""Bytes handed over from which on the kernel is asked: most answers are smaller."""
MOST = 256 * 1024
"""Bytes that Granian may keep of one stream; its thread goes on when half of them are left."""
FIRST_STEP_S, LONGEST_STEP_S = 0.001, 0.1
TAKEN_WITHIN_S = STALLED_S - 1
"""A client that takes nothing for so long has its stream cut; a little sooner than by ``surplus.py``, which says
nothing in the log.
"""


class NotTaken(Exception):
    """A client took nothing of a stream for ``TAKEN_WITHIN_S``."""


class SocketBytes(NamedTuple):
    """Of a connection's bytes, ever: how many its client has ``taken``, and how many are ``queued`` in the kernel."""

    taken: int
    queued: int


def bytes_of(connection: Connection) -> SocketBytes | None:
    """Ask the kernel; return None where the connection is gone or the system does not tell."""
    try:
        with sockets.borrowed(connection) as own:
            told = own.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, TAKEN.size)
            queued = fcntl.ioctl(own, termios.TIOCOUTQ, bytes(4))
    except (OSError, AttributeError):  # the latter on systems without TCP_INFO
        return None
    if len(told) < TAKEN.size:
        return None
    return SocketBytes(int(TAKEN.unpack(told)[0]), int.from_bytes(queued, "little"))


class Backlog:
    """What Granian keeps of one client's stream. For one thread at a time, which may be held in ``add``."""

    def __init__(
        self,
        client: str,
        *,
        find: Callable[[str], Connection | None] = sockets.connection_of,
        ask: Callable[[Connection], SocketBytes | None] = bytes_of,
        end: Callable[[Connection], bool] = sockets.end,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        self._find, self._ask, self._end = find, ask, end
        self._sleep, self._clock = sleep, clock
        self._connection: Connection | None = None
        self._seen: SocketBytes | None = None
        self._is_unknown = False
        self.kept = 0
        """Bytes that were handed over and are not known to have gone on to the kernel."""

    def add(self, count: int) -> None:
        """Take note of a part of ``count`` bytes that was handed over; return when little enough is kept. Where the
        system does not tell, that is at once. Raises ``NotTaken``.
        """
        if self._is_unknown:
            return
        self.kept += count + framing(count)
        if self._seen is None and self.kept > FIRST_ASKED:
            self._look()
        elif self.kept > MOST and self._look() and self.kept > MOST:
            self._wait()

    def _look(self) -> bool:
        """Take off what went on to the kernel since the look before; return whether that is known."""
        before, self._seen = self._seen, self._told()
        if self._seen is None:
            self._is_unknown = True
            return False
        if before is not None:
            self.kept = max(0, self.kept - (sum(self._seen) - sum(before)))
        return True

    def _told(self) -> SocketBytes | None:
        if self._connection is None:
            self._connection = self._find(self._client)
        return self._ask(self._connection) if self._connection else None

    def _wait(self) -> None:
        """Wait in steps, short ones first: a fast client takes much within a millisecond."""
        since, taken, step_s = self._clock(), self._taken(), FIRST_STEP_S
        while self.kept > MOST // 2:
            self._sleep(step_s)
            step_s = min(2 * step_s, LONGEST_STEP_S)
            if not self._look():
                return  # the client is gone
            if self._is_drained():
                self.kept = 0
            elif self._taken() != taken:
                since, taken = self._clock(), self._taken()
            elif self._clock() - since >= TAKEN_WITHIN_S:
                self._cut()

    def _taken(self) -> int:
        return self._seen.taken if self._seen else 0

    def _is_drained(self) -> bool:
        """Return whether the kernel would take more: then Granian, which had time, keeps nothing, whatever was counted
        (with HTTP/1.0 there is no framing).
        """
        return self._seen is not None and self._seen.queued < HARDLY_ANY

    def _cut(self) -> None:
        """End the connection, so that no client takes what came for the whole."""
        log.warning("stream_cut", client=self._client, bytes=self.kept, hint="The client does not read.")
        if self._connection is not None:
            self._end(self._connection)
        raise NotTaken


def framing(count: int) -> int:
    """Return how many bytes HTTP/1.1 puts around a chunk of ``count``: its length in hexadecimal, and two ends of
    lines (RFC 9112, 7.1).
    """
    return len(f"{count:x}") + 4
