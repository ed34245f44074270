"""What a screen missed that comes back: from memory, where that reaches back far enough, else from the event log."""

import threading
from collections.abc import Sequence

from gateway.desk import frames
from gateway.desk.recent_events import RecentEvent, RecentEvents
from gateway.desk.screens import Screen
from gateway.store.reading.following import Follower
from gateway.store.reading.log import EventLog, LoggedEvent
from gateway.store.reading.positions import Position

RESUME_LIMIT = 200
"""Events that a screen is told when it comes back; where there are more it reads its state anew, which costs less."""
READ_LIMIT = 10_000
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
        self._far_behind: dict[str, Position] = {}
        """By company a position so far behind that who stands there, or before it, starts afresh."""
        self._loading = threading.Lock()

    def note(self, event: LoggedEvent) -> None:
        """Note that it is known whom ``event`` concerns. The caller holds the gate, as for what follows."""
        self._noted[event.tenant] = event.position
        self._recent.add(event)

    def forget(self, tenant: str) -> None:
        """Remember no events of ``tenant``, which nobody watches any more."""
        self._recent.forget(tenant)
        self._far_behind.pop(tenant, None)

    def begin_epoch(self) -> None:
        """Remember nothing of the epoch before: some of it may be lost."""
        self._recent.clear()
        self._noted.clear()
        self._far_behind.clear()

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
        ends = None if screen.whole_tenant else _ends_of(screen)
        with self._gate:
            newest = self._newest(screen.tenant)
            if newest is None or last > newest:
                return False
            is_far_behind = self._is_far_behind(screen.tenant, last)
            events = self._recent.behind(screen.tenant, last, ends, most=RESUME_LIMIT + 1)
        if events is None and is_far_behind:
            _start_afresh(screen, newest)
        elif events is not None:
            _resume_with(screen, last, events, newest)
        return events is not None or is_far_behind

    def _is_far_behind(self, tenant: str, last: Position) -> bool:
        """Return whether it is known that too much happened behind ``last`` to look for what a screen missed."""
        known = self._far_behind.get(tenant)
        return known is not None and known.epoch == last.epoch and last <= known

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
            if len(events) > READ_LIMIT:
                self._note_far_behind(tenant, last)
            _start_afresh(screen, newest)
            return
        found = [RecentEvent(event) for event in events]
        with self._gate:
            self._recent.extend(tenant, last, found, read_to=newest)
        _resume_with(screen, last, found, newest)

    def _note_far_behind(self, tenant: str, last: Position) -> None:
        """Note that too much happened behind ``last``: others who stand there need not read it again."""
        with self._gate:
            known = self._far_behind.get(tenant, last)
            self._far_behind[tenant] = max(known, last) if known.epoch == last.epoch else last

    def _is_incomplete(self, tenant: str, events: Sequence[LoggedEvent], last: Position, newest: Position) -> bool:
        """Return whether ``events``, read behind ``last``, may not be all: too many, of another epoch, or some were
        removed by age before they were read.
        """
        if len(events) > READ_LIMIT or any(event.epoch != last.epoch for event in events):
            return True
        return last < newest and last.seq < self._log.removed(tenant)


def _ends_of(screen: Screen) -> frozenset[str]:
    """Return of which extensions' events ``screen`` is told all."""
    return frozenset((screen.extension, frames.EVERYBODY))


def _resume_with(screen: Screen, last: Position, events: Sequence[RecentEvent], newest: Position) -> None:
    """Tell ``screen`` those of ``events``, which are all behind ``last``, that may concern it, unless too many do."""
    ends = _ends_of(screen)
    missed = [found for found in events if screen.whole_tenant or not ends.isdisjoint(found.ends)]
    if len(missed) > RESUME_LIMIT:
        _start_afresh(screen, max(newest, missed[-1].event.position))
    else:
        screen.resume([found.shown for found in missed], sent=last)


def _start_afresh(screen: Screen, newest: Position) -> None:
    """Have the page read its state anew and go on behind ``newest``."""
    screen.resume([frames.reset(newest)], sent=newest)


def _is_lost(last: Position, newest: Position) -> bool:
    """Return whether what happened behind ``last`` cannot be told, or would be too much to look for."""
    return last.epoch != newest.epoch or last > newest or newest.seq - last.seq > FAR_BEHIND
