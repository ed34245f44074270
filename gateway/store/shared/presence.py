"""Which processes of a gateway are alive, so that what a dead one held is known to be free.

On a data folder kernel locks tell it, at once: a process that places orders or sends events has a file of its own
under ``running`` and holds its lock until it ends, however it ends. Where that cannot be had (no room, too many open
files) it has no name, and what it leaves behind is found by its age. Nodes on PostgreSQL have leases
(``row_presence.py``).
"""

import fcntl
import os
import secrets
import threading
from contextlib import suppress
from pathlib import Path
from typing import Protocol

import structlog

from gateway.store.private_files import make_folder, open_private

log = structlog.get_logger()

FOLDER = "running"


class Presence(Protocol):
    """This process, and a look at the others."""

    def name(self) -> str | None:
        """Return the name under which this process is known to be alive, None where it cannot have one."""
        ...

    def alive(self, name: str) -> bool:
        """Return whether the process of that name still runs; true also where it cannot be told."""
        ...

    def close(self) -> None:
        """Let others know that this process holds nothing any more. Safe to call again."""
        ...


class FilePresence:
    """See ``Presence``. The file of this process is made when its name is first asked for."""

    def __init__(self, data: Path) -> None:
        self._folder = data / FOLDER
        self._lock = threading.Lock()
        self._name: str | None = None
        self._file = -1

    def name(self) -> str | None:
        """Return the name under which this process is known to be alive, None where it cannot have one."""
        if self._name is None:
            with self._lock:
                if self._name is None:
                    self._name = self._appear()
        return self._name

    def alive(self, name: str) -> bool:
        """Return whether the process of that name still runs."""
        return name == self._name or _is_locked(self._folder / name)

    def close(self) -> None:
        """Let others know that this process holds nothing any more. Safe to call again."""
        with self._lock:
            if self._name is not None:
                with suppress(OSError):
                    (self._folder / self._name).unlink()
                os.close(self._file)
                self._name, self._file = None, -1

    def _appear(self) -> str | None:
        try:
            make_folder(self._folder)
            for path in self._folder.iterdir():
                _remove_if_dead(path)
            while True:
                name = f"{os.getpid()}-{secrets.token_hex(4)}"
                file = open_private(self._folder / name)
                fcntl.flock(file, fcntl.LOCK_EX)
                if os.fstat(file).st_nlink:
                    self._file = file
                    return name
                os.close(file)  # somebody tidied up between the two calls
        except OSError as error:
            log.warning("presence_not_shown", error=error.strerror)
            return None


def _remove_if_dead(path: Path) -> None:
    """Unlink under the lock, so that a process that is just taking it notices."""
    with suppress(OSError), path.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        path.unlink()


def _is_locked(path: Path) -> bool:
    try:
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    except OSError:  # it cannot be told, so nothing is taken from anybody
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(file)
    return False
