"""Statements for many rows at once, compiled once for each database and run by its driver.

Each statement that a driver runs lets other threads go on in between, and then waits for its turn behind them; and
SQLAlchemy works out parameters anew for every row. So the journal reads and writes whole batches by one statement each.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from itertools import chain, cycle
from operator import gt, itemgetter
from typing import Any, Protocol

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    Connection,
    Table,
    Update,
    bindparam,
    cast,
    column,
    func,
    literal_column,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql import ClauseElement, ColumnElement

from gateway.store.fitting import Fitted, fit, is_storable

KEY = "of"
"""Under which the rows of a ``Change`` have their key."""
encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
LARGEST = 256
"""Rows in one statement; larger sets go in several."""
INSERTS: Mapping[str, Callable[[Table], Any]] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}


class Driver:
    """The driver under ``connection``, looked up once for many statements: they take either."""

    __slots__ = ("connection", "dialect", "engine", "is_networked", "together")

    def __init__(self, connection: Connection) -> None:
        self.dialect = connection.dialect
        self.engine = connection.engine
        self.connection: Any = connection.connection.dbapi_connection
        pipeline: Callable[[], AbstractContextManager[Any]] | None = getattr(self.connection, "pipeline", None)
        self.together = pipeline or nullcontext
        """Opens a block whose statements go out together, where the driver can; their errors come at its end."""
        self.is_networked = pipeline is not None
        """Whether a statement is a trip over the network, which costs more than anything that it does."""

    def let_wait_be_counted(self) -> None:
        """Have PostgreSQL count again how long a transaction waits for us (``idle_in_transaction_session_timeout``).

        It does not after a pipeline: psycopg ends that by a Flush behind the Sync, and whatever it is sent stops the
        count. A node that froze then would hold its locks for as long as it is frozen.
        """
        self.connection.execute("SELECT 1")

    def raw_cursor(self) -> Any:
        """Return a cursor whose statements have PostgreSQL's own placeholders (``$1``): it does not look for others,
        which takes long in long statements.
        """
        from psycopg import RawCursor  # an extra

        return RawCursor(self.connection)


class Writes(Protocol):
    """A statement for many rows."""

    def run(self, connection: "Connection | Driver", rows: Sequence[Any]) -> None: ...

    def as_document(self, connection: "Connection | Driver", rows: Sequence[Any]) -> tuple[str, str]: ...


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
        if rows and connection.dialect.name == "postgresql":
            text, document = self.as_document(connection, rows)
            connection.connection.cursor().execute(text, [document])
            return
        for start in range(0, len(rows), LARGEST):
            part = rows[start : start + LARGEST]
            values = list(chain.from_iterable(map(self._values_of, part)))
            if not self._do_fit(part):
                self._fit(values)
            text = self._texts.get((connection.dialect.name, len(part))) or self._text(connection, len(part))
            connection.connection.cursor().execute(text, values)

    def as_document(self, connection: Connection | Driver, rows: Sequence[Row]) -> tuple[str, str]:
        """Return the statement for PostgreSQL, and its one parameter, which holds all ``rows``: the driver takes
        fifteen times as long for one parameter each.
        """
        values = list(chain.from_iterable(map(self._values_of, rows)))
        if not self._do_fit(rows):
            self._fit(values)
        width = len(self._columns)
        named = [dict(zip(self._columns, values[at : at + width], strict=True)) for at in range(0, len(values), width)]
        text = self._texts.get((connection.dialect.name, 0)) or self._document_text(connection)
        return text, encode([{name: value for name, value in row.items() if value is not None} for row in named])

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


class Change:
    """Sets ``columns`` of rows by their ``key``, which is given as ``of``, where ``condition`` holds.

    ``parted``: on PostgreSQL rows lie apart by their keys, so that it is said ahead between which keys they are.
    """

    def __init__(
        self,
        key: Column[Any],
        columns: Sequence[Column[Any]],
        condition: ColumnElement[bool],
        *,
        parted: bool = False,
    ) -> None:
        self._key = key
        self._parted = parted
        self._columns = columns
        self._condition = condition
        self._names = [*(column.name for column in columns), KEY]
        self._fits = [each.type.fit if isinstance(each.type, Fitted) else _as_it_is for each in (*columns, key)]
        self._texts: dict[str, str] = {}

    def run(self, connection: Connection | Driver, rows: Sequence[Mapping[str, Any]]) -> None:
        """Make the change for all ``rows``."""
        if not rows:
            return
        if connection.dialect.name == "postgresql":
            text, document = self.as_document(connection, rows)
            connection.connection.cursor().execute(text, [document])
            return
        text = self._texts.get(connection.dialect.name) or self._text(connection)
        connection.connection.cursor().executemany(text, [self._values(row) for row in rows])

    def as_document(self, connection: Connection | Driver, rows: Sequence[Mapping[str, Any]]) -> tuple[str, str]:
        """Return the statement for PostgreSQL, and its one parameter, which holds all ``rows``."""
        text = self._texts.get(connection.dialect.name) or self._document_text(connection)
        ordered = sorted(rows, key=itemgetter(KEY))
        return text, encode([dict(zip(self._names, self._values(row), strict=True)) for row in ordered])

    def _values(self, row: Mapping[str, Any]) -> list[Any]:
        return [as_stored(row[name]) for name, as_stored in zip(self._names, self._fits, strict=True)]

    def _text(self, connection: Connection | Driver) -> str:
        given = {column.name: bindparam(f"new_{column.name}", type_=column.type) for column in self._columns}
        statement = self._statement(given, bindparam(KEY, type_=self._key.type))
        text = self._texts[connection.dialect.name] = positional(statement, connection)
        return text

    def _document_text(self, connection: Connection | Driver) -> str:
        columns = [column(name, each.type) for name, each in zip(self._names, (*self._columns, self._key), strict=True)]
        document = cast(bindparam("document"), JSON)
        rows = func.json_to_recordset(document).table_valued(*columns)
        rows = rows.render_derived(name="rows", with_types=True)
        statement = self._statement({each.name: rows.c[each.name] for each in self._columns}, rows.c[KEY])
        if self._parted:
            first, last = (cast(_of(document, place), BigInteger) for place in (0, -1))
            statement = statement.where(self._key >= first, self._key <= last)
        text = self._texts[connection.dialect.name] = positional(statement, connection)
        return text

    def _statement(self, given: Mapping[str, ColumnElement[Any]], key: ColumnElement[Any]) -> Update:
        return update(self._key.table).where(self._key == key, self._condition).values(given)


def _of(document: ColumnElement[Any], place: int) -> ColumnElement[str]:
    """Return the key of the row in ``place``: of constants, so that it is known before rows are looked for."""
    return func.json_extract_path_text(document, literal_column(f"'{place}'"), literal_column(f"'{KEY}'"))


def _as_it_is(value: Any) -> Any:
    return value


def write_together(driver: Driver, writes: Iterable[tuple[Writes, Sequence[Any]]]) -> None:
    """Run several statements, each for its rows; on PostgreSQL as one, so that none sees what another has written."""
    if not driver.is_networked:
        for statement, rows in writes:
            if rows:
                statement.run(driver, rows)
        return
    parts = [statement.as_document(driver, rows) for statement, rows in writes if rows]
    if parts:
        texts = [f"w{place} AS ({text.replace('%s', f'${place}')})" for place, (text, _) in enumerate(parts, 1)]
        driver.raw_cursor().execute(f"WITH {', '.join(texts)} SELECT", [document for _, document in parts])


def positional(statement: ClauseElement, connection: Connection | Driver) -> str:
    """Compile the statement with one placeholder for each value, in the order in which they are written."""
    return str(statement.compile(dialect=connection.dialect))
