"""Calls as a search sees them: the texts that words are looked for in, and what is chosen instead of searched."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, Select, select

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
from gateway.store import tables

calls, legs, notes, agent_notes = tables.calls, tables.legs, tables.notes, tables.agent_notes

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
BESIDE = ("id", "tenant", "direction", "status", "result", "missed", "account_id", "logged_at", "fields")
COUNTED = ("leg_count", "note_count")
COLUMNS = [calls.c[name] for name in (*BESIDE, *COUNTED, *TEXTS)]
AT_ONCE = 500
END = 8
"""Digits by which a telephone is known in another text."""
MOST_DAYS = 62
"""A longer period is looked for by its months."""
MOST_MONTHS = 120
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class SearchableCall:
    """One call, as it was read (``row``, with its ``legs``), and its ``lines`` of text."""

    id: int
    tenant: str
    lines: Sequence[Line]
    row: Row[Any]
    legs: Sequence[Row[Any]]

    @property
    def facets(self) -> Mapping[str, Sequence[str]]:
        """Values that are chosen, not searched, by name."""
        return _facets(self.row, self.legs)

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
    return select(*COLUMNS)


def read_searchable(connection: Connection, query: Select[Any]) -> list[SearchableCall]:
    """Return the calls of ``query``, with what is kept of them in rows of their own."""
    rows = connection.execute(query).all()
    several = _beside(connection, legs, [row.id for row in rows if row.leg_count])
    noted = _beside(connection, notes, [row.id for row in rows if row.note_count])
    written = _beside(connection, agent_notes, [row.id for row in rows])
    return [_searchable(row, several.get(row.id, ()), noted.get(row.id, ()), written.get(row.id, ())) for row in rows]


def calls_of(connection: Connection, ids: Iterable[int]) -> list[SearchableCall]:
    """Return the calls with ``ids``."""
    wanted, found = sorted(ids), []
    for start in range(0, len(wanted), AT_ONCE):
        chosen = calls.c.id.in_(wanted[start : start + AT_ONCE])
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
        for row in connection.execute(select(table).where(table.c.call_id.in_(ids[start : start + AT_ONCE]))):
            found[row.call_id].append(row)
    return found


def _searchable(
    row: Row[Any], several: Sequence[Row[Any]], noted: Sequence[Row[Any]], written: Sequence[Row[Any]]
) -> SearchableCall:
    found = [*_lines(row, several, noted), *(line for note in written for line in _lines_of_note(note))]
    lines = tuple(dict.fromkeys(found))
    return SearchableCall(row.id, row.tenant, lines, row, several)


def _lines(row: Row[Any], several: Sequence[Row[Any]], noted: Sequence[Row[Any]]) -> Iterator[Line]:
    told = row._mapping
    for name, field in TEXTS.items():
        yield from line_of(field, told[name])
    for text in read_fields(row.fields).values():
        yield from line_of(Field.CODE, text)
    for leg in several:
        yield from line_of(Field.WHO, leg.extension)
        yield from line_of(Field.WHO, leg.agent)
    for note in noted:
        yield from line_of(Field.NOTE, note.transcript)
        yield from line_of(Field.NOTE, note.cost)


def _lines_of_note(note: Row[Any]) -> Iterator[Line]:
    """Yield what an agent wrote about the call."""
    yield from line_of(Field.NOTE, note.text)
    yield from line_of(Field.NOTE, note.outcome)


def _facets(row: Row[Any], several: Sequence[Row[Any]]) -> Mapping[str, Sequence[str]]:
    day = _day(row.logged_at)
    return {
        "direction": (row.direction,),
        "status": (row.status,),
        "result": (row.result,) if row.result else (),
        "missed": ("1",) if row.missed else (),
        "account": (str(row.account_id),) if row.account_id else (),
        "extension": sorted({row.extension, *(leg.extension for leg in several)}),
        "day": (day.isoformat(),),
        "month": (day.isoformat()[:7],),
    }


def _day(at: int) -> date:
    return datetime.fromtimestamp(at / 1000, UTC).date()


def _month(day: date) -> int:
    return day.year * 12 + day.month - 1
