"""How sources of events are doing that the gateway goes and gets."""

from sqlalchemy import BigInteger, Column, Integer, Table

from gateway.store.fitting import FittedString, FittedText
from gateway.store.tables.columns import metadata

event_sources = Table(
    "event_sources",
    metadata,
    Column("tenant", FittedString(63), primary_key=True),
    Column("name", FittedString(63), primary_key=True, comment="name of the source in the tenant's configuration"),
    Column("state", FittedString(16), nullable=False, comment="connecting, connected, waiting or stopped"),
    Column("since", BigInteger, nullable=False),
    Column("problem", FittedText, comment="why the last attempt ended, a packed sentence"),
    Column("holder", FittedString(255), nullable=False, comment="the process that runs it"),
    Column("seen_at", BigInteger, nullable=False, comment="when the process that runs it wrote this"),
    Column("complete_until", BigInteger, comment="up to when all that it told is durable"),
    Column("told_at", BigInteger, comment="when it last told of a call"),
    Column("told", BigInteger, nullable=False, comment="events that it told since it is known"),
    Column("refused", Integer, nullable=False, comment="events that could not be written down"),
    Column("not_understood", Integer, nullable=False, comment="what came and was no event"),
    Column("gaps", FittedText, nullable=False, comment="the last spans in which events may be missing, as JSON"),
    Column("memory", FittedText, nullable=False, comment="what the source keeps for its next attempt, as JSON"),
    Column(
        "token",
        BigInteger,
        nullable=False,
        server_default="0",
        comment="number of the newest lease that it was run with: who has an older one writes nothing more",
    ),
    Column("clock_ahead_ms", BigInteger, comment="by how much its clock was measured to be ahead of the gateway's"),
    Column(
        "clock_corrected_ms",
        BigInteger,
        nullable=False,
        server_default="0",
        comment="what is taken off the moments that it tells",
    ),
    comment="How each source of events is doing that the gateway goes and gets.",
)
