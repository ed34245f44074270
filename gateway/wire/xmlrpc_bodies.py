"""What an XML-RPC body calls, and with which values: read the way old clients write it, and never half of it.

XML-RPC has no namespaces, so that names are matched without them; values become texts, whatever type their client
guessed. What the specification has no place for is refused rather than passed over.
"""

import base64
import binascii
import re
from collections.abc import Iterator
from typing import Any

from gateway.errors import MalformedRequest
from gateway.texts.text import Text

NOT_BASE64 = re.compile("[^A-Za-z0-9+/_=-]")
URL_SAFE = str.maketrans("-_", "+/")


def read_call(root: Any) -> tuple[str, list[Any]]:
    """Return method name and parameters; where OpenSIPS (its module event_xmlrpc) names them, one struct. Raises
    ``MalformedRequest``.
    """
    without_namespaces(root)
    if root.tag != "methodCall" or not (name := (root.findtext("methodName") or "").strip()):
        raise MalformedRequest(Text("root element {tag!r}: expected methodCall with methodName.", tag=root.tag[:80]))
    params: list[Any] = []
    named: dict[str, Any] = {}
    for param in written_params(root):
        title, value = param.findtext("name"), read_param(param)
        if title is None:
            params.append(value)
        else:
            named[title.strip()] = value
    # Beside named ones, only the event's own name comes without one.
    return name, [named] if named else params


def without_namespaces(root: Any) -> None:
    """Take the namespaces off the names of ``root`` and of all that is in it."""
    for element in root.iter():
        if "}" in element.tag:
            element.tag = element.tag.rpartition("}")[2]


def written_params(root: Any) -> Iterator[Any]:
    """Yield the parameters, also where a client left out ``params``."""
    for child in root:
        if child.tag == "param":
            yield child
        elif child.tag == "params":
            yield from child.iterfind("*")


def read_param(param: Any) -> Any:
    """Read the value of a ``<param>``, also where a client left out that, or ``<value>``. Raises
    ``MalformedRequest``.
    """
    if param.tag not in ("param", "value"):
        raise MalformedRequest(Text("<params> holds <{found}>: expected <param>.", found=param.tag[:80]))
    if param.tag == "value":
        return read_value(param)
    held = [child for child in param if child.tag != "name"]
    if len(held) > 1:
        raise MalformedRequest(out_of_place(held[1], param))
    if not held:
        return None if len(param) else param.text
    return read_value(held[0]) if held[0].tag == "value" else read_typed(held[0])


def read_value(value: Any) -> Any:
    """Read a ``<value>``: structs and lists as such, None for nil, every scalar as its text. Raises
    ``MalformedRequest``.
    """
    if value is None:
        return None
    if len(value) > 1:
        raise MalformedRequest(out_of_place(value[1], value))
    return read_typed(value[0]) if len(value) else value.text or ""


def read_typed(typed: Any) -> Any:
    """Read what is in a ``<value>``, by its type. Raises ``MalformedRequest``."""
    if typed.tag == "struct":
        return dict(read_member(member, typed) for member in typed)
    if typed.tag == "array":
        return [read_value(item) for item in data_of(typed).iterfind("value")]
    if typed.tag == "nil":
        return None
    if len(typed):
        raise MalformedRequest(out_of_place(typed[0], typed))
    return decode(typed.text or "") if typed.tag == "base64" else typed.text or ""


def read_member(member: Any, struct: Any) -> tuple[str, Any]:
    """Return name and value of a struct's member; the name is empty where it has none. Raises ``MalformedRequest``."""
    if member.tag != "member":
        raise MalformedRequest(out_of_place(member, struct))
    values = member.findall("value")
    if len(values) > 1:
        raise MalformedRequest(out_of_place(values[1], member))
    return (member.findtext("name") or "").strip(), read_value(values[0] if values else None)


def data_of(array: Any) -> Any:
    """Return the ``<data>`` of an array, or the array where its client left that out. Raises ``MalformedRequest``."""
    if len(array) > 1 and any(child.tag == "data" for child in array):
        raise MalformedRequest(out_of_place(array[1], array))
    data = array.find("data")
    return array if data is None else data


def out_of_place(found: Any, parent: Any) -> Text:
    return Text("<{parent}> cannot hold <{found}> there.", parent=parent.tag[:80], found=found.tag[:80])


def decode(text: str) -> str:
    """Decode the text inside base64, of either alphabet; its end may be missing. Raises ``MalformedRequest``.

    Other characters are passed over (RFC 2045, 6.8), unless they are not of ASCII or nothing is left.
    """
    packed, _, behind = (NOT_BASE64.sub("", text).translate(URL_SAFE)).partition("=")
    if not text.isascii() or behind.strip("=") or (text.strip() and not packed):
        raise MalformedRequest(Text("a base64 value cannot be read."))
    try:
        raw = base64.b64decode(packed + "=" * (-len(packed) % 4))
    except (binascii.Error, ValueError):
        raise MalformedRequest(Text("a base64 value cannot be read.")) from None
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1")
