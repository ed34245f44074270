"""Orders to dial, and what came of them. Each function works one draft out within its ``Batch``."""

from functools import partial
from typing import TYPE_CHECKING

from gateway.domain.calls.about import decide_about
from gateway.domain.calls.book import decide_order
from gateway.domain.calls.decision import EventKind
from gateway.domain.calls.heard import SettledOrder, placed_order
from gateway.store import rows
from gateway.store.writing.candidates import StoredOrder
from gateway.store.writing.drafts import OrderDraft, Recorded, Settlement
from gateway.store.writing.lookups import load_together

if TYPE_CHECKING:
    from gateway.store.writing.batch import Batch


def add_order(batch: "Batch", draft: OrderDraft) -> Recorded:
    """Open a call for an order, or give the earlier order that it repeats."""
    message = draft.message
    earlier = batch.repeats.earlier(draft)
    if earlier is not None:
        return Recorded(earlier.call_id, 0, earlier.id, repeated=True)
    order_id = batch.numbers.next_order()
    order = placed_order(message, draft.extension, draft.other, order_id)
    decided = batch.decided(partial(decide_order, order))
    call = batch.take(decided, message.tenant, draft.other.candidates, order.at)
    row = rows.order(draft, order_id, call.call.id, batch.owner())
    batch.repeats.add(row)
    batch.orders.append(row)
    told = {"digits": draft.digits, "appliance": draft.appliance}
    return Recorded(call.call.id, batch.log_event(decided.kind, call, order.at, told), order_id)


def settle_order(batch: "Batch", draft: Settlement) -> Recorded:
    """Keep what came of an order and of each attempt at it; nothing where that is known already."""
    order = batch.calls.order(draft.order_id) or _of_this_batch(batch, draft.order_id)
    call = batch.calls.get(order.call_id)
    if order.outcome is not None:
        return Recorded(call.call.id, 0, draft.order_id)
    tenant, delivery = order.tenant, draft.delivery
    batch.calls.settle(draft.order_id, delivery.outcome.value)
    language = batch.language_of(tenant)
    said = rows.kept(delivery.text, language)
    batch.settled.append(rows.settled(draft, said))
    for made in draft.attempts:
        attempt_said = said if made.delivery is delivery else rows.kept(made.delivery.text, language)
        batch.attempts.append(rows.attempt(made, tenant, draft.order_id, attempt_said))
    batch.change(decide_about(call.call, SettledOrder(delivery.outcome.value, draft.at)).call)
    dialled_by = draft.attempts[-1].appliance if draft.attempts else order.appliance
    told = {
        "outcome": delivery.outcome.value,
        "detail": said[0],
        "appliance": dialled_by,
    }
    return Recorded(call.call.id, batch.log_event(EventKind.ORDER_SETTLED, call, draft.at, told), draft.order_id)


def _of_this_batch(batch: "Batch", order_id: int) -> StoredOrder:
    """Return an order that was not there when the batch began."""
    batch.flush_rows()
    load_together(batch.driver, [batch.calls.load_orders([order_id])])
    order = batch.calls.order(order_id)
    if order is None:
        raise LookupError(f"no order {order_id}")
    return order
