"""What ``check`` says of the sources of events that the gateway goes and gets."""

from typing import Literal

from gateway.cli.speech import said
from gateway.clock import milliseconds
from gateway.mapping.events import iso
from gateway.store.event_sources import SourceKey, SourceStanding, SourceState
from gateway.texts.text import Text

NEVER = Text("never")


def source_line(key: SourceKey, standing: SourceStanding) -> tuple[Literal["note"] | None, str, str]:
    """Return the line of a source: a warning (None) where a gateway that runs cannot hear it, else a note."""
    last = iso(standing.told_at) if standing.told_at else NEVER
    is_connected = standing.is_connected(milliseconds())
    text = Text("{state}; last event: {last}", state=_state(standing, is_connected), last=last)
    if clock := _clock(standing):
        text = Text("{line}; {clock}", line=text, clock=clock)
    is_tried = standing.state in (SourceState.CONNECTING, SourceState.WAITING)
    return (None if is_tried else "note", "/".join(key), said(text))


def _clock(standing: SourceStanding) -> Text | None:
    """Return what is to be said of the source's clock; None where it goes well enough."""
    if not standing.is_clock_wrong:
        return None
    seconds = round((standing.clock_ahead_ms or 0) / 1000)
    if seconds > 0:
        return Text("its clock is {seconds} s ahead of the gateway's", seconds=seconds)
    return Text("its clock is {seconds} s behind the gateway's", seconds=-seconds)


def _state(standing: SourceStanding, is_connected: bool) -> Text:
    since = iso(standing.since)
    if is_connected:
        return Text("{holder} hears it since {since}", holder=standing.holder, since=since)
    if standing.state in (SourceState.STOPPED, SourceState.CONNECTED):
        return Text("no gateway hears it now")
    if standing.problem:
        return Text("not heard since {since}: {problem}", since=since, problem=standing.problem)
    return Text("not heard since {since}", since=since)
