"""Dispatch a click-to-call order: one attempt, then the fallback, then settle. Caps who may wait at once.

Adapters only speak their protocol and queues look after one appliance each; which of them tries, how long whoever
clicked waits, and what is written down is decided here. After *unknown* nothing is dialled again by itself.
"""

import threading
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from contextlib import contextmanager
from functools import partial

import structlog

from gateway.adapter import Adapter, Delivery, Outcome, Outgoing, Probe, WireRequest, can_hang_up
from gateway.errors import GatewayError, NothingToHangUp, Stopping, TooManyOrders
from gateway.orders.appliance_queue import HELD, ApplianceQueue
from gateway.orders.circuit_breaker import Health, Rules
from gateway.store.orders import OrderLog, Placed, note
from gateway.store.reading.doorbell import Doorbell, NoDoorbell
from gateway.store.shared.contract import Shared
from gateway.store.writing.drafts import OrderAttempt, OrderDraft, Recorded, Settlement, Way
from gateway.store.writing.journal import Journal
from gateway.texts.text import Text

log = structlog.get_logger()

ANSWER_WITHIN_S = 20.0
"""How long whoever clicked waits for the outcome; the attempt itself goes on and is settled when it ends."""
LOOK_EVERY_S = 0.05
LOOK_UNRUNG_S = 0.25
"""How soon to look for another process's answer without a ring, where rings of others are heard."""
WRITTEN_WITHIN_S = 10.0
"""An order that took longer to be written down is not dialled: this process may have hung for minutes, and another may
have settled the order as *unknown*, or nobody may wait for it any more.
"""

Peers = Mapping[tuple[str, str], Adapter]
"""Adapters by (tenant, name of the appliance or forward)."""


class OrderDispatcher:
    """Tries each order once and settles it in the journal.

    ``rules`` has the limits of appliances by the same keys as ``appliances``; ``waiting`` is how many may wait at once
    in this process, of which no single appliance gets more than half where there are several.
    """

    def __init__(
        self,
        journal: Journal,
        appliances: Peers,
        log: OrderLog,
        *,
        rules: Mapping[tuple[str, str], Rules] | None = None,
        shared: Shared | None = None,
        doorbell: Doorbell | None = None,
        waiting: int = 32,
        answer_within_s: float = ANSWER_WITHIN_S,
        clock: Callable[[], float] | None = None,
    ) -> None:
        self._journal, self._log = journal, log
        self._answer_within_s = answer_within_s
        self._clock = clock or time.time
        self.queues = {
            key: ApplianceQueue(*key, adapter, (rules or {}).get(key, Rules()), shared=shared, clock=clock)
            for key, adapter in appliances.items()
        }
        self._limit = waiting
        self._waiting: Counter[tuple[str, str]] = Counter()
        self._admission = threading.local()
        """When the order of this thread was admitted (``at``): one thread writes it down and dials."""
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._stopping = False
        self._rung = threading.Condition()
        self._rings = 0
        self._doorbell = doorbell or NoDoorbell()
        self._doorbell.on_ring(self.ring)

    def ring(self, _tenants: Collection[str] = ()) -> None:
        """Say that something was written, in any process. Never waits."""
        with self._rung:
            self._rings += 1
            self._rung.notify_all()

    @contextmanager
    def admitted(self, draft: OrderDraft) -> Iterator[None]:
        """Hold one of the places for those who wait. Raises ``TooManyOrders`` and ``Stopping``: nothing is written."""
        with self._place((draft.message.tenant, draft.appliance)):
            self._admission.at = time.monotonic()
            yield

    @contextmanager
    def _place(self, key: tuple[str, str]) -> Iterator[None]:
        """Hold one of the places for those who wait for an appliance. Raises ``TooManyOrders`` and ``Stopping``."""
        with self._lock:
            if self._stopping:
                raise Stopping
            if self._waiting.total() >= self._limit or self._waiting[key] >= self._share(key):
                raise TooManyOrders(key[1], self._waiting.total())
            self._waiting[key] += 1
        try:
            yield
        finally:
            with self._lock:
                self._waiting[key] -= 1
                self._changed.notify_all()

    def _share(self, key: tuple[str, str]) -> int:
        if len(self.queues) == 1:
            return self._limit
        return min(self._limit, max(self._limit // 2, self.queues[key].rules.max_orders or 0))

    def waiting(self) -> int:
        """Return how many wait for an outcome now."""
        return self._waiting.total()

    def dial(self, order: Recorded, draft: OrderDraft) -> Delivery:
        """Try ``order`` once and return what came of it. An order that is a repeat is not tried: its answer is the
        first one's.

        When it takes longer than people wait, the answer is *unknown*; its end is still written down.
        """
        if order.repeated:
            return self._first_answer(order, draft)
        return self._refuse_late(order, draft) if self._is_late() else self._try(order, draft)

    def _is_late(self) -> bool:
        """Return whether an order was admitted too long ago, by a clock that nobody sets."""
        now = time.monotonic()
        return now - getattr(self._admission, "at", now) > WRITTEN_WITHIN_S

    def _refuse_late(self, order: Recorded, draft: OrderDraft) -> Delivery:
        log.warning("order_not_dialled", order=order.order_id, tenant=draft.message.tenant, why="written_late")
        late = Text(
            "Writing the order down took longer than {seconds} s, so nothing was dialled; please order it again.",
            seconds=format(WRITTEN_WITHIN_S, "g"),
        )
        now = round(self._clock() * 1000)
        return self._settle(
            order, draft, [OrderAttempt(draft.appliance, Delivery(Outcome.REFUSED, late), now, now, HELD)]
        )

    def _try(self, order: Recorded, draft: OrderDraft) -> Delivery:
        ends = time.monotonic() + self._answer_within_s
        made: list[OrderAttempt] = []
        for way in draft.ways:
            begun = self._queue(draft, way).begin(outgoing_order(order, draft, way), ends=ends)
            if isinstance(begun, OrderAttempt):
                made.append(begun)
            else:
                try:
                    made.append(begun.result(max(ends - time.monotonic(), 0)))
                except FutureTimeout:
                    self._settle_late(order, draft, made, begun)
                    return self._no_answer(way.appliance)
            if made[-1].delivery.outcome is not Outcome.UNREACHABLE:
                break
        return self._settle(order, draft, made)

    def _queue(self, draft: OrderDraft, way: Way) -> ApplianceQueue:
        return self.queues[draft.message.tenant, way.appliance]

    def _no_answer(self, appliance: str) -> Delivery:
        late = Text(
            "The appliance {name!r} did not answer within {waited} s; it will not be dialled again.",
            name=appliance,
            waited=format(self._answer_within_s, "g"),
        )
        return Delivery(Outcome.UNKNOWN, late)

    def _settle_late(
        self, order: Recorded, draft: OrderDraft, made: list[OrderAttempt], under_way: "Future[OrderAttempt]"
    ) -> None:
        """Settle when the attempt ends; nobody waits any more, so no other appliance is tried."""
        under_way.add_done_callback(lambda done: self._settle(order, draft, [*made, done.result()]))

    def _settle(self, order: Recorded, draft: OrderDraft, made: Sequence[OrderAttempt]) -> Delivery:
        """Settle an order without keeping its answer waiting: if the record is lost, the order is found open and
        settled as *unknown*.
        """
        delivery = summed_up(made)
        if order.order_id is not None:
            settlement = Settlement(
                draft.message.tenant, order.order_id, delivery, round(self._clock() * 1000), tuple(made)
            )
            tell = partial(self._tell, settlement)
            try:
                self._journal.submit_deferred(settlement, tell)
            except GatewayError as error:
                tell(error)
        return delivery

    def _tell(self, settlement: Settlement, came: Recorded | GatewayError) -> None:
        """Count and log how an order ended, once that is durable: who waits for the answer waits for no line of log."""
        made = settlement.attempts
        for attempt in made:
            self.queues[settlement.tenant, attempt.appliance].count(attempt)
        facts = {
            "order": settlement.order_id,
            "appliance": made[-1].appliance,
            "outcome": settlement.delivery.outcome.value,
        }
        if isinstance(came, GatewayError):
            log.error("order_outcome_not_stored", code=came.code, **facts)
        else:
            log.info("order_settled", took_ms=made[-1].ended_at - made[0].began_at, attempts=len(made), **facts)

    def _first_answer(self, order: Recorded, draft: OrderDraft) -> Delivery:
        """Wait for the answer of the order that this one repeats, whichever process tries it."""
        assert order.order_id is not None
        log.info("order_repeated", order=order.order_id, tenant=draft.message.tenant)
        ends, rings = time.monotonic() + self._answer_within_s, self._rings
        while (found := self._log.outcome(order.order_id)) is None:
            self._settle_if_orphaned(draft.message.tenant, order.order_id)
            if time.monotonic() >= ends:
                return self._no_answer(draft.appliance)
            rings = self._next_ring(rings)
        return found

    def _next_ring(self, heard: int) -> int:
        """Wait until there was a ring behind the ``heard``-th, or it is time to look without one; return how many."""
        wait_s = LOOK_UNRUNG_S if self._doorbell.is_heard else LOOK_EVERY_S
        with self._rung:
            self._rung.wait_for(lambda: self._rings != heard, wait_s)
            return self._rings

    def _settle_if_orphaned(self, tenant: str, order_id: int) -> None:
        """Settle an order whose process died, so that a repeat need not wait for it."""
        owner = self._log.owner(order_id)
        if owner and not self._journal.presence.alive(owner):
            self._journal.write(abandoned(tenant, order_id, round(self._clock() * 1000)))

    # what else can be asked of an appliance

    def health(self, tenant: str, name: str) -> Health:
        """Return how an appliance is doing, as all processes see it."""
        return self.queues[tenant, name].health()

    def rules(self, tenant: str, name: str) -> Rules:
        """Return how an appliance is treated."""
        return self.queues[tenant, name].rules

    def probe(self, tenant: str, name: str) -> Probe:
        """Check whether an appliance can be used, without ringing anybody."""
        return self.queues[tenant, name].probe()

    def preview(self, draft: OrderDraft) -> Sequence[WireRequest]:
        """Return the exact requests that ``draft`` would make, without sending them. Raises ``AdapterError``."""
        return self._queue(draft, draft.ways[0]).adapter.preview(outgoing_order(Recorded(0, 0, 0), draft))

    def can_hang_up(self, tenant: str, name: str) -> bool:
        """Return whether an appliance ends calls by command."""
        queue = self.queues.get((tenant, name))
        return queue is not None and can_hang_up(queue.adapter)

    def hang_up(self, tenant: str, call_id: int) -> Delivery:
        """Have the appliance that placed a call end it, and return what came of that. The call's end is told by the
        exchange, as ever. Raises ``NothingToHangUp``, and as ``admitted`` does ``Stopping`` and ``TooManyOrders``: then
        nothing is asked.
        """
        placed = self._log.of_call(tenant, call_id)
        if placed is None:
            raise NothingToHangUp(call_id, Text("it was not ordered here"))
        if placed.over:
            raise NothingToHangUp(call_id, Text("it is over already"))
        if not self.can_hang_up(tenant, placed.appliance):
            cannot = Text("the appliance {name!r} does not hang up by command", name=placed.appliance)
            raise NothingToHangUp(call_id, cannot)
        with self._place((tenant, placed.appliance)):
            return self._hung_up(tenant, placed)

    def _hung_up(self, tenant: str, placed: Placed) -> Delivery:
        under_way = self.queues[tenant, placed.appliance].hang_up(outgoing_hangup(tenant, placed))
        under_way.add_done_callback(lambda done: self._note(tenant, placed.id, done.result()))
        try:
            return under_way.result(self._answer_within_s).delivery
        except FutureTimeout:
            return Delivery(Outcome.UNKNOWN, Text("The appliance {name!r} did not answer.", name=placed.appliance))

    def _note(self, tenant: str, order_id: int, made: OrderAttempt) -> None:
        log.info("hangup_asked", tenant=tenant, order=order_id, outcome=made.delivery.outcome.value)
        try:
            note(self._journal, tenant, order_id, made)
        except GatewayError as error:
            log.error("hangup_not_stored", order=order_id, code=error.code)

    def stop(self) -> None:
        """Take no more, and wait for attempts under way (each is bounded by its adapter's timeouts) and for those who
        wait for them.
        """
        with self._changed:
            self._stopping = True
            self._changed.wait_for(lambda: not self._waiting.total(), self._answer_within_s)
        for queue in self.queues.values():
            queue.stop()


def abandoned(tenant: str, order_id: int, at: int) -> Settlement:
    """Return the settlement of an order whose process died during the attempt: it is never dialled again, the phone may
    have rung.
    """
    stopped = Text("The gateway stopped during the attempt; it will not be dialled again.")
    return Settlement(tenant, order_id, Delivery(Outcome.UNKNOWN, stopped), at)


def outgoing_order(order: Recorded, draft: OrderDraft, way: Way | None = None) -> Outgoing:
    """Return the message that an appliance's adapter is given for an order; ``way`` is the appliance's own, if not the
    first.
    """
    fields = {
        "tenant": draft.message.tenant,
        "extension": draft.extension,
        "number": (way or draft).digits,
        "order_id": str(order.order_id),
        "call_id": str(order.call_id),
    }
    return Outgoing("dial", str(order.order_id), fields)


def outgoing_hangup(tenant: str, placed: Placed) -> Outgoing:
    """Return the message that an adapter is given to end a call: the order's own fields, and the peer's
    id of the call.
    """
    fields = {
        "tenant": tenant,
        "extension": placed.extension,
        "number": placed.digits,
        "order_id": str(placed.id),
        "call_id": str(placed.call_id),
        "peer_ref": placed.peer_ref or "",
    }
    return Outgoing("hangup", str(placed.id), fields)


def summed_up(made: Sequence[OrderAttempt]) -> Delivery:
    """Return how an order ended: as its last attempt did, with the reasons why those before did not dial."""
    last = made[-1].delivery
    for attempt in made[-2::-1]:
        said = Text("{last} Before: {before}", last=last.text, before=attempt.delivery.text)
        last = Delivery(last.outcome, said, last.peer_ref)
    return last
