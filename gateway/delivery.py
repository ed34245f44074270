"""Everything outward: the one immediate attempt of an order, and the outbox of events that others are told of.

Adapters only speak their protocol; when to try, how long to wait and what to write down is decided here. An
order is tried once. An event is tried until its target accepts it, oldest first for each target, for a day at most.
"""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeout

import structlog

from gateway.adapter import Adapter, Delivery, Outcome, Outgoing
from gateway.errors import GatewayError
from gateway.store.drafts import OrderDraft, Recorded, Settlement
from gateway.store.journal import Journal
from gateway.store.outbox import Letter, Outbox

log = structlog.get_logger()

ANSWER_WITHIN_S = 20.0
"""How long whoever clicked waits for the outcome; the attempt itself goes on and is settled when it ends."""
ABANDONED_AFTER_MS = 120_000
FIRST_WAIT_S = 1.0
LONGEST_WAIT_S = 300.0
GIVE_UP_AFTER_MS = 24 * 3600 * 1000

Peers = Mapping[tuple[str, str], Adapter]
"""Adapters by (tenant, name of the appliance or forward)."""


def milliseconds() -> int:
    """Now, in milliseconds since 1970 UTC."""
    return time.time_ns() // 1_000_000


class OrderDesk:
    """Makes the attempt of each order in a bounded pool and settles it in the journal."""

    def __init__(
        self,
        journal: Journal,
        appliances: Peers,
        *,
        threads: int = 32,
        answer_within_s: float = ANSWER_WITHIN_S,
        clock: Callable[[], int] = milliseconds,
    ) -> None:
        self._journal = journal
        self._appliances = appliances
        self._answer_within_s = answer_within_s
        self._clock = clock
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="order")

    def dial(self, order: Recorded, draft: OrderDraft) -> tuple[Outcome, str]:
        """Attempt ``order`` once; the outcome and one sentence for people.

        When the attempt takes longer than people wait, the answer is *unknown*; its end is still written down.
        """
        attempt = self._pool.submit(self._attempt, order, draft)
        try:
            delivery = attempt.result(self._answer_within_s)
        except FutureTimeout:
            delivery = self._late(attempt, order, draft)
        return delivery.outcome, delivery.detail

    def _late(self, attempt: "Future[Delivery]", order: Recorded, draft: OrderDraft) -> Delivery:
        """An attempt that has not begun is called off; one under way goes on and settles itself."""
        waited = f"em {self._answer_within_s:g} s"
        if not attempt.cancel():
            detail = f"A central {draft.appliance!r} não respondeu {waited}; não será rediscado."
            return Delivery(Outcome.UNKNOWN, detail)
        delivery = Delivery(Outcome.UNREACHABLE, f"A vez da central {draft.appliance!r} não chegou {waited}.")
        log.warning("order_not_begun", order=order.order_id, appliance=draft.appliance)
        self._settle(order, delivery)
        return delivery

    def _attempt(self, order: Recorded, draft: OrderDraft) -> Delivery:
        adapter = self._appliances[draft.message.tenant, draft.appliance]
        began = time.perf_counter()
        delivery = _deliver(adapter, outgoing_order(order, draft))
        log.info(
            "order_settled",
            tenant=draft.message.tenant,
            order=order.order_id,
            appliance=draft.appliance,
            outcome=delivery.outcome.value,
            took_ms=round((time.perf_counter() - began) * 1000),
        )
        self._settle(order, delivery)
        return delivery

    def _settle(self, order: Recorded, delivery: Delivery) -> None:
        if order.order_id is None:
            return
        try:
            self._journal.write(Settlement(order.order_id, delivery, self._clock()))
        except GatewayError as error:
            log.error("order_outcome_not_stored", order=order.order_id, code=error.code)

    def stop(self) -> None:
        """Wait for attempts under way (each is bounded by its adapter's timeouts)."""
        self._pool.shutdown(wait=True, cancel_futures=True)


def outgoing_order(order: Recorded, draft: OrderDraft) -> Outgoing:
    """What an appliance's adapter is given for an order."""
    fields = {
        "tenant": draft.message.tenant,
        "extension": draft.extension,
        "number": draft.digits,
        "order_id": str(order.order_id),
        "call_id": str(order.call_id),
    }
    return Outgoing("dial", str(order.order_id), fields)


def _deliver(adapter: Adapter, message: Outgoing) -> Delivery:
    try:
        return adapter.deliver(message)
    except Exception:
        log.exception("adapter_failed", adapter=type(adapter).__name__, id=message.id)
        return Delivery(Outcome.UNKNOWN, "Erro interno ao falar com a central; veja o registro do gateway.")


class Courier:
    """Empties the outbox: one thread for each target, so that one that hangs cannot slow another."""

    def __init__(
        self,
        outbox: Outbox,
        forwards: Peers,
        *,
        look_every_s: float = 2.0,
        clock: Callable[[], int] = milliseconds,
    ) -> None:
        self._outbox = outbox
        self._forwards = forwards
        self._look_every_s = look_every_s
        self._clock = clock
        self._bell = threading.Condition()
        self._rung = 0
        self._stopping = False
        self._threads = [
            threading.Thread(target=self._serve, args=target, name=f"courier-{target[1]}", daemon=True)
            for target in forwards
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def ring(self) -> None:
        """Something may have come into the outbox."""
        with self._bell:
            self._rung += 1
            self._bell.notify_all()

    def stop(self) -> None:
        """End after the attempts under way; what is left stays in the outbox."""
        with self._bell:
            self._stopping = True
            self._bell.notify_all()
        for thread in self._threads:
            thread.join(10)

    def _serve(self, tenant: str, target: str) -> None:
        seen = -1
        while not self._stopping:
            try:
                sent = self._send_next(tenant, target)
            except GatewayError as error:
                log.warning("outbox_not_read", target=target, code=error.code)
                sent = False
            if not sent:
                seen = self._wait(seen)

    def _wait(self, seen: int) -> int:
        with self._bell:
            if self._rung == seen and not self._stopping:
                self._bell.wait(self._look_every_s)
            return self._rung

    def _send_next(self, tenant: str, target: str) -> bool:
        """Send the oldest waiting letter if it is due; False when there is nothing to do."""
        letter = self._outbox.claim(tenant, target, self._clock())
        if letter is None:
            return False
        delivery = _deliver(self._forwards[tenant, target], Outgoing(letter.kind, str(letter.id), letter.fields))
        self._write_down(letter, delivery)
        return delivery.outcome is Outcome.ACCEPTED

    def _write_down(self, letter: Letter, delivery: Delivery) -> None:
        now = self._clock()
        given_up = delivery.outcome is not Outcome.ACCEPTED and now - letter.created_at > GIVE_UP_AFTER_MS
        if delivery.outcome is Outcome.ACCEPTED or given_up:
            self._outbox.settle(letter, delivery, now)
        else:
            self._outbox.postpone(letter, delivery, now + wait_ms(letter.attempts))
        level = log.debug if delivery.outcome is Outcome.ACCEPTED else log.warning
        level(
            "event_forwarded",
            target=letter.target,
            letter=letter.id,
            outcome=delivery.outcome.value,
            given_up=given_up,
        )


def wait_ms(attempts: int) -> int:
    """How long to wait after so many attempts: 1 s, doubling, five minutes at most."""
    return round(min(FIRST_WAIT_S * 2.0 ** min(attempts, 16), LONGEST_WAIT_S) * 1000)


def sweep_abandoned(journal: Journal, outbox: Outbox, now: int) -> int:
    """Settle as *unknown* the orders whose gateway died during the attempt; how many there were.

    They are never dialled again: the phone may have rung.
    """
    abandoned: Sequence[int] = outbox.abandoned_orders(now - ABANDONED_AFTER_MS)
    detail = "O gateway parou durante a tentativa; não será rediscado."
    for order_id in abandoned:
        journal.write(Settlement(order_id, Delivery(Outcome.UNKNOWN, detail), now))
    return len(abandoned)
