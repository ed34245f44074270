"""Parameters in a query, form or JSON object, as old exchanges really write them.

Tolerated: names in other letter case; ``amp;telefone`` (an address copied from a web page); Latin-1 escapes;
repeated parameters (the first that is not empty counts); an address in ``url_audio`` that was not encoded.
"""

import re
from collections.abc import Mapping
from io import BytesIO
from typing import Any
from urllib.parse import unquote_to_bytes

from werkzeug.exceptions import BadRequest, RequestEntityTooLarge
from werkzeug.formparser import parse_form_data

from gateway.errors import MalformedRequest, TooLarge, WrongContentType
from gateway.texts.text import Text
from gateway.wire.free_fields import CAMPOS, FieldCollector
from gateway.wire.guard import read_body
from gateway.wire.json_bodies import is_json, read_json
from gateway.wire.operations import EVENTS
from gateway.wire.repeats import FirstValues, log_repeats

Names = Mapping[str, str]
MOST_PAIRS = 1000
MOST_PARTS = 100
# Of a value so long only the beginning is decoded: that it is too long is seen by what is left.
LONGEST = 20_000
LONGEST_NAME = 300
ESCAPED_EQUALS = re.compile("%3D", re.IGNORECASE)
ESCAPED_LETTERS = re.compile(r"(?:%[89A-Fa-f][0-9A-Fa-f])+")
FORM = "application/x-www-form-urlencoded"
PLAIN = ("", FORM, "text/plain")
ACCEPTED = f"{FORM}, multipart/form-data, application/json"
NEVER_BEHIND = frozenset(one.name for event in EVENTS for one in event.parameters if one.by_name)
"""What belongs to an address that was not encoded where it stands behind it, as before these were parameters."""


def known_names(*names: str) -> Names:
    """Return how the parameters ``names`` may be written, each mapped to its own name."""
    spellings = {name.lower(): name for name in names}
    return spellings | {name: name for name in names}


def parse(query: str, names: Names, *, keep_unknown: bool = False) -> FirstValues:
    """Read the parameters ``names`` of a query as it came (a WSGI string), as text. Others are left out, unless they
    are free fields, or ``keep_unknown`` makes them so.

    >>> parse("RAMAL=3501&amp;telefone=%2B5547&x=1", known_names("ramal", "telefone"))
    {'ramal': '3501', 'telefone': '+5547'}
    """
    found = FirstValues()
    url: list[str] = []
    in_url = False
    fields: FieldCollector | None = None
    for pair in query.split("&", MOST_PAIRS):
        written, _, value = pair.partition("=")
        name = names.get(written) or names.get(plain_name(written))
        if in_url and (name is None or found.get(name) or name in NEVER_BEHIND):
            url.append(pair.removeprefix("amp;"))
            continue
        if name is None:
            if CAMPOS in names:
                fields = fields or FieldCollector(names, keep_unknown=keep_unknown)
                fields.add(as_named(written), decode(value))
            continue
        in_url = False
        text = address_in(value) if name == "url_audio" else decode(value)
        if found.get(name):
            found.keep(name, text)
            continue
        found[name] = text
        if name == "url_audio" and "?" in value:
            # The query of an address that was not encoded goes on behind the "&", to the next parameter that is new.
            in_url, url = True, [value]
    if len(url) > 1:
        found["url_audio"] = recode("&".join(url))
    if fields:
        fields.put_into(found)
    return found


def plain_name(written: str) -> str:
    return as_named(written).lower().removeprefix("amp;")


def as_named(written: str) -> str:
    return decode(written[:LONGEST_NAME]).strip().removeprefix("amp;")


def decode(value: str) -> str:
    """Decode an urlencoded value (its first ``LONGEST`` characters): UTF-8 where it is valid, else Latin-1."""
    value = value[:LONGEST]
    if "%" not in value and "+" not in value:
        return value if value.isascii() else recode(value)
    if not value.isascii():
        value = recode(value)
    data = unquote_to_bytes(value.replace("+", " "))
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("latin-1")


def address_in(value: str) -> str:
    """Return the address in a ``url_audio``: encoded, in part (Spring and werkzeug leave ``:/?`` as they are), or not.

    Without an ``=`` of its own and with one that is escaped, it was encoded in part, and its ``+`` means no space.
    """
    if "://" not in value:
        return decode(value)
    if "=" not in value and ESCAPED_EQUALS.search(value):
        return decode(value.replace("+", "%2B"))
    return as_written(value)


def as_written(value: str) -> str:
    """Return an address that was not encoded: its ``+`` and ``%40`` are its own, for whoever encodes writes %3A%2F%2F
    as well.

    Only letters beyond ASCII are read, since clients and the lenient port escape these by themselves.
    """
    return ESCAPED_LETTERS.sub(lambda found: decode(found[0]), recode(value[:LONGEST]))


def recode(value: str) -> str:
    """Return the text meant by a WSGI string (bytes as Latin-1); twice, because Granian (measured: 2.8.7) encodes raw
    UTF-8 twice.
    """
    for _ in range(2):
        try:
            value = value.encode("latin-1").decode()
        except (UnicodeEncodeError, UnicodeDecodeError):
            break
    return value


def read(environ: dict[str, Any], names: Names, limit: int, *, keep_unknown: bool = False) -> dict[str, str]:
    """Read the parameters of a GET, or of a posted form or JSON object; those in the body count before those in the
    address.

    Raises ``TooLarge``, ``MalformedRequest``, ``WrongContentType``, ``BadParameter``.
    """
    query = parse(environ.get("QUERY_STRING", ""), names, keep_unknown=keep_unknown)
    if environ["REQUEST_METHOD"] != "POST":
        if query.repeated:
            log_repeats(query.repeated, environ)
        return query
    posted = read_posted(environ, names, limit, keep_unknown=keep_unknown)
    for name, text in query.items():
        posted.keep(name, text)
    log_repeats(query.repeated | posted.repeated, environ)
    return posted


def read_posted(environ: dict[str, Any], names: Names, limit: int, *, keep_unknown: bool) -> FirstValues:
    """Read the parameters in a body. Raises ``TooLarge``, ``MalformedRequest``, ``WrongContentType``,
    ``BadParameter``.
    """
    header = environ.get("CONTENT_TYPE", "")
    kind = header.partition(";")[0].strip().lower()
    if kind == "multipart/form-data":
        return read_multipart(environ, names, limit, keep_unknown=keep_unknown)
    body = read_body(environ, limit)
    if body.strip() and is_json(kind, body if kind in PLAIN else b""):
        return read_json(body, header, names, keep_unknown=keep_unknown)
    if body and kind not in PLAIN:
        text = Text("format {kind!r} not accepted here.", kind=kind)
        raise WrongContentType(text, hint=Text("Send {form}.", form=ACCEPTED))
    return parse(body.decode("latin-1").strip(), names, keep_unknown=keep_unknown)


class Nowhere(BytesIO):
    """Where a file in a form goes: nobody asked for one, and werkzeug would write it to the disk."""

    def write(self, data: Any, /) -> int:
        return len(data)


def nowhere(*_: object, **__: object) -> Nowhere:
    return Nowhere()


def read_multipart(environ: dict[str, Any], names: Names, limit: int, *, keep_unknown: bool) -> FirstValues:
    """Read the parameters of a multipart form: PHP's curl sends this when it is given an array (PHP manual,
    ``CURLOPT_POSTFIELDS``). Raises ``TooLarge``, ``MalformedRequest``.
    """
    try:
        _, form, _ = parse_form_data(
            environ,
            stream_factory=nowhere,
            max_content_length=limit,
            max_form_memory_size=limit,
            max_form_parts=MOST_PARTS,
            silent=False,
        )
    except RequestEntityTooLarge:
        raise TooLarge(limit) from None
    except (ValueError, BadRequest):
        # A body that ends before its length is a BadRequest of werkzeug's.
        raise MalformedRequest(Text("the multipart form cannot be read.")) from None
    found, fields = FirstValues(), FieldCollector(names, keep_unknown=keep_unknown)
    for written, value in form.items(multi=True):
        # A part that says no name has None.
        if name := names.get(written) or names.get((written or "").strip().lower()):
            found.keep(name, value)
        elif CAMPOS in names:
            fields.add((written or "")[:LONGEST_NAME], value)
    fields.put_into(found)
    return found
