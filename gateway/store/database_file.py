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
        # Paths as texts: a Path is put together anew for each look.
        self._known: dict[str, Identity | None] = {
            str(path): _identity(str(path)),
            f"{path}-wal": None,  # made and let go of by SQLite; known from the first commit on
        }

    def check(self) -> None:
        """Raise ``StoreReplaced`` unless database and write-ahead log are those that were there before."""
        for path, known in self._known.items():
            found = _identity(path)
            if known is None:
                self._known[path] = found
            elif found != known:
                raise StoreReplaced(os.path.basename(path))


def _identity(path: str) -> Identity | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino
