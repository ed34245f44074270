"""What a SOAP request calls, and with which texts, however its client wrote it.

Names are matched by their local part, types are ignored: old clients guess both. Structures are taken apart, so that
it makes no difference whether a client sends parameters, one structure of them, a PHP map or an array.
"""

import base64
import binascii
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from gateway.errors import MalformedRequest, UnknownOperation
from gateway.texts.text import Text
from gateway.traffic.told import tell
from gateway.wire.free_fields import CAMPOS, FieldCollector, as_text
from gateway.wire.guard import MOST_DEEP
from gateway.wire.operations import OPERATIONS, find
from gateway.wire.parameters import LOGIN, Operation, by_position, hidden
from gateway.wire.repeats import keep_first, log_repeats
from gateway.wire.sites import Site

Names = Mapping[str, str]
XSI = "{http://www.w3.org/2001/XMLSchema-instance}"
REF_12 = "{http://www.w3.org/2003/05/soap-encoding}ref"
ID_12 = "{http://www.w3.org/2003/05/soap-encoding}id"
# Names that PHP, Axis, SOAP::Lite, nuSOAP and zeep-like clients make up when they know none (tests/recordings).
MADE_UP = re.compile(r"(param|c-gensym|in|arg|__numeric_|p|v|_|value|string)_?[0-9]+|item|string|anyType|[A-Za-z]")
ACTION = re.compile(r"""action\s*=\s*"([^"]*)\"""")
# References can make a small body name any number of elements, or a large one any number of times: every element
# visited costs one, and one more for each child and each thousand characters.
MOST_SPENT = 4000


def read_call(envelope: Any, version: str, environ: dict[str, Any], site: Site) -> tuple[Operation, dict[str, str]]:
    """Read the operation called and its parameters; its secrets are told.

    Raises ``MalformedRequest``, ``UnknownOperation``.
    """
    operation, elements = called(envelope, version, environ)
    values = quick_values(elements, operation)
    if values is None:
        found = list(fields(elements, Reader(envelope), operation.spellings))
        texts, repeated = read_encoded(found, operation, site)
        log_repeats(repeated, environ)
    else:
        found, texts = list(values.items()), values
    tell(environ, hidden([text for _, text in found], texts, operation))
    return operation, texts


def called(envelope: Any, version: str, environ: dict[str, Any]) -> tuple[Operation, Collection[Any]]:
    """Return the operation called, and the elements of its parameters. Raises ``MalformedRequest``,
    ``UnknownOperation``.
    """
    body = envelope.find(f"{{{version}}}Body")
    if body is None:
        raise MalformedRequest(Text("the SOAP envelope has no Body."))
    operation = find(local_name(body[0])) if len(body) else None
    if operation:
        return operation, body[0]
    return called_unusually(body, environ)


def called_unusually(body: Any, environ: dict[str, Any]) -> tuple[Operation, Collection[Any]]:
    """Read a call whose operation is not the first element of the Body.

    Raises ``MalformedRequest``, ``UnknownOperation``.
    """
    for element in body:
        # What is referred to (Axis 1.4's multiRef, see tests/recordings/axis-1) may stand before what is called.
        if operation := find(local_name(element)):
            return operation, element
    operation = find(action_of(environ))
    if operation is None and not len(body):
        raise MalformedRequest(Text("the Body of the SOAP envelope is empty."))
    if operation is None:
        raise UnknownOperation(local_name(body[0])[:80], known=list(OPERATIONS))
    # PHP 8.2 without WSDL writes document/literal without the operation's element: bare parameters in the Body, or
    # nothing (tests/recordings/php-soapclient/literal).
    return operation, body


def action_of(environ: dict[str, Any]) -> str:
    """Return what stands behind the last ``#`` or ``/`` of the SOAPAction; SOAP 1.2 has it in the Content-Type."""
    action = environ.get("HTTP_SOAPACTION", "")
    if not action and (found := ACTION.search(environ.get("CONTENT_TYPE", ""))):
        action = found[1]
    name: str = re.split("[#/]", action.strip().strip("\"'"))[-1]
    return name


def quick_values(elements: Collection[Any], operation: Operation) -> dict[str, str] | None:
    """Read the usual request quickly: return the texts of ``elements`` by the names of the operation's parameters.

    None where that is not all that there is to it: made-up names, structures, references, types.
    """
    names = operation.spellings
    texts: dict[str, str] = {}
    for element in elements:
        name = names.get(element.tag.rpartition("}")[2])
        if name is None or name in texts or element.attrib or len(element):
            return None
        texts[name] = element.text or ""
    return texts


def read_encoded(
    found: Sequence[tuple[str, str]], operation: Operation, site: Site
) -> tuple[dict[str, str], Collection[str]]:
    """Read the parameters in names and texts of whatever clients write; made-up names count by position. Beside them
    come the names of those that came with different values.
    """
    names = operation.spellings
    read = [names.get(written.lower()) for written, _ in found]
    if positions_count(found, read, operation):
        return by_position([text for _, text in found], operation, operation.published_positions, site.appliances), ()
    texts: dict[str, str] = {}
    repeated: set[str] = set()
    extras = FieldCollector(names, keep_unknown=site.dialect.keep_unknown)
    for position, (written, text) in enumerate(found):
        name = read[position]
        if name is None and position < len(operation.published_positions) and MADE_UP.fullmatch(written):
            name = operation.published_positions[position]
        if name:
            keep_first(texts, name, text, repeated)
        elif CAMPOS in names and not MADE_UP.fullmatch(written):
            extras.add(written, text)
    extras.put_into(texts)
    return texts, repeated


def positions_count(found: Sequence[tuple[str, str]], read: Sequence[str | None], operation: Operation) -> bool:
    """Return whether the parameters count by position, because no name means anything; for a login alone, under
    whatever names it comes.
    """
    if len(found) < len(LOGIN) or any(read):
        return False
    return not operation.names or all(MADE_UP.fullmatch(written) for written, _ in found)


class Reader:
    """Follows the references (``href="#id"``) of one envelope, and never for ever."""

    def __init__(self, envelope: Any) -> None:
        self._envelope = envelope
        self._by_id: dict[str, Any] | None = None
        self._spent = 0

    def visit(self, element: Any) -> Any:
        """Return ``element``, or what it refers to. Raises ``MalformedRequest``."""
        while reference := reference_of(element):
            self._pay(1)
            if reference not in self._known():
                text = Text("the reference {reference!r} leads to no element.", reference=reference[:80])
                raise MalformedRequest(text)
            element = self._known()[reference]
        self._pay(1 + len(element) + len(element.text or "") // 1000)
        return element

    def _pay(self, price: int) -> None:
        self._spent += price
        if self._spent > MOST_SPENT:
            raise MalformedRequest(Text("the call has too many values, or references in a circle."))

    def _known(self) -> dict[str, Any]:
        if self._by_id is None:
            found = ((element.get("id") or element.get(ID_12), element) for element in self._envelope.iter())
            self._by_id = {name: element for name, element in found if name}
        return self._by_id


def reference_of(element: Any) -> str | None:
    """Return the id that ``element`` refers to: ``href="#id"``, in SOAP 1.2 ``enc:ref="id"``."""
    if not element.attrib:
        return None
    reference: str | None = element.get("href") or element.get(REF_12)
    return reference.removeprefix("#") if reference else None


def fields(elements: Iterable[Any], reader: Reader, known: Names, level: int = 0) -> Iterator[tuple[str, str]]:
    """Yield name and text of every value in ``elements``, structures taken apart. Raises ``MalformedRequest``."""
    if level > MOST_DEEP:
        text = Text("the call has more than {most} levels, or references in a circle.", most=MOST_DEEP)
        raise MalformedRequest(text)
    for element in elements:
        found = reader.visit(element)
        name = local_name(element)
        if not len(found):
            yield name, text_of(found)
        elif known.get(name.lower()) == CAMPOS:
            yield name, as_text(taken_apart(found, reader, known, level + 1))
        elif name.lower() in known:
            yield name, next((text for _, text in fields(found, reader, known, level + 1) if text), "")
        else:
            yield from taken_apart(found, reader, known, level + 1)


def taken_apart(parent: Any, reader: Reader, known: Names, level: int) -> Iterator[tuple[str, str]]:
    """Yield the values in a structure, an array, or a map as PHP writes it (``item`` of ``key`` and ``value``;
    tests/recordings/php-soapclient/map).
    """
    for child in parent:
        found = reader.visit(child)
        key, value = found.find("{*}key"), found.find("{*}value")
        if key is None or value is None:
            yield from fields([child], reader, known, level)
        else:
            text = next((text for _, text in fields([value], reader, known, level)), "")
            yield text_of(reader.visit(key)), text


def local_name(element: Any) -> str:
    name: str = element.tag.rpartition("}")[2]
    return name


def text_of(element: Any) -> str:
    """Return the text of ``element``; SOAP::Lite writes words with accents as base64
    (tests/recordings/soap-lite/accents).
    """
    text = element.text or ""
    if not element.attrib or not element.get(f"{XSI}type", "").endswith(("base64Binary", ":base64")):
        return text
    try:
        raw = base64.b64decode(text)
    except (binascii.Error, ValueError):
        return text
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1")
