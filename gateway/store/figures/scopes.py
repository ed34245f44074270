"""For whom figures of a part of the calls are summed: those who looked at them lately, by what they may see, and those
who are expected to (``expected.py``).

A scope is kept by a name made of all that it admits, so that another one is meant as soon as a team changes.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, case, delete, select, tuple_, update

from gateway.domain.calls.scope import CallScope, Team
from gateway.domain.numbering.extensions import Extensions
from gateway.store import tables
from gateway.store.bulk import INSERTS

scopes, scope_sums = tables.figure_scopes, tables.figure_scope_sums

DAY_MS = 86_400_000
KEPT_MS = 60 * DAY_MS
"""How long sums are kept for somebody who does not look at them."""
MOST_SCOPES = 50
"""Of one company, those asked for last; the figures of others are counted from the calls."""
AHEAD_MS = 35 * DAY_MS
"""How far back is summed for somebody who has not looked yet: what is looked at first."""
NEVER_SUMMED = -1
NEVER_ASKED = 0
SLICE = 2000
"""Sums that are removed at once."""


@dataclass(frozen=True, slots=True)
class SummedScope:
    """How far the hours of a tenant are summed for ``scope``: from ``since`` to ``until``, as long as the tenant's sums
    have the same ``version``. ``name`` is the one by which it is kept; it was ``asked_at`` last, by the day, or never.
    """

    name: str
    scope: CallScope
    since: int
    until: int
    version: int
    asked_at: int

    def touches(self, since: int, until: int) -> bool:
        """Return whether any of its hours lies between ``since`` and ``until``."""
        return self.since < until and since < self.until


def lasting_part(scope: CallScope) -> CallScope:
    """Return what ``scope`` admits wherever its person sits today."""
    return replace(scope, seat="", seated_at=0) if scope.seated_at else scope


def seat_part(scope: CallScope) -> CallScope | None:
    """Return what ``scope`` admits by the seat of today, some of which its lasting part may admit too; None where that
    admits all of it.
    """
    if not scope.seat or not scope.seated_at or any(team.extensions.matches(scope.seat) for team in scope.led):
        return None
    return replace(scope, led=(), joined=(), all_missed=False)


def name_of(scope: CallScope) -> str:
    """Return the name by which a lasting scope is kept."""
    return hashlib.blake2b(_definition(scope).encode(), digest_size=16).hexdigest()


def read_scope(connection: Connection, tenant: str, name: str) -> SummedScope | None:
    """Return how far hours are summed for the scope ``name``, None where nobody has asked for that."""
    row = connection.execute(select(scopes).where(scopes.c.tenant == tenant, scopes.c.scope == name)).one_or_none()
    return None if row is None else _summed_scope(row)


def read_scopes(connection: Connection, tenant: str) -> Sequence[SummedScope]:
    """Return all of a tenant's, those asked for last first."""
    query = select(scopes).where(scopes.c.tenant == tenant).order_by(scopes.c.asked_at.desc(), scopes.c.scope)
    return [_summed_scope(row) for row in connection.execute(query)]


def note_asked(connection: Connection, tenant: str, scope: CallScope, now: int) -> None:
    """Write down that figures were asked for, so that they are summed from now on."""
    row = {"tenant": tenant, "scope": name_of(scope), "definition": _definition(scope), "asked_at": now - now % DAY_MS}
    statement = INSERTS[connection.dialect.name](scopes).values(**row, since=0, until=0, version=NEVER_SUMMED)
    asked_at = {"asked_at": statement.excluded.asked_at}
    connection.execute(statement.on_conflict_do_update(index_elements=list(scopes.primary_key), set_=asked_at))


def note_expected(connection: Connection, tenant: str, expected: Iterable[CallScope]) -> None:
    """Write down for whom figures are summed though nobody has asked for them."""
    for scope in expected:
        row = {"tenant": tenant, "scope": name_of(scope), "definition": _definition(scope), "asked_at": NEVER_ASKED}
        statement = INSERTS[connection.dialect.name](scopes).values(**row, since=0, until=0, version=NEVER_SUMMED)
        connection.execute(statement.on_conflict_do_nothing())


def is_noted(found: SummedScope | None, now: int) -> bool:
    """Return whether it is written down that figures were asked for today."""
    return found is not None and found.asked_at >= now - now % DAY_MS


def move_scope(connection: Connection, tenant: str, moved: SummedScope, version: int) -> None:
    """Write down how far hours are summed, and with which version of the tenant's sums that holds."""
    values = {"since": moved.since, "until": moved.until, "version": version}
    connection.execute(update(scopes).where(_is(tenant, moved.name)).values(values))


def keep_up(connection: Connection, tenant: str, known: int, moved: int) -> None:
    """Let the sums of all scopes that were good with the tenant's version ``known`` be so with ``moved``."""
    good = (scopes.c.tenant == tenant, scopes.c.version == known)
    connection.execute(update(scopes).where(*good).values(version=moved))


def begin_anew(connection: Connection, tenant: str) -> None:
    """Have no sums of any scope of the tenant trusted."""
    connection.execute(update(scopes).where(scopes.c.tenant == tenant).values(version=NEVER_SUMMED))


def shrink(connection: Connection, tenant: str, hour: int) -> None:
    """Have no sums trusted that begin before ``hour``."""
    since = case((scopes.c.until < hour, scopes.c.until), else_=hour)
    older = (scopes.c.tenant == tenant, scopes.c.since < hour)
    connection.execute(update(scopes).where(*older).values(since=since))


def forget_some(connection: Connection, tenant: str, name: str) -> bool:
    """Remove some sums of a scope, and at last itself; return whether nothing is left."""
    key = (scope_sums.c.kind, scope_sums.c.begins_at, scope_sums.c.name)
    theirs = and_(scope_sums.c.tenant == tenant, scope_sums.c.scope == name)
    some = connection.execute(select(*key).where(theirs).limit(SLICE)).all()
    connection.execute(update(scopes).where(_is(tenant, name)).values(version=NEVER_SUMMED))
    if some:
        connection.execute(delete(scope_sums).where(theirs, tuple_(*key).in_([tuple(row) for row in some])))
        return False
    connection.execute(delete(scopes).where(_is(tenant, name)))
    return True


def _is(tenant: str, name: str) -> ColumnElement[bool]:
    return and_(scopes.c.tenant == tenant, scopes.c.scope == name)


def _summed_scope(row: Row[Any]) -> SummedScope:
    return SummedScope(row.scope, _read_definition(row.definition), row.since, row.until, row.version, row.asked_at)


def _definition(scope: CallScope) -> str:
    """Return all that a lasting scope admits; the same text for all that admit the same."""
    told = {
        "login": scope.login,
        "seat": scope.seat,
        "all_missed": scope.all_missed,
        "led": sorted(map(_told, scope.led), key=json.dumps),
        "joined": sorted(map(_told, scope.joined), key=json.dumps),
    }
    return json.dumps(told, ensure_ascii=False, sort_keys=True)


def _told(team: Team) -> Mapping[str, Any]:
    return {
        "extensions": sorted(map(list, team.extensions.spans)),
        "queues": sorted(team.queues),
        "agents": sorted(team.agents),
    }


def _read_definition(text: str) -> CallScope:
    told = json.loads(text)
    led, joined = (tuple(map(_team, told[name])) for name in ("led", "joined"))
    return CallScope(login=told["login"], seat=told["seat"], led=led, joined=joined, all_missed=told["all_missed"])


def _team(told: Mapping[str, Any]) -> Team:
    spans = tuple((first, last) for first, last in told["extensions"])
    return Team("", extensions=Extensions(spans), queues=frozenset(told["queues"]), agents=frozenset(told["agents"]))
