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
        self._paths = (str(path), f"{path}-wal")
        # The log is made and let go of by SQLite; it is known from the first commit on.
        self._known: list[Identity | None] = [_identity(self._paths[0]), None]
        self._inodes: tuple[int, int, int, int] | None = None
        """Inodes and devices of both at the last look that compared them."""

    def check(self) -> None:
        """Raise ``StoreReplaced`` unless database and write-ahead log are those that were there before."""
        database, log = self._paths
        try:
            one, other = os.stat(database), os.stat(log)
        except OSError:
            return self._compare()
        # Twice for each transaction: told apart here, without another call.
        if (one.st_ino, one.st_dev, other.st_ino, other.st_dev) != self._inodes:
            self._compare()
            self._inodes = (one.st_ino, one.st_dev, other.st_ino, other.st_dev)
        return None

    def _compare(self) -> None:
        found = [_identity(path) for path in self._paths]
        for place, known in enumerate(self._known):
            if known is None:
                self._known[place] = found[place]
            elif found[place] != known:
                raise StoreReplaced(os.path.basename(self._paths[place]))


def _identity(path: str) -> Identity | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino
