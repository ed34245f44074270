"""Checks that are asked again and again, and say in the log what fails without filling it."""

import time
from collections.abc import Callable

import structlog

log = structlog.get_logger()

SAY_AGAIN_S = 60.0
"""Balancers ask every second, each worker: an hour without the database would be thousands of equal lines."""


class Checks:
    """Remembers what was said of which check; for any number of threads, of which two may say the same."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._said: dict[str, tuple[str, float]] = {}

    def passes(self, name: str, check: Callable[[], object]) -> bool:
        """Return whether ``check`` raises nothing. What it raises is logged as ``name``: when it begins, when it
        becomes another error, and each minute while it lasts.
        """
        try:
            check()
        except Exception as error:
            self._say(name, type(error).__name__)
            return False
        self._said.pop(name, None)
        return True

    def _say(self, name: str, error: str) -> None:
        before, at = self._said.get(name, ("", 0.0))
        if error == before and self._clock() - at < SAY_AGAIN_S:
            return
        self._said[name] = (error, self._clock())
        log.error(name, error=error)
