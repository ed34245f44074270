"""Is this order a new one? Decided inside the writing transaction, so that it holds for all processes."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Select, select

from gateway.errors import KeyTaken
from gateway.store import tables
from gateway.store.drafts import OrderDraft

orders = tables.orders

Row = Mapping[str, Any]


def earlier(connection: Connection, pending: Sequence[Row], draft: OrderDraft) -> Row | None:
    """The order that ``draft`` repeats, or None; ``pending`` are those not yet written.

    Raises ``KeyTaken`` when the asker's key belongs to another order.
    """
    key, tenant = draft.message.request_key, draft.message.tenant
    keyed = _first(connection, pending, _by_key(tenant, key), tenant=tenant, request_key=key) if key else None
    if keyed is not None:
        if _same(keyed, draft):
            return keyed
        raise KeyTaken(str(key))
    return _double_click(connection, pending, draft) if draft.repeat_within_ms else None


def _double_click(connection: Connection, pending: Sequence[Row], draft: OrderDraft) -> Row | None:
    """The same call, asked for a moment ago by whatever way."""
    since = draft.message.received_at - draft.repeat_within_ms
    alike = {"tenant": draft.message.tenant, **_compared(draft)}
    query = select(orders).where(*(orders.c[name] == value for name, value in alike.items()))
    query = query.where(orders.c.requested_at > since).order_by(orders.c.id.desc())
    return _first(connection, [row for row in pending if row["requested_at"] > since], query, **alike)


def _by_key(tenant: str, key: str | None) -> Select[Any]:
    return select(orders).where(orders.c.tenant == tenant, orders.c.request_key == key).order_by(orders.c.id)


def _first(connection: Connection, pending: Sequence[Row], query: Select[Any], **wanted: str | None) -> Row | None:
    for row in pending:
        if all(row[name] == value for name, value in wanted.items()):
            return row
    found = connection.execute(query.limit(1)).mappings().first()
    return dict(found) if found else None


def _same(row: Row, draft: OrderDraft) -> bool:
    return all(row[name] == value for name, value in _compared(draft).items())


def _compared(draft: OrderDraft) -> dict[str, str]:
    """What makes two orders the same, as the row holds it."""
    return {"extension": draft.extension[:32], "digits": draft.digits[:64], "appliance": draft.appliance}
