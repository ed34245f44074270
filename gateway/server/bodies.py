"""Reads a request's body on the event loop, never longer and never more than is allowed."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, Protocol

from gateway.errors import MalformedRequest
from gateway.texts.text import Text


class IncomingBody(Protocol):
    """A request's body in pieces, as Granian's protocol object gives them."""

    def __aiter__(self) -> AsyncIterator[bytes]: ...


@dataclass(frozen=True, slots=True)
class BodyLimits:
    """The most bytes of a body, the seconds for all of it, and the longest pause within it."""

    max_bytes: int
    whole_s: float
    pause_s: float


def is_expected(environ: dict[str, Any]) -> bool:
    """Return whether a body comes behind the head (RFC 9112, 6.3)."""
    return environ.get("CONTENT_LENGTH", "0") != "0" or "HTTP_TRANSFER_ENCODING" in environ


def is_refused_unread(environ: dict[str, Any], limits: BodyLimits) -> bool:
    """Return whether the length that was announced is more than any wire takes, so that nothing needs to be read."""
    length = environ.get("CONTENT_LENGTH", "")
    return not (length.isascii() and length.isdigit() and len(length) < 20) or int(length) > limits.max_bytes


async def read_body(environ: dict[str, Any], incoming: IncomingBody, limits: BodyLimits) -> bytes:
    """Read the body, at most a little more than ``max_bytes``: the wire then refuses it in its own words.

    Raises ``MalformedRequest`` when it does not come in time.
    """
    if not is_expected(environ):
        return b""
    if "CONTENT_LENGTH" in environ and is_refused_unread(environ, limits):
        return b""
    try:
        return await _read(incoming, _most(environ, limits), limits)
    except TimeoutError:
        hint = Text("Send the whole body without pauses.")
        raise MalformedRequest(Text("the request took too long."), hint=hint) from None


def _most(environ: dict[str, Any], limits: BodyLimits) -> int:
    """Return with how many bytes the body is whole, or too long to be taken."""
    if "HTTP_TRANSFER_ENCODING" in environ:
        return limits.max_bytes + 1
    return int(environ["CONTENT_LENGTH"])


async def _read(incoming: IncomingBody, most: int, limits: BodyLimits) -> bytes:
    """Read until there are ``most`` bytes: to be told of the end as well takes the loop one more turn."""
    parts: list[bytes] = []
    size = 0
    now = asyncio.get_running_loop().time
    began = now()
    deadline = began + limits.whole_s
    async with asyncio.timeout_at(min(deadline, began + limits.pause_s)) as clock:
        async for piece in incoming:
            parts.append(piece)
            size += len(piece)
            if size >= most:
                break
            clock.reschedule(min(deadline, now() + limits.pause_s))
    return b"".join(parts)
