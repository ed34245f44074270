"""Foreign servers of a test: each in a process group of its own, logging into one folder."""

import contextlib
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.live.conftest import STARTED

LOG_END = 6_000
"""How much of each log a failed test shows."""


def spawn(command: list[str], folder: Path, log: str) -> subprocess.Popen[bytes]:
    """Start ``command`` in ``folder``; what it prints goes into the file ``log`` there."""
    with (folder / log).open("ab") as output:
        process = subprocess.Popen(
            command,
            cwd=folder,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=os.environ | {"TERM": "dumb"},
            start_new_session=True,
        )
    STARTED.append(process)
    return process


def until(done: Callable[[], bool], what: str, *, timeout_s: float = 60) -> None:
    deadline = time.monotonic() + timeout_s
    while not done():
        assert time.monotonic() < deadline, f"not within {timeout_s} s: {what}"
        time.sleep(0.03)


@contextlib.contextmanager
def logs_told(folder: Path) -> Iterator[None]:
    """A failure inside carries what the servers in ``folder`` said."""
    try:
        yield
    except BaseException as error:
        for path in sorted(folder.glob("*.log")):
            error.add_note(f"--- {path.name}\n{path.read_text(errors='replace')[-LOG_END:]}")
        raise


def asterisk_ready(folder: Path) -> bool:
    """Whether the Asterisk that logs into ``folder`` has loaded everything.

    Its manager answers before, and says yes to an order that it then forgets: seen with 22.10 of Debian sid.
    """
    log = folder / "asterisk.log"
    return log.exists() and "Asterisk Ready." in log.read_text(errors="replace")
