"""Sends what is in the outbox, and settles the orders that a dead gateway left behind.

What is sent when is decided in ``dispatcher.py``; here are its threads: one that looks, and those that send.
"""

import threading
import time
from collections.abc import Mapping
from functools import partial

import structlog

from gateway.adapter import Adapter, Outgoing, WireExchange, overheard
from gateway.clock import Clock
from gateway.errors import GatewayError
from gateway.orders.appliance_queue import deliver
from gateway.orders.dispatcher import Peers, abandoned
from gateway.relay.dispatcher import Dispatcher, Key, LetterAttempt
from gateway.relay.forward_rules import ForwardRules
from gateway.relay.health_book import HealthBook
from gateway.relay.sender_pool import SenderPool
from gateway.store.letters.outbox import Outbox
from gateway.store.letters.stored import Letter
from gateway.store.shared.contract import Shared
from gateway.store.writing.journal import Journal
from gateway.traffic.masking import mask

log = structlog.get_logger()

ABANDONED_AFTER_MS = 120_000
"""An open order is over after this long, should its settlement have been lost; longer than any attempt may take."""
KEPT_BYTES = 4096
"""Of a request and of an answer that are kept with a letter."""
AGAIN_AFTER_S = 1.0
"""When the outbox could not be read or written."""
STOP_WITHIN_S = 10.0


class OutboxWorker:
    """Empties the outbox. Each target has so many threads as its ``parallel``, so that none slows another."""

    def __init__(
        self,
        outbox: Outbox,
        forwards: Peers,
        rules: Mapping[Key, ForwardRules] | None = None,
        *,
        look_every_s: float = 2.0,
        clock: Clock | None = None,
        shared: Shared | None = None,
    ) -> None:
        """Take the ``rules`` of the forwards that have their own; ``look_every_s`` is how often it is looked without
        a ring. Without ``shared`` this process alone knows which targets do not answer.
        """
        rules = rules or {}
        self._look_every_s = look_every_s
        self._dispatcher = Dispatcher(outbox, forwards, rules, self._send, clock=clock, shared=shared)
        self._pool = SenderPool(sum(rules.get(key, ForwardRules()).parallel for key in forwards))
        self._bell = threading.Condition()
        self._rung = True
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="outbox", daemon=True) if forwards else None

    @property
    def health(self) -> HealthBook:
        """Return how the targets are doing, as all processes see it."""
        return self._dispatcher.health

    def start(self) -> None:
        if self._thread:
            self._thread.start()

    def ring(self) -> None:
        """Wake the worker: something may have come into the outbox."""
        if self._thread:
            with self._bell:
                self._rung = True
                self._bell.notify_all()

    def stop(self) -> None:
        """End after the attempts under way, in ten seconds at most; what is left stays in the outbox. Safe to call
        again, or before a start.
        """
        with self._bell:
            self._stopping = True
            self._bell.notify_all()
        if self._thread and self._thread.is_alive():
            self._thread.join(STOP_WITHIN_S + 5)
        self.health.close()

    def _run(self) -> None:
        begun = False
        while not self._stopping:
            try:
                if not begun:
                    self._dispatcher.begin()
                    begun = True
                wait_s = self._dispatcher.look()
            except GatewayError as error:
                log.warning("outbox_not_read", code=error.code)
                wait_s = AGAIN_AFTER_S
            except Exception as error:  # such as no file left to open: that passes, and this thread must outlive it
                log.error("outbox_failed", error=type(error).__name__, exc_info=error)
                wait_s = AGAIN_AFTER_S
            self._wait(min(wait_s, self._look_every_s))
        self._finish()

    def _wait(self, seconds: float) -> None:
        with self._bell:
            if not self._rung and not self._stopping and seconds > 0:
                self._bell.wait(seconds)
            self._rung = False

    def _finish(self) -> None:
        """Wait for the attempts under way and settle them; begin no more."""
        ends = time.monotonic() + STOP_WITHIN_S
        with self._bell:
            while self._pool.busy() and (left := ends - time.monotonic()) > 0:
                self._bell.wait(min(left, 0.1))
        self._pool.close()
        try:
            self._dispatcher.settle()
        except Exception as error:
            log.error("outbox_not_settled", error=type(error).__name__)

    def _send(self, adapter: Adapter, letter: Letter, message: Outgoing) -> None:
        self._pool.submit(partial(self._attempt, adapter, letter, message))

    def _attempt(self, adapter: Adapter, letter: Letter, message: Outgoing) -> None:
        heard: list[WireExchange] = []
        began = time.perf_counter()
        with overheard(heard.append):
            delivery = deliver(adapter, message)
        request, answer = _kept(heard[-1]) if heard else (None, None)
        self._dispatcher.finished(LetterAttempt(letter, delivery, time.perf_counter() - began, request, answer))
        self.ring()


def _kept(heard: WireExchange) -> tuple[str, str]:
    """Return request and answer as they are kept with a letter: the beginning, secrets masked."""
    secrets = [secret.encode() for secret in heard.request.secrets if secret]
    request, answer = (mask(data, secrets)[:KEPT_BYTES] for data in (heard.request.data, heard.answer))
    return request.decode("utf-8", "replace"), answer.decode("utf-8", "replace")


def sweep_abandoned(journal: Journal, outbox: Outbox, now: int, *, before: int | None = None) -> int:
    """Settle as *unknown* the orders whose gateway died during the attempt; how many there were.

    ``before`` is when those whose process is alive, or not known, must have been placed.
    """
    found = outbox.abandoned_orders(now - ABANDONED_AFTER_MS if before is None else before)
    for tenant, order_id in found:
        journal.write(abandoned(tenant, order_id, now))
    return len(found)
