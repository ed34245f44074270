"""Deadlines for statements on a server that may hang: one that is overdue loses its connection.

A time limit of the server's own is of no use where the server itself stands still, and the systems in between go on
acknowledging what is sent.
"""

import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

LOOK_EVERY_S = 0.25
IDLE_LOOKS = 8
"""Looks without any statement, after which the thread ends."""


class Deadlines:
    """Watches statements of some connections, with a thread of its own while there are any."""

    def __init__(self) -> None:
        self._gate = threading.Lock()
        self._under_way: dict[int, tuple[float, int]] = {}
        self._thread: threading.Thread | None = None

    @contextmanager
    def within(self, connection: Any, seconds: float) -> Iterator[None]:
        """Cut ``connection`` (psycopg's) when the block takes longer than ``seconds``: what waits inside it fails."""
        with self._gate:
            self._under_way[id(connection)] = (time.monotonic() + seconds, connection.fileno())
            if self._thread is None:
                self._thread = threading.Thread(target=self._watch, name="deadlines", daemon=True)
                self._thread.start()
        try:
            yield
        finally:
            with self._gate:
                del self._under_way[id(connection)]

    def _watch(self) -> None:
        idle = 0
        while idle < IDLE_LOOKS:
            time.sleep(LOOK_EVERY_S)
            with self._gate:
                idle = 0 if self._under_way else idle + 1
                for until, file in self._under_way.values():
                    if time.monotonic() > until:
                        _cut(file)
                if idle >= IDLE_LOOKS:
                    self._thread = None


def _cut(file: int) -> None:
    """Shut the connection of a file descriptor that stays open, so that it is not given to another meanwhile."""
    with suppress(OSError), socket.socket(fileno=os.dup(file)) as connection:
        connection.shutdown(socket.SHUT_RDWR)
