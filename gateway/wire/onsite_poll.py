"""Requests for orders of gateways on site, which are held open until there is one."""

import json
import secrets
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Any, Protocol

import structlog

from gateway.store.onsite.arrivals import OnsiteArrivals
from gateway.store.onsite.orders import OnsiteOrder, OnsiteOrders
from gateway.store.onsite.sites import OnsiteSite, OnsiteSites

log = structlog.get_logger()

HOLD_S = 20.0
"""How long it is held open while there is none: less than any proxy or NAT forgets a connection."""
LOOK_EVERY_S = 0.25
ASK_EVERY_S = 2.0
"""How often it is looked whether their keys still hold."""


@dataclass(frozen=True, slots=True)
class OnsiteStore:
    """What the endpoint works with: all of it in the database."""

    sites: OnsiteSites
    orders: OnsiteOrders
    arrivals: OnsiteArrivals


class PollSink(Protocol):
    """Takes what a request is answered, on any thread, and never waits."""

    def send(self, data: bytes) -> None: ...

    def end(self) -> None:
        """End behind what was sent."""


class OnsitePoll:
    """A request for orders that is held open. It is sent blanks meanwhile, which JSON passes over, so that whoever
    stands in between sees a connection in use.

    It has no thread: whoever looks for orders (``OnsiteWatch``) passes on to its sink what it is sent. Where it is
    served by a thread, as by WSGI, iterating is what the sink is.
    """

    def __init__(
        self,
        site: OnsiteSite,
        instance: str,
        clock: Callable[[], int],
        *,
        on_attached: Callable[["OnsitePoll"], None],
        on_ending: Callable[[], None],
        on_closed: Callable[["OnsitePoll", bool], None],
    ) -> None:
        """Take ``instance``, by which several who have the site's key are told apart; empty: it does not say.

        ``on_attached`` is called when it can be answered, ``on_ending`` when it is to be at once, ``on_closed`` when it
        is over, with whether it was answered.
        """
        self.site = site
        self.instance = instance
        self.name = secrets.token_hex(8)
        self._clock = clock
        self._on_attached, self._on_ending, self._on_closed = on_attached, on_ending, on_closed
        self._gate = threading.Lock()
        self._ends_at = self._beat_at = 0.0
        self._is_ending = False
        self._is_answered = False
        self._is_closed = False
        self._sink: PollSink | None = None
        self._pulled: _PulledAnswer | None = None

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        if self._pulled is None:
            self._pulled = _PulledAnswer()
            self.attach(self._pulled)
        return self._pulled.take()

    def attach(self, sink: PollSink) -> None:
        """Answer to ``sink``."""
        with self._gate:
            self._sink, self._beat_at = sink, time.monotonic()
            self._ends_at = self._beat_at + HOLD_S
            sink.send(b" ")
        self._on_attached(self)

    @property
    def is_over(self) -> bool:
        """Whether it was answered, or its client is gone."""
        return self._is_answered or self._is_closed

    def is_of_another(self, poll: "OnsitePoll") -> bool:
        """Return whether it waits for another gateway on site than ``poll``, and goes on."""
        is_known = bool(self.instance and poll.instance)
        return is_known and self.instance != poll.instance and not self._is_ending

    def end(self) -> None:
        """Have it answered at once. Never waits."""
        self._is_ending = True
        self._on_ending()

    def close(self) -> None:
        """Let go; where nobody was answered, nobody waits any more. Safe to call again, never waits."""
        with self._gate:
            is_closed, self._is_closed = self._is_closed, True
        if not is_closed:
            self._on_closed(self, self._is_answered)

    def tell(self, orders: Sequence[OnsiteOrder], *, is_welcome: bool) -> None:
        """Answer with ``orders``, which wait for the site, or when it is time; send a blank now and then."""
        now = time.monotonic()
        with self._gate:
            if self._sink is None or self._is_answered or self._is_closed:
                return
            if orders or self._is_ending or now >= self._ends_at or not is_welcome:
                self._answer(self._sink, orders)
            elif now - self._beat_at > HOLD_S / 4:
                self._beat_at = now
                self._sink.send(b" ")

    def _answer(self, sink: PollSink, orders: Sequence[OnsiteOrder]) -> None:
        self._is_ending = self._is_answered = True  # whoever got this may ask again before it is closed
        shown = [
            {"id": each.id, "appliance": each.appliance, "kind": each.kind, "fields": dict(each.fields)}
            for each in orders
        ]
        sink.send(encoded({"now": self._clock(), "orders": shown}))
        sink.end()


class _PulledAnswer:
    """Keeps what is sent for a thread that takes it."""

    def __init__(self) -> None:
        self._parts: SimpleQueue[bytes | None] = SimpleQueue()

    def send(self, data: bytes) -> None:
        self._parts.put(data)

    def end(self) -> None:
        self._parts.put(None)

    def take(self) -> bytes:
        """Return what was sent next; waits for it. Raises ``StopIteration`` at the end."""
        data = self._parts.get()
        if data is None:
            self._parts.put(None)  # for whoever asks again
            raise StopIteration
        return data


class OnsiteWatch:
    """Looks for orders for all requests that this process holds open: by one query, on one thread, while any are."""

    def __init__(self, store: OnsiteStore, clock: Callable[[], int]) -> None:
        self._store = store
        self._clock = clock
        self._gate = threading.Lock()
        self._polls: set[OnsitePoll] = set()
        self._is_running = False
        self._asked_at = time.monotonic()

    def add(self, poll: OnsitePoll) -> None:
        """Look for ``poll`` too, from now on and at once."""
        with self._gate:
            self._polls.add(poll)
            if not self._is_running:
                self._is_running = True
                threading.Thread(target=self._run, name="onsite-orders", daemon=True).start()
        self._store.orders.ring()

    def discard(self, poll: OnsitePoll) -> None:
        """Look for it no more."""
        with self._gate:
            self._polls.discard(poll)

    def _run(self) -> None:
        while polls := self._open():
            try:
                self._look(polls)
            except Exception as error:
                log.error("onsite_look_failed", exc_info=error)
            self._store.orders.wait(LOOK_EVERY_S)

    def _open(self) -> Sequence[OnsitePoll]:
        """Return whom to look for; with nobody the thread ends."""
        with self._gate:
            self._polls = {poll for poll in self._polls if not poll.is_over}
            self._is_running = bool(self._polls)
            return list(self._polls)

    def _look(self, polls: Sequence[OnsitePoll]) -> None:
        waiting, revoked = self._waiting(polls), self._revoked(polls)
        for poll in polls:
            poll.tell(waiting.get(_key(poll), ()), is_welcome=poll not in revoked)

    def _waiting(self, polls: Sequence[OnsitePoll]) -> Mapping[tuple[str, str], Sequence[OnsiteOrder]]:
        """Return by site the orders that wait; none where that cannot be looked up just now."""
        try:
            return self._store.orders.waiting({_key(poll) for poll in polls}, self._clock())
        except Exception as error:
            log.warning("onsite_orders_not_read", sites=len(polls), error=type(error).__name__)
            return {}

    def _revoked(self, polls: Sequence[OnsitePoll]) -> set[OnsitePoll]:
        """Return those whose key holds no more, as far as that can be looked up, now and then."""
        now = time.monotonic()
        if now - self._asked_at <= ASK_EVERY_S:
            return set()
        self._asked_at = now
        try:
            known = {(site.tenant, site.name): site for site in self._store.sites.all()}
        except Exception:
            return set()
        return {poll for poll in polls if not _is_welcome(poll, known.get(_key(poll)))}


def _key(poll: OnsitePoll) -> tuple[str, str]:
    return poll.site.tenant, poll.site.name


def _is_welcome(poll: OnsitePoll, site: OnsiteSite | None) -> bool:
    return site is not None and not site.is_revoked and site.made_at == poll.site.made_at


def encoded(document: Mapping[str, Any]) -> bytes:
    """Return an answer's body."""
    return json.dumps(document, ensure_ascii=False).encode()
