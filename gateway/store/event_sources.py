"""How sources of events are doing that the gateway goes and gets: written by whoever runs one, read by everybody."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import partial
from typing import Any, NamedTuple, Protocol

from sqlalchemy import ColumnElement, Connection, Engine, select

from gateway.errors import SourceSuperseded
from gateway.store.tables import event_sources as table
from gateway.store.writing.journal import Journal
from gateway.texts.packing import pack, unpack
from gateway.texts.text import Text

MOST_GAPS = 10
"""Spans that are kept of each source."""
WITHIN_S = 5.0
STALE_MS = 60_000
"""A source whose row was not written for so long is run by nobody, whatever the row says."""
WRONG_CLOCK_MS = 30_000
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
    durable, ``told`` the number of events since it is known; ``memory`` is what it keeps for its next attempt,
    ``token`` that of the lease with which it is run. ``clock_ahead_ms`` is by how much its clock was measured to be
    ahead (None: not known), ``clock_corrected_ms`` what is taken off the moments that it tells.
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
    token: int = 0
    clock_ahead_ms: int | None = None
    clock_corrected_ms: int = 0

    @property
    def is_clock_wrong(self) -> bool:
        """Whether its clock is so far from the gateway's that people should put one of them right."""
        return abs(self.clock_ahead_ms or 0) >= WRONG_CLOCK_MS

    def is_connected(self, now: int) -> bool:
        """Return whether somebody hears it at this moment."""
        return self.state is SourceState.CONNECTED and now - self.seen_at < STALE_MS


class SourceStandings(Protocol):
    """Where it is kept how sources are doing: a ``SourceBook``, or the file of a gateway on site."""

    def all(self) -> Mapping[SourceKey, SourceStanding]: ...

    def of(self, tenant: str, name: str) -> SourceStanding: ...

    def take(self, tenant: str, name: str, token: int) -> SourceStanding: ...

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

    def take(self, tenant: str, name: str, token: int) -> SourceStanding:
        """Return how a source is doing for who runs it from now on, with the lease of ``token``: nobody with an older
        one writes anything of it any more.

        Raises ``SourceSuperseded`` when a newer one has taken it, and ``BusyError``.
        """
        work = partial(_take, tenant=tenant, name=name, token=token)
        standing: SourceStanding = self._journal.run(work, tenant=tenant, timeout_s=WITHIN_S)
        return standing

    def write(self, standings: Mapping[SourceKey, SourceStanding]) -> None:
        """Write how these are doing, but for those that were taken anew; the call returns when it is durable.

        Raises ``BusyError``.
        """
        rows = [row_of(key, standing) for key, standing in standings.items()]
        if rows:
            self._journal.run(lambda connection: _replace(connection, rows), lock="event_sources", timeout_s=WITHIN_S)


def _take(connection: Connection, *, tenant: str, name: str, token: int) -> SourceStanding:
    row = connection.execute(select(table).where(*_is(tenant, name))).first()
    before = standing_of(row) if row else SourceStanding()
    if before.token > token:
        raise SourceSuperseded(name)
    taken = replace(before, token=token)
    _replace(connection, [row_of((tenant, name), taken)])
    return taken


def _replace(connection: Connection, rows: list[dict[str, Any]]) -> None:
    for row in rows:
        mine = _is(row["tenant"], row["name"])
        if connection.execute(select(table.c.token).where(*mine)).first() is None:
            connection.execute(table.insert().values(row))
        else:
            connection.execute(table.update().where(*mine, table.c.token <= row["token"]).values(row))


def _is(tenant: str, name: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return table.c.tenant == tenant, table.c.name == name


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
        "token": standing.token,
        "clock_ahead_ms": standing.clock_ahead_ms,
        "clock_corrected_ms": standing.clock_corrected_ms,
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
        token=row.token,
        clock_ahead_ms=row.clock_ahead_ms,
        clock_corrected_ms=row.clock_corrected_ms,
    )
