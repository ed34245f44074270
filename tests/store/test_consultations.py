"""A consultation before an attended transfer is a part of the call that is transferred, in the log as well."""

from gateway.domain.messages import Direction
from gateway.store.calls import CallFilter, LoggedCall
from gateway.store.figures.log import FiguresLog
from gateway.store.writing.drafts import EventDraft
from tests.store.conftest import T0, Store, answer_draft, end_draft, start_draft, transfer_draft

ANA, BIA, NUMBER = "3501", "3502", "4732100123"
OUTSIDE = "4732100456"


def transferred(to: str = BIA, by: str = ANA) -> list[EventDraft]:
    """Ana speaks with a caller, calls ``to``, and transfers the caller there."""
    direction = Direction.INTERNAL if to == BIA else Direction.OUTGOING
    sides = (BIA, by) if to == BIA else (ANA, to)
    there = {"call_ref": "170", "direction": direction}
    return [
        start_draft(ANA, NUMBER, T0, call_ref="168"),
        answer_draft(ANA, NUMBER, T0 + 1000, call_ref="168"),
        start_draft(*sides, T0 + 2000, **there),
        answer_draft(*sides, T0 + 3000, **there),
        end_draft(*sides, T0 + 6000, **there, result="ATTENDEDTRANSFER", goes_on=False, joined_to="168"),
        transfer_draft(ANA, NUMBER, to, T0 + 6000, call_ref="168", attended=True),
        end_draft(BIA if to == BIA else ANA, NUMBER, T0 + 9000, call_ref="168", result="ANSWER", goes_on=False),
    ]


def logged(store: Store, **wanted: bool) -> list[LoggedCall]:
    return list(store.calls.recent("acme", CallFilter(**wanted)))  # type: ignore[arg-type]


def test_the_log_has_one_call_that_says_who_transferred_it(store: Store) -> None:
    for draft in transferred():
        store.journal.write(draft)
    (call,) = logged(store)
    assert list(store.calls.pages("acme")) == [call]
    assert (call.call_ref, call.transferred_to, call.transfer, call.consultation_for) == ("168", BIA, "attended", None)
    assert [(leg.extension, leg.transferred_to) for leg in call.legs] == [(ANA, BIA), (BIA, None)]
    (consultation,) = store.calls.consultations(call)
    assert (consultation.call_ref, consultation.talk_s, consultation.consultation_for) == ("170", 3, call.id)
    assert logged(store, consultations=True) == [consultation, call]
    assert consultation.as_json()["consultation_for"] == call.id
    assert store.calls.get("acme", consultation.id) == consultation
    assert store.calls.consultations(consultation) == []


def test_what_comes_in_one_transaction_is_told_the_same(store: Store) -> None:
    store.together(transferred())
    (call,) = logged(store)
    assert [each.call_ref for each in store.calls.consultations(call)] == ["170"]


def test_its_end_is_told_with_the_call_that_it_was_for(store: Store) -> None:
    for draft in transferred():
        store.journal.write(draft)
    (call,) = logged(store)
    told = [event.told for event in store.events.after(0) if event.kind == "call_ended"]
    assert [each.get("consultation_for") for each in told] == [call.id, None]


def test_one_with_somebody_outside_is_in_the_log_as_well(store: Store) -> None:
    """It costs, and belongs to whom was called; the transferred call names it all the same."""
    store.together(transferred(OUTSIDE))
    consultation, call = logged(store)
    assert (call.call_ref, consultation.call_ref, consultation.consultation_for) == ("168", "170", call.id)
    assert store.calls.consultations(call) == [consultation]


def test_figures_count_the_call_once(store: Store) -> None:
    store.together(transferred())
    counted = FiguresLog(store.engine).of("acme", [T0 - 1, T0 + 60_000])
    (sums,) = counted.intervals
    assert (sums.received, sums.answered, sums.missed, sums.placed) == (1, 1, 0, 0)
