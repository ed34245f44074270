"""Sessions of programs, such as the browser extension: made, listed and revoked by their agent, never a password.

They are rows of ``sessions`` that a browser's cookie does not open, so what ends an agent's sessions ends them too.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import ColumnElement, Connection, Delete, Engine, delete, func, insert, select, update

from gateway.store import tables
from gateway.store.directory import people_changed, token_hash
from gateway.store.writing.journal import Journal

agents, sessions = tables.agents, tables.sessions

PREFIX = "ctix_"
"""What every token of a program begins with, so that people and scanners know one when they see it."""
LIFETIME_MS = 180 * 24 * 3600 * 1000
MOST = 10
"""Programs of one agent."""
USED_EVERY_MS = 3600 * 1000
SHOWN = 16
"""Characters of the token's hash by which a session is named; of no use to whoever asks."""


@dataclass(frozen=True, slots=True)
class ProgramSession:
    """A program's session, without its token; times in milliseconds, ``used_at`` to the hour."""

    id: str
    program: str
    created_at: int
    expires_at: int
    used_at: int | None


class ProgramSessions:
    """Reads by the engine; writes in the journal's turn."""

    def __init__(self, engine: Engine, journal: Journal) -> None:
        self._engine = engine
        self._journal = journal

    def make(self, agent_id: int, program: str, at: int) -> str | None:
        """Make a session and return its token, which is stored only as a hash; None when the agent has ``MOST``."""
        token = PREFIX + secrets.token_urlsafe(32)
        row = {
            "token_hash": token_hash(token),
            "agent_id": agent_id,
            "created_at": at,
            "expires_at": at + LIFETIME_MS,
            "program": program,
        }
        tenant = self._tenant_of(agent_id)
        return token if self._journal.run(lambda connection: _make(connection, row), tenant=tenant) else None

    def of_agent(self, agent_id: int, at: int) -> Sequence[ProgramSession]:
        """Return the agent's sessions that are not over, the newest first."""
        query = select(sessions).where(_of(agent_id), sessions.c.expires_at > at)
        query = query.order_by(sessions.c.created_at.desc(), sessions.c.token_hash)
        with self._engine.connect() as connection:
            found = connection.execute(query).all()
        return [
            ProgramSession(row.token_hash[:SHOWN], row.program, row.created_at, row.expires_at, row.used_at)
            for row in found
        ]

    def revoke(self, agent_id: int, session_id: str) -> bool:
        """End one of the agent's sessions; False when there is none of this name."""
        named = func.substr(sessions.c.token_hash, 1, SHOWN) == session_id
        statement = delete(sessions).where(_of(agent_id), named)
        tenant = self._tenant_of(agent_id)
        if tenant is None:
            return False
        work = partial(_revoke, statement=statement, tenant=tenant)
        return bool(self._journal.run(work, tenant=tenant, news=True))

    def used(self, token: str, at: int) -> None:
        """Remember that the session ``token`` was used, once an hour."""
        wanted = sessions.c.token_hash == token_hash(token)
        with self._engine.connect() as connection:
            before = connection.execute(select(sessions.c.used_at).where(wanted)).scalar()
        if before is not None and abs(at - before) < USED_EVERY_MS:
            return
        statement = update(sessions).where(wanted).values(used_at=at)
        self._journal.run(lambda connection: connection.execute(statement) and None)

    def _tenant_of(self, agent_id: int) -> str | None:
        """Return the company of an agent; None where there is no such agent any more."""
        with self._engine.connect() as connection:
            return connection.execute(select(agents.c.tenant).where(agents.c.id == agent_id)).scalar()


def _of(agent_id: int) -> ColumnElement[bool]:
    return (sessions.c.agent_id == agent_id) & sessions.c.program.is_not(None)


def _revoke(connection: Connection, statement: Delete, tenant: str) -> int:
    """End sessions, and have open streams look whether they may stay; return how many."""
    found: int = connection.execute(statement).rowcount
    people_changed(connection, tenant)
    return found


def _make(connection: Connection, row: dict[str, Any]) -> bool:
    connection.execute(delete(sessions).where(sessions.c.expires_at <= row["created_at"]))
    count = connection.execute(select(func.count()).select_from(sessions).where(_of(row["agent_id"]))).scalar_one()
    if count >= MOST:
        return False
    connection.execute(insert(sessions).values(row))
    return True
