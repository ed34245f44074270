"""The hub: one thread per process follows the event log and wakes the screens an event concerns.

The log is the truth and a ring only saves waiting (``store/following.py``). A screen that reconnects says what it saw
last and gets what it missed from the log.
"""

import queue
import secrets
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass

import structlog

from gateway.desk import frames
from gateway.desk.frames import ScreenEvent
from gateway.domain.calls.scope import EVERYTHING, CallScope
from gateway.errors import Stopping, TooManyScreens
from gateway.store.delivery_receipts import DeliveryReceipt, ReceiptKind
from gateway.store.following import Follower, NewEpoch, News, PeopleChanged
from gateway.store.log import EventLog, LoggedEvent
from gateway.store.positions import Position

logger = structlog.get_logger()

MayStay = Callable[[], bool]
"""Whether the agent of a screen is still logged in, which another process may have ended; asked now and then."""
Watch = Callable[[DeliveryReceipt], None]
"""Writes down what happens at screens; must never wait."""
QUEUE_LIMIT = 256
RESUME_LIMIT = 200
ASK_EVERY_S = 5.0
"""A screen that may not stay any more is told of nothing from then on at the latest."""
FAR_BEHIND = 50_000
"""A screen further behind than this starts afresh: looking for its events would read too much of the log."""


class Nudge:
    """Wakes a screen without telling it of anything."""


@dataclass(frozen=True, slots=True)
class StartAfresh:
    """What the screens of a company were told may be lost: they read their state anew and go on behind ``position``."""

    position: Position


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
        self._missed: list[ScreenEvent | bytes] = []
        self._sent = Position(0, 0)
        self._queue: queue.SimpleQueue[ScreenEvent | StartAfresh | Nudge | None] = queue.SimpleQueue()
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

    def offer(self, news: ScreenEvent | StartAfresh) -> bool:
        """Queue ``news``; False when the page does not keep up. Called by the hub only, never waits."""
        if self._queue.qsize() >= QUEUE_LIMIT:
            return False
        self._queue.put(news)
        return True

    def ask(self) -> None:
        """Have it asked, before the page is sent anything more, whether its agent may still see it."""
        self._asked_at = float("-inf")
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
                yield frames.pulse(max(delivered or self._sent, self._sent))
                continue
            if news is None or not self._is_welcome():
                return
            if isinstance(news, Nudge):
                continue
            # A screen that was opened meanwhile knows of the new epoch already, and is not told of it again.
            if isinstance(news, StartAfresh) and news.position.epoch == self._sent.epoch:
                continue
            if news.position > self._sent:
                self._sent = news.position
                if text := self._told(news):
                    yield text

    def _is_welcome(self) -> bool:
        """Return whether the stream may go on. It may, until its age ends it, where the session cannot be looked up."""
        now = time.monotonic()
        if now - self._asked_at < ASK_EVERY_S:
            return True
        self._asked_at = now
        try:
            return self._may_stay()
        except Exception as error:
            logger.warning("session_not_looked_up", error=type(error).__name__)
            return True

    def _told(self, news: ScreenEvent | StartAfresh) -> bytes | None:
        """Return what this page is sent of ``news``, and note the delivery for the diagnosis."""
        if isinstance(news, StartAfresh):
            return frames.reset(news.position)
        if self._is_here(news):
            self._hub.notice(self, ReceiptKind.DELIVERED, news.call_id)
        return self.shown(news)


class Hub:
    """Fans the event log out to screens. ``ring`` after each commit; ``stop`` ends all streams at once."""

    def __init__(
        self,
        log: EventLog,
        follower: Follower,
        *,
        max_screens: int,
        heartbeat_s: float = 5,
        screen_age_s: float = 900,
        watch: Watch | None = None,
    ) -> None:
        self._log = log
        self._follower = follower
        self._max_screens = max_screens
        self._heartbeat_s = heartbeat_s
        self._screen_age_s = screen_age_s
        self._watch = watch
        self._gate = threading.Lock()
        self._screens: set[Screen] = set()
        self._index: defaultdict[tuple[str, str | None], set[Screen]] = defaultdict(set)
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="hub", daemon=True)

    def start(self) -> None:
        """Follow the log from now on."""
        self._thread.start()

    def ring(self, tenants: Collection[str] = ()) -> None:
        """Say that events of ``tenants`` (none: of any) are durable. Never waits, and costs nothing while nobody
        watches: a screen that opens reads what is durable by then from the log.
        """
        if self._screens:
            self._follower.ring(tenants)

    def position(self, tenant: str) -> Position | None:
        """Return up to where all events of ``tenant`` were offered to its screens."""
        return self._follower.position(tenant)

    def stop(self, *, timeout_s: float = 5) -> None:
        """End every stream and the thread; no screen is let in any more. Safe to call again."""
        with self._gate:
            self._stopping = True
            for screen in self._screens:
                screen.end()
        self._follower.ring()
        if self._thread.is_alive():
            self._thread.join(timeout_s)
        if not self._thread.is_alive():
            self._follower.close()

    def end_session(self, session: str) -> None:
        """End the streams of a session that was logged out, as far as they are open in this process."""
        with self._gate:
            found = [screen for screen in self._screens if screen.session == session]
        for screen in found:
            self.release(screen)
            screen.end()

    def open_screens(self) -> int:
        """Return how many screens are open."""
        return len(self._screens)

    def alive(self) -> bool:
        """Return whether the hub follows the log."""
        return self._thread.is_alive()

    def subscribe(
        self,
        tenant: str,
        extension: str,
        last_event_id: Position | None = None,
        *,
        login: str = "",
        session: str = "",
        whole_tenant: bool = False,
        may_stay: MayStay = lambda: True,
        scope: CallScope = EVERYTHING,
        masked: bool = False,
    ) -> Screen:
        """Open a stream of the extension's events behind ``last_event_id`` (from now on when it is None).

        With ``whole_tenant`` it also says, in brief, that something happened to any other call of the tenant that
        ``scope`` admits; ``masked``: without telephones. ``session`` names the login that ``end_session`` ends at once
        in this process; ``may_stay`` finds out what other processes did. Raises ``TooManyScreens`` and ``Stopping``.
        """
        screen = Screen(
            tenant,
            extension,
            login=login,
            session=session,
            whole_tenant=whole_tenant,
            hub=self,
            heartbeat_s=self._heartbeat_s,
            age_s=self._screen_age_s,
            may_stay=may_stay,
            scope=scope,
            masked=masked,
        )
        self._admit(screen)
        try:
            self._follower.watch(tenant)
            self._resume(screen, last_event_id)
        except BaseException:
            screen.close()
            raise
        return screen

    def notice(self, screen: Screen, kind: ReceiptKind, call_id: int | None = None) -> None:
        """Have what happened at ``screen`` written down, where that is wanted. Never waits."""
        if self._watch:
            at = time.time_ns() // 1_000_000
            self._watch(
                DeliveryReceipt(at, screen.tenant, screen.extension, screen.login, screen.name, kind.value, call_id)
            )

    def release(self, screen: Screen) -> None:
        """Forget ``screen``. Safe to call again."""
        with self._gate:
            if screen in self._screens:
                self.notice(screen, ReceiptKind.CLOSED)
            self._screens.discard(screen)
            for key in screen.keys:
                self._index[key].discard(screen)
                if not self._index[key]:
                    del self._index[key]
            if (screen.tenant, frames.EVERYBODY) not in self._index:
                self._follower.unwatch(screen.tenant)

    def _admit(self, screen: Screen) -> None:
        with self._gate:
            if self._stopping:
                raise Stopping
            if len(self._screens) >= self._max_screens:
                raise TooManyScreens(self._max_screens)
            self._screens.add(screen)
            for key in screen.keys:
                self._index[key].add(screen)
        self.notice(screen, ReceiptKind.OPENED)

    def _resume(self, screen: Screen, last: Position | None) -> None:
        """Send a screen what it missed. It takes live events already, so whatever is not read here will
        come that way.
        """
        newest = self._log.newest(screen.tenant)
        if last is None:
            return screen.resume([], sent=newest)
        if _is_lost(last, newest):
            return screen.resume([frames.reset(newest)], sent=newest)
        events = self._log.after_for(screen.tenant, None, last, limit=RESUME_LIMIT + 1)
        if len(events) > RESUME_LIMIT or any(event.epoch != last.epoch for event in events):
            return screen.resume([frames.reset(newest)], sent=newest)
        sent = events[-1].position if events else last
        return screen.resume([ScreenEvent.of(event) for event in events], sent=sent)

    def _run(self) -> None:
        while not self._stopping:
            try:
                if self._follower.wait():
                    self._follow()
            except Exception as error:
                logger.error("hub_failed", error=type(error).__name__, exc_info=error)
                time.sleep(1)

    def _follow(self) -> None:
        for news in self._follower.news():
            self._take(news)

    def _take(self, news: News) -> None:
        if isinstance(news, LoggedEvent):
            self._tell(news)
        elif isinstance(news, PeopleChanged):
            self._ask_screens()
        else:
            self._begin_epoch(news)

    def _begin_epoch(self, news: NewEpoch) -> None:
        """Have every screen read its state anew."""
        logger.warning("epoch_changed", screens=len(self._screens))
        for screen in self._all_screens():
            if position := news.positions.get(screen.tenant):
                self._offer(screen, StartAfresh(position))

    def _ask_screens(self) -> None:
        """Have all screens asked whether they may stay."""
        for screen in self._all_screens():
            screen.ask()

    def _all_screens(self) -> list[Screen]:
        with self._gate:
            return list(self._screens)

    def _tell(self, event: LoggedEvent) -> None:
        with self._gate:
            found = (self._index.get((event.tenant, key), set()) for key in (None, *frames.ends_of(event)))
            audience = set().union(*found)
        if not audience:
            return
        news = ScreenEvent.of(event)
        for screen in audience:
            self._offer(screen, news)

    def _offer(self, screen: Screen, news: ScreenEvent | StartAfresh) -> None:
        """Queue ``news`` for ``screen``, whose stream ends where its page does not keep up."""
        if not screen.offer(news):
            self.release(screen)
            screen.end()


def _is_lost(last: Position, newest: Position) -> bool:
    """Return whether what happened behind ``last`` cannot be told, or would be too much to look for."""
    return last.epoch != newest.epoch or last > newest or newest.seq - last.seq > FAR_BEHIND
