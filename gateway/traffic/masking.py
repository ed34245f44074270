"""Takes secrets out of raw traffic before it is written anywhere.

Passwords and tokens travel in headers, queries, forms, multipart, XML, XML-RPC structs, maps of PHP, JSON and in the
addresses of other servers; each has its pattern here, by the names such fields have, escaped or not. Secrets that the
configuration knows are masked wherever they stand, whatever their field is called; those that an operation read, too
(``gateway.traffic``).
"""

import base64
import re
from collections.abc import Callable, Iterable
from functools import lru_cache
from html import unescape
from urllib.parse import quote, quote_plus, unquote
from xml.sax.saxutils import escape

MASK = b"****"
NAMES = (
    rb"(?:token|senha|passw(?:or)?[dt]|passwd|pass(?![a-z])|pwd|(?<![a-z])pw(?![a-z])|secret|segredo|api[_-]?key|"
    rb"chave|clave|contrase)"
)
NAMED = re.compile(NAMES.decode(), re.IGNORECASE)

# Every repetition before a secret has an end: a stranger's request must not make a pattern try all of its beginnings
# with all of its ends.
PART = rb"[\w.%\[\]-]{0,60}"
FIELD = PART + NAMES + PART

HEADERS = re.compile(
    rb"(?im)^((?:proxy-)?authorization|(?:set-)?cookie|(?!www-auth|author:)[\w-]{0,60}auth[\w-]{0,60}|"
    + FIELD
    + rb"):[ \t]{0,20}((?:basic|bearer|digest)[ \t]{1,20})?"
    rb"[^\r\n]*"
)
PARAMETERS = re.compile(rb"(?i)((?:^|[?&;\s])(?:amp;)?" + FIELD + rb"=)[^&\s\"'<>]+")
# The text of an element, also in the pieces of CDATA sections and around comments.
TEXT = rb"(?:[^<]|<!\[CDATA\[(?:[^\]]|\](?!\]>))*+(?:\]\]>)?|<!--(?:[^-]|-(?!->)){0,200}-->)+"
ELEMENTS = re.compile(rb"(?is)(<(?:[\w.-]{1,60}:)?" + FIELD + rb"(?:\s[^<>]*)?(?<!/)>)" + TEXT)
VALUE = rb"\s{0,200}<value(?:\s[^<>]{0,200})?>\s{0,200}(?:<\w{1,20}>)?"
MEMBERS = re.compile(
    rb"(?is)(<(name|key)(?:\s[^<>]{0,200})?>\s{0,200}" + FIELD + rb"\s{0,200}</\2>" + VALUE + rb")" + TEXT
)
JSON = re.compile(rb'(?i)("' + FIELD + rb'"\s{0,200}:\s{0,200}")(?:[^"\\]|\\.)+')
NUMBERS = re.compile(rb'(?i)("' + FIELD + rb'"\s{0,200}:\s{0,200})[-0-9][^\s,}\]]{0,300}')
PARTS = re.compile(
    rb"(?is)(\bname=[\"']?" + FIELD + rb"[\"']?[^\r\n]{0,200}\r?\n(?:[^\r\n]{1,200}\r?\n){0,5}\r?\n)(?:(?!\r?\n--).)+"
)
# A login in the address of another server: http://user:password@host/, also as the value of a parameter.
USERS = re.compile(rb"(://[^/\s:@?#&\"'<>]{1,100}:)[^/\s@?#&\"'<>]{1,200}(?=@)")
IN_USER = rb"[^/\s:@?#&\"'<>])"
ESCAPED_USERS = re.compile(
    rb"(?i)(%3a(?:%2f|/){2}(?:(?!%(?:3a|2f|40))"
    + IN_USER
    + rb"{1,100}(?:%3a|:))(?:(?!%(?:2f|40))"
    + IN_USER
    + rb"{1,200}(?=%40|@)"
)
PLACES = (PARAMETERS, ELEMENTS, MEMBERS, JSON, PARTS)

# The same with names that are escaped: what they say is seen when they are decoded.
ESCAPED_PARAMETERS = re.compile(rb"((?<![^?&;\s])([^=&?;\s<>\"']{0,80}%[^=&?;\s<>\"']{1,120})=)[^&\s\"'<>]+")
ESCAPED_MEMBERS = re.compile(
    rb"(?is)(<(?:name|key)(?:\s[^<>]{0,200})?>(" + TEXT[:-1] + rb"{1,200})</(?:name|key)>" + VALUE + rb")" + TEXT
)
ESCAPED_JSON = re.compile(rb'("((?:[^"\\]|\\.){1,200})"\s{0,200}:\s{0,200}")(?:[^"\\]|\\.)+')
ESCAPED_PLACES = (ESCAPED_PARAMETERS, ESCAPED_MEMBERS, ESCAPED_JSON)
# No client escapes letters that may stand as they are.
ESCAPED_LETTER = re.compile(rb"%(?:25)*(?:[46][1-9A-Fa-f]|[57][0-9Aa])|&#|\\u00|<!\[CDATA\[|<name><!--")
UNICODE = re.compile(r"\\u([0-9a-fA-F]{4})")
BORDERS = re.compile(r"<!\[CDATA\[|\]\]>|<!--.{0,200}?-->", re.DOTALL)
# Most events hold no secret: looking for these words and signs costs a tenth of trying the patterns.
WORDS = (
    b"token",
    b"senha",
    b"pass",
    b"pw",
    b"secret",
    b"segredo",
    b"key",
    b"chave",
    b"clave",
    b"contrase",
    b"auth",
    b"cookie",
)
# What every pattern for users and for escapes needs.
SIGNS = (b"@", b"%", b"&#", b"\\u", b"<!")
SHAPE = bytes.maketrans(b"123456789", b"000000000").lower()
"""How bytes become a shape, which events have in common: letters small, every digit a 0."""
LONGEST_SHAPE = 2048
LEAST = 4
"""A configured secret shorter than this is not looked for: it would mask half of everything."""


def mask(raw: bytes, secrets: Iterable[bytes] = ()) -> bytes:
    """Return ``raw`` with every secret replaced by ``****``; ``secrets`` as ``spellings`` gives them.

    >>> mask(b"GET /x?ramal=3501&token=abc HTTP/1.1")
    b'GET /x?ramal=3501&token=**** HTTP/1.1'
    """
    for secret in secrets:
        if secret in raw:
            raw = raw.replace(secret, MASK)
    if len(raw) <= LONGEST_SHAPE and _is_plain(raw.translate(SHAPE)):
        return raw
    small = raw.lower()
    if b"@" in raw or b"%40" in raw:
        raw = _replaced((USERS, ESCAPED_USERS), rb"\1" + MASK, raw)
    if ESCAPED_LETTER.search(raw):
        raw = _replaced(ESCAPED_PLACES, _masked_if_named, raw)
    if not _may_hold_secrets(small):
        return raw
    head, gap, body = raw.partition(b"\r\n\r\n")
    raw = HEADERS.sub(rb"\1: \2" + MASK, head) + gap + body
    raw = NUMBERS.sub(rb'\1"' + MASK + b'"', raw)
    return _replaced(PLACES, rb"\1" + MASK, raw)


def _replaced(
    places: Iterable["re.Pattern[bytes]"], by: "bytes | Callable[[re.Match[bytes]], bytes]", raw: bytes
) -> bytes:
    for place in places:
        raw = place.sub(by, raw)
    return raw


def _masked_if_named(found: "re.Match[bytes]") -> bytes:
    """Return the match with its value masked, where its name, decoded, is a secret's."""
    return found[1] + MASK if NAMED.search(_plain_name(found[2])) else found[0]


def _plain_name(written: bytes) -> str:
    """Return a field's name without its escapes, of whatever kind."""
    text = unescape(unquote(unquote(written.decode("latin-1"))))
    return BORDERS.sub("", UNICODE.sub(lambda found: chr(int(found[1], 16)), text))


@lru_cache(maxsize=1024)
def _is_plain(shape: bytes) -> bool:
    """Return whether nothing of this shape has a secret's name in it, a user, or an escape that may hide them.

    Remembered, because an exchange's events differ only in their digits, which none of these needs.
    """
    return not any(sign in shape for sign in SIGNS) and not _may_hold_secrets(shape)


def _may_hold_secrets(small: bytes) -> bool:
    for word in WORDS:  # noqa: SIM110 - any() costs three times as much, and this is done for every event
        if word in small:
            return True
    return False


def spellings(secrets: Iterable[str]) -> tuple[bytes, ...]:
    """Return ``secrets`` in every spelling they may have on a wire, the longest first."""
    found = set()
    for secret in secrets:
        if len(secret) < LEAST:
            continue
        texts = {secret, quote(secret, safe=""), quote_plus(secret), escape(secret), escape(secret, {'"': "&quot;"})}
        found |= {text.encode() for text in texts} | {secret.encode("latin-1", "replace")}
        found.add(base64.b64encode(secret.encode()))
    return tuple(sorted(found, key=len, reverse=True))
