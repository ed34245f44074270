"""The audit log: rows are added, and removed by age where the operator says so; nothing changes one."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, Row, Select, delete, exists, insert, literal, select

from gateway.domain.audit import LONGEST_DETAIL, LONGEST_SUBJECT, AuditAction, AuditEntry
from gateway.store import tables
from gateway.store.writing.journal import Journal

audit = tables.audit
COLUMNS = ("tenant", "at", "login", "client", "action", "subject", "detail")
AT_ONCE = 1000
"""Rows that are read, or removed, in one go."""


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """What to look for; None means any. Times are milliseconds."""

    login: str | None = None
    action: str | None = None
    subject: str | None = None
    since: int | None = None
    until: int | None = None
    before_id: int | None = None


class AuditLog:
    """Reads by the engine; writes in the journal's turn, so that what is answered is written down."""

    def __init__(self, engine: Engine, journal: Journal) -> None:
        self._engine = engine
        self._journal = journal

    def add(self, entry: AuditEntry, *, once_within_ms: int = 0) -> None:
        """Write ``entry`` down, unless the same was done within so many milliseconds before. Raises ``BusyError``."""
        self._journal.run(lambda connection: write(connection, entry, once_within_ms), tenant=entry.tenant)

    def newest(self, tenant: str | None, wanted: AuditFilter, *, limit: int) -> Sequence[AuditEntry]:
        """Return entries, the newest first; ``tenant`` None reads those of all companies."""
        query = _narrowed(tenant, wanted).order_by(audit.c.id.desc()).limit(limit)
        with self._engine.connect() as connection:
            return [_entry(row) for row in connection.execute(query)]

    def pages(self, tenant: str | None, wanted: AuditFilter) -> Iterator[AuditEntry]:
        """Yield all matching entries, oldest first, without holding them all."""
        last = 0
        while True:
            query = _narrowed(tenant, wanted).where(audit.c.id > last).order_by(audit.c.id).limit(AT_ONCE)
            with self._engine.connect() as connection:
                rows = connection.execute(query).all()
            yield from map(_entry, rows)
            if len(rows) < AT_ONCE:
                return
            last = rows[-1].id


def write(connection: Connection, entry: AuditEntry, once_within_ms: int = 0) -> None:
    """Write ``entry`` down in a transaction that is open."""
    row = {name: getattr(entry, name) for name in COLUMNS}
    row |= {"action": entry.action.value, "subject": entry.subject[:LONGEST_SUBJECT]}
    row["detail"] = entry.detail[:LONGEST_DETAIL]
    if not once_within_ms:
        connection.execute(insert(audit).values(row))
        return
    same = [audit.c[name] == row[name] for name in ("tenant", "login", "action", "subject")]
    known = exists(select(audit.c.id).where(*same, audit.c.at > entry.at - once_within_ms))
    values = select(*(literal(row[name], audit.c[name].type).label(name) for name in COLUMNS)).where(~known)
    connection.execute(insert(audit).from_select(COLUMNS, values))


def remove_older(connection: Connection, *, before: int) -> int:
    """Remove some entries of before that moment; return how many they were. Call again until none are."""
    oldest = select(audit.c.id).where(audit.c.at < before).order_by(audit.c.at).limit(AT_ONCE)
    return connection.execute(delete(audit).where(audit.c.id.in_(oldest))).rowcount


def _narrowed(tenant: str | None, wanted: AuditFilter) -> Select[Any]:
    query = select(audit)
    equal = {"tenant": tenant, "login": wanted.login, "action": wanted.action, "subject": wanted.subject}
    query = query.where(*(audit.c[name] == value for name, value in equal.items() if value is not None))
    if wanted.since is not None:
        query = query.where(audit.c.at >= wanted.since)
    if wanted.until is not None:
        query = query.where(audit.c.at < wanted.until)
    return query.where(audit.c.id < wanted.before_id) if wanted.before_id else query


def _entry(row: Row[Any]) -> AuditEntry:
    values = dict(row._mapping)
    known = values["action"] in set(AuditAction)
    return AuditEntry(**values | {"action": AuditAction(values["action"]) if known else values["action"]})
