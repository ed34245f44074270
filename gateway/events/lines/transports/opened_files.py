"""A file that is read from a place in it, and how that place is remembered.

A place holds the digest of the file's beginning: a file is the same whatever it is called, so that nothing is read
twice and nothing left out when it was renamed, or copied and emptied, while nobody ran.
"""

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from gateway.events.lines.reading import LineReading, LineStream
from gateway.events.lines.transports.dialogues import reason_of
from gateway.texts.text import Text

CHUNK = 65536
HEAD = 512
"""Bytes of a file by which it is known."""
QUIET_MS = 5_000
"""After so long without growing, a last line without an end is read; what is added to it later is a line of its own."""


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


def unreadable(path: Path, error: OSError) -> Text:
    """Return the sentence that a file or folder cannot be read."""
    return Text("{path} cannot be read: {reason}.", path=str(path), reason=reason_of(error))
