"""Is this order a new one? Decided inside the writing transaction, so that it holds for all processes."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, select

from gateway.errors import KeyTaken
from gateway.store import statements, tables
from gateway.store.bulk import Driver
from gateway.store.fitting import fitter
from gateway.store.writing.drafts import OrderDraft

orders = tables.orders
EXTENSION, DIGITS, KEY = fitter(orders.c.extension), fitter(orders.c.digits), fitter(orders.c.request_key)

Row = Mapping[str, Any]


def earlier(connection: Connection, driver: Driver, pending: Sequence[Row], draft: OrderDraft) -> Row | None:
    """Return the order that ``draft`` repeats, or None; ``pending`` are those not yet written.

    Raises ``KeyTaken`` when the asker's key belongs to another order.
    """
    key, tenant = KEY(draft.message.request_key or ""), draft.message.tenant
    keyed = _by_key(connection, pending, tenant, key) if key else None
    if keyed is not None:
        if _same(keyed, draft):
            return keyed
        raise KeyTaken(key)
    return _double_click(driver, pending, draft) if draft.repeat_within_ms else None


def _double_click(driver: Driver, pending: Sequence[Row], draft: OrderDraft) -> Row | None:
    """Return the same call, ordered a moment ago in whatever way, or a moment ahead, for threads overtake one another.
    A time beyond that is from before the clock was set back, and must not swallow clicks until then.
    """
    at, tenant = draft.message.received_at, draft.message.tenant
    since, until = at - draft.repeat_within_ms, at + draft.repeat_within_ms
    for row in pending:
        if row["tenant"] == tenant and since < row["requested_at"] < until and _same(row, draft):
            return row
    before = [tenant, EXTENSION(draft.extension), draft.appliance, since, until]
    found = statements.SAME_ORDERS.run(driver, [DIGITS(draft.digits)], before)
    return dict(zip(("call_id", "id"), found[0], strict=True)) if found else None


def _by_key(connection: Connection, pending: Sequence[Row], tenant: str, key: str) -> Row | None:
    for row in pending:
        if row["tenant"] == tenant and KEY(row["request_key"] or "") == key:
            return row
    query = select(orders).where(orders.c.tenant == tenant, orders.c.request_key == key).order_by(orders.c.id).limit(1)
    found = connection.execute(query).mappings().first()
    return dict(found) if found else None


def _same(row: Row, draft: OrderDraft) -> bool:
    return _compared(row["extension"], row["digits"], row["appliance"]) == _compared(
        draft.extension, draft.digits, draft.appliance
    )


def _compared(extension: str, digits: str, appliance: str) -> tuple[str, str, str]:
    """Return what makes two orders the same, as the row holds it."""
    return EXTENSION(extension), DIGITS(digits), appliance
