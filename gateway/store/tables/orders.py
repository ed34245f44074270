"""Tables of what goes out: orders, the attempts to dial them, and events for forwards."""

from sqlalchemy import BigInteger, Column, Index, Integer, Table, text

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
    Column("owner", FittedString(32), comment="the process that tries it (store/presence.py)"),
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

outbox = Table(
    "outbox",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("tenant", FittedString(63), nullable=False),
    Column("target", FittedString(63), nullable=False, comment="name of the forward in the tenant's configuration"),
    Column("kind", FittedString(32), nullable=False),
    Column("body", FittedText, nullable=False, comment="JSON: the fields of adapter.Outgoing"),
    Column("created_at", BigInteger, nullable=False),
    Column("due_at", BigInteger, nullable=False),
    Column("attempts", Integer, nullable=False, server_default="0", info=LATER),
    Column("settled_at", BigInteger, info=LATER),
    Column("outcome", FittedString(12), info=LATER),
    Column("detail", FittedText, info=LATER),
    Column(
        "claimed_by", FittedString(32), comment="the process that sends it just now (store/presence.py)", info=LATER
    ),
    Column("sentence", FittedText, comment=SENTENCE, info=LATER),
    Index(
        "ix_outbox_waiting",
        "tenant",
        "target",
        "id",
        sqlite_where=text("settled_at IS NULL"),
        postgresql_where=text("settled_at IS NULL"),
    ),
)
