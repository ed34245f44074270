"""Events as server-sent events: bytes only, no threads, no sockets."""

import json
from collections.abc import Mapping
from functools import cached_property
from typing import Any

from gateway.domain.calls.decision import EventKind
from gateway.domain.calls.scope import CallSides
from gateway.domain.links import safe_link
from gateway.domain.masking import hidden_in, hidden_in_all, masked
from gateway.domain.records import record
from gateway.store.call_fields import SCREEN_FIELDS
from gateway.store.reading.log import LoggedEvent
from gateway.store.reading.positions import Position

RETRY = b"retry: 1000\n\n"
AGENT = ("agent", "login", "state", "reason")
TOLD = (
    *SCREEN_FIELDS,
    "appliance",
    "outcome",
    "detail",
    "repeat",
    "late",
    "account_id",
    "fields",
    "rang",
    "note",
    *AGENT,
)
"""What of an event's payload leaves the gateway: not where it came from, nor what exactly was received."""
WRITTEN = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
EVERYBODY = "*"
"""Stands for the extensions of all screens of a company; no extension is called so."""


@record(frozen=True, slots=False)
class ScreenEvent:
    """One event, rendered once for all screens.

    ``full`` goes to the screens of ``extensions`` (both ends of an internal call), ``masked`` to those of them that may
    not see telephones, ``brief`` (kind and call only) to those that follow the whole tenant and may see the call of
    ``sides``.
    """

    position: Position
    kind: str
    call_id: int
    tenant: str
    extensions: frozenset[str]
    full: bytes
    payload: Mapping[str, Any]
    at: int

    @classmethod
    def of(cls, event: LoggedEvent) -> "ScreenEvent":
        """Render ``event``."""
        payload = json.loads(event.payload)
        ends = ends_of(event)
        if event.kind == EventKind.MISSED_CHANGED:
            told = {"kind": event.kind, "at": event.at} | payload
            return cls._made(event, ends, told, full=frame(event.kind, told, position=event.position))
        known = {"call_id": event.call_id, "kind": event.kind, "at": event.at, "extension": event.extension}
        payload["recording_url"] = safe_link(payload.get("recording_url"))
        told = {name: payload[name] for name in TOLD if payload.get(name) is not None}
        return cls._made(event, ends, known | told, full=frame(event.kind, known | told, position=event.position))

    @classmethod
    def _made(
        cls, event: LoggedEvent, ends: frozenset[str], payload: Mapping[str, Any], *, full: bytes
    ) -> "ScreenEvent":
        return cls(event.position, event.kind, event.call_id, event.tenant, ends, full, payload, event.at)

    @cached_property
    def brief(self) -> bytes:
        """What screens get that follow the whole tenant: kind and call only."""
        return frame("log", {"call_id": self.call_id, "kind": self.kind}, position=self.position)

    @cached_property
    def masked(self) -> bytes:
        """What screens get that may not see telephones."""
        return frame(self.kind, _without_telephone(self.payload), position=self.position)

    @cached_property
    def sides(self) -> CallSides:
        """Where its call was and who had to do with it, as far as this event tells."""
        told = self.payload
        extensions = {*self.extensions, *told.get("rang", ()), told.get("answered_by")} - {None, ""}
        logins = frozenset(filter(None, (told.get("answered_agent"), told.get("over_by"))))
        return CallSides(frozenset(extensions), logins, told.get("queue"), bool(told.get("missed")), self.at)

    @property
    def is_of_a_call(self) -> bool:
        """Whether it tells of a call; that an agent takes a break is everybody's matter."""
        return self.kind != "agent_state_changed"


def _without_telephone(told: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of an event with its telephone masked; a recording's address may hold it."""
    number = str(told.get("number") or "")
    texts = {name: hidden_in(value, number) for name, value in told.items() if isinstance(value, str)}
    fields = {"fields": hidden_in_all(told["fields"], number)} if told.get("fields") else {}
    note = {"note": {**told["note"], "text": hidden_in(told["note"]["text"], number)}} if told.get("note") else {}
    whole = {**told, **texts, **fields, **note, "number": masked(number)}
    return {name: value for name, value in whole.items() if name != "recording_url"}


def ends_of(event: LoggedEvent) -> frozenset[str]:
    """Return the extensions an event concerns: both ends of an internal call. Reads the payload only where it must."""
    if event.kind == EventKind.MISSED_CHANGED:
        return frozenset((EVERYBODY,))
    if '"direction":"internal"' not in event.payload:
        return frozenset((event.extension,))
    return frozenset((event.extension, json.loads(event.payload).get("number") or event.extension))


def frame(kind: str, data: dict[str, Any], *, position: Position) -> bytes:
    """Return one event of the stream; JSON never holds a bare line break, which would end the field."""
    return f"id: {position}\nevent: {kind}\ndata: {WRITTEN(data)}\n\n".encode()


def reset(position: Position) -> bytes:
    """Return the event that tells a page that it missed too much: it reads its state anew and goes on
    behind ``position``.
    """
    return frame("reset", {}, position=position)


class Pulses:
    """Heart-beats, each rendered once for all screens that get it. ``is_delayed``: as of ``pulse``."""

    def __init__(self, *, is_delayed: bool) -> None:
        self._is_delayed = is_delayed
        self._made: dict[Position, bytes] = {}

    def at(self, position: Position) -> bytes:
        """Return the heart-beat of ``position``."""
        found = self._made.get(position)
        if found is None:
            found = self._made[position] = pulse(position, delayed=self._is_delayed)
        return found


def pulse(position: Position, *, delayed: bool = False) -> bytes:
    """Return a heart-beat: a comment for proxies, and an event by which a page notices that its connection died.

    Everything up to ``position`` was delivered, so a page that reconnects need not ask for it again. ``delayed``: what
    happens now cannot be told yet.
    """
    return b": pulse\n" + frame("pulse", {"delayed": True} if delayed else {}, position=position)


def farewell(position: Position, back_in_ms: int) -> bytes:
    """Return the last event of a stream that ends because the gateway stops: the page comes back after ``back_in_ms``,
    so that not all pages come at once. Browsers without our script heed ``retry``.
    """
    return f"retry: {back_in_ms}\n".encode() + frame("farewell", {"back_in_ms": back_in_ms}, position=position)
