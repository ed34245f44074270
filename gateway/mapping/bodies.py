"""From a request to a document: tables, lists, texts and numbers, whatever form the body has.

Forms understood: a query, a form (also multipart, ``user[]`` and ``call[id]``), JSON, XML. Texts that hold JSON
themselves are opened where the mapping says so. XML is read by expat, which forgets the names that strangers make up,
and without DOCTYPE, so that there are no entities.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from email.parser import BytesParser
from email.policy import HTTP
from itertools import accumulate
from typing import Any, Literal
from urllib.parse import parse_qsl
from xml.etree.ElementTree import Element, ParseError, XMLParser, fromstring

from gateway.texts.text import Text

BodyForm = Literal["auto", "form", "json", "xml", "query"]
MOST_BYTES = 256 * 1024
"""Of a webhook's body; the largest known, with a transcript in it, have some tens of thousands."""
MOST_PAIRS = 1000
MOST_PARTS = 100
MOST_LINES = 4000
"""Of a form in parts: its reader goes line by line."""
MOST_DEEP = 32
MOST_NODES = 20_000
BOM = "\ufeff"
_BRACKET, _STEPS = re.compile(r"[\[\]{}]"), {"[": 1, "{": 1, "]": -1, "}": -1}
_CHARSET = re.compile(r"""charset\s*=\s*["']?(utf-?8|iso-8859-1|latin-?1|windows-1252|us-ascii)\b""", re.IGNORECASE)
_BRACKETS = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])+)")
_INNER_BEGINS, _INNER_ENDS = re.compile(r'"\s{0,8}[{\[]'), re.compile(r'[}\]]\s{0,8}"')
_INNER = re.compile(r"\[([^\[\]]*)\]")


class UnreadableBody(ValueError):
    """The body is not what it says that it is, or what the mapping says."""


@dataclass(frozen=True, slots=True)
class WebhookRequest:
    """A request as a mapping sees it. ``tail`` is what the address has behind the source's name.

    The names of ``headers`` are in small letters. ``body`` is inflated already.
    """

    body: bytes = b""
    content_type: str = ""
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    tail: str = ""
    method: str = "POST"

    def roots(self) -> dict[str, Any]:
        """Return what the paths that begin with ``@`` lead into."""
        return {
            "@query": _pairs(self.query),
            "@header": dict(self.headers),
            "@tail": self.tail.strip("/"),
            "@method": self.method,
        }


def document_of(request: WebhookRequest, form: BodyForm = "auto") -> Any:
    """Return the document in ``request``. Raises ``UnreadableBody``."""
    if len(request.body) > MOST_BYTES:
        raise UnreadableBody(Text("the body has more than {most} bytes", most=MOST_BYTES))
    chosen = form if form != "auto" else form_of(request)
    document = _READERS[chosen](request)
    if _size(document) > MOST_NODES:
        raise UnreadableBody(Text("the body has more than {most} values", most=MOST_NODES))
    return document


def form_of(request: WebhookRequest) -> BodyForm:
    """Return the form of a body by its media type, else by how it begins: senders often mistake the media type."""
    begins = request.body.lstrip(b" \t\r\n\xef\xbb\xbf")[:1]
    if not begins:
        return "query"
    if begins in (b"{", b"["):
        return "json"
    if begins == b"<":
        return "xml"
    return "json" if "json" in request.content_type.lower() else "form"


def opened(document: Any, paths: Sequence[str]) -> Any:
    """Return ``document`` with the texts at the dotted ``paths`` replaced by the JSON in them.

    Some senders forget to escape the quotes of the inner text; a second reading mends that. Raises ``UnreadableBody``.
    """
    for path in paths:
        document = _opened_at(document, path.split("."), path)
    return document


def _opened_at(node: Any, names: Sequence[str], path: str) -> Any:
    if not names:
        return _inner_json(node, path) if isinstance(node, str) else node
    if isinstance(node, list):
        return [_opened_at(child, names if names[0] != "*" else names[1:], path) for child in node]
    if not isinstance(node, dict) or names[0] not in node:
        return node
    return node | {names[0]: _opened_at(node[names[0]], names[1:], path)}


def _inner_json(text: str, path: str) -> Any:
    try:
        return _checked_json(text)
    except UnreadableBody:
        raise UnreadableBody(Text("{path} holds no JSON: {text!r}", path=path, text=text[:80])) from None


def _form(request: WebhookRequest) -> Any:
    if request.content_type.lower().startswith("multipart/form-data"):
        return _nested(_parts(request))
    text = decoded(request.body, request.content_type)
    return _nested(_split(text))


def _query(request: WebhookRequest) -> Any:
    return _nested(_split(request.query))


def _json(request: WebhookRequest) -> Any:
    return _checked_json(decoded(request.body, request.content_type))


def _checked_json(text: str) -> Any:
    text = text.lstrip(BOM).strip()
    if _is_too_deep(text):
        raise UnreadableBody(Text("the body nests deeper than {most} levels", most=MOST_DEEP))
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        return _mended_json(text, error)


def _mended_json(text: str, error: Exception) -> Any:
    """Read JSON in which a text that holds JSON came with its quotes unescaped: ``"msg":"{"a":1}"``."""
    begins, ends = _INNER_BEGINS.search(text), [*_INNER_ENDS.finditer(text)][-1:]
    if begins and ends and begins.end() < ends[0].start():
        inner = text[begins.end() - 1 : ends[0].start() + 1]
        with suppress(ValueError, RecursionError):
            return json.loads(text[: begins.start()] + inner + text[ends[0].end() :])
    line = getattr(error, "lineno", 1)
    raise UnreadableBody(Text("the body is no JSON (line {line}): {text!r}", line=line, text=text[:80])) from None


def _xml(request: WebhookRequest) -> Any:
    if b"<!DOCTYPE" in request.body or b"<!ENTITY" in request.body:
        raise UnreadableBody(Text("DOCTYPE is not accepted"))
    if request.body.count(b"<") > MOST_NODES or request.body.count(b"=") > MOST_NODES:
        raise UnreadableBody(Text("the body has more than {most} values", most=MOST_NODES))
    try:
        root = fromstring(request.body.strip(), XMLParser())  # noqa: S314 - expat, and DOCTYPE was refused
    except (ParseError, ValueError, LookupError) as error:
        line = getattr(error, "position", (1, 0))[0]
        raise UnreadableBody(Text("the body is no XML (line {line})", line=line)) from None
    return {_local(root.tag): _of_element(root, 0)}


def _of_element(element: Element, depth: int) -> Any:
    """Return an element's text, or a table of its attributes and children by their local names; children of one name
    become a list.
    """
    if depth > MOST_DEEP:
        raise UnreadableBody(Text("the body nests deeper than {most} levels", most=MOST_DEEP))
    text = (element.text or "").strip()
    if not len(element) and not element.attrib:
        return text
    table: dict[str, Any] = {_local(name): value for name, value in element.attrib.items()}
    for child in element:
        if isinstance(child.tag, str):
            _put(table, _local(child.tag), _of_element(child, depth + 1))
    if text:
        table.setdefault("text", text)
    return table


def _local(name: str) -> str:
    return name.rpartition("}")[2]


def _put(table: dict[str, Any], name: str, value: Any) -> None:
    """Set ``name``; a name that is there already becomes a list of its values."""
    if name not in table:
        table[name] = value
    elif isinstance(table[name], list):
        table[name].append(value)
    else:
        table[name] = [table[name], value]


def _split(text: str) -> list[tuple[str, str]]:
    try:
        return parse_qsl(text, keep_blank_values=True, max_num_fields=MOST_PAIRS, errors="replace")
    except ValueError:
        raise UnreadableBody(Text("the body has more than {most} values", most=MOST_PAIRS)) from None


def _pairs(text: str) -> Any:
    """Return a query as a table; nothing of one that has too many values."""
    try:
        return _nested(_split(text))
    except UnreadableBody:
        return {}


def _parts(request: WebhookRequest) -> list[tuple[str, str]]:
    """Return the fields of a multipart form, without its files."""
    if request.body.count(b"\n--") > MOST_PARTS or request.body.count(b"\n") > MOST_LINES:
        raise UnreadableBody(Text("the body has more than {most} values", most=MOST_PARTS))
    head = f"Content-Type: {' '.join(request.content_type.split())}\r\n\r\n".encode("latin-1", "replace")
    try:
        message = BytesParser(policy=HTTP).parsebytes(head + request.body)
        return list(_fields_of(message.iter_parts() if message.is_multipart() else ()))
    except (ValueError, LookupError, AttributeError, TypeError, IndexError, KeyError):
        raise UnreadableBody(Text("the body is not the multipart that Content-Type says")) from None


def _fields_of(parts: Iterable[Any]) -> Iterable[tuple[str, str]]:
    for part in parts:
        name = part.get_param("name", header="content-disposition")
        if isinstance(name, str) and part.get_filename() is None:
            payload = part.get_payload(decode=True) or b""
            yield name, decoded(payload, str(part.get("content-type", "")))


def _nested(pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """Return a form's values by name: ``user[]`` as a list, ``call[id]`` as a table, repeated names as a list."""
    table: dict[str, Any] = {}
    for name, value in pairs:
        found = _BRACKETS.fullmatch(name)
        if found is None:
            _put(table, name, value)
            continue
        inner = _INNER.findall(found[2])
        _put_below(table, [found[1], *inner[:8]], value)
    return table


def _put_below(table: dict[str, Any], names: Sequence[str], value: str) -> None:
    name, *rest = names
    if not rest:
        _put(table, name, value)
    elif rest[0] == "" or rest[0].isdigit():
        listed = table.setdefault(name, [])
        if not isinstance(listed, list):
            listed = table[name] = [listed]
        if len(rest) == 1:
            listed.append(value)
        else:
            _put_in_list(listed, rest, value)
    else:
        below = table.setdefault(name, {})
        if isinstance(below, dict):
            _put_below(below, rest, value)


def _put_in_list(listed: list[Any], names: Sequence[str], value: str) -> None:
    """Set a value in the table that stands at a place of the list: ``parties[0][id]``."""
    place = int(names[0]) if names[0].isdecimal() and names[0].isascii() and len(names[0]) < 4 else len(listed)
    if place >= len(listed):
        listed.append({})
        place = len(listed) - 1
    if isinstance(listed[place], dict):
        _put_below(listed[place], names[1:], value)


def decoded(body: bytes, content_type: str) -> str:
    """Return ``body`` as text: in UTF-8 where it is that, else in the charset that was named, else in Latin-1."""
    if body.startswith((b"\xff\xfe", b"\xfe\xff")):
        return body.decode("utf-16", "replace")
    try:
        return body.decode()
    except UnicodeDecodeError:
        named = _CHARSET.search(content_type)
        charset = named[1].lower() if named and not named[1].lower().startswith("utf") else "cp1252"
        return body.decode(charset, "replace")


def _is_too_deep(text: str) -> bool:
    """Return whether brackets nest deeper than ``MOST_DEEP``, those in texts as well; found without recursion."""
    depths = accumulate(map(_STEPS.__getitem__, _BRACKET.findall(text)))
    return any(map(MOST_DEEP.__lt__, depths))


def _size(document: Any) -> int:
    """Return how many values there are, or something more than ``MOST_NODES``."""
    waiting, count = [document], 0
    while waiting and count <= MOST_NODES:
        node = waiting.pop()
        count += 1
        if isinstance(node, dict):
            waiting.extend(node.values())
        elif isinstance(node, list):
            waiting.extend(node)
    return count


_READERS = {"form": _form, "json": _json, "xml": _xml, "query": _query}
