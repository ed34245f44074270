"""Whoever logs never waits: for a pipe that nobody empties, for a disk, for anything."""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import pytest
import structlog

from gateway.config.tables import Log
from gateway.server import logs
from gateway.server.log_lines import LOST, LineWriter
from tests.waiting import until

LINE = "x" * 99 + "\n"


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    yield
    structlog.reset_defaults()


class StuckStream:
    """A stream that takes nothing until it is let go."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.text = ""

    def write(self, text: str) -> int:
        self.go.wait(60)
        self.text += text
        return len(text)

    def flush(self) -> None: ...


def is_done_by_itself(work: Callable[[], object]) -> bool:
    """Return whether ``work`` ends, though nothing lets it."""
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(20)
    return not thread.is_alive()


@contextmanager
def full_pipe() -> Iterator[int]:
    """Let standard error be a pipe that is full; yield what reads from it."""
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    os.set_blocking(writing, False)
    with suppress(BlockingIOError):
        while True:
            os.write(writing, b"\n" * 4096)
    os.set_blocking(writing, True)
    stream = os.fdopen(writing, "w")
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("sys.stderr", stream)
            yield reading
    finally:
        os.close(reading)  # so that whoever still writes ends
        with suppress(OSError):
            stream.close()


def emptied(pipe: int) -> bytes:
    """Return what a pipe held."""
    try:
        return os.read(pipe, 1 << 20)
    except BlockingIOError:
        return b""


def test_a_line_into_a_full_pipe_holds_up_nobody() -> None:
    with full_pipe() as pipe:
        lines = logs.set_up(Log(format="json"))
        lines.start()
        assert is_done_by_itself(lambda: structlog.get_logger().warning("request_refused"))
        until(lambda: b"request_refused" in emptied(pipe), 60)
        lines.stop(timeout_s=20)


def test_lines_go_out_whole_and_in_order() -> None:
    stream = StuckStream()
    lines = LineWriter(stream)
    lines.start()
    wanted = [f"{number}\n" for number in range(1000)]
    for line in wanted:
        lines.write(line)
    stream.go.set()
    lines.stop(timeout_s=20)
    assert stream.text == "".join(wanted)


def test_what_finds_no_room_is_counted_and_told_of() -> None:
    stream, lost = StuckStream(), LOST._value.get()
    lines = LineWriter(stream, most_waiting=10 * len(LINE))
    form = structlog.processors.KeyValueRenderer()
    structlog.configure(processors=[form], logger_factory=structlog.WriteLoggerFactory(lines))  # type: ignore[arg-type]
    lines.start()
    for _ in range(25):
        lines.write(LINE)
    assert LOST._value.get() - lost == 15
    stream.go.set()
    until(lambda: "log_lines_left_out" in stream.text, 60)
    lines.stop(timeout_s=20)
    assert stream.text.count(LINE) == 10
    assert stream.text.endswith("lines=15 event='log_lines_left_out'\n")


def test_without_a_thread_lines_are_written_at_once() -> None:
    stream = StuckStream()
    stream.go.set()
    lines = LineWriter(stream)
    lines.write("first\n")
    assert stream.text == "first\n"
    lines.start()
    lines.stop(timeout_s=1)
    lines.write("last\n")
    assert stream.text == "first\nlast\n"


def test_the_end_does_not_wait_for_who_takes_nothing() -> None:
    stream = StuckStream()
    lines = LineWriter(stream)
    lines.start()
    lines.write(LINE)
    assert is_done_by_itself(lambda: lines.stop(timeout_s=0.05))
    stream.go.set()
