"""Calls kept in memory by the rule book alone: what a store does, without a database."""

from dataclasses import dataclass, field
from typing import Any

from gateway.domain.calls.about import decide_about
from gateway.domain.calls.book import decide, decide_in_vain, decide_order
from gateway.domain.calls.call import Call
from gateway.domain.calls.decision import Decision, EventKind
from gateway.domain.calls.direction import tell_sides
from gateway.domain.calls.ghosts import WAIT_MS, fell_silent, is_of_nobody, waits_in_vain
from gateway.domain.calls.heard import (
    HeardEvent,
    MarkedOver,
    NoEnd,
    SettledOrder,
    heard_answer,
    heard_end,
    heard_hold,
    heard_note,
    heard_queue,
    heard_start,
    heard_transfer,
    placed_order,
)
from gateway.domain.calls.states import State
from gateway.domain.messages import (
    CallAnswered,
    CallEnded,
    CallHeld,
    CallNoted,
    CallResumed,
    CallStarted,
    CallTransferred,
    Origin,
    PlaceCall,
    QueueEntered,
    QueueLeft,
)
from gateway.domain.numbering.numbers import Extensions, NumberPlan, read
from tests.domain.calls.pairing_cases import FOUR_HOURS

PLAN = NumberPlan("47", Extensions.parse(["3500-3599"]))
HERE = Origin("get", "127.0.0.1")


class _OtherInt(int):
    """An equal number that is another object, also where Python keeps one for all."""


class _OtherStr(str):
    """An equal text that is another object, and no member of an enumeration."""


def read_back(call: Call) -> Call:
    """Return ``call`` as a database gives it: all of it is equal, nothing the same object."""
    return Call(*(_other(value) for value in call))


def _other(value: Any) -> Any:
    if isinstance(value, str):
        return _OtherStr(value)
    return _OtherInt(value) if isinstance(value, int) and not isinstance(value, bool) else value


@dataclass(frozen=True)
class Told:
    """What the event log was told of a call, with the call as it was then."""

    kind: EventKind
    call: Call


@dataclass
class Ledger:
    """Plays events; ``calls`` by id are as the book left them, ``log`` is all that was told, in its order."""

    calls: dict[int, Call] = field(default_factory=dict)
    log: list[Told] = field(default_factory=list)
    orders: int = 0

    def start(self, ramal: str, telefone: str, at: int, **extras: Any) -> Decision:
        message = CallStarted("acme", ramal, telefone, HERE, at, **extras)
        return self.hear(heard_start(message, tell_sides(ramal, telefone, PLAN, message.direction)))

    def answer(self, ramal: str, telefone: str, at: int, **extras: Any) -> Decision:
        message = CallAnswered("acme", ramal, telefone, HERE, at, **extras)
        return self.hear(heard_answer(message, tell_sides(ramal, telefone, PLAN, message.direction)))

    def transfer(self, ramal: str, telefone: str, to: str, at: int, **extras: Any) -> Decision:
        message = CallTransferred("acme", ramal, telefone, to, HERE, at, **extras)
        sides = tell_sides(ramal, telefone, PLAN, message.direction)
        return self.hear(heard_transfer(message, sides, read(to, PLAN)))

    def hold(self, ramal: str, telefone: str, at: int, **extras: Any) -> Decision:
        message = CallHeld("acme", ramal, telefone, HERE, at, **extras)
        return self.hear(heard_hold(message, tell_sides(ramal, telefone, PLAN, message.direction)))

    def resume(self, ramal: str, telefone: str, at: int, **extras: Any) -> Decision:
        message = CallResumed("acme", ramal, telefone, HERE, at, **extras)
        return self.hear(heard_hold(message, tell_sides(ramal, telefone, PLAN, message.direction)))

    def queue(self, telefone: str, at: int, **extras: Any) -> Decision:
        message = QueueEntered("acme", "", telefone, HERE, at, **extras)
        return self.hear(heard_queue(message, tell_sides("", telefone, PLAN, message.direction)))

    def leave(self, telefone: str, at: int, **extras: Any) -> Decision:
        message = QueueLeft("acme", "", telefone, HERE, at, **extras)
        return self.hear(heard_queue(message, tell_sides("", telefone, PLAN, message.direction)))

    def note(self, ramal: str, telefone: str, at: int, **extras: Any) -> Decision:
        message = CallNoted("acme", ramal, telefone, HERE, at, **extras)
        return self.hear(heard_note(message, tell_sides(ramal, telefone, PLAN, message.direction)))

    def end(self, ramal: str, telefone: str, at: int, **extras: Any) -> Decision:
        message = CallEnded("acme", ramal, telefone, HERE, at, **extras)
        return self.hear(heard_end(message, tell_sides(ramal, telefone, PLAN, message.direction)))

    def hear(self, event: HeardEvent) -> Decision:
        return self.take(decide(event, self.about(event), len(self.calls) + 1))

    def about(self, event: HeardEvent) -> list[Call]:
        """All that an event may be about; a store shows the book less of the past."""
        return [call for call in self.all() if call.number in event.numbers or _same_ref(call, event)]

    def all(self) -> list[Call]:
        return [read_back(call) for call in self.calls.values()]

    def take(self, decided: Decision) -> Decision:
        for change in (*decided.others, decided):
            self.change(change.call, change.kind)
        return decided

    def change(self, call: Call, kind: EventKind | None) -> None:
        self.calls[call.id] = call
        self.log += [Told(kind, call)] if kind else []

    def order(self, extension: str, number: str, at: int) -> Call:
        self.orders += 1
        message = PlaceCall("acme", extension, number, HERE, at)
        placed = placed_order(message, extension, read(number, PLAN), self.orders)
        return self.take(decide_order(placed, len(self.calls) + 1)).call

    def accepted_order(self, extension: str, number: str, at: int) -> None:
        self.happen(self.order(extension, number, at).id, SettledOrder("accepted", at))

    def over(self, call_id: int, at: int) -> None:
        self.happen(call_id, MarkedOver("ana", at))

    def happen(self, call_id: int, event: SettledOrder | MarkedOver | NoEnd) -> None:
        changed = decide_about(read_back(self.calls[call_id]), event)
        self.change(changed.call, changed.kind)

    def sweep(self, at: int) -> None:
        for call in self.all():
            if call.logged_at < at - FOUR_HOURS or fell_silent(call, lambda ms: at - ms) or self._in_vain(call, at):
                for changed in decide_in_vain(read_back(self.calls[call.id]), self.all()):
                    self.change(changed.call, changed.kind)

    def _in_vain(self, call: Call, at: int) -> bool:
        if call.internal or is_of_nobody(call.number) or call.logged_at >= at - WAIT_MS:
            return False
        others = (other for other in self.all() if other.number == call.number and other.state is State.ENDED)
        return any(waits_in_vain(call, other, lambda ms: at - ms) for other in others)


def _same_ref(call: Call, event: HeardEvent) -> bool:
    of_order = event.order_id is not None and call.order_id == event.order_id
    return of_order or (event.call_ref is not None and call.call_ref == event.call_ref)
