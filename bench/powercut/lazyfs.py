"""A disk that forgets by itself: LazyFS, a file system (FUSE) that keeps what was not synced in its own memory.

https://github.com/dsrhaslab/lazyfs. It forgets the content of files, not their names, and all of it or nothing: torn
writes it can only make as faults that end it. Our shim watches beside it, and both have to come to the same files.
"""

import os
import select
from collections.abc import Sequence
from pathlib import Path

from bench.powercut.disk import Disk

ANSWER_WITHIN_S = 60.0


class LazyFs:
    """A mounted LazyFS; ``pipe`` and ``completed`` are its ``fifo_path`` and ``fifo_path_completed``."""

    def __init__(self, mount: Path, pipe: Path, completed: Path) -> None:
        self.mount = mount
        self._pipe = pipe
        # LazyFS does not listen before somebody has opened it, and must not find it closed later.
        self._completed = os.open(completed, os.O_RDONLY | os.O_NONBLOCK)

    def forget(self) -> None:
        """Have all forgotten that was not synced. Raises ``TimeoutError``."""
        with self._pipe.open("wb", buffering=0) as pipe:
            pipe.write(b"lazyfs::clear-cache\n")
        answered = select.poll()
        answered.register(self._completed, select.POLLIN)
        if not answered.poll(ANSWER_WITHIN_S * 1000):
            raise TimeoutError(f"LazyFS does not answer by its pipe within {ANSWER_WITHIN_S:.0f} s")
        os.read(self._completed, 4096)

    def close(self) -> None:
        os.close(self._completed)


def compare(disk: Disk, root: Path) -> Sequence[str]:
    """Return the files that LazyFS has left in ``root`` and that are not as on ``disk`` without anything unsynced."""
    return [
        f"{path.relative_to(root)}: LazyFS has {path.stat().st_size} bytes of it"
        for path, contents in disk.contents_without_unsynced()
        if path.is_file() and path.read_bytes() not in contents
    ]
