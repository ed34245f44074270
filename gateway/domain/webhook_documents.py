"""Our own webhooks: what an event is as JSON, and the JSON Schema of it. Both are made of one table of fields."""

from collections.abc import Mapping
from typing import Any

from gateway.domain.event_fields import EVENT_KINDS, FIELDS, EventField, FieldKind, fields_of, key_of, table_of

DRAFT = "https://json-schema.org/draft/2020-12/schema"
_ALWAYS = frozenset(("tenant", "revision", "occurred_at"))
"""Fields that are never null."""
_TYPES = {FieldKind.TEXT: "string", FieldKind.WHOLE: "integer", FieldKind.MOMENT: "string"}
_TYPES |= {FieldKind.SWITCH: "boolean", FieldKind.NAMES: "array", FieldKind.TABLE: "object"}


def document(kind: str, fields: Mapping[str, str]) -> dict[str, Any]:
    """Return an event as JSON has it: ``type``, ``timestamp`` and ``data``; what is not known is null.

    Fields that no event has (those of an order) stay texts under their own names.
    """
    known = fields_of(kind)
    data = {key_of(name): _value(field, fields.get(name, "")) for name, field in known.items()}
    # A letter that version 0.1.0 wrote has none, and is older than any.
    data["revision"] = data["revision"] or 0
    if kind not in EVENT_KINDS:
        data = {name: value for name, value in fields.items() if isinstance(value, str)}
    return {"type": kind, "timestamp": fields.get("occurred_at") or None, "data": data}


def _value(field: EventField, text: str) -> Any:
    """Return a text as JSON's own type; what does not read as its kind is not known."""
    if field.kind is FieldKind.NAMES:
        return text.split()
    if field.kind is FieldKind.TABLE:
        return table_of(text)
    if field.kind is FieldKind.SWITCH:
        return {"true": True, "false": False}.get(text)
    if field.kind is FieldKind.WHOLE:
        return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else None
    return text or None


def schema() -> dict[str, Any]:
    """Return the JSON Schema of all events. Later versions add properties, and change none."""
    return {
        "$schema": DRAFT,
        "title": "cti-gateway's webhooks",
        "description": "One event of a call, or of an agent. Properties may be added; unknown ones are to be ignored.",
        "oneOf": [{"$ref": f"#/$defs/{kind}"} for kind in EVENT_KINDS],
        "$defs": {kind: _event_schema(kind) for kind in EVENT_KINDS},
    }


def _event_schema(kind: str) -> dict[str, Any]:
    data = {key_of(name): _field_schema(name, field) for name, field in fields_of(kind).items()}
    properties = {
        "type": {"const": kind},
        "timestamp": {"type": "string", "format": "date-time", "description": FIELDS["occurred_at"].says},
        "data": {"type": "object", "required": list(data), "properties": data},
    }
    return {"type": "object", "required": list(properties), "properties": properties}


def _field_schema(name: str, field: EventField) -> dict[str, Any]:
    """Return the schema of one field; texts, numbers, times and switches are null where they are not known."""
    kind = _TYPES[field.kind]
    never_null = name in _ALWAYS or field.kind in (FieldKind.NAMES, FieldKind.TABLE)
    found: dict[str, Any] = {"type": kind if never_null else [kind, "null"], "description": field.says}
    if field.kind is FieldKind.MOMENT:
        found["format"] = "date-time"
    if field.kind is FieldKind.NAMES:
        found["items"] = {"type": "string"}
    if field.kind is FieldKind.TABLE:
        found["additionalProperties"] = {"type": "string"}
    return found | ({"enum": [*field.choices, None]} if field.choices else {})
