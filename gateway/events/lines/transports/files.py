"""Lines from a file that grows and is changed for a new one now and then; from a folder that files are put into.

What was read is remembered as a place in the file and the digest of its beginning: a file is the same whatever it is
called, so that nothing is read twice and nothing left out when it was renamed, or copied and emptied, while nobody ran.
"""

import hashlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from gateway.adapter import Probe
from gateway.errors import EventSourceError
from gateway.event_source import Report, Stop
from gateway.events.lines.reading import LineReading, LineStream
from gateway.events.lines.transports.dialogues import reason_of
from gateway.texts.text import Text

CHUNK = 65536
LOOK_S = 0.25
QUIET_MS = 5_000
"""After so long without growing, a last line without an end is read; what is added to it later is a line of its own."""
HEAD = 512
MOST_REMEMBERED = 200
MOST_SIBLINGS = 200


@dataclass(frozen=True, slots=True)
class FilePlace:
    """How far a file was read: up to ``offset``; its first ``size`` bytes have the digest ``head``."""

    head: str
    size: int
    offset: int
    memory: Mapping[str, Any]

    def as_json(self) -> list[Any]:
        """Return it for the memory of a source."""
        return [self.head, self.size, self.offset, dict(self.memory)]

    @classmethod
    def of(cls, kept: Any) -> "FilePlace | None":
        """Return the place that ``as_json`` gave, None where there is none."""
        return cls(str(kept[0]), int(kept[1]), int(kept[2]), dict(kept[3])) if kept else None


def head_of(path: Path, size: int = HEAD) -> tuple[str, int]:
    """Return the digest of the first ``size`` bytes of a file, and how many it has of them. Raises ``OSError``."""
    with path.open("rb") as file:
        data = file.read(size)
    return _digest(data), len(data)


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:16]


def is_same(path: Path, place: FilePlace) -> bool:
    """Return whether the file at ``path`` is the one that was read up to ``place``. Raises ``OSError``."""
    return path.stat().st_size >= place.offset and head_of(path, place.size) == (place.head, place.size)


NOTHING_READ = FilePlace(_digest(b""), 0, 0, {})


class OpenFile:
    """A file that is being read, from a place in it; ``name`` is what it was called when it was begun."""

    def __init__(self, reading: LineReading, path: Path, place: FilePlace | None, name: str) -> None:
        """Open it. Raises ``OSError``."""
        self._reading, self._path, self._name = reading, path, name
        self._known = place or NOTHING_READ
        self._file = path.open("rb")
        self._file.seek(self._known.offset)
        self._stream: LineStream | None = None

    def read(self, *, is_whole: bool = False) -> int:
        """Read what is there now, a piece at most; return its bytes.

        Nothing is read before the first line is complete, by which its records are known, unless it ``is_whole``.
        """
        if self._stream is None:
            first = os.pread(self._file.fileno(), HEAD, 0)
            if len(first) < HEAD and not is_whole and not set(first) & set(b"\r\n"):
                return 0
            identity = f"{self._name} {_digest(first.splitlines()[0] if first else b'')}"
            known = self._known
            self._stream = self._reading.stream(self._path.name, identity, known.offset, known.memory)
        data = self._file.read(CHUNK)
        self._stream.feed(data)
        return len(data)

    @property
    def waits(self) -> bool:
        """Whether there is a line or a record that may be complete though nothing more comes."""
        return self._stream is None or self._stream.waits

    def idle(self, quiet_ms: float, *, is_over: bool = False) -> None:
        """Read what waited for more, as ``LineStream.idle`` has it."""
        if self._stream is None and is_over:
            self.read(is_whole=True)
        if self._stream is not None:
            self._stream.idle(quiet_ms, is_over=is_over)

    def place(self) -> FilePlace:
        """Return how far it was read."""
        if self._stream is None:
            return self._known
        position = self._stream.position
        if self._known.size < min(HEAD, position):
            head = os.pread(self._file.fileno(), min(HEAD, position), 0)
            self._known = replace(self._known, head=_digest(head), size=len(head))
        self._known = replace(self._known, offset=position, memory=self._stream.memory)
        return self._known

    def safe_place(self) -> FilePlace:
        """Return from where to read after a restart."""
        place = self.place()
        return place if self._stream is None else replace(place, offset=self._stream.told_to)

    def was_replaced(self) -> bool:
        """Return whether another file has its name now, or it was emptied."""
        try:
            now = self._path.stat()
        except FileNotFoundError:
            return True
        mine = os.fstat(self._file.fileno())
        return (now.st_dev, now.st_ino) != (mine.st_dev, mine.st_ino) or now.st_size < self._file.tell()

    def close(self) -> None:
        self._file.close()


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
            return Probe(False, _unreadable(self._path, error))

    def run(self, reading: LineReading, report: Report, stop: Stop) -> None:
        """Read what is added until ``stop``. Raises ``EventSourceError`` where the file is not there."""
        try:
            self._run(reading, report, stop)
        except OSError as error:
            if isinstance(error, FileNotFoundError) and not report.memory:
                report.remember({"file": NOTHING_READ.as_json()})  # all of it is new when it comes
            raise EventSourceError(_unreadable(self._path, error)) from None

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
            return Probe(False, _unreadable(self._path, error))
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
            raise EventSourceError(_unreadable(self._path, error)) from None

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


def _siblings(path: Path) -> Iterator[Path]:
    """Yield the other files of a folder whose names begin as that of ``path``, the newest first."""
    found = [each for each in path.parent.glob(f"{path.stem}*") if each.is_file() and each != path]
    yield from sorted(found, key=lambda each: each.stat().st_mtime, reverse=True)[:MOST_SIBLINGS]


def _unreadable(path: Path, error: OSError) -> Text:
    return Text("{path} cannot be read: {reason}.", path=str(path), reason=reason_of(error))
