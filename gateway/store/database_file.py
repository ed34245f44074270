"""Whether the database's file is still the one that this process opened.

A file that is deleted or replaced stays open: writing to it goes on well, and all of it is gone at the next start. So
the path is looked at with every commit (a look costs two microseconds), and nothing is acknowledged on a lost file.
"""

import os
from pathlib import Path

from gateway.errors import StoreReplaced

Identity = tuple[int, int]
"""Device and inode."""


class DatabaseFile:
    """The database at ``path`` and its write-ahead log, as they are now."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known: dict[Path, Identity | None] = {
            path: _identity(path),
            path.with_name(f"{path.name}-wal"): None,  # made and let go of by SQLite; known from the first commit on
        }

    def check(self) -> None:
        """Raise ``StoreReplaced`` unless database and write-ahead log are those that were there before."""
        for path, known in self._known.items():
            found = _identity(path)
            if known is None:
                self._known[path] = found
            elif found != known:
                raise StoreReplaced(path.name)


def _identity(path: Path) -> Identity | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino
