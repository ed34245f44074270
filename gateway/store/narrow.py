"""Rows of a wide table, written with no more columns than they need.

Most columns of a call are null, and each one that is written costs as much as one that says something: a third of a
microsecond, in all more than half of what it took to write a call. So a row goes by the narrowest of several statements
that has all columns in use.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, Table

from gateway.store.bulk import Driver, Write, changing

Row = Sequence[Any]


class NarrowWrite:
    """Inserts rows with all columns of ``table``, or changes them where their key is there already.

    Rows are sequences, and ``places`` says which place each column has in them. ``steps`` are columns by how rarely
    they say something: the first statement has those of the first step, the second those of the next one too, and so
    on; the last one, behind the steps, has all. A statement is known by its *width*, its place in this order.

    Columns that ``stay`` are set anew by the last one only: SQLite writes a row's place in an index anew with each
    statement that sets one of its columns, whatever to. So a row goes by the last one where what is there already has
    other values in them.
    """

    def __init__(
        self, table: Table, places: Mapping[str, int], steps: Sequence[Collection[str]], stay: Collection[str] = ()
    ) -> None:
        self._writes: list[Write] = []
        self._beyond: list[tuple[Callable[[Row], Sequence[Any]], int]] = []
        known: set[str] = set()
        for step in steps:
            known |= set(step)
            self._writes.append(_write(table, places, known, stay))
            beyond = [place for name, place in places.items() if name not in known]
            self._beyond.append((itemgetter(*beyond), len(beyond)))
        self._writes.append(_write(table, places, places))
        self.widest = len(steps)
        """The width of the statement that sets all columns."""

    def width_of(self, row: Row) -> int:
        """Return the width of the narrowest statement beside whose columns ``row`` says nothing."""
        for width, (values_of, count) in enumerate(self._beyond):
            if values_of(row).count(None) == count:
                return width
        return len(self._beyond)

    def run(self, connection: Connection | Driver, rows: Sequence[tuple[int, Row]]) -> None:
        """Write ``rows``, each at least so wide: as wide as what is to be replaced, so that it does not stay."""
        by_width: dict[int, list[Row]] = {}
        for width, row in rows:
            by_width.setdefault(width, []).append(row)
        for width in sorted(by_width):
            self._writes[width].run(connection, by_width[width])

    def as_document(self, connection: Connection | Driver, rows: Sequence[tuple[int, Row]]) -> tuple[str, str]:
        """Return a statement for PostgreSQL with its one parameter, the widest of all ``rows``: there a statement costs
        more than a column.
        """
        return self._writes[max(width for width, _ in rows)].as_document(connection, [row for _, row in rows])


def _write(table: Table, places: Mapping[str, int], names: Collection[str], stay: Collection[str] = ()) -> Write:
    columns = [column.name for column in table.c if column.name in names]
    anew = [name for name in changing(table) if name in names and name not in stay]
    return Write(table, columns, changing=anew, places=places)
