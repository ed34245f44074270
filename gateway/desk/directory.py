"""The directory's sources: what was imported when, what changed, what was refused."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from werkzeug.exceptions import NotFound
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from gateway.desk.context import Visit
from gateway.desk.rendering import as_json, page
from gateway.errors import SourceError
from gateway.source import Reason
from gateway.store.calls import iso
from gateway.store.imports.runs import ImportRun
from gateway.texts.text import Text

SHOWN_RUNS = 30


@dataclass(frozen=True, slots=True)
class SourceLine:
    """A source as people see it. ``every`` is None for one that is only imported by hand."""

    name: str
    kind: str
    every: str | None
    full: bool
    last: ImportRun | None


def directory_page(visit: Visit, *, problem: str = "", status: int = 200) -> Response:
    """Show all sources with their last run, and the last runs of all."""
    runs = visit.services.imports.last(visit.tenant, limit=SHOWN_RUNS)
    return page(
        visit,
        "directory.html",
        status=status,
        sources=_sources(visit),
        runs=runs,
        accounts=visit.services.directory.count_accounts(visit.tenant),
        can_import=visit.services.import_now is not None,
        problem=problem,
        seq=visit.services.log.newest(visit.tenant),
    )


def import_run(visit: Visit, run_id: int) -> Response:
    """Show one run with the first lines that it refused. Raises ``NotFound``."""
    run = visit.services.imports.get(visit.tenant, run_id)
    if run is None:
        raise NotFound
    refused = [(each["place"], each["text"], _reason(each["reason"])) for each in run.refusals]
    return page(visit, "import_run.html", run=run, refused=refused, seq=visit.services.log.newest(visit.tenant))


def _reason(code: str) -> Text | str:
    """Return why a line was refused; a code that another version wrote is shown as it is."""
    return Reason(code).text if code in {each.value for each in Reason} else code


def import_now(visit: Visit) -> Response:
    """Import from a configured source now; the page shows how it goes. Raises ``NotFound``."""
    name = visit.request.form.get("origem", "")
    if name not in visit.settings.directory:
        raise NotFound
    try:
        visit.services.import_now(visit.tenant, name)
    except SourceError as error:
        return directory_page(visit, problem=error.said(visit.language), status=error.http_status)
    return redirect(visit.url("directory"), 303)


def api_imports(visit: Visit) -> Response:
    """Show the sources and the last runs, for scripts."""
    sources = [
        {"name": line.name, "kind": line.kind, "every": line.every, "full": line.full} for line in _sources(visit)
    ]
    runs = visit.services.imports.last(visit.tenant, limit=SHOWN_RUNS)
    return as_json({"sources": sources, "runs": [_run(run) for run in runs]})


def _run(run: ImportRun) -> dict[str, Any]:
    plain = {"id": run.id, "source": run.source, "kind": run.kind, "state": run.state}
    plain |= {"started_at": iso(run.started_at), "finished_at": iso(run.finished_at)}
    return plain | asdict(run.counts) | {"message": run.message, "refusals": list(run.refusals)}


def _sources(visit: Visit) -> Sequence[SourceLine]:
    """Return the sources of the configuration, then those that were imported by hand."""
    imports, configured = visit.services.imports, visit.settings.directory
    runs = imports.last(visit.tenant, limit=SHOWN_RUNS)
    lines = []
    for name, table in configured.items():
        last = next(iter(imports.last(visit.tenant, name, limit=1)), None)
        lines.append(SourceLine(name, table.source, table.every, table.full, last))
    by_hand = dict.fromkeys(run.source for run in runs if run.source not in configured)
    newest = {run.source: run for run in reversed(runs)}
    return lines + [SourceLine(name, newest[name].kind, None, False, newest[name]) for name in by_hand]
