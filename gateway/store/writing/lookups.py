"""SELECTs by many keys, compiled once for each number of keys and run by the driver.

What several classes have to read for one batch goes out together (``load_together``): each of them asks its questions,
and takes the answers once all have asked.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from itertools import chain, count
from typing import Any

from sqlalchemy import Connection, Integer, String, Text, bindparam, cast, func, literal_column, union_all
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.sql import ClauseElement, ColumnElement, Select

from gateway.store.bulk import LARGEST, Driver, positional
from gateway.store.partitions.spans import EVERY_ID, IdSpan

ALL = 0
"""Stands for any number of keys."""

Wanted = Mapping[str, Collection[Any]] | Mapping[tuple[str, str], Collection[Any]]
"""Keys by their tenant, or by tenant and part."""
Rows = list[tuple[Any, ...]]
Answer = Callable[[], Rows]
"""Returns the rows of a question that was asked; they are fetched once."""


def load_together(driver: Driver, loads: Sequence[Iterator[None]]) -> bool:
    """Run ``loads``, generators that ask, yield once, and go on when what they have asked is there.

    What is asked in between goes out together, so that it takes one round trip over a network; return whether it did
    by a pipeline.
    """
    piped = driver.is_networked and len(loads) > 1
    if piped:
        with driver.together():
            for load in loads:
                next(load)
    for load in loads:
        for _ in load:
            pass
    return piped


def nothing() -> Rows:
    """Answer a question that needed not be asked."""
    return []


class Lookup:
    """A SELECT by many keys. ``build(placeholders)`` makes it for a number of keys, which is rounded up to a power of
    two (the last key is repeated), so that few statements serve all batches.
    """

    def __init__(self, build: Callable[[int], ClauseElement]) -> None:
        self._build = build
        self._texts: dict[tuple[str, int], str] = {}

    def run(self, connection: Connection | Driver, keys: Iterable[Any], before: Sequence[Any] = ()) -> Rows:
        """Run the statement and return the rows of all ``keys``; ``before`` are the values of parameters that stand
        ahead of them.
        """
        return self.ask(connection, keys, before)()

    def ask(self, connection: Connection | Driver, keys: Iterable[Any], before: Sequence[Any] = ()) -> Answer:
        """Send the same statement; its rows are there when the answer is asked for."""
        wanted = list(keys)
        asked: list[Answer] = []
        for start in range(0, len(wanted), LARGEST):
            part = filled_up(wanted[start : start + LARGEST])
            text = self._texts.get((connection.dialect.name, len(part))) or self._text(connection, len(part))
            cursor: Any = connection.connection.cursor()
            cursor.execute(text, [*before, *part])
            asked.append(cursor.fetchall)
        return asked[0] if len(asked) == 1 else _all_of(asked)

    def _text(self, connection: Connection | Driver, size: int) -> str:
        text = self._texts[connection.dialect.name, size] = positional(self._build(size), connection)
        return text


class TenantLookup:
    """A SELECT by keys of tenants: ``query`` for the rows whose ``tenant`` and ``key`` are wanted.

    On SQLite, where to ask costs next to nothing, it is one statement for each tenant; on PostgreSQL one for all of
    them, for each is a trip over the network. ``query`` may have parameters of its own, which ``run`` takes by name.
    With ``part``, a column, keys are those of a part of a tenant: wanted ones stand under the pair. ``unique`` keys are
    one tenant's only, and are looked for by themselves. ``within`` is a column with ids of calls, which are looked for
    among those that ``ask`` is told of only: on PostgreSQL, where calls lie apart by them.
    """

    def __init__(
        self,
        query: Select[Any],
        tenant: ColumnElement[Any],
        key: ColumnElement[Any],
        *,
        part: ColumnElement[Any] | None = None,
        unique: bool = False,
        within: ColumnElement[Any] | None = None,
    ) -> None:
        self._query = query
        self._within = within
        self._whose = () if unique else (tenant,) if part is None else (tenant, part)
        self._key = key
        self._texts: dict[int, tuple[str, Sequence[str]]] = {}
        self.key_type = int if isinstance(key.type, Integer) else str

    def run(self, connection: Connection | Driver, wanted: Wanted, **values: Any) -> Rows:
        """Return the rows of all keys ``wanted`` of each tenant."""
        return self.ask(connection, wanted, **values)()

    def ask(self, connection: Connection | Driver, wanted: Wanted, **values: Any) -> Answer:
        """Ask for the same rows; they are there when the answer is asked for."""
        if connection.dialect.name == "postgresql":
            return self._of_all(connection, wanted, values)
        asked = []
        for whose, keys in wanted.items():
            if keys:
                asked.append(self._of_one(connection, whose, list(keys), values))
        return asked[0] if len(asked) == 1 else _all_of(asked)

    def _of_one(
        self, connection: Connection | Driver, whose: str | tuple[str, str], keys: list[Any], values: Mapping[str, Any]
    ) -> Answer:
        if len(keys) > LARGEST:
            parts = [keys[start : start + LARGEST] for start in range(0, len(keys), LARGEST)]
            return _all_of([self._of_one(connection, whose, part, values) for part in parts])
        keys = filled_up(keys)
        text, names = self._texts.get(len(keys)) or self._for_one(connection, len(keys))
        cursor: Any = connection.connection.cursor()
        cursor.execute(text, [*map(values.__getitem__, names), *self._parts(whose), *keys])
        answer: Answer = cursor.fetchall
        return answer

    def _for_one(self, connection: Connection | Driver, size: int) -> tuple[str, Sequence[str]]:
        """Compile it for so many keys of one tenant; return it with the names of the parameters ahead of the keys."""
        keys = self._key.in_([bindparam(f"k{i}", type_=self._key.type) for i in range(size)])
        mine = [column == bindparam(f"of{place}") for place, column in enumerate(self._whose)]
        compiled: Any = self._query.where(*mine, keys).compile(dialect=connection.dialect)
        # The query's own parameters stand ahead of the tenant and the keys.
        self._texts[size] = str(compiled), compiled.positiontup[: -size - len(mine)]
        return self._texts[size]

    def _of_all(self, connection: Connection | Driver, wanted: Wanted, values: Mapping[str, Any]) -> Answer:
        keys = self.keys(wanted)
        if not keys:
            return nothing
        text, names = self._texts.get(ALL) or self._for_all(connection)
        given = {**bounds(EVERY_ID), **values, **keys}
        cursor: Any = connection.connection.cursor()
        cursor.execute(text, [given[name] for name in names])
        answer: Answer = cursor.fetchall
        return answer

    def _for_all(self, connection: Connection | Driver) -> tuple[str, Sequence[str]]:
        """Compile it for any number of keys, which come as an array beside that of their tenants."""
        compiled: Any = self.among_keys().compile(dialect=connection.dialect)
        self._texts[ALL] = str(compiled), compiled.positiontup
        return self._texts[ALL]

    def keys(self, wanted: Wanted, prefix: str = "") -> Mapping[str, list[Any]]:
        """Return the values of the parameters of ``among_keys``: an array for each column; none without keys."""
        rows = [(*self._parts(whose), key) for whose, keys in wanted.items() for key in keys]
        return {f"{prefix}keys{place}": list(each) for place, each in enumerate(zip(*rows, strict=True))}

    def among_keys(self, prefix: str = "") -> Select[Any]:
        """Return the query for any number of keys of any tenants, for PostgreSQL."""
        types = [*(String() for _ in self._whose), self._key.type]
        arrays = [bindparam(f"{prefix}keys{place}", type_=ARRAY(each)) for place, each in enumerate(types)]
        names = [f"c{place}" for place in range(len(arrays))]
        wanted = func.unnest(*arrays).table_valued(*names).render_derived(name=f"{prefix}wanted")
        columns = (*self._whose, self._key)
        query = self._query if self._within is None else self._query.where(*between(self._within))
        return query.where(*(column == wanted.c[name] for column, name in zip(columns, names, strict=True)))

    def _parts(self, whose: str | tuple[str, str]) -> Sequence[str]:
        parts = (whose,) if isinstance(whose, str) else whose
        return parts[: len(self._whose)]


class SeveralLookups:
    """Lookups whose queries have the same number of columns, the keys in the place ``key``: one statement on
    PostgreSQL.
    """

    def __init__(self, *lookups: TenantLookup, key: int) -> None:
        self._lookups = lookups
        self._key = key
        self._text: tuple[str, Sequence[str]] | None = None

    def ask(self, driver: Driver, wanted: Sequence[Wanted], **values: Any) -> Callable[[], Sequence[Rows]]:
        """Ask for the keys ``wanted`` of each lookup; the answer has the rows of each. ``values`` are of parameters
        that their queries have.
        """
        if driver.dialect.name != "postgresql":
            asked = [lookup.ask(driver, keys, **values) for lookup, keys in zip(self._lookups, wanted, strict=True)]
            return lambda: [answer() for answer in asked]
        text, names = self._text = self._text or self._compiled(driver)
        given: dict[str, Any] = {name: [] for name in names} | {**bounds(EVERY_ID), **values}
        for place, (lookup, keys) in enumerate(zip(self._lookups, wanted, strict=True)):
            given |= lookup.keys(keys, f"l{place}_")
        cursor = driver.connection.cursor()
        cursor.execute(text, [given[name] for name in names])
        return lambda: self._told_apart(cursor.fetchall())

    def _compiled(self, driver: Driver) -> tuple[str, Sequence[str]]:
        queries = [lookup.among_keys(f"l{place}_") for place, lookup in enumerate(self._lookups)]
        named = [
            query.with_only_columns(literal_column(str(place)), *map(self._as_text, count(), query.selected_columns))
            for place, query in enumerate(queries)
        ]
        compiled: Any = union_all(*named).compile(dialect=driver.dialect)
        return str(compiled), compiled.positiontup

    def _as_text(self, place: int, column: ColumnElement[Any]) -> ColumnElement[Any]:
        return cast(column, Text) if place == self._key else column

    def _told_apart(self, found: Rows) -> Sequence[Rows]:
        rows: list[Rows] = [[] for _ in self._lookups]
        for which, *values in found:
            values[self._key] = self._lookups[which].key_type(values[self._key])
            rows[which].append(tuple(values))
        return rows


def between(column: ColumnElement[Any]) -> Sequence[ColumnElement[bool]]:
    """Return the conditions for ids of ``column`` within the parameters that ``bounds`` has."""
    return column >= bindparam("from_id", type_=column.type), column < bindparam("to_id", type_=column.type)


def bounds(span: IdSpan) -> Mapping[str, int]:
    """Return the parameters for ids of calls within ``span``."""
    return {"from_id": span.first, "to_id": span.end}


def _all_of(asked: list[Answer]) -> Answer:
    """Return one answer with the rows of all."""
    return lambda: list(chain.from_iterable(answer() for answer in asked))


def filled_up(keys: list[Any]) -> list[Any]:
    """Return ``keys`` and the last one again, as often as makes them a power of two: few statements serve all sizes."""
    count = len(keys)
    return keys if count & (count - 1) == 0 else keys + [keys[-1]] * ((1 << count.bit_length()) - count)
