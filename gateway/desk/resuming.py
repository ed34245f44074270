"""What a screen missed that comes back: from memory, where that reaches back far enough, else from the event log."""

import threading
from collections.abc import Sequence

from gateway.desk import frames
from gateway.desk.frames import ScreenEvent
from gateway.desk.recent_events import RecentEvents
from gateway.desk.screens import Screen
from gateway.store.reading.following import Follower
from gateway.store.reading.log import EventLog, LoggedEvent
from gateway.store.reading.positions import Position

RESUME_LIMIT = 200
"""Events that a screen is told when it comes back; where there are more it reads its state anew, which costs less."""
READ_LIMIT = 2_000
"""Events of a company that are read to find those that a screen missed."""
FAR_BEHIND = 50_000
"""A screen further behind than this starts afresh: looking for its events would read too much of the log."""
LOAD_WITHIN_S = 1.0


class Resuming:
    """Resumes screens that the hub has let in already, so that what is not found here reaches them as it happens.

    ``gate`` is the hub's: it holds it while it finds out whom an event concerns, and ``note``s the event then. So each
    event either was noted before a screen looked back, or finds that screen.
    """

    def __init__(self, log: EventLog, follower: Follower, gate: threading.Lock) -> None:
        self._log = log
        self._follower = follower
        self._gate = gate
        self._recent = RecentEvents()
        self._noted: dict[str, Position] = {}
        self._loading = threading.Lock()

    def note(self, event: LoggedEvent) -> None:
        """Note that it is known whom ``event`` concerns. The caller holds the gate, as for what follows."""
        self._noted[event.tenant] = event.position
        self._recent.add(event)

    def forget(self, tenant: str) -> None:
        """Remember no events of ``tenant``, which nobody watches any more."""
        self._recent.forget(tenant)

    def begin_epoch(self) -> None:
        """Remember nothing of the epoch before: some of it may be lost."""
        self._recent.clear()
        self._noted.clear()

    def resume(self, screen: Screen, last: Position | None) -> None:
        """Tell ``screen`` what it missed behind ``last``; None: what happens from now on. The caller does not hold the
        gate.
        """
        if last is None:
            screen.resume([], sent=self._log.newest(screen.tenant))
        elif not self._resume_from_memory(screen, last):
            self._load(screen, last)

    def _load(self, screen: Screen, last: Position) -> None:
        """Resume ``screen`` from the log, and remember what was read.

        Of many that come back at once one reads, and the others find what it read; but none waits for long.
        """
        is_first = self._loading.acquire(timeout=LOAD_WITHIN_S)
        try:
            if not self._resume_from_memory(screen, last):
                self._resume_from_log(screen, last)
        finally:
            if is_first:
                self._loading.release()

    def _resume_from_memory(self, screen: Screen, last: Position) -> bool:
        """Resume ``screen`` without the database; return whether enough is remembered for that."""
        with self._gate:
            newest = self._newest(screen.tenant)
            events = self._recent.behind(screen.tenant, last) if newest and last <= newest else None
        if newest is None or events is None:
            return False
        _resume_with(screen, last, events, newest)
        return True

    def _newest(self, tenant: str) -> Position | None:
        """Return up to where it is known whom the events of ``tenant`` concern, and remember those behind it.

        None where it is not followed.
        """
        followed = self._follower.position(tenant)
        if followed is None:
            return None
        known = (followed, self._noted.get(tenant), self._recent.newest(tenant))
        newest = max(position for position in known if position)
        self._recent.begin(tenant, newest)
        return newest

    def _resume_from_log(self, screen: Screen, last: Position) -> None:
        tenant, newest = screen.tenant, self._log.newest(screen.tenant)
        if last.epoch != newest.epoch and last.seq <= self._log.kept(tenant, last.epoch):
            last = newest._replace(seq=last.seq)
        events = [] if _is_lost(last, newest) else self._log.after_for(tenant, None, last, limit=READ_LIMIT + 1)
        if _is_lost(last, newest) or self._is_incomplete(tenant, events, last, newest):
            screen.resume([frames.reset(newest)], sent=newest)
            return
        with self._gate:
            self._recent.extend(tenant, last, events, read_to=newest)
        _resume_with(screen, last, events, newest)

    def _is_incomplete(self, tenant: str, events: Sequence[LoggedEvent], last: Position, newest: Position) -> bool:
        """Return whether ``events``, read behind ``last``, may not be all: too many, of another epoch, or some were
        removed by age before they were read.
        """
        if len(events) > READ_LIMIT or any(event.epoch != last.epoch for event in events):
            return True
        return last < newest and last.seq < self._log.removed(tenant)


def _resume_with(screen: Screen, last: Position, events: Sequence[LoggedEvent], newest: Position) -> None:
    """Tell ``screen`` those of ``events``, which are all behind ``last``, that may concern it, unless too many do."""
    names = {screen.extension, frames.EVERYBODY}
    missed = [event for event in events if screen.whole_tenant or not names.isdisjoint(frames.ends_of(event))]
    if len(missed) > RESUME_LIMIT:
        newest = max(newest, missed[-1].position)
        screen.resume([frames.reset(newest)], sent=newest)
    else:
        screen.resume([ScreenEvent.of(event) for event in missed], sent=last)


def _is_lost(last: Position, newest: Position) -> bool:
    """Return whether what happened behind ``last`` cannot be told, or would be too much to look for."""
    return last.epoch != newest.epoch or last > newest or newest.seq - last.seq > FAR_BEHIND
