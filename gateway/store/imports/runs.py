"""The runs of imports: who may begin, how far it is, how it ended. One run of a source at a time, whatever process."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

from sqlalchemy import Connection, Engine, Row, Select, Update, delete, func, insert, or_, select, update

from gateway.errors import ImportRunning, ImportSuperseded
from gateway.source import Refused
from gateway.store import tables
from gateway.store.writing.journal import Journal
from gateway.texts.languages import Language
from gateway.texts.packing import pack, unpack
from gateway.texts.rendering import shown
from gateway.texts.text import Text

imports = tables.imports

DEAD_AFTER_MS = 120_000
"""A run that gave no sign of life for so long has died with its process, also one that gave it so far in the future:
the clock was set back since.
"""
CLAIMS = "imports"
"""The lock under which runs are counted and begun, whoever's they are."""
KEPT = 50
"""Runs remembered of each source."""
DIED = Text(
    "The process that imported stopped halfway; what it had written by then holds,"
    " and the next time completes the rest."
)


@dataclass(frozen=True, slots=True)
class Counts:
    """What became of what a source said. ``entries`` are lines or rows, the others (but ``refused``) accounts."""

    entries: int = 0
    added: int = 0
    changed: int = 0
    unchanged: int = 0
    removed: int = 0
    refused: int = 0


@dataclass(frozen=True, slots=True)
class ImportRun:
    """One run. ``state``: running, done or failed; times are milliseconds since 1970 UTC.

    ``message`` is in the company's language.
    """

    id: int
    tenant: str
    source: str
    kind: str
    state: str
    started_at: int
    finished_at: int | None
    counts: Counts
    message: str
    refusals: Sequence[dict[str, str]]
    sentence: str | None = None

    @property
    def told(self) -> Text:
        """Why it failed, or what was left undone, for readers of any language."""
        return unpack(self.sentence, words=self.message)


class Imports:
    """Reads by the engine; writes in the journal's turn."""

    def __init__(self, engine: Engine, journal: Journal) -> None:
        self._engine = engine
        self._journal = journal

    def begin(self, tenant: str, source: str, kind: str, at: int) -> int:
        """Claim the source and return the run's id. Raises ``ImportRunning``."""
        died = _words(DIED, self._journal.language_of(tenant))
        begin = partial(_begin, tenant=tenant, source=source, kind=kind, at=at, died=died)
        run_id: int = self._journal.run(begin, tenant=tenant)
        return run_id

    def claim_due(self, tenant: str, source: str, kind: str, at: int, *, not_after: int, most: int) -> int | None:
        """Begin a run for a schedule, as ``begin`` does; return None when somebody runs it, or has begun to after
        ``not_after``, or when ``most`` runs of any company go on, in whatever process.
        """
        died = _words(DIED, self._journal.language_of(tenant))
        begin = partial(_begin, tenant=tenant, source=source, kind=kind, at=at, died=died)
        claim = partial(_claim_due, begin=begin, mine=(tenant, source), at=at, not_after=not_after, most=most)
        claimed: int | None = self._journal.run(claim, tenant=tenant, lock=CLAIMS)
        return claimed

    def alive(self, run_id: int, at: int) -> None:
        """Note a sign of life. Raises ``ImportSuperseded`` for a run that is over."""
        statement = _of_running(run_id).values(seen_at=at)
        if not self._journal.run(lambda connection: connection.execute(statement).rowcount):
            raise ImportSuperseded(run_id)

    def end(
        self, run_id: int, state: str, counts: Counts, at: int, *, message: Text | str, refused: Iterable[Refused]
    ) -> None:
        """Write down how it ended. Raises ``ImportSuperseded`` where that was done already: it was taken for dead."""
        told = [{"place": each.place, "reason": each.reason.value, "text": each.text} for each in refused]
        refusals = json.dumps(told, ensure_ascii=False)
        values = {"state": state, "seen_at": at, "finished_at": at, "refusals": refusals, **asdict(counts)}
        mine = _of_running(run_id).values(values)
        if not self._journal.run(lambda connection: self._finish(connection, run_id, mine, message)):
            raise ImportSuperseded(run_id)

    def bury(self, run_id: int, at: int, *, message: Text | str = DIED) -> None:
        """Write down that a run is over, if it has not written down its end by itself."""
        statement = _of_running(run_id).values(state="failed", finished_at=at)
        self._journal.run(lambda connection: self._finish(connection, run_id, statement, message))

    def _finish(self, connection: Connection, run_id: int, statement: Update, message: Text | str) -> bool:
        tenant = connection.execute(select(imports.c.tenant).where(imports.c.id == run_id)).scalar()
        if tenant is None:
            return False
        words = _words(message, self._journal.language_of(tenant))
        return bool(connection.execute(statement.values(**words)).rowcount)

    def last(self, tenant: str, source: str | None = None, *, limit: int = 20) -> Sequence[ImportRun]:
        """Return runs, the newest first, of one source or of all."""
        query = select(imports).where(imports.c.tenant == tenant).order_by(imports.c.id.desc()).limit(limit)
        if source is not None:
            query = query.where(imports.c.source == source)
        with self._engine.connect() as connection:
            return [_run(row) for row in connection.execute(query)]

    def get(self, tenant: str, run_id: int) -> ImportRun | None:
        query = select(imports).where(imports.c.tenant == tenant, imports.c.id == run_id)
        with self._engine.connect() as connection:
            row = connection.execute(query).first()
        return _run(row) if row else None

    def last_success(self, tenant: str, source: str) -> int | None:
        """Return when the last run that came to its end had begun."""
        query = _newest_start(tenant, source).where(imports.c.state == "done")
        with self._engine.connect() as connection:
            found: int | None = connection.execute(query).scalar()
        return found


def _of_running(run_id: int) -> Update:
    return update(imports).where(imports.c.id == run_id, imports.c.state == "running")


def _words(message: Text | str, language: Language) -> Mapping[str, str | None]:
    """Return the columns that hold ``message``."""
    words = shown(message, language)
    return {"message": words, "sentence": pack(message) if words and isinstance(message, Text) else None}


def _begin(connection: Connection, tenant: str, source: str, kind: str, at: int, died: Mapping[str, str | None]) -> int:
    """Claim a source; ``died`` is what is said of a run whose process is dead. Raises ``ImportRunning``."""
    _bury(connection, tenant, source, at, died)
    mine = (imports.c.tenant == tenant, imports.c.source == source)
    if connection.execute(select(imports.c.id).where(*mine, imports.c.state == "running")).first():
        raise ImportRunning(source)
    values = {"tenant": tenant, "source": source, "kind": kind, "state": "running", "started_at": at, "seen_at": at}
    run_id = int(connection.execute(insert(imports).values(values)).inserted_primary_key[0])  # type: ignore[index]
    old = select(imports.c.id).where(*mine).order_by(imports.c.id.desc()).offset(KEPT).limit(1)
    if (oldest := connection.execute(old).scalar()) is not None:
        connection.execute(delete(imports).where(*mine, imports.c.id <= oldest))
    return run_id


def _claim_due(
    connection: Connection,
    begin: Callable[[Connection], int],
    mine: tuple[str, str],
    at: int,
    not_after: int,
    most: int,
) -> int | None:
    newest = connection.execute(_newest_start(*mine)).scalar()
    if newest is not None and not_after < newest <= at:
        return None
    if connection.execute(_running(at)).scalar_one() >= most:
        return None
    try:
        return begin(connection)
    except ImportRunning:
        return None


def _running(at: int) -> Select[Any]:
    """Return how many runs go on that gave a sign of life lately."""
    lively = imports.c.seen_at.between(at - DEAD_AFTER_MS, at + DEAD_AFTER_MS)
    return select(func.count()).select_from(imports).where(imports.c.state == "running", lively)


def _newest_start(tenant: str, source: str) -> Select[Any]:
    """Return when the newest run began: newest by its id, for clocks are set back."""
    query = select(imports.c.started_at).where(imports.c.tenant == tenant, imports.c.source == source)
    return query.order_by(imports.c.id.desc()).limit(1)


def _bury(connection: Connection, tenant: str, source: str, at: int, died: Mapping[str, str | None]) -> None:
    """Write down that a run has died, so that another may begin."""
    silent = or_(imports.c.seen_at < at - DEAD_AFTER_MS, imports.c.seen_at > at + DEAD_AFTER_MS)
    mine = (imports.c.tenant == tenant, imports.c.source == source)
    statement = update(imports).where(*mine, imports.c.state == "running", silent)
    connection.execute(statement.values(state="failed", finished_at=imports.c.seen_at, **died))


def _run(row: Row[Any]) -> ImportRun:
    counts = Counts(row.entries, row.added, row.changed, row.unchanged, row.removed, row.refused)
    return ImportRun(
        row.id,
        row.tenant,
        row.source,
        row.kind,
        row.state,
        row.started_at,
        row.finished_at,
        counts,
        row.message or "",
        json.loads(row.refusals or "[]"),
        row.sentence,
    )
