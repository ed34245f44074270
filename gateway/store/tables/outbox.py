"""The table of what is on its way to forwards."""

from sqlalchemy import BigInteger, Column, Index, Integer, Table, text

from gateway.store.fitting import FittedString, FittedText
from gateway.store.tables.columns import LATER, SENTENCE, Id, metadata

WAITS = "settled_at IS NULL"


def _partial(name: str, where: str, *columns: str) -> Index:
    return Index(name, *columns, sqlite_where=text(where), postgresql_where=text(where))


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
        "claimed_by",
        FittedString(32),
        comment="the process that sends it just now (store/shared/presence.py)",
        info=LATER,
    ),
    Column("sentence", FittedText, comment=SENTENCE, info=LATER),
    Column("order_key", FittedString(64), comment="letters of one target with one key go one after the other"),
    Column("waits_since", BigInteger, comment="from when its age counts: written, carried over or sent again by hand"),
    Column("blocked_by", BigInteger, comment="the letter of the same key that goes before it", info=LATER),
    Column(
        "state",
        FittedString(12),
        comment="how it was settled; null while it waits",
        info=LATER,
    ),
    Column("reason", FittedString(24), comment="why, as a code (store/letters/stored.py)", info=LATER),
    Column("attempted_at", BigInteger, comment="when the last attempt ended", info=LATER),
    Column("request", FittedText, comment="of the last attempt that failed, secrets masked", info=LATER),
    Column("answer", FittedText, comment="of the last attempt that failed, secrets masked", info=LATER),
    _partial("ix_outbox_waiting", WAITS, "tenant", "target", "id"),
    _partial("ix_outbox_due", f"{WAITS} AND blocked_by IS NULL", "tenant", "target", "due_at"),
    _partial("ix_outbox_order", WAITS, "tenant", "target", "order_key", "id"),
    _partial("ix_outbox_age", WAITS, "tenant", "target", "kind", "waits_since"),
    _partial("ix_outbox_claimed", f"{WAITS} AND claimed_by IS NOT NULL", "tenant", "target"),
    _partial("ix_outbox_blocked", f"{WAITS} AND blocked_by IS NOT NULL", "blocked_by"),
    _partial("ix_outbox_carried", f"{WAITS} AND order_key IS NULL", "id"),
    _partial("ix_outbox_dead", "state = 'dead'", "tenant", "target", "settled_at"),
)
