"""Free fields of a call (*campos*), as peers write them: ``campos[cpf]=…``, ``campos.cpf=…``, a text, an object; and
parameters that nobody knows, where the company keeps those.

A wire puts them all into the parameter ``campos``, as one JSON object of texts. How many a call keeps is the domain's
matter; here they are bounded so that a request costs no more than others.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from itertools import islice
from typing import Any

import structlog

from gateway.traffic.masking import NAMED

log = structlog.get_logger()

CAMPOS = "campos"
MOST = 100
MOST_DEEP = 8
LONGEST = 8_000
LONGEST_TEXT = 50_000
LONGEST_NAME = 300
IN_BRACKETS = re.compile(r"([^.\[\]]{1,60})(?:\.([^\[\]]{1,60})|\[([^\[\]]{1,60})\])")
# "cpf=1;protocolo=2", also in lines, or with "|" between, or with ":" for "=".
PAIR = re.compile(r"\s*([^=:;|\r\n]{1,60})[=:]([^;|\r\n]*)")
LETTER = re.compile(r"[^\W\d_]")
SECRET = re.compile(r"auth(?!or)|cookie|credencia|session|assinatura|signature", re.IGNORECASE)
CONSTANTS = {True: "true", False: "false"}


def fields_in(text: str) -> dict[str, str]:
    """Return the fields in a text: a JSON object, or ``cpf=1;protocolo=2``. Raises ``ValueError``.

    >>> fields_in("cpf=123; protocolo=7"), fields_in('{"cpf": 123}')
    ({'cpf': '123', 'protocolo': '7'}, {'cpf': '123'})
    """
    if len(text) > LONGEST_TEXT:
        raise ValueError("too long")
    if text.lstrip()[:1] == "{":
        return dict(islice(flattened(parsed(text)), MOST))
    found = {name.strip(): value.strip() for name, value in PAIR.findall(text)}
    if not found:
        raise ValueError("no fields in this text")
    return found


def parsed(text: str) -> Any:
    """Return the JSON in ``text``, numbers as they were written. Raises ``ValueError``."""
    try:
        return json.loads(text, parse_int=str, parse_float=str, strict=False)
    except RecursionError:
        raise ValueError("too many levels") from None


def flattened(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield name and text of each value in an object, in a list, in what is in them: ``{"a": {"b": 1}}`` is ``a.b``.

    What is deeper than anybody writes is passed over.
    """
    if path.count(".") > MOST_DEEP:
        return
    if isinstance(value, Mapping):
        for name, item in value.items():
            yield from flattened(item, f"{path}.{name}" if path else str(name))
    elif isinstance(value, list):
        for place, item in enumerate(value[:MOST]):
            yield from flattened(item, f"{path}.{place}" if path else str(place))
    elif value is not None and path:
        yield path, CONSTANTS[value] if isinstance(value, bool) else str(value)


class FieldCollector:
    """Collects the free fields of one request; ``names`` are the parameters' spellings, by which it knows *campos*.

    ``keep_unknown``: what is no parameter is kept, too, unless its name is that of a password or a token.
    """

    __slots__ = ("_keep_unknown", "_named", "_names", "_unknown")

    def __init__(self, names: Mapping[str, str], *, keep_unknown: bool) -> None:
        self._names = names
        self._keep_unknown = keep_unknown
        self._named: dict[str, str] = {}
        self._unknown: dict[str, str] = {}

    def add(self, written: str, text: str) -> None:
        """Keep ``text`` if ``written``, which is no parameter's name, means a free field."""
        if not text.strip():
            return
        found = IN_BRACKETS.fullmatch(written)
        if found and self._names.get(found[1].strip().lower()) == CAMPOS:
            self._put(self._named, found[2] or found[3], text)
        elif self._keep_unknown and is_worth_keeping(written):
            self._put(self._unknown, written, text)

    def add_value(self, written: str, value: Any) -> None:
        """Keep a value of JSON under ``written``, taken apart where it is an object or a list."""
        for name, text in islice(flattened(value, written), MOST):
            self.add(name, text)

    def put_into(self, texts: MutableMapping[str, str]) -> None:
        """Put all into the parameter *campos*; what is said there already counts first."""
        if not self._named and not self._unknown:
            return
        said = said_in(texts.get(CAMPOS, ""))
        # In this order they find room; of two with one name the last counts.
        texts[CAMPOS] = as_text((said | self._named | self._unknown | self._named | said).items())

    def _put(self, fields: dict[str, str], name: str, text: str) -> None:
        fields.setdefault(name.strip(), text)


def as_text(fields: Iterable[tuple[str, str]]) -> str:
    """Return ``fields`` as a JSON object: as many as have room in somewhat more than a call keeps."""
    found, room = {}, LONGEST
    for name, text in islice(fields, MOST):
        if len(name) + len(text) <= room:
            found[name] = text
            room -= len(name) + len(text)
    return json.dumps(found, ensure_ascii=False)


def said_in(text: str) -> dict[str, str]:
    """Return the fields in ``text``, where they can be read."""
    try:
        return fields_in(text) if text.strip() else {}
    except ValueError:
        log.warning("extra_ignored", parameter=CAMPOS)
        return {}


def is_worth_keeping(name: str) -> bool:
    """Return whether an unknown parameter says something of a call: a name with a letter, and no password's."""
    return bool(LETTER.search(name)) and not NAMED.search(name) and not SECRET.search(name)
