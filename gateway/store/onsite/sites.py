"""Gateways on site that may connect: each has a key of its own, which can be revoked. Only its hash is kept."""

import hashlib
import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Engine, Row, select, update

from gateway.domain.audit import AuditAction
from gateway.store.agents import Actor
from gateway.store.audit import write
from gateway.store.tables import onsite_sites as table
from gateway.store.writing.journal import Journal

PREFIX = "ctis_"
"""What every key begins with, so that people and scanners know one when they see it."""
WITHIN_S = 5.0
LONGEST_STATUS = 60_000
"""Characters of what a site says of itself."""


@dataclass(frozen=True, slots=True)
class OnsiteSite:
    """A gateway on site, without its key. Times are milliseconds since 1970 UTC.

    ``ahead_ms`` is by how much its clock is ahead of ours, ``status`` what it last said of itself.
    """

    tenant: str
    name: str
    made_at: int
    revoked_at: int | None = None
    seen_at: int | None = None
    polled_until: int | None = None
    address: str = ""
    ahead_ms: int | None = None
    status: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_revoked(self) -> bool:
        """Whether its key opens nothing any more."""
        return self.revoked_at is not None

    def is_connected(self, now: int) -> bool:
        """Return whether it waits for orders at this moment, as far as is known."""
        return not self.is_revoked and (self.polled_until or 0) > now


class OnsiteSites:
    """Reads by the engine; writes in the journal's turn. Safe for many threads."""

    def __init__(self, engine: Engine, journal: Journal) -> None:
        self._engine = engine
        self._journal = journal

    def all(self, tenant: str | None = None) -> Sequence[OnsiteSite]:
        """Return those of a company, or of all, by name."""
        query = select(table).order_by(table.c.tenant, table.c.name)
        if tenant is not None:
            query = query.where(table.c.tenant == tenant)
        with self._engine.connect() as connection:
            return [_site(row) for row in connection.execute(query)]

    def of(self, tenant: str, name: str) -> OnsiteSite | None:
        """Return one by its name, if there is one."""
        query = select(table).where(table.c.tenant == tenant, table.c.name == name)
        with self._engine.connect() as connection:
            row = connection.execute(query).first()
        return _site(row) if row else None

    def by_key(self, key: str) -> OnsiteSite | None:
        """Return the one whose key this is, unless it is revoked."""
        query = select(table).where(table.c.key_hash == hash_of(key), table.c.revoked_at.is_(None))
        with self._engine.connect() as connection:
            row = connection.execute(query).first()
        return _site(row) if row else None

    def add(self, tenant: str, name: str, at: int, by: Actor | None = None) -> str:
        """Make a new key for the one called ``name`` and return it; a key that it had opens nothing any more.

        The audit log has who did it, where somebody did.
        """
        key = PREFIX + secrets.token_urlsafe(32)
        facts = {"key_hash": hash_of(key), "made_at": at, "revoked_at": None, "poll": None, "polled_until": None}
        self._journal.run(lambda connection: _put(connection, tenant, name, facts, by), tenant=tenant)
        return key

    def revoke(self, tenant: str, name: str, at: int, by: Actor | None = None) -> bool:
        """Have the key of the one called ``name`` open nothing any more; False where there is none, or no longer."""
        statement = update(table).where(table.c.tenant == tenant, table.c.name == name, table.c.revoked_at.is_(None))
        statement = statement.values(revoked_at=at, polled_until=None)

        def work(connection: Connection) -> bool:
            done = bool(connection.execute(statement).rowcount)
            if done and by:
                write(connection, by.entry(AuditAction.ONSITE_KEY_REVOKED, name))
            return done

        return bool(self._journal.run(work, tenant=tenant))

    def seen(self, site: OnsiteSite, at: int, **facts: Any) -> None:
        """Write that it asked for something ``at``, with what else is known. Raises ``BusyError``."""
        if "status" in facts:
            facts["status"] = json.dumps(facts["status"], ensure_ascii=False)[:LONGEST_STATUS]
        statement = update(table).where(*_this(site)).values(seen_at=at, **facts)
        self._journal.run(lambda connection: connection.execute(statement), tenant=site.tenant, timeout_s=WITHIN_S)

    def left(self, site: OnsiteSite, poll: str) -> None:
        """Write that the request ``poll`` is over without an answer: nobody waits for orders, unless by a newer one."""
        statement = update(table).where(*_this(site), table.c.poll == poll).values(polled_until=None)
        self._journal.run(lambda connection: connection.execute(statement), tenant=site.tenant, timeout_s=WITHIN_S)


def hash_of(key: str) -> str:
    """Return the hash by which a key is found. Keys have 256 bits of chance: a fast hash gives nobody a way in."""
    return hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()


def _this(site: OnsiteSite) -> tuple[Any, Any]:
    return table.c.tenant == site.tenant, table.c.name == site.name


def _put(connection: Connection, tenant: str, name: str, facts: Mapping[str, Any], by: Actor | None) -> None:
    this = (table.c.tenant == tenant, table.c.name == name)
    before = connection.execute(select(table.c.revoked_at).where(*this)).first()
    if before:
        connection.execute(update(table).where(*this).values(facts))
    else:
        connection.execute(table.insert().values({"tenant": tenant, "name": name, **facts}))
    if by:
        is_renewed = before is not None and before.revoked_at is None
        action = AuditAction.ONSITE_KEY_RENEWED if is_renewed else AuditAction.ONSITE_KEY_ADDED
        write(connection, by.entry(action, name))


def _site(row: Row[Any]) -> OnsiteSite:
    return OnsiteSite(
        tenant=row.tenant,
        name=row.name,
        made_at=row.made_at,
        revoked_at=row.revoked_at,
        seen_at=row.seen_at,
        polled_until=row.polled_until,
        address=row.address or "",
        ahead_ms=row.ahead_ms,
        status=_status(row.status),
    )


def _status(text: str | None) -> Mapping[str, Any]:
    """Return what a site said of itself; nothing where that was cut."""
    try:
        found = json.loads(text or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
