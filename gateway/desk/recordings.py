"""Recordings are opened by an address of ours, so that it is written down who listened; the exchange serves them."""

from werkzeug.exceptions import NotFound
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from gateway.desk.context import Visit
from gateway.desk.rendering import private
from gateway.domain.links import safe_link


def listen(visit: Visit, call_id: int) -> Response:
    """Lead to a call's recording. Raises ``NotFound`` where it has none, or the visitor may not see the call."""
    return _led_to(visit.calls.find(call_id).recording_url)


def listen_to_note(visit: Visit, call_id: int, place: int) -> Response:
    """Lead to the recording that the note at ``place`` of a call names. Raises ``NotFound``."""
    notes = visit.calls.find(call_id).notes
    return _led_to(notes[place].recording_url if place < len(notes) else None)


def _led_to(address: str | None) -> Response:
    link = safe_link(address)
    if not link:
        raise NotFound
    return private(redirect(link, 302))
