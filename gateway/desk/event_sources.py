"""How the sources of events are doing that the gateway goes and gets, for the page of appliances."""

from collections.abc import Sequence
from dataclasses import dataclass

from gateway.config.sources import EventSourceSettings
from gateway.desk.context import Visit
from gateway.store.event_sources import Gap, SourceStanding, SourceState


@dataclass(frozen=True, slots=True)
class ShownEventSource:
    """One source as the page shows it. ``silent_ms`` is set where it has said nothing for longer than it should."""

    name: str
    title: str
    settings: EventSourceSettings
    standing: SourceStanding
    is_connected: bool
    silent_ms: int | None

    @property
    def gaps(self) -> Sequence[Gap]:
        """The spans in which events may be missing, the newest first."""
        return self.standing.gaps[::-1]

    @property
    def clock_off_ms(self) -> int:
        """How far its clock is from the gateway's, in milliseconds, at least a minute for people."""
        return max(60_000, abs(self.standing.clock_ahead_ms or 0))

    @property
    def preset(self) -> str:
        """The preset by which its events are read, empty where its kind has none."""
        return str(getattr(self.settings.settings, "preset", ""))

    @property
    def is_tried(self) -> bool:
        """Whether somebody tries to hear it, and cannot."""
        return self.standing.state in (SourceState.CONNECTING, SourceState.WAITING)


def event_sources(visit: Visit) -> Sequence[ShownEventSource]:
    """Return the company's sources in their order."""
    book = visit.services.source_book
    found = visit.settings.event_sources
    if book is None or not found:
        return ()
    return [_shown(visit, name, settings, book.of(visit.tenant, name)) for name, settings in found.items()]


def _shown(visit: Visit, name: str, settings: EventSourceSettings, standing: SourceStanding) -> ShownEventSource:
    is_connected = standing.is_connected(visit.at)
    quiet_ms = visit.at - max(standing.told_at or 0, standing.since)
    after_s = settings.silent_after_s
    is_silent = is_connected and after_s is not None and quiet_ms > after_s * 1000
    silent_ms = quiet_ms if is_silent else None
    return ShownEventSource(name, settings.title or name, settings, standing, is_connected, silent_ms)
