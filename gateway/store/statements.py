"""The journal's statements: a batch reads what it needs and writes what it made by one of each."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import BigInteger, and_, bindparam, cast, func, literal_column, null, or_, select
from sqlalchemy.sql import ClauseElement, ColumnElement

from gateway.store import tables
from gateway.store.bulk import Change, Write, changing, written
from gateway.store.call_columns import CALL_COLUMNS, PLACES
from gateway.store.narrow import NarrowWrite
from gateway.store.writing.lookups import Lookup, SeveralLookups, TenantLookup, between

calls, events, orders, outbox, counters = (
    tables.calls,
    tables.events,
    tables.orders,
    tables.outbox,
    tables.counters,
)
phones, accounts, attempts = tables.phones, tables.accounts, tables.attempts
choices, agents, identifiers = tables.choices, tables.agents, tables.identifiers

legs, notes, agent_states = tables.legs, tables.notes, tables.agent_states
source_marks, agent_notes, event_sources = tables.source_marks, tables.agent_notes, tables.event_sources

MOST_IDENTIFIED = 500
"""Accounts that are read by one statement: a contract's number such as 1 may be that of any number of them."""
LOGGED_CALLS = select(*(calls.c[name] for name in CALL_COLUMNS))


def _among(column: ColumnElement[Any], count: int) -> ColumnElement[bool]:
    return column.in_([bindparam(f"k{i}", type_=column.type) for i in range(count)])


NOT_RETURNED: tuple[ColumnElement[Any], ...] = (literal_column("calls.missed"), calls.c.returned_at.is_(None))
"""As the index has it: SQLite finds a partial index by the words of its condition."""


def _missed(column: ColumnElement[Any], *, unique: bool = False) -> TenantLookup:
    """Return what finds missed calls that nobody has returned, by ``column``."""
    query = select(calls.c.tenant, calls.c.id, column, calls.c.end_heard_at).where(*NOT_RETURNED)
    return TenantLookup(query, calls.c.tenant, column, unique=unique, within=calls.c.id)


def _follow_ups(column: ColumnElement[Any]) -> TenantLookup:
    """Return what finds follow-ups that are not done, by ``column``."""
    due = (agent_notes.c.follow_up_at.is_not(None), agent_notes.c.follow_up_done_at.is_(None))
    query = select(agent_notes.c.tenant, agent_notes.c.call_id, column, agent_notes.c.follow_up_at).where(*due)
    return TenantLookup(query, agent_notes.c.tenant, column)


def _calls_by_id(count: int) -> ClauseElement:
    return LOGGED_CALLS.where(_among(calls.c.id, count))


def _legs(count: int) -> ClauseElement:
    return select(legs).where(_among(legs.c.call_id, count)).order_by(legs.c.call_id, legs.c.place)


def _owners() -> TenantLookup:
    chosen = and_(
        choices.c.tenant == phones.c.tenant,
        choices.c.number == phones.c.number,
        choices.c.account_id == phones.c.account_id,
    )
    agent = and_(agents.c.tenant == phones.c.tenant, agents.c.login == accounts.c.owner)
    query = (
        select(
            phones.c.tenant,
            phones.c.number,
            phones.c.contact,
            phones.c.account_id,
            accounts.c.name,
            accounts.c.code,
            func.coalesce(agents.c.extension, accounts.c.owner),
            accounts.c.updated_at,
            choices.c.chosen_at,
        )
        .join(accounts, accounts.c.id == phones.c.account_id)
        .join(choices, chosen, isouter=True)
        .join(agents, agent, isouter=True)
        .order_by(accounts.c.updated_at.desc(), accounts.c.id)
    )
    return TenantLookup(query, phones.c.tenant, phones.c.number)


def _identified(count: int) -> ClauseElement:
    columns = (identifiers.c.kind, identifiers.c.value, accounts.c.id, accounts.c.code, accounts.c.name)
    return (
        select(*columns)
        .join(accounts, accounts.c.id == identifiers.c.account_id)
        .where(identifiers.c.tenant == bindparam("of"), _among(identifiers.c.value, count))
        .order_by(accounts.c.updated_at.desc(), accounts.c.id)
        .suffix_with(f"LIMIT {MOST_IDENTIFIED}")  # as text: "limit" has placeholders of its own
    )


def _lately_in_contact(count: int) -> ClauseElement:
    """Return the same statement for calls with ids between two more parameters, ahead of the other ones."""
    return _contacts(count, calls.c.id >= bindparam("from_id"), calls.c.id < bindparam("to_id"))


def _last_contacts(count: int) -> ClauseElement:
    return _contacts(count)


def _contacts(count: int, *within: ColumnElement[bool]) -> ClauseElement:
    """Return what finds each account's last call: by the end of an index, however many calls it has."""
    theirs = (*within, calls.c.account_id == accounts.c.id, calls.c.logged_at < bindparam("before"))
    last = select(func.max(calls.c.logged_at)).where(*theirs).scalar_subquery()
    found = select(accounts.c.id, last.label("at")).where(_among(accounts.c.id, count)).subquery("found")
    return select(found.c.id, found.c.at).where(found.c.at.is_not(None))


COUNTERS = str(select(counters.c.name, counters.c.value))
"""All of them: they are few, and three found by their names take SQLite longer."""
CALLS_BY_NUMBER = TenantLookup(
    LOGGED_CALLS.where(
        calls.c.logged_at >= bindparam("since"),
        or_(calls.c.end_heard_at.is_(None), calls.c.end_heard_at >= bindparam("ended_since")),
    ),
    calls.c.tenant,
    calls.c.number,
    within=calls.c.id,
)
CALLS_BY_REF = TenantLookup(LOGGED_CALLS, calls.c.tenant, calls.c.call_ref, within=calls.c.id)
CALLS_BY_ID = Lookup(_calls_by_id)
UNSETTLED = SeveralLookups(
    _missed(calls.c.number),
    _missed(calls.c.account_id, unique=True),
    _follow_ups(agent_notes.c.number),
    _follow_ups(agent_notes.c.account_id),
    key=2,
)
"""Missed calls by number and by account, then follow-ups by number and by account: tenant, call, key, from when on."""
LEGS = Lookup(_legs)
OWNERS = _owners()
IDENTIFIED = Lookup(_identified)
AGENTS = TenantLookup(
    select(agents.c.tenant, agents.c.extension, agents.c.login, agents.c.name), agents.c.tenant, agents.c.extension
)
SOURCE_TOKENS = TenantLookup(
    select(event_sources.c.tenant, event_sources.c.name, event_sources.c.token),
    event_sources.c.tenant,
    event_sources.c.name,
)
LAST_CONTACTS = Lookup(_last_contacts)
LATELY_IN_CONTACT = Lookup(_lately_in_contact)

WRITE_COUNTERS = Write(counters, written(counters), changing=changing(counters))
AT_START = (*(column.name for column in calls.c if not column.nullable), "started_at", "start_heard_at")
OF_ACCOUNT = ("account_id", "account_name", "account_code", "contact")
AT_END = ("ended_at", "end_heard_at", "duration_s", "recording_url", "paired_by", "result", "result_text")
OF_MANY = (
    *("call_ref", "ref_space", "line", "missed", "ring_s", "talk_s", "answered_at", "answer_heard_at", "answered_by"),
    *("answered_agent", "answered_agent_name"),
)
INDEXED = tuple(name for name in changing(calls) if any(name in index.columns for index in calls.indexes))
"""Columns of a call that may change and stand in an index. Of most calls none of them changes."""
WRITE_CALLS = NarrowWrite(calls, PLACES, (AT_START, (*OF_ACCOUNT, *AT_END), OF_MANY), stay=INDEXED)
"""A call that has begun; one that has ended, or is an account's; one of which an exchange says more; any other."""
WRITE_LEGS = Write(legs, tuple(legs.c.keys()), changing=changing(legs))
WRITE_NOTES = Write(notes, tuple(notes.c.keys()), unique=("call_id", "digest"))
WRITE_AGENT_STATES = Write(agent_states, written(agent_states))
WRITE_SOURCE_MARKS = Write(source_marks, tuple(source_marks.c.keys()), changing=changing(source_marks))
WRITE_EVENTS = Write(events, written(events))
WRITE_CHOICES = Write(choices, written(choices), changing=changing(choices))
WRITE_ORDERS = Write(orders, written(orders))
WRITE_OUTBOX = Write(outbox, written(outbox))
WRITE_ATTEMPTS = Write(attempts, written(attempts))

RETURN_MISSED = Change(
    calls.c.id, (calls.c.returned_at, calls.c.returned_by), calls.c.returned_at.is_(None), parted=True
)
FINISH_FOLLOW_UP = Change(
    agent_notes.c.call_id,
    (agent_notes.c.follow_up_done_at, agent_notes.c.follow_up_done_in),
    agent_notes.c.follow_up_done_at.is_(None),
)
GOING_ON = LOGGED_CALLS.where(
    calls.c.tenant == bindparam("of"),
    calls.c.logged_at >= bindparam("since"),
    calls.c.logged_at < bindparam("before"),
    calls.c.status.in_(("waiting", "ringing", "talking")),
)
GOING_ON_WITHIN = GOING_ON.where(*between(calls.c.id))
"""The same among calls with ids between two parameters: on PostgreSQL, where calls lie apart by them."""


def _ordered_calls(count: int) -> ClauseElement:
    columns = (orders.c.id, orders.c.tenant, orders.c.call_id, orders.c.appliance, orders.c.outcome)
    placed = orders.join(calls, calls.c.id == orders.c.call_id, isouter=True)
    return (
        LOGGED_CALLS.with_only_columns(*columns, *LOGGED_CALLS.selected_columns)
        .select_from(placed)
        .where(_among(orders.c.id, count))
    )


ORDER = (
    *(orders.c.tenant, orders.c.extension, orders.c.digits, orders.c.appliance, orders.c.requested_at),
    *(orders.c.request_key, orders.c.call_id, orders.c.id),
)
"""What shows whether an order is the same as another one."""
ACCOUNT = select(accounts).where(accounts.c.tenant == bindparam("of"), accounts.c.id == bindparam("id"))
ORDERED_CALLS = Lookup(_ordered_calls)
SAME_ORDERS = TenantLookup(
    select(*ORDER)
    .where(orders.c.requested_at > bindparam("since"), orders.c.requested_at < bindparam("until"))
    .order_by(orders.c.id.desc()),
    orders.c.tenant,
    orders.c.digits,
    part=orders.c.extension,
)
KEYED_ORDERS = TenantLookup(
    select(*ORDER).where(orders.c.request_key.is_not(None)).order_by(orders.c.id), orders.c.tenant, orders.c.request_key
)
MARK_KINDS: Sequence[ColumnElement[str]] = [literal_column(f"'{kind}'") for kind in ("event", "sequence", "call")]
"""All there are: named, so that an index finds the marks of a name."""
MARKS = TenantLookup(
    select(*source_marks.c).where(source_marks.c.kind.in_(MARK_KINDS)),
    source_marks.c.tenant,
    source_marks.c.name,
    part=source_marks.c.source,
)
_REF = select(calls.c.tenant, calls.c.ref_space, literal_column("'ref'"), calls.c.call_ref, calls.c.call_ref)
_NUMBERS = (cast(null(), BigInteger).label(name) for name in ("call_id", "sequence", "at"))
CALLS_OF_REFS = TenantLookup(_REF.add_columns(*_NUMBERS), calls.c.tenant, calls.c.call_ref, within=calls.c.id)
"""With the columns of a mark: whose space the id is of stands for the source."""
MARKS_AND_REFS = SeveralLookups(MARKS, CALLS_OF_REFS, key=3)
SETTLE_ORDERS = Change(
    orders.c.id,
    (orders.c.dialled_by, orders.c.outcome, orders.c.detail, orders.c.peer_ref, orders.c.settled_at, orders.c.sentence),
    orders.c.outcome.is_(None),
)
