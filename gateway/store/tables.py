"""The tables. Every time (``…_at``) is milliseconds since 1970-01-01 UTC; every row belongs to one tenant.

A change here needs a migration in ``migrations/versions``; a test compares the two. What is written, shown and told of
a column is said here too, in its ``info``: the lists of columns elsewhere are made of it.
"""

from dataclasses import fields
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    MetaData,
    Table,
    UniqueConstraint,
    false,
    text,
)

from gateway.domain.calls.heard import LONGEST_AS_SENT, LONGEST_CAUSE, LONGEST_EXTENSION, LONGEST_LOGIN, LONGEST_NUMBER
from gateway.domain.identifiers import LONGEST, LONGEST_KIND
from gateway.domain.messages import AttachedData
from gateway.store.fitting import FittedString, FittedText

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

counters = Table(
    "counters",
    metadata,
    Column("name", FittedString(20), primary_key=True),
    Column("value", BigInteger, nullable=False),
    comment="Last number given out for events, calls and orders; read and moved on inside the writing transaction, "
    "so that events.seq has no gaps and a reader that follows it misses nothing.",
)

accounts = Table(
    "accounts",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("tenant", FittedString(63), nullable=False, info=FIXED),
    Column("code", FittedString(64), nullable=False, comment="the CRM's own id of the account", info=FIXED),
    Column("name", FittedString(255), nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    Column("owner", FittedString(64), comment="extension or login of who looks after the account"),
    Column("source", FittedString(63), nullable=False, server_default="csv", comment="who brought it last"),
    Column("digest", BigInteger, comment="of what the source said, so that what is unchanged is not written again"),
    Column("refused", Integer, nullable=False, server_default="0", comment="phones of it that do not read"),
    UniqueConstraint("tenant", "code"),
)

phones = Table(
    "phones",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("tenant", FittedString(63), nullable=False),
    Column(
        "number",
        FittedString(32),
        comment="DDD + number, as facts about numbers have it; null: does not read, or taken off at the desk",
    ),
    Column("account_id", Id, nullable=False),
    Column("contact", FittedString(255), nullable=False, server_default="", comment="the person who answers there"),
    Column("as_written", FittedString(255), comment="in the source's own words; null: added at the desk"),
    Column("no_area", Boolean, nullable=False, server_default=false(), comment="written without DDD"),
    Column("old_mobile", Boolean, nullable=False, server_default=false(), comment="a mobile without its ninth digit"),
    Column(
        "edited_at", BigInteger, comment="when it was put right at the desk; imports then leave it alone", info=LATER
    ),
    Column("edited_by", FittedString(64), info=LATER),
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

identifiers = Table(
    "identifiers",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("tenant", FittedString(63), nullable=False),
    Column("account_id", Id, nullable=False),
    Column("kind", FittedString(LONGEST_KIND), nullable=False, comment="cpf, cnpj, contrato, or the column's name"),
    Column("value", FittedString(LONGEST), nullable=False, comment="in the one form: domain/identifiers.py"),
    Column("as_written", FittedString(255), nullable=False, server_default="", comment="in the source's own words"),
    UniqueConstraint("tenant", "value", "kind", "account_id"),
    Index(None, "account_id"),
    comment="What names an account beside its telephones: CPF, CNPJ, contracts.",
)

choices = Table(
    "choices",
    metadata,
    Column("tenant", FittedString(63), primary_key=True),
    Column("number", FittedString(32), primary_key=True, comment="canonical form"),
    Column("account_id", Id, nullable=False, comment="whose the number's calls are, as an agent said"),
    Column("chosen_at", BigInteger, nullable=False),
    Column("chosen_by", FittedString(64), nullable=False),
)

imports = Table(
    "imports",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("tenant", FittedString(63), nullable=False),
    Column("source", FittedString(63), nullable=False),
    Column("kind", FittedString(63), nullable=False, comment="csv, sql, wconnect ..."),
    Column("state", FittedString(12), nullable=False, comment="running, done or failed"),
    Column("started_at", BigInteger, nullable=False),
    Column("seen_at", BigInteger, nullable=False, comment="the last sign of life of the process that runs it"),
    Column("finished_at", BigInteger),
    *(
        Column(name, Integer, nullable=False, server_default="0")
        for name in ("entries", "added", "changed", "unchanged", "removed", "refused")
    ),
    Column("message", FittedText, comment="why it failed, or what was left undone, in the company's language"),
    Column("refusals", FittedText, comment="JSON: the first refused lines"),
    Column("sentence", FittedText, comment=SENTENCE),
    Index(None, "tenant", "source", "id"),
)

calls = Table(
    "calls",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=False, info={**FIXED, **IN_LOG}),
    Column("tenant", FittedString(63), nullable=False, info={**FIXED, **IN_LOG}),
    Column("direction", FittedString(8), nullable=False, info=SEEN),
    Column(
        "extension",
        FittedString(LONGEST_EXTENSION),
        nullable=False,
        comment="who answered it, else where it rang first; empty while it is at none",
        info=IN_LOG,
    ),
    Column(
        "number",
        FittedString(LONGEST_NUMBER),
        nullable=False,
        comment="the other party: DDD + number where it reads as one",
        info=SEEN,
    ),
    Column("number_as_sent", FittedString(LONGEST_AS_SENT), nullable=False),
    Column("account_id", Id, info=IN_EVENTS),
    Column("account_name", FittedString(255), info={**SEEN, "log": "account"}),
    Column(
        "logged_at",
        BigInteger,
        nullable=False,
        comment="when we first heard of it; never null, orders the log",
        info=FIXED,
    ),
    Column("started_at", BigInteger, info=SEEN),
    Column("ended_at", BigInteger, info=SEEN),
    Column("duration_s", Integer, info=SEEN),
    Column("recording_url", FittedText, info=SEEN),
    Column("status", FittedString(12), nullable=False, info=SEEN),
    Column("contact", FittedString(255), info=SEEN),
    Column("order_id", Id, info=FIXED),
    Column("start_heard_at", BigInteger, comment="when a start was received, by our clock"),
    Column("end_heard_at", BigInteger, comment="when an end was received, by our clock"),
    Column(
        "paired_by",
        FittedString(12),
        comment="the rule by which its events found each other: domain/finding.py",
        info=IN_LOG,
    ),
    Column(
        "group_id",
        Id,
        comment="the first call of the same caller, where several extensions ring at once",
        info=IN_LOG,
    ),
    Column(
        "transferred_to",
        FittedString(32),
        comment="the extension that ended it, where it is another",
        info=SEEN_WHERE_KNOWN,
    ),
    Column(
        "result",
        FittedString(12),
        comment="how it ended, read from result_text: domain/results.py",
        info=SEEN_WHERE_KNOWN,
    ),
    Column(
        "result_text",
        FittedString(255),
        comment="how it ended, in the exchange's own words (resultado)",
        info=SEEN_WHERE_KNOWN,
    ),
    Column(
        "over_by",
        FittedString(LONGEST_LOGIN),
        comment="login of the agent who marked it as over",
        info=SEEN_WHERE_KNOWN,
    ),
    Column("over_at", BigInteger, comment="when it was marked as over", info=IN_LOG),
    Column("call_ref", FittedString(255), comment="the exchange's own id of the call", info=IN_LOG),
    *(
        Column(each.name, FittedString(255), comment=str(each.metadata["text"]), info=SEEN_WHERE_KNOWN)
        for each in fields(AttachedData)
    ),
    Column("answer_heard_at", BigInteger, comment="when an answer was received, by our clock"),
    *(
        Column(name, kind, comment=comment, info=SEEN_WHERE_KNOWN)
        for name, kind, comment in (
            ("answered_at", BigInteger(), "when it was answered, as far as an exchange told"),
            ("answered_by", FittedString(32), "the extension that took it, which may be another of its group"),
            ("answered_agent", FittedString(LONGEST_LOGIN), "login of the agent who sat there then"),
            ("ring_s", Integer(), "seconds from its start to its answer, or to its end where nobody took it"),
            ("talk_s", Integer(), "seconds from its answer to its end"),
            ("missed", Boolean(), "whether its caller reached nobody; null: no, or it was not looked at yet"),
            ("line_name", FittedString(255), "the configured name of the line"),
            ("waited_s", Integer(), "seconds that its caller waited in a queue"),
            ("queued_at", BigInteger(), "since when its caller waits in a queue"),
            ("queue_left_at", BigInteger(), "when its caller waited no more"),
            ("held_at", BigInteger(), "since when it is on hold"),
            ("transfer", FittedString(8), "how it was transferred: blind or attended"),
            ("cause", FittedString(LONGEST_CAUSE), "why it ended, as the exchange's code"),
        )
    ),
    Column("fields", FittedText, comment="JSON: free fields by name (domain/calls/free_fields.py)", info=IN_LOG),
    Column("fields_cut", Boolean, comment="whether free fields found no room", info=IN_LOG),
    Column("note_count", Integer, comment="how many notes are kept of it; null: none"),
    Column("leg_count", Integer, comment="how many legs are kept of it; null: it was at one extension only"),
    Column(
        "returned_at",
        BigInteger,
        comment="when somebody first spoke with its caller after it was missed",
        info={**FIXED, **IN_LOG},
    ),
    Column("returned_by", Id, comment="the call in which somebody did", info={**FIXED, **IN_LOG}),
    Column("account_code", FittedString(64), comment="the CRM's own id of the account", info=SEEN_WHERE_KNOWN),
    Column(
        "answered_agent_name", FittedString(255), comment="name of who took it, as it was then", info=SEEN_WHERE_KNOWN
    ),
    Column(
        "cleared_at",
        BigInteger,
        comment="when somebody took it off the list of missed calls by hand",
        info={**FIXED, **IN_LOG},
    ),
    Column(
        "cleared_by",
        FittedString(LONGEST_LOGIN),
        comment="login of the agent who did",
        info={**FIXED, **IN_LOG},
    ),
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
        "ix_calls_missed",
        "tenant",
        "number",
        sqlite_where=text("missed AND returned_at IS NULL"),
        postgresql_where=text("missed AND returned_at IS NULL"),
    ),
    *(
        Index(name, *columns, sqlite_where=text(condition), postgresql_where=text(condition))
        for name, columns, condition in (
            ("ix_calls_missed_account", ("account_id",), "missed AND returned_at IS NULL"),
            ("ix_calls_missed_open", ("tenant", "logged_at"), "missed AND returned_at IS NULL AND cleared_at IS NULL"),
            ("ix_calls_cleared", ("tenant", "cleared_at"), "cleared_at IS NOT NULL"),
        )
    ),
    Index(
        "ix_calls_call_ref",
        "tenant",
        "call_ref",
        sqlite_where=text("call_ref IS NOT NULL"),
        postgresql_where=text("call_ref IS NOT NULL"),
    ),
)

legs = Table(
    "legs",
    metadata,
    Column("call_id", Id, primary_key=True, autoincrement=False),
    Column("place", Integer, primary_key=True, autoincrement=False, comment="1, 2 ... in the order they began"),
    Column("tenant", FittedString(63), nullable=False, info=FIXED),
    Column("extension", FittedString(LONGEST_EXTENSION), nullable=False, info=FIXED),
    Column("rang_at", BigInteger),
    Column("answered_at", BigInteger),
    Column("ended_at", BigInteger),
    Column("result", FittedString(12), comment="how it ended: a call's results, or elsewhere"),
    Column("agent", FittedString(LONGEST_LOGIN), comment="login of who sat there when it was answered"),
    Column("result_text", FittedString(255)),
    Column("transferred_to", FittedString(32)),
    Column("attended", Boolean, comment="whether it was spoken of before it was transferred"),
    Index(None, "tenant", "extension", "call_id"),
    comment="Who rang when and who talked when, of calls that were at several extensions.",
)

notes = Table(
    "notes",
    metadata,
    Column("call_id", Id, primary_key=True, autoincrement=False),
    Column("digest", BigInteger, primary_key=True, autoincrement=False, comment="of its text, so none is kept twice"),
    Column("tenant", FittedString(63), nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("recording_url", FittedText),
    Column("cost", FittedString(64)),
    Column("transcript", FittedText),
    comment="What exchanges tell of a call besides, also long after its end.",
)

missed_claims = Table(
    "missed_claims",
    metadata,
    Column("call_id", Id, primary_key=True, autoincrement=False, comment="the last call that was missed then"),
    Column("tenant", FittedString(63), nullable=False),
    Column("login", FittedString(LONGEST_LOGIN), nullable=False, comment="who calls back"),
    Column("name", FittedString(255), nullable=False),
    Column("extension", FittedString(LONGEST_EXTENSION), nullable=False),
    Column("claimed_at", BigInteger, nullable=False),
    Column("until", BigInteger, nullable=False, comment="when it ends by itself"),
    Index(None, "tenant", "until"),
    comment="Who calls a customer back just now whose calls were missed, so that no two do.",
)

agent_states = Table(
    "agent_states",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("tenant", FittedString(63), nullable=False),
    Column("at", BigInteger, nullable=False, comment="when it was heard"),
    Column("occurred_at", BigInteger, comment="when it was, as the exchange says"),
    Column("extension", FittedString(LONGEST_EXTENSION), nullable=False),
    Column("agent", FittedString(255), nullable=False, comment="name or id, as the exchange has it"),
    Column("login", FittedString(LONGEST_LOGIN), comment="the agent of ours who sat at the extension then"),
    Column("state", FittedString(12), nullable=False, comment="login, logout, pause or ready"),
    Column("reason", FittedString(255), comment="of a pause"),
    Column("queue", FittedString(255), comment="the queue that it is about, where it is one only"),
    Index(None, "tenant", "id"),
    comment="What exchanges tell of agents: kept and shown, it decides nothing.",
)

source_marks = Table(
    "source_marks",
    metadata,
    Column("tenant", FittedString(63), primary_key=True),
    Column("source", FittedString(63), primary_key=True),
    Column("kind", FittedString(8), primary_key=True, comment="event, sequence or call"),
    Column("name", FittedString(255), primary_key=True, comment="an id of the source's, or its digest"),
    Column("call_ref", FittedString(255), comment="the one id by which the call is known"),
    Column("call_id", BigInteger),
    Column("sequence", BigInteger, comment="of the last event that was applied"),
    Column("at", BigInteger, nullable=False),
    Index(None, "at"),
    comment="What sources say of their events besides: which were seen, in which order, under which other ids.",
)

events = Table(
    "events",
    metadata,
    Column("seq", Id, primary_key=True, autoincrement=False),
    Column("tenant", FittedString(63), nullable=False),
    Column("kind", FittedString(32), nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("extension", FittedString(32), nullable=False),
    Column("call_id", Id, nullable=False),
    Column("payload", FittedText, nullable=False, comment="JSON: what screens need, and what was received"),
    Index(None, "call_id"),
)

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

agents = Table(
    "agents",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("tenant", FittedString(63), nullable=False),
    Column("login", FittedString(64), nullable=False),
    Column("name", FittedString(255), nullable=False),
    Column("extension", FittedString(32), nullable=False),
    Column("password_hash", FittedString(255), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("language", FittedString(8)),
    UniqueConstraint("tenant", "login"),
)

sessions = Table(
    "sessions",
    metadata,
    Column("token_hash", FittedString(64), primary_key=True, comment="SHA-256 of the cookie, which is never stored"),
    Column("agent_id", Id, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Index(None, "agent_id"),
    Index(None, "expires_at"),
)
