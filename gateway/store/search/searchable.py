"""Calls as a search sees them: the texts that words are looked for in, and what is chosen instead of searched."""

import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, select

from gateway.domain.calls.free_fields import read_fields
from gateway.domain.calls.search_terms import (
    Field,
    Line,
    digits_of,
    facet_token,
    facet_tokens,
    line_of,
    tokens_of_lines,
)
from gateway.domain.messages import Direction
from gateway.store import tables
from gateway.store.among import among

calls, legs, notes, orders = tables.calls, tables.legs, tables.notes, tables.orders
agent_notes = tables.agent_notes

TEXTS: Mapping[str, Field] = {
    "number": Field.NUMBER,
    "number_as_sent": Field.NUMBER,
    "account_name": Field.NAME,
    "contact": Field.NAME,
    "caller_name": Field.NAME,
    "account_code": Field.CODE,
    "call_ref": Field.CODE,
    "answered_agent": Field.WHO,
    "answered_agent_name": Field.WHO,
    "extension": Field.WHO,
    "answered_by": Field.WHO,
    "queue": Field.QUEUE,
    "line": Field.LINE,
    "line_name": Field.LINE,
    "result_text": Field.NOTE,
}
"""Columns of a call that are searched, and what they count as."""
ALL = frozenset(Field)
BESIDE = ("id", "tenant", "fields", "order_id")
CHOSEN = ("direction", "status", "result", "missed", "account_id", "logged_at")
"""Columns beside the texts of which facets are made, which no look needs."""
COUNTED = ("leg_count", "note_count")
FIRST_TEXT = len(BESIDE) + len(COUNTED)
AT_ONCE = 500
END = 8
"""Digits by which a telephone is known in another text."""
MOST_DAYS = 62
"""A longer period is looked for by its months."""
MOST_MONTHS = 120
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class SearchableCall:
    """One call, as it was read (``row``, with its ``legs``), its ``lines`` of text, and the login that placed it."""

    id: int
    tenant: str
    lines: Sequence[Line]
    row: Row[Any]
    legs: Sequence[Row[Any]]
    placed_by: str | None = None

    @property
    def facets(self) -> Mapping[str, Sequence[str]]:
        """Values that are chosen, not searched, by name."""
        return _facets(self.row, self.legs, self.placed_by)

    def tokens(self) -> set[str]:
        """Return everything that it is to be found by."""
        return tokens_of_lines(self.lines) | facet_tokens(self.facets)

    def has_number(self, text: str) -> bool:
        """Return whether ``text`` is the whole telephone."""
        digits = digits_of(text)
        return bool(digits) and any(line.field is Field.NUMBER and line.digits == digits for line in self.lines)

    @property
    def lines_without_number(self) -> Sequence[Line]:
        """The lines that tell nothing of the telephone, for who may not see it: not digit by digit either."""
        numbers = [line.digits[-END:] for line in self.lines if line.field is Field.NUMBER and len(line.digits) >= END]
        others = [line for line in self.lines if line.field is not Field.NUMBER]
        return [line for line in others if not any(end in re.sub(r"\D", "", line.text) for end in numbers)]


def select_searchable() -> Select[Any]:
    """Return a query of what ``read_searchable`` needs of calls."""
    return select(*columns_of(ALL), *(calls.c[name] for name in CHOSEN))


def columns_of(fields: Collection[Field]) -> Sequence[ColumnElement[Any]]:
    """Return the columns of calls of which ``read_looked_at`` makes lines of ``fields``."""
    return [calls.c[name] for name in (*BESIDE, *COUNTED, *_texts(fields))]


def read_searchable(connection: Connection, query: Select[Any]) -> list[SearchableCall]:
    """Return the calls of ``query``, of the columns of all fields, with what is kept of them in rows of their own."""
    rows = connection.execute(query).all()
    placed = _placed_by(connection, [row.order_id for row in rows if row.order_id])
    return _searchable(connection, rows, ALL, placed)


def read_looked_at(
    connection: Connection,
    query: Select[Any],
    fields: Collection[Field],
    is_ruled_out: Callable[[str], bool] | None = None,
) -> list[SearchableCall]:
    """Return the calls of ``query``, of the columns of ``fields``, with the lines of those only, and without facets.

    Calls whose texts are ruled out are left out.
    """
    return _searchable(connection, connection.execute(query).all(), fields, {}, is_ruled_out)


def calls_of(connection: Connection, ids: Iterable[int]) -> list[SearchableCall]:
    """Return the calls with ``ids``."""
    wanted, found = sorted(ids), []
    for start in range(0, len(wanted), AT_ONCE):
        chosen = among(connection, calls.c.id, wanted[start : start + AT_ONCE])
        found += read_searchable(connection, select_searchable().where(chosen))
    return found


def period_tokens(since: int | None, until: int | None, now: int) -> frozenset[str]:
    """Return tokens of which each call from ``since`` until ``until`` (milliseconds) has one; none for a period that is
    too long to be named so.
    """
    if since is None:
        return frozenset()
    first, last = _day(since), _day(max(since, (now if until is None else until - 1)))
    if (last - first).days < MOST_DAYS:
        return frozenset(facet_token("day", (first + DAY * n).isoformat()) for n in range((last - first).days + 1))
    months = {f"{at // 12:04}-{at % 12 + 1:02}" for at in range(_month(first), _month(last) + 1)}
    return frozenset(facet_token("month", each) for each in months) if len(months) <= MOST_MONTHS else frozenset()


def _beside(connection: Connection, table: Any, ids: Sequence[int]) -> Mapping[int, Sequence[Row[Any]]]:
    found: dict[int, list[Row[Any]]] = defaultdict(list)
    for start in range(0, len(ids), AT_ONCE):
        chosen = among(connection, table.c.call_id, ids[start : start + AT_ONCE])
        for row in connection.execute(select(table).where(chosen)):
            found[row.call_id].append(row)
    return found


def _placed_by(connection: Connection, order_ids: Sequence[int]) -> Mapping[int, str | None]:
    """Return the logins that placed orders, by the orders' ids."""
    found: dict[int, str | None] = {}
    for start in range(0, len(order_ids), AT_ONCE):
        chosen = among(connection, orders.c.id, order_ids[start : start + AT_ONCE])
        query = select(orders.c.id, orders.c.requested_by).where(chosen)
        found |= {row.id: row.requested_by for row in connection.execute(query)}
    return found


def _searchable(
    connection: Connection,
    rows: Sequence[Row[Any]],
    fields: Collection[Field],
    placed: Mapping[int, str | None],
    is_ruled_out: Callable[[str], bool] | None = None,
) -> list[SearchableCall]:
    """Return calls with lines of ``fields``: what is kept of them elsewhere is read only where those need it."""
    several = _beside(connection, legs, [row.id for row in rows if row.leg_count] if Field.WHO in fields else ())
    is_noted = Field.NOTE in fields
    noted = _beside(connection, notes, [row.id for row in rows if row.note_count] if is_noted else ())
    written = _beside(connection, agent_notes, [row.id for row in rows] if is_noted else ())
    texts, with_fields = [*_texts(fields).values()], Field.CODE in fields
    found = []
    for row in rows:
        its_legs, its_notes = several.get(row.id, ()), (*noted.get(row.id, ()), *written.get(row.id, ()))
        if is_ruled_out and not its_legs and not its_notes and is_ruled_out(_joined(row, with_fields=with_fields)):
            continue
        lines = tuple(dict.fromkeys(_lines(row, texts, its_legs, its_notes, with_fields=with_fields)))
        found.append(SearchableCall(row.id, row.tenant, lines, row, its_legs, placed.get(row.order_id)))
    return found


def _joined(row: Row[Any], *, with_fields: bool) -> str:
    """Return all texts that are in the row itself."""
    texts = "\n".join(filter(None, row[FIRST_TEXT:]))
    return "\n".join([texts, *read_fields(row.fields).values()]) if with_fields and row.fields else texts


def _texts(fields: Collection[Field]) -> Mapping[str, Field]:
    return {name: field for name, field in TEXTS.items() if field in fields}


def _lines(
    row: Row[Any],
    texts: Sequence[Field],
    several: Sequence[Row[Any]],
    noted: Sequence[Row[Any]],
    *,
    with_fields: bool,
) -> Iterator[Line]:
    for text, field in zip(row[FIRST_TEXT : FIRST_TEXT + len(texts)], texts, strict=True):
        if text:
            yield from line_of(field, text)
    if with_fields:
        for text in read_fields(row.fields).values():
            yield from line_of(Field.CODE, text)
    yield from _lines_beside(several, noted)


def _lines_beside(several: Sequence[Row[Any]], noted: Sequence[Row[Any]]) -> Iterator[Line]:
    for leg in several:
        yield from line_of(Field.WHO, leg.extension)
        yield from line_of(Field.WHO, leg.agent)
    for note in noted:
        # Those of exchanges, and what an agent wrote.
        for name in ("transcript", "cost", "text", "outcome"):
            yield from line_of(Field.NOTE, note._mapping.get(name))


def _facets(row: Row[Any], several: Sequence[Row[Any]], placed_by: str | None) -> Mapping[str, Sequence[str]]:
    day = _day(row.logged_at)
    other_end = (row.number,) if row.direction == Direction.INTERNAL else ()
    extensions = {row.extension, row.answered_by, *(leg.extension for leg in several), *other_end}
    logins = {row.answered_agent, placed_by, *(leg.agent for leg in several)}
    return {
        "direction": (row.direction,),
        "status": (row.status,),
        "result": (row.result,) if row.result else (),
        "missed": ("1",) if row.missed else (),
        "account": (str(row.account_id),) if row.account_id else (),
        "extension": sorted(filter(None, extensions)),
        "login": sorted(filter(None, logins)),
        "queue": (row.queue,) if row.queue else (),
        "day": (day.isoformat(),),
        "month": (day.isoformat()[:7],),
    }


def _day(at: int) -> date:
    return datetime.fromtimestamp(at / 1000, UTC).date()


def _month(day: date) -> int:
    return day.year * 12 + day.month - 1
