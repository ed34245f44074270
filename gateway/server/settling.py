"""Brings results of threads to the futures that wait for them on the event loop."""

import asyncio
from collections import deque
from typing import Any

Future = asyncio.Future[Any]


class Settling:
    """Wakes the loop once for all results that come before it looks: a wake-up is a system call and a thread switch."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._results: deque[tuple[Future, Any]] = deque()
        self._is_woken = False

    def put(self, future: Future, result: Any) -> None:
        """Give ``future`` its result, from any thread."""
        self._results.append((future, result))
        if not self._is_woken:
            self._is_woken = True
            self._loop.call_soon_threadsafe(self._settle)

    def _settle(self) -> None:
        # First: what is put from now on wakes the loop again, at worst in vain.
        self._is_woken = False
        while self._results:
            future, result = self._results.popleft()
            if not future.done():
                future.set_result(result)
