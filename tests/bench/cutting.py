"""Running a program under the shim of bench.powercut."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from bench.powercut.disk import Disk
from bench.powercut.shim import build, environment
from bench.powercut.writelog import Record, read_log
from tests.peers import need, need_file

SOURCE = Path(__file__).parents[2]


def shim(folder: Path) -> Path:
    """The library, built in ``folder``, or a skip (a failure in CI) without a C compiler."""
    need("cc", package="gcc")
    need_file("/usr/include/stdio.h", package="libc6-dev")
    return build(folder)


def under_shim(
    program: Sequence[str], folder: Path, *, path: Path | None = None, **more: str
) -> tuple[Disk, Sequence[Record]]:
    """The disk, ``folder/disk``, as it is before Python runs ``program`` in ``folder``, and what that then does.

    ``path`` is searched for modules before the source tree.
    """
    (folder / "disk").mkdir(exist_ok=True)
    disk = Disk(folder / "disk")
    searched = os.pathsep.join(map(str, [path, SOURCE] if path else [SOURCE]))
    under = environment(shim(folder), folder / "disk", folder / "log", sync_us=0)
    environ = os.environ | under | {"PYTHONPATH": searched} | more
    subprocess.run([sys.executable, *program], cwd=folder, env=environ, check=True, timeout=60)
    return disk, read_log(folder / "log")


def files_of(folder: Path) -> dict[str, bytes]:
    """The contents of the files in ``folder``."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
