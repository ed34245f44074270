"""How many connections this process has open; warns before there are too many, and lets go of those without use."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence

import structlog
from prometheus_client import Counter as Metric

from gateway.server import sockets
from gateway.server.sockets import Connection
from gateway.server.surplus import Stalled, without_use

log = structlog.get_logger()

LET_GO = Metric("cti_connections_let_go_total", "Connections ended by us: stalled, or without use where they ran out")
LOOK_EVERY_S = 1.0
LOOK_IN_NEED_EVERY_S = 0.25
LOOK_AT_ONCE_S = 0.1
PAUSES, PAUSES_AT_ONCE, PAUSES_IN_NEED = 60, 9, 3
"""So many times as long as a look took, the next one waits at least."""
WARN_EVERY_S = 10.0
CROWDED, NEARLY_FULL = 0.5, 0.8
"""Of all connections but those of screens: from the first on answers end theirs; from the second on the log warns, and
those without use are ended until the first is reached.
"""


class Connections:
    """Looks once a second; ``limit`` is how many this process takes before more wait outside.

    ``is_busy`` says of a far end (``address:port``, an IPv6 address in brackets) whether a request of its is under way
    or a stream is open; ``is_exempt`` of an address whether it may have as many as it likes; ``screens`` how many of
    the connections are screens, which have a limit of their own.
    """

    def __init__(
        self,
        port: int,
        limit: int,
        *,
        is_busy: Callable[[str], bool] = lambda _far_end: False,
        is_exempt: Callable[[str], bool] = lambda _address: False,
        screens: Callable[[], int] = lambda: 0,
        find: Callable[[int], Sequence[Connection]] | None = None,
        end: Callable[[Connection], bool] = sockets.end,
        on_look: Callable[[Sequence[Connection]], None] = lambda _found: None,
    ) -> None:
        self._port = port
        self._limit = limit
        self._is_busy = is_busy
        self._is_exempt = is_exempt
        self._screens = screens
        self._find = find or sockets.OwnConnections()
        self._end = end
        self._on_look = on_look
        self._stalled = Stalled()
        self._idle_before: set[int] = set()
        self._warned_at = -WARN_EVERY_S
        self._is_wanted = threading.Event()
        self.open = 0

    def start(self) -> None:
        """Start looking from now on, where the system shows connections."""
        if sockets.is_known_here():
            threading.Thread(target=self._run, name="connections", daemon=True).start()

    def hurry(self) -> None:
        """Have the next look soon. Never waits."""
        self._is_wanted.set()

    def is_crowded(self) -> bool:
        """Return whether connections that are kept open for later are wanted for others."""
        # Screens only raise the level: most answers need not ask how many there are.
        return self.open > self._limit * CROWDED and self.open > self._level(CROWDED)

    def is_nearly_full(self) -> bool:
        """Return whether hardly any connections are left."""
        return self.open >= self._level(NEARLY_FULL)

    def look(self, now: float) -> None:
        """Count, and end what is stalled; while nearly all are used up, warn (at most every ten seconds) and end
        those that were without use at the last look as well.
        """
        found = self._find(self._port)
        self.open = len(found)
        self._on_look(found)
        ended = self._stalled.among(found, now)
        if self.is_nearly_full():
            self._warn(found, now)
            ended += without_use(found, int(self._level(CROWDED)), is_in_use=self._is_in_use)
            self._idle_before = {each.inode for each in found if not self._is_busy(far_end(each))}
        else:
            self._idle_before = set()
        LET_GO.inc(sum(map(self._end, dict.fromkeys(ended))))

    def _level(self, share: float) -> float:
        """Return how many connections there are when ``share`` of those that screens leave are used."""
        screens = min(self._screens(), self._limit)
        return screens + (self._limit - screens) * share

    def _is_in_use(self, connection: Connection) -> bool:
        return (
            connection.inode not in self._idle_before
            or self._is_busy(far_end(connection))
            or self._is_exempt(connection.address)
        )

    def _warn(self, found: Sequence[Connection], now: float) -> None:
        if now - self._warned_at >= WARN_EVERY_S:
            self._warned_at = now
            most = dict(Counter(each.address for each in found).most_common(3))
            log.warning("connections_nearly_used_up", open=self.open, limit=self._limit, most=most)

    def _run(self) -> None:
        while True:
            began = time.monotonic()
            try:
                self.look(began)
            except (OSError, ValueError) as error:
                log.debug("connections_not_counted", error=str(error))
            self._pause(time.monotonic() - began)

    def _pause(self, took_s: float) -> None:
        """Wait for the next look after one that ``took_s``."""
        most_s = self._pause_s(took_s)
        least_s = min(most_s, max(LOOK_AT_ONCE_S, PAUSES_AT_ONCE * took_s))
        time.sleep(least_s)
        self._is_wanted.wait(most_s - least_s)
        self._is_wanted.clear()

    def _pause_s(self, took_s: float) -> float:
        """Return how long to wait after a look that ``took_s``: at ten thousand connections it takes some 0.03."""
        if self.is_nearly_full():
            return max(LOOK_IN_NEED_EVERY_S, PAUSES_IN_NEED * took_s)
        return max(LOOK_EVERY_S, PAUSES * took_s)


def far_end(connection: Connection) -> str:
    """Return ``address:port``, as Granian writes a client."""
    address = f"[{connection.address}]" if ":" in connection.address else connection.address
    return f"{address}:{connection.port}"
