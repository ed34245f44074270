"""Tables of calls: what is known of each, its legs and notes; and what sources and agents said besides."""

from dataclasses import fields

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, Table, text

from gateway.domain.calls.heard import LONGEST_AS_SENT, LONGEST_CAUSE, LONGEST_EXTENSION, LONGEST_LOGIN, LONGEST_NUMBER
from gateway.domain.messages import AttachedData
from gateway.store.fitting import FittedString, FittedText
from gateway.store.tables.columns import FIXED, IN_EVENTS, IN_LOG, SEEN, SEEN_WHERE_KNOWN, Id, metadata

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
    Column("ref_space", FittedString(63), comment="whose call_ref is: a source's name, empty for plain listeners"),
    Column(
        "consultation_for",
        Id,
        comment="the call that it was the consultation for, before an attended transfer",
        info=SEEN_WHERE_KNOWN,
    ),
    # Into an index that is not in the order of time SQLite writes a page for each event: more than a third of all that
    # it does for one. There a period is looked through, by this index alone, for an extension's calls.
    Index("ix_calls_tenant_logged_at_extension", "tenant", "logged_at", "extension").ddl_if(dialect="sqlite"),
    Index(None, "tenant", "logged_at").ddl_if(dialect="postgresql"),
    Index(None, "tenant", "extension", "logged_at").ddl_if(dialect="postgresql"),
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
