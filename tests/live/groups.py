"""Process groups of servers that a test started."""

import contextlib
import os
import signal
import subprocess
import time
from pathlib import Path

ENDED = "ZX"
"""States of a process that has given back its sockets and files: a zombie, and one that is just being removed."""


def kill_group(process: subprocess.Popen[bytes], *, within_s: float = 15) -> None:
    """Kill ``process`` and its group, and wait until no member of it holds a port, a lock or a file any more.

    To wait for the process alone is not enough: a child that is still dying takes connections.
    Raises ``AssertionError`` when one is left.
    """
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(within_s)
    deadline = time.monotonic() + within_s
    while left := members(process.pid):
        assert time.monotonic() < deadline, f"processes {left} outlived SIGKILL for {within_s} s"
        time.sleep(0.01)


def members(group: int) -> list[int]:
    """Return the processes of ``group`` that have not ended, by id (proc(5): state and pgrp of /proc/PID/stat)."""
    return [int(stat.parent.name) for stat in Path("/proc").glob("[0-9]*/stat") if _is_member(stat, group)]


def _is_member(stat: Path, group: int) -> bool:
    try:
        state, _parent, its_group = stat.read_text(errors="replace").rpartition(")")[2].split()[:3]
    except (OSError, ValueError):
        return False
    return state not in ENDED and int(its_group) == group
