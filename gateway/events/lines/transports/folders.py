"""Lines from a folder into which files are put."""

import os
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path

from gateway.adapter import Probe
from gateway.errors import EventSourceError
from gateway.event_source import Report, Stop
from gateway.events.lines.reading import LineReading
from gateway.events.lines.transports.opened_files import QUIET_MS, FilePlace, OpenFile, is_same, unreadable
from gateway.texts.text import Text

MOST_REMEMBERED = 200


class FolderOfFiles:
    """A folder into which files are put, or in which they grow."""

    def __init__(self, path: Path, files: str, unfinished: str, *, from_start: bool) -> None:
        self._path, self._files, self._unfinished = path, files, unfinished
        self._from_start = from_start
        self._places: dict[str, FilePlace] = {}
        self._safe: dict[str, FilePlace] = {}
        """From where each is read after a restart, where that is earlier."""
        self._done_until = 0
        """Files that were changed up to then (nanoseconds) and are not in ``_places`` were read."""
        self._seen: dict[str, tuple[int, int]] = {}

    @property
    def peer(self) -> str:
        """Which folder it reads."""
        return f"{self._path.name}/{self._files}"

    def probe(self) -> Probe:
        """Say whether the folder can be read."""
        try:
            count = sum(1 for _ in self._names())
        except OSError as error:
            return Probe(False, unreadable(self._path, error))
        return Probe(True, Text("{path} can be read ({count} files)", path=str(self._path), count=count))

    def run(self, reading: LineReading, report: Report, stop: Stop) -> None:
        """Read what is put into the folder until ``stop``. Raises ``EventSourceError``."""
        self._recall(report)
        try:
            first = [] if report.memory or self._from_start else list(self._names())
            for status in first:
                self._done_until = max(self._done_until, status.stat().st_ctime_ns)
            report.connected(nothing_missed=True)
            while not stop.is_set():
                if not self._once(reading, report, stop):
                    reading.tick(reading.place.name)
                    stop.wait(1.0)
        except OSError as error:
            raise EventSourceError(unreadable(self._path, error)) from None

    def _recall(self, report: Report) -> None:
        kept = report.memory.get("files") or {}
        self._places = {name: place for name, each in kept.items() if (place := FilePlace.of(each))}
        self._done_until = int(report.memory.get("until") or 0)
        self._seen = {}

    def _names(self) -> Iterator["os.DirEntry[str]"]:
        """Yield the files that are to be read. Raises ``OSError``."""
        with os.scandir(self._path) as found:
            for entry in found:
                hidden = self._unfinished and fnmatchcase(entry.name, self._unfinished)
                if fnmatchcase(entry.name, self._files) and not hidden and entry.is_file(follow_symlinks=False):
                    yield entry

    def _once(self, reading: LineReading, report: Report, stop: Stop) -> bool:
        """Read all that is new; return whether any line was."""
        has_read = False
        entries = sorted(self._names(), key=lambda entry: (entry.stat().st_mtime_ns, entry.name))
        for entry in entries:
            if stop.is_set():
                break
            if self._is_new(entry) and self._read(entry, reading, report, stop):
                has_read = True
        self._forget({entry.name for entry in entries})
        return has_read

    def _is_new(self, entry: "os.DirEntry[str]") -> bool:
        status = entry.stat()
        if self._seen.get(entry.name) == (status.st_size, status.st_ctime_ns):
            return False
        place = self._places.get(entry.name)
        if place is not None and status.st_size == place.offset:
            self._seen[entry.name] = (status.st_size, status.st_ctime_ns)
            return False
        if place is not None:
            return True
        return status.st_ctime_ns > self._done_until

    def _read(self, entry: "os.DirEntry[str]", reading: LineReading, report: Report, stop: Stop) -> bool:
        path, status = Path(entry.path), entry.stat()
        place = self._places.get(entry.name)
        if place is not None and not is_same(path, place):
            place = None
        opened = OpenFile(reading, path, place, entry.name)
        before = opened.place().offset
        is_old = reading.place.clock() - status.st_mtime_ns // 1_000_000 > QUIET_MS
        try:
            while not stop.is_set() and opened.read(is_whole=is_old):
                self._keep(entry.name, opened, report)
            self._seen[entry.name] = (status.st_size, status.st_ctime_ns)
            if opened.waits and is_old:
                opened.idle(0, is_over=True)
            elif opened.waits:
                self._seen.pop(entry.name)
            self._keep(entry.name, opened, report)
            return opened.place().offset != before
        finally:
            opened.close()

    def _keep(self, name: str, opened: OpenFile, report: Report) -> None:
        """Have it remembered how far a file was read."""
        self._places.pop(name, None)
        self._places[name] = opened.place()
        self._safe[name] = opened.safe_place()
        kept = {name: self._safe.get(name, place).as_json() for name, place in self._places.items()}
        report.remember({"files": kept, "until": self._done_until})

    def _forget(self, there: set[str]) -> None:
        """Let go of files that are gone, and of the oldest ones that were read where they are many."""
        for name in [name for name in self._places if name not in there]:
            del self._places[name]
        self._safe = {name: place for name, place in self._safe.items() if name in self._places}
        self._seen = {name: seen for name, seen in self._seen.items() if name in there}
        while len(self._places) > MOST_REMEMBERED:
            name = next(iter(self._places))
            del self._places[name]
            self._done_until = max(self._done_until, self._seen.get(name, (0, 0))[1])
