"""Join the events of one call: by its trunk where lines tell no id, and its parts where they are several."""

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from gateway.events.lines.interpreting import LineEvent
from gateway.mapping.events import MappedEvent

LONGEST_CALL_MS = 24 * 3_600_000
"""After so long a trunk's next event is another call's, and of a call in parts no end is waited for."""
MOST_OPEN = 10_000
PARTS = "ramais"
"""Free field of a call of several parts: its extensions, with the seconds of each."""
ENDS = ("ended",)


@dataclass
class _OpenCall:
    """A call of which an end is waited for: ``id`` is ours, ``parts`` are what ended of it."""

    id: str
    since: int
    parts: list[LineEvent] = field(default_factory=list)


class CallJoiner:
    """Remembers the calls that go on, at most ``MOST_OPEN``; the oldest is let go of for a new one."""

    def __init__(self, together_ms: int = 0) -> None:
        """Begin. Records of one id that come within ``together_ms`` are one call; 0: each is one."""
        self._together_ms = together_ms
        self._by_key: OrderedDict[str, _OpenCall] = OrderedDict()
        self._in_parts: OrderedDict[str, _OpenCall] = OrderedDict()

    @property
    def waits(self) -> bool:
        """Whether parts of a call are held whose end did not come."""
        return bool(self._in_parts)

    def held_from(self, stream: str) -> int | None:
        """Return where in ``stream`` the first part stands that is held, None where there is none."""
        parts = (part for call in self._in_parts.values() for part in call.parts)
        return min((part.offset for part in parts if part.stream == stream), default=None)

    def take(self, told: LineEvent, now: int) -> Iterator[LineEvent]:
        """Yield the events to tell when ``told`` came at ``now``."""
        yield from self._given_up(now)
        named = self._named(told, now)
        name = named.event.id or named.key
        if name is None or named.event.kind not in ENDS:
            yield named
        elif named.more_follows or self._together_ms:
            yield from self._hold(name, named, now)
        elif name in self._in_parts:
            yield whole([*self._in_parts.pop(name).parts, named])
        else:
            yield named

    def tick(self, now: int) -> Iterator[LineEvent]:
        """Yield the calls whose further parts were waited for long enough."""
        yield from self._given_up(now)

    def flush(self, now: int) -> Iterator[LineEvent]:
        """Yield all calls whose last part did not come."""
        yield from self._given_up(now + LONGEST_CALL_MS + 1)

    def _hold(self, name: str, told: LineEvent, now: int) -> Iterator[LineEvent]:
        held = self._in_parts.setdefault(name, _OpenCall(name, now))
        held.parts.append(told)
        while len(self._in_parts) > MOST_OPEN:
            yield whole(self._in_parts.popitem(last=False)[1].parts)

    def _given_up(self, now: int) -> Iterator[LineEvent]:
        """Yield the calls whose last part was waited for long enough."""
        longest = self._together_ms or LONGEST_CALL_MS
        while self._in_parts and now - next(iter(self._in_parts.values())).since > longest:
            yield whole(self._in_parts.popitem(last=False)[1].parts)

    def _named(self, told: LineEvent, now: int) -> LineEvent:
        """Return ``told`` with an id: its own, else the one of the call that goes on under its key."""
        event, key = told.event, told.key
        if key is None:
            return told
        goes_on = self._by_key.get(key)
        if goes_on is not None and (event.kind == "started" or now - goes_on.since > LONGEST_CALL_MS):
            goes_on = self._continued(goes_on, event)
        if goes_on is None and event.kind in ENDS:
            return told  # its beginning was not heard: the domain finds its call by the pair
        goes_on = goes_on or self._begun(key, told, now)
        if event.kind in ENDS and not told.more_follows:
            self._by_key.pop(key, None)
        return replace(told, event=replace(event, id=goes_on.id))

    @staticmethod
    def _continued(goes_on: _OpenCall, event: MappedEvent) -> _OpenCall | None:
        """Return the call that goes on, if a start belongs to it: it rings at several extensions at once."""
        began = goes_on.since if event.at is None else event.at
        return goes_on if 0 <= began - goes_on.since <= 180_000 else None

    def _begun(self, key: str, told: LineEvent, now: int) -> _OpenCall:
        begun = _OpenCall(f"{key}-{told.identity[:12]}", now if told.event.at is None else told.event.at)
        self._by_key[key] = begun
        while len(self._by_key) > MOST_OPEN:
            self._by_key.popitem(last=False)
        return begun


def whole(parts: Sequence[LineEvent]) -> LineEvent:
    """Return the end of a call whose parts ended: at the extension that answered first, from its start to its end."""
    if len(parts) == 1:
        return replace(parts[0], more_follows=False)
    events = [part.event for part in parts]
    taken = next((event for event in events if event.duration), None) or min(
        events, key=lambda each: not each.extension
    )
    starts = [event.started_at for event in events if event.started_at is not None]
    ends = [event.ended_at for event in events if event.ended_at is not None]
    end = max(ends, default=taken.ended_at)
    said = ", ".join(f"{event.extension} ({event.duration or 0} s)" for event in events if event.extension)
    whole = replace(
        taken,
        started_at=min(starts, default=taken.started_at),
        ended_at=end,
        at=end,
        duration=sum(event.duration or 0 for event in events) or taken.duration,
        fields={**taken.fields, PARTS: said},
    )
    return replace(parts[-1], event=whole, more_follows=False)
