"""The columns of ``calls`` in the order in which the journal reads and writes them: those of the rule book first."""

from collections.abc import Mapping

from sqlalchemy import Boolean

from gateway.domain.calls.call import Call
from gateway.domain.messages import ATTACHED
from gateway.store.tables import calls

PLAIN_COLUMNS = Call._fields[:-2]
BOOK_COLUMNS = (*PLAIN_COLUMNS, *ATTACHED)
"""What the rule book sees of a row: the last field but one holds several columns, the last one rows of its own."""
BESIDE_COLUMNS = tuple(column.name for column in calls.c if column.name not in BOOK_COLUMNS)
"""What the store knows of a call besides."""
CALL_COLUMNS = (*BOOK_COLUMNS, *BESIDE_COLUMNS)
PLACES: Mapping[str, int] = {name: place for place, name in enumerate(CALL_COLUMNS)}
SWITCHES = tuple(PLACES[column.name] for column in calls.c if isinstance(column.type, Boolean))
"""The places of what SQLite's driver has as numbers."""
