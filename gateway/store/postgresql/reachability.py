"""Whether a PostgreSQL server answers, so that nobody who reads waits for one that hangs.

A time limit of the server's own ends nothing where the server itself stands still, and the systems in between may go on
acknowledging what is sent. So a reader that hears nothing for a moment has the server asked on another connection:
one that works answers there within moments, however long the reader's own statement takes. Until it answers again,
everybody who reads is told at once that the database is away. What the journal writes is never given up so.
"""

import threading
import time
from collections.abc import Callable
from contextlib import closing, suppress
from typing import Any

import psycopg
import structlog

from gateway.errors import DatabaseAway
from gateway.store.deadlines import Deadlines
from gateway.store.postgresql.errors import said_by, sqlstate_of

log = structlog.get_logger()

ASK_EVERY_S = 1.0
ANSWER_WITHIN_S = 2.0
STOP_WITHIN_S = 5.0
REFUSALS = ("08P01", "28000", "28P01", "3D000", "42501", "53300")
"""SQLSTATEs of a server that lets us in no more: it answers, and those who are in may go on."""

Connect = Callable[[], "psycopg.Connection[Any]"]


class Reachability:
    """Asks the server while somebody doubts that it answers. ``connect`` opens a connection in autocommit mode, within
    seconds.
    """

    def __init__(self, connect: Connect, *, every_s: float = ASK_EVERY_S, within_s: float = ANSWER_WITHIN_S) -> None:
        self._connect = connect
        self._every_s = every_s
        self._within_s = within_s
        self._deadlines = Deadlines()
        self._gate = threading.Lock()
        self._turn = threading.Lock()
        self._is_doubted = False
        self._thread: threading.Thread | None = None
        self._stopping = threading.Event()
        self._away: Exception | None = None
        """What came instead of an answer when the server was asked last."""

    @property
    def is_away(self) -> bool:
        """Return whether the server did not answer when it was asked last."""
        return self._away is not None

    @property
    def is_doubted(self) -> bool:
        """Return whether the server is just being asked."""
        return self._thread is not None

    def require(self) -> None:
        """Raise ``DatabaseAway`` while the server does not answer."""
        reason = self._away
        if reason is not None:
            raise DatabaseAway from reason

    def require_anew(self) -> None:
        """Ask at once where the server was away when it was asked last. Raises ``DatabaseAway`` if it still is."""
        if self.is_away:
            self._ask()
        self.require()

    def doubt(self) -> None:
        """Have the server asked, by a thread of its own. Never waits, and costs nothing where that is being done."""
        self._is_doubted = True
        if self._thread is not None:
            return
        with self._gate:
            if self._thread is None and not self._stopping.is_set():
                self._thread = threading.Thread(target=self._ask_on, name="reachability", daemon=True)
                self._thread.start()

    def close(self) -> None:
        """Ask no more. Safe to call again."""
        self._stopping.set()
        thread = self._thread
        if thread is not None:
            thread.join(STOP_WITHIN_S)

    def _ask_on(self) -> None:
        """Ask until the server answers and nobody doubts it any more."""
        while not self._stopping.is_set():
            self._is_doubted = False
            self._ask()
            if not self.is_away and self._rest():
                return
            self._stopping.wait(self._every_s)
        self._thread = None

    def _rest(self) -> bool:
        """End the thread unless somebody has doubted again; whoever does so next starts another."""
        with self._gate:
            if not self._is_doubted:
                self._thread = None
            return self._thread is None

    def _ask(self) -> None:
        """Note what the server answers; one at a time, so that what is noted last was asked last."""
        with self._turn:
            self._note(self._asked())

    def _asked(self) -> Exception | None:
        """Return None for an answer, else what came instead."""
        try:
            with closing(self._connect()) as connection, self._deadlines.within(connection, self._within_s):
                connection.execute("SELECT 1")
        except (psycopg.Error, OSError) as error:
            return None if sqlstate_of(error) in REFUSALS else error
        return None

    def _note(self, away: Exception | None) -> None:
        """Log it when the server goes away, and why, and when it is back."""
        before, self._away = self._away, away
        if away and not before:
            hint = "Whoever reads gets 503 until it answers."
            # Of an address that cannot be read the driver says all of it, with the password.
            reason = said_by(away) if isinstance(away, psycopg.OperationalError | OSError) else ""
            log.error("database_away", error=type(away).__name__, reason=reason, hint=hint)
        elif before and not away:
            log.info("database_back")


class ReadingConnection(psycopg.Connection[Any]):
    """A connection whose statements end when the server does not answer. For reading only: it may cut a COMMIT short.

    ``reachability`` is set once it is open.
    """

    PATIENCE_S = 1.0
    """How long nothing may be heard before the server is asked whether it answers."""

    reachability: Reachability | None = None

    def wait(self, gen: Any, *args: Any, **kwargs: Any) -> Any:
        """Do what psycopg does, and give up when the server is away. Raises ``psycopg.OperationalError``."""
        return super().wait(self._bounded(gen, self.reachability) if self.reachability else gen, *args, **kwargs)

    def _bounded(self, gen: Any, reachability: Reachability) -> Any:
        """Pass on what ``gen`` waits for; it is told of each tenth of a second in which nothing came."""
        heard_at = time.monotonic()
        try:
            wanted = next(gen)
            while True:
                ready = yield wanted
                if ready:
                    heard_at = time.monotonic()
                else:
                    self._look(reachability, time.monotonic() - heard_at)
                wanted = gen.send(ready)
        except StopIteration as done:
            return done.value

    def _look(self, reachability: Reachability, silent_s: float) -> None:
        if silent_s < self.PATIENCE_S:
            return
        reachability.doubt()  # while it answers, it ends statements that take too long by itself
        if reachability.is_away:
            with suppress(psycopg.Error):
                self.close()
            raise psycopg.OperationalError("the server does not answer")
