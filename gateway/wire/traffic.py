"""Machines' requests and our answers into the traffic log, and back: a logged event as a request to serve again.

The server hands us a parsed request, so header names and their order are written the usual way; the request's line,
values and body are as they came. Behind the lenient port the head is the very bytes.
"""

import re
import time
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO
from typing import Any

from gateway.errors import NotReplayable
from gateway.store.traffic import IN, Draft, Remark, RemarkCode, TrafficEntry, cut
from gateway.texts.text import Text
from gateway.traffic.masking import MASK, mask
from gateway.traffic.remarks import note_of
from gateway.traffic.spelled import masked
from gateway.traffic.told import is_part_unread, is_unread, told
from gateway.wire.guard import WINDOWS, to_utf8
from gateway.wire.intake import REPLAY_OF
from gateway.wire.lenient import repair as lenient
from gateway.wire.lenient.repair import END_OF_HEAD, Repaired, repair
from gateway.wire.operations import EVENTS, OPERATIONS
from gateway.wire.transport import REMARKS, Answer, Environ

RAW_HEAD = "cti.raw_head"
REPAIRS = "cti.repairs"
GAP = b"\r\n\r\n"
ENCODING = re.compile(rb"(?im)^content-encoding:[^\r\n]*\r?\n")
WITH_BODY = ("POST", "PUT", "PATCH")
BODIES = ("soap", "xmlrpc")
"""Wires whose parameters stand in bodies, some of them without a name."""
Remarks = tuple[Remark, ...]
BODY_HIDDEN: Remarks = (Remark(RemarkCode.BODY_HIDDEN, {}),)
TEXTS_HIDDEN: Remarks = (Remark(RemarkCode.TEXTS_HIDDEN, {}),)
UNPACKED: Remarks = (Remark(RemarkCode.UNPACKED, {}),)
CONVERTED: Remarks = (Remark(RemarkCode.CONVERTED, {}),)
# Events have no login by position, so that a body that names only them may be shown to those who look for its error.
EVENT = re.compile("|".join(event.name for event in EVENTS).encode(), re.IGNORECASE)
LOGIN_TAKEN = re.compile(rb"clicktocall|teste|usuario|login", re.IGNORECASE)
CDATA = re.compile(rb"<!\[CDATA\[.*?(?:\]\]>|\Z)", re.DOTALL)
BETWEEN_TAGS = re.compile(rb"(?<!<methodName>)((?:\A|>)\s*)[^\s<][^<]*")
WIDE_CHARSET = re.compile(rb"(?i)(charset=\"?)utf-?(?:16|32)(?:-?[bl]e)?")
QUERY = re.compile(rb"\A([^?\r\n]*)\?[^\r\n]*")
WEBHOOK = "webhook"
WRITTEN_BEFORE = ("HTTP_CONTENT_TYPE", "HTTP_CONTENT_LENGTH")
Add = Callable[[Draft, int], None]


class Tee:
    """A request's body that remembers what was read of it, up to ``most`` bytes."""

    __slots__ = ("_most", "_stream", "kept", "size")

    def __init__(self, stream: Any, most: int) -> None:
        self._stream = stream
        self._most = most
        self.kept = b""
        self.size = 0

    def read(self, size: int = -1) -> bytes:
        part: bytes = self._stream.read(size)
        self._keep(part)
        return part

    def readline(self, size: int = -1) -> bytes:
        part: bytes = self._stream.readline(size)
        self._keep(part)
        return part

    def _keep(self, part: bytes) -> None:
        room = self._most - len(self.kept)
        if room > 0 and part:
            self.kept += part[:room]
        self.size += len(part)


@dataclass(frozen=True, slots=True)
class Recorder:
    """Writes what machines ask and are told. ``secrets(tenant)`` are masked wherever they stand."""

    add: Add
    secrets: Callable[[str], tuple[bytes, ...]]
    most_bytes: int

    def begin(self, environ: Environ) -> int:
        """Watch the request's body; the time to hand to ``end``."""
        if environ["REQUEST_METHOD"] in WITH_BODY:
            environ["wsgi.input"] = Tee(environ["wsgi.input"], self.most_bytes)
        return time.perf_counter_ns()

    def end(self, environ: Environ, answer: Answer, wire: str, began: int) -> None:
        """Have the entry written; the client does not wait for it."""
        took_us = (time.perf_counter_ns() - began) // 1000
        at = time.time_ns() // 1_000_000
        body = environ["wsgi.input"] if environ["REQUEST_METHOD"] in WITH_BODY else None
        size = len(answer.body) + (len(body.kept) if body else 0)
        self.add(lambda: self._entry(environ, body, answer, wire, at, took_us), size)

    def _entry(
        self, environ: Environ, body: Tee | None, answer: Answer, wire: str, at: int, took_us: int
    ) -> TrafficEntry:
        tenant = environ.get("cti.tenant", "")
        secrets, read = self.secrets(tenant), told(environ)
        came, long = _whole(environ, body, self.most_bytes)
        came, hidden = _without_secrets(came, read)
        if body is not None and wire in BODIES and not hidden:
            came, hidden = _without_texts(came, environ)
        answered, longer = cut(answer_bytes(answer), self.most_bytes, RemarkCode.ANSWER_CUT)
        remarks = (*environ.get(REMARKS, ()), *_repairs(environ), *_replay(environ), *long, *hidden, *longer)
        return TrafficEntry(
            at=at,
            took_us=took_us,
            way=IN,
            tenant=tenant,
            peer=environ["cti.client"],
            wire=wire,
            operation=environ.get("cti.operation", ""),
            call_id=environ.get("cti.call_id"),
            status=answer.status,
            note=note_of(remarks),
            remarks=remarks,
            request=mask(came, secrets),
            answer=mask(masked(answered, read)[0], secrets),
        )


def _whole(environ: Environ, body: Tee | None, most: int) -> tuple[bytes, Remarks]:
    """Return the request as it is kept, and what was left out. A compressed body is unpacked: nobody could mask or read
    it.
    """
    head = head_of(environ)
    if body is None:
        return cut(head, most)
    head, kept, remarks = _in_reach(head, body, environ, most)
    if b"\0" not in kept:
        return head + kept, remarks
    # Two bytes for each letter: nothing of it would be found or read.
    plain = to_utf8(kept, environ.get("CONTENT_TYPE", "")).replace(b"\0", b"")
    return WIDE_CHARSET.sub(rb"\1utf-8", head) + plain, (*remarks, *CONVERTED)


def _halves(came: bytes) -> tuple[bytes, bytes]:
    """Return head and body; the lenient port takes heads with bare line feeds."""
    end = END_OF_HEAD.search(came)
    return (came[: end.end()], came[end.end() :]) if end else (came, b"")


def _in_reach(head: bytes, body: Tee, environ: Environ, most: int) -> tuple[bytes, bytes, Remarks]:
    """Return head and body, the body unpacked, and what was left out."""
    whole = len(body.kept) == body.size
    left_out = () if whole else (Remark(RemarkCode.BODY_CUT, {"size": body.size, "kept": len(body.kept)}),)
    plain = unpacked(body.kept, environ.get("HTTP_CONTENT_ENCODING", ""), most) if body.kept else None
    if plain is None:
        return head, body.kept, left_out
    longer = (Remark(RemarkCode.UNPACKED_CUT, {"kept": most}),) if whole and len(plain) > most else ()
    return ENCODING.sub(b"", head), plain[:most], (*UNPACKED, *longer, *left_out)


def _without_secrets(came: bytes, read: Mapping[str, int]) -> tuple[bytes, Remarks]:
    """Return the request without what was ``read`` as secrets; without body and query where not all of
    it can be found.
    """
    came, complete = masked(came, read)
    return (came, ()) if complete else (QUERY.sub(rb"\1?" + MASK, _halves(came)[0]) + MASK, BODY_HIDDEN)


def _without_texts(came: bytes, environ: Environ) -> tuple[bytes, Remarks]:
    """Return the request without the body's texts where an operation did not read them: any of them may be a secret."""
    if not (is_part_unread(environ) or is_unread(environ)):
        return came, ()
    head, body = _halves(came)
    only_events = bool(EVENT.search(body)) and not LOGIN_TAKEN.search(body)
    if (only_events and not is_part_unread(environ)) or b"<" not in body:
        return came, ()
    return head + BETWEEN_TAGS.sub(rb"\1" + MASK, CDATA.sub(MASK, body)), TEXTS_HIDDEN


def unpacked(body: bytes, encoding: str, most: int) -> bytes | None:
    """Return the beginning of ``body`` unpacked, a little more than ``most`` bytes of it; None where it
    is not packed.
    """
    if encoding.strip().lower() not in ("gzip", "x-gzip", "deflate"):
        return None
    for window in WINDOWS:
        try:
            return zlib.decompressobj(window).decompress(body, most + 1) or None
        except zlib.error:
            continue
    return None


def _repairs(environ: Environ) -> Remarks:
    repairs = environ.get(REPAIRS)
    return (Remark(RemarkCode.REPAIRED, {"repairs": ", ".join(repairs)}),) if repairs else ()


def _replay(environ: Environ) -> Remarks:
    replayed, by = environ.get(REPLAY_OF), environ.get("cti.replay_by", "")
    return (Remark(RemarkCode.REPLAYED, {"entry": replayed, "by": by}),) if replayed else ()


def head_of(environ: Environ) -> bytes:
    """Return the request's head: as it came at the lenient port, else put together from what the server told."""
    raw: bytes | None = environ.get(RAW_HEAD)
    if raw is not None:
        return raw
    query = environ.get("QUERY_STRING", "")
    target = environ.get("SCRIPT_NAME", "") + environ["PATH_INFO"] + (f"?{query}" if query else "")
    lines = [f"{environ['REQUEST_METHOD']} {target} {environ.get('SERVER_PROTOCOL', 'HTTP/1.1')}"]
    for key, name in (("CONTENT_TYPE", "Content-Type"), ("CONTENT_LENGTH", "Content-Length")):
        if environ.get(key):
            lines.append(f"{name}: {environ[key]}")
    lines += [f"{name}: {environ[key]}" for key, name in _header_names(tuple(environ))]
    return "\r\n".join(lines).encode("latin-1", "replace") + GAP


@lru_cache(maxsize=256)
def _header_names(keys: tuple[str, ...]) -> list[tuple[str, str]]:
    """Return those of an environ's ``keys`` that are headers, each with its name: ``User-Agent`` of
    ``HTTP_USER_AGENT``.

    Without what was written already; Granian may hand a body's type and length over under both names. Remembered,
    because all requests of a sender have the same headers.
    """
    headers = [key for key in keys if key.startswith("HTTP_") and key not in WRITTEN_BEFORE]
    return [(key, key[5:].replace("_", "-").title()) for key in headers]


def answer_bytes(answer: Answer) -> bytes:
    """Return the answer's head and body."""
    lines = [f"HTTP/1.1 {answer.status}", *(f"{name}: {value}" for name, value in answer.headers)]
    return "\r\n".join(lines).encode("latin-1", "replace") + GAP + answer.body


def may_be_replayed(entry: TrafficEntry) -> bool:
    """Return whether ``entry`` is an event that came in and was kept whole."""
    if entry.wire == WEBHOOK:
        return entry.way == IN and entry.whole
    operation = OPERATIONS.get(entry.operation)
    is_event = operation is not None and not operation.dials and entry.operation != "Teste"
    return entry.way == IN and is_event and entry.whole


def environ_of(entry: TrafficEntry, by: str) -> Environ:
    """Return ``entry`` as a request to serve again, marked as sent by the agent ``by``. Raises ``NotReplayable``.

    The client's address stays that of the entry; whoever may press the button stands in for its credentials.
    """
    end = END_OF_HEAD.search(entry.request)
    repaired = repair(entry.request[: end.end()]) if end else None
    if not end or not isinstance(repaired, Repaired) or not may_be_replayed(entry):
        raise NotReplayable(Text("entry {id}", id=entry.id))
    body = entry.request[end.end() :]
    environ = lenient.environ_of(repaired.head)
    environ |= {
        "REMOTE_ADDR": entry.peer,
        "cti.client": entry.peer,
        "wsgi.url_scheme": "http",
        "wsgi.input": BytesIO(body),
    }
    return environ | {"CONTENT_LENGTH": str(len(body)), REPLAY_OF: entry.id, "cti.replay_by": by}
