"""The rule who may see which call (``domain/calls/scope.py``) as a condition of a query."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, func, or_, select, true

from gateway.domain.calls.scope import CallScope, Team
from gateway.domain.messages import Direction
from gateway.domain.numbering.extensions import Extensions
from gateway.store import tables

calls, orders, legs = tables.calls, tables.orders, tables.legs


def visible(scope: CallScope) -> ColumnElement[bool]:
    """Return the condition that a call, joined with its order, is one that ``scope`` admits."""
    return true() if scope.everything else or_(*_conditions(scope))


def _conditions(scope: CallScope) -> Iterator[ColumnElement[bool]]:
    yield _of_people(frozenset((scope.login,)))
    if scope.seat:
        here = _at(_spans(scope.seat))
        yield and_(here, calls.c.logged_at >= scope.seated_at) if scope.seated_at else here
    yield from map(_of_team, scope.led)
    if scope.all_missed:
        yield calls.c.missed.is_(True)
    for team in scope.joined:
        yield and_(calls.c.missed.is_(True), _of_team(team))


def _of_team(team: Team) -> ColumnElement[bool]:
    queue = calls.c.queue.in_(sorted(team.queues))
    return or_(queue, _at(team.extensions), _of_people(team.agents))


def _of_people(logins: frozenset[str]) -> ColumnElement[bool]:
    """Return the condition that one of ``logins`` took a call, or had it placed."""
    wanted = sorted(logins)
    took, placed = calls.c.answered_agent.in_(wanted), orders.c.requested_by.in_(wanted)
    return or_(took, placed, _leg(legs.c.agent.in_(wanted)))


def _at(extensions: Extensions) -> ColumnElement[bool]:
    """Return the condition that a call was at one of ``extensions``: rang there, was taken or placed there."""
    other_end = and_(calls.c.direction == Direction.INTERNAL.value, _is_one_of(calls.c.number, extensions))
    here = (_is_one_of(calls.c.extension, extensions), _is_one_of(calls.c.answered_by, extensions))
    return or_(*here, other_end, _leg(_is_one_of(legs.c.extension, extensions)))


def _leg(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """Return the condition that a leg of the call fulfils ``condition``; most calls have none of their own."""
    found = exists(select(legs.c.call_id).where(legs.c.call_id == calls.c.id, condition))
    return and_(calls.c.leg_count.is_not(None), found)


def _is_one_of(column: ColumnElement[Any], extensions: Extensions) -> ColumnElement[bool]:
    alone = sorted(first for first, last in extensions.spans if first == last)
    spans = [
        and_(column.between(first, last), func.length(column) == len(first))
        for first, last in extensions.spans
        if first != last
    ]
    return or_(column.in_(alone), *spans)


def _spans(extension: str) -> Extensions:
    return Extensions(((extension, extension),))
