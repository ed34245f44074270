"""What the tables are made of: their list, the type of an id, and what is said of a column beside its type."""

from typing import Any

from sqlalchemy import BigInteger, Integer, MetaData

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# SQLite knows one auto-numbered type only; elsewhere ids are 64 bits wide.
Id = BigInteger().with_variant(Integer(), "sqlite")

FIXED: dict[str, Any] = {"fixed": True}
"""Does not change once the row is written."""
LATER: dict[str, Any] = {"later": True}
"""Has its default when the row is written, and its value later."""
IN_LOG: dict[str, Any] = {"log": True}
"""In the call log as scripts get it (JSON, CSV, API), under the column's name or the one that ``log`` has."""
IN_EVENTS: dict[str, Any] = {"event": "always"}
"""In each event's payload, also where it is null."""
SEEN = {**IN_LOG, **IN_EVENTS, "screens": True}
"""In the call log, and in events with all that screens are sent of them."""
SEEN_WHERE_KNOWN = {**SEEN, "event": "known"}
"""The same, in events only where it is not null."""

SENTENCE = "JSON: what detail or message says, for any language (texts/packing.py); null in rows of version 0.1.0"
