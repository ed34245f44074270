"""Tables of the gateways on site: their keys, how far their events were taken, and the orders that go to them."""

from sqlalchemy import BigInteger, Column, Index, Table

from gateway.store.fitting import FittedString, FittedText
from gateway.store.tables.columns import metadata

onsite_sites = Table(
    "onsite_sites",
    metadata,
    Column("tenant", FittedString(63), primary_key=True),
    Column("name", FittedString(63), primary_key=True),
    Column("key_hash", FittedString(64), nullable=False, unique=True, comment="SHA-256 of its key, in hexadecimal"),
    Column("made_at", BigInteger, nullable=False, comment="when this key was made"),
    Column("revoked_at", BigInteger, comment="when its key was revoked"),
    Column("seen_at", BigInteger, comment="when it last asked for anything"),
    Column("poll", FittedString(32), comment="the request by which it waits for orders"),
    Column("polled_until", BigInteger, comment="until when that request may last"),
    Column("address", FittedString(64), comment="the client address that it came from last"),
    Column("ahead_ms", BigInteger, comment="by how much its clock is ahead of ours"),
    Column("status", FittedText, comment="how its sources and its spool are doing, as JSON"),
    comment="Gateways on site that may connect to this one.",
)
onsite_spools = Table(
    "onsite_spools",
    metadata,
    Column("tenant", FittedString(63), primary_key=True),
    Column("site", FittedString(63), primary_key=True),
    Column("spool", FittedString(255), primary_key=True, comment="name of the spool, new with each data folder"),
    Column("turn", BigInteger, nullable=False, comment="the last turn of it whose event is in the database"),
    Column("at", BigInteger, nullable=False, comment="when that was"),
    comment="How far the events of each gateway on site were taken.",
)
onsite_orders = Table(
    "onsite_orders",
    metadata,
    Column("id", FittedString(32), primary_key=True),
    Column("tenant", FittedString(63), nullable=False),
    Column("site", FittedString(63), nullable=False),
    Column("appliance", FittedString(255), nullable=False, comment="name of the appliance at the site"),
    Column("kind", FittedString(16), nullable=False, comment="dial, hangup or probe"),
    Column("fields", FittedText, nullable=False, comment="what its adapter is given, as JSON"),
    Column("state", FittedString(16), nullable=False, comment="waiting, given, given_up, answered or withdrawn"),
    Column("made_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False, comment="after this moment it is not given any more"),
    Column("answer", FittedText, comment="what came of it, as JSON"),
    Index("ix_onsite_orders_site", "tenant", "site", "state"),
    Index("ix_onsite_orders_made_at", "made_at"),
    comment="Orders on their way to gateways on site, kept for a day.",
)
