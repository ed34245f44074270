"""A logged request as text for people and as a curl command for a shell."""

import re
import shlex
import zlib
from contextlib import suppress

from gateway.store.traffic import IN, TrafficEntry

_VERSION = re.compile(r" HTTP/[\d.]+$")
GAP = re.compile(rb"\r?\n\r?\n")
NOT_SENT = ("host", "content-length", "accept-encoding", "connection", "transfer-encoding", "expect")
"""Headers that curl writes itself."""


def parts(raw: bytes) -> tuple[list[str], bytes]:
    """Return the head's lines (bytes as Latin-1) and the body, inflated where the head says so and it can be."""
    gap = GAP.search(raw)
    head, body = (raw[: gap.start()], raw[gap.end() :]) if gap else (raw, b"")
    if re.search(rb"(?im)^content-encoding:\s*(?:x-)?gzip", head):
        with suppress(zlib.error):  # cut off, most likely: shown as it is then
            body = zlib.decompressobj(47).decompress(body, 1024 * 1024)
    return head.decode("latin-1").splitlines(), body


def readable(raw: bytes) -> str:
    """Return ``raw`` as text: the body in UTF-8, or in Latin-1 where it is not valid UTF-8."""
    lines, body = parts(raw)
    return "\n".join(lines) + ("\n\n" + decoded(body) if body else "")


def decoded(body: bytes) -> str:
    """Return ``body`` as text; bytes that are not text show as ``\\x…``."""
    try:
        return body.decode()
    except UnicodeDecodeError:
        text = body.decode("latin-1")
    return "".join(char if char.isprintable() or char in "\r\n\t" else f"\\x{ord(char):02x}" for char in text)


def as_curl(entry: TrafficEntry, base_url: str) -> str:
    """Return a command that sends the same request: to ``base_url`` (of this gateway) what came in, else to the peer.

    Empty for a request that is not HTTP, such as an action of Asterisk's manager interface.
    """
    lines, _ = parts(entry.request)
    gap = GAP.search(entry.request)
    body = entry.request[gap.end() :] if gap else b""
    if not lines or (entry.way != IN and not _VERSION.search(lines[0])):
        return ""
    method, _, rest = lines[0].partition(" ")
    target = _VERSION.sub("", rest)
    # The log does not say whether a peer was spoken to over TLS; its port is the best hint there is.
    peer = entry.address
    origin = base_url if entry.way == IN else f"{'https' if peer.endswith(':443') else 'http'}://{peer}"
    words = ["curl", "-i", *(["-X", method] if method not in ("GET", "POST") else [])]
    words += [word for line in lines[1:] if _is_sent(line) for word in ("-H", quoted(line))]
    if body or method == "POST":
        words += ["--data-raw", quoted(body.decode("latin-1"))]
    return " ".join([*words, quoted(origin + target)])


def _is_sent(line: str) -> bool:
    return ":" in line and line.partition(":")[0].strip().lower() not in NOT_SENT


def quoted(text: str) -> str:
    """Return ``text`` (bytes as Latin-1) for a shell; what is no printable ASCII by bash's ``$'…'``."""
    if text.isascii() and text.isprintable():
        return shlex.quote(text)
    escaped = text.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n").replace("\r", "\\r")
    return "$'" + "".join(char if " " <= char <= "~" else f"\\x{ord(char):02x}" for char in escaped) + "'"
