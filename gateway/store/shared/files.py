"""What all processes on one data folder share, in small files under kernel locks.

They say how an appliance is doing this moment, and who holds a lease: worth sharing between workers, not worth a row in
the database. Where the files cannot be used (no space, too many open files, a folder that is gone), each process goes
on with its own values: an order must not fail for them. A lease, of which there must not be two, is not given then.
"""

import fcntl
import os
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Generic, TypeVar
from urllib.parse import quote

import structlog
from pydantic import TypeAdapter, ValidationError

from gateway.store.private_files import make_folder, open_private
from gateway.store.shared.contract import called
from gateway.store.shared.file_counts import DATABASE, FileCounts

T = TypeVar("T")
Told = TypeVar("Told")

log = structlog.get_logger()

FOLDER = "appliances"
"""Cleared when a gateway is started anew, unlike ``LEASES``: a token must not be given twice."""
LEASES = "leases"
CLOSED = -1
UNMARKED = "appliance_state"
"""The kind whose files bear an appliance's name alone, as before there were others: an older gateway may be running on
the folder until this one has taken over.
"""


class DegradedNotice:
    """Says once that ``what`` is not shared with other processes, and once that it is again: each order needs it."""

    def __init__(self, what: str, where: str | None) -> None:
        self._what = what
        self._file = where
        self.alone = False

    def failed(self, error: OSError) -> None:
        if not self.alone:
            log.error(f"{self._what}_not_shared", file=self._file, error=error.strerror)
        self.alone = True

    def worked(self) -> None:
        if self.alone:
            log.info(f"{self._what}_shared_again", file=self._file)
            self.alone = False


class Record(Generic[T]):
    """A frozen dataclass of which every field has a default; without ``path`` it is this process's own."""

    def __init__(self, kind: type[T], path: Path | None = None) -> None:
        self._kind = TypeAdapter(kind)
        self._value = self._nothing = kind()
        self._lock = threading.Lock()
        self._path = path
        self._file = -1
        self._unwritten = False
        self._news = DegradedNotice(called(kind), path.name if path else None)

    def change(self, work: Callable[[T], tuple[T, Told]]) -> Told:
        """Put ``work(value)``'s first result in the value's place; its second is what the caller gets.

        ``work`` may be called twice: it works something out and does nothing.
        """
        with self._lock:
            if self._path is not None:
                try:
                    return self._change_shared(self._path, work)
                except OSError as error:
                    self._news.failed(error)
            self._value, told = work(self._value)
            return told

    def read(self) -> T:
        """Return the value now; no file is made for it."""
        if self._path is not None and self._file < 0 and not self._path.exists():
            return self._value
        return self.change(lambda value: (value, value))

    def close(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def _open(self, path: Path) -> None:
        """Open the file only when there is something to share: a provider has more appliances than a process may open
        files.
        """
        if self._file < 0:
            make_folder(path.parent)
            self._file = open_private(path)

    def _change_shared(self, path: Path, work: Callable[[T], tuple[T, Told]]) -> Told:
        self._open(path)
        if not self._unwritten:
            # Most often there is nothing to change, and then nobody has to be kept out.
            self._value = self._load()
            after, told = work(self._value)
            if after == self._value:
                if self._news.alone:
                    self._news.worked()
                return told
        fcntl.flock(self._file, fcntl.LOCK_EX)
        try:
            return self._change(work)
        finally:
            fcntl.flock(self._file, fcntl.LOCK_UN)

    def _change(self, work: Callable[[T], tuple[T, Told]]) -> Told:
        before = self._value if self._unwritten else self._load()
        self._value, told = work(before)
        if self._unwritten or self._value != before:
            try:
                self._write(self._kind.dump_json(self._value))
            except OSError as error:  # the work is done; doing it again would count it twice
                self._unwritten = True
                self._news.failed(error)
        return told

    def _write(self, data: bytes) -> None:
        os.pwrite(self._file, data, 0)
        os.ftruncate(self._file, len(data))
        self._unwritten = False

    def _load(self) -> T:
        data = os.pread(self._file, 64 * 1024, 0)
        try:
            return self._kind.validate_json(data) if data else self._nothing
        except ValidationError:  # half a line of a process that was killed
            return self._value


class Slots:
    """So many places among all processes; a place whose process dies is free again."""

    def __init__(self, path: Path | None, count: int) -> None:
        # No appliance's own file is called so: '#' is quoted in names.
        self._paths = [path.with_name(f"{path.name}#{number}") for number in range(count)] if path else []
        self._news = DegradedNotice("appliance_limit", path.name if path else None)
        self._local: SimpleQueue[None] = SimpleQueue()
        for _ in range(count):
            self._local.put(None)

    def take(self, timeout_s: float) -> Callable[[], None] | None:
        """Take a place of this process within ``timeout_s``, and one among all now; how to give it back, or None."""
        try:
            self._local.get(timeout=max(timeout_s, 0))
        except Empty:
            return None
        if not self._paths:
            return self._free
        try:
            found = next((file for file in map(_locked, self._paths) if file is not None), None)
        except OSError as error:
            self._news.failed(error)
            return self._free
        self._news.worked()
        if found is not None:
            return partial(self._give_back, found)
        self._free()
        return None

    def _free(self) -> None:
        self._local.put(None)

    def _give_back(self, file: int) -> None:
        os.close(file)
        self._free()


def _locked(path: Path) -> int | None:
    make_folder(path.parent)
    file = open_private(path)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return file
    except BlockingIOError:
        os.close(file)
        return None


def path_of(data: Path, tenant: str, name: str) -> Path:
    """Return the path of what concerns an appliance; whatever it is called, the name stays inside the folder."""
    return data / FOLDER / f"{tenant}.{quote(name, safe='')}"


def record_path(data: Path, kind: type, tenant: str, name: str) -> Path:
    """Return the path of a value; no appliance's own file and no place is called like another kind's."""
    path = path_of(data, tenant, name)
    return path if called(kind) == UNMARKED else path.with_name(f"{path.name}#{called(kind)}")


class FileLease:
    """A lease by a kernel lock on a file, which holds the token of its last holder. See ``Lease``."""

    def __init__(self, path: Path, file: int, token: int) -> None:
        self._token = token
        self._path = path
        self._file = file
        self._lock = threading.Lock()

    @property
    def token(self) -> int:
        return self._token

    def held(self) -> bool:
        """Return whether the lock is ours and others would meet it: the folder may have been replaced meanwhile."""
        with self._lock:
            try:
                return self._file >= 0 and os.path.samestat(self._path.stat(), os.fstat(self._file))
            except OSError:
                return False

    def release(self) -> None:
        """Let another process have it. Safe to call again."""
        with self._lock:
            if self._file >= 0:
                os.close(self._file)
                self._file = CLOSED


def take_lease(path: Path) -> FileLease | None:
    """Take the lease of ``path`` if nobody has it. Raises ``OSError``."""
    file = _locked(path)
    if file is None:
        return None
    try:
        token = _token_after(os.pread(file, 32, 0))
        os.pwrite(file, b"%d\n" % token, 0)
    except BaseException:
        os.close(file)
        raise
    return FileLease(path, file, token)


def _token_after(written: bytes) -> int:
    """Return a token greater than the one that is written down; where none is, or a power cut garbled it, than all that
    were given before: the database may still know one of a folder that is no more.
    """
    last = written.split(b"\n", 1)[0]
    return int(last) + 1 if last.isdigit() else time.time_ns() // 1000


class SharedFiles:
    """What the processes on the folder ``data`` share. See ``Shared``."""

    def __init__(self, data: Path) -> None:
        self._data = data
        self._leases: list[FileLease] = []
        self._lock = threading.Lock()

    def now(self) -> float:
        return time.time()

    def record(self, kind: type[T], tenant: str, name: str) -> Record[T]:
        return Record(kind, record_path(self._data, kind, tenant, name))

    def slots(self, tenant: str, name: str, count: int) -> Slots:
        return Slots(path_of(self._data, tenant, name), count)

    def counts(self) -> FileCounts:
        return FileCounts(self._data / DATABASE)

    def lease(self, name: str) -> FileLease | None:
        """Take the lease ``name`` if nobody has it; None also where its file cannot be used, which is logged."""
        try:
            found = take_lease(self._data / LEASES / quote(name, safe=""))
        except OSError as error:
            log.error("lease_not_taken", lease=name, error=error.strerror)
            return None
        if found is not None:
            with self._lock:
                self._leases = [*(lease for lease in self._leases if lease.held()), found]
        return found

    def close(self) -> None:
        """Give back what this process holds. Safe to call again."""
        with self._lock:
            leases, self._leases = self._leases, []
        for lease in leases:
            lease.release()
