"""Imports as they are asked for: claimed, done, written down, whatever their end."""

import csv
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import structlog

from gateway.directory.run import Job, Progress, RunningImport
from gateway.domain.spreadsheets import harmless
from gateway.errors import GatewayError, SourceError
from gateway.source import Refused
from gateway.store.imports.loading import Loader
from gateway.store.imports.runs import ImportRun, Imports
from gateway.store.imports.stored_accounts import StoredAccounts
from gateway.texts.text import Text

log = structlog.get_logger()

NOT_USED = "the column is not used"
SHOWN = 100
"""Refused lines that a run's row keeps; a report has them all."""
ALIVE_EVERY_S = 2.0
BROKEN_OFF = Text("The import was broken off; repeated, it completes what is missing.")
UNEXPECTED = Text("Internal error in the import; see the gateway's log.")


def quiet(_what: str, _done: int, _share: float | None) -> None:
    """Report no progress."""


@dataclass(frozen=True, slots=True)
class Importer:
    """Runs one import after the other for whoever asks; what came of each is in ``imports``."""

    imports: Imports
    stored: StoredAccounts
    open_loader: Callable[[int], Loader]
    clock: Callable[[], int] = lambda: time.time_ns() // 1_000_000

    def run(
        self,
        job: Job,
        kind: str,
        *,
        run_id: int | None = None,
        report: Path | None = None,
        progress: Progress = quiet,
    ) -> ImportRun:
        """Do ``job`` and return what came of it; ``run_id`` if it is claimed already.

        Raises ``ImportRunning``, and what ended it (``SourceError``) once that is written down;
        ``ImportSuperseded`` when it was taken for dead meanwhile.
        """
        began = self.clock()
        claimed = run_id or self.imports.begin(job.tenant, job.name, kind, began)
        with closing(job.source), closing(self.open_loader(claimed)) as loader:
            alive = self._alive(claimed, progress)
            with RunningImport(job, self.stored, loader, began, progress=alive) as run:
                self._do(run, claimed, report)
        found = self.imports.get(job.tenant, claimed)
        assert found is not None
        log.info("import_done", tenant=job.tenant, source=job.name, run=claimed, **_counted(found))
        return found

    def _do(self, run: RunningImport, run_id: int, report: Path | None) -> None:
        state, message = "failed", UNEXPECTED
        try:
            run.do()
            state, message = "done", run.message
        except GatewayError as error:
            message = error.whole
            raise
        except KeyboardInterrupt:
            message = BROKEN_OFF
            raise
        finally:
            now = self.clock()
            self.imports.end(run_id, state, run.counts(), now, message=message, refused=run.refused(SHOWN))
            if report is not None:
                write_report(report, run)

    def _alive(self, run_id: int, progress: Progress) -> Progress:
        """Show that the run lives, but not so often that it hurts anybody."""
        next_at = time.monotonic() + ALIVE_EVERY_S

        def tell(what: str, done: int, share: float | None) -> None:
            nonlocal next_at
            progress(what, done, share)
            if time.monotonic() > next_at:
                self.imports.alive(run_id, self.clock())
                next_at = time.monotonic() + ALIVE_EVERY_S

        return tell


def write_report(path: Path, run: RunningImport) -> None:
    """Write what was refused, and which columns were not used, as a CSV that Excel opens.

    Raises ``SourceError`` when the file cannot be written.
    """
    try:
        with path.open("w", encoding="utf-8-sig", newline="") as file:
            writer = csv.writer(file, delimiter=";")
            writer.writerow(("where", "reason", "text"))
            writer.writerows(_line(refused) for refused in run.refused())
            writer.writerows((place, NOT_USED, harmless(column)) for place, column in run.unused)
    except OSError as error:
        text = Text("the report {path} cannot be written ({reason}).", path=str(path), reason=error.strerror)
        raise SourceError(text) from None


def _line(refused: Refused) -> tuple[str, str, str]:
    """Return the cells of one refusal. Directories are written by strangers: no cell is a formula to a spreadsheet."""
    return harmless(refused.place), str(refused.reason.text), harmless(refused.text)


def _counted(run: ImportRun) -> dict[str, int]:
    counts = run.counts
    return {"added": counts.added, "changed": counts.changed, "removed": counts.removed, "refused": counts.refused}
