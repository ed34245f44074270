"""Brings what came of calls from the threads that made them to the event loop."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

Result = TypeVar("Result")

FINISH_WITHIN_S = 0.05


class Settling(Generic[Result]):
    """Wakes the loop once for all results that come before it looks: a wake-up is a system call and a thread switch.

    It is not even woken where nobody waits for the result, as ``is_awaited`` says, and it will look by itself, within
    ``FINISH_WITHIN_S`` of a request: what ends a request that is answered is no haste, and does not stand in the way
    of the next one. Both on the loop's thread, ``take`` gets each result at the first look, and ``finish`` all of them
    afterwards.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        take: Callable[[Result], None],
        finish: Callable[[Result], None],
        is_awaited: Callable[[Result], bool],
    ) -> None:
        self._loop = loop
        self._take = take
        self._finish = finish
        self._is_awaited = is_awaited
        self._results: deque[Result] = deque()
        self._taken: list[Result] = []
        self._is_woken = False
        self._will_finish = False

    def put(self, result: Result) -> None:
        """Bring ``result``, from any thread."""
        self._results.append(result)
        # Asked when the result can be found already, by who begins to wait for it and then looks.
        if (not self._will_finish or self._is_awaited(result)) and not self._is_woken:
            self._is_woken = True
            self._loop.call_soon_threadsafe(self._woken)

    def look(self) -> None:
        """Take what has come, on the loop's thread."""
        while self._results:
            result = self._results.popleft()
            self._take(result)
            self._taken.append(result)

    def finish_soon(self) -> None:
        """Finish within ``FINISH_WITHIN_S`` what comes until then; on the loop's thread."""
        if not self._will_finish:
            self._will_finish = True
            self._loop.call_later(FINISH_WITHIN_S, self._finish_as_promised)

    def _finish_as_promised(self) -> None:
        # First: what is put from now on wakes the loop, at worst in vain.
        self._will_finish = False
        self._finish_all()

    def _woken(self) -> None:
        self._is_woken = False
        self._finish_all()

    def _finish_all(self) -> None:
        self.look()
        taken, self._taken = self._taken, []
        for result in taken:
            self._finish(result)
