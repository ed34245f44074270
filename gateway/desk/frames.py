"""Events as server-sent events: bytes only, no threads, no sockets."""

import json
from dataclasses import dataclass
from typing import Any

from gateway.domain.calls.decision import EventKind
from gateway.domain.links import safe_link
from gateway.store.call_fields import SCREEN_FIELDS
from gateway.store.log import LoggedEvent

RETRY = b"retry: 1000\n\n"
AGENT = ("agent", "login", "state", "reason")
TOLD = (*SCREEN_FIELDS, "appliance", "outcome", "detail", "repeat", "account_id", "fields", "rang", *AGENT)
"""What of an event's payload leaves the gateway: not where it came from, nor what exactly was received."""
EVERYBODY = "*"
"""Stands for the extensions of all screens of a company; no extension is called so."""


@dataclass(frozen=True, slots=True)
class ScreenEvent:
    """One event, rendered once for all screens.

    ``full`` goes to the screens of ``extensions`` (both ends of an internal call), ``brief`` (kind and call
    only) to those that follow the whole tenant.
    """

    seq: int
    call_id: int
    tenant: str
    extensions: frozenset[str]
    full: bytes
    brief: bytes

    @classmethod
    def of(cls, event: LoggedEvent) -> "ScreenEvent":
        """Render ``event``."""
        payload = json.loads(event.payload)
        ends = ends_of(event)
        if event.kind == EventKind.MISSED_CHANGED:
            full = frame(event.kind, {"kind": event.kind, "at": event.at} | payload, seq=event.seq)
            return cls(event.seq, event.call_id, event.tenant, ends, full, full)
        known = {"call_id": event.call_id, "kind": event.kind, "at": event.at, "extension": event.extension}
        payload["recording_url"] = safe_link(payload.get("recording_url"))
        told = {name: payload[name] for name in TOLD if payload.get(name) is not None}
        brief = {"call_id": event.call_id, "kind": event.kind}
        return cls(
            seq=event.seq,
            call_id=event.call_id,
            tenant=event.tenant,
            extensions=ends,
            full=frame(event.kind, known | told, seq=event.seq),
            brief=frame("log", brief, seq=event.seq),
        )


def ends_of(event: LoggedEvent) -> frozenset[str]:
    """Return the extensions an event concerns: both ends of an internal call. Reads the payload only where it must."""
    if event.kind == EventKind.MISSED_CHANGED:
        return frozenset((EVERYBODY,))
    if '"direction":"internal"' not in event.payload:
        return frozenset((event.extension,))
    return frozenset((event.extension, json.loads(event.payload).get("number") or event.extension))


def frame(kind: str, data: dict[str, Any], *, seq: int) -> bytes:
    """Return one event of the stream; JSON never holds a bare line break, which would end the field."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return f"id: {seq}\nevent: {kind}\ndata: {text}\n\n".encode()


def reset(seq: int) -> bytes:
    """Return the event that tells a page that it missed too much: it reads its state anew and goes on
    behind ``seq``.
    """
    return frame("reset", {}, seq=seq)


def pulse(seq: int) -> bytes:
    """Return a heart-beat: a comment for proxies, and an event by which a page notices that its connection died.

    Everything up to ``seq`` was delivered, so a page that reconnects need not ask for it again.
    """
    return b": pulse\n" + frame("pulse", {}, seq=seq)
