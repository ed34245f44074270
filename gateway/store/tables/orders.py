"""Tables of orders and of the attempts to dial them."""

from sqlalchemy import BigInteger, Column, Index, Table, text

from gateway.store.fitting import FittedString, FittedText
from gateway.store.tables.columns import LATER, SENTENCE, Id, metadata

orders = Table(
    "orders",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("tenant", FittedString(63), nullable=False),
    Column("call_id", Id, nullable=False),
    Column("extension", FittedString(32), nullable=False),
    Column("number", FittedString(255), nullable=False, comment="as it was asked for"),
    Column("digits", FittedString(64), nullable=False, comment="as it is dialled"),
    Column("appliance", FittedString(63), nullable=False, comment="who was to dial"),
    Column("dialled_by", FittedString(63), comment="who made the last attempt, which may be the fallback", info=LATER),
    Column("wire", FittedString(8), nullable=False),
    Column("client", FittedString(64), nullable=False),
    Column("requested_by", FittedString(64)),
    Column("requested_at", BigInteger, nullable=False),
    Column("request_key", FittedString(255), comment="the asker's own name of the order"),
    Column("outcome", FittedString(12), comment="null while the attempt is under way", info=LATER),
    Column("detail", FittedText, comment="what came of it, in the company's language", info=LATER),
    Column("peer_ref", FittedString(255), info=LATER),
    Column("settled_at", BigInteger, info=LATER),
    Column("owner", FittedString(32), comment="the process that tries it (store/shared/presence.py)"),
    Column("sentence", FittedText, comment=SENTENCE, info=LATER),
    Index(
        "ix_orders_open",
        "requested_at",
        sqlite_where=text("outcome IS NULL"),
        postgresql_where=text("outcome IS NULL"),
    ),
    Index(None, "tenant", "extension", "digits", "requested_at"),
    Index(
        "ix_orders_request_key",
        "tenant",
        "request_key",
        sqlite_where=text("request_key IS NOT NULL"),
        postgresql_where=text("request_key IS NOT NULL"),
    ),
)

attempts = Table(
    "attempts",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("tenant", FittedString(63), nullable=False),
    Column("order_id", Id, nullable=False),
    Column("kind", FittedString(8), nullable=False, comment="dial or hangup"),
    Column("appliance", FittedString(63), nullable=False),
    Column("outcome", FittedString(12), nullable=False),
    Column("detail", FittedText, nullable=False),
    Column("peer_ref", FittedString(255)),
    Column("began_at", BigInteger, nullable=False),
    Column("ended_at", BigInteger, nullable=False),
    Column("sentence", FittedText, comment=SENTENCE),
    Index(None, "order_id"),
    Index(None, "tenant", "appliance", "began_at"),
)
