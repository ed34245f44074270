"""``python -m tests.fuzz.wire``: a coverage-guided search for a request that the entrances do not stand.

It starts from the recordings of real clients and from ``corpus/``, changes them in whatever way reaches new lines of
the gateway, and checks every answer (``entrances.py``). It goes on after a finding; it ends with status 1 if there was
one. Linux only, and Python versions for which ``atheris`` has wheels.
"""

import argparse
import os
import shutil
import sys
import tempfile
import time
import traceback
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.fuzz.entrances import PATHS, Escape, front, knock_at

HERE = Path(__file__).parent
RECORDINGS = HERE.parent / "recordings"
LONGEST = 16384
LISTED = 5
MISSING = "This command needs atheris: pip install 'cti-gateway[fuzz]' (from source: pip install -e '.[fuzz]')."


@dataclass
class Search:
    """What was tried so far, and what was found; inputs that escape are saved in ``folder``, ``scratch`` is removed."""

    wires: tuple[str, ...]
    seconds: float
    folder: Path
    scratch: Path
    began: float = field(default_factory=time.monotonic)
    tried: int = 0
    slowest: list[tuple[float, str, bytes]] = field(default_factory=list)
    found: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._front = front()

    def try_one(self, data: bytes) -> None:
        """Knock at every entrance searched; ends the process when time is up."""
        for wire in wires_of(data, self.wires):
            self.tried += 1
            try:
                told = knock_at(self._front, wire, data)
            except Escape as escape:
                self._note(escape, wire, data)
            else:
                self._time(told.cpu_s, wire, data)
        if time.monotonic() - self.began > self.seconds:
            self.finish()

    def _time(self, cpu_s: float, wire: str, data: bytes) -> None:
        if len(self.slowest) < LISTED or cpu_s > self.slowest[-1][0]:
            self.slowest = sorted([*self.slowest, (cpu_s, wire, data)], reverse=True)[:LISTED]

    def _note(self, escape: Escape, wire: str, data: bytes) -> None:
        """Keep the first input of each kind: the same defect behind the same line is one finding."""
        kind = f"{wire}: {escape} {place_of(escape)}".strip()
        self.found[kind] = self.found.get(kind, 0) + 1
        if self.found[kind] == 1:
            path = self.folder / f"{wire}-{len(self.found)}"
            path.write_bytes(data)
            print(f"FOUND {kind}, saved as {path}", flush=True)
            traceback.print_exception(escape)

    def finish(self) -> None:
        """Print the report and end, without the libraries' own farewell."""
        shutil.rmtree(self.scratch, ignore_errors=True)
        took = time.monotonic() - self.began
        print(f"{self.tried} inputs in {took:.0f} s ({self.tried / took:.0f} per second) at {', '.join(self.wires)}")
        for cpu_s, wire, data in self.slowest:
            print(f"slowest: {cpu_s * 1000:.1f} ms CPU, {wire}, {len(data)} bytes")
        if self.slowest:
            (self.folder / "slowest").write_bytes(self.slowest[0][2])
        for kind, times in self.found.items():
            print(f"found {times} times: {kind}")
        print(f"findings: {len(self.found)}", flush=True)
        os._exit(1 if self.found else 0)


def wires_of(data: bytes, wires: tuple[str, ...]) -> Iterable[str]:
    """The entrance that the request's path belongs to; where it is nobody's, all."""
    path = data[:200].partition(b" ")[2].partition(b" ")[0].partition(b"?")[0].decode("latin-1")
    meant = [wire for wire in wires if path in PATHS[wire]]
    # Both SOAP endpoints read the same requests, each with code of its own.
    both = {"soap", "encoded"}
    return [wire for wire in wires if wire in both] if both & set(meant) else meant or wires


def place_of(escape: BaseException) -> str:
    """File and line where the cause was raised, the last one of the gateway's own."""
    cause = escape.__cause__
    frames = traceback.extract_tb(cause.__traceback__) if cause else []
    ours = [frame for frame in frames if f"{os.sep}gateway{os.sep}" in frame.filename]
    return f"({Path(ours[-1].filename).name}:{ours[-1].lineno})" if ours else ""


def seeds() -> list[bytes]:
    """The recorded requests of real clients, and our own samples."""
    recorded = [path.read_bytes() for path in sorted(RECORDINGS.glob("*/*/request"))]
    own = [path.read_bytes() for path in sorted((HERE / "corpus").glob("*.http"))]
    return recorded + own


def options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.wire", description="Fuzz the gateway's entrances.")
    parser.add_argument("--seconds", type=float, default=60, help="how long to search (60)")
    parser.add_argument("--wire", choices=[*PATHS, "all"], default="all", help="which entrance (all)")
    parser.add_argument("--save", type=Path, help="folder for inputs that escape (a temporary one)")
    parser.add_argument("--corpus", type=Path, help="folder where inputs that reach new lines are kept for next time")
    parser.add_argument("--seed", type=int, default=0, help="of the random numbers (0: another each time)")
    return parser.parse_args(arguments)


def main(arguments: list[str]) -> None:
    """Search until the time is up."""
    chosen = options(arguments)
    try:
        import atheris
    except ImportError:
        sys.exit(MISSING)
    wires = tuple(PATHS) if chosen.wire == "all" else (chosen.wire,)
    folder = chosen.save or Path(tempfile.mkdtemp(prefix="cti-fuzz-"))
    folder.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix="cti-seeds-"))
    start(atheris, Search(wires, chosen.seconds, folder, scratch), scratch, chosen)


def start(atheris: Any, search: Search, scratch: Path, chosen: argparse.Namespace) -> None:
    """Hand over to libFuzzer, which never comes back."""
    for number, seed in enumerate(seeds()):
        (scratch / str(number)).write_bytes(seed)
    kept = chosen.corpus or scratch / "new"
    kept.mkdir(parents=True, exist_ok=True)
    instrument(atheris)
    flags = [
        f"-max_len={LONGEST}",
        f"-seed={chosen.seed}",
        f"-dict={HERE / 'wire.dict'}",
        f"-artifact_prefix={search.folder}{os.sep}",
        "-timeout=20",
        "-verbosity=0",
        "-rss_limit_mb=2048",
    ]
    search.began = time.monotonic()
    atheris.Setup([sys.argv[0], *flags, str(kept), str(scratch)], search.try_one)
    atheris.Fuzz()


def instrument(atheris: Any) -> None:
    """Have the functions that read requests count their branches."""
    for name, module in sorted(sys.modules.items()):
        if name.startswith(("gateway.wire", "werkzeug.formparser", "werkzeug.sansio.multipart")):
            for function in functions_of(module):
                atheris.instrument_func(function)


def functions_of(module: Any) -> Iterable[Any]:
    """The module's own functions and methods."""
    for value in list(vars(module).values()):
        for one in vars(value).values() if isinstance(value, type) else (value,):
            if getattr(one, "__module__", "") == module.__name__ and hasattr(one, "__code__"):
                yield one


if __name__ == "__main__":
    main(sys.argv[1:])
