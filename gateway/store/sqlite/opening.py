"""What is wrong with a data folder that cannot be used, as one sentence with what to do."""

import errno
import os
import sqlite3
from collections.abc import Mapping
from pathlib import Path

from sqlalchemy.exc import DBAPIError

from gateway.errors import DataUnusable
from gateway.store.sqlite.engine import DATABASE

RECOVER = "Restore a backup of the data folder, or save what can be read: sqlite3 gateway.db .recover | sqlite3 new.db"
RIGHTS = "Let the gateway's user write there (owner, mount options), or choose another folder with --data."
LEAST_ROOM = 128 * 1024
"""Bytes without which SQLite cannot make its companions beside the database."""
ROOM = "Make room and start again; what was acknowledged is still there."

SENTENCES: Mapping[int, tuple[str, str]] = {
    sqlite3.SQLITE_NOTADB: ("{file} is not a database, or its beginning is damaged.", RECOVER),
    sqlite3.SQLITE_CORRUPT: ("{file} is damaged.", RECOVER),
    sqlite3.SQLITE_READONLY: ("{file} cannot be written.", RIGHTS),
    sqlite3.SQLITE_PERM: ("{file} cannot be written.", RIGHTS),
    sqlite3.SQLITE_CANTOPEN: ("{file} cannot be opened.", RIGHTS),
    sqlite3.SQLITE_FULL: ("there is no room left on the disk of {folder}.", ROOM),
    sqlite3.SQLITE_BUSY: (
        "{file} is held by another program.",
        "End it (a backup, a shell of sqlite3, a copy of the gateway) and start again.",
    ),
    sqlite3.SQLITE_IOERR: (
        "{file}: the disk does not read or write ({reason}).",
        "Look at the system's log (dmesg) and at the disk's room, and have a backup ready.",
    ),
}
"""By SQLite's primary result code."""
OS_SENTENCES: Mapping[int, tuple[str, str]] = {
    errno.EACCES: ("{file} cannot be written ({reason}).", RIGHTS),
    errno.EPERM: ("{file} cannot be written ({reason}).", RIGHTS),
    errno.EROFS: ("{file} cannot be written ({reason}).", RIGHTS),
    errno.ENOSPC: ("there is no room left on the disk of {folder}.", ROOM),
    errno.EDQUOT: ("there is no room left on the disk of {folder}.", ROOM),
    errno.ENOTDIR: ("{file} is no folder.", "Name a folder for the data with --data or server.data."),
    errno.EEXIST: ("{file} is no folder.", "Name a folder for the data with --data or server.data."),
    errno.EMFILE: ("the gateway may not open more files.", "Raise the limit (ulimit -n, LimitNOFILE of systemd)."),
}


def explain(error: BaseException, folder: Path) -> DataUnusable | None:
    """Return what ``error`` says of the data in ``folder``; None for an error that is about something else."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(cause, sqlite3.Error):
        code = getattr(cause, "sqlite_errorcode", 0) & 0xFF
        if code in (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN) and _is_full(folder):
            code = sqlite3.SQLITE_FULL  # which SQLite says of the database itself only
        usual = ("{file} cannot be used ({reason}).", "Look at the gateway's log.")
        return _told(SENTENCES.get(code, usual), folder, folder / DATABASE, str(cause))
    if isinstance(cause, OSError) and _is_about(cause, folder):
        usual = ("{file} cannot be used ({reason}).", RIGHTS)
        file = Path(os.fsdecode(cause.filename)) if cause.filename else folder
        return _told(OS_SENTENCES.get(cause.errno or 0, usual), folder, file, cause.strerror or str(cause))
    return None


def _is_full(folder: Path) -> bool:
    try:
        found = os.statvfs(folder)
    except OSError:
        return False
    return found.f_bavail * found.f_frsize < LEAST_ROOM


def _is_about(error: OSError, folder: Path) -> bool:
    if error.errno == errno.EMFILE:
        return True
    return isinstance(error.filename, str | bytes | os.PathLike) and Path(os.fsdecode(error.filename)).is_relative_to(
        folder
    )


def _told(sentence: tuple[str, str], folder: Path, file: Path, reason: str) -> DataUnusable:
    return DataUnusable(sentence[0].format(file=file, folder=folder, reason=reason), hint=sentence[1])
