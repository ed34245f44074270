"""Which calls come of what exchanges send: cases in ``pairing.txt``, and every pair of the domain's table."""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path

import pytest
from sqlalchemy import text, update

from gateway.adapter import Delivery, Outcome
from gateway.domain.calls.pairing import CERTAINTY, PairingRule
from gateway.domain.calls.states import TABLE, Effect, Event, State
from gateway.errors import BadParameter
from gateway.store import tables
from gateway.store.calls import LoggedCall
from gateway.store.candidates import STATES
from gateway.store.drafts import GiveUp, InVain, Over, Settlement
from gateway.store.ghosts import Ghosts
from tests.store.conftest import T0, Store

FOUR_HOURS = 4 * 3600 * 1000
STATUS = {state: status for status, state in reversed(STATES.items())}


@dataclass
class Case:
    """A name, what is sent, and the calls that shall come of it."""

    name: str
    events: list[str] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)


def cases() -> Iterable[Case]:
    found: list[Case] = []
    for line in Path(__file__).with_name("pairing.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            found.append(Case(line[3:]))
        elif line.startswith("= "):
            found[-1].calls.append(line[2:])
        elif line and not line.startswith("#"):
            found[-1].events.append(line)
    return found


CASES = list(cases())
# An order's outcome is waited for, so what follows is never in one batch with it.
AT_ONCE = [case for case in CASES if not any(line.startswith(("order", "wait")) for line in case.events)]


def play(store: Store, line: str) -> None:
    """Send what a line says."""
    words = [word for word in line.split() if "=" not in word and word[0] != "@"]
    more = dict(word.split("=", 1) for word in line.split() if "=" in word)
    at = T0 + int(re.search(r"@(-?\d+)", line)[1]) * 1000  # type: ignore[index]
    extras: dict[str, object] = {"call_ref": more.get("ref")}
    if "said" in more:
        extras["occurred_at"] = T0 + int(more["said"]) * 1000
    if words[0] == "start":
        store.start(words[1], words[2], at, **extras)
    elif words[0] == "end":
        dur = more.get("dur")
        extras |= {"duration_s": int(dur) if dur else None, "result": more.get("res")}
        store.end(words[1], words[2], at, recording_url=more.get("rec"), **extras)
    elif words[0] == "order":
        placed = store.order(words[1], words[2], at)
        store.journal.write(Settlement(placed.order_id, Delivery(Outcome.ACCEPTED, "ok"), at))  # type: ignore[arg-type]
    elif words[0] == "over":
        store.journal.write(Over("acme", int(words[1]), "ana", at))
    else:
        store.journal.give_up(GiveUp("acme", T0 - FOUR_HOURS, at - FOUR_HOURS, at))
        in_vain = Ghosts(store.engine).find("acme", at - FOUR_HOURS, at)
        store.journal.give_up(InVain("acme", tuple(in_vain), at))


def shown(call: LoggedCall, wanted: str) -> str:
    """A call as a line, with as much as the wanted line says."""
    parts = [call.extension, call.number, call.status]
    if call.status in ("ended", "elsewhere"):
        parts.append("-" if call.duration_s is None else str(call.duration_s))
    if call.paired_by and call.status == "ended":
        parts.append(call.paired_by)
    parts += [f"rec={call.recording_url}"] if call.recording_url else []
    parts += [f"to={call.transferred_to}"] if call.transferred_to else []
    parts += ["group"] if call.group_id else []
    return " ".join(parts)


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_the_calls_that_come_of_events(store: Store, case: Case) -> None:
    for line in case.events:
        play(store, line)
    calls = sorted(store.calls.recent("acme"), key=lambda call: call.id)
    assert [shown(call, "") for call in calls] == case.calls


@pytest.mark.parametrize("case", AT_ONCE, ids=[case.name for case in AT_ONCE])
def test_what_one_transaction_holds_pairs_as_many_do(store: Store, case: Case) -> None:
    """Under load the same events come in one batch."""
    batch: list[object] = []

    @dataclass
    class Collected:
        """Takes drafts instead of the journal."""

        def write(self, draft: object) -> None:
            batch.append(draft)

    collecting = Store(store.data, store.engine, Collected())  # type: ignore[arg-type]
    for line in case.events:
        play(collecting, line)
    from gateway.store.journal import apply

    with store.engine.execution_options(begin="IMMEDIATE").begin() as connection:
        apply(connection, batch)  # type: ignore[arg-type]
    calls = sorted(store.calls.recent("acme"), key=lambda call: call.id)
    assert [shown(call, "") for call in calls] == case.calls


@pytest.mark.parametrize(("state", "event"), list(product(State, Event)))
def test_every_event_does_to_a_call_in_every_state_what_the_table_says(
    store: Store, state: State, event: Event
) -> None:
    wanted = TABLE[state, event].state
    call_id = prepare(store, state)
    bring(store, event)
    calls = {call.id: call for call in store.calls.recent("acme") if call.extension != "3509"}
    if call_id is None:
        states = [STATES[call.status] for call in calls.values()]
        assert states == ([] if wanted is State.NONE else [wanted])
    else:
        assert STATES[calls[call_id].status] is wanted


def prepare(store: Store, state: State) -> int | None:
    """A call in ``state``, ordered once so that all events can be brought to it; None for none."""
    if state is State.NONE:
        return None
    placed = store.order("3501", "4732100123")
    values = {"status": STATUS[state], "call_ref": "a", "group_id": placed.call_id}
    values |= {"ended_at": T0 + 9000} if state in (State.ENDED, State.FAILED, State.ELSEWHERE) else {}
    values |= {"start_heard_at": T0} if state in (State.RINGING, State.LOST, State.ELSEWHERE) else {}
    with store.engine.execution_options(begin="IMMEDIATE").begin() as connection:
        connection.execute(update(tables.calls).values(values))
    return placed.call_id


def bring(store: Store, event: Event) -> None:
    """Let ``event`` happen to the call with the exchange's id ``a``, if there is one."""
    with store.engine.connect() as connection:
        order = connection.execute(text("SELECT id FROM orders")).scalar()
    if event is Event.ORDER:
        store.order("3501", "4732100123", T0 + 10_000) if order is None else store.order("3501", "11987654321")
    elif event is Event.START:
        store.start("3501", "4732100123", T0 + 10_000, call_ref="a")
    elif event is Event.END:
        store.end("3501", "4732100123", T0 + 10_000, call_ref="a")
    elif event is Event.NO_END:
        store.journal.give_up(GiveUp("acme", T0 - 1, T0 + 1, T0 + FOUR_HOURS))
    elif event is Event.MARKED_OVER:
        if order is not None:
            store.journal.write(Over("acme", 1, "ana", T0 + 10_000))
    elif event is Event.TAKEN_ELSEWHERE:
        take_elsewhere(store)
    elif order is not None:
        outcome = Outcome.REFUSED if event is Event.FAILED else Outcome.ACCEPTED
        store.journal.write(Settlement(order, Delivery(outcome, "x"), T0 + 500))


def take_elsewhere(store: Store) -> None:
    """Another extension of the call's group ends a long call of its own."""
    other = store.start("3509", "4732100123", T0 + 1000, call_ref="b")
    with store.engine.execution_options(begin="IMMEDIATE").begin() as connection:
        group = connection.execute(text("SELECT group_id FROM calls WHERE call_ref = 'a'")).scalar()
        connection.execute(update(tables.calls).where(tables.calls.c.id == other.call_id).values(group_id=group))
    store.end("3509", "4732100123", T0 + 300_000, call_ref="b")


def test_the_page_about_pairing_is_the_table() -> None:
    page = Path(__file__).parents[2].joinpath("docs/pairing.md").read_text(encoding="utf-8")
    for state in State:
        cells = [cell_of(state, event) for event in Event]
        assert f"| *{state.value}* | {' | '.join(cells)} |" in page
    for rule, certainty in CERTAINTY.items():
        assert re.search(rf"^\| `{rule.value}` \|.*\| {certainty.value} \|$", page, re.MULTILINE), rule


def cell_of(state: State, event: Event) -> str:
    then, effect = TABLE[state, event]
    if effect is Effect.NOTHING:
        return "-"
    return effect.value if then is state else f"{effect.value} → *{then.value}*"


def test_every_status_of_the_log_is_a_state_and_every_rule_has_its_certainty() -> None:
    assert set(STATES.values()) | {State.NONE} == set(State)
    assert set(CERTAINTY) == set(PairingRule)


def test_a_repeat_is_logged_and_told_to_nobody_again(store: Store) -> None:
    store.start("3501", "4732100123", T0, forwards=("crm",))
    store.start("3501", "4732100123", T0 + 2000, forwards=("crm",))
    first, second = (json.loads(event.payload) for event in store.events.after(0))
    assert ("repeat" in first, second["repeat"]) == (False, True)
    with store.engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM outbox")).scalar() == 1


def test_those_of_a_group_who_stop_ringing_are_told(store: Store) -> None:
    store.start("3501", "4732100123", T0)
    store.start("3502", "4732100123", T0)
    ended = store.end("3502", "4732100123", T0 + 300_000)
    told = [(event.kind, event.extension) for event in store.events.after(2)]
    assert told == [("call_ended", "3501"), ("call_ended", "3502")] or told == [
        ("call_ended", "3502"),
        ("call_ended", "3501"),
    ]
    taken = next(json.loads(event.payload) for event in store.events.after(2) if event.extension == "3501")
    assert (taken["status"], taken["taken_by"]) == ("elsewhere", ended.call_id)


def test_giving_up_is_an_event_that_screens_hear_of(store: Store) -> None:
    store.start("3501", "4732100123", T0)
    assert store.journal.give_up(GiveUp("acme", T0 - 1, T0 + 1, T0 + FOUR_HOURS)) == 1
    assert store.journal.give_up(GiveUp("acme", T0 - 1, T0 + 1, T0 + FOUR_HOURS)) == 0
    last = store.events.after(1)[0]
    assert (last.kind, last.extension, json.loads(last.payload)["status"]) == ("call_lost", "3501", "lost")


def test_another_company_s_calls_are_not_given_up(store: Store) -> None:
    store.start("3501", "4732100123", T0, tenant="beta")
    assert store.journal.give_up(GiveUp("acme", T0 - 1, T0 + 1, T0 + FOUR_HOURS)) == 0


def test_the_first_of_two_who_mark_a_call_as_over_is_remembered(store: Store) -> None:
    call_id = store.start("3501", "4732100123", T0).call_id
    first = store.journal.write(Over("acme", call_id, "ana", T0 + 1000))
    second = store.journal.write(Over("acme", call_id, "bruno", T0 + 1001))
    (call,) = store.calls.recent("acme")
    assert (call.status, call.over_by, call.over_at, call.ended_at) == ("over", "ana", T0 + 1000, None)
    assert (first.repeated, second.repeated, second.seq) == (False, True, 0)
    (told,) = [json.loads(event.payload) for event in store.events.after(1)]
    assert (told["status"], told["over_by"]) == ("over", "ana")


def test_who_marked_a_call_is_remembered_when_its_end_comes_after_all(store: Store) -> None:
    call_id = store.start("3501", "4732100123", T0).call_id
    store.journal.write(Over("acme", call_id, "ana", T0 + 1000))
    store.end("3501", "4732100123", T0 + 5000)
    (call,) = store.calls.recent("acme")
    assert (call.status, call.over_by, call.duration_s) == ("ended", "ana", 5)


@pytest.mark.parametrize("tenant", ["beta", "acme"])
def test_only_a_call_of_the_company_can_be_marked(store: Store, tenant: str) -> None:
    call_id = store.start("3501", "4732100123", T0).call_id
    unseen = call_id if tenant == "beta" else 99
    with pytest.raises(BadParameter):
        store.journal.write(Over(tenant, unseen, "ana", T0 + 1000))
    assert [call.status for call in store.calls.recent("acme")] == ["ringing"]


def test_a_call_that_goes_on_elsewhere_is_lost_once(store: Store) -> None:
    store.start("3501", "4732100123", T0)
    store.end("3501", "4732100123", T0 + 1000)
    assert store.journal.give_up(InVain("acme", (1,), T0 + 2000)) == 0
    assert [call.status for call in store.calls.recent("acme")] == ["ended"]
