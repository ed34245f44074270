"""Sums of figures, read and written: which hours they hold, and what the calls of hours come to.

Quarters of an hour are summed as wholes, so that a day begins right in each time zone; people and queues by the hour.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import (
    CTE,
    ColumnElement,
    Connection,
    Select,
    case,
    delete,
    func,
    literal,
    select,
    tuple_,
    union_all,
    update,
)

from gateway.domain.calls.scope import EVERYTHING, CallScope
from gateway.store import tables
from gateway.store.bulk import Write
from gateway.store.figures.counting import NAMES, PERSON, SUMS, admitted, place_of
from gateway.store.figures.scopes import SummedScope, keep_up, move_scope, shrink
from gateway.store.figures.triggers import HOUR_MS

calls = tables.calls
sums, summed, changed = tables.figure_sums, tables.figures_summed, tables.figures_changed
scope_sums = tables.figure_scope_sums

QUARTER_MS = HOUR_MS // 4
QUARTER, PERSONS, QUEUES = "quarter", "person", "queue"
"""Kinds of sums."""
_WRITE = Write(sums, tuple(sums.c.keys()))
_WRITE_FOR_SCOPE = Write(scope_sums, tuple(scope_sums.c.keys()))
Row = Mapping[str, Any]


class SummedHours(NamedTuple):
    """How far the hours of a tenant are summed: from ``since`` to ``until``, but for those that changed meanwhile;
    changes of calls that were logged before ``watched_until`` are noted. ``version`` is moved on by each change of it.
    """

    since: int
    until: int
    watched_until: int
    version: int


@dataclass(frozen=True, slots=True)
class Covered:
    """The hours from ``since`` to ``until`` for which sums are good, without those of ``left_out``."""

    since: int
    until: int
    left_out: Sequence[int]

    def gaps(self, first: int, last: int) -> Iterator[tuple[int, int]]:
        """Yield what is not covered between ``first`` and ``last``, from when to when."""
        for since, until in self._runs():
            if first < since:
                yield first, since
            first = until
        if first < last:
            yield first, last

    def _runs(self) -> Iterator[tuple[int, int]]:
        since = self.since
        for hour in self.left_out:
            if since < hour:
                yield since, hour
            since = hour + HOUR_MS
        if since < self.until:
            yield since, self.until


def hour_of(at: int) -> int:
    """Return when the hour of ``at`` began."""
    return at - at % HOUR_MS


def read_summed(connection: Connection, tenant: str) -> SummedHours | None:
    """Return how far the hours of ``tenant`` are summed, None where none is."""
    query = select(*(summed.c[name] for name in SummedHours._fields)).where(summed.c.tenant == tenant)
    row = connection.execute(query).one_or_none()
    return None if row is None else SummedHours(*row)


def read_changed(connection: Connection, tenant: str, since: int, until: int) -> dict[int, int]:
    """Return the hours between ``since`` and ``until`` that changed after they were summed, in order, each with how
    many changes there were.
    """
    between = (changed.c.tenant == tenant, changed.c.hour_at >= since, changed.c.hour_at < until)
    query = select(changed.c.hour_at, changed.c.changes).where(*between).order_by(changed.c.hour_at)
    return {row.hour_at: row.changes for row in connection.execute(query)}


def covered_hours(
    connection: Connection, tenant: str, bounds: Sequence[int], scope: SummedScope | None = None
) -> Covered | None:
    """Return for which whole hours between the first and the last of ``bounds`` sums are good, those of ``scope`` where
    that is given; None: for none.

    An hour within which one of ``bounds`` lies that begins no quarter is none of them.
    """
    known = read_summed(connection, tenant)
    if known is None or (scope and scope.version != known.version):
        return None
    since = max(known.since, hour_of(bounds[0] + HOUR_MS - 1), scope.since if scope else 0)
    until = min(known.until, hour_of(bounds[-1]), scope.until if scope else known.until)
    if since >= until:
        return None
    odd = {hour_of(bound) for bound in bounds if bound % QUARTER_MS and since <= bound < until}
    return Covered(since, until, sorted({*read_changed(connection, tenant, since, until), *odd}))


def read_sums(
    connection: Connection, tenant: str, covered: Covered, bounds: Sequence[int], scope: SummedScope | None = None
) -> Iterator[Any]:
    """Yield the sums of the covered hours, those of ``scope`` where that is given: kind, place between ``bounds`` (of
    quarters only), name, and the figures in the order of ``NAMES``.
    """
    of, whose = (scope_sums.c, [scope_sums.c.scope == scope.name]) if scope else (sums.c, [])
    between = [of.tenant == tenant, *whose, of.begins_at >= covered.since, of.begins_at < covered.until]
    if covered.left_out:
        between.append((of.begins_at - of.begins_at % HOUR_MS).not_in(covered.left_out))
    quarters = select(literal(QUARTER), place_of(of.begins_at, bounds).label("place"), literal(""), *_added(of))
    quarters = quarters.where(*between, of.kind == QUARTER).group_by("place")
    names = select(of.kind, literal(0), of.name, *_added(of))
    names = names.where(*between, of.kind.in_((PERSONS, QUEUES))).group_by(of.kind, of.name)
    yield from connection.execute(union_all(quarters, names))


def newest_sum(connection: Connection, tenant: str, before: int) -> int | None:
    """Return when the newest quarter began before ``before`` that has sums."""
    query = select(func.max(sums.c.begins_at)).where(sums.c.tenant == tenant, sums.c.kind == QUARTER)
    found: int | None = connection.execute(query.where(sums.c.begins_at < before)).scalar()
    return found


def count_hours(
    connection: Connection, tenant: str, since: int, until: int, scope: CallScope = EVERYTHING
) -> list[Row]:
    """Return the rows of sums that those calls of the hours from ``since`` to ``until`` make that ``scope`` admits."""
    groups = _groups(tenant, since, until, scope).cte("groups")
    rows = connection.execute(union_all(*_kinds(groups)))
    # PostgreSQL's sums are of a type without an end.
    read = ((tenant, kind, begins_at, name, *map(int, values)) for kind, begins_at, name, *values in rows)
    return [dict(zip(sums.c.keys(), row, strict=True)) for row in read]


def _groups(tenant: str, since: int, until: int, scope: CallScope) -> Select[Any]:
    quarter = calls.c.logged_at - calls.c.logged_at % QUARTER_MS
    by = (quarter.label("begins_at"), PERSON.label("person"), func.coalesce(calls.c.queue, "").label("of_queue"))
    named = (each.label(name) for name, each in zip(NAMES, SUMS, strict=True))
    between = (calls.c.tenant == tenant, calls.c.logged_at >= since, calls.c.logged_at < until)
    return admitted(select(*by, *named).where(*between).group_by("begins_at", "person", "of_queue"), scope)


def _kinds(groups: CTE) -> Iterator[Select[Any]]:
    hour = (groups.c.begins_at - groups.c.begins_at % HOUR_MS).label("hour")
    yield select(literal(QUARTER), groups.c.begins_at, literal(""), *_added(groups.c)).group_by(groups.c.begins_at)
    yield select(literal(PERSONS), hour, groups.c.person, *_added(groups.c)).group_by("hour", groups.c.person)
    queues = select(literal(QUEUES), hour, groups.c.of_queue, *_added(groups.c)).where(groups.c.of_queue != "")
    yield queues.group_by("hour", groups.c.of_queue)


def _added(columns: Any) -> Iterator[Any]:
    return ((func.max if name == "longest_s" else func.sum)(columns[name]) for name in NAMES)


class SumsOfHours(NamedTuple):
    """What is to be written of the hours from ``since`` to ``until``: ``rows`` as they were counted when the tenant's
    hours were summed as far as ``known``, and had ``changes``; they are summed as far as ``moved`` then. ``of_scopes``
    are the rows of scopes whose hours these are too, by their names.
    """

    tenant: str
    known: SummedHours
    since: int
    until: int
    rows: Sequence[Row]
    changes: Mapping[int, int]
    moved: SummedHours
    of_scopes: Mapping[str, Sequence[Row]]


class SumsOfScope(NamedTuple):
    """What is to be written of the hours from ``since`` to ``until`` for a scope: ``rows`` as they were counted when
    the tenant's hours were summed as far as ``known``; its own are summed as far as ``moved`` then.
    """

    tenant: str
    known: SummedHours
    since: int
    until: int
    rows: Sequence[Row]
    moved: SummedScope


def write_sums(connection: Connection, found: SumsOfHours) -> bool:
    """Write sums in the place of those that are there; return False, and write nothing, where somebody else has written
    sums of the tenant since they were counted. Calls that changed since stay noted.
    """
    if not move(connection, found.tenant, found.known, found.moved):
        return False
    connection.execute(delete(sums).where(*_hours_of(sums.c, found)))
    _WRITE.run(connection, found.rows)
    for scope, rows in found.of_scopes.items():
        _write_for_scope(connection, found, scope, rows)
    if found.changes:
        seen = tuple_(changed.c.hour_at, changed.c.changes).in_(list(found.changes.items()))
        connection.execute(delete(changed).where(changed.c.tenant == found.tenant, seen))
    return True


def write_sums_of_scope(connection: Connection, found: SumsOfScope) -> bool:
    """Write sums of a scope in the place of those that are there; return False, and write nothing, where somebody else
    has written sums of the tenant since they were counted. Calls that changed since stay noted.
    """
    if not move(connection, found.tenant, found.known, found.known):
        return False
    _write_for_scope(connection, found, found.moved.name, found.rows)
    move_scope(connection, found.tenant, found.moved, found.known.version + 1)
    return True


def _write_for_scope(connection: Connection, found: SumsOfHours | SumsOfScope, scope: str, rows: Sequence[Row]) -> None:
    connection.execute(delete(scope_sums).where(scope_sums.c.scope == scope, *_hours_of(scope_sums.c, found)))
    _WRITE_FOR_SCOPE.run(connection, [{**row, "scope": scope} for row in rows])


def _hours_of(columns: Any, found: SumsOfHours | SumsOfScope) -> Sequence[ColumnElement[bool]]:
    """Return the condition for sums of the hours that ``found`` is of."""
    between = (columns.begins_at >= found.since, columns.begins_at < found.until)
    return columns.tenant == found.tenant, columns.kind.in_((QUARTER, PERSONS, QUEUES)), *between


def move(connection: Connection, tenant: str, known: SummedHours, moved: SummedHours) -> bool:
    """Write down that the tenant's hours are summed as far as ``moved``; return False, and write nothing, where that is
    not ``known`` any more.
    """
    values = {**moved._asdict(), "version": known.version + 1}
    as_known = (summed.c.tenant == tenant, summed.c.version == known.version)
    if connection.execute(update(summed).where(*as_known).values(values)).rowcount != 1:
        return False
    keep_up(connection, tenant, known.version, known.version + 1)
    return True


def distrust(connection: Connection, until: Mapping[str, int]) -> None:
    """Have no sums of hours trusted, for each tenant of ``until``, that begin before the time it gives: of calls that
    went without a trigger's knowing. Those hours are summed anew.
    """
    for tenant, at in sorted(until.items()):
        hour = hour_of(at + HOUR_MS - 1)
        since = case((summed.c.until < hour, summed.c.until), else_=hour)
        older = (summed.c.tenant == tenant, summed.c.since < hour)
        shrink(connection, tenant, hour)
        moved = update(summed).where(*older).values(since=since, version=summed.c.version + 1)
        for (version,) in connection.execute(moved.returning(summed.c.version)).all():
            keep_up(connection, tenant, version - 1, version)
