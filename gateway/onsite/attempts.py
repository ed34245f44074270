"""Attempts that are made again and again, with growing pauses where they fail, until all is to end."""

import threading
from collections.abc import Callable

import structlog

from gateway.errors import MainGatewayError
from gateway.events.pauses import PAUSES_S, pause_after

log = structlog.get_logger()

REFUSED_S = 60.0
"""After a key was refused: only people can mend that."""


class AttemptLoop:
    """Runs ``attempt`` on a thread until ``stop`` is set; failures are logged once in a row."""

    def __init__(self, name: str, attempt: Callable[[], None], stop: threading.Event) -> None:
        self._name, self._attempt, self._stop = name, attempt, stop
        self._failures = 0
        self._thread = threading.Thread(target=self._run, name=f"onsite-{name}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def join(self, within_s: float) -> bool:
        """Wait for the attempt under way; return whether it is over."""
        if self._thread.is_alive():
            self._thread.join(within_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._attempt()
                self._succeeded()
            except MainGatewayError as error:
                self._failed(error)
            except Exception as error:  # this thread must outlive a defect, and a disk that is full
                if not self._stop.is_set():
                    log.error("onsite_attempt_failed", what=self._name, exc_info=error)
                self._stop.wait(PAUSES_S[-1])

    def _succeeded(self) -> None:
        if self._failures:
            log.info("onsite_main_reached_again", what=self._name, after_failures=self._failures)
        self._failures = 0

    def _failed(self, error: MainGatewayError) -> None:
        self._failures += 1
        if self._failures == 1 and not self._stop.is_set():
            log.warning("onsite_main_not_reached", what=self._name, status=error.status, problem=str(error))
        self._stop.wait(REFUSED_S if error.status == 401 else pause_after(self._failures))
