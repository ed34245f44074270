"""The journal's statements, built once: their compiled form is only looked up afterwards."""

from sqlalchemy import bindparam, insert, select, update

from gateway.store import tables
from gateway.store.bulk import Bulk

calls, events, orders, outbox, counters = (
    tables.calls,
    tables.events,
    tables.orders,
    tables.outbox,
    tables.counters,
)

COUNTERS = select(counters.c.name, counters.c.value).with_for_update()
MOVE_COUNTER = Bulk(update(counters).where(counters.c.name == bindparam("of")).values(value=bindparam("to")))
OPEN_CALLS = select(calls).where(calls.c.open_key.in_(bindparam("keys", expanding=True)))
CALLS_BY_REF = select(calls).where(
    calls.c.tenant == bindparam("tenant"), calls.c.call_ref.in_(bindparam("refs", expanding=True))
)
CALL = select(calls).where(calls.c.id == bindparam("call_id"))
ORDER = select(orders).where(orders.c.id == bindparam("order_id"))
OWNERS = (
    select(
        tables.phones.c.number,
        tables.phones.c.contact,
        tables.phones.c.account_id,
        tables.accounts.c.name,
        tables.accounts.c.code,
    )
    .join(tables.accounts, tables.accounts.c.id == tables.phones.c.account_id)
    .where(
        tables.phones.c.tenant == bindparam("of"),
        tables.phones.c.number.in_(bindparam("numbers", expanding=True)),
    )
    .order_by(tables.accounts.c.updated_at.desc(), tables.accounts.c.id)
)
CHANGING = (
    "direction",
    "started_at",
    "ended_at",
    "duration_s",
    "recording_url",
    "status",
    "call_ref",
    "open_key",
)
UPDATE_CALL = Bulk(
    update(calls).where(calls.c.id == bindparam("of")).values({name: bindparam(name) for name in CHANGING})
)
ORDER_COLUMNS = (
    "id",
    "tenant",
    "call_id",
    "extension",
    "number",
    "digits",
    "appliance",
    "wire",
    "client",
    "requested_by",
    "requested_at",
)
OUTBOX_COLUMNS = ("tenant", "target", "kind", "body", "created_at", "due_at")
SETTLE_ORDER = Bulk(
    update(orders)
    .where(orders.c.id == bindparam("of"), orders.c.outcome.is_(None))
    .values(
        outcome=bindparam("new_outcome"),
        detail=bindparam("new_detail"),
        peer_ref=bindparam("new_ref"),
        settled_at=bindparam("at"),
    )
)
INSERT_CALLS = Bulk(insert(calls), calls.c.keys())
INSERT_EVENTS = Bulk(insert(events), events.c.keys())
INSERT_ORDERS = Bulk(insert(orders), ORDER_COLUMNS)
INSERT_OUTBOX = Bulk(insert(outbox), OUTBOX_COLUMNS)
