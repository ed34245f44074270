"""Programs that a benchmark needs: finding them, starting them, waiting for them, and stopping them always."""

import argparse
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

STOP_WITHIN_S = 20


class Missing(Exception):
    """A program is not installed; ``remedy`` says how to get it."""

    def __init__(self, program: str, remedy: str) -> None:
        super().__init__(f"{program} is not installed. {remedy}")


def in_folder(measure: Callable[[argparse.Namespace, Path], int], options: argparse.Namespace) -> int:
    """Return what ``measure(options, folder)`` does, with a folder in ``options.folder`` that is gone afterwards, also
    where a signal ends it; 2 where a program is missing.
    """
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        with TemporaryDirectory(prefix="cti-bench-", dir=options.folder) as folder:
            return measure(options, Path(folder))
    except Missing as error:
        print(error, file=sys.stderr)
        return 2


def find_program(names: Sequence[str], remedy: str) -> str:
    """The path of the first of ``names`` that is installed, system folders included. Raises ``Missing``."""
    path = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/usr/local/sbin"])
    for name in names:
        if found := shutil.which(name, path=path):
            return found
    raise Missing(names[0], remedy)


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def start(command: Sequence[str], log: Path, folder: Path | None = None, **environment: str) -> subprocess.Popen[bytes]:
    """Start ``command`` in ``folder`` as the head of its own process group, its output in ``log``."""
    with log.open("ab") as output:
        return subprocess.Popen(
            command,
            cwd=folder,
            stdout=output,
            stderr=output,
            env=os.environ | environment,
            start_new_session=True,
        )


def stop(process: subprocess.Popen[bytes], how: signal.Signals = signal.SIGTERM) -> None:
    """End ``process`` and all of its group; SIGKILL follows for what has not ended within 20 s."""
    if process.poll() is None:
        signal_group(process, how)
    with suppress(subprocess.TimeoutExpired):
        process.wait(STOP_WITHIN_S)
    signal_group(process, signal.SIGKILL)
    process.wait()


def signal_group(process: subprocess.Popen[bytes], how: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, how)


@contextmanager
def running(command: Sequence[str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """``command`` for the length of a block."""
    process = start(command, log)
    try:
        yield process
    finally:
        stop(process)


def wait_until(
    ready: Callable[[], bool], processes: Mapping[str, subprocess.Popen[bytes]], log: Path, *, timeout_s: float = 40
) -> None:
    """Wait until ``ready()``. Raises ``RuntimeError`` with ``log`` when a process ends or time runs out."""
    deadline = time.monotonic() + timeout_s
    while not ready():
        ended = [name for name, process in processes.items() if process.poll() is not None]
        if ended or time.monotonic() > deadline:
            reason = f"{ended[0]} ended" if ended else f"not ready after {timeout_s:.0f} s"
            raise RuntimeError(f"{reason}:\n{log.read_text(errors='replace')}")
        time.sleep(0.05)


def is_open(port: int) -> bool:
    """Whether somebody accepts connections on ``port`` of 127.0.0.1."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=2).close()
    except OSError:
        return False
    return True
