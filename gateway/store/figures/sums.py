"""Sums of figures, read and written: which hours they hold, and what the calls of hours come to.

Quarters of an hour are summed as wholes, so that a day begins right in each time zone; people and queues by the hour,
and these hours by the day of UTC: of a long period only the first and last hours are read by the hour.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import (
    CTE,
    ColumnElement,
    Connection,
    Select,
    Table,
    case,
    delete,
    func,
    insert,
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
from gateway.store.figures.covered import DAY_MS, Covered, Stretch, day_of, hour_of
from gateway.store.figures.scopes import SummedScope, keep_up, move_scope, shrink
from gateway.store.figures.triggers import HOUR_MS

calls = tables.calls
sums, summed, changed = tables.figure_sums, tables.figures_summed, tables.figures_changed
scope_sums = tables.figure_scope_sums

QUARTER_MS = HOUR_MS // 4
QUARTER, PERSONS, QUEUES = "quarter", "person", "queue"
"""Kinds of sums."""
PERSONS_OF_DAY, QUEUES_OF_DAY = "person24", "queue24"
"""Kinds of sums of days: whenever hours are written, these are made anew from all hours of their days."""
OF_PERSONS = (PERSONS, PERSONS_OF_DAY)
_WRITE = Write(sums, tuple(sums.c.keys()))
_WRITE_FOR_SCOPE = Write(scope_sums, tuple(scope_sums.c.keys()))
Row = Mapping[str, Any]


class SummedHours(NamedTuple):
    """How far the hours of a tenant are summed: from ``since`` to ``until``, but for those that changed meanwhile;
    changes of calls that were logged before ``watched_until`` are noted. ``version`` is moved on by each change of it.
    Days are summed from ``days_since`` on, as long as ``days_version`` is the same as ``version``: a node of before
    sums hours alone.
    """

    since: int
    until: int
    watched_until: int
    version: int
    days_since: int | None = None
    days_version: int | None = None

    @property
    def good_days_since(self) -> int | None:
        """From when on sums of days are good; None: none is."""
        return self.days_since if self.days_version == self.version else None


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
    left_out = sorted({*read_changed(connection, tenant, since, until), *odd})
    return Covered(since, until, left_out, _days_since(known, scope))


def _days_since(known: SummedHours, scope: SummedScope | None) -> int | None:
    """Return from when on sums of days are good. Those of a scope are begun anew when days are (``day_summing.py``), so
    that all of its days are.
    """
    since = known.good_days_since
    return 0 if scope and since is not None else since


def read_sums(
    connection: Connection, tenant: str, covered: Covered, bounds: Sequence[int], scope: SummedScope | None = None
) -> Iterator[Any]:
    """Yield the sums of the covered hours, those of ``scope`` where that is given: kind, place between ``bounds`` (of
    quarters only), name, and the figures in the order of ``NAMES``.
    """
    of, whose = (scope_sums.c, [scope_sums.c.scope == scope.name]) if scope else (sums.c, [])
    theirs = [of.tenant == tenant, *whose]
    quarters = select(literal(QUARTER), place_of(of.begins_at, bounds).label("place"), literal(""), *_added(of))
    within = [*_between(of, covered.since, covered.until), *_but_for(of, covered.left_out)]
    quarters = quarters.where(*theirs, of.kind == QUARTER, *within).group_by("place")
    names = [_of_names(of, each, covered.left_out).where(*theirs) for each in covered.stretches()]
    yield from connection.execute(union_all(quarters, *names))


def _of_names(of: Any, stretch: Stretch, left_out: Sequence[int]) -> Select[Any]:
    """Return a query of the sums of people and queues in ``stretch``."""
    kinds = (PERSONS_OF_DAY, QUEUES_OF_DAY) if stretch.whole_days else (PERSONS, QUEUES)
    found = select(of.kind, literal(0), of.name, *_added(of)).group_by(of.kind, of.name)
    found = found.where(of.kind.in_(kinds), *_between(of, stretch.since, stretch.until))
    return found if stretch.whole_days else found.where(*_but_for(of, left_out))


def _between(of: Any, since: int, until: int) -> Sequence[ColumnElement[bool]]:
    return of.begins_at >= since, of.begins_at < until


def _but_for(of: Any, hours: Sequence[int]) -> Sequence[ColumnElement[bool]]:
    return [(of.begins_at - of.begins_at % HOUR_MS).not_in(hours)] if hours else []


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
    sum_days(connection, sums, found.since, found.until, sums.c.tenant == found.tenant)
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
    theirs = (scope_sums.c.tenant == found.tenant, scope_sums.c.scope == scope)
    connection.execute(delete(scope_sums).where(*theirs, *_hours_of(scope_sums.c, found)))
    _WRITE_FOR_SCOPE.run(connection, [{**row, "scope": scope} for row in rows])
    sum_days(connection, scope_sums, found.since, found.until, *theirs)


def sum_days(connection: Connection, table: Table, since: int, until: int, *whose: ColumnElement[bool]) -> None:
    """Sum the days anew, from their hours, that have any between ``since`` and ``until``."""
    of = table.c
    theirs = (*whose, *_between(of, day_of(since), day_of(until + DAY_MS - 1)))
    connection.execute(delete(table).where(*theirs, of.kind.in_((PERSONS_OF_DAY, QUEUES_OF_DAY))))
    key = [column for column in table.primary_key if column.name not in ("kind", "begins_at")]
    day = (of.begins_at - of.begins_at % DAY_MS).label("day")
    kind = case((of.kind == PERSONS, PERSONS_OF_DAY), else_=QUEUES_OF_DAY).label("of_day")
    days = select(kind, day, *key, *_added(of)).where(*theirs, of.kind.in_((PERSONS, QUEUES)))
    days = days.group_by("of_day", "day", *key)
    connection.execute(insert(table).from_select(["kind", "begins_at", *(each.name for each in key), *NAMES], days))


def _hours_of(columns: Any, found: SumsOfHours | SumsOfScope) -> Sequence[ColumnElement[bool]]:
    """Return the condition for sums of the hours that ``found`` is of."""
    between = (columns.begins_at >= found.since, columns.begins_at < found.until)
    return columns.tenant == found.tenant, columns.kind.in_((QUARTER, PERSONS, QUEUES)), *between


def move(connection: Connection, tenant: str, known: SummedHours, moved: SummedHours) -> bool:
    """Write down that the tenant's hours are summed as far as ``moved``; return False, and write nothing, where that is
    not ``known`` any more.
    """
    values = {**moved._asdict(), "version": known.version + 1}
    if known.days_version == known.version:
        values["days_version"] = known.version + 1
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
        days = case((summed.c.days_version == summed.c.version, summed.c.version + 1), else_=summed.c.days_version)
        moved = update(summed).where(*older).values(since=since, version=summed.c.version + 1, days_version=days)
        for (version,) in connection.execute(moved.returning(summed.c.version)).all():
            keep_up(connection, tenant, version - 1, version)
