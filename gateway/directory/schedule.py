"""Imports on a schedule: looks which are due, and lets a process of its own do each, so that no event waits for it.

Every worker of every node looks; who claims a run in the database does it (``store/imports/runs.py``), the others see
that it is taken. A source that fails is tried again later and later, and nothing else suffers from it.
"""

import pickle
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import structlog

from gateway.config.tables import Config, DirectorySettings
from gateway.errors import GatewayError
from gateway.store.imports.runs import ImportRun, Imports
from gateway.texts.text import Text

log = structlog.get_logger()

LOOK_EVERY_S = 5.0
AT_ONCE = 2
"""Imports that a schedule lets run side by side, in all processes together."""
LONGEST_WAIT_S = 6 * 3600
STOP_WITHIN_S = 5
COMMAND = (sys.executable, "-m", "gateway.server.import_process")


@dataclass(frozen=True, slots=True)
class ImportRequest:
    """What the process that imports is told, through its standard input; it holds secrets."""

    config: Config
    data: Path
    tenant: str
    name: str
    run_id: int


def wait_s(every_s: int, failures: int) -> int:
    """Return the seconds from the beginning of the last run to the next: doubled for each failure in a row, which puts
    it off to six hours at most (a longer interval stays).
    """
    return every_s if not failures else max(every_s, min(every_s * 2 ** min(failures, 16), LONGEST_WAIT_S))


def failures_of(runs: Sequence[ImportRun]) -> int:
    """Return how many of the last runs failed, one after the other; newest first."""
    return next((number for number, run in enumerate(runs) if run.state != "failed"), len(runs))


class Schedule:
    """Starts imports that are due, or asked for. ``start`` does nothing when there are no sources."""

    def __init__(
        self,
        config: Config,
        data: Path,
        imports: Imports,
        *,
        look_every_s: float = LOOK_EVERY_S,
        clock: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        self._config = config
        self._data = data
        self._imports = imports
        self._look_every_s = look_every_s
        self._clock = clock
        self._running: dict[int, subprocess.Popen[bytes]] = {}
        self._turn = threading.Lock()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="import-schedule", daemon=True)

    def start(self) -> None:
        if any(settings.directory for settings in self._config.tenants.values()):
            self._thread.start()

    def stop(self) -> None:
        """Start no more; imports under way are ended, and come again at their next time. Safe to call again."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(STOP_WITHIN_S)
        for process in self._running.values():
            process.terminate()
        with self._turn:
            self._reap(wait=True)

    def request(self, tenant: str, name: str) -> None:
        """Import from a source now, whatever its schedule. Raises ``ImportRunning``."""
        table = self._config.tenants[tenant].directory[name]
        run_id = self._imports.begin(tenant, name, table.source, self._clock())
        with self._turn:
            self._launch(ImportRequest(self._config, self._data, tenant, name, run_id))

    def look(self) -> None:
        """Write down what has ended, and start what is due."""
        with self._turn:
            self._look()

    def _look(self) -> None:
        self._reap()
        for tenant, name, table, every_s in self._scheduled():
            if len(self._running) >= AT_ONCE:
                return
            if (run_id := self._claim(tenant, name, table, every_s)) is not None:
                self._launch(ImportRequest(self._config, self._data, tenant, name, run_id))

    def _watch(self) -> None:
        pause_s = min(1.0, self._look_every_s)
        while not self._stopping.wait(pause_s):
            pause_s = self._look_every_s
            try:
                self.look()
            except GatewayError as error:
                log.warning("imports_not_looked_at", code=error.code)
            except Exception as error:
                log.error("import_schedule_failed", error=type(error).__name__, exc_info=error)

    def _scheduled(self) -> Iterator[tuple[str, str, DirectorySettings, int]]:
        for tenant, settings in self._config.tenants.items():
            for name, table in settings.directory.items():
                if table.every_s is not None:
                    yield tenant, name, table, table.every_s

    def _claim(self, tenant: str, name: str, table: DirectorySettings, every_s: int) -> int | None:
        """Return the run's id if it is due and nobody else has taken it."""
        now = self._clock()
        runs = self._imports.last(tenant, name, limit=10)
        not_after = now - wait_s(every_s, failures_of(runs)) * 1000
        if runs and not_after < runs[0].started_at <= now:  # one from the future is from before the clock was set back
            return None
        return self._imports.claim_due(tenant, name, table.source, now, not_after=not_after, most=AT_ONCE)

    def _launch(self, order: ImportRequest) -> None:
        log.info("import_begins", tenant=order.tenant, source=order.name, run=order.run_id)
        try:
            process = subprocess.Popen(COMMAND, stdin=subprocess.PIPE)  # noqa: S603 - our own interpreter and module
        except OSError as error:  # no file, process or memory left: the source must not wait for a run that never was
            text = Text("The import could not begin ({reason}).", reason=error.strerror)
            self._imports.bury(order.run_id, self._clock(), message=text)
            log.error("import_not_started", source=order.name, error=error.strerror)
            return
        assert process.stdin is not None
        self._running[order.run_id] = process
        try:
            # The pipe stays open: when this process dies, the other sees its end and dies as well.
            process.stdin.write(pickle.dumps(order))
            process.stdin.flush()
        except OSError as error:
            log.error("import_not_started", source=order.name, error=type(error).__name__)

    def _reap(self, *, wait: bool = False) -> None:
        for run_id, process in list(self._running.items()):
            if wait:
                _end(process)
            if process.poll() is not None:
                del self._running[run_id]
                self._imports.bury(run_id, self._clock())
                assert process.stdin is not None
                process.stdin.close()


def _end(process: "subprocess.Popen[bytes]") -> None:
    try:
        process.wait(STOP_WITHIN_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
