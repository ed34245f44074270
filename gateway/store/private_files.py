"""Files that only the gateway's own user may read: calls, accounts, traffic, hashes of passwords.

Made so whatever the umask and whoever made the folder; what an earlier version left open is closed at the start.
"""

import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import structlog

log = structlog.get_logger()

FILE, FOLDER = 0o600, 0o700
OTHERS_WRITE = 0o022
OURS = (
    "gateway.db*",
    "gateway.lock",
    "gateway.waiting",
    "search.db*",
    "search.lock",
    "search.waiting",
    "traffic.db*",
    "exchanges.db*",
    "logins.db*",
    "running.lock",
    "spool.db*",
    "spool.lock",
)
FOLDERS_OF_OURS = ("appliances", "leases", "metrics")
ROOT = 0


def prepare(data: Path) -> None:
    """Make the data folder if it is missing, and close what lies in it to everybody but its owner."""
    make_folder(data, lasting=True)
    closed = [path.name for path in _found(data) if _close(path)]
    if closed:
        log.info("files_closed_to_others", folder=str(data), files=closed)


def make_folder(path: Path, *, lasting: bool = False) -> None:
    """Make ``path`` for its owner only; one that is there already is left as it is.

    ``lasting``: it survives a power cut from now on, and with it what is synced inside.
    """
    if path.is_dir():
        return
    missing = [path, *(parent for parent in path.parents if not parent.exists())]
    path.mkdir(parents=True, exist_ok=True, mode=FOLDER)
    _give_to_folder_s_owner(path, path)
    for made in missing if lasting else ():
        _sync_folder(made.parent)


def _sync_folder(path: Path) -> None:
    """Put the names in ``path`` on the disk, where the file system can do that for a folder and we may read it."""
    with suppress(OSError):
        file = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(file)
        finally:
            os.close(file)


def open_private(path: Path) -> int:
    """Open ``path`` for reading and writing, made for its owner only if it is missing; returns a file descriptor.

    Raises ``OSError``.
    """
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, FILE)
    _close(path, file)
    _give_to_folder_s_owner(path, file)
    return file


def make_private(path: Path) -> None:
    """Make the file ``path`` before SQLite does: its companions (``-wal``, ``-shm``) get the same rights.

    Raises ``OSError``.
    """
    if not path.exists():
        os.close(open_private(path))


def _found(data: Path) -> Iterator[Path]:
    yield data
    for pattern in OURS:
        yield from sorted(data.glob(pattern))
    for name in FOLDERS_OF_OURS:
        if (data / name).is_dir():
            yield data / name
            yield from sorted((data / name).rglob("*"))


def _close(path: Path, file: int | None = None) -> bool:
    """Take others' rights to ``path`` away; whether there was something to take. What is not ours is warned of."""
    try:
        found = path.lstat() if file is None else os.fstat(file)
        wanted = _wanted(path, found)
        if wanted == stat.S_IMODE(found.st_mode) or stat.S_ISLNK(found.st_mode):
            return False
        os.chmod(path if file is None else file, wanted)
    except FileNotFoundError:  # of a process that has just ended
        return False
    except OSError as error:
        log.warning(
            "file_open_to_others",
            file=str(path),
            mode=oct(stat.S_IMODE(found.st_mode)),
            error=error.strerror,
            hint=f"chmod {wanted:o} {path} as its owner.",
        )
        return False
    return True


def _wanted(path: Path, found: os.stat_result) -> int:
    """Return the rights that ``path`` should have; in a folder that may hold other things, others lose the right to
    write.
    """
    mode = stat.S_IMODE(found.st_mode)
    if not stat.S_ISDIR(found.st_mode):
        return FILE
    if path.name in FOLDERS_OF_OURS or path.parent.name in FOLDERS_OF_OURS:
        return FOLDER
    return mode if mode & stat.S_ISVTX else mode & ~OTHERS_WRITE


def _give_to_folder_s_owner(path: Path, made: Path | int) -> None:
    """Give what root makes for a gateway of another user to that user, as SQLite does with its own files."""
    if os.geteuid() != ROOT:
        return
    owner = path.parent.stat()
    if owner.st_uid != ROOT and os.stat(made).st_uid == ROOT:
        os.chown(made, owner.st_uid, owner.st_gid)
