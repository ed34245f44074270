"""How many calls of one address may be made at once; what comes beyond waits, and others go before it."""

from collections import deque
from collections.abc import Callable

Job = Callable[[], None]


class CallTurns:
    """At most ``at_once`` jobs of a client are given to ``run``; all of it happens on the event loop's thread.

    How many may wait is for the admission to say.
    """

    def __init__(self, at_once: int, run: Callable[[Job], None]) -> None:
        self._at_once = at_once
        self._run = run
        self._busy: dict[str, int] = {}
        self._waiting: dict[str, deque[Job]] = {}

    def bring(self, client: str, job: Job) -> None:
        """Run ``job``, now or when an earlier one of the same client is done."""
        busy = self._busy.get(client, 0)
        if busy < self._at_once:
            self._busy[client] = busy + 1
            self._run(job)
        else:
            self._waiting.setdefault(client, deque()).append(job)

    def done(self, client: str) -> None:
        """Note that a job of ``client`` is done: the next one takes its place."""
        waiting = self._waiting.get(client)
        if waiting:
            self._run(waiting.popleft())
            if not waiting:
                del self._waiting[client]
            return
        busy = self._busy[client] - 1
        if busy:
            self._busy[client] = busy
        else:
            del self._busy[client]
