"""SELECTs by many keys, compiled once for each number of keys and run by the driver."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, String, bindparam, func
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.sql import ClauseElement, ColumnElement, Select

from gateway.store.bulk import LARGEST, Driver, positional

ALL = 0
"""Stands for any number of keys."""


class Lookup:
    """A SELECT by many keys. ``build(placeholders)`` makes it for a number of keys, which is rounded up to a power of
    two (the last key is repeated), so that few statements serve all batches.
    """

    def __init__(self, build: Callable[[int], ClauseElement]) -> None:
        self._build = build
        self._texts: dict[tuple[str, int], str] = {}

    def run(
        self, connection: Connection | Driver, keys: Iterable[Any], before: Sequence[Any] = ()
    ) -> list[tuple[Any, ...]]:
        """Run the statement and return the rows of all ``keys``; ``before`` are the values of parameters that stand
        ahead of them.
        """
        wanted = list(keys)
        found: list[tuple[Any, ...]] = []
        for start in range(0, len(wanted), LARGEST):
            part = filled_up(wanted[start : start + LARGEST])
            text = self._texts.get((connection.dialect.name, len(part))) or self._text(connection, len(part))
            cursor = connection.connection.cursor()
            cursor.execute(text, [*before, *part])
            found += cursor.fetchall()
        return found

    def _text(self, connection: Connection | Driver, size: int) -> str:
        text = self._texts[connection.dialect.name, size] = positional(self._build(size), connection)
        return text


class TenantLookup:
    """A SELECT by keys of tenants: ``query`` for the rows whose ``tenant`` and ``key`` are wanted.

    On SQLite, where to ask costs next to nothing, it is one statement for each tenant; on PostgreSQL one for all of
    them, for each is a trip over the network. ``query`` may have parameters of its own, which ``run`` takes by name.
    """

    def __init__(self, query: Select[Any], tenant: ColumnElement[Any], key: ColumnElement[Any]) -> None:
        self._query = query
        self._tenant = tenant
        self._key = key
        self._texts: dict[int, tuple[str, Sequence[str]]] = {}

    def run(
        self, connection: Connection | Driver, wanted: Mapping[str, Collection[Any]], **values: Any
    ) -> list[tuple[Any, ...]]:
        """Return the rows of all keys ``wanted`` of each tenant."""
        if connection.dialect.name == "postgresql":
            return self._of_all(connection, wanted, values)
        rows: list[tuple[Any, ...]] = []
        for tenant, keys in wanted.items():
            if keys:
                rows += self._of_one(connection, tenant, list(keys), values)
        return rows

    def _of_one(
        self, connection: Connection | Driver, tenant: str, keys: list[Any], values: Mapping[str, Any]
    ) -> list[tuple[Any, ...]]:
        found: list[tuple[Any, ...]] = []
        for start in range(0, len(keys), LARGEST):
            part = filled_up(keys[start : start + LARGEST])
            text, names = self._texts.get(len(part)) or self._for_one(connection, len(part))
            cursor = connection.connection.cursor()
            cursor.execute(text, [*map(values.__getitem__, names), tenant, *part])
            found += cursor.fetchall()
        return found

    def _for_one(self, connection: Connection | Driver, size: int) -> tuple[str, Sequence[str]]:
        """Compile it for so many keys of one tenant; return it with the names of the parameters ahead of the keys."""
        keys = self._key.in_([bindparam(f"k{i}", type_=self._key.type) for i in range(size)])
        compiled: Any = self._query.where(self._tenant == bindparam("of"), keys).compile(dialect=connection.dialect)
        # The query's own parameters stand ahead of the tenant and the keys.
        self._texts[size] = str(compiled), compiled.positiontup[: -size - 1]
        return self._texts[size]

    def _of_all(
        self, connection: Connection | Driver, wanted: Mapping[str, Collection[Any]], values: Mapping[str, Any]
    ) -> list[tuple[Any, ...]]:
        pairs = [(tenant, key) for tenant, keys in wanted.items() for key in keys]
        if not pairs:
            return []
        text, names = self._texts.get(ALL) or self._for_all(connection)
        given = {**values, "tenants": [tenant for tenant, _ in pairs], "keys": [key for _, key in pairs]}
        cursor: Any = connection.connection.cursor()
        cursor.execute(text, [given[name] for name in names])
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows

    def _for_all(self, connection: Connection | Driver) -> tuple[str, Sequence[str]]:
        """Compile it for any number of keys, which come as an array beside that of their tenants."""
        tenants = bindparam("tenants", type_=ARRAY(String))
        keys = bindparam("keys", type_=ARRAY(self._key.type))
        pairs = func.unnest(tenants, keys).table_valued("tenant", "key").render_derived(name="wanted")
        query = self._query.where(self._tenant == pairs.c.tenant, self._key == pairs.c.key)
        compiled: Any = query.compile(dialect=connection.dialect)
        self._texts[ALL] = str(compiled), compiled.positiontup
        return self._texts[ALL]


def filled_up(keys: list[Any]) -> list[Any]:
    """Return ``keys`` and the last one again, as often as makes them a power of two: few statements serve all sizes."""
    count = len(keys)
    return keys if count & (count - 1) == 0 else keys + [keys[-1]] * ((1 << count.bit_length()) - count)
