"""Which fields a call has outside, as the ``info`` of its columns says: in the log, in events, on screens.

Scripts read fields by their place, too (CSV): a new one comes last, so its column stands last in the table.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import ColumnElement, Integer, func, select

from gateway.store.tables import accounts, agent_notes, agents, calls, orders

_code_of_account = select(accounts.c.code).where(accounts.c.id == calls.c.account_id).scalar_subquery()
_name_of_agent = (
    select(agents.c.name)
    .where(agents.c.tenant == calls.c.tenant, agents.c.login == calls.c.answered_agent)
    .scalar_subquery()
)
BESIDE: Mapping[str, ColumnElement[Any]] = {
    "account": calls.c.account_name,
    # Calls of before have the codes and names of now.
    "account_code": func.coalesce(calls.c.account_code, _code_of_account),
    "answered_agent_name": func.coalesce(calls.c.answered_agent_name, _name_of_agent),
    "appliance": func.coalesce(orders.c.dialled_by, orders.c.appliance),
    "detail": orders.c.detail,
    "request_id": orders.c.request_key,
    "sentence": orders.c.sentence,
    "note": agent_notes.c.text,
    "note_outcome": agent_notes.c.outcome,
    "note_by": agent_notes.c.author,
    "note_author_name": agent_notes.c.author_name,
    "noted_at": agent_notes.c.updated_at,
    "follow_up_at": agent_notes.c.follow_up_at,
    "follow_up_done_at": agent_notes.c.follow_up_done_at,
    "note_revision": agent_notes.c.revision,
}
"""Fields that are no column of ``calls`` of the same name, and what they are read from."""
BEHIND: Mapping[str, tuple[str, ...]] = {
    "contact": ("appliance", "detail"),
    "paired_by": ("certainty",),
    "call_ref": ("request_id",),
    "returned_by": ("rang", "legs", "notes"),
    "account_code": ("account_id",),
    "cleared_by": ("note", "note_outcome", "note_by", "noted_at", "follow_up_at", "follow_up_done_at"),
}
"""Fields that no column of ``calls`` holds, by the column behind which they are told."""


STRUCTURES: Mapping[str, Mapping[str, Any]] = {
    "fields": {"type": "object", "additionalProperties": {"type": "string"}, "description": "free fields by name"},
    "fields_cut": {"type": "boolean", "description": "whether free fields found no room"},
    "rang": {"type": "array", "items": {"type": "string"}, "description": "the extensions at which it rang"},
    "legs": {"type": "array", "items": {"type": "object"}, "description": "who rang when, who talked when"},
    "notes": {"type": "array", "items": {"type": "object"}, "description": "what was told of it besides"},
}
"""Fields that are no plain text or number, as JSON schema."""


def _fields() -> Iterator[str]:
    for column in calls.c:
        if shown := column.info.get("log"):
            yield column.name if shown is True else shown
        yield from BEHIND.get(column.name, ())


LOG_FIELDS = tuple(_fields())
"""What scripts get of a call, in this order."""
EVENT_FIELDS = tuple(column.name for column in calls.c if column.info.get("event") == "always")
"""Columns that the payload of each event holds."""
KNOWN_EVENT_FIELDS = tuple(column.name for column in calls.c if column.info.get("event") == "known")
"""Columns that the payload of an event holds where they are not null."""
SCREEN_FIELDS = tuple(column.name for column in calls.c if "screens" in column.info)
"""Columns that screens are told with each event that knows them."""


def column_of(name: str) -> ColumnElement[Any]:
    """Return what the field ``name`` is read from, under its name. Raises ``KeyError`` for one that is worked out."""
    return BESIDE[name].label(name) if name in BESIDE else calls.c[name]


def is_moment(name: str) -> bool:
    """Return whether the field ``name`` is a moment, which scripts get as ISO 8601."""
    return name.endswith("_at")


def schema_of(name: str) -> dict[str, Any]:
    """Return the JSON schema of the field ``name``, as far as its column tells."""
    if name in STRUCTURES:
        return dict(STRUCTURES[name])
    column = calls.c.get(name)
    if column is None:
        return {"type": ["string", "null"]}
    kind = "integer" if isinstance(column.type, Integer) and not is_moment(name) else "string"
    schema: dict[str, Any] = {"type": [kind, "null"] if column.nullable else kind}
    if is_moment(name):
        schema["format"] = "date-time"
    return schema | ({"description": column.comment} if column.comment else {})
