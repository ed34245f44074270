"""Puts right the head of a request that HTTP servers refuse: bytes in, a head by the book out, no sockets.

Real exchanges paste numbers and names into an address as they are. Mended here, each named in ``Repaired.repairs``:

- ``space``, ``bytes``, ``control``, ``quotes``, ``fragment``: what may not stand raw in an address is written as its
  ``%`` escape, bytes as they came, so that whoever reads the query can still tell UTF-8 from Latin-1;
- ``method``, ``version``, ``address``: small letters, no or a short version, ``http://HOST/`` before the path;
- ``lines``, ``folding``, ``header``, ``host``: line ends, folded headers, lines that are no header, a missing Host.

What the request means is never guessed: where two readings are possible (two Hosts, two lengths) it is refused, as
RFC 9112 (3.2, 6.3) asks.
"""

import re
from dataclasses import dataclass
from urllib.parse import unquote

from gateway.texts.text import Text
from gateway.wire.header_names import header_environ
from gateway.wire.transport import Environ

METHOD = re.compile(rb"([A-Za-z]+)[ \t]+")
VERSION = re.compile(rb"HTTP/[0-9.]+", re.IGNORECASE)
ABSOLUTE = re.compile(rb"https?://([^/?#]*)", re.IGNORECASE)
NAME = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
BROKEN_LINE = re.compile(rb"(?<!\r)\n")
END_OF_HEAD = re.compile(rb"\r?\n\r?\n")
CONTROL = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]+")
VERSIONS = {b"HTTP/1.0": b"HTTP/1.0", b"HTTP/1.1": b"HTTP/1.1", b"HTTP/1": b"HTTP/1.0", b"": b"HTTP/1.0"}
ESCAPES = (
    ("space", re.compile(rb"[ \t]+")),
    ("control", CONTROL),
    ("bytes", re.compile(rb"[\x80-\xff]+")),
    ("quotes", re.compile(rb'["<>]+')),
    ("fragment", re.compile(rb"#+")),
)
ESCAPED = [b"%%%02X" % byte for byte in range(256)]
# Servers stop at a hundred headers; folded ones are longer. Without an end, putting lines together takes its time.
MOST_LINES = 1000
ALONE = (b"host", b"content-length")
BLANK = b" \t\r"

Header = tuple[bytes, bytes]


@dataclass(frozen=True, slots=True)
class Repaired:
    """A head that every server reads, and what was put right in it, in the order of reading."""

    head: bytes
    repairs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Unrepairable:
    """No request can be made of it; ``status`` and ``reason`` are for the client."""

    status: int
    reason: Text


class _Hopeless(Exception):
    """Carries a ``Unrepairable`` up to ``repair``."""


def repair(head: bytes) -> Repaired | Unrepairable:
    """Mend ``head``, the bytes up to the first empty line. Mending what was mended changes nothing.

    >>> repair(b"get /c?telefone=11 98765-4321 HTTP/1.0\\n\\n")
    Repaired(head=b'GET /c?telefone=11%2098765-4321 HTTP/1.0\\r\\n\\r\\n', repairs=('lines', 'method', 'space'))
    """
    repairs: list[str] = []
    try:
        lines = split_lines(head, repairs)
        request_line, authority = mend_request_line(lines[0], repairs)
        headers = mend_headers(lines[1:], repairs)
        headers = with_host(headers, authority, needed=request_line.endswith(b"1.1"), repairs=repairs)
        check_lengths(headers)
    except _Hopeless as error:
        return error.args[0]  # type: ignore[no-any-return]
    written = [request_line, *(name + b": " + value for name, value in headers)]
    return Repaired(b"\r\n".join(written) + b"\r\n\r\n", tuple(dict.fromkeys(repairs)))


def split_lines(head: bytes, repairs: list[str]) -> list[bytes]:
    """Return the lines of ``head`` up to the first empty one; empty lines before the first are allowed
    (RFC 9112, 2.2).
    """
    head = head.lstrip(b"\r\n")
    lines = head.replace(b"\r\n", b"\n").split(b"\n")
    end = lines.index(b"") if b"" in lines else len(lines)
    if end > MOST_LINES:
        raise _Hopeless(Unrepairable(431, Text("the head has more than {most} lines.", most=MOST_LINES)))
    if BROKEN_LINE.search(head):
        repairs.append("lines")
    return lines[:end] or [b""]


def mend_request_line(line: bytes, repairs: list[str]) -> tuple[bytes, bytes | None]:
    """Return the mended request line, and the host where it named one."""
    line = line.strip(BLANK)
    found = METHOD.match(line)
    if found is None:
        raise _Hopeless(Unrepairable(400, Text("the first line is no HTTP request.")))
    method = found[1]
    target, version = split_version(line[found.end() :])
    if method != method.upper():
        repairs.append("method")
    if (known := VERSIONS.get(version.upper())) is None:
        raise _Hopeless(Unrepairable(505, Text("only HTTP/1.0 and HTTP/1.1 are served.")))
    if known != version:
        repairs.append("version")
    path, authority = origin_form(target, repairs)
    return b" ".join((method.upper(), escape(path, repairs), known)), authority


def split_version(rest: bytes) -> tuple[bytes, bytes]:
    """Return target and version: only behind the last blank can a version stand, all other blanks belong
    to the target.
    """
    cut = max(rest.rfind(b" "), rest.rfind(b"\t"))
    if VERSION.fullmatch(rest, cut + 1):
        return rest[: max(cut, 0)].rstrip(BLANK), rest[cut + 1 :]
    return rest, b""


def origin_form(target: bytes, repairs: list[str]) -> tuple[bytes, bytes | None]:
    """Return ``target`` beginning with its path, and the host (without a login) that stood before it."""
    found = ABSOLUTE.match(target)
    if found is not None:
        repairs.append("address")
        rest = target[found.end() :]
        return (rest if rest.startswith(b"/") else b"/" + rest), found[1].rpartition(b"@")[2]
    if not target.startswith(b"/"):
        raise _Hopeless(Unrepairable(400, Text("the address does not begin with '/'.")))
    return target, None


def escape(target: bytes, repairs: list[str]) -> bytes:
    """Return ``target`` with everything as ``%XX`` that may not stand in an address."""
    for kind, pattern in ESCAPES:
        target, count = pattern.subn(lambda found: b"".join(map(ESCAPED.__getitem__, found[0])), target)
        repairs.extend([kind] * bool(count))
    return target


def mend_headers(lines: list[bytes], repairs: list[str]) -> list[Header]:
    """Return name and value of each header, on one line each; lines that are none are left out."""
    headers: list[Header] = []
    for line in unfold(lines, repairs):
        name, colon, value = line.partition(b":")
        if not colon or not NAME.fullmatch(name.strip()):
            repairs.append("header")
            continue
        clean = CONTROL.sub(lambda found: b" " * len(found[0]), value).strip(b" \t")
        if name != name.strip() or clean != value.strip(b" \t"):
            repairs.append("header")
        headers.append((name.strip(), clean))
    return headers


def unfold(lines: list[bytes], repairs: list[str]) -> list[bytes]:
    """Return ``lines`` with each that begins with a blank put behind the one above (RFC 9112, 5.2)."""
    unfolded: list[bytes] = []
    for line in lines:
        if not line.startswith((b" ", b"\t")):
            unfolded.append(line)
            continue
        if not unfolded:
            raise _Hopeless(Unrepairable(400, Text("the first line of the request is broken in two.")))
        repairs.append("folding")
        unfolded[-1] = unfolded[-1].rstrip(b" \t") + b" " + line.strip(b" \t")
    return unfolded


def with_host(headers: list[Header], authority: bytes | None, *, needed: bool, repairs: list[str]) -> list[Header]:
    """Return ``headers`` with the host that the request line named, or an empty one where HTTP/1.1 needs it.

    Empty means "not known" (RFC 9110, 7.2): the gateway then finds the company as it does for HTTP/1.0.
    """
    if authority is not None:
        # What stood in the request line counts more than the header (RFC 9112, 3.2.2).
        host = re.sub(rb"[^!-~]", b"", authority)
        return [(b"Host", host), *(header for header in headers if header[0].lower() != b"host")]
    if needed and not any(name.lower() == b"host" for name, _ in headers):
        repairs.append("host")
        return [(b"Host", b""), *headers]
    return headers


def check_lengths(headers: list[Header]) -> None:
    """Refuse what could be read in two ways, and the body that has no length."""
    names = [name.lower() for name, _ in headers]
    for name in ALONE:
        if names.count(name) > 1:
            raise _Hopeless(Unrepairable(400, Text("the header {name} came more than once.", name=name.decode())))
    if b"transfer-encoding" in names:
        raise _Hopeless(Unrepairable(501, Text("this port reads bodies with Content-Length only.")))


def environ_of(head: bytes) -> Environ:
    """Return the part of a WSGI environ (PEP 3333) that a repaired ``head`` tells."""
    request_line, *lines = head.decode("latin-1").removesuffix("\r\n\r\n").split("\r\n")
    method, target, version = request_line.split(" ")
    path, _, query = target.partition("?")
    environ: Environ = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote(path, encoding="latin-1"),
        "QUERY_STRING": query,
        "SERVER_PROTOCOL": version,
    }
    return environ | header_environ(_header(line) for line in lines)


def _header(line: str) -> tuple[str, str]:
    name, _, value = line.partition(":")
    return name, value.strip(" ")
