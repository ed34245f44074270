"""Finds texts in raw bytes, however they spell them.

A byte may stand as itself, as a ``%`` escape (or one that was escaped again), as a character reference of XML, as an
escape of JSON; a letter in any charset that clients speak; a text in the pieces of CDATA sections, or as base64. So the
bytes are looked at through *views*: the same bytes with some of these undone, each byte knowing where it came from.
"""

import base64
import re
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

from gateway.traffic.masking import MASK

SHORT = 6
"""Shorter texts count only as a whole value: they stand by chance inside many others."""
MOST = 40
"""More different secrets are not looked for: a request that has so many is not kept as it is."""
MOST_PLACES = 2_000
"""Nor are more places of one; each is found through several views."""
CHARSETS = ("utf-8", "latin-1", "cp1252", "iso-8859-15", "cp850", "cp437")
NAMED = {b"amp": b"&", b"lt": b"<", b"gt": b">", b"quot": b'"', b"apos": b"'"}
LETTERS = {b'"': b'"', b"\\": b"\\", b"/": b"/", b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t"}
LAST_LETTER = 0x10FFFF

# Comments and instructions have an end here, so that a body of beginnings takes no time.
MARKUP = (
    rb"%(?P<hex>[0-9A-Fa-f]{2})|(?P<plus>\+)|&#(?P<code>[0-9]{1,12}|[xX][0-9A-Fa-f]{1,12});|&(?P<named>amp|lt|gt|quot|apos);"
    rb"|(?P<nothing><!\[CDATA\[|\]\]>|<!--(?:[^-]|-(?!->)){0,40}-->|<\?[^>]{0,40}\?>)"
)
JSON = rb'|(?P<units>(?:\\u[0-9A-Fa-f]{4})+)|\\(?P<letter>["\\/bfnrt])'
ESCAPES = re.compile(MARKUP)
ESCAPES_OF_JSON = re.compile(MARKUP + JSON)
BLANKS = re.compile(rb"(?P<nothing>\s+)")
WORD = re.compile(rb"[\w%+*.-]")

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class View:
    """Bytes, and of each of them the beginning and end of what it stands for in the raw bytes."""

    data: bytes
    starts: "array[int] | range"
    ends: "array[int] | range"

    def spans(self, wanted: bytes, *, alone: bool) -> Iterator[Span]:
        """Find where ``wanted`` stands in the raw bytes; ``alone``: only as a whole word."""
        at = self.data.find(wanted)
        while at >= 0:
            behind = at + len(wanted)
            if not alone or not (WORD.match(self.data[at - 1 : at]) or WORD.match(self.data, behind)):
                yield self.starts[at], self.ends[behind - 1]
            at = self.data.find(wanted, behind)


def masked(raw: bytes, secrets: Mapping[str, int]) -> tuple[bytes, bool]:
    """Return ``raw`` with every spelling of ``secrets`` masked, and whether each was found as often as it was read."""
    if not secrets or len(secrets) > MOST:
        return raw, not secrets
    views = (whole(raw), *views_of(raw))
    squeezed = [seen_through(view, BLANKS) for view in views]
    found = {secret: list(islice(_places(secret, views, squeezed), MOST_PLACES)) for secret in secrets}
    complete = all(_is_complete(found[secret], times) for secret, times in secrets.items())
    return _without(raw, merged(span for spans in found.values() for span in spans)), complete


def _is_complete(places: list[Span], times: int) -> bool:
    """Return whether all places of a secret were looked for, and are at least as many as the times it was read."""
    return len(places) < MOST_PLACES and len(merged(places)) >= times


def whole(raw: bytes) -> View:
    """Return the bytes unchanged."""
    return View(raw, range(len(raw)), range(1, len(raw) + 1))


def views_of(raw: bytes) -> tuple[View, ...]:
    """Return the bytes with escapes undone, those of JSON too, and once more."""
    once = seen_through(whole(raw), ESCAPES)
    return once, seen_through(whole(raw), ESCAPES_OF_JSON), seen_through(once, ESCAPES)


def seen_through(view: View, escapes: "re.Pattern[bytes]") -> View:
    """Return ``view`` with everything that ``escapes`` finds in its plain form."""
    data, starts, ends, last = bytearray(), array("l"), array("l"), 0
    for found in escapes.finditer(view.data):
        _take(view, last, found.start(), data, starts, ends)
        plain = _plain(found)
        data += plain
        starts.extend([view.starts[found.start()]] * len(plain))
        ends.extend([view.ends[found.end() - 1]] * len(plain))
        last = found.end()
    _take(view, last, len(view.data), data, starts, ends)
    return View(bytes(data), starts, ends)


def _take(view: View, start: int, end: int, data: bytearray, starts: "array[int]", ends: "array[int]") -> None:
    data += view.data[start:end]
    starts.extend(view.starts[start:end])
    ends.extend(view.ends[start:end])


def _plain(found: "re.Match[bytes]") -> bytes:
    """Return what one escape stands for; every kind is a group with a name of its own."""
    return PLAIN[str(found.lastgroup)](found[str(found.lastgroup)])


def _referred(code: bytes) -> bytes:
    number = int(code[1:], 16) if code[:1] in b"xX" else int(code)
    return chr(number).encode("utf-8", "replace") if number <= LAST_LETTER else b""


PLAIN: Mapping[str, Callable[[bytes], bytes]] = {
    "hex": lambda digits: bytes([int(digits, 16)]),
    "plus": lambda _: b" ",
    "code": _referred,
    "named": NAMED.__getitem__,
    "nothing": lambda _: b"",
    "units": lambda units: bytes.fromhex(units.replace(b"\\u", b"").decode()).decode("utf-16-be", "replace").encode(),
    "letter": LETTERS.__getitem__,
}


def _places(secret: str, views: Iterable[View], squeezed: Iterable[View]) -> Iterator[Span]:
    """Yield every place in the raw bytes where ``secret`` stands, found once or more often.

    ``squeezed`` are the views without blanks, for base64, whose lines break anywhere.
    """
    for text in _encodings(secret):
        for form in {text, text.replace(b"+", b" ")}:
            for view in views:
                yield from view.spans(form, alone=len(secret) < SHORT)
        packed = base64.b64encode(text).rstrip(b"=")
        for form in {packed, packed.replace(b"+", b"")}:
            for view in squeezed:
                yield from view.spans(form, alone=len(packed) < SHORT)


def _encodings(secret: str) -> set[bytes]:
    """Return ``secret`` in bytes; raw UTF-8 in a query is encoded once more by the server."""
    found = {secret.encode("utf-8", "replace"), secret.encode("utf-8", "replace").decode("latin-1").encode()}
    for charset in CHARSETS:
        try:
            found.add(secret.encode(charset))
        except UnicodeEncodeError:
            continue
    return found


def merged(spans: Iterable[Span]) -> list[Span]:
    """Return ``spans`` in order, those that overlap as one."""
    found: list[Span] = []
    for start, end in sorted(set(spans)):
        if found and start < found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return found


def _without(raw: bytes, spans: Iterable[Span]) -> bytes:
    parts, last = [], 0
    for start, end in spans:
        parts += [raw[last:start], MASK]
        last = end
    return b"".join((*parts, raw[last:]))
