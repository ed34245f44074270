"""The shim, built where it is needed, and the environment of a program that runs under it."""

import subprocess
from collections.abc import Mapping
from pathlib import Path

from bench.processes import find_program

SOURCE = Path(__file__).with_name("shim.c")
FLAGS = ("-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC")


def build(folder: Path) -> Path:
    """Compile the shim into ``folder``. Raises ``Missing`` without a C compiler."""
    compiler = find_program(["cc", "gcc", "clang"], "It builds the shim. Debian, Ubuntu: packages gcc and libc6-dev.")
    library = folder / "powercut.so"
    subprocess.run([compiler, *FLAGS, "-o", str(library), str(SOURCE)], check=True)
    return library


def environment(
    library: Path, root: Path, log: Path, *, sync: str = "recorded", sync_us: int = 300
) -> Mapping[str, str]:
    """What to set for a program whose changes below ``root`` are to be written to ``log``.

    ``sync`` is ``recorded``, ``real`` or ``ignored``; a recorded one takes ``sync_us`` microseconds, as a disk's would.
    """
    return {
        "LD_PRELOAD": str(library),
        "POWERCUT_ROOT": str(root.resolve()),
        "POWERCUT_LOG": str(log.resolve()),
        "POWERCUT_SYNC": sync,
        "POWERCUT_SYNC_US": str(sync_us),
    }
