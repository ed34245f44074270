"""Lines from a file that grows, and is changed for a new one now and then."""

from collections.abc import Iterator
from pathlib import Path

from gateway.adapter import Probe
from gateway.errors import EventSourceError
from gateway.event_source import Report, Stop
from gateway.events.lines.reading import LineReading
from gateway.events.lines.transports.opened_files import (
    CHUNK,
    NOTHING_READ,
    QUIET_MS,
    FilePlace,
    OpenFile,
    head_of,
    is_same,
    unreadable,
)
from gateway.texts.text import Text

LOOK_S = 0.25
MOST_SIBLINGS = 200


class GrowingFile:
    """One file."""

    def __init__(self, path: Path, *, from_start: bool) -> None:
        self._path, self._from_start = path, from_start

    @property
    def peer(self) -> str:
        """Which file it reads."""
        return self._path.name

    def probe(self) -> Probe:
        """Say whether the file can be read."""
        try:
            with self._path.open("rb"):
                return Probe(True, Text("{path} can be read", path=str(self._path)))
        except OSError as error:
            return Probe(False, unreadable(self._path, error))

    def run(self, reading: LineReading, report: Report, stop: Stop) -> None:
        """Read what is added until ``stop``. Raises ``EventSourceError`` where the file is not there."""
        try:
            self._run(reading, report, stop)
        except OSError as error:
            if isinstance(error, FileNotFoundError) and not report.memory:
                report.remember({"file": NOTHING_READ.as_json()})  # all of it is new when it comes
            raise EventSourceError(unreadable(self._path, error)) from None

    def _run(self, reading: LineReading, report: Report, stop: Stop) -> None:
        place = FilePlace.of(report.memory.get("file"))
        if place is None and not report.memory and not self._from_start:
            place = self._end_of_file()
        elif place is not None and not is_same(self._path, place):
            self._finish_old(reading, report, place, stop)
            place = None
        report.connected(nothing_missed=True)
        while not stop.is_set():
            self._follow(reading, report, place, stop)
            place = None

    def _end_of_file(self) -> FilePlace:
        """Return the place behind the last whole line: what was there before the first start is not read."""
        data = self._path.stat().st_size
        head, size = head_of(self._path)
        with self._path.open("rb") as file:
            begin = max(0, data - CHUNK)
            file.seek(begin)
            last = file.read(data - begin).rfind(b"\n")
        return FilePlace(head, size, begin + last + 1 if last >= 0 else begin, {})

    def _finish_old(self, reading: LineReading, report: Report, place: FilePlace, stop: Stop) -> None:
        """Read the rest of the file that had this name before, if it is still in the folder."""
        for path in _siblings(self._path):
            if is_same(path, place):
                opened = OpenFile(reading, path, place, self._path.name)
                while not stop.is_set() and opened.read():
                    pass
                opened.idle(0, is_over=True)
                opened.close()
                return

    def _follow(self, reading: LineReading, report: Report, place: FilePlace | None, stop: Stop) -> None:
        """Read one file until another has its name, or ``stop``."""
        opened = OpenFile(reading, self._path, place, self._path.name)
        quiet_ms = 0.0
        try:
            while not stop.is_set():
                if opened.read():
                    quiet_ms = 0.0
                    report.remember({"file": opened.safe_place().as_json()})
                    continue
                if opened.was_replaced() and not opened.read():
                    opened.idle(0, is_over=True)
                    break
                opened.idle(quiet_ms, is_over=quiet_ms >= QUIET_MS)
                reading.tick(reading.place.name)
                report.remember({"file": opened.safe_place().as_json()})
                stop.wait(LOOK_S)
                quiet_ms += LOOK_S * 1000
        finally:
            opened.close()
        self._await_new(stop)

    def _await_new(self, stop: Stop) -> None:
        """Wait until there is a file again: a rotation may take a moment."""
        while not stop.is_set() and not self._path.exists():
            stop.wait(LOOK_S)


def _siblings(path: Path) -> Iterator[Path]:
    """Yield the other files of a folder whose names begin as that of ``path``, the newest first."""
    found = [each for each in path.parent.glob(f"{path.stem}*") if each.is_file() and each != path]
    yield from sorted(found, key=lambda each: each.stat().st_mtime, reverse=True)[:MOST_SIBLINGS]
