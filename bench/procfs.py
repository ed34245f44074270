"""What the kernel says of processes: who started whom, memory, CPU time."""

import os
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


def family(pid: int) -> list[int]:
    """``pid`` and all processes below it."""
    parents = {int(entry.name): parent_of(entry) for entry in Path("/proc").iterdir() if entry.name.isdigit()}
    found = [pid]
    for process in found:
        found += [child for child, parent in parents.items() if parent == process]
    return found


def parent_of(entry: Path) -> int:
    stat = stat_of(int(entry.name))
    return int(stat[1]) if stat else 0


def stat_of(pid: int) -> list[str]:
    """The fields of /proc/PID/stat from the state on; none when the process has ended."""
    try:
        # The name, in parentheses, may hold anything; the fields begin behind it.
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def cpu_seconds(pids: Iterable[int]) -> float:
    """CPU time, in user and system mode, that ``pids`` have used together."""
    stats = (stat_of(pid) for pid in pids)
    return sum(int(stat[11]) + int(stat[12]) for stat in stats if stat) / TICKS


def cpu_exactly(pids: Iterable[int]) -> float:
    """The same to the nanosecond, by the kernel's clock of each process: for what takes milliseconds."""
    worked = 0.0
    for pid in pids:
        with suppress(OSError):  # it has ended
            worked += time.clock_gettime(~pid << 3 | 2)
    return worked


def memory_mib(pid: int) -> float:
    """MiB that ``pid`` alone uses, and its share of what several use (PSS); 0 when it has ended."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024
