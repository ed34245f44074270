"""What the journal's rows hold, made of drafts and calls."""

import hashlib
import json
from operator import itemgetter
from typing import Any

from gateway.adapter import Delivery
from gateway.domain.calls.decision import EventKind, Note
from gateway.domain.calls.free_fields import read_fields
from gateway.domain.calls.legs import rang, seen_from
from gateway.domain.messages import ATTACHED, CallEnded, CallMessage, CallStarted, CallTransferred
from gateway.store import tables
from gateway.store.call_columns import PLACES
from gateway.store.call_fields import EVENT_FIELDS, KNOWN_EVENT_FIELDS
from gateway.store.calls import iso
from gateway.store.fitting import length_of
from gateway.store.writing.candidates import CandidateCall
from gateway.store.writing.drafts import AgentStateDraft, OrderAttempt, OrderDraft, Settlement
from gateway.texts.languages import Language
from gateway.texts.packing import pack
from gateway.texts.rendering import render
from gateway.texts.text import Text

# One encoder for all: json.dumps makes a new one at each call that names separators.
encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode

Row = dict[str, Any]
NO_CALL = 0
"""The call id of an event that is about no call."""
Kept = tuple[str, str]
"""A sentence as a text, and packed."""
_always_told, _told_where_known = (
    itemgetter(*(PLACES[name] for name in names)) for names in (EVENT_FIELDS, KNOWN_EVENT_FIELDS)
)
PEER_REF = length_of(tables.attempts.c.peer_ref)


def event(kind: str, call: CandidateCall, seq: int, at: int, told: Row, extension: str | None = None) -> Row:
    """Return an event about ``call``, with the call as it is now and what is ``told`` besides; with an ``extension``,
    as that one sees it.
    """
    return {
        "seq": seq,
        "tenant": call.tenant,
        "kind": kind,
        "at": at,
        "extension": call.call.extension if extension is None else extension,
        "call_id": call.call.id,
        "payload": encode(_shown(call, extension) | told),
    }


def _shown(call: CandidateCall, extension: str | None) -> Row:
    values = call.values
    shown = dict(zip(EVENT_FIELDS, _always_told(values), strict=True))
    known = _told_where_known(values)
    if known.count(None) < len(known):
        shown |= {name: value for name, value in zip(KNOWN_EVENT_FIELDS, known, strict=True) if value is not None}
    if call.call.fields is not None:
        shown["fields"] = read_fields(call.call.fields)
    if call.call.legs:
        seen = call.call.extension if extension is None else extension
        shown |= {"status": seen_from(call.call, seen), "rang": rang(call.call)}
    return shown


def note(note: Note, call: CandidateCall) -> Row:
    """Return what is kept with ``call``; the digest lets the same be kept once."""
    text = encode([note.recording_url, note.cost, note.transcript])
    digest = int.from_bytes(hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=8).digest()) >> 1
    return {"call_id": call.call.id, "digest": digest, "tenant": call.tenant, **note._asdict()}


def agent_state(draft: AgentStateDraft, login: str | None) -> Row:
    """Return what an exchange tells of an agent, who is ``login`` where that is known."""
    message = draft.message
    return {
        "tenant": message.tenant,
        "at": message.received_at,
        "occurred_at": message.occurred_at,
        "extension": draft.extension,
        "agent": message.agent,
        "login": login,
        "state": message.state.value,
        "reason": message.reason,
        "queue": message.queue,
    }


def agent_event(draft: AgentStateDraft, state: Row, seq: int) -> Row:
    """Return the event that tells of ``state``; it is about no call."""
    told = {name: state[name] for name in ("agent", "login", "state", "reason", "queue") if state[name] is not None}
    origin = draft.message.origin
    received = {"wire": origin.wire, "client": origin.client, "ramal": draft.message.ramal}
    return {
        "seq": seq,
        "tenant": state["tenant"],
        "kind": EventKind.AGENT_STATE_CHANGED.value,
        "at": state["at"],
        "extension": state["extension"],
        "call_id": NO_CALL,
        "payload": encode(told | {"received": received}),
    }


def agent_note(note: Any) -> Row:
    """Return what the log tells of what an agent wrote, a row of ``agent_notes``."""
    told = {"text": note.text, "author": note.author, "author_name": note.author_name, "revision": note.revision}
    more = {"outcome": note.outcome, "follow_up_at": iso(note.follow_up_at)}
    return told | {name: value for name, value in more.items() if value is not None}


def missed_event(tenant: str, seq: int, at: int, told: Row) -> Row:
    """Return the event that tells of the list of missed calls; it is about all who see that, and of no one call."""
    kind, payload = EventKind.MISSED_CHANGED.value, encode(told)
    row: Row = {"seq": seq, "tenant": tenant, "kind": kind, "at": at, "extension": "", "call_id": NO_CALL}
    return row | {"payload": payload}


def received(message: CallMessage) -> Row:
    """Return the fields of a request as it came, for the diagnosis."""
    told: Row = {"wire": message.origin.wire, "client": message.origin.client, "ramal": message.ramal}
    told["telefone"] = message.telefone
    if message.origin.replay_of:
        told["replay_of"] = message.origin.replay_of
    if isinstance(message, CallTransferred):
        told["ramal_destino"] = message.to
    if isinstance(message, CallEnded) and message.result:
        told["resultado"] = message.result
    if message.fields:
        told["campos"] = dict(message.fields)
    if isinstance(message, CallStarted) and message.also_rings:
        told["ramais"] = list(message.also_rings)
    for name, text in message.attached.items():
        told[ATTACHED[name]] = text
    return told


def order(draft: OrderDraft, order_id: int, call_id: int, owner: str | None) -> Row:
    """Return an order that is about to be tried by the process ``owner``."""
    message = draft.message
    return {
        "id": order_id,
        "tenant": message.tenant,
        "call_id": call_id,
        "extension": draft.extension,
        "number": message.number,
        "digits": draft.digits,
        "appliance": draft.appliance,
        "wire": message.origin.wire,
        "client": message.origin.client,
        "requested_by": message.requested_by,
        "requested_at": message.received_at,
        "request_key": message.request_key,
        "owner": owner,
    }


def kept(text: Text, language: Language) -> Kept:
    """Return ``text`` as it is kept: in the company's language, and packed for all."""
    return render(text, language), pack(text)


def settled(draft: Settlement, told: Kept) -> Row:
    """Return the parameters that settle an order; ``told`` is its sentence."""
    detail, sentence = told
    return {
        "of": draft.order_id,
        "outcome": draft.delivery.outcome.value,
        "detail": detail,
        "sentence": sentence,
        "peer_ref": ref_of(draft.delivery),
        "dialled_by": draft.attempts[-1].appliance if draft.attempts else None,
        "settled_at": draft.at,
    }


def attempt(made: OrderAttempt, tenant: str, order_id: int, told: Kept) -> Row:
    """Return the row of one attempt of an order; ``told`` is its sentence."""
    detail, sentence = told
    return {
        "tenant": tenant,
        "order_id": order_id,
        "kind": made.kind,
        "appliance": made.appliance,
        "outcome": made.delivery.outcome.value,
        "detail": detail,
        "peer_ref": ref_of(made.delivery),
        "began_at": made.began_at,
        "ended_at": made.ended_at,
        "sentence": sentence,
    }


def ref_of(delivery: Delivery) -> str | None:
    """Return the peer's id of a call, or None when it is too long: one that was cut would be another call's."""
    return delivery.peer_ref if delivery.peer_ref and len(delivery.peer_ref) <= PEER_REF else None
