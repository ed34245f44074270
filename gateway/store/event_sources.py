"""How sources of events are doing that the gateway goes and gets: written by whoever runs one, read by everybody."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple, Protocol

from sqlalchemy import Connection, Engine, select

from gateway.store.tables import event_sources as table
from gateway.store.writing.journal import Journal
from gateway.texts.packing import pack, unpack
from gateway.texts.text import Text

MOST_GAPS = 10
"""Spans that are kept of each source."""
WITHIN_S = 5.0
STALE_MS = 60_000
"""A source whose row was not written for so long is run by nobody, whatever the row says."""
SourceKey = tuple[str, str]
"""Tenant and name."""


class SourceState(StrEnum):
    """What a source is doing."""

    CONNECTING = "connecting"
    CONNECTED = "connected"
    WAITING = "waiting"
    """It could not be heard, and is tried again after a pause."""
    STOPPED = "stopped"


class Gap(NamedTuple):
    """A span in which events may be missing, in milliseconds since 1970 UTC."""

    began_at: int
    ended_at: int


@dataclass(frozen=True, slots=True)
class SourceStanding:
    """How a source is doing. Times are milliseconds since 1970 UTC.

    ``seen_at`` is when whoever runs it wrote this, ``complete_until`` the moment up to which all that it told is
    durable, ``told`` the number of events since it is known; ``memory`` is what it keeps for its next attempt.
    """

    state: SourceState = SourceState.STOPPED
    since: int = 0
    problem: Text | None = None
    holder: str = ""
    seen_at: int = 0
    complete_until: int | None = None
    told_at: int | None = None
    told: int = 0
    refused: int = 0
    not_understood: int = 0
    gaps: tuple[Gap, ...] = ()
    memory: Mapping[str, Any] = field(default_factory=dict)

    def is_connected(self, now: int) -> bool:
        """Return whether somebody hears it at this moment."""
        return self.state is SourceState.CONNECTED and now - self.seen_at < STALE_MS


class SourceStandings(Protocol):
    """Where it is kept how sources are doing: a ``SourceBook``, or the file of a gateway on site."""

    def all(self) -> Mapping[SourceKey, SourceStanding]: ...

    def of(self, tenant: str, name: str) -> SourceStanding: ...

    def write(self, standings: Mapping[SourceKey, SourceStanding]) -> None: ...


class SourceBook:
    """Reads and writes how sources are doing; safe for many threads."""

    def __init__(self, engine: Engine, journal: Journal) -> None:
        self._engine = engine
        self._journal = journal

    def all(self) -> Mapping[SourceKey, SourceStanding]:
        """Return how each source is doing that was ever run."""
        with self._engine.connect() as connection:
            return {(row.tenant, row.name): standing_of(row) for row in connection.execute(select(table))}

    def of(self, tenant: str, name: str) -> SourceStanding:
        """Return how one source is doing."""
        query = select(table).where(table.c.tenant == tenant, table.c.name == name)
        with self._engine.connect() as connection:
            row = connection.execute(query).first()
        return standing_of(row) if row else SourceStanding()

    def write(self, standings: Mapping[SourceKey, SourceStanding]) -> None:
        """Write how these are doing; the call returns when it is durable. Raises ``BusyError``."""
        rows = [row_of(key, standing) for key, standing in standings.items()]
        if rows:
            self._journal.run(lambda connection: _replace(connection, rows), lock="event_sources", timeout_s=WITHIN_S)


def _replace(connection: Connection, rows: list[dict[str, Any]]) -> None:
    for row in rows:
        mine = (table.c.tenant == row["tenant"], table.c.name == row["name"])
        if not connection.execute(table.update().where(*mine).values(row)).rowcount:
            connection.execute(table.insert().values(row))


def row_of(key: SourceKey, standing: SourceStanding) -> dict[str, Any]:
    """Return the row of how a source is doing."""
    return {
        "tenant": key[0],
        "name": key[1],
        "state": standing.state.value,
        "since": standing.since,
        "problem": pack(standing.problem) if standing.problem else None,
        "holder": standing.holder,
        "seen_at": standing.seen_at,
        "complete_until": standing.complete_until,
        "told_at": standing.told_at,
        "told": standing.told,
        "refused": standing.refused,
        "not_understood": standing.not_understood,
        "gaps": json.dumps([list(gap) for gap in standing.gaps[-MOST_GAPS:]]),
        "memory": json.dumps(dict(standing.memory), ensure_ascii=False),
    }


def standing_of(row: Any) -> SourceStanding:
    """Return how a source is doing of its row."""
    return SourceStanding(
        state=SourceState(row.state),
        since=row.since,
        problem=unpack(row.problem, words="") if row.problem else None,
        holder=row.holder,
        seen_at=row.seen_at,
        complete_until=row.complete_until,
        told_at=row.told_at,
        told=row.told,
        refused=row.refused,
        not_understood=row.not_understood,
        gaps=tuple(Gap(*gap) for gap in json.loads(row.gaps)),
        memory=json.loads(row.memory),
    )
