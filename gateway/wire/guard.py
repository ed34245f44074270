"""Reads bodies that nobody vouches for: size, then compression, charset, and XML without its dangers."""

import re
import zlib
from typing import Any
from xml.etree.ElementTree import Element, ParseError, TreeBuilder, XMLParser, fromstring
from xml.parsers.expat import ExpatError, ParserCreate
from xml.parsers.expat.errors import XML_ERROR_UNBOUND_PREFIX, codes

from gateway.errors import MalformedRequest, TooLarge
from gateway.multipart import is_multipart, root_part
from gateway.texts.text import Text

DECLARATION = re.compile(rb"<\?xml[^>]*?\?>")
ENCODING = re.compile(rb"""encoding\s*=\s*["']([A-Za-z0-9._-]+)["']""")
CHARSET = re.compile(r"""charset\s*=\s*["']?([A-Za-z0-9._-]+)""", re.IGNORECASE)
# Those that clients speak. Python has more, some of which take quadratic time (punycode), and it remembers for ever
# every name that it was asked for.
KNOWN_CHARSETS = re.compile(
    r"utf[-_]?8|utf[-_]?(16|32)([-_]?[lb]e)?|(us[-_])?ascii|latin[-_]?1"
    r"|iso[-_]?8859[-_]([1-9]|1[0-6])|(windows[-_]|cp)(125[0-8]|437|850|858)"
    r"|koi8[-_][ru]|gb(2312|k|18030)|big5|euc[-_](jp|kr)|shift[-_]jis"
)
# How a document begins whose characters have more than one byte: XML 1.0, appendix F. The longer come first.
BEGINNINGS = {
    b"\xff\xfe\0\0": "utf-32",
    b"\0\0\xfe\xff": "utf-32",
    b"<\0\0\0": "utf-32-le",
    b"\0\0\0<": "utf-32-be",
    b"\xff\xfe": "utf-16",
    b"\xfe\xff": "utf-16",
    b"<\0": "utf-16-le",
    b"\0<": "utf-16-be",
}
MOST_DEEP = 256
# What makes work for the parser: an element takes a microsecond and a hundred bytes, so that a megabyte of them would
# take half a second and a hundred megabytes. A system.multicall of 100 calls has about 9000.
MOST_MARKS = 16_384
MOST_DIGITS = 18
# gzip and zlib; "deflate" means zlib's format, but some send the bare stream.
WINDOWS = (47, -15)
UNBOUND_PREFIX = codes[XML_ERROR_UNBOUND_PREFIX]
BLANK = b" \t\r\n\xef\xbb\xbf"
NOT_XML = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def read_body(environ: dict[str, Any], limit: int) -> bytes:
    """Read the request's body, inflated. Raises ``TooLarge`` (if it can, before reading), ``MalformedRequest``."""
    length = environ.get("CONTENT_LENGTH", "")
    if length:
        if not (length.isascii() and length.isdigit()):
            raise MalformedRequest(Text("Content-Length is not a number."))
        # int() reads no more than 4300 digits (sys.int_info), and no server means more than these.
        if len(length) > MOST_DIGITS or int(length) > limit:
            raise TooLarge(limit)
        body = read_up_to(environ["wsgi.input"], int(length))
        if len(body) < int(length):
            raise MalformedRequest(Text("the request's body came incomplete."))
    elif environ.get("wsgi.input_terminated"):
        body = read_up_to(environ["wsgi.input"], limit + 1)
    else:
        return b""
    if len(body) > limit:
        raise TooLarge(limit)
    encoding = environ.get("HTTP_CONTENT_ENCODING")
    return inflate(body, encoding.strip().lower(), limit) if encoding else body


def read_message(environ: dict[str, Any], limit: int) -> tuple[bytes, str]:
    """Read the message in the request's body and its media type: of one with attachments (MTOM), those of its root
    part. Raises ``MalformedRequest``.

    Raises what ``read_body`` raises.
    """
    body, kind = read_body(environ, limit), environ.get("CONTENT_TYPE", "")
    if not is_multipart(kind):
        return body, kind
    try:
        return root_part(body, kind)
    except ValueError as error:
        text = Text("the body is not the multipart that Content-Type says ({reason}).", reason=str(error))
        raise MalformedRequest(text) from None


def read_up_to(stream: Any, size: int) -> bytes:
    """Read ``size`` bytes, or fewer where the body ends."""
    body: bytes = stream.read(size)
    if len(body) == size:
        return body
    parts = [body]
    missing = size - len(body)
    while missing > 0 and (part := stream.read(missing)):
        parts.append(part)
        missing -= len(part)
    return b"".join(parts)


def inflate(body: bytes, encoding: str, limit: int) -> bytes:
    """Undo gzip or deflate, never beyond ``limit`` bytes. Raises ``TooLarge``, ``MalformedRequest``."""
    if encoding in ("", "identity"):
        return body
    if encoding not in ("gzip", "x-gzip", "deflate"):
        text = Text("Content-Encoding {encoding!r} not accepted.", encoding=encoding[:40])
        raise MalformedRequest(text, hint=Text("Use gzip or deflate."))
    for window in WINDOWS:
        try:
            inflated = zlib.decompressobj(window).decompress(body, limit + 1)
        except zlib.error:
            continue
        if len(inflated) > limit:
            raise TooLarge(limit)
        return inflated
    raise MalformedRequest(Text("the body is not in {encoding}.", encoding=encoding))


def parse_xml(body: bytes, content_type: str, *, namespaces: bool = True) -> Element:
    """Parse ``body``, whatever charset it turns out to be in, and return its root element, without comments and
    instructions.

    Not by lxml: it keeps every name it ever read in its thread, so that strangers could fill the memory. Expat forgets,
    and without a DOCTYPE it has no entities to expand or fetch. Where a protocol has no ``namespaces``, prefixes need
    not be declared. Raises ``MalformedRequest``.
    """
    data = to_utf8(body.lstrip(BLANK), content_type)
    if not data:
        raise MalformedRequest(Text("the request's body is empty."))
    if b"<!DOCTYPE" in data:
        raise MalformedRequest(Text("DOCTYPE is not accepted."))
    if len(data) > MOST_MARKS and marks_in(data) > MOST_MARKS:
        raise MalformedRequest(Text("the body has more than {most} elements, attributes and lines.", most=MOST_MARKS))
    try:
        root = fromstring(data, XMLParser(encoding="utf-8"))  # noqa: S314
    except ParseError as error:
        if namespaces or error.code != UNBOUND_PREFIX:
            raise MalformedRequest(not_valid(error.position[0])) from None
        root = parse_without_prefixes(data)
    if data.count(b"</") > MOST_DEEP and is_too_deep(root):
        raise MalformedRequest(Text("the body has more than {most} levels of elements.", most=MOST_DEEP))
    return root


def parse_without_prefixes(data: bytes) -> Element:
    """Parse ``data`` and return its root element, whose names have lost their prefixes. Raises ``MalformedRequest``."""
    builder, parser = TreeBuilder(), ParserCreate("utf-8")
    parser.StartElementHandler = lambda name, attributes: builder.start(name.rpartition(":")[2], attributes)
    parser.EndElementHandler = lambda name: builder.end(name.rpartition(":")[2])
    parser.CharacterDataHandler = builder.data
    try:
        parser.Parse(data, True)
    except ExpatError as error:
        raise MalformedRequest(not_valid(error.lineno)) from None
    return builder.close()


def not_valid(line: int) -> Text:
    return Text("the body is no valid XML (line {line}).", line=line)


def marks_in(data: bytes) -> int:
    """Return how often the parser has to stop: tags, attributes, escapes, lines (CR LF is one)."""
    return sum(map(data.count, (b"<", b"=", b"&"))) + max(data.count(b"\n"), data.count(b"\r"))


def is_too_deep(root: Element) -> bool:
    """Return whether elements nest deeper than any reader should have to follow."""
    level = [root]
    for _ in range(MOST_DEEP):
        level = [child for element in level for child in element]
        if not level:
            return False
    return True


def to_utf8(body: bytes, content_type: str) -> bytes:
    """Return ``body`` in UTF-8 without its XML declaration.

    Header and declaration often contradict each other and the bytes; UTF-8 is strict enough to be believed
    first then.
    """
    declaration = DECLARATION.match(body)
    data = body[declaration.end() :].lstrip(BLANK) if declaration else body
    if data.isascii() and b"\0" not in data:
        return data
    declared = ENCODING.search(declaration[0]) if declaration else None
    in_header = CHARSET.search(content_type)
    said = [match for match in (declared and declared[1].decode(), in_header and in_header[1]) if match]
    known = [name for name in map(str.lower, said) if KNOWN_CHARSETS.fullmatch(name)]
    for charset in charsets(known, data):
        try:
            return data.decode(charset).lstrip("\ufeff").encode()
        except (UnicodeError, LookupError):
            continue
    return data.decode("latin-1").encode()


def declared_charset(body: bytes) -> str:
    """Return the charset in the XML declaration of ``body``, in small letters; empty when it has none."""
    declaration = DECLARATION.match(body.lstrip(BLANK))
    found = ENCODING.search(declaration[0]) if declaration else None
    return found[1].decode().lower() if found else ""


def charsets(said: list[str], data: bytes) -> list[str]:
    """Return the charsets to try in order, given what header and declaration say and how ``data`` begins."""
    for beginning, charset in BEGINNINGS.items():
        if data.startswith(beginning):
            return [charset]
    agreed = len(set(said)) == 1
    return [*said, "utf-8"] if agreed else ["utf-8", *said]


def printable(text: str) -> str:
    """Return ``text`` without the characters that XML cannot hold; an appliance's answer may carry any."""
    return text if text.isprintable() else NOT_XML.sub("?", text)
