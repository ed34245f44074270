"""Taking the power away from a program, and waiting for things."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from bench.procfs import stat_of

GONE_WITHIN_S = 20.0


def cut_power(process: subprocess.Popen[bytes]) -> None:
    """Kill ``process`` and all that it has started, and wait until nothing of it runs any more."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    if not wait_for(lambda: not any(_running(process.pid)), GONE_WITHIN_S):
        raise RuntimeError(f"processes of group {process.pid} do not end: {list(_running(process.pid))}")


def _running(group: int) -> Iterator[int]:
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            stat = stat_of(int(entry.name))
            if stat and int(stat[2]) == group and stat[0] not in "ZX":
                yield int(entry.name)


def wait_for(ready: Callable[[], bool], timeout_s: float) -> bool:
    """Wait until ``ready()``, so long at most; return whether it is."""
    ends = time.monotonic() + timeout_s
    while not (done := ready()) and time.monotonic() < ends:
        time.sleep(0.02)
    return done
