"""The heads of HTTP's messages: a request's is written, an answer's is read and kept as it came.

Appliances write what no standard allows, so a head is read for what it says: ``http.client`` gives up at the first line
that is no header and loses all behind it, and reads by the e-mail parser, which took a tenth of an order's time.
"""

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from http.client import BadStatusLine, HTTPException, HTTPResponse, InvalidURL, LineTooLong, RemoteDisconnected
from typing import NamedTuple
from urllib.parse import urlsplit

from urllib3 import HTTPHeaderDict

MAX_LINE = 64 * 1024
"""Bytes of one line, its end included."""
MAX_HEADERS = 100
MAX_DIGITS = 19

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_NO_TARGET = re.compile(r"[^!-~]")
_NO_VALUE = re.compile(r"[\x00\r\n]")
_STATUS = re.compile(rb"\s*HTTP/(0\.9|1\.\d+)\s+([1-9]\d\d)(?:\s+(.*?))?\s*", re.DOTALL)


class Address(NamedTuple):
    """Where a peer is. ``told`` is what it is told as ``Host``: without its port where that is the usual one."""

    host: str
    port: int
    is_tls: bool
    told: str

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@lru_cache(maxsize=1024)
def address_of(origin: str) -> Address:
    """Return the address in ``scheme://host:port``. Raises ``InvalidURL`` and ``ValueError`` where there is none."""
    parts = urlsplit(origin)
    is_tls = parts.scheme == "https"
    usual = 443 if is_tls else 80
    host, port = parts.hostname or "", parts.port or usual
    if not host or " " in host or not host.isprintable():
        raise InvalidURL("the address has no host")
    name = f"[{host}]" if ":" in host else host.encode("ascii" if host.isascii() else "idna").decode()
    return Address(host, port, is_tls, name if port == usual else f"{name}:{port}")


def request_head(method: str, origin: str, target: str, headers: Mapping[str, str]) -> bytes:
    """Return the head of a request, to its empty line; ``Host`` comes first, unless the headers have their own.

    ``target`` stands in the first line letter for letter: an appliance may want wrong what others would put right
    (``/dial&number=1``, ``%2b``). Raises ``ValueError`` and ``InvalidURL`` for what no request can hold.
    """
    if not _TOKEN.fullmatch(method) or _NO_TARGET.search(target):
        raise InvalidURL("the request line has characters that it cannot hold")
    lines = [f"{method} {target} HTTP/1.1"]
    if "host" not in map(str.lower, headers):
        lines.append(f"Host: {address_of(origin).told}")
    for name, value in headers.items():
        if not _TOKEN.fullmatch(name) or _NO_VALUE.search(value):
            raise ValueError(f"the header {name!r} cannot be sent")
        lines.append(f"{name}: {value}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


class Response(HTTPResponse):
    """The answer to any request but HEAD, its body read as ``http.client`` does. ``head`` is as it came, ``fields`` are
    its headers.
    """

    def begin(self) -> None:
        """Read the head of the answer, those of interim ones passed over. Raises ``HTTPException``."""
        self.status = 0
        while self.status < 200 and self.status != 101:
            version = self._read_first_line()
            found = headers_in(self._read_lines())
        self.fields = HTTPHeaderDict()
        for name, value in found:
            self.fields.add(name, value)
        # Of a header that is repeated the first one counts, as for http.client.
        said = {name.lower(): value for name, value in reversed(found)}
        self.chunked = said.get("transfer-encoding", "").rpartition(",")[2].strip().lower() == "chunked"
        self.chunk_left = None
        self.length = None if self.chunked else self._length(said)
        self.will_close = _closes(version, said) or not (self.chunked or self.length is not None)

    def _read_first_line(self) -> bytes:
        """Read status and reason; return the version of HTTP. Raises ``HTTPException``."""
        line = self.fp.readline(MAX_LINE + 1)
        if not line:
            raise RemoteDisconnected("the peer closed the connection without an answer")
        if len(line) > MAX_LINE:
            raise LineTooLong("status line")
        found = _STATUS.fullmatch(line)
        if not found:
            raise BadStatusLine(repr(line[:80]))
        self.head = line
        self.status, self.reason = int(found[2]), (found[3] or b"").decode("latin-1")
        return found[1]

    def _read_lines(self) -> list[str]:
        lines: list[str] = []
        while (line := self.fp.readline(MAX_LINE + 1)) not in (b"\r\n", b"\n", b""):
            if len(line) > MAX_LINE:
                raise LineTooLong("header line")
            if len(lines) == MAX_HEADERS:
                raise HTTPException(f"got more than {MAX_HEADERS} headers")
            self.head += line
            lines.append(line.decode("latin-1"))
        self.head += line
        return lines

    def _length(self, said: Mapping[str, str]) -> int | None:
        if self.status in (101, 204, 304):
            return 0
        length = said.get("content-length", "")
        return int(length) if length.isascii() and length.isdigit() and len(length) < MAX_DIGITS else None


def headers_in(lines: Iterable[str]) -> list[tuple[str, str]]:
    """Return names and values; a line that goes on with the one before is joined to it, one that is no header passed
    over.
    """
    found: list[tuple[str, str]] = []
    for line in lines:
        name, colon, value = line.partition(":")
        if line[0] in " \t":
            if found:
                found[-1] = found[-1][0], f"{found[-1][1]} {line.strip()}".strip()
        elif colon and name.strip():
            found.append((name.rstrip(), value.strip()))
    return found


def _closes(version: bytes, said: Mapping[str, str]) -> bool:
    kept = said.get("connection", "").lower()
    if version not in (b"0.9", b"1.0"):
        return "close" in kept
    return "keep-alive" not in kept and "keep-alive" not in said
