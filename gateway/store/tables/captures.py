"""What targets said of calls, for the calls' later events."""

from sqlalchemy import BigInteger, Column, Index, Table

from gateway.store.fitting import FittedString
from gateway.store.tables.columns import Id, metadata

LONGEST_CAPTURE = 1000

forward_captures = Table(
    "forward_captures",
    metadata,
    Column("tenant", FittedString(63), primary_key=True),
    Column("target", FittedString(63), primary_key=True, comment="name of the forward in the tenant's configuration"),
    Column("call_id", Id, primary_key=True, autoincrement=False),
    Column("name", FittedString(64), primary_key=True, comment="what the preset calls it"),
    Column("value", FittedString(LONGEST_CAPTURE), nullable=False),
    Column("kept_at", BigInteger, nullable=False),
    Index(None, "kept_at"),
    comment="What forwards captured of a call, such as its id at the CRM, for the call's later events.",
)
