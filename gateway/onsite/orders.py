"""Orders for appliances at the site: fetched from the main gateway, dialled once by the appliance's own adapter,
answered.
"""

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeout
from typing import Any

import structlog

from gateway.adapter import Delivery, Outcome, Outgoing, can_hang_up
from gateway.errors import MainGatewayError
from gateway.onsite.connection import MainGateway
from gateway.orders.appliance_queue import ApplianceQueue
from gateway.store.onsite.answers import answer_of
from gateway.store.onsite.shown_orders import ShownOrder
from gateway.store.onsite.site_file import SiteFile, SiteOrderState
from gateway.store.writing.drafts import OrderAttempt
from gateway.texts.text import Text

log = structlog.get_logger()

AT_ONCE = 16
SILENCE_S = 15.0
"""While a request for orders is held open the main gateway sends a byte every few seconds."""
LEAST_S = 0.5
"""With less time than this nothing is dialled any more."""
UNKNOWN_APPLIANCE = Text("The gateway on site has no appliance {name!r} and nothing was dialled.")
NOT_HERE = Text("The appliance {name!r} at the site does not hang up by command.")
LATE = Text("The order came too late to the gateway on site and nothing was dialled.")
NOT_TAKEN = Text("The gateway on site lost its connection before it took the order, and nothing was dialled.")
STOPPED = Text("The gateway on site stopped during the attempt; it will not be dialled again.")
FAILED = Text("The gateway on site failed during the attempt, see its log; it will not be dialled again.")
NO_ANSWER = Text("The appliance {name!r} at the site did not answer in time; it will not be dialled again.")


class OnsiteDialler:
    """Takes the orders that are shown to it, each once, and tries them side by side."""

    def __init__(
        self,
        queues: Mapping[str, ApplianceQueue],
        file: SiteFile,
        calls: MainGateway,
        clock: Callable[[], int],
    ) -> None:
        """Take ``calls``, by which orders are taken."""
        self._queues, self._file, self._clock = queues, file, clock
        self._calls, self._calling = calls, threading.Lock()
        self._pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="onsite-order")
        self._places = threading.BoundedSemaphore(AT_ONCE)
        self.answered = threading.Event()
        """Set when an answer waits to be brought."""
        self._settle_left()

    def show(self, orders: Iterable[ShownOrder]) -> None:
        """Try those that are not known yet; what finds no thread is shown again."""
        for order in orders:
            if not self._places.acquire(blocking=False):
                return
            try:
                begun = self._begin(order)
            except BaseException:  # such as a full disk
                self._places.release()
                raise
            if not begun:
                self._places.release()

    def _begin(self, order: ShownOrder) -> bool:
        """Try an order on a thread that gives its place back; return whether it was not known."""
        if not self._file.begin(order.id, self._clock()):
            return False
        self._pool.submit(self._perform, order).add_done_callback(lambda _done: self._places.release())
        return True

    def bring_answers(self, main: MainGateway, wait_s: float) -> None:
        """Bring what came of orders to the main gateway. Raises ``MainGatewayError``."""
        self.answered.wait(wait_s)
        self.answered.clear()
        while found := self._file.in_state(SiteOrderState.ANSWERED):
            answers = [{"id": each.id, **(each.answer or {})} for each in found]
            try:
                taken = main.ask("answers", {"answers": answers}).get("taken")
            except MainGatewayError:
                self.answered.set()  # they wait still
                raise
            named = set(taken) if isinstance(taken, list) else set()
            for each in found:
                if each.id not in named:
                    raise MainGatewayError(Text("its answer does not say that it took what came of orders."))
                self._file.set_state(each.id, SiteOrderState.DONE)

    def status(self) -> Mapping[str, Any]:
        """Return what the main gateway is told of the appliances."""
        return {name: {"hangs_up": can_hang_up(queue.adapter)} for name, queue in self._queues.items()}

    def stop(self) -> None:
        """Wait for what is being dialled."""
        self._pool.shutdown(wait=True)
        for queue in self._queues.values():
            queue.stop()

    def _settle_left(self) -> None:
        """Settle what an earlier run left behind: what it may have dialled is unknown."""
        for each in self._file.in_state(SiteOrderState.BEGUN):
            self._file.answer(each.id, answer_of(Delivery(Outcome.UNKNOWN, STOPPED)))
        for each in self._file.in_state(SiteOrderState.SHOWN):
            self._file.answer(each.id, answer_of(Delivery(Outcome.UNREACHABLE, NOT_TAKEN)))
        self.answered.set()

    def _perform(self, order: ShownOrder) -> None:
        try:
            self._keep(order, self._outcome(order))
        except Exception as error:  # such as a full disk: the next run answers it
            log.error("onsite_answer_not_kept", order=order.id, exc_info=error)

    def _outcome(self, order: ShownOrder) -> Delivery | None:
        try:
            return self._tried(order)
        except Exception as error:
            log.error("onsite_order_failed", order=order.id, exc_info=error)
            return Delivery(Outcome.UNKNOWN, FAILED)

    def _keep(self, order: ShownOrder, delivery: Delivery | None) -> None:
        """Write down what came of an order; None: it was not given."""
        if delivery is None:
            self._file.set_state(order.id, SiteOrderState.DONE)
            return
        log.info("onsite_order_settled", order=order.fields.get("order_id", ""), outcome=delivery.outcome.value)
        self._file.answer(order.id, answer_of(delivery))
        self.answered.set()

    def _tried(self, order: ShownOrder) -> Delivery | None:
        """Return what came of an order; None where the main gateway does not give it any more."""
        began = time.monotonic()
        queue = self._queues.get(order.appliance)
        try:
            within_s = self._take(order)
        except MainGatewayError:
            return Delivery(Outcome.UNREACHABLE, NOT_TAKEN)
        if within_s is None:
            return None
        ends = began + within_s
        if queue is None:
            return Delivery(Outcome.UNREACHABLE, Text(UNKNOWN_APPLIANCE.id, name=order.appliance))
        if ends - time.monotonic() < LEAST_S:
            return Delivery(Outcome.UNREACHABLE, LATE)
        self._file.set_state(order.id, SiteOrderState.BEGUN)
        return attempt(queue, order, ends)

    def _take(self, order: ShownOrder) -> float | None:
        """Return the seconds within which the order may be dialled, None where it is given no more.

        They count from before this was asked, so that a slow answer gives no time. Raises ``MainGatewayError``.
        """
        with self._calling:
            answer = self._calls.ask("take", {"id": order.id}, silence_s=10)
        within_s = answer.get("within_s")
        return float(within_s) if answer.get("go") is True and isinstance(within_s, int | float) else None


def attempt(queue: ApplianceQueue, order: ShownOrder, ends: float) -> Delivery:
    """Have an appliance do what the order asks for, once."""
    message = Outgoing(order.kind, order.fields.get("order_id", order.id), order.fields)
    if order.kind == "probe":
        found = queue.probe()
        return Delivery(Outcome.ACCEPTED if found.ok else Outcome.UNREACHABLE, found.text)
    if order.kind == "hangup" and not can_hang_up(queue.adapter):
        return Delivery(Outcome.REFUSED, Text(NOT_HERE.id, name=queue.name))
    begun = queue.hang_up(message) if order.kind == "hangup" else queue.begin(message, ends=ends)
    if isinstance(begun, OrderAttempt):
        return begun.delivery
    try:
        return begun.result(max(ends - time.monotonic(), 0)).delivery
    except FutureTimeout:
        return Delivery(Outcome.UNKNOWN, Text(NO_ANSWER.id, name=queue.name))
