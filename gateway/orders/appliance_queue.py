"""One queue for each appliance: its own threads, its limits, and the breaker that leaves it alone when it is down.

Whatever happens in one queue, the others go on.
"""

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeout
from dataclasses import replace
from datetime import datetime

import structlog
from prometheus_client import Counter, Histogram

from gateway.adapter import Adapter, Delivery, HangsUp, Outcome, Outgoing, Probe, longest_of
from gateway.errors import GatewayError
from gateway.orders import circuit_breaker as breaker
from gateway.orders.circuit_breaker import BreakerState, Condition, Health, Rules
from gateway.store.shared.contract import Shared
from gateway.store.shared.files import Record, Slots
from gateway.store.writing.drafts import OrderAttempt
from gateway.texts.text import Text

log = structlog.get_logger()

THREADS = 16
"""Attempts at one appliance at once in one process, unless ``max_orders`` says otherwise."""
BESIDES = 2
"""Threads for what is not an order: the probe of a trial, a hang-up."""
LOOK_AGAIN_S = 0.02
STOPPING = Delivery(Outcome.UNREACHABLE, Text("The gateway is stopping and nothing was sent."))
DEFECT = Text("Internal error while talking to the appliance; see the gateway's log.")
HELD = "held"
"""The kind of an attempt that was not made."""
MARGIN_S = 1.0
"""Before nobody waits any more, an attempt of a promised length must be over."""

ORDERS = Counter("cti_orders_total", "Attempts to place a call", ["tenant", "appliance", "outcome"])
SECONDS = Histogram(
    "cti_order_seconds",
    "Time that an appliance took for an attempt",
    ["tenant", "appliance"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)


class ApplianceQueue:
    """Attempts at one appliance. Without ``shared`` its limits and breaker are this process's own."""

    def __init__(
        self,
        tenant: str,
        name: str,
        adapter: Adapter,
        rules: Rules,
        *,
        shared: Shared | None = None,
        clock: Callable[[], float] | None = None,
    ) -> None:
        self.tenant, self.name, self.adapter, self.rules = tenant, name, adapter, rules
        self._clock = clock or (shared.now if shared else time.time)
        self._longest_s = longest_of(adapter)
        # Bound once: looking labels up costs more than counting.
        self._counts = {outcome: ORDERS.labels(tenant, name, outcome.value) for outcome in Outcome}
        self._seconds = SECONDS.labels(tenant, name)
        self._record = shared.record(Condition, tenant, name) if shared else Record(Condition)
        # Only a limit that was asked for binds all processes together; threads are each one's own.
        bound = shared if rules.max_orders else None
        self._slots = bound.slots(tenant, name, self.threads) if bound else Slots(None, self.threads)
        self._pool = ThreadPoolExecutor(self.threads + BESIDES, thread_name_prefix=f"order-{name}")

    @property
    def threads(self) -> int:
        return self.rules.max_orders or THREADS

    def begin(self, message: Outgoing, *, ends: float) -> "OrderAttempt | Future[OrderAttempt]":
        """Begin one attempt when its turn comes; ``ends`` is the ``time.monotonic()`` until which somebody waits. The
        attempt itself where it is over already.

        What is not begun by then, or within ``wait_s``, is never begun: it is refused as busy.
        """
        since = time.monotonic()
        patience_s = min(self.rules.wait_s, ends - since)
        began = self._clock()
        give_back = self._take(patience_s)
        if give_back is None:
            return self._not_tried(began, self._busy())
        try:
            refusal = self._admit(patience_s - (time.monotonic() - since), ends)
        except RuntimeError:  # the pool, which a trial's probe would need, takes no more
            refusal = STOPPING
        except BaseException:
            give_back()
            raise
        if refusal is None:
            return self._begin(message, give_back, ends)
        give_back()
        return self._not_tried(began, refusal)

    def _begin(
        self, message: Outgoing, give_back: Callable[[], None], ends: float
    ) -> "OrderAttempt | Future[OrderAttempt]":
        """Start an attempt, on the waiter's thread if the adapter is sure to return before the wait ends: the order
        then passes through one thread only. Else on one of the queue's own, which goes on when nobody waits any more.
        """
        if self._longest_s is not None and time.monotonic() + self._longest_s + MARGIN_S < ends:
            return self._attempt(message, give_back)
        try:
            return self._pool.submit(self._attempt, message, give_back)
        except RuntimeError:  # it takes no more
            give_back()
            return self._not_tried(self._clock(), STOPPING)

    def hang_up(self, message: Outgoing) -> "Future[OrderAttempt]":
        """End a call that this appliance placed, as far as it can; it waits for no turn."""
        return self._pool.submit(self._hang_up, message)

    def probe(self) -> Probe:
        """Check whether the appliance can be used, without ringing anybody; if so, orders need not wait
        out the pause.
        """
        found = _probe(self.adapter)
        if found.ok:
            self._record.change(lambda condition: (breaker.try_now(condition, self._clock()), None))
        return found

    def count(self, made: OrderAttempt) -> None:
        """Have ``/metrics`` know of an attempt; one that was not made took no time of the appliance's."""
        self._counts[made.delivery.outcome].inc()
        if made.kind != HELD:
            self._seconds.observe((made.ended_at - made.began_at) / 1000)

    def health(self) -> Health:
        """Return how the appliance is doing, as all processes see it."""
        condition = self._record.read()
        retry_at = round(condition.retry_at * 1000) if condition.retry_at else None
        return Health(
            breaker.state_of(condition, self._clock()), condition.failures, retry_at, breaker.reason_of(condition)
        )

    def stop(self) -> None:
        """Wait for attempts under way (each is bounded by its adapter's timeouts)."""
        self._pool.shutdown(wait=True)
        self._record.close()

    def _take(self, patience_s: float) -> Callable[[], None] | None:
        ends = time.monotonic() + patience_s
        while (give_back := self._slots.take(ends - time.monotonic())) is None:
            if time.monotonic() >= ends:
                return None
            time.sleep(LOOK_AGAIN_S)
        return give_back

    def _admit(self, patience_s: float, ends: float) -> Delivery | None:
        """Pass the breaker and wait for the turn; why not, if not."""
        condition, state = self._record.change(self._ask)
        if state is BreakerState.OPEN:
            return self._left_alone(condition)
        if state is BreakerState.HALF_OPEN and not (found := self._probe_until(ends)).ok:
            self._note(Outcome.UNREACHABLE, found.text)
            return self._left_alone(self._record.read())
        return self._wait_for_turn(patience_s) if self.rules.orders_per_s else None

    def _wait_for_turn(self, patience_s: float) -> Delivery | None:
        wait_s = self._record.change(
            lambda condition: breaker.reserve_slot(condition, self._clock(), self.rules, max(patience_s, 0))
        )
        if wait_s is None:
            self._record.change(lambda condition: (replace(condition, trial_until=0.0), None))
            return self._busy()
        if wait_s:
            time.sleep(wait_s)
        return None

    def _probe_until(self, ends: float) -> Probe:
        """Return the result of the adapter's probe; one that takes longer than anybody waits has failed."""
        try:
            return self._pool.submit(_probe, self.adapter).result(max(ends - time.monotonic(), 0))
        except FutureTimeout:
            return Probe(False, Text("The appliance {name!r} did not answer the probe.", name=self.name))

    def _ask(self, condition: Condition) -> tuple[Condition, tuple[Condition, BreakerState]]:
        after, state = breaker.admit(condition, self._clock())
        return after, (after, state)

    def _attempt(self, message: Outgoing, give_back: Callable[[], None]) -> OrderAttempt:
        began = self._clock()
        try:
            delivery = deliver(self.adapter, message)
            ended = max(began, self._clock())  # it may have been set back meanwhile
            self._note(delivery.outcome, delivery.text)
        finally:
            give_back()
        return OrderAttempt(self.name, delivery, round(began * 1000), round(ended * 1000))

    def _hang_up(self, message: Outgoing) -> OrderAttempt:
        began = self._clock()
        adapter: HangsUp = self.adapter  # type: ignore[assignment]  # whoever asks has looked
        delivery = deliver(adapter, message, adapter.hangup)
        return OrderAttempt(self.name, delivery, round(began * 1000), round(max(began, self._clock()) * 1000), "hangup")

    def _not_tried(self, began: float, delivery: Delivery) -> OrderAttempt:
        return OrderAttempt(self.name, delivery, round(began * 1000), round(max(began, self._clock()) * 1000), HELD)

    def _note(self, outcome: Outcome, reason: Text) -> None:
        """Tell the breaker, and the log when it turns."""

        def work(condition: Condition) -> tuple[Condition, tuple[Condition, Condition]]:
            after = breaker.record(condition, outcome, reason, self._clock(), self.rules)
            return after, (condition, after)

        before, after = self._record.change(work)
        if after.retry_at and after.retry_at != before.retry_at:
            facts = {"failures": after.failures, "pause_s": self.rules.pause_s}
            log.warning("appliance_left_alone", tenant=self.tenant, appliance=self.name, **facts)
        elif before.retry_at and not after.retry_at:
            log.info("appliance_answers_again", tenant=self.tenant, appliance=self.name)

    def _busy(self) -> Delivery:
        limit = Text("up to {count} orders at once", count=self.threads)
        if self.rules.orders_per_s:
            per_s = format(self.rules.orders_per_s, "g")
            limit = Text("up to {count} orders at once and {per_s} a second", count=self.threads, per_s=per_s)
        busy = Text(
            "The appliance {name!r} is busy ({limit}) and nothing was sent; try again in a moment.",
            name=self.name,
            limit=limit,
        )
        return Delivery(Outcome.REFUSED, busy)

    def _left_alone(self, condition: Condition) -> Delivery:
        again = datetime.fromtimestamp(max(condition.retry_at, self._clock()), self.rules.zone)
        alone = Text(
            "The appliance {name!r} does not answer and nothing was sent; next attempt at {time}.",
            name=self.name,
            time=format(again, "%H:%M:%S"),
        )
        reason = breaker.reason_of(condition)
        because = Text("{what} Reason: {reason}", what=alone, reason=reason)
        return Delivery(Outcome.UNREACHABLE, because if reason else alone)


def deliver(adapter: Adapter, message: Outgoing, how: Callable[[Outgoing], Delivery] | None = None) -> Delivery:
    """Make one attempt; a defect in an adapter is an *unknown* outcome without its details."""
    try:
        return (how or adapter.deliver)(message)
    except Exception:
        log.exception("adapter_failed", adapter=type(adapter).__name__, id=message.id)
        return Delivery(Outcome.UNKNOWN, DEFECT)


def _probe(adapter: Adapter) -> Probe:
    try:
        return adapter.probe()
    except GatewayError as error:
        return Probe(False, error.text)
    except Exception:
        log.exception("adapter_failed", adapter=type(adapter).__name__)
        return Probe(False, DEFECT)
