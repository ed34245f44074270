"""The log that the shim writes: what was done to the files, in order, and the marks that others put between."""

import os
import struct
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum, auto
from pathlib import Path


class Kind(IntEnum):
    """What a record tells; the shim numbers them the same way."""

    WRITE = auto()
    TRUNCATE = auto()
    SYNC_BEGINS = auto()
    SYNC_ENDS = auto()
    CREATE = auto()
    UNLINK = auto()
    RENAME = auto()
    MAKE_FOLDER = auto()
    REMOVE_FOLDER = auto()
    FOLDER_SYNC_BEGINS = auto()
    FOLDER_SYNC_ENDS = auto()
    MAP = auto()
    FAILED = auto()
    MARK = auto()


HEAD = struct.Struct("<IIIIQq")


@dataclass(frozen=True, slots=True)
class Record:
    """One entry of the log. ``offset`` is a truncated file's new size; ``data`` was written, or is a mark."""

    kind: Kind
    thread: int
    inode: int
    offset: int
    path: str
    data: bytes


class MarkWriter:
    """Puts marks into the log, each in its place among what the programs do. For any thread; close it."""

    def __init__(self, log: Path) -> None:
        self._lock = threading.Lock()
        self.late: list[str] = []
        """Marks that came after the end."""
        self._file = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def mark(self, text: str) -> None:
        """Append one mark."""
        data = text.encode()
        with self._lock:
            if self._file < 0:
                self.late.append(text)
            else:
                os.write(self._file, HEAD.pack(HEAD.size + len(data), Kind.MARK, 0, 0, 0, 0) + data)

    def close(self) -> None:
        """Let go of the log. Safe to call again."""
        with self._lock:
            if self._file >= 0:
                os.close(self._file)
            self._file = -1


def read_log(log: Path) -> Sequence[Record]:
    """Return the records of ``log`` in order, without a last one whose process was killed while it wrote it.

    Raises ``ValueError`` where the log is none of the shim's.
    """
    return list(_records(log.read_bytes()))


def _records(data: bytes) -> Iterator[Record]:
    at = 0
    while at + HEAD.size <= len(data):
        size, kind, thread, path_length, inode, offset = HEAD.unpack_from(data, at)
        if size < HEAD.size + path_length:
            raise ValueError(f"no record of the shim at byte {at} of its log")
        if at + size > len(data):
            return
        begin = at + HEAD.size
        path = data[begin : begin + path_length].decode(errors="surrogateescape")
        yield Record(Kind(kind), thread, inode, offset, path, data[begin + path_length : at + size])
        at += size
