"""JSON for scripts and for the desk's own script; ``static/openapi.json`` describes it.

Every answer is an object. What went wrong is ``{"ok": false, "code": …, "message": …, "hint": …}``.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from werkzeug.exceptions import BadRequest, NotFound
from werkzeug.wrappers import Response

from gateway.desk import assets, dialling, filters
from gateway.desk.access import TOKEN_FIELD
from gateway.desk.context import Visit
from gateway.desk.rendering import as_json
from gateway.domain.webhook_documents import schema
from gateway.errors import MalformedRequest, UnknownParameter
from gateway.store.call_fields import LOG_FIELDS, schema_of
from gateway.store.calls import LoggedCall, iso
from gateway.texts.rendering import render, shown
from gateway.texts.text import Text

PARAMETERS: Mapping[str, Sequence[str]] = {
    "api_calls": filters.SCRIPT_PARAMETERS,
    "api_note_save": ("text", "outcome", "follow_up", "revision", "finished"),
    "api_missed_clear": ("call_id",),
    "api_missed_restore": ("call_id",),
    "api_calls_csv": filters.EXPORT_PARAMETERS,
    "api_calls_xlsx": filters.EXPORT_PARAMETERS,
    "api_letters": filters.LETTER_PARAMETERS,
    "api_letters_retry": filters.LETTER_PARAMETERS[:-2],
    "api_letters_drop": filters.LETTER_PARAMETERS[:-2],
    "api_letters_move": ("source", "target"),
    "api_dial": ("number", "extension", "appliance", "request_id", "call_id"),
}
"""What each address takes, in the query or, where it is posted to, in the body; those that are missing take nothing."""
WRITES = ("POST", "PUT")
"""The methods that change something."""
EXAMPLE = Text("Send {example}.", example='{"number": "4732100123"}')
ALWAYS_TAKEN = (TOKEN_FIELD, "_")
"""The token of a form, and what jQuery adds so that no cache answers."""


def check_parameters(endpoint: str, visit: Visit) -> None:
    """Refuse the first parameter that is not taken: to ignore it would answer another question. Raises
    ``UnknownParameter``.
    """
    known = PARAMETERS.get(endpoint, ())
    writes = visit.request.method in WRITES
    given = [*visit.request.args, *(posted(visit) if writes and known else visit.request.form)]
    taken = (*ALWAYS_TAKEN, *known)
    unknown = next((name for name in given if name not in taken), None)
    if unknown is not None:
        raise UnknownParameter(unknown, known=known)


def calls(visit: Visit) -> Response:
    """Show the newest calls that match, and where to go on."""
    wanted, limit = filters.wanted_by_script(visit.request.args, visit.reader)
    found = visit.calls.search(wanted, limit=limit)
    return as_json({"calls": [call.as_json() for call in found.calls], "next_before_id": found.next_before})


def call(visit: Visit, call_id: int) -> Response:
    """Show one call. Raises ``NotFound``."""
    found = visit.calls.find(call_id)
    return as_json(found.as_json())


def why(visit: Visit, call_id: int) -> Response:
    """Show what happened to one call on its way to a screen. Raises ``NotFound``."""
    visit.calls.find(call_id)
    explained = visit.services.explainer.explain(visit.tenant, call_id)
    if explained is None:
        raise NotFound
    return as_json(explained.as_json())


def dial(visit: Visit) -> Response:
    """Place a call from the agent's own extension, for a program from any, and say what came of it."""
    asked = posted(visit)
    reply = dialling.place(
        visit,
        posted_text(asked, "number") or dialling.number_of(visit, posted_text(asked, "call_id")),
        extension=posted_text(asked, "extension"),
        appliance=posted_text(asked, "appliance"),
        key=posted_text(asked, "request_id"),
    )
    outcome = reply.outcome.value if reply.outcome else None
    return as_json(
        {"ok": reply.ok, "outcome": outcome, "message": _said(visit, reply.message), "call_id": reply.call_id}
    )


def hang_up(visit: Visit, call_id: int) -> Response:
    """End a call that was placed from the agent's own extension. Raises ``NotFound``."""
    found = visit.calls.find(call_id)
    reply = dialling.hang_up(visit, found)
    outcome = reply.outcome.value if reply.outcome else None
    return as_json({"ok": reply.ok, "outcome": outcome, "message": _said(visit, reply.message), "call_id": call_id})


def over(visit: Visit, call_id: int) -> Response:
    """Mark a call as over, of which no end was heard; the answer has the call as it is then. Raises ``NotFound``."""
    found = visit.calls.find(call_id)
    marked = dialling.mark_over(visit, found)
    now = visit.calls.get(call_id) or found
    message = render(_marked(now, marked), visit.language)
    return as_json({"ok": True, "marked": marked, "message": message, "call": now.as_json()})


def _marked(call: LoggedCall, marked: bool) -> Text:
    if marked:
        return Text("call marked as ended")
    if call.status == "over":
        return Text("the call was already marked as ended by {who}", who=call.over_by)
    return Text("the call had already ended")


def me(visit: Visit) -> Response:
    """Show who is logged in."""
    agent = visit.me
    who = {"login": agent.login, "name": agent.name, "extension": agent.extension}
    return as_json(who | {"tenant": visit.tenant, "title": visit.title})


def appliances(visit: Visit) -> Response:
    """Show the appliances that can dial for the company."""
    found = [
        {"name": item.name, "title": item.title, "default": item.default, **_doing(visit, item.name)}
        for item in visit.centrals
    ]
    return as_json({"appliances": found})


def _doing(visit: Visit, name: str) -> Mapping[str, Any]:
    """Return the health of an appliance as fields, where it is known."""
    centrals = visit.services.appliances
    if centrals is None:
        return {}
    health = centrals.health(visit.tenant, name)
    again = iso(health.retry_at) if health.retry_at else None
    return {"state": health.gate.value, "retry_at": again, "reason": _said(visit, health.reason)}


def _said(visit: Visit, text: Text | str | None) -> str:
    """Return ``text`` in the company's language, as programs of it expect it."""
    return shown(text, visit.services.config.language(visit.tenant))


def openapi(visit: Visit) -> Response:
    """Show the description of this interface (OpenAPI), with this company's address."""
    return as_json(document() | {"servers": [{"url": visit.request.root_path or "/"}]})


def webhook_schema(visit: Visit) -> Response:
    """Show the JSON Schema of the webhooks that forwards send."""
    return as_json(schema())


def document() -> dict[str, Any]:
    """Return the OpenAPI document: as it lies in the package, a call's fields as the log has them.

    The package's says of a field what its column does not tell: other words, an enumeration.
    """
    described: dict[str, Any] = json.loads(assets.assets()["openapi.json"].data)
    call = described["components"]["schemas"]["Call"]
    call["properties"] = {name: _schema(name, call["properties"].get(name, {})) for name in LOG_FIELDS}
    call["required"] = list(LOG_FIELDS)
    return described


def _schema(name: str, more: dict[str, Any]) -> dict[str, Any]:
    return more if "$ref" in more else schema_of(name) | more


def posted(visit: Visit) -> Mapping[str, Any]:
    """Return the body's fields, from JSON or a form. Raises ``MalformedRequest``."""
    if not visit.request.is_json:
        return visit.request.form
    try:
        asked = visit.request.get_json()
    except RecursionError:
        raise MalformedRequest(Text("the JSON has too many levels."), hint=EXAMPLE) from None
    except BadRequest:
        raise MalformedRequest(Text("a JSON object was expected.")) from None
    if not isinstance(asked, dict):
        raise MalformedRequest(Text("a JSON object was expected."), hint=EXAMPLE)
    return asked


def posted_text(asked: Mapping[str, Any], name: str) -> str:
    """Return one of the body's fields as a text, empty where it is not given. Raises ``MalformedRequest``."""
    value = asked.get(name)
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise MalformedRequest(Text("{name}: a text was expected.", name=name))
    return str(value)
