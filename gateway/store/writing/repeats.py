"""Is this order a new one? Decided inside the writing transaction, so that it holds for all processes."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from gateway.errors import KeyTaken
from gateway.store import statements, tables
from gateway.store.bulk import Driver
from gateway.store.fitting import fitter
from gateway.store.writing.drafts import OrderDraft
from gateway.store.writing.lookups import nothing

orders = tables.orders
EXTENSION, DIGITS, KEY = fitter(orders.c.extension), fitter(orders.c.digits), fitter(orders.c.request_key)


class EarlierOrder(NamedTuple):
    """What is known of an order, as its row has it."""

    tenant: str
    extension: str
    digits: str
    appliance: str
    requested_at: int
    request_key: str | None
    call_id: int
    id: int


class Repeats:
    """Orders that may be the same as those of a batch; one use for each transaction."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver
        self._keyed: dict[tuple[str, str], EarlierOrder] = {}
        self._same: dict[tuple[str, ...], list[EarlierOrder]] = defaultdict(list)

    def load(self, drafts: Sequence[OrderDraft]) -> Iterator[None]:
        """Read the orders that ``drafts`` may repeat."""
        keys: dict[str, set[str]] = defaultdict(set)
        digits: dict[tuple[str, str], set[str]] = defaultdict(set)
        for draft in drafts:
            keys[draft.tenant].update(filter(None, [KEY(draft.message.request_key or "")]))
            if draft.repeat_within_ms:
                digits[draft.tenant, EXTENSION(draft.extension)].add(DIGITS(draft.digits))
        longest = max((draft.repeat_within_ms for draft in drafts), default=0)
        times = [draft.message.received_at for draft in drafts]
        keyed = statements.KEYED_ORDERS.ask(self._driver, keys) if any(keys.values()) else nothing
        since, until = min(times) - longest, max(times) + longest
        same = statements.SAME_ORDERS.ask(self._driver, digits, since=since, until=until) if digits else nothing
        yield
        for row in map(EarlierOrder._make, keyed()):
            self._keyed.setdefault((row.tenant, row.request_key or ""), row)
        for row in map(EarlierOrder._make, same()):
            self._same[_compared(row)].append(row)

    def add(self, row: dict[str, Any]) -> None:
        """Let later orders of the batch find one that is about to be written."""
        order = EarlierOrder(**{name: row[name] for name in EarlierOrder._fields})
        if key := KEY(order.request_key or ""):
            self._keyed.setdefault((order.tenant, key), order)
        self._same[_compared(order)].insert(0, order)

    def earlier(self, draft: OrderDraft) -> EarlierOrder | None:
        """Return the order that ``draft`` repeats, or None. Raises ``KeyTaken`` when the asker's key belongs to another
        order.
        """
        key = KEY(draft.message.request_key or "")
        keyed = self._keyed.get((draft.tenant, key)) if key else None
        if keyed is not None:
            if _compared(keyed) == _compared(draft):
                return keyed
            raise KeyTaken(key)
        return self._double_click(draft) if draft.repeat_within_ms else None

    def _double_click(self, draft: OrderDraft) -> EarlierOrder | None:
        """Return the same call, ordered a moment ago in whatever way, or a moment ahead, for threads overtake one
        another. A time beyond that is from before the clock was set back, and must not swallow clicks until then.
        """
        at = draft.message.received_at
        since, until = at - draft.repeat_within_ms, at + draft.repeat_within_ms
        same = self._same.get(_compared(draft), ())
        return next((order for order in same if since < order.requested_at < until), None)


def _compared(order: EarlierOrder | OrderDraft) -> tuple[str, ...]:
    """Return what makes two orders the same, as the row holds it."""
    return order.tenant, EXTENSION(order.extension), DIGITS(order.digits), order.appliance
