"""How fast the disk makes writes durable: it bounds every contender, and differs between machines and moments."""

import os
import time
from pathlib import Path

BLOCK = b"\0" * 4096


def syncs_per_second(folder: Path, *, seconds: float = 0.5) -> float:
    """Appends of 4 KiB followed by ``fdatasync`` in each second, one after the other."""
    path = folder / "disk-probe"
    with path.open("ab", buffering=0) as file:
        began, done = time.perf_counter(), 0
        while (spent := time.perf_counter() - began) < seconds:
            file.write(BLOCK)
            os.fdatasync(file.fileno())
            done += 1
    path.unlink()
    return done / spent
