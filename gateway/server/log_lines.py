"""Lines of the log, written by a thread: a pipe that nobody empties or a slow disk must hold up nobody who logs.

Least of all the event loop, on whose thread a refused request is logged.
"""

import time
from queue import Empty, SimpleQueue
from threading import Lock, Thread
from typing import Protocol

import structlog
from prometheus_client import Counter

log = structlog.get_logger()

MOST_WAITING = 1024 * 1024
"""Characters of lines that may wait."""
AT_ONCE = 64 * 1024
LOST = Counter("cti_log_lines_lost_total", "Lines of the log that were left out, because standard error took none")


class LogStream(Protocol):
    """What lines are written to; it fails nobody."""

    def write(self, text: str) -> int: ...

    def flush(self) -> None: ...


class LineWriter:
    """Writes lines to ``stream``, in order; by its thread from ``start`` until ``stop``, else at once.

    What finds no room is left out, counted, and told of in the log when lines go out again.
    """

    def __init__(self, stream: LogStream, *, most_waiting: int = MOST_WAITING) -> None:
        self._stream = stream
        self._most_waiting = most_waiting
        self._lines: SimpleQueue[str] = SimpleQueue()
        self._gate = Lock()
        self._waiting = 0
        self._left_out = 0
        self._is_by_thread = False

    def start(self) -> None:
        """Leave the writing to a thread from now on."""
        self._is_by_thread = True
        Thread(target=self._run, name="log", daemon=True).start()

    def stop(self, *, timeout_s: float) -> None:
        """Write at once from now on, when all that waits is written or the time is over."""
        deadline = time.monotonic() + timeout_s
        while self._waiting and time.monotonic() < deadline:
            time.sleep(0.005)
        self._is_by_thread = False

    def write(self, text: str) -> int:
        """Have ``text`` written. Waits for nothing while there is a thread."""
        if not self._is_by_thread:
            self._write(text)
        elif self._has_room(len(text)):
            self._lines.put(text)
        return len(text)

    def flush(self) -> None:
        """Do nothing: whatever is written is flushed."""

    def _has_room(self, size: int) -> bool:
        with self._gate:
            if self._waiting + size > self._most_waiting:
                self._left_out += 1
                LOST.inc()
                return False
            self._waiting += size
            return True

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()

    def _run(self) -> None:
        while True:
            text = self._next_lines()
            self._write(text)
            with self._gate:
                self._waiting -= len(text)
                left_out, self._left_out = self._left_out, 0
            if left_out:
                log.warning("log_lines_left_out", lines=left_out)

    def _next_lines(self) -> str:
        """Wait for lines, and return some of those that have come."""
        lines = [self._lines.get()]
        size = len(lines[0])
        while size < AT_ONCE:
            try:
                lines.append(self._lines.get_nowait())
            except Empty:
                break
            size += len(lines[-1])
        return "".join(lines)
