"""What the outbox keeps of an event for those who are told of it: the fields of ``adapter.Outgoing``, all as texts."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from gateway.domain.calls.decision import EventKind
from gateway.domain.calls.legs import rang
from gateway.domain.event_fields import FIELDS, FieldKind, fields_of
from gateway.domain.links import safe_link
from gateway.domain.messages import ATTACHED, CallNoted
from gateway.store.calls import iso
from gateway.store.rows import Row, encode
from gateway.store.writing.candidates import CandidateCall
from gateway.store.writing.drafts import AgentStateDraft, EventDraft, NoteDraft, UntoldNote

AGENT_STATE = EventKind.AGENT_STATE_CHANGED.value
NOTHING: Mapping[str, str] = dict.fromkeys(FIELDS, "")
_COLUMNS = {"call_id": "id", "ramal": "extension", "telefone": "number", "resultado": "result_text"}
_COLUMNS |= {"url_audio": "recording_url", "account": "account_name"} | {told: name for name, told in ATTACHED.items()}
"""The columns of a call that fields of another name are read from."""


def call_letters(
    kind: str, known: CandidateCall, draft: EventDraft, seq: int, sits: Iterable[tuple[str, tuple[str, str]]]
) -> Iterator[Row]:
    """Yield what the outbox keeps of an event of a call for each who wants it, numbers put right.

    ``seq`` is the event's place in the log; ``sits`` has each extension that is told of, with login and name of who
    sits there.
    """
    for extension, agent in sits:
        fields = call_fields(known, draft, seq, extension, agent)
        yield from _letters(kind, fields, draft, draft.message.received_at)


def call_fields(
    known: CandidateCall, draft: EventDraft, seq: int, extension: str, sits: tuple[str, str]
) -> dict[str, str]:
    """Return the fields of an event of a call, as ``extension`` sees it."""
    fields = _fields_of(known, draft, extension, sits) | _when(draft, seq)
    if isinstance(draft.message, CallNoted):
        fields |= {"cost": draft.message.cost or "", "transcript": draft.message.transcript or ""}
    return fields


def note_letters(
    known: CandidateCall, draft: NoteDraft | UntoldNote, note: Any, seq: int, sits: tuple[str, str]
) -> Iterator[Row]:
    """Yield what the outbox keeps of what an agent wrote of a call (a row of ``agent_notes``)."""
    fields = _fields_of(known, draft, known.row["extension"], sits)
    fields |= {"author": note.author, "author_name": note.author_name, "text": note.text}
    fields |= {"outcome": note.outcome or "", "follow_up": iso(note.follow_up_at) or ""}
    fields |= {"occurred_at": iso(note.updated_at) or "", "revision": str(seq), "zone": draft.rules.zone}
    yield from _letters(EventKind.CALL_NOTED.value, fields, draft, draft.at)


def _fields_of(
    known: CandidateCall, draft: EventDraft | NoteDraft | UntoldNote, extension: str, sits: tuple[str, str]
) -> dict[str, str]:
    """Return the fields that say what is known of a call."""
    call = known.row
    fields = {name: _told(name, call.get(_COLUMNS.get(name, name))) for name in fields_of("call_started")}
    fields |= {
        "ramal": extension,
        "rang": " ".join(rang(known.call)),
        "url_audio": safe_link(fields["url_audio"]) or "",
    }
    fields |= draft.rules.of_number(fields["telefone"]) | _agent(call, extension, sits)
    fields |= draft.rules.of_account(fields)
    return {**NOTHING, **fields, "missed": "true" if call["missed"] else "false"}


def agent_letters(draft: AgentStateDraft, state: Row, seq: int) -> Iterator[Row]:
    """Yield what the outbox keeps of what an exchange tells of an agent, for each who wants it."""
    told = {"agent": state["agent"], "state": state["state"], "reason": state["reason"], "fila": state["queue"]}
    fields = {**NOTHING, **{name: _told(name, text) for name, text in told.items()}, **_when(draft, seq)}
    fields |= {"tenant": state["tenant"], "ramal": state["extension"], "agent_login": state["login"] or ""}
    yield from _letters(AGENT_STATE, fields, draft, draft.message.received_at)


def _when(draft: EventDraft | AgentStateDraft, seq: int) -> dict[str, str]:
    at = draft.message.occurred_at or draft.message.received_at
    return {"occurred_at": iso(at) or "", "revision": str(seq), "zone": draft.rules.zone}


def _told(name: str, value: Any) -> str:
    if value is None:
        return ""
    return iso(value) or "" if FIELDS[name].kind is FieldKind.MOMENT else str(value)


def _agent(call: Row, extension: str, sits: tuple[str, str]) -> Row:
    """Return who took the call at ``extension``, else who sits there."""
    took = call["answered_agent"] and call["answered_by"] == extension
    login, name = (call["answered_agent"], call["answered_agent_name"]) if took else sits
    return {"agent_login": login, "agent": name or login}


def _letters(
    kind: str, fields: Mapping[str, str], draft: EventDraft | AgentStateDraft | NoteDraft | UntoldNote, at: int
) -> Iterator[Row]:
    """Yield one letter for each target; those of one call, or of one extension's agents, keep their order."""
    body = encode(fields)
    key = fields["call_id"] or f"agent {fields['ramal']}"
    for target in draft.forwards:
        if draft.rules.wants(target, kind, fields):
            row = {"tenant": fields["tenant"], "target": target, "kind": kind, "body": body}
            yield row | {"created_at": at, "due_at": at, "waits_since": at, "order_key": key}
