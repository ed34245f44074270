"""One open page's stream: what it is sent, and when it ends."""

import queue
import secrets
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from gateway.desk import frames
from gateway.desk.frames import ScreenEvent
from gateway.desk.session_checks import MayStay
from gateway.domain.calls.scope import EVERYTHING, CallScope
from gateway.store.delivery_receipts import ReceiptKind
from gateway.store.reading.positions import Position

if TYPE_CHECKING:
    from gateway.desk.hub import Hub

logger = structlog.get_logger()

QUEUE_LIMIT = 256
ASK_EVERY_S = 5.0
"""A screen that may not stay any more is told of nothing from then on at the latest."""
ANSWER_WITHIN_S = 1.0
"""Beyond it a screen goes on as if it might stay, until the answer comes. Far shorter than from pulse to pulse."""


class Nudge:
    """Wakes a screen without telling it of anything."""


@dataclass(frozen=True, slots=True)
class EpochBegun:
    """A database took over. A screen that was told of more than ``kept`` reads its state anew and goes on behind it."""

    kept: Position


class Screen:
    """One open page's stream of bytes. ``close``, which the server calls, gives its place back.

    It ends by itself when the hub stops, when it falls too far behind, and after ``age_s``, so that whoever
    may no longer see it finds out; the browser then comes back and misses nothing.
    """

    def __init__(
        self,
        tenant: str,
        extension: str,
        *,
        login: str,
        session: str,
        whole_tenant: bool,
        hub: "Hub",
        heartbeat_s: float,
        age_s: float,
        may_stay: MayStay = lambda: True,
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
        self._hub = hub
        self._heartbeat_s = heartbeat_s
        self._until = time.monotonic() + age_s
        self._may_stay = may_stay
        self._scope = scope
        self._masked = masked
        self._asked_at = time.monotonic()
        self._must_ask = False
        self._answer: Future[bool] | None = None
        self._missed: list[ScreenEvent | bytes] = []
        self._sent = Position(0, 0)
        self._queue: queue.SimpleQueue[ScreenEvent | EpochBegun | Nudge | None] = queue.SimpleQueue()
        self._stream = self._bytes()

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        try:
            return next(self._stream)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Take no more events. Safe to call again."""
        self._hub.release(self)

    def resume(self, missed: Iterable[ScreenEvent | bytes], *, sent: Position) -> None:
        """Say first what was ``missed``; what comes live is said only behind ``sent``."""
        self._missed = list(missed)
        self._sent = sent

    def offer(self, news: ScreenEvent | EpochBegun) -> bool:
        """Queue ``news``; False when the page does not keep up. Called by the hub only, never waits."""
        if self._queue.qsize() >= QUEUE_LIMIT:
            return False
        self._queue.put(news)
        return True

    def ask(self) -> None:
        """Have it asked, before the page is sent anything more, whether its agent may still see it."""
        self._must_ask = True
        self._queue.put(Nudge())

    def end(self) -> None:
        """Let the stream end behind what is queued."""
        self._queue.put(None)

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

    def _bytes(self) -> Iterator[bytes]:
        yield frames.RETRY
        for missed in self._missed:
            if text := missed if isinstance(missed, bytes) else self._told(missed):
                yield text
        while (wait_s := self._until - time.monotonic()) > 0:
            delivered = self._hub.position(self.tenant)
            try:
                news = self._queue.get(timeout=min(wait_s, self._heartbeat_s))
            except queue.Empty:
                if not self._is_welcome():
                    return
                # Read before the wait: all up to there was queued, and the queue is empty.
                yield frames.pulse(max(delivered or self._sent, self._sent), delayed=self._hub.is_delayed)
                continue
            if news is None or not self._is_welcome():
                return
            if isinstance(news, Nudge):
                continue
            if isinstance(news, EpochBegun):
                if self._begin_epoch(news.kept):
                    yield frames.reset(news.kept)
                continue
            if news.position > self._sent:
                self._sent = news.position
                if text := self._told(news):
                    yield text

    def _is_welcome(self) -> bool:
        """Return whether the stream may go on. It may, until its age ends it, where the session cannot be looked up."""
        now = time.monotonic()
        if self._must_ask or (self._answer is None and now - self._asked_at >= ASK_EVERY_S):
            self._must_ask, self._asked_at = False, now
            self._answer = self._hub.checks.ask(self._may_stay)
            return self._answered(ANSWER_WITHIN_S)
        return self._answered(0)

    def _answered(self, within_s: float) -> bool:
        """Return what was found out, as far as it is known ``within_s`` seconds."""
        if self._answer is None:
            return True
        try:
            may_stay = self._answer.result(within_s)
        except TimeoutError:
            return True
        except Exception as error:
            logger.warning("session_not_looked_up", error=type(error).__name__)
            may_stay = True
        self._answer = None
        return may_stay

    def _begin_epoch(self, kept: Position) -> bool:
        """Go on in the epoch of ``kept``; return whether the page was told of what may be lost."""
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
