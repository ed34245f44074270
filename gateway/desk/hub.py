"""The hub: one thread per process follows the event log and passes news on to the screens an event concerns.

The log is the truth and a ring only saves waiting (``store/reading/following.py``). A screen that reconnects says what
it saw last and gets what it missed from the log, or from the last events that the hub remembers. A second thread sends
heart-beats to those that are told nothing: it goes on while the log cannot be read.
"""

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from random import random

import structlog

from gateway.desk import frames, screens
from gateway.desk.frames import ScreenEvent
from gateway.desk.heart_beats import HeartBeats
from gateway.desk.resuming import Resuming
from gateway.desk.screens import EpochBegun, Screen
from gateway.desk.session_checks import GATHER_S, MayStay, OpenSession, ReadSessions, SessionChecks
from gateway.domain.calls.scope import EVERYTHING, CallScope
from gateway.errors import DatabaseAway, Stopping, TooManyScreens
from gateway.store.delivery_receipts import DeliveryReceipt, ReceiptKind
from gateway.store.reading.following import Follower, NewEpoch, News, PeopleChanged
from gateway.store.reading.log import EventLog, LoggedEvent
from gateway.store.reading.positions import Position

logger = structlog.get_logger()

Watch = Callable[[DeliveryReceipt], None]
"""Writes down what happens at screens; must never wait."""
ASKED_AT_ONCE = 500
"""When people change and no more screens are open than this, all are looked up; else each before it is told more."""
BACK_PER_S = 1_500
"""Screens that are to come back in a second when the gateway stops; a process that has just begun serves about so
many besides events.
"""


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
        read_sessions: ReadSessions = lambda _keys: {},
    ) -> None:
        """Take ``on_people``, which is told that an agent or a session of a company (empty: of any) changed, and
        ``read_sessions``, by which screens are checked that were opened in a session.
        """
        self._follower = follower
        self._max_screens = max_screens
        self._screen_age_s = screen_age_s
        self._watch = watch
        self._on_people = on_people
        self._gate = threading.Lock()
        self._screens: set[Screen] = set()
        self._index: defaultdict[tuple[str, str | None], set[Screen]] = defaultdict(set)
        self._resuming = Resuming(log, follower, self._gate)
        self._people = 0
        """How often people changed."""
        self._people_of: dict[str, int] = {}
        """What that was when those of a company (empty: of any) changed last."""
        self._checks: SessionChecks[Screen] = SessionChecks(
            read_sessions, people=lambda: self._people, dismiss=self._dismiss
        )
        self._beats: HeartBeats[Screen] = HeartBeats(heartbeat_s)
        self._stopping = False
        self.is_delayed = False
        """Whether the log could not be read when it was looked at last."""
        self._thread = threading.Thread(target=self._run, name="hub", daemon=True)
        self._sweeper = threading.Thread(target=self._sweep, name="heart-beats", daemon=True)

    def start(self) -> None:
        """Follow the log from now on."""
        self._thread.start()
        self._sweeper.start()

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
        """End every stream and the threads; no screen is let in any more. Safe to call again."""
        with self._gate:
            self._stopping = True
            leaving = list(self._screens)
        for screen in leaving:  # without the gate: the event loop, which lets go of each, would wait for all
            screen.end(back_in_ms=_back_in_ms(len(leaving)))
        self._beats.stop()
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
        may_stay: OpenSession | MayStay = lambda: True,
        scope: CallScope = EVERYTHING,
        masked: bool = False,
    ) -> Screen:
        """Open a stream of the extension's events behind ``last_event_id`` (from now on when it is None).

        With ``whole_tenant`` it also says, in brief, that something happened to any other call of the tenant that
        ``scope`` admits; ``masked``: without telephones. ``session`` names the login that ``end_session`` ends at once
        in this process; ``may_stay`` is looked up to find out what other processes did. Raises
        ``TooManyScreens`` and ``Stopping``.
        """
        screen = Screen(
            tenant,
            extension,
            login=login,
            session=session,
            whole_tenant=whole_tenant,
            hub=self,
            age_s=self._screen_age_s,
            stay=may_stay,
            scope=scope,
            masked=masked,
        )
        self._admit(screen)
        try:
            self._follower.watch(tenant)
            self._resuming.resume(screen, last_event_id)
        except BaseException:
            screen.close()
            raise
        self._beats.add(screen)
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
                self._resuming.forget(screen.tenant)

    def _admit(self, screen: Screen) -> None:
        with self._gate:
            if self._stopping:
                raise Stopping
            if len(self._screens) >= self._max_screens:
                raise TooManyScreens(self._max_screens)
            # Its session was looked up just now; what changed in between is found at its first heart-beat.
            screen.people_seen = self._people
            self._screens.add(screen)
            for key in screen.keys:
                self._index[key].add(screen)
        self.notice(screen, ReceiptKind.OPENED)

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
        with self._gate:
            self._resuming.begin_epoch()
        for screen in self._all_screens():
            if kept := news.kept.get(screen.tenant):
                self._offer(screen, EpochBegun(kept))

    def _ask_screens(self, tenant: str) -> None:
        """Have the sessions of the screens of ``tenant`` (empty: all) looked up before they are told anything more."""
        self._on_people(tenant)
        self._people += 1
        self._people_of[tenant] = self._people
        concerned = [screen for screen in self._all_screens() if tenant in ("", screen.tenant)]
        if len(concerned) <= ASKED_AT_ONCE:
            self._checks.ask(concerned)

    def _is_doubtful(self, screen: Screen) -> bool:
        """Return whether people changed since the session of ``screen`` was looked up."""
        return screen.people_seen < max(self._people_of.get("", 0), self._people_of.get(screen.tenant, 0))

    def _dismiss(self, found: Collection[Screen]) -> None:
        for screen in found:
            self.release(screen)
            screen.end()

    def _sweep(self) -> None:
        while self._beats.wait():
            try:
                self._beat(self._beats.due())
            except Exception as error:
                logger.error("heart_beats_failed", error=type(error).__name__, exc_info=error)
                time.sleep(1)

    def _beat(self, due: Sequence[Screen]) -> None:
        """Send heart-beats to those of ``due`` that may stay and are not too old."""
        now = time.monotonic()
        self._dismiss([screen for screen in due if screen.until <= now])
        if doubtful := [each for each in due if self._is_doubtful(each)]:
            self._checks.check(doubtful)
        if unasked := [each for each in due if now - each.asked_at >= screens.ASK_EVERY_S]:
            self._checks.ask(unasked, within_s=GATHER_S)
        pulses = frames.Pulses(is_delayed=self.is_delayed)
        for screen in due:
            # Read before it is sent: all up to there was offered.
            if not screen.is_over and not screen.beat(self._follower.position(screen.tenant), pulses):
                self._dismiss([screen])

    def _all_screens(self) -> list[Screen]:
        with self._gate:
            return list(self._screens)

    def _tell(self, event: LoggedEvent) -> None:
        with self._gate:
            found = (self._index.get((event.tenant, key), set()) for key in (None, *frames.ends_of(event)))
            audience = set().union(*found)
            self._resuming.note(event)
        if not audience:
            return
        if doubtful := [screen for screen in audience if self._is_doubtful(screen)]:
            self._checks.check(doubtful)
        news = ScreenEvent.of(event)
        for screen in audience:
            self._offer(screen, news)

    def _offer(self, screen: Screen, news: ScreenEvent | EpochBegun) -> None:
        """Pass ``news`` on to ``screen``, whose stream ends where its page does not keep up."""
        if not screen.offer(news):
            self._dismiss([screen])


def _back_in_ms(count: int) -> int:
    """Return when one of ``count`` screens is to come back, at random so that all are spread; 0: as soon as it likes,
    because its page waits about that long anyway.
    """
    if count < BACK_PER_S / 3:
        return 0
    return 1 + int(random() * 1000 * count / BACK_PER_S)  # noqa: S311 - not for security
