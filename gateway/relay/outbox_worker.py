"""The outbox of events that others are told of, and the orders that a dead gateway left behind.

Adapters only speak their protocol; when to try again and what to write down is decided here. An event is tried until
its target accepts it, oldest first for each target, for a day at most.
"""

import threading

import structlog
from prometheus_client import Counter

from gateway.adapter import Delivery, Outcome, Outgoing
from gateway.clock import Clock
from gateway.errors import GatewayError
from gateway.orders.appliance_queue import deliver
from gateway.orders.dispatcher import Peers, abandoned
from gateway.store.journal import Journal
from gateway.store.outbox import LONGEST_WAIT_MS, Letter, Outbox

log = structlog.get_logger()

ABANDONED_AFTER_MS = 120_000
"""An open order is over after this long, should its settlement have been lost; longer than any attempt may take."""
FIRST_WAIT_S = 1.0
GIVE_UP_AFTER_MS = 24 * 3600 * 1000
GIVEN_UP = Counter("cti_forwards_given_up_total", "Events that a forward did not take for a day", ["tenant", "target"])


class OutboxWorker:
    """Empties the outbox: one thread for each target, so that one that hangs cannot slow another."""

    def __init__(
        self,
        outbox: Outbox,
        forwards: Peers,
        *,
        look_every_s: float = 2.0,
        clock: Clock | None = None,
    ) -> None:
        self._outbox = outbox
        self._forwards = forwards
        self._look_every_s = look_every_s
        self._clock = clock or Clock()
        self._bell = threading.Condition()
        self._rung = 0
        self._stopping = False
        self._given_up = {target: GIVEN_UP.labels(*target) for target in forwards}
        self._threads = [
            threading.Thread(target=self._serve, args=target, name=f"outbox-{target[1]}", daemon=True)
            for target in forwards
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def ring(self) -> None:
        """Wake the workers: something may have come into the outbox."""
        if not self._threads:
            return
        with self._bell:
            self._rung += 1
            self._bell.notify_all()

    def stop(self) -> None:
        """End after the attempts under way; what is left stays in the outbox. Safe to call again, or before a start."""
        with self._bell:
            self._stopping = True
            self._bell.notify_all()
        for thread in self._threads:
            if thread.is_alive():
                thread.join(10)

    def _serve(self, tenant: str, target: str) -> None:
        seen = -1
        while not self._stopping:
            try:
                sent = self._send_next(tenant, target)
            except GatewayError as error:
                log.warning("outbox_not_read", target=target, code=error.code)
                sent = False
            except Exception as error:  # such as no file left to open: that passes, and this thread must outlive it
                log.error("outbox_failed", target=target, error=type(error).__name__, exc_info=error)
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
        delivery = deliver(self._forwards[tenant, target], Outgoing(letter.kind, str(letter.id), letter.fields))
        if self._write_down(letter, delivery):
            self._given_up[tenant, target].inc()
        return delivery.outcome is Outcome.ACCEPTED

    def _write_down(self, letter: Letter, delivery: Delivery) -> bool:
        """Settle the letter or put it off; whether it was given up."""
        now = self._clock()
        too_old = letter.created_at < self._clock.ago(GIVE_UP_AFTER_MS)
        given_up = delivery.outcome is not Outcome.ACCEPTED and too_old
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
        return given_up


def wait_ms(attempts: int) -> int:
    """Return the milliseconds to wait after so many attempts: 1 s, doubling, five minutes at most."""
    return min(round(FIRST_WAIT_S * 2.0 ** min(attempts, 16) * 1000), LONGEST_WAIT_MS)


def sweep_abandoned(journal: Journal, outbox: Outbox, now: int, *, before: int | None = None) -> int:
    """Settle as *unknown* the orders whose gateway died during the attempt; how many there were.

    ``before`` is when those whose process is alive, or not known, must have been placed.
    """
    found = outbox.abandoned_orders(now - ABANDONED_AFTER_MS if before is None else before)
    for order_id in found:
        journal.write(abandoned(order_id, now))
    return len(found)
