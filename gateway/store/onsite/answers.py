"""What a gateway on site answers to an order: written there, read here, and kept where nobody waits for it any more."""

import math
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, Row, select

from gateway.adapter import Delivery, Outcome
from gateway.store import rows, statements, tables
from gateway.store.fitting import fit
from gateway.store.writing.drafts import OrderAttempt
from gateway.texts.languages import Language
from gateway.texts.packing import pack, unpack
from gateway.texts.text import Text

orders = tables.orders
LATE = Text("Answered when the order was settled already: {answer}")


def answer_of(delivery: Delivery) -> Mapping[str, Any]:
    """Return what came of an order as a site tells it the main gateway: ``delivery_of`` reads it."""
    return {
        "outcome": delivery.outcome.value,
        "detail": fit(str(delivery.text), 2000),
        "sentence": pack(delivery.text),
        "peer_ref": delivery.peer_ref,
        "retry_after_s": delivery.retry_after_s,
    }


def delivery_of(answer: Mapping[str, Any]) -> Delivery:
    """Return what a site answered; *unknown* where it said nothing that this version knows."""
    outcome = str(answer.get("outcome"))
    known = Outcome(outcome) if outcome in set(Outcome) else Outcome.UNKNOWN
    text = unpack(_text(answer, "sentence"), words=_text(answer, "detail") or known.value)
    return Delivery(known, text, _text(answer, "peer_ref") or None, _number(answer.get("retry_after_s")))


def order_of(connection: Connection, tenant: str, fields: Mapping[str, str]) -> Row[Any] | None:
    """Return the company's order that a site was given as ``fields``; None for what is none, such as a probe."""
    order_id = fields.get("order_id", "")
    if not (order_id.isascii() and order_id.isdigit()):
        return None
    query = select(orders).where(orders.c.id == int(order_id), orders.c.tenant == tenant)
    return connection.execute(query).first()


def note_late(
    connection: Connection,
    order: Row[Any],
    answer: Mapping[str, Any],
    *,
    kind: str,
    times: tuple[int, int],
    language: Language,
) -> None:
    """Add an answer that came late to the history of its order: how that ended stays as people were told.

    ``times`` are when the site was given it and when it answered, in milliseconds since 1970 UTC.
    """
    delivery = delivery_of(answer)
    told = Delivery(delivery.outcome, Text(LATE.id, answer=delivery.text), delivery.peer_ref)
    made = OrderAttempt(order.dialled_by or order.appliance, told, *times, kind)
    row = rows.attempt(made, order.tenant, order.id, rows.kept(told.text, language))
    statements.WRITE_ATTEMPTS.run(connection, [row])


def _text(answer: Mapping[str, Any], name: str) -> str:
    found = answer.get(name)
    return found if isinstance(found, str) else ""


def _number(found: object) -> float | None:
    return float(found) if isinstance(found, int | float) and math.isfinite(found) else None
