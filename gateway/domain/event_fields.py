"""The fields of the events that forwards are told of: the names for templates and conditions, and what each holds.

Letters hold texts. ``kind`` says what a text stands for, so that conditions compare numbers as numbers, and our own
webhooks write them as JSON's own types.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from gateway.domain.calls.results import Result
from gateway.domain.messages import ATTACHED, AgentState, Direction
from gateway.domain.numbering.reading import NumberKind

EVENT_KINDS = (
    *("call_started", "call_answered", "call_held", "call_resumed", "call_transferred", "queue_entered", "queue_left"),
    *("call_ended", "call_noted", "agent_state_changed"),
)
"""The kinds of events that a forward may be told of."""


class FieldKind(StrEnum):
    """What the text of a field stands for; an empty one says that it is not known."""

    TEXT = "text"
    WHOLE = "whole"
    """A whole number."""
    MOMENT = "moment"
    """ISO 8601 in UTC, such as ``2026-03-05T17:20:31.123Z``."""
    SWITCH = "switch"
    """``true`` or ``false``."""
    NAMES = "names"
    """Texts with spaces between them."""
    TABLE = "table"
    """A JSON object of texts."""


class About(StrEnum):
    """Which events have a field."""

    ALL = "all"
    CALL = "call"
    AGENT = "agent"


@dataclass(frozen=True, slots=True)
class EventField:
    """One field of an event; ``key`` is its name in our own webhooks, ``choices`` are the only texts it may have."""

    says: str
    kind: FieldKind = FieldKind.TEXT
    key: str = ""
    choices: tuple[str, ...] = ()
    about: About = About.CALL


def _whole(says: str) -> EventField:
    return EventField(says, FieldKind.WHOLE)


def _moment(says: str, about: About = About.CALL) -> EventField:
    return EventField(says, FieldKind.MOMENT, about=about)


_ATTACHED = {
    "queue": EventField("the queue or group", key="queue", about=About.ALL),
    "line": EventField("the number of ours that was called", key="line"),
    "caller_name": EventField("the caller's name, as the exchange sent it", key="caller_name"),
    "hung_up_by": EventField("who hung up, in the exchange's words", key="hung_up_by"),
}

FIELDS: Mapping[str, EventField] = {
    "tenant": EventField("the company", about=About.ALL),
    "zone": EventField("the company's time zone, such as America/Sao_Paulo", about=About.ALL),
    "revision": EventField(
        "grows with each event of the gateway: of two events of one call the larger is the newer",
        FieldKind.WHOLE,
        about=About.ALL,
    ),
    "occurred_at": _moment("when it happened: as the exchange says, else when it was received", About.ALL),
    "late": EventField(
        "whether it had expired, and the target wants it all the same", FieldKind.SWITCH, about=About.ALL
    ),
    "call_id": _whole("our number of the call"),
    "call_ref": EventField("the exchange's own id of the call"),
    "group_id": _whole("the first call of the same caller, where several extensions rang as calls of their own"),
    "ramal": EventField("the extension", key="extension", about=About.ALL),
    "telefone": EventField("the other party: DDD + number where it reads as one", key="number"),
    "number_kind": EventField("what the number is", choices=tuple(NumberKind)),
    "number_e164": EventField("the number as +55 DDD number, or of another country; empty where there is no such form"),
    "number_as_sent": EventField("the number as the exchange sent it"),
    "direction": EventField("seen from the company", choices=tuple(Direction)),
    "status": EventField("where the call stands: ringing, talking, ended ..."),
    "started_at": _moment("when it began"),
    "answered_at": _moment("when somebody took it"),
    "ended_at": _moment("when it ended"),
    "duration_s": _whole("seconds from its start to its end"),
    "ring_s": _whole("seconds until somebody took it, or until its end where nobody did"),
    "talk_s": _whole("seconds from its answer to its end"),
    "waited_s": _whole("seconds that its caller waited in a queue"),
    "answered_by": EventField("the extension that took it"),
    "answered_agent": EventField("login of who took it"),
    "answered_agent_name": EventField("name of who took it"),
    "agent_login": EventField("login of who took the call at the extension, else of who sits there", about=About.ALL),
    "agent": EventField("name of the same; of an agent's state the name as sent", about=About.ALL),
    "rang": EventField("the extensions that rang", FieldKind.NAMES),
    "transferred_to": EventField("the extension that ended it, where it is another"),
    "transfer": EventField("how it was handed on", choices=("blind", "attended")),
    "consultation_for": _whole("of a consultation before an attended transfer: the call that was transferred"),
    "result": EventField("how it ended", choices=tuple(Result)),
    "resultado": EventField("how it ended, in the exchange's words", key="result_text"),
    "cause": EventField("why it ended, as a code of Q.850 or SIP"),
    "missed": EventField("whether its caller reached nobody", FieldKind.SWITCH),
    **{parameter: _ATTACHED[name] for name, parameter in ATTACHED.items()},
    "line_name": EventField("the configured name of the line"),
    "url_audio": EventField("address of the recording", key="recording_url"),
    "cost": EventField("what the call cost, as the exchange noted it (in call_noted)"),
    "transcript": EventField("what was said, as the exchange noted it (in call_noted)"),
    "author": EventField("login of the agent who wrote the note (in call_noted); empty where an exchange noted it"),
    "author_name": EventField("name of the same"),
    "text": EventField("what the agent wrote"),
    "outcome": EventField("the outcome that the agent chose: a code of the configuration"),
    "follow_up": _moment("when somebody is to call again"),
    "account_id": _whole("our number of the account"),
    "account_code": EventField("the CRM's own id of the account"),
    "account": EventField("the account's name", key="account_name"),
    "account_link": EventField("the account's page in the CRM: the company's `crm.link`, if it needs no field of it"),
    "contact": EventField("who calls, of the account"),
    "fields": EventField("free fields by name", FieldKind.TABLE),
    "state": EventField("what the agent does", choices=tuple(AgentState), about=About.AGENT),
    "reason": EventField("why the agent pauses, as sent", about=About.AGENT),
}
"""Every field by its name in templates; what is not known is empty."""

_SAMPLES = {FieldKind.WHOLE: "1", FieldKind.MOMENT: "2026-03-05T17:20:31.123Z", FieldKind.SWITCH: "false"}
SAMPLE: Mapping[str, str] = {
    **{name: each.choices[0] if each.choices else _SAMPLES.get(each.kind, "1") for name, each in FIELDS.items()},
    "ramal": "3501",
    "telefone": "4732100123",
    "number_kind": "fixed",
    "number_e164": "+554732100123",
    "number_as_sent": "04732100123",
    "answered_by": "3501",
    "rang": "3501",
    "zone": "America/Sao_Paulo",
    "fields": '{"cpf":"12345678909"}',
    "url_audio": "http://127.0.0.1/1.wav",
    "account_link": "https://crm.example/contas/1",
}
"""The fields of an event, as forwards get them, to try templates with."""


def table_of(text: str) -> dict[str, str]:
    """Return the texts of a table by their names; none where ``text`` is no JSON object of texts."""
    try:
        found = json.loads(text) if text else {}
    except (ValueError, RecursionError):
        return {}
    return {name: value for name, value in found.items() if isinstance(value, str)} if isinstance(found, dict) else {}


def key_of(name: str) -> str:
    """Return the name of a field in our own webhooks."""
    return FIELDS[name].key or name


def fields_of(kind: str) -> Mapping[str, EventField]:
    """Return the fields that an event of ``kind`` has, by their names in templates."""
    left_out = About.CALL if kind == "agent_state_changed" else About.AGENT
    return {name: each for name, each in FIELDS.items() if each.about is not left_out}
