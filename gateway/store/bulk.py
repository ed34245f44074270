"""Statements for many rows at once, compiled once for each database and run by its driver.

Each statement that a driver runs lets other threads go on in between, and then waits for its turn behind them; and
SQLAlchemy works out parameters anew for every row. So the journal reads and writes whole batches by one statement each.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from itertools import chain, cycle
from operator import gt, itemgetter
from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql import ClauseElement

from gateway.store.fitting import Fitted, fit, is_storable

encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
LARGEST = 256
"""Rows in one statement; larger sets go in several."""
INSERTS: Mapping[str, Callable[[Table], Any]] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}


class Driver:
    """The driver under ``connection``, looked up once for many statements: they take either."""

    __slots__ = ("connection", "dialect", "pipeline")

    def __init__(self, connection: Connection) -> None:
        self.dialect = connection.dialect
        self.connection: Any = connection.connection.dbapi_connection
        self.pipeline: Callable[[], AbstractContextManager[Any]] | None = getattr(self.connection, "pipeline", None)
        """Opens a block whose statements go out together, where the driver can; their errors come at its end."""


def written(table: Table) -> tuple[str, ...]:
    """Return the columns that a new row of ``table`` is written with: neither a number that the database gives, nor
    what has its value later, as the columns' ``info`` says.
    """
    return tuple(column.name for column in table.c if column.autoincrement is not True and "later" not in column.info)


def changing(table: Table) -> tuple[str, ...]:
    """Return the columns that are set anew where a row of ``table`` is there already: no key, nothing ``fixed``."""
    return tuple(column.name for column in table.c if not column.primary_key and "fixed" not in column.info)


Row = Mapping[str, Any] | Sequence[Any]
"""What is to be written: values by the columns' names, or in an order of columns."""


def _getter(names: Sequence[str], places: Mapping[str, int] | None) -> Callable[[Any], Sequence[Any]]:
    """Return what gets the values of ``names`` out of a row, however many they are."""
    keys = [places[name] for name in names] if places else names
    return itemgetter(*keys) if len(keys) > 1 else lambda row: [row[key] for key in keys]


class Write:
    """Inserts rows of ``columns``; where the primary key is there already, its columns ``changing`` are set anew.

    With ``unique`` it is these columns that may be there already; with nothing to change, the old row then stays. With
    ``places`` rows are sequences, and it says which place each column has in them.
    """

    def __init__(
        self,
        table: Table,
        columns: Sequence[str],
        *,
        changing: Sequence[str] = (),
        unique: Sequence[str] = (),
        places: Mapping[str, int] | None = None,
    ) -> None:
        self._table = table
        self._columns = columns
        self._changing = changing
        self._unique = unique
        types = {name: table.c[name].type for name in columns}
        self._lengths = {name: kind.length for name, kind in types.items() if isinstance(kind, Fitted)}
        self._values_of, self._texts_of = _getter(columns, places), _getter(tuple(self._lengths), places)
        self._parts: dict[str, Sequence[str]] = {}
        self._texts: dict[tuple[str, int], str] = {}

    def run(self, connection: Connection | Driver, rows: Sequence[Row]) -> None:
        """Write all ``rows``, which have all of the columns; nothing happens when there are none."""
        for start in range(0, len(rows), LARGEST):
            part = rows[start : start + LARGEST]
            values = list(chain.from_iterable(map(self._values_of, part)))
            if not self._do_fit(part):
                self._fit(values)
            if connection.dialect.name == "postgresql":
                self._run_as_document(connection, values)
            else:
                text = self._texts.get((connection.dialect.name, len(part))) or self._text(connection, len(part))
                connection.connection.cursor().execute(text, values)

    def _run_as_document(self, connection: Connection | Driver, values: Sequence[Any]) -> None:
        """Write all rows as one value: the driver of PostgreSQL takes fifteen times as long for one each."""
        width = len(self._columns)
        rows = [dict(zip(self._columns, values[at : at + width], strict=True)) for at in range(0, len(values), width)]
        text = self._texts.get((connection.dialect.name, 0)) or self._document_text(connection)
        document = encode([{name: value for name, value in row.items() if value is not None} for row in rows])
        connection.connection.cursor().execute(text, [document])

    def _document_text(self, connection: Connection | Driver) -> str:
        head, _, tail = self._parts.get(connection.dialect.name) or self._compiled(connection)
        types = (self._table.c[name].type.compile(dialect=connection.dialect) for name in self._columns)
        row = ", ".join(f"{name} {kind}" for name, kind in zip(self._columns, types, strict=True))
        names = ", ".join(self._columns)
        chosen = " ".join(("SELECT", names, "FROM json_to_recordset(%s::json) AS rows", f"({row})"))
        text = self._texts[connection.dialect.name, 0] = head.removesuffix("VALUES ") + chosen + tail
        return text

    def _do_fit(self, rows: Sequence[Row]) -> bool:
        """Return whether all texts of ``rows`` fit their columns, looked at together: nearly all do."""
        texts = [text or "" for row in rows for text in self._texts_of(row)]
        return is_storable("".join(texts)) and not any(map(gt, map(len, texts), cycle(self._lengths.values())))

    def _fit(self, values: list[Any]) -> None:
        width = len(self._columns)
        for place, name in enumerate(self._columns):
            length = self._lengths.get(name)
            if length is not None:
                values[place::width] = [each and fit(each, length) for each in values[place::width]]

    def _text(self, connection: Connection | Driver, count: int) -> str:
        head, group, tail = self._parts.get(connection.dialect.name) or self._compiled(connection)
        text = self._texts[connection.dialect.name, count] = head + ", ".join([group] * count) + tail
        return text

    def _compiled(self, connection: Connection | Driver) -> Sequence[str]:
        """Compile the statement once for any number of rows: its beginning, a row's placeholders, its end."""
        dialect = connection.dialect.name
        one = positional(self._statement(dialect), connection)
        parts = re.fullmatch(r"(.* VALUES )(\([^()]*\))(.*)", one, re.DOTALL).groups()  # type: ignore[union-attr]
        self._parts[dialect] = parts
        return parts

    def _statement(self, dialect: str) -> Any:
        statement = INSERTS[dialect](self._table).values(dict.fromkeys(self._columns))
        keys = [self._table.c[name] for name in self._unique] or list(self._table.primary_key)
        if not self._changing:
            return statement.on_conflict_do_nothing(index_elements=keys) if self._unique else statement
        anew = {name: statement.excluded[name] for name in self._changing}
        return statement.on_conflict_do_update(index_elements=keys, set_=anew)


def _as_it_is(value: Any) -> Any:
    return value


class Change:
    """An UPDATE that is run once for each row of ``columns``: its parameters, in the order of its placeholders."""

    def __init__(self, statement: ClauseElement, columns: Sequence[str]) -> None:
        self._statement = statement
        self._columns = columns
        compiled: Any = statement.compile()
        types = [compiled.binds[name].type for name in columns]
        self._fits = [kind.fit if isinstance(kind, Fitted) else _as_it_is for kind in types]
        self._texts: dict[str, str] = {}

    def run(self, connection: Connection | Driver, rows: Sequence[Mapping[str, Any]]) -> None:
        """Make the change for all ``rows``."""
        dialect = connection.dialect.name
        if rows and dialect not in self._texts:
            self._texts[dialect] = positional(self._statement, connection)
        if rows:
            connection.connection.cursor().executemany(self._texts[dialect], [self._values(row) for row in rows])

    def _values(self, row: Mapping[str, Any]) -> list[Any]:
        return [as_stored(row[name]) for name, as_stored in zip(self._columns, self._fits, strict=True)]


def positional(statement: ClauseElement, connection: Connection | Driver) -> str:
    """Compile the statement with one placeholder for each value, in the order in which they are written."""
    return str(statement.compile(dialect=connection.dialect))
