"""Looks up whether screens may stay, on a few threads of its own.

A database that does not answer must not keep a stream from its heart-beats: by them its page knows that the connection
lives.
"""

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future

MayStay = Callable[[], bool]
"""Whether the agent of a screen is still logged in, which another process may have ended; asked now and then."""
THREADS = 4


class SessionChecks:
    """Runs checks in the order in which they are asked for."""

    def __init__(self, *, threads: int = THREADS) -> None:
        self._wanted: queue.SimpleQueue[tuple[MayStay, Future[bool]]] = queue.SimpleQueue()
        self._threads = [
            threading.Thread(target=self._run, name=f"session-check-{number}", daemon=True) for number in range(threads)
        ]
        self._gate = threading.Lock()
        self._is_started = False

    def ask(self, may_stay: MayStay) -> "Future[bool]":
        """Return what will be known; whoever waits for it sets a limit."""
        self._start()
        answer: Future[bool] = Future()
        self._wanted.put((may_stay, answer))
        return answer

    def _start(self) -> None:
        with self._gate:
            if not self._is_started:
                self._is_started = True
                for thread in self._threads:
                    thread.start()

    def _run(self) -> None:
        while True:
            may_stay, answer = self._wanted.get()
            try:
                answer.set_result(may_stay())
            except Exception as error:
                answer.set_exception(error)
