"""The tables. Every time is milliseconds since 1970-01-01 UTC; every row belongs to one tenant.

A change here needs a migration in ``migrations/versions``; a test compares the two.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
    text,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# SQLite knows one auto-numbered type only; elsewhere ids are 64 bits wide.
Id = BigInteger().with_variant(Integer(), "sqlite")

counters = Table(
    "counters",
    metadata,
    Column("name", String(20), primary_key=True),
    Column("value", BigInteger, nullable=False),
    comment="Last number given out for events, calls and orders; read and moved on inside the writing transaction, "
    "so that events.seq has no gaps and a reader that follows it misses nothing.",
)

accounts = Table(
    "accounts",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("tenant", String(63), nullable=False),
    Column("code", String(64), nullable=False, comment="the CRM's own id of the account"),
    Column("name", String(255), nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    Column("owner", String(64), comment="extension or login of who looks after the account"),
    Column("source", String(63), nullable=False, server_default="csv", comment="who brought it last"),
    Column("digest", BigInteger, comment="of what the source said, so that what is unchanged is not written again"),
    Column("refused", Integer, nullable=False, server_default="0", comment="phones of it that do not read"),
    UniqueConstraint("tenant", "code"),
)

phones = Table(
    "phones",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("tenant", String(63), nullable=False),
    Column(
        "number",
        String(32),
        comment="DDD + number, as facts about numbers have it; null: does not read, or taken off at the desk",
    ),
    Column("account_id", Id, nullable=False),
    Column("contact", String(255), nullable=False, server_default="", comment="the person who answers there"),
    Column("as_written", String(255), comment="in the source's own words; null: added at the desk"),
    Column("no_area", Boolean, nullable=False, server_default=false(), comment="written without DDD"),
    Column("old_mobile", Boolean, nullable=False, server_default=false(), comment="a mobile without its ninth digit"),
    Column("edited_at", BigInteger, comment="when it was put right at the desk; imports then leave it alone"),
    Column("edited_by", String(64)),
    UniqueConstraint("tenant", "number", "account_id"),
    Index(None, "account_id"),
    *(
        Index(
            f"ix_phones_{name}",
            "tenant",
            "id",
            sqlite_where=text(condition),
            postgresql_where=text(condition),
        )
        for name, condition in (
            ("no_area", "no_area AND edited_at IS NULL"),
            ("old_mobile", "old_mobile AND edited_at IS NULL"),
            ("unreadable", "number IS NULL AND edited_at IS NULL"),
            ("edited", "edited_at IS NOT NULL"),
        )
    ),
)

choices = Table(
    "choices",
    metadata,
    Column("tenant", String(63), primary_key=True),
    Column("number", String(32), primary_key=True, comment="canonical form"),
    Column("account_id", Id, nullable=False, comment="whose the number's calls are, as an agent said"),
    Column("chosen_at", BigInteger, nullable=False),
    Column("chosen_by", String(64), nullable=False),
)

imports = Table(
    "imports",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("tenant", String(63), nullable=False),
    Column("source", String(63), nullable=False),
    Column("kind", String(63), nullable=False, comment="csv, sql, wconnect ..."),
    Column("state", String(12), nullable=False, comment="running, done or failed"),
    Column("started_at", BigInteger, nullable=False),
    Column("seen_at", BigInteger, nullable=False, comment="the last sign of life of the process that runs it"),
    Column("finished_at", BigInteger),
    *(
        Column(name, Integer, nullable=False, server_default="0")
        for name in ("entries", "added", "changed", "unchanged", "removed", "refused")
    ),
    Column("message", Text, comment="why it failed, or what was left undone"),
    Column("refusals", Text, comment="JSON: the first refused lines"),
    Index(None, "tenant", "source", "id"),
)

calls = Table(
    "calls",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("tenant", String(63), nullable=False),
    Column("direction", String(8), nullable=False),
    Column("extension", String(32), nullable=False),
    Column("number", String(64), nullable=False, comment="the other party: DDD + number where it reads as one"),
    Column("number_as_sent", String(255), nullable=False),
    Column("account_id", Id),
    Column("account_name", String(255)),
    Column("contact", String(255)),
    Column(
        "logged_at",
        BigInteger,
        nullable=False,
        comment="when we first heard of it; never null, orders the log",
    ),
    Column("started_at", BigInteger),
    Column("ended_at", BigInteger),
    Column("duration_s", Integer),
    Column("recording_url", Text),
    Column("status", String(12), nullable=False),
    Column("call_ref", String(255), comment="the exchange's own id of the call"),
    Column("order_id", Id),
    Column("start_heard_at", BigInteger, comment="when a start was received, by our clock"),
    Column("end_heard_at", BigInteger, comment="when an end was received, by our clock"),
    Column("paired_by", String(12), comment="the rule by which its events found each other: domain/finding.py"),
    Column("group_id", Id, comment="the first call of the same caller, where several extensions ring at once"),
    Column("transferred_to", String(32), comment="the extension that ended it, where it is another"),
    Column("result", String(12), comment="how it ended, read from result_text: domain/results.py"),
    Column("result_text", String(255), comment="how it ended, in the exchange's own words (resultado)"),
    Column("over_by", String(64), comment="login of the agent who marked it as over"),
    Column("over_at", BigInteger, comment="when it was marked as over"),
    Column("answered_at", BigInteger, comment="when it was answered, as far as an exchange told"),
    Column("answer_heard_at", BigInteger, comment="when an answer was received, by our clock"),
    Column("answered_by", String(32), comment="the extension that took it, which may be another of its group"),
    Column("answered_agent", String(64), comment="login of the agent who sat there then"),
    Column("ring_s", Integer, comment="seconds from its start to its answer, or to its end where nobody took it"),
    Column("talk_s", Integer, comment="seconds from its answer to its end"),
    Index(None, "tenant", "logged_at"),
    Index(None, "tenant", "extension", "logged_at"),
    Index(None, "tenant", "number", "logged_at"),
    Index(
        "ix_calls_account",
        "account_id",
        "logged_at",
        sqlite_where=text("account_id IS NOT NULL"),
        postgresql_where=text("account_id IS NOT NULL"),
    ),
    Index(
        "ix_calls_call_ref",
        "tenant",
        "call_ref",
        sqlite_where=text("call_ref IS NOT NULL"),
        postgresql_where=text("call_ref IS NOT NULL"),
    ),
)

events = Table(
    "events",
    metadata,
    Column("seq", Id, primary_key=True, autoincrement=False),
    Column("tenant", String(63), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("extension", String(32), nullable=False),
    Column("call_id", Id, nullable=False),
    Column("payload", Text, nullable=False, comment="JSON: what screens need, and what was received"),
    Index(None, "call_id"),
)

orders = Table(
    "orders",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False),
    Column("tenant", String(63), nullable=False),
    Column("call_id", Id, nullable=False),
    Column("extension", String(32), nullable=False),
    Column("number", String(255), nullable=False, comment="as it was asked for"),
    Column("digits", String(64), nullable=False, comment="as it is dialled"),
    Column("appliance", String(63), nullable=False, comment="who was to dial"),
    Column("dialled_by", String(63), comment="who made the last attempt, which may be the fallback"),
    Column("wire", String(8), nullable=False),
    Column("client", String(64), nullable=False),
    Column("requested_by", String(64)),
    Column("requested_at", BigInteger, nullable=False),
    Column("request_key", String(255), comment="the asker's own name of the order"),
    Column("outcome", String(12), comment="null while the attempt is under way"),
    Column("detail", Text),
    Column("peer_ref", String(255)),
    Column("settled_at", BigInteger),
    Column("owner", String(32), comment="the process that tries it (store/presence.py)"),
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
    Column("tenant", String(63), nullable=False),
    Column("order_id", Id, nullable=False),
    Column("kind", String(8), nullable=False, comment="dial or hangup"),
    Column("appliance", String(63), nullable=False),
    Column("outcome", String(12), nullable=False),
    Column("detail", Text, nullable=False),
    Column("peer_ref", String(255)),
    Column("began_at", BigInteger, nullable=False),
    Column("ended_at", BigInteger, nullable=False),
    Index(None, "order_id"),
    Index(None, "tenant", "appliance", "began_at"),
)

outbox = Table(
    "outbox",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("tenant", String(63), nullable=False),
    Column("target", String(63), nullable=False, comment="name of the forward in the tenant's configuration"),
    Column("kind", String(16), nullable=False),
    Column("body", Text, nullable=False, comment="JSON: the fields of adapter.Outgoing"),
    Column("created_at", BigInteger, nullable=False),
    Column("due_at", BigInteger, nullable=False),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("settled_at", BigInteger),
    Column("outcome", String(12)),
    Column("detail", Text),
    Column("claimed_by", String(32), comment="the process that sends it just now (store/presence.py)"),
    Index(
        "ix_outbox_waiting",
        "tenant",
        "target",
        "id",
        sqlite_where=text("settled_at IS NULL"),
        postgresql_where=text("settled_at IS NULL"),
    ),
)

agents = Table(
    "agents",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("tenant", String(63), nullable=False),
    Column("login", String(64), nullable=False),
    Column("name", String(255), nullable=False),
    Column("extension", String(32), nullable=False),
    Column("password_hash", String(255), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("language", String(8)),
    UniqueConstraint("tenant", "login"),
)

sessions = Table(
    "sessions",
    metadata,
    Column("token_hash", String(64), primary_key=True, comment="SHA-256 of the cookie, which is never stored"),
    Column("agent_id", Id, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Index(None, "agent_id"),
    Index(None, "expires_at"),
)
