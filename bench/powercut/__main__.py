"""Cut the power of a gateway under load, again and again, and say what it had promised and does not have any more.

python -m bench.powercut
"""

import argparse
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import closing, nullcontext
from pathlib import Path
from tempfile import mkdtemp

from bench.powercut.disk import Loss
from bench.powercut.lazyfs import LazyFs
from bench.powercut.series import Findings, Series, Wanted, replay
from bench.powercut.shim import build
from bench.processes import Missing

CUTS_OF_A_SERIES = 25
"""Then a new one begins with an empty disk: what is looked at after each cut must not grow without end."""
LOSSES = [loss.value for loss in Loss]


def main(arguments: list[str] | None = None) -> int:
    """Exit code 1 when a promise was broken (the folder of that cut is kept then), 2 without a C compiler."""
    options = read_options(arguments)
    if options.replay:
        target = Path(options.folder) / "replayed"
        print(f"{target} is the disk of {replay(options.replay, target, options.moment)}")
        return 0
    folder = Path(mkdtemp(prefix="cti-powercut-", dir=options.folder))
    try:
        library = build(folder)
    except Missing as missing:
        print(missing, file=sys.stderr)
        folder.rmdir()
        return 2
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    disk = closing(LazyFs(*options.lazyfs)) if options.lazyfs else nullcontext()
    with disk as lazyfs:
        problems = cut_all(options, folder, library, lazyfs)
    if problems:
        print(*problems[:20], f"The disk before the cut, what was done then, and the cut: {folder}", sep="\n")
        return 1
    shutil.rmtree(folder)
    return 0


def cut_all(options: argparse.Namespace, folder: Path, library: Path, lazyfs: LazyFs | None) -> list[str]:
    """Cut as often as asked for, one series after the other, until something is wrong; return what that is."""
    found, began = Findings(), time.monotonic()
    for number, wanted in enumerate(each_series(options)):
        place = folder / f"series-{number}"
        found.add(Series(place, library, f"{options.seed}/{number}", wanted, lazyfs).run())
        print(summary(found, time.monotonic() - began), flush=True)
        if found.problems:
            break
        shutil.rmtree(place)
    return found.problems


def each_series(options: argparse.Namespace) -> Iterator[Wanted]:
    """Yield how each series is run."""
    for begun in range(0, options.cuts, CUTS_OF_A_SERIES):
        yield Wanted(
            cuts=min(CUTS_OF_A_SERIES, options.cuts - begun),
            workers=options.workers,
            losses=[Loss(name) for name in options.loss],
            images=options.images,
            sync="ignored" if options.disk_lies else "recorded",
            synchronous=options.synchronous,
        )


def summary(found: Findings, seconds: float) -> str:
    """Write what has come of all cuts so far, as one line."""
    compared = f", {found.compared} of them also by LazyFS" if found.compared else ""
    return (
        f"{found.cuts} cuts, {found.images} disks looked at{compared}: {found.events} events acknowledged, "
        f"{found.orders} orders answered, {found.dials} dialled, {found.told} forwards told; "
        f"{found.records} changes and syncs; {len(found.problems)} problems; {seconds:.0f} s"
    )


def read_options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.powercut", description=__doc__.splitlines()[0])
    parser.add_argument("--cuts", type=int, default=50, help="how often the power goes")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2], help="the gateway's processes, in turn")
    parser.add_argument(
        "--loss", nargs="+", choices=LOSSES, default=LOSSES, help="what becomes of writes that were not synced, in turn"
    )
    parser.add_argument(
        "--images", type=int, default=10, help="more moments of each round of which the disk is looked at"
    )
    parser.add_argument("--seed", default="1", help="what all that is random follows from")
    parser.add_argument(
        "--lazyfs",
        type=Path,
        nargs=3,
        metavar=("MOUNT", "PIPE", "COMPLETED"),
        help="a mounted LazyFS and its two pipes",
    )
    parser.add_argument(
        "--synchronous", choices=["FULL", "NORMAL", "OFF"], default="FULL", help="less than FULL: a control"
    )
    parser.add_argument("--disk-lies", action="store_true", help="a control: no sync does anything")
    parser.add_argument("--replay", type=Path, metavar="SERIES", help="make the disk of a kept series' last cut again")
    parser.add_argument("--moment", default="", help="or of another moment, by its name, such as torn/1/0/3/881")
    parser.add_argument("--folder", default="/var/tmp", help="where disks and logs lie")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
