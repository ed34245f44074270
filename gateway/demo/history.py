"""What happened at the sample company before one looks: a few hours of two teams, with calls that were missed and
called back, one that goes on, and a caller who waits.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from gateway.domain.messages import (
    CallAnswered,
    CallEnded,
    CallMessage,
    CallStarted,
    CallTransferred,
    Direction,
    Origin,
    QueueEntered,
)
from gateway.handlers import Core
from gateway.store.writing.drafts import NoteDraft
from gateway.store.writing.journal import Journal

MINUTE_MS = 60_000
ORIGIN = Origin("get", "127.0.0.1")
SALES, SUPPORT = "Vendas", "Suporte"
LINES = {SALES: "4733330000", SUPPORT: "4733330001"}
PADARIA, METALURGICA, CLINICA, TRANSPORTES, MERCADO = (
    "4732100123",
    "4733224455",
    "11987654321",
    "2123456789",
    "4830302020",
)


@dataclass(frozen=True, slots=True)
class PastNote:
    """What who took a call wrote, with an outcome; ``again_in`` minutes from now to call again, negative: it is due."""

    text: str
    outcome: str
    again_in: int | None = None


@dataclass(frozen=True, slots=True)
class PastCall:
    """A call of ``minutes_ago`` from or to ``number`` at ``extension``, empty: it waited in the queue only.

    It rang ``rang_s`` seconds and was spoken in for ``talked_s``, 0: nobody took it, None: it goes on.
    """

    minutes_ago: float
    extension: str
    number: str
    queue: str = ""
    rang_s: int = 8
    talked_s: int | None = 0
    outgoing: bool = False
    goes_to: str = ""
    note: PastNote | None = None


PAST = (
    PastCall(195, "3501", PADARIA, SALES, rang_s=6, talked_s=214, note=PastNote("40 kg para sexta", "pedido")),
    PastCall(181, "3503", METALURGICA, SUPPORT, rang_s=11, talked_s=533, note=PastNote("Nota reenviada", "resolvido")),
    PastCall(168, "3502", CLINICA, talked_s=127, outgoing=True, note=PastNote("Proposta enviada", "resolvido")),
    PastCall(152, "3501", TRANSPORTES, SALES, rang_s=41),
    PastCall(149, "3502", TRANSPORTES, SALES, rang_s=38),
    PastCall(131, "3501", "4799887766", SALES, rang_s=9, talked_s=75, note=PastNote("Quer preços", "retornar", -20)),
    PastCall(117, "3504", MERCADO, SUPPORT, rang_s=5, talked_s=342, note=PastNote("Frete a conferir", "retornar", 90)),
    PastCall(96, "3501", METALURGICA, SALES, rang_s=44),
    PastCall(88, "3501", METALURGICA, talked_s=163, outgoing=True),
    PastCall(71, "3502", PADARIA, SALES, rang_s=12, talked_s=96, goes_to="3503"),
    PastCall(52, "3503", "4730405060", SUPPORT, rang_s=57),
    PastCall(34, "3504", "3503", talked_s=48, outgoing=True),
    PastCall(23, "3502", METALURGICA, SALES, rang_s=35),
    PastCall(11, "", MERCADO, SUPPORT, rang_s=140),
    PastCall(3, "3502", TRANSPORTES, SALES, rang_s=7, talked_s=None),
    PastCall(1.5, "", "4798765432", SUPPORT, talked_s=None),
)


def tell(core: Core, journal: Journal, tenant: str, now: int, people: Mapping[str, tuple[str, str]]) -> None:
    """Tell the gateway of all calls of ``PAST`` as an exchange would have, ending ``now`` (milliseconds), and have
    ``people`` (login and name by extension) write their notes.
    """
    told = [(each, call) for number, call in enumerate(PAST, 1) for each in _told(tenant, f"demo-{number}", call, now)]
    ids = {call: core.handle(message).call_id for message, call in sorted(told, key=lambda each: each[0].received_at)}
    for call, call_id in ids.items():
        if call.note:
            ended = now - round(call.minutes_ago * MINUTE_MS) + (call.rang_s + (call.talked_s or 0) + 30) * 1000
            journal.write(_note(call.note, tenant, call_id, people[call.extension], ended, now))


def _note(note: PastNote, tenant: str, call_id: int, author: tuple[str, str], at: int, now: int) -> NoteDraft:
    login, name = author
    again = None if note.again_in is None else now + note.again_in * MINUTE_MS
    return NoteDraft(tenant, call_id, note.text, note.outcome, again, 0, login, name, at, finished=True)


def _told(tenant: str, call_ref: str, call: PastCall, now: int) -> Iterator[CallMessage]:
    """Yield what an exchange tells of one call."""
    began = now - round(call.minutes_ago * MINUTE_MS)
    direction = Direction.OUTGOING if call.outgoing else Direction.INCOMING
    same: dict[str, Any] = {"call_ref": call_ref, "origin": ORIGIN, "tenant": tenant}
    if len(call.number) > len("3500"):
        same["direction"] = direction
    if call.queue:
        same |= {"queue": call.queue, "line": LINES[call.queue]}
    ends = {"ramal": call.number, "telefone": call.extension} if call.outgoing else {}
    same |= ends or {"ramal": call.extension, "telefone": call.number}
    if not call.extension:
        yield QueueEntered(**same, received_at=began)
    else:
        yield CallStarted(**same, received_at=began)
    yield from _ended(same, call, began)


def _ended(same: dict[str, Any], call: PastCall, began: int) -> Iterator[CallMessage]:
    """Yield who took the call and how it ended, as far as it did."""
    answered = began + call.rang_s * 1000
    if call.talked_s == 0:
        yield CallEnded(**same, received_at=answered, result="CANCEL" if call.extension else "ABANDON")
        return
    if call.extension:
        yield CallAnswered(**same, received_at=answered)
    if call.talked_s is None:
        return
    if call.goes_to:
        yield CallTransferred(**same, to=call.goes_to, received_at=answered + 40_000)
        same = same | {"ramal": call.goes_to}
    yield CallEnded(**same, received_at=answered + call.talked_s * 1000, result="ANSWER")
