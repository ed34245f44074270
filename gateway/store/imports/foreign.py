"""Databases of others, read by a query of the administrator's: whatever SQLAlchemy and an installed driver speak."""

import re
import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, bindparam, column, create_engine, func, select, table, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.pool import NullPool
from sqlalchemy.sql.expression import ColumnClause, TableClause

from gateway.errors import SourceError
from gateway.texts.text import Text

AT_ONCE = 1000
PACKAGES: Mapping[str, str] = {
    "psycopg2": "psycopg2-binary",
    "psycopg": "psycopg[binary]",
    "pymysql": "pymysql",
    "mysqldb": "mysqlclient",
    "mysqlconnector": "mysql-connector-python",
    "oracledb": "oracledb",
    "cx_oracle": "cx_Oracle",
    "pyodbc": "pyodbc",
    "pymssql": "pymssql",
}
"""The package to install for each driver."""
LIKELY: Mapping[str, str] = {
    "postgresql": "postgresql+psycopg://",
    "mysql": "mysql+pymysql://",
    "mariadb": "mariadb+pymysql://",
    "oracle": "oracle+oracledb://",
    "mssql": "mssql+pyodbc://",
}
"""How to begin the address for the driver that is easiest to install."""


class ForeignDatabase:
    """One database, which is only read: nothing is ever committed there."""

    def __init__(self, url: str, *, connect_timeout_s: float, timeout_s: float) -> None:
        """Open the engine. Raises ``SourceError`` for an address that is none, and for a driver that is
        not installed.
        """
        self._timeout_s = timeout_s
        self._url = _parsed(url)
        if self._url.drivername.startswith("sqlite"):
            _check_file(self._url)
        self._engine = _engine(self._url, connect_timeout_s, timeout_s)

    def columns(self, query: str, parameters: Mapping[str, Any]) -> Sequence[str]:
        """Return the names of the columns that ``query`` gives. Raises ``SourceError``."""
        with self._connected() as connection:
            return tuple(connection.execute(text(query).bindparams(**parameters)).keys())

    def rows(self, query: str, parameters: Mapping[str, Any]) -> Iterator[Sequence[Any]]:
        """Yield the names of the columns first, then all rows, a thousand at a time from the server.

        Raises ``SourceError`` for what the database says, and when it takes longer than the time allowed.
        """
        ends = time.monotonic() + self._timeout_s
        with self._connected() as connection:
            streaming = connection.execution_options(stream_results=True, max_row_buffer=AT_ONCE)
            # Bound with its type: drivers do not agree on what to do with a date and time.
            result = streaming.execute(text(query).bindparams(**parameters))
            yield tuple(result.keys())
            for part in result.partitions(AT_ONCE):
                if time.monotonic() > ends:
                    raise self._too_slow()
                yield from part

    def greatest(self, table_name: str, column_name: str) -> Any:
        """Return the greatest value of a table's column, None where the table is empty. Raises ``SourceError``."""
        with self._connected() as connection:
            return connection.execute(select(func.max(column(column_name))).select_from(_table(table_name))).scalar()

    def grown(
        self, table_name: str, column_name: str, since: Any, *, most: int
    ) -> tuple[Sequence[str], Sequence[Sequence[Any]]]:
        """Return the names of a table's columns, and its first ``most`` rows, in the order of a column that is at
        least ``since`` (None: has any value). Raises ``SourceError``.
        """
        place: ColumnClause[Any] = column(column_name)
        wanted = place.is_not(None) if since is None else place >= bindparam("since", since)
        query = select(text("*")).select_from(_table(table_name)).where(wanted).order_by(place).limit(most)
        with self._connected() as connection:
            result = connection.execute(query)
            return tuple(result.keys()), [tuple(row) for row in result]

    @contextmanager
    def _connected(self) -> Iterator[Connection]:
        ends = time.monotonic() + self._timeout_s
        try:
            with self._engine.connect() as connection:
                _limit(connection, self._timeout_s)
                yield connection
        except SQLAlchemyError as error:
            if time.monotonic() > ends:
                raise self._too_slow() from None
            why = self._said(error)
            raise SourceError(Text("the database {url} could not be read: {why}.", url=self._shown, why=why)) from None

    def _too_slow(self) -> SourceError:
        return SourceError(
            Text("the query to the database did not end within {seconds} s.", seconds=format(self._timeout_s, "g")),
            hint=Text("Raise timeout_s, or ask for less (with :since, only what changed)."),
        )

    @property
    def _shown(self) -> str:
        return self._url.render_as_string(hide_password=True)

    def _said(self, error: SQLAlchemyError) -> str:
        """Return the database's own words on one line, without the password, should they hold it."""
        said = " ".join(str(getattr(error, "orig", None) or error).split()).rstrip(".")
        password = str(self._url.password or "")
        return (said.replace(password, "****") if password else said)[:500]

    def close(self) -> None:
        self._engine.dispose()


def shown_address(url: str) -> str:
    """Return a database's address without its password. Raises ``SourceError`` where it is none."""
    return _parsed(url).render_as_string(hide_password=True)


def with_password(url: str, password: str) -> str:
    """Return a database's address with ``password``, if there is one. Raises ``SourceError`` where it is none."""
    parsed = _parsed(url)
    return (parsed.set(password=password) if password else parsed).render_as_string(hide_password=False)


def _table(name: str) -> TableClause:
    schema, _, plain = name.rpartition(".")
    return table(plain, schema=schema or None)


def _parsed(url: str) -> URL:
    try:
        return make_url(url)
    except ArgumentError:
        raise SourceError(
            Text("url is no address of a database."),
            hint=Text("Expected something like postgresql+psycopg://USER:PASSWORD@HOST/DATABASE."),
        ) from None


def _check_file(url: URL) -> None:
    """Refuse a file that is missing: SQLite would make it, and then find no table in it. Raises ``SourceError``."""
    if url.database and url.database != ":memory:" and not Path(url.database).exists():
        raise SourceError(Text("the file {path} does not exist.", path=url.database))


def _engine(url: URL, connect_timeout_s: float, timeout_s: float) -> Engine:
    try:
        driver = url.get_driver_name()
        options = _connect_options(driver, connect_timeout_s, timeout_s)
        return create_engine(url, poolclass=NullPool, connect_args=options)
    except NoSuchModuleError:
        known = ", ".join(("sqlite://", *LIKELY.values()))
        raise SourceError(
            Text("there is no database {name!r}.", name=url.drivername), hint=Text("Known: {known}.", known=known)
        ) from None
    except ModuleNotFoundError as error:
        package = PACKAGES.get(driver, error.name or driver)
        text = Text("the package {package!r} is missing, which speaks to {name}.", package=package, name=url.drivername)
        raise SourceError(text, hint=_to_install(package, driver, LIKELY.get(url.get_backend_name(), ""))) from None


def _to_install(package: str, driver: str, other: str) -> Text:
    """Return what to install; ``other`` is how an address begins for the driver that is easiest to have."""
    if not other or driver in other:
        return Text("Install it: pip install '{package}'.", package=package)
    easier = PACKAGES[re.split("[+:]", other)[1]]
    return Text(
        "Install it: pip install '{package}' (or use {other} and install '{easier}').",
        package=package,
        other=other,
        easier=easier,
    )


def _connect_options(driver: str, connect_timeout_s: float, timeout_s: float) -> dict[str, Any]:
    """Return how each driver wants to be told how long to wait; each has names of its own, and whole seconds."""
    connect, total = max(1, round(connect_timeout_s)), max(1, round(timeout_s))
    known: dict[str, dict[str, Any]] = {
        "pysqlite": {"timeout": connect_timeout_s},
        "psycopg": {"connect_timeout": connect},
        "psycopg2": {"connect_timeout": connect},
        "pymysql": {"connect_timeout": connect, "read_timeout": total},
        "mysqldb": {"connect_timeout": connect, "read_timeout": total},
        "mysqlconnector": {"connection_timeout": connect},
        "oracledb": {"tcp_connect_timeout": connect_timeout_s},
        "pyodbc": {"timeout": connect},
        "pymssql": {"login_timeout": connect, "timeout": total},
    }
    return known.get(driver, {})


def _limit(connection: Connection, timeout_s: float) -> None:
    """Set what can be set only once there is a connection: a limit for each call, and that nothing may be written."""
    raw: Any = connection.connection.driver_connection
    driver = connection.dialect.driver
    if isinstance(raw, sqlite3.Connection):
        raw.execute("PRAGMA query_only=ON")
        ends = time.monotonic() + timeout_s
        raw.set_progress_handler(lambda: time.monotonic() > ends, 10_000)
    elif driver in ("oracledb", "cx_oracle"):
        raw.call_timeout = round(timeout_s * 1000)
    elif driver == "pyodbc":
        raw.timeout = max(1, round(timeout_s))
    elif connection.dialect.name == "postgresql":
        connection.execute(text("SET TRANSACTION READ ONLY"))
        connection.execute(text(f"SET LOCAL statement_timeout = {round(timeout_s * 1000)}"))
