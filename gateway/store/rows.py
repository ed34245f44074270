"""What the journal's rows hold, made of drafts and calls."""

import json
from typing import Any

from gateway.adapter import ANSWER_FIELDS, Delivery
from gateway.domain.calls.call import Call
from gateway.domain.calls.matching import Match
from gateway.domain.links import safe_link
from gateway.domain.messages import ATTACHED, CallEnded, CallMessage, CallTransferred
from gateway.store import tables
from gateway.store.call_fields import EVENT_FIELDS, KNOWN_EVENT_FIELDS, is_moment
from gateway.store.calls import iso
from gateway.store.candidates import row_of
from gateway.store.drafts import OrderAttempt, OrderDraft, Settlement
from gateway.store.fitting import length_of
from gateway.store.statements import CALL_COLUMNS
from gateway.texts.languages import Language
from gateway.texts.packing import pack
from gateway.texts.rendering import render
from gateway.texts.text import Text

# One encoder for all: json.dumps makes a new one at each call that names separators.
encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode

Row = dict[str, Any]
Kept = tuple[str, str]
"""A sentence as a text, and packed."""
PEER_REF = length_of(tables.attempts.c.peer_ref)


def call(call: Call, tenant: str, owner: Match | None) -> Row:
    """Return a new call; what is not known yet is None."""
    row: Row = dict.fromkeys(CALL_COLUMNS)
    row.update(row_of(call))
    row["tenant"] = tenant
    if owner is not None:
        row.update(account_id=owner.account_id, account_name=owner.name, contact=owner.contact)
    return row


def event(kind: str, call: Row, seq: int, at: int, told: Row) -> Row:
    """Return an event about ``call``, with the call as it is now and what is ``told`` besides."""
    return {
        "seq": seq,
        "tenant": call["tenant"],
        "kind": kind,
        "at": at,
        "extension": call["extension"],
        "call_id": call["id"],
        "payload": encode(_shown(call) | told),
    }


def _shown(call: Row) -> Row:
    more = {name: call[name] for name in KNOWN_EVENT_FIELDS if call[name] is not None}
    return {name: call[name] for name in EVENT_FIELDS} | more


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
        "new_outcome": draft.delivery.outcome.value,
        "new_detail": detail,
        "new_sentence": sentence,
        "new_ref": ref_of(draft.delivery),
        "dialled_by": draft.attempts[-1].appliance if draft.attempts else None,
        "at": draft.at,
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


def _text(value: object) -> str:
    return "" if value is None else str(value)


def letter(kind: str, call: Row, message: CallMessage, target: str) -> Row:
    """Return what the outbox keeps for ``target``: the fields of ``adapter.Outgoing``, numbers put right."""
    fields = {
        "tenant": call["tenant"],
        "call_id": str(call["id"]),
        "ramal": call["extension"],
        "telefone": call["number"],
        "direction": call["direction"],
        "url_audio": safe_link(call["recording_url"]) or "",
        "result": call["result"] or "",
        "resultado": call["result_text"] or "",
    }
    fields["missed"] = "true" if call["missed"] else "false"
    fields |= {name: _text(iso(call[name]) if is_moment(name) else call[name]) for name in ANSWER_FIELDS}
    fields |= {parameter: call[name] or "" for name, parameter in ATTACHED.items()}
    return {
        "tenant": call["tenant"],
        "target": target,
        "kind": kind,
        "body": encode(fields),
        "created_at": message.received_at,
        "due_at": message.received_at,
    }
