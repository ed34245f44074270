"""Parameters in a JSON object, ``{"ramal": "3501", "telefone": 4732100123}``: every value as the text that it means.

With the tolerance that forms have: names in other letter case, values by aliases, any charset, and JSON under the media
type of a form (what ``curl -d`` sends).
"""

import json
import re
from collections.abc import Mapping
from typing import Any

from gateway.errors import BadParameter, MalformedRequest
from gateway.texts.text import Text
from gateway.wire.free_fields import CAMPOS, MOST_DEEP, FieldCollector
from gateway.wire.guard import to_utf8
from gateway.wire.repeats import FirstValues

Names = Mapping[str, str]
KIND = re.compile(r"(application|text)/(x-)?(json|[\w.+-]{1,80}\+json)")
SAMPLE = json.dumps({"ramal": "3501", "telefone": "4732100123"})
LONGEST_NAME = 300
MOST_MEMBERS = 1000
# Half of a letter beyond the first 65,536, which UTF-8 cannot hold.
LONE = re.compile("[\ud800-\udfff]")
CONSTANTS = {True: "true", False: "false", None: ""}


def is_json(kind: str, body: bytes) -> bool:
    """Return whether ``body`` is JSON: its media type says so, or it begins as no form does."""
    return KIND.fullmatch(kind) is not None or body.lstrip(b" \t\r\n\xef\xbb\xbf")[:1] == b"{"


def read_json(body: bytes, content_type: str, names: Names, *, keep_unknown: bool = False) -> FirstValues:
    """Read the parameters ``names`` of a JSON object, as text; other members are passed over, or free fields.

    Raises ``MalformedRequest``, and ``BadParameter`` where a parameter has no text or number, but values of its own.
    """
    pairs = parse_object(body, content_type)
    refuse_elsewhere(pairs, names)
    found, fields = FirstValues(), FieldCollector(names, keep_unknown=keep_unknown)
    for written, value in pairs:
        name = name_of(written, names)
        if name is None or (name == CAMPOS and isinstance(value, list)):
            fields.add_value(CAMPOS if name else written[:LONGEST_NAME], plain(value))
        else:
            found.keep(name, text_of(written, value))
    if CAMPOS in names:
        fields.put_into(found)
    return found


def refuse_elsewhere(pairs: "Object", names: Names) -> None:
    """Raise ``MalformedRequest`` where an object has no parameter itself, but perhaps in what is in it."""
    if any(name_of(written, names) for written, _ in pairs):
        return
    nest = next((written for written, value in pairs if isinstance(value, list)), None)
    if nest is not None:
        raise MalformedRequest(
            Text("the parameters are not in the JSON object itself, but perhaps within {name!r}.", name=nest[:80]),
            hint=Text("Send {sample}, or describe this form as a source of events.", sample=SAMPLE),
        )


def plain(value: Any, level: int = 0) -> Any:
    """Return a value of ours as ``json`` has it: objects as dicts, of members with one name the last; without what is
    deeper in it than anybody writes.
    """
    if not isinstance(value, list):
        return value
    if level > MOST_DEEP:
        return None
    if isinstance(value, Object):
        return {name: plain(item, level + 1) for name, item in value}
    return [plain(item, level + 1) for item in value]


def name_of(written: str, names: Names) -> str | None:
    return names.get(written) or names.get(written[:LONGEST_NAME].strip().lower())


def text_of(written: str, value: Any) -> str:
    """Return the text of a value; numbers as they were written. Raises ``BadParameter``."""
    if isinstance(value, str):
        return value if value.isprintable() else LONE.sub("\ufffd", value)
    if isinstance(value, list):
        kind = "object" if isinstance(value, Object) else "array"
        raise BadParameter(written[:80], kind, expected=Text("a text or number"))
    return CONSTANTS[value]


class Object(list[tuple[str, Any]]):
    """The members of a JSON object in their order, repeated names too."""


def parse_object(body: bytes, content_type: str) -> Object:
    """Return the members of the JSON object ``body``. Raises ``MalformedRequest``."""
    try:
        found = DECODER.decode(decoded(body, content_type))
    except json.JSONDecodeError as error:
        raise MalformedRequest(Text("the body is no valid JSON (line {line}).", line=error.lineno)) from None
    except RecursionError:
        raise MalformedRequest(Text("the JSON has too many levels.")) from None
    if not isinstance(found, Object):
        raise MalformedRequest(Text("the body is JSON, but no object: expected {sample}.", sample=SAMPLE))
    if len(found) > MOST_MEMBERS:
        raise MalformedRequest(Text("the JSON object has more than {most} members.", most=MOST_MEMBERS))
    return found


def decoded(body: bytes, content_type: str) -> str:
    """Return ``body`` as text: RFC 8259 wants UTF-8, old clients send UTF-16, or Latin-1 with or without saying so."""
    charset = json.detect_encoding(body)
    if charset.startswith("utf-8"):
        return to_utf8(body, content_type).decode().lstrip("\ufeff").strip()
    return body.decode(charset, "replace").strip()


DECODER = json.JSONDecoder(
    object_pairs_hook=Object, parse_int=str, parse_float=str, parse_constant=lambda name: None, strict=False
)
"""Numbers stay as written, for a long one is a telephone's; ``strict=False`` takes line breaks within texts."""
