"""The journal's statements: a batch reads what it needs and writes what it made by one of each."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import and_, bindparam, func, literal_column, or_, select, update
from sqlalchemy.sql import ClauseElement, ColumnElement

from gateway.store import tables
from gateway.store.bulk import Change, Lookup, Write, changing, written
from gateway.store.call_columns import CALL_COLUMNS, PLACES
from gateway.store.narrow import NarrowWrite

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
source_marks, agent_notes = tables.source_marks, tables.agent_notes

MOST_IDENTIFIED = 500
"""Accounts that are read by one statement: a contract's number such as 1 may be that of any number of them."""
LOGGED_CALLS = select(*(calls.c[name] for name in CALL_COLUMNS))


def _among(column: ColumnElement[Any], count: int) -> ColumnElement[bool]:
    return column.in_([bindparam(f"k{i}", type_=column.type) for i in range(count)])


def _calls_by_number(count: int) -> ClauseElement:
    return LOGGED_CALLS.where(
        calls.c.tenant == bindparam("of"),
        calls.c.logged_at >= bindparam("since"),
        or_(calls.c.end_heard_at.is_(None), calls.c.end_heard_at >= bindparam("ended_since")),
        _among(calls.c.number, count),
    )


def _calls_by_ref(count: int) -> ClauseElement:
    return LOGGED_CALLS.where(calls.c.tenant == bindparam("of"), _among(calls.c.call_ref, count))


def _missed_calls(count: int) -> ClauseElement:
    # As the index has it: SQLite finds a partial index by the words of its condition.
    missed: tuple[ColumnElement[Any], ...] = (literal_column("calls.missed"), calls.c.returned_at.is_(None))
    return select(calls.c.id, calls.c.number, calls.c.end_heard_at).where(
        calls.c.tenant == bindparam("of"), _among(calls.c.number, count), *missed
    )


def _missed_of_accounts(count: int) -> ClauseElement:
    missed: tuple[ColumnElement[Any], ...] = (literal_column("calls.missed"), calls.c.returned_at.is_(None))
    return select(calls.c.id, calls.c.account_id, calls.c.end_heard_at).where(
        _among(calls.c.account_id, count), *missed
    )


def _follow_ups(column: ColumnElement[Any]) -> Callable[[int], ClauseElement]:
    """Return what makes the statement that finds follow-ups by ``column``, those due before a moment."""

    def build(count: int) -> ClauseElement:
        due = (agent_notes.c.follow_up_at.is_not(None), agent_notes.c.follow_up_done_at.is_(None))
        query = select(agent_notes.c.call_id, column, agent_notes.c.follow_up_at)
        return query.where(agent_notes.c.tenant == bindparam("of"), _among(column, count), *due)

    return build


def _calls_by_id(count: int) -> ClauseElement:
    return LOGGED_CALLS.where(_among(calls.c.id, count))


def _legs(count: int) -> ClauseElement:
    return select(legs).where(_among(legs.c.call_id, count)).order_by(legs.c.call_id, legs.c.place)


def _counters(count: int) -> ClauseElement:
    return select(counters.c.name, counters.c.value).where(_among(counters.c.name, count)).with_for_update()


def _owners(count: int) -> ClauseElement:
    chosen = and_(
        choices.c.tenant == phones.c.tenant,
        choices.c.number == phones.c.number,
        choices.c.account_id == phones.c.account_id,
    )
    agent = and_(agents.c.tenant == phones.c.tenant, agents.c.login == accounts.c.owner)
    return (
        select(
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
        .where(phones.c.tenant == bindparam("of"), _among(phones.c.number, count))
        .order_by(accounts.c.updated_at.desc(), accounts.c.id)
    )


def _identified(count: int) -> ClauseElement:
    columns = (identifiers.c.kind, identifiers.c.value, accounts.c.id, accounts.c.code, accounts.c.name)
    return (
        select(*columns)
        .join(accounts, accounts.c.id == identifiers.c.account_id)
        .where(identifiers.c.tenant == bindparam("of"), _among(identifiers.c.value, count))
        .order_by(accounts.c.updated_at.desc(), accounts.c.id)
        .suffix_with(f"LIMIT {MOST_IDENTIFIED}")  # as text: "limit" has placeholders of its own
    )


def _agents(count: int) -> ClauseElement:
    wanted = (agents.c.tenant == bindparam("of"), _among(agents.c.extension, count))
    return select(agents.c.extension, agents.c.login, agents.c.name).where(*wanted)


def _last_contacts(count: int) -> ClauseElement:
    return (
        select(calls.c.account_id, func.max(calls.c.logged_at))
        .where(calls.c.logged_at < bindparam("before"), _among(calls.c.account_id, count))
        .group_by(calls.c.account_id)
    )


COUNTERS = Lookup(_counters)
CALLS_BY_NUMBER = Lookup(_calls_by_number)
CALLS_BY_REF = Lookup(_calls_by_ref)
CALLS_BY_ID = Lookup(_calls_by_id)
MISSED_CALLS = Lookup(_missed_calls)
MISSED_OF_ACCOUNTS = Lookup(_missed_of_accounts)
FOLLOW_UPS_OF_NUMBERS = Lookup(_follow_ups(agent_notes.c.number))
FOLLOW_UPS_OF_ACCOUNTS = Lookup(_follow_ups(agent_notes.c.account_id))
LEGS = Lookup(_legs)
OWNERS = Lookup(_owners)
IDENTIFIED = Lookup(_identified)
AGENTS = Lookup(_agents)
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
