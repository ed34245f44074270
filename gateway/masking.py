"""Takes secrets out of raw traffic before it is written anywhere.

Passwords and tokens travel in headers, queries, forms, XML, XML-RPC structs and JSON; each has its pattern here, by the
names such fields have. Secrets that the configuration knows are masked wherever they stand, whatever their field is
called.
"""

import base64
import re
from collections.abc import Iterable
from urllib.parse import quote, quote_plus
from xml.sax.saxutils import escape

MASK = b"****"
NAMES = rb"(?:token|senha|passw(?:or)?d|passwd|pwd|secret|segredo|api[_-]?key|chave)"

# Every repetition before a secret has an end: a stranger's request must not make a pattern try all of its beginnings
# with all of its ends.
PART = rb"[\w.%-]{0,60}"
FIELD = PART + NAMES + PART

HEADERS = re.compile(
    rb"(?im)^((?:proxy-)?authorization|(?:set-)?cookie|"
    + FIELD
    + rb"):[ \t]{0,20}((?:basic|bearer|digest)[ \t]{1,20})?"
    rb"[^\r\n]*"
)
PARAMETERS = re.compile(rb"(?i)((?:^|[?&;\s])(?:amp;)?" + FIELD + rb"=)[^&\s\"'<>]+")
ELEMENTS = re.compile(rb"(?is)(<(?:[\w.-]{1,60}:)?" + FIELD + rb"(?:\s[^<>]*)?(?<!/)>)[^<]+")
MEMBERS = re.compile(
    rb"(?is)(<name>\s{0,200}" + FIELD + rb"\s{0,200}</name>\s{0,200}<value>\s{0,200}(?:<\w{1,20}>)?)[^<]+"
)
JSON = re.compile(rb'(?i)("' + FIELD + rb'"\s{0,200}:\s{0,200}")(?:[^"\\]|\\.)+')
PLACES = (PARAMETERS, ELEMENTS, MEMBERS, JSON)
# Most events hold no secret: looking for these words costs a tenth of trying the patterns.
WORDS = (b"token", b"senha", b"pass", b"pwd", b"secret", b"segredo", b"key", b"chave", b"authorization", b"cookie")
LEAST = 4
"""A configured secret shorter than this is not looked for: it would mask half of everything."""


def mask(raw: bytes, secrets: Iterable[bytes] = ()) -> bytes:
    """``raw`` with every secret replaced by ``****``; ``secrets`` as ``spellings`` gives them.

    >>> mask(b"GET /x?ramal=3501&token=abc HTTP/1.1")
    b'GET /x?ramal=3501&token=**** HTTP/1.1'
    """
    for secret in secrets:
        if secret in raw:
            raw = raw.replace(secret, MASK)
    if not _may_hold_secrets(raw.lower()):
        return raw
    head, gap, body = raw.partition(b"\r\n\r\n")
    raw = HEADERS.sub(rb"\1: \2" + MASK, head) + gap + body
    for place in PLACES:
        raw = place.sub(rb"\1" + MASK, raw)
    return raw


def _may_hold_secrets(small: bytes) -> bool:
    for word in WORDS:  # noqa: SIM110 - any() costs three times as much, and this is done for every event
        if word in small:
            return True
    return False


def spellings(secrets: Iterable[str]) -> tuple[bytes, ...]:
    """``secrets`` in every spelling they may have on a wire, the longest first."""
    found = set()
    for secret in secrets:
        if len(secret) < LEAST:
            continue
        texts = {secret, quote(secret, safe=""), quote_plus(secret), escape(secret), escape(secret, {'"': "&quot;"})}
        found |= {text.encode() for text in texts} | {secret.encode("latin-1", "replace")}
        found.add(base64.b64encode(secret.encode()))
    return tuple(sorted(found, key=len, reverse=True))
