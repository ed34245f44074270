"""A gateway under load whose power is cut again and again; each life begins with what the last cut left on the disk."""

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

LONGEST_LIFE_S = 0.9
LAST_WORDS_S = 0.1
"""How long what the gateway has sent may be on its way to the machines around it."""
LONGEST_START_S = 2.5
CUT_WHILE_STARTING = 0.15
"""The share of lives that end before the gateway is ready, or soon after."""
STANDS_STILL_S = 60.0
"""After so long without a forward told the gateway is taken to be done."""
BAD_LINES = ("Traceback", "is damaged", "not a database", "database disk image is malformed")
CARELESS = Path(__file__).with_name("careless")


@dataclass(frozen=True, slots=True)
class Wanted:
    """How an office is run: ``losses`` and ``workers`` take turns from cut to cut; ``images`` more moments of each life
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
        """Take in those of another office."""
        for name, value in vars(other).items():
            setattr(self, name, getattr(self, name) + value)


class Office:
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
        self._root.mkdir()
        with self._peers.serving():
            for life in range(self._wanted.cuts):
                self._live(life)
                if self.findings.problems:
                    return self.findings
            self._finish()
        return self.findings

    @property
    def data(self) -> Path:
        """The gateway's data folder."""
        return self._root / "data"

    def _note(self, line: str) -> None:
        self._marks.mark(line)

    # a life and its end

    def _live(self, life: int) -> None:
        loss, workers = self._turn_of(life)
        self._begin(life)
        disk, inodes = Disk(self._root), inodes_of(self._root)
        put(self._root, self._folder / "base")
        process = self._start(workers)
        try:
            self._work(life, process)
        finally:
            cut_power(process)
        records = self._end()
        told = {"loss": loss.value, "seed": self._moment(life, records), "root": str(self._root), "inodes": inodes}
        (self._folder / "cut.json").write_text(json.dumps(told))
        self._look(life, loss, disk, records)
        self._count(records)

    def _turn_of(self, life: int) -> tuple[Loss, int]:
        losses, workers = self._wanted.losses, self._wanted.workers
        return losses[life % len(losses)], workers[life // len(losses) % len(workers)]

    def _moment(self, life: int, records: Sequence[Record]) -> str:
        return f"{self._seed}/{life}/{len(records)}"

    def _begin(self, life: int) -> None:
        self._peers.life = life
        self._record.unlink(missing_ok=True)
        self._marks.close()
        self._marks = MarkWriter(self._record)

    def _end(self) -> Sequence[Record]:
        """Return all that was done and promised in a life, once the machines around the gateway are at rest."""
        time.sleep(LAST_WORDS_S)
        wait_for(lambda: not self._peers.busy, 10)
        self._marks.close()
        self.findings.problems += [f"written down too late: {line}" for line in self._marks.late]
        return read_log(self._record)

    def _work(self, life: int, process: subprocess.Popen[bytes]) -> None:
        """Let the gateway start and work until its time is over, which may be before it has started."""
        if self._random.random() < CUT_WHILE_STARTING:
            time.sleep(self._random.uniform(0, LONGEST_START_S))
            return
        try:
            wait_until(lambda: is_ready(self._port), {"the gateway": process}, self._log)
        except RuntimeError as error:
            self.findings.problems.append(f"the gateway does not start after the cut: {str(error)[-1000:]}")
            return
        load = Load(self._port, life, self._note)
        load.start()
        time.sleep(self._random.uniform(0, LONGEST_LIFE_S))
        cut_power(process)
        load.stop()
        self.findings.problems += [f"not answered well: {error}" for error in load.errors[:3]]

    def _start(self, workers: int) -> subprocess.Popen[bytes]:
        config = self._folder / "gateway.toml"
        written = CONFIG.format(port=self._port, workers=workers, max_screens=10)
        config.write_text(written.replace('data = "data"', f'data = "{self.data}"') + self._peers.configuration())
        return start([*COMMAND, "serve", "--config", str(config)], self._log, None, **self._environment())

    def _environment(self) -> dict[str, str]:
        sync = "real" if self._lazyfs else self._wanted.sync
        under = environment(self._library, self._root, self._record, sync=sync)
        if self._wanted.synchronous == "FULL":
            return dict(under)
        return {**under, "PYTHONPATH": str(CARELESS), "POWERCUT_SYNCHRONOUS": self._wanted.synchronous}

    # what the disk holds then

    def _look(self, life: int, loss: Loss, disk: Disk, records: Sequence[Record]) -> None:
        """Look at the disk of some moments of the life, then at that of the cut, with which the next life begins."""
        played = 0
        for count in [*self._moments(records), len(records)]:
            disk.play(records[played:count])
            self.promises.add_all(records[played:count])
            played = count
            if count < len(records):
                self._look_at_image(disk, self._random.choice(list(Loss)), self._moment(life, records[:count]))
        if missed := disk.differences():
            self.findings.problems.append(f"the shim has missed changes of {missed}")
        if self._lazyfs:
            self._forget(self._lazyfs, disk)
        else:
            self._look_at_image(disk, loss, self._moment(life, records))
            put(self._folder / "raw", self._root)
        self._look_at_operation()

    def _moments(self, records: Sequence[Record]) -> Sequence[int]:
        """Return moments at which the power may have gone as well: half of them while a sync was under way."""
        syncs = [count for count, record in enumerate(records) if record.kind is Kind.SYNC_ENDS]
        half = self._wanted.images // 2
        chosen = self._random.sample(syncs, min(half, len(syncs)))
        others = self._random.sample(range(len(records)), min(self._wanted.images - half, len(records)))
        return sorted({*chosen, *others})

    def _look_at_image(self, disk: Disk, loss: Loss, seed: str) -> None:
        """Make the disk of this moment and look at a copy of it: SQLite changes what it opens."""
        raw = self._folder / "raw"
        shutil.rmtree(raw, ignore_errors=True)
        disk.write_out(raw, loss, seed)
        self._look_at(raw, f"{loss.value}, {seed}")

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

    # the end of an office

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


def replay(folder: Path, target: Path) -> str:
    """Make the disk of the last cut of the office in ``folder`` again, as ``target``, always the same; name the cut."""
    told = json.loads((folder / "cut.json").read_text())
    disk = Disk(Path(told["root"]), copy=folder / "base", inodes=told["inodes"])
    disk.play(read_log(folder / "record"))
    disk.write_out(target, Loss(told["loss"]), told["seed"])
    return f"{told['loss']}, {told['seed']}"
