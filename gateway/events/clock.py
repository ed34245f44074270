"""How far a source's clock is from the gateway's, by the moments that it tells, and how its times are put right.

An event is heard when it happened or later, never before. So the smallest delay of many shows the clock: a source whose
newest moments are always seven minutes from now has a clock that is seven minutes ahead, whatever comes late beside
them. One that is *behind* cannot be told from one that tells late; it is believed of sources that tell at once, and
where it is a time zone's half hours.
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from itertools import islice

from gateway.event_source import Heard
from gateway.store.event_sources import WRONG_CLOCK_MS

MINUTE_MS = 60_000
SLOT_MS = 30_000
"""Of all that was heard within this span one delay counts, the smallest: what was held back often comes at once."""
MOST_SLOTS = 15
LEAST_SLOTS = 5
"""Spans of which something has to be known."""
STEADY_MS = 45_000
"""How far the middle delay may be from the smallest ones where the clock is to be known."""
SMALLEST_MS = WRONG_CLOCK_MS
"""A clock that is off by less is left alone; nor is a correction changed for less."""
ZONES_MS = 30 * MINUTE_MS
"""Time zones are apart by multiples of this."""
ZONE_LATE_MS = 90_000
"""How late a source may tell whose time zone is looked for."""
MOST_CALLS = 4096
MOMENTS = ("occurred_at", "started_at", "answered_at")


@dataclass(slots=True)
class _Slot:
    """The greatest difference of a span: told moment less the one when it was heard, in milliseconds."""

    number: int
    ahead: int
    is_whole_minute: bool


class ClockWatch:
    """Measures one source's clock: ``note`` is for one thread, ``ahead`` for any."""

    def __init__(self) -> None:
        self._slots: list[_Slot] = []

    def note(self, told: int, heard: int) -> bool:
        """Take that a moment was ``told`` and ``heard``, both in milliseconds since 1970 UTC; return whether with it a
        new span begins.
        """
        number, ahead, is_whole_minute = heard // SLOT_MS, told - heard, told % MINUTE_MS == 0
        last = self._slots[-1] if self._slots else None
        if last is None or last.number != number:
            self._slots = [*self._slots, _Slot(number, ahead, is_whole_minute)][-MOST_SLOTS:]
            return True
        last.ahead, last.is_whole_minute = max(last.ahead, ahead), last.is_whole_minute and is_whole_minute
        return False

    def ahead(self) -> int | None:
        """Return by how many milliseconds the clock is ahead (negative: behind); None where that is not known.

        One of five may be off by any amount. Moments that are told by the minute lie up to one before they were.
        """
        slots = self._slots
        count, place = len(slots), (len(slots) - 1) * 4 // 5
        found = sorted(slot.ahead for slot in slots)
        if count < LEAST_SLOTS or found[place] - found[count // 2] > STEADY_MS:
            return None
        by_minutes = all(slot.is_whole_minute for slot in slots)
        return found[place] + (MINUTE_MS * (count - place) // (count + 1) if by_minutes else 0)


class SourceClock:
    """Puts the moments that a source tells on the gateway's clock. For the thread that runs the source.

    ``configured`` is by how much its clock is ahead as an administrator says, None where nobody does: then what is
    measured is taken off, beginning with ``corrected``, and no moment stays in the future. All that is told of one call
    is put right alike.
    """

    def __init__(
        self,
        configured: int | None,
        corrected: int,
        *,
        tells_at_once: bool,
        changed: Callable[[int], None] = lambda _ahead: None,
    ) -> None:
        self._watch = ClockWatch()
        self._configured, self._tells_at_once, self._changed = configured, tells_at_once, changed
        self.corrected = corrected if configured is None else configured
        """What is taken off the moments of calls that begin now, in milliseconds."""
        self._calls: OrderedDict[str, int] = OrderedDict()

    @property
    def ahead(self) -> int | None:
        """Milliseconds that the clock was measured to be ahead; None where that is not known, or may be a delay."""
        ahead = self._watch.ahead()
        return None if ahead is None or not self._is_believed(ahead) else ahead

    def put_right(self, message: Heard) -> Heard:
        """Return ``message`` with its moments on the gateway's clock; what it told is measured."""
        told = message.occurred_at
        if told is not None and self._watch.note(told, message.received_at) and self._configured is None:
            self._measure()
        return _earlier(message, self._of_call(message))

    def _measure(self) -> None:
        ahead = self._watch.ahead()
        if ahead is None:
            return
        zone = _zone_near(ahead)
        wanted = zone if zone is not None else ahead if self._is_believed(ahead) else 0
        if abs(wanted - self.corrected) >= SMALLEST_MS:
            self.corrected = wanted
            self._changed(wanted)

    def _is_believed(self, ahead: int) -> bool:
        """Return whether the source's clock makes the difference, and no delay."""
        return ahead > 0 or self._tells_at_once or _zone_near(ahead) is not None

    def _of_call(self, message: Heard) -> int:
        """Return what is taken off the moments of a call: the same from its first event on."""
        ref = getattr(message, "call_ref", None)
        if not ref:
            return self._least(message)
        correction = self._calls.setdefault(ref, self._least(message))
        for old in list(islice(self._calls, max(0, len(self._calls) - MOST_CALLS))):
            del self._calls[old]
        return correction

    def _least(self, message: Heard) -> int:
        """Return what is taken off the moments of ``message``: what is known, and at least so much that nothing is told
        before it happens. So the first calls of a clock that is ahead come right before that is known.
        """
        told = message.occurred_at
        if self._configured is not None or told is None:
            return self.corrected
        ahead = told - message.received_at
        return ahead if ahead - self.corrected >= SMALLEST_MS else self.corrected


def _zone_near(ahead: int) -> int | None:
    """Return the time zone's difference that ``ahead`` is, told a moment late; 0 for none; None for something else."""
    zone = round((ahead + ZONE_LATE_MS / 2) / ZONES_MS) * ZONES_MS
    least = -ZONE_LATE_MS if zone else -SMALLEST_MS
    return zone if least < ahead - zone < SMALLEST_MS else None


def _earlier(message: Heard, ms: int) -> Heard:
    if not ms:
        return message
    there = {field.name for field in fields(message)}
    moments = {name: getattr(message, name) for name in MOMENTS if name in there}
    return replace(message, **{name: at - ms for name, at in moments.items() if at is not None})
