"""The hub: one thread per process follows the event log and wakes the screens an event concerns.

The log is the truth and a ring only saves waiting (``store/reading/following.py``). A screen that reconnects says what
it saw last and gets what it missed from the log.
"""

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Collection

import structlog

from gateway.desk import frames
from gateway.desk.frames import ScreenEvent
from gateway.desk.screens import EpochBegun, Screen
from gateway.desk.session_checks import MayStay, SessionChecks
from gateway.domain.calls.scope import EVERYTHING, CallScope
from gateway.errors import DatabaseAway, Stopping, TooManyScreens
from gateway.store.delivery_receipts import DeliveryReceipt, ReceiptKind
from gateway.store.reading.following import Follower, NewEpoch, News, PeopleChanged
from gateway.store.reading.log import EventLog, LoggedEvent
from gateway.store.reading.positions import Position

logger = structlog.get_logger()

Watch = Callable[[DeliveryReceipt], None]
"""Writes down what happens at screens; must never wait."""
RESUME_LIMIT = 200
FAR_BEHIND = 50_000
"""A screen further behind than this starts afresh: looking for its events would read too much of the log."""


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
        on_people: Callable[[str], None] = lambda _tenant: None,
    ) -> None:
        """Take ``on_people``, which is told that an agent or a session of a company (empty: of any) changed."""
        self._log = log
        self._follower = follower
        self._max_screens = max_screens
        self._heartbeat_s = heartbeat_s
        self._screen_age_s = screen_age_s
        self._watch = watch
        self._on_people = on_people
        self._gate = threading.Lock()
        self._screens: set[Screen] = set()
        self._index: defaultdict[tuple[str, str | None], set[Screen]] = defaultdict(set)
        self.checks = SessionChecks()
        self._stopping = False
        self.is_delayed = False
        """Whether the log could not be read when it was looked at last."""
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
        if last.epoch != newest.epoch and last.seq <= self._log.kept(screen.tenant, last.epoch):
            last = newest._replace(seq=last.seq)
        if _is_lost(last, newest):
            return screen.resume([frames.reset(newest)], sent=newest)
        events = self._log.after_for(screen.tenant, None, last, limit=RESUME_LIMIT + 1)
        is_other = any(event.epoch != last.epoch for event in events)
        if len(events) > RESUME_LIMIT or is_other or self._is_removed(screen.tenant, last, newest):
            return screen.resume([frames.reset(newest)], sent=newest)
        sent = events[-1].position if events else last
        return screen.resume([ScreenEvent.of(event) for event in events], sent=sent)

    def _is_removed(self, tenant: str, last: Position, newest: Position) -> bool:
        """Return whether events behind ``last`` may have been removed by age: asked when they were read."""
        return last < newest and last.seq < self._log.removed(tenant)

    def _run(self) -> None:
        while not self._stopping:
            try:
                if self._follower.wait():
                    self._follow()
            except Exception as error:
                self._note_delay(error)
                time.sleep(1)
                continue
            self._note_end_of_delay()

    def _note_delay(self, error: Exception) -> None:
        if isinstance(error, DatabaseAway) and not self.is_delayed:
            logger.warning("hub_waits_for_database")
        elif not self.is_delayed:
            logger.error("hub_failed", error=type(error).__name__, exc_info=error)
        self.is_delayed = True

    def _note_end_of_delay(self) -> None:
        if self.is_delayed:
            logger.info("hub_follows_again")
        self.is_delayed = False

    def _follow(self) -> None:
        for news in self._follower.news():
            self._take(news)

    def _take(self, news: News) -> None:
        if isinstance(news, LoggedEvent):
            self._tell(news)
        elif isinstance(news, PeopleChanged):
            self._ask_screens(news.tenant)
        else:
            self._begin_epoch(news)

    def _begin_epoch(self, news: NewEpoch) -> None:
        """Have every screen read its state anew that was told of what may be lost."""
        logger.warning("epoch_changed", screens=len(self._screens))
        for screen in self._all_screens():
            if kept := news.kept.get(screen.tenant):
                self._offer(screen, EpochBegun(kept))

    def _ask_screens(self, tenant: str) -> None:
        """Have the screens of ``tenant`` (empty: all) asked whether they may stay."""
        self._on_people(tenant)
        for screen in self._all_screens():
            if tenant in ("", screen.tenant):
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

    def _offer(self, screen: Screen, news: ScreenEvent | EpochBegun) -> None:
        """Queue ``news`` for ``screen``, whose stream ends where its page does not keep up."""
        if not screen.offer(news):
            self.release(screen)
            screen.end()


def _is_lost(last: Position, newest: Position) -> bool:
    """Return whether what happened behind ``last`` cannot be told, or would be too much to look for."""
    return last.epoch != newest.epoch or last > newest or newest.seq - last.seq > FAR_BEHIND
