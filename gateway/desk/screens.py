"""One open page's stream: what it is sent, and when it ends.

It has neither a thread nor a task: whoever has news for it (the hub, its sweep) passes them on to the page's ``Sink``,
which never waits. Where the page is served by a thread, as by WSGI, iterating is what the sink is.
"""

import queue
import secrets
import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from gateway.desk import frames
from gateway.desk.frames import ScreenEvent
from gateway.desk.heart_beats import early
from gateway.desk.session_checks import MayStay, OpenSession
from gateway.domain.calls.scope import EVERYTHING, CallScope
from gateway.store.delivery_receipts import ReceiptKind
from gateway.store.reading.positions import Position

if TYPE_CHECKING:
    from gateway.desk.hub import Hub

QUEUE_LIMIT = 256
ASK_EVERY_S = 60.0
"""How often its session is looked up, at a heart-beat, though nobody is known to have changed."""


@dataclass(frozen=True, slots=True)
class EpochBegun:
    """A database took over. A screen that was told of more than ``kept`` reads its state anew and goes on behind it."""

    kept: Position


class Sink(Protocol):
    """Takes what a page is sent, on any thread, and never waits."""

    def is_behind(self) -> bool:
        """Return whether the page does not keep up with what it is sent, as far as that is known."""

    def send(self, data: bytes) -> None: ...

    def end(self) -> None:
        """End behind what was sent. Safe to call again."""


class Screen:
    """One open page's stream of bytes. ``close``, which the server calls, gives its place back.

    It ends by itself when the hub stops, when it falls too far behind, and after about ``age_s``, so that whoever
    may no longer see it finds out; the browser then comes back and misses nothing.
    """

    __slots__ = (
        "_gate",
        "_hub",
        "_is_live",
        "_masked",
        "_pulled",
        "_scope",
        "_sent",
        "_sink",
        "_waiting",
        "asked_at",
        "extension",
        "is_over",
        "keys",
        "login",
        "looked_up",
        "name",
        "people_seen",
        "quiet_since",
        "session",
        "stay",
        "tenant",
        "until",
        "whole_tenant",
    )

    def __init__(
        self,
        tenant: str,
        extension: str,
        *,
        login: str,
        session: str,
        whole_tenant: bool,
        hub: "Hub",
        age_s: float,
        stay: OpenSession | MayStay = lambda: True,
        scope: CallScope = EVERYTHING,
        masked: bool = False,
    ) -> None:
        self.tenant = tenant
        self.extension = extension
        self.login = login
        self.session = session
        self.name = secrets.token_hex(4)
        self.whole_tenant = whole_tenant
        self.keys: tuple[tuple[str, str | None], ...] = ((tenant, extension), (tenant, frames.EVERYBODY))
        if whole_tenant:
            self.keys += ((tenant, None),)
        self.stay = stay
        self.looked_up = 0
        self.asked_at = float("-inf")
        """When its session was looked up last, by the steady clock; not yet since it opened."""
        self.people_seen = 0
        """The last change of people that was known when its session was looked up."""
        self.quiet_since = time.monotonic()
        self.until = self.quiet_since + early(age_s)
        self.is_over = False
        self._hub = hub
        self._scope = scope
        self._masked = masked
        self._gate = threading.Lock()
        self._sent: Position | None = None
        self._sink: Sink | None = None
        self._is_live = False
        self._waiting: list[ScreenEvent | EpochBegun | bytes] | None = None
        self._pulled: _Pulled | None = None

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        """Return what is sent next; waits for it."""
        if self._pulled is None:
            self._pulled = _Pulled()
            self.attach(self._pulled)
        data = self._pulled.take()
        if data is None:
            self.close()
            raise StopIteration
        return data

    def close(self) -> None:
        """Take no more events. Safe to call again."""
        self._hub.release(self)

    def attach(self, sink: Sink) -> None:
        """Send to ``sink`` from now on, first what came before."""
        with self._gate:
            self._sink = sink
            sink.send(frames.RETRY)
            self._go_live()

    def resume(self, missed: Iterable[ScreenEvent | bytes], *, sent: Position) -> None:
        """Say first what was ``missed``; what comes live is said only behind ``sent``."""
        with self._gate:
            self._sent = sent
            self._waiting = [*missed, *(self._waiting or ())]
            self._go_live()

    def offer(self, news: ScreenEvent | EpochBegun) -> bool:
        """Pass ``news`` on; False when the page does not keep up. Called by the hub only, never waits."""
        with self._gate:
            if self.is_over:
                return True
            if self._is_live and self._sink:
                if self._sink.is_behind():
                    return False
                self._pass_on(news)
                return True
            self._waiting = self._waiting or []
            if len(self._waiting) >= QUEUE_LIMIT:
                return False
            self._waiting.append(news)
            return True

    def beat(self, position: Position | None, pulses: "frames.Pulses") -> bool:
        """Send a heart-beat, one of ``pulses``; False when the page does not keep up.

        All up to ``position`` was offered before.
        """
        with self._gate:
            if not self._is_live or self.is_over or self._sink is None or self._sent is None:
                return True
            if self._sink.is_behind():
                return False
            self._send(pulses.at(max(position or self._sent, self._sent)))
            return True

    def end(self, *, back_in_ms: int = 0) -> None:
        """Let the stream end behind what it was sent; with ``back_in_ms`` the page is told when to come back."""
        with self._gate:
            if self.is_over:
                return
            self.is_over = True
            if self._is_live and self._sink:
                if back_in_ms and self._sent is not None:
                    self._sink.send(frames.farewell(self._sent, back_in_ms))
                self._sink.end()

    def shown(self, news: ScreenEvent) -> bytes | None:
        """Return what this page is sent of ``news``: all, only that something happened, or nothing."""
        if frames.EVERYBODY in news.extensions:
            return news.full
        if self._is_here(news):
            return news.masked if self._masked else news.full
        may_know = self.whole_tenant and (not news.is_of_a_call or self._scope.admits(news.sides))
        return news.brief if may_know else None

    def _is_here(self, news: ScreenEvent) -> bool:
        return bool(self.extension) and self.extension in news.extensions

    def _go_live(self) -> None:
        """Pass on what waits, once it is known both what was missed and where it goes."""
        if self._sink is None or self._sent is None:
            return
        waiting, self._waiting = self._waiting, None
        for news in waiting or ():
            self._pass_on(news)
        self._is_live = True
        if self.is_over:
            self._sink.end()

    def _pass_on(self, news: ScreenEvent | EpochBegun | bytes) -> None:
        if isinstance(news, bytes):
            self._send(news)
        elif isinstance(news, EpochBegun):
            if self._begin_epoch(news.kept):
                self._send(frames.reset(news.kept))
        elif self._sent is not None and news.position > self._sent:
            self._sent = news.position
            if text := self._told(news):
                self._send(text)

    def _send(self, data: bytes) -> None:
        assert self._sink is not None
        self.quiet_since = time.monotonic()
        self._sink.send(data)

    def _begin_epoch(self, kept: Position) -> bool:
        """Go on in the epoch of ``kept``; return whether the page is to be told of what may be lost."""
        assert self._sent is not None
        if kept.epoch == self._sent.epoch:  # it was opened meanwhile, and knows of it
            return False
        is_lost = self._sent.seq > kept.seq
        self._sent = kept if is_lost else kept._replace(seq=self._sent.seq)
        return is_lost

    def _told(self, news: ScreenEvent) -> bytes | None:
        """Return what this page is sent of ``news``, and note the delivery for the diagnosis."""
        if self._is_here(news):
            self._hub.notice(self, ReceiptKind.DELIVERED, news.call_id)
        return self.shown(news)


class _Pulled:
    """Keeps what is sent for a thread that takes it."""

    def __init__(self) -> None:
        self._queue: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()

    def is_behind(self) -> bool:
        return self._queue.qsize() >= QUEUE_LIMIT

    def send(self, data: bytes) -> None:
        self._queue.put(data)

    def end(self) -> None:
        self._queue.put(None)

    def take(self) -> bytes | None:
        """Return what was sent next, None at the end; waits for it."""
        data = self._queue.get()
        if data is None:
            self._queue.put(None)  # for whoever asks again
        return data
