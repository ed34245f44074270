"""A gateway under load whose power is cut again and again: each round begins with what the last cut left on disk."""

import json
import random
import shutil
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.gateway_process import COMMAND, CONFIG, is_ready
from bench.powercut.disk import Disk, Loss, inodes_of
from bench.powercut.lazyfs import LazyFs, compare
from bench.powercut.load import Load
from bench.powercut.peers import Peers
from bench.powercut.power import cut_power, wait_for
from bench.powercut.promises import Promises
from bench.powercut.shim import environment
from bench.powercut.writelog import Kind, MarkWriter, Record, read_log
from bench.processes import free_port, start, stop, wait_until

LONGEST_ROUND_S = 0.9
LAST_WORDS_S = 0.1
"""How long what the gateway has sent may be on its way to the machines around it."""
LONGEST_START_S = 2.5
CUT_WHILE_STARTING = 0.15
"""The share of rounds that end before the gateway is ready, or soon after."""
STANDS_STILL_S = 60.0
"""After so long without a forward told the gateway is taken to be done."""
BAD_LINES = ("Traceback", "is damaged", "not a database", "database disk image is malformed")
CONTROL = Path(__file__).with_name("control")


@dataclass(frozen=True, slots=True)
class Wanted:
    """How a series is run: ``losses`` and ``workers`` take turns from cut to cut; ``images`` more moments of each round
    are looked at, beside the one of the cut.

    Controls, with which promises have to break: ``sync`` "ignored" is a disk that lies, ``synchronous`` a gateway that
    opens its database with less than FULL.
    """

    cuts: int
    workers: Sequence[int] = (1, 2)
    losses: Sequence[Loss] = tuple(Loss)
    images: int = 10
    sync: str = "recorded"
    synchronous: str = "FULL"


@dataclass
class Findings:
    """What came of the cuts."""

    cuts: int = 0
    images: int = 0
    compared: int = 0
    events: int = 0
    orders: int = 0
    dials: int = 0
    told: int = 0
    records: int = 0
    problems: list[str] = field(default_factory=list)

    def add(self, other: "Findings") -> None:
        """Take in those of another series."""
        for name, value in vars(other).items():
            setattr(self, name, getattr(self, name) + value)


class Series:
    """The gateway, its disk and the machines around it, in ``folder``; all that is random follows from ``seed``.

    The disk lies in ``folder`` too, or on a mounted LazyFS.
    """

    def __init__(self, folder: Path, library: Path, seed: str, wanted: Wanted, lazyfs: LazyFs | None = None) -> None:
        self._folder, self._library, self._seed, self._wanted = folder, library, seed, wanted
        self._lazyfs = lazyfs
        folder.mkdir()
        self._random = random.Random(seed)
        self._root = (lazyfs.mount if lazyfs else folder) / f"disk-{folder.name}"
        self._record, self._log = folder / "record", folder / "gateway.log"
        self._marks = MarkWriter(self._record)
        self._port = free_port()
        self._peers = Peers(self._note, seed)
        self.promises = Promises()
        self.findings = Findings()

    def run(self) -> Findings:
        """Cut the power as often as wanted, then let the gateway finish; what did not hold is in the findings.

        Ends with the first cut that breaks a promise: ``replay`` makes its disk again from what stays in the folder.
        """
        shutil.rmtree(self._root, ignore_errors=True)  # of an earlier run, on a LazyFS that is still mounted
        self._root.mkdir()
        with self._peers.serving():
            for round_no in range(self._wanted.cuts):
                self._run_round(round_no)
                if self.findings.problems:
                    return self.findings
            self._finish()
        if not self.findings.problems:
            shutil.rmtree(self._root)
        return self.findings

    @property
    def data(self) -> Path:
        """The gateway's data folder."""
        return self._root / "data"

    def _note(self, line: str) -> None:
        self._marks.mark(line)

    # a round and its end

    def _run_round(self, round_no: int) -> None:
        loss, workers = self._turn_of(round_no)
        self._begin(round_no)
        disk, inodes = Disk(self._root), inodes_of(self._root)
        put(self._root, self._folder / "base")
        process = self._start(workers)
        try:
            self._work(round_no, process)
        finally:
            cut_power(process)
        records = self._end()
        told = {"moment": self._moment(round_no, loss, records), "root": str(self._root), "inodes": inodes}
        (self._folder / "cut.json").write_text(json.dumps(told))
        self._look(round_no, loss, disk, records)
        self._count(records)

    def _turn_of(self, round_no: int) -> tuple[Loss, int]:
        losses, workers = self._wanted.losses, self._wanted.workers
        return losses[round_no % len(losses)], workers[round_no // len(losses) % len(workers)]

    def _moment(self, round_no: int, loss: Loss, records: Sequence[Record]) -> str:
        """Name the disk after ``records`` of a round, so that ``replay`` finds it."""
        return f"{loss.value}/{self._seed}/{round_no}/{len(records)}"

    def _begin(self, round_no: int) -> None:
        self._peers.round_no = round_no
        self._record.unlink(missing_ok=True)
        self._marks.close()
        self._marks = MarkWriter(self._record)

    def _end(self) -> Sequence[Record]:
        """Return all that was done and promised in a round, once the machines around the gateway are at rest."""
        time.sleep(LAST_WORDS_S)
        wait_for(lambda: not self._peers.busy, 10)
        self._marks.close()
        self.findings.problems += [f"written down too late: {line}" for line in self._marks.late]
        return read_log(self._record)

    def _work(self, round_no: int, process: subprocess.Popen[bytes]) -> None:
        """Let the gateway start and work until its time is over, which may be before it has started."""
        if self._random.random() < CUT_WHILE_STARTING:
            time.sleep(self._random.uniform(0, LONGEST_START_S))
            return
        try:
            wait_until(lambda: is_ready(self._port), {"the gateway": process}, self._log)
        except RuntimeError as error:
            self.findings.problems.append(f"the gateway does not start after the cut: {str(error)[-1000:]}")
            return
        load = Load(self._port, round_no, self._note)
        load.start()
        time.sleep(self._random.uniform(0, LONGEST_ROUND_S))
        cut_power(process)
        load.stop()
        self.findings.problems += [f"not answered well: {error}" for error in load.errors[:3]]

    def _start(self, workers: int) -> subprocess.Popen[bytes]:
        config = self._folder / "gateway.toml"
        written = CONFIG.format(port=self._port, workers=workers, max_screens=10, server="")
        config.write_text(written.replace('data = "data"', f'data = "{self.data}"') + self._peers.configuration())
        return start([*COMMAND, "serve", "--config", str(config)], self._log, None, **self._environment())

    def _environment(self) -> dict[str, str]:
        sync = "real" if self._lazyfs else self._wanted.sync
        under = environment(self._library, self._root, self._record, sync=sync)
        if self._wanted.synchronous == "FULL":
            return dict(under)
        return {**under, "PYTHONPATH": str(CONTROL), "POWERCUT_SYNCHRONOUS": self._wanted.synchronous}

    # what the disk holds then

    def _look(self, round_no: int, loss: Loss, disk: Disk, records: Sequence[Record]) -> None:
        """Look at the disk of some moments of the round, then at that of the cut, with which the next round begins."""
        played = 0
        for count in [*self._moments(records), len(records)]:
            disk.play(records[played:count])
            self.promises.add_all(records[played:count])
            played = count
            if count < len(records):
                chosen = self._random.choice(list(Loss))
                self._look_at_image(disk, self._moment(round_no, chosen, records[:count]))
        if missed := disk.differences():
            self.findings.problems.append(f"the shim has missed changes of {missed}")
        if self._lazyfs:
            self._forget(self._lazyfs, disk)
        else:
            self._look_at_image(disk, self._moment(round_no, loss, records))
            put(self._folder / "raw", self._root)
        self._look_at_operation()

    def _moments(self, records: Sequence[Record]) -> Sequence[int]:
        """Return moments at which the power may have gone as well: half of them while a sync was under way."""
        syncs = [count for count, record in enumerate(records) if record.kind is Kind.SYNC_ENDS]
        half = self._wanted.images // 2
        chosen = self._random.sample(syncs, min(half, len(syncs)))
        others = self._random.sample(range(len(records)), min(self._wanted.images - half, len(records)))
        return sorted({*chosen, *others})

    def _look_at_image(self, disk: Disk, moment: str) -> None:
        """Make the disk of this moment and look at a copy of it: SQLite changes what it opens."""
        raw = self._folder / "raw"
        shutil.rmtree(raw, ignore_errors=True)
        disk.write_out(raw, loss_of(moment), moment)
        self._look_at(raw, moment)

    def _look_at(self, root: Path, title: str) -> None:
        image = self._folder / "image"
        put(root, image)
        self.findings.images += 1
        self.findings.problems += [f"{title}: {line}" for line in self.promises.broken_on(image / "data")]

    def _forget(self, lazyfs: LazyFs, disk: Disk) -> None:
        """Have LazyFS forget what was not synced, and hold what it leaves against the promises and against the shim."""
        lazyfs.forget()
        self.findings.compared += 1
        self.findings.problems += [f"LazyFS and the shim differ: {line}" for line in compare(disk, self._root)]
        self._look_at(self._root, "LazyFS")

    def _look_at_operation(self) -> None:
        self.findings.problems += self.promises.broken_in_operation()
        self.findings.problems += [f"the gateway's log: {line}" for line in bad_lines(self._log)]

    def _count(self, records: Sequence[Record]) -> None:
        found = self.findings
        found.cuts, found.records = found.cuts + 1, found.records + len(records)
        found.events, found.orders = len(self.promises.events), len(self.promises.orders)
        found.dials = sum(map(len, self.promises.dials.values()))
        found.told = self.promises.told.total()

    # the end of a series

    def _finish(self) -> None:
        """Start once more, without load, until everything has been told; then stop in good order, and look."""
        self._begin(self._wanted.cuts)
        process = self._start(self._wanted.workers[-1])
        try:
            wait_until(lambda: is_ready(self._port), {"the gateway": process}, self._log)
            self._wait_until_all_is_told()
        finally:
            stop(process)
        self.promises.add_all(self._end())
        self.findings.told = self.promises.told.total()
        self.findings.problems += self.promises.broken_at_the_end(self.data)
        self._look_at(self._root, "at the end")
        self._look_at_operation()

    def _wait_until_all_is_told(self) -> None:
        told, since = -1, time.monotonic()
        while time.monotonic() < since + STANDS_STILL_S:
            so_far = Promises(told=self.promises.told.copy())
            so_far.add_all(read_log(self._record))
            if not so_far.broken_at_the_end(self.data):
                return
            if so_far.told.total() != told:
                told, since = so_far.told.total(), time.monotonic()
            time.sleep(1)


def put(source: Path, target: Path) -> None:
    """Let ``target`` be a copy of ``source`` and nothing else. The folder itself stays, for it may be mounted."""
    target.mkdir(exist_ok=True)
    for entry in target.iterdir():
        shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
    shutil.copytree(source, target, dirs_exist_ok=True, ignore=_sockets)


def _sockets(folder: str, names: list[str]) -> list[str]:
    return [name for name in names if Path(folder, name).is_socket()]


def bad_lines(log: Path) -> Sequence[str]:
    """Return lines of the gateway's log that speak of damage, or of an error that nobody expected."""
    lines = log.read_text(errors="replace").splitlines() if log.exists() else []
    return [line for line in lines if any(bad in line for bad in BAD_LINES)]


def replay(folder: Path, target: Path, moment: str = "") -> str:
    """Make a disk of the last round of the series in ``folder`` again, as ``target``, always the same; return its name.

    It is that of the cut, or of another ``moment``, which stands before each line that says what was wrong with it.
    """
    told = json.loads((folder / "cut.json").read_text())
    wanted = moment or told["moment"]
    disk = Disk(Path(told["root"]), copy=folder / "base", inodes=told["inodes"])
    disk.play(read_log(folder / "record")[: int(wanted.rpartition("/")[2])])
    disk.write_out(target, loss_of(wanted), wanted)
    return str(wanted)


def loss_of(moment: str) -> Loss:
    """Return what is lost at a moment, by its name."""
    return Loss(moment.partition("/")[0])
