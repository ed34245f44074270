"""The journal's statements: a batch reads what it needs and writes what it made by one of each."""

from typing import Any

from sqlalchemy import and_, bindparam, func, literal_column, or_, select, update
from sqlalchemy.sql import ClauseElement, ColumnElement

from gateway.store import tables
from gateway.store.bulk import Change, Write, changing, written
from gateway.store.call_columns import CALL_COLUMNS, PLACES
from gateway.store.narrow import NarrowWrite
from gateway.store.writing.lookups import Lookup, TenantLookup

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


def _missed_of_accounts(count: int) -> ClauseElement:
    columns = (calls.c.tenant, calls.c.id, calls.c.account_id, calls.c.end_heard_at)
    return select(*columns).where(_among(calls.c.account_id, count), *NOT_RETURNED)


def _follow_ups(column: ColumnElement[Any]) -> TenantLookup:
    """Return what finds follow-ups that are not done, by ``column``."""
    due = (agent_notes.c.follow_up_at.is_not(None), agent_notes.c.follow_up_done_at.is_(None))
    query = select(agent_notes.c.tenant, agent_notes.c.call_id, column, agent_notes.c.follow_up_at).where(*due)
    return TenantLookup(query, agent_notes.c.tenant, column)


def _calls_by_id(count: int) -> ClauseElement:
    return LOGGED_CALLS.where(_among(calls.c.id, count))


def _legs(count: int) -> ClauseElement:
    return select(legs).where(_among(legs.c.call_id, count)).order_by(legs.c.call_id, legs.c.place)


def _counters(count: int) -> ClauseElement:
    return select(counters.c.name, counters.c.value).where(_among(counters.c.name, count)).with_for_update()


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


def _last_contacts(count: int) -> ClauseElement:
    return (
        select(calls.c.account_id, func.max(calls.c.logged_at))
        .where(calls.c.logged_at < bindparam("before"), _among(calls.c.account_id, count))
        .group_by(calls.c.account_id)
    )


COUNTERS = Lookup(_counters)
CALLS_BY_NUMBER = TenantLookup(
    LOGGED_CALLS.where(
        calls.c.logged_at >= bindparam("since"),
        or_(calls.c.end_heard_at.is_(None), calls.c.end_heard_at >= bindparam("ended_since")),
    ),
    calls.c.tenant,
    calls.c.number,
)
CALLS_BY_REF = TenantLookup(LOGGED_CALLS, calls.c.tenant, calls.c.call_ref)
CALLS_BY_ID = Lookup(_calls_by_id)
MISSED_CALLS = TenantLookup(
    select(calls.c.tenant, calls.c.id, calls.c.number, calls.c.end_heard_at).where(*NOT_RETURNED),
    calls.c.tenant,
    calls.c.number,
)
MISSED_OF_ACCOUNTS = Lookup(_missed_of_accounts)
FOLLOW_UPS_OF_NUMBERS = _follow_ups(agent_notes.c.number)
FOLLOW_UPS_OF_ACCOUNTS = _follow_ups(agent_notes.c.account_id)
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

WRITE_COUNTERS = Write(counters, written(counters), changing=changing(counters))
AT_START = (*(column.name for column in calls.c if not column.nullable), "started_at", "start_heard_at")
OF_ACCOUNT = ("account_id", "account_name", "account_code", "contact")
AT_END = ("ended_at", "end_heard_at", "duration_s", "recording_url", "paired_by", "result", "result_text")
OF_MANY = (
    *("call_ref", "ref_space", "line", "missed", "ring_s", "talk_s", "answered_at", "answer_heard_at", "answered_by"),
    *("answered_agent", "answered_agent_name"),
)
WRITE_CALLS = NarrowWrite(calls, PLACES, (AT_START, (*OF_ACCOUNT, *AT_END), OF_MANY))
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
    update(calls)
    .where(calls.c.id == bindparam("of"), calls.c.returned_at.is_(None))
    .values({calls.c.returned_at: bindparam("at"), calls.c.returned_by: bindparam("by")}),
    ("at", "by", "of"),
)
FINISH_FOLLOW_UP = Change(
    update(agent_notes)
    .where(agent_notes.c.call_id == bindparam("of"), agent_notes.c.follow_up_done_at.is_(None))
    .values({agent_notes.c.follow_up_done_at: bindparam("at"), agent_notes.c.follow_up_done_in: bindparam("by")}),
    ("at", "by", "of"),
)
GOING_ON = LOGGED_CALLS.where(
    calls.c.tenant == bindparam("of"),
    calls.c.logged_at >= bindparam("since"),
    calls.c.logged_at < bindparam("before"),
    calls.c.status.in_(("waiting", "ringing", "talking")),
)


def _orders_to_settle(count: int) -> ClauseElement:
    columns = (orders.c.tenant, orders.c.call_id, orders.c.appliance, orders.c.outcome)
    return select(*columns).where(_among(orders.c.id, count))


def _same_orders(count: int) -> ClauseElement:
    wanted = (orders.c.tenant == bindparam("of"), orders.c.extension == bindparam("extension"))
    same = (orders.c.appliance == bindparam("appliance"), orders.c.requested_at > bindparam("since"))
    query = select(orders.c.call_id, orders.c.id).where(*wanted, *same, orders.c.requested_at < bindparam("until"))
    query = query.where(_among(orders.c.digits, count))
    return query.order_by(orders.c.id.desc())


ACCOUNT = select(accounts).where(accounts.c.tenant == bindparam("of"), accounts.c.id == bindparam("id"))
ORDERS_TO_SETTLE = Lookup(_orders_to_settle)
SAME_ORDERS = Lookup(_same_orders)
SETTLE_ORDERS = Change(
    update(orders)
    .where(orders.c.id == bindparam("of"), orders.c.outcome.is_(None))
    .values(
        {
            orders.c.dialled_by: bindparam("dialled_by"),
            orders.c.outcome: bindparam("new_outcome"),
            orders.c.detail: bindparam("new_detail"),
            orders.c.peer_ref: bindparam("new_ref"),
            orders.c.settled_at: bindparam("at"),
            orders.c.sentence: bindparam("new_sentence"),
        }
    ),
    ("dialled_by", "new_outcome", "new_detail", "new_ref", "at", "new_sentence", "of"),
)
