"""The condition that a column has one of many values, bound as one."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import BigInteger, Column, ColumnElement, Connection, and_, any_, bindparam
from sqlalchemy.dialects.postgresql import ARRAY


def among(connection: Connection, column: Column[Any], ids: Sequence[int]) -> ColumnElement[bool]:
    """Return the condition that ``column`` is one of ``ids``, which must be some.

    To PostgreSQL they go as one array: for 500 values in a statement its driver and SQLAlchemy took as long as for all
    rows that were found by them. A prepared statement knows nothing of the array's values, so the bounds say beside it
    which partitions are asked. For SQLite they are written into the statement together, and not looked at one by one.
    """
    if connection.dialect.name == "postgresql":
        one_of = column == any_(bindparam("ids", list(ids), ARRAY(BigInteger)))
        return and_(one_of, column.between(min(ids), max(ids)))
    return column.in_(bindparam("ids", ids, expanding=True))
