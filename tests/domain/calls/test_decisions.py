"""What the rule book decides of an event, beyond the effect on its call: news, notes, groups, legs, who is told."""

from typing import Any

import pytest

from gateway.domain.calls.book import MOST_NOTES, decide, decide_in_vain
from gateway.domain.calls.call import Call
from gateway.domain.calls.decision import Decision, EventKind, LegNews, Note
from gateway.domain.calls.heard import HeardEvent
from gateway.domain.calls.legs import Leg
from gateway.domain.calls.states import STATES, Event
from gateway.domain.messages import ATTACHED, Direction
from tests.domain.calls.ledger import read_back

T0 = 1_780_000_000_000
NUMBER = "4732100123"


def heard(event: Event, at: int = T0 + 1000, **more: Any) -> HeardEvent:
    plain: dict[str, Any] = {"direction": Direction.INCOMING, "extension": "3501", "number": NUMBER, "known": True}
    return HeardEvent(event, at=at, **(plain | more))


def call(status: str = "ringing", **more: Any) -> Call:
    plain = Call(1000, "incoming", "3501", NUMBER, NUMBER, T0, status, started_at=T0, start_heard_at=T0)
    return read_back(plain._replace(**more))


def attached(**told: str) -> tuple[str | None, ...]:
    return tuple(told.get(name) for name in ATTACHED)


def legs(*texts: str) -> tuple[Leg, ...]:
    """Legs that ring, or talk (``3501*``), or are over (``3501-``)."""
    found = []
    for text in texts:
        leg = Leg("".join(text[:4]), T0)
        leg = leg._replace(answered_at=T0 + 5) if text.endswith("*") else leg
        found.append(leg._replace(ended_at=T0 + 9, result="missed") if text.endswith("-") else leg)
    return tuple(found)


# notes


@pytest.mark.parametrize(
    ("said", "note"),
    [
        ({"cost": "R$ 1"}, Note(T0 + 1000, None, "R$ 1", None)),
        ({"transcript": "Bom dia"}, Note(T0 + 1000, None, None, "Bom dia")),
        ({"recording_url": "http://pbx/2"}, Note(T0 + 1000, "http://pbx/2", None, None)),
        ({"recording_url": "http://pbx/1"}, None),
        ({}, None),
        ({"recording_url": "http://pbx/1", "cost": "R$ 1"}, Note(T0 + 1000, None, "R$ 1", None)),
    ],
)
@pytest.mark.parametrize("known", [None, 1, MOST_NOTES - 1, MOST_NOTES])
def test_a_note_is_kept_besides_while_there_is_room(known: int | None, said: dict[str, Any], note: Note | None) -> None:
    before = call("talking", recording_url="".join(["http://pbx", "/1"]), note_count=known)
    done = decide(heard(Event.NOTE, **said), [before], 2000)
    kept = note if known != MOST_NOTES else None
    assert done.note == kept
    assert done.call.note_count == ((known or 0) + 1 if kept else known)
    assert (done.is_news, done.repeat, done.kind) == (kept is not None, kept is None, EventKind.CALL_NOTED)


def test_a_note_that_no_call_belongs_to_is_a_call_of_which_only_that_is_known() -> None:
    done = decide(heard(Event.NOTE, cost="R$ 1", recording_url="http://pbx/1"), [], 2000)
    assert (done.call.status, done.call.started_at, done.call.recording_url) == ("noted", None, "http://pbx/1")
    assert (done.call.note_count, done.note) == (1, Note(T0 + 1000, None, "R$ 1", None))
    assert (done.is_new, done.is_news, done.repeat) == (True, True, False)
    assert decide(heard(Event.NOTE), [], 2000).call.note_count is None


# what is told of a call besides


def test_what_is_attached_is_kept_as_it_was_said_first_and_fields_are_told_anew() -> None:
    before = call(attached=attached(queue="vendas"), line_name=None, fields='{"cpf":"1"}')
    more = {"attached": attached(queue="suporte", caller_name="Ana"), "line_name": "0800", "fields": {"cpf": "2"}}
    done = decide(heard(Event.START, **more), [before], 2000).call
    assert done.attached == attached(queue="vendas", caller_name="Ana")
    assert (done.line_name, done.fields, done.fields_cut) == ("0800", '{"cpf":"2"}', None)
    again = decide(heard(Event.START, line_name="4004", fields={"x": "y" * 5000}), [done], 2000).call
    assert (again.line_name, again.fields, again.fields_cut) == ("0800", '{"cpf":"2"}', True)
    assert decide(heard(Event.START, fields={"a": "b"}), [again], 2000).call.fields_cut


def test_an_id_is_kept_once() -> None:
    assert decide(heard(Event.START, call_ref="a"), [call()], 2000).call.call_ref == "a"
    assert decide(heard(Event.START), [call(call_ref="b")], 2000).call.call_ref == "b"


@pytest.mark.parametrize(
    ("known", "completed"),
    [
        ({"extension": "", "number": ""}, ("3501", NUMBER, "sent", "outgoing")),
        ({"extension": ""}, ("3501", NUMBER, "as it was", "outgoing")),
        ({"number": ""}, ("3501", NUMBER, "sent", "incoming")),
        ({}, ("3501", NUMBER, "as it was", "incoming")),
    ],
)
def test_a_call_learns_where_it_is_and_who_calls(known: dict[str, Any], completed: tuple[str, ...]) -> None:
    before = call("noted", call_ref="a", number_as_sent="as it was", **known)
    event = heard(Event.START, call_ref="a", direction=Direction.OUTGOING, number_as_sent="sent")
    done = decide(event, [before], 2000).call
    assert (done.extension, done.number, done.number_as_sent, done.direction) == completed


# by the other reading of a number


def test_only_an_ordered_call_is_found_by_the_other_reading_of_its_number() -> None:
    event = heard(Event.START, number="94732100123", perhaps=NUMBER)
    ordered = call("accepted", order_id=7)
    assert decide(event, [ordered], 2000).call.id == 1000
    assert decide(event._replace(perhaps=None), [ordered], 2000).call.id == 2000
    assert decide(event, [call("accepted")], 2000).call.number == "94732100123"
    itself = call(number="94732100123")
    assert decide(event, [ordered, itself._replace(id=1001)], 2000).call.id == 1001


# somebody speaks with an outside party


@pytest.mark.parametrize(
    ("event", "known", "returns"),
    [
        ({}, {}, True),
        ({"known": False}, {}, False),
        ({"direction": Direction.INTERNAL}, {"direction": "internal"}, False),
        ({}, {"answered_at": T0}, False),
        ({}, {"result": "".join(["answ", "ered"]), "status": "over"}, False),
        ({}, {"result": "abandoned", "status": "elsewhere"}, True),
    ],
)
def test_an_answer_returns_a_call_once(event: dict[str, Any], known: dict[str, Any], returns: bool) -> None:
    assert decide(heard(Event.ANSWER, **event), [call(**({"status": "talking"} | known))], 2000).returns is returns


def test_a_start_returns_nothing_and_an_answered_end_does() -> None:
    assert not decide(heard(Event.START), [call()], 2000).returns
    assert not decide(heard(Event.END, result_text="BUSY"), [call()], 2000).returns
    assert not decide(heard(Event.END, result_text="ABANDONED"), [call()], 2000).returns
    assert decide(heard(Event.END, result_text="ANSWERED"), [call()], 2000).returns
    assert decide(heard(Event.ANSWER), [], 2000).returns


# repeats and news


@pytest.mark.parametrize("status", STATES)
@pytest.mark.parametrize(
    "event", [Event.START, Event.ANSWER, Event.HOLD, Event.RESUME, Event.QUEUE, Event.END, Event.NOTE]
)
def test_what_is_heard_for_the_second_time_is_a_repeat_and_no_news(status: str, event: Event) -> None:
    """The first time it is not, wherever it changes the call."""
    said = heard(event, call_ref="a", occurred_at=T0 + 500)
    first = decide(said, [call(status, call_ref="a")], 2000)
    again = decide(said._replace(at=T0 + 2000), [read_back(first.call)], 2001)
    assert (again.repeat, again.is_news) == (True, False)
    assert again.call == first.call
    if event not in (Event.START, Event.END):  # a start or an end may be a repeat that adds something
        assert first.is_news is not first.repeat


# legs


def test_a_start_that_rings_several_is_one_call_with_legs() -> None:
    done = decide(heard(Event.START, also_rings=("3502", "3503")), [], 2000)
    assert [leg.extension for leg in done.call.legs] == ["3501", "3502", "3503"]
    assert done.legs == (LegNews("3502", EventKind.CALL_STARTED), LegNews("3503", EventKind.CALL_STARTED))
    assert (done.also_started, done.extension) == (("3502", "3503"), "3501")
    assert done._replace(kind=EventKind.CALL_ANSWERED).also_started == ()


@pytest.mark.parametrize(
    ("event", "before", "at", "news"),
    [
        (heard(Event.START, call_ref="a", extension="3502"), legs("3501"), "3502", {}),
        (
            heard(Event.START, call_ref="a", extension="3502", also_rings=("3503",)),
            legs("3501"),
            "3502",
            {"3503": "started"},
        ),
        (
            heard(Event.START, call_ref="a", extension="3502", also_rings=("3503",)),
            legs("3501", "3503-"),
            "3502",
            {"3503": "started"},
        ),
        (heard(Event.ANSWER, call_ref="a"), legs("3501", "3502", "3503-"), "3501", {"3502": "ended"}),
        (heard(Event.ANSWER, call_ref="a", extension="3509"), legs("3501"), "3509", {"3501": "ended"}),
        (heard(Event.END, call_ref="a"), legs("3501", "3502"), "3501", {}),
        (heard(Event.END, call_ref="a", result_text="ANSWERED"), legs("3501", "3502"), "3501", {"3502": "ended"}),
        (heard(Event.END, call_ref="a", extension=""), legs("3501", "3502"), None, {"3501": "ended", "3502": "ended"}),
        (heard(Event.TRANSFER, call_ref="a", to="3502"), legs("3501*"), "3502", {"3501": "transferred"}),
        (heard(Event.TRANSFER, call_ref="a", to="3502"), legs("3501*", "3502*"), "3501", {}),
        (heard(Event.HOLD, call_ref="a"), legs("3501*", "3502-"), "3501", {}),
    ],
)
def test_of_legs_that_change_besides_the_log_is_told(
    event: HeardEvent, before: tuple[Leg, ...], at: str | None, news: dict[str, str]
) -> None:
    status = "talking" if any(leg.talks for leg in before) else "ringing"
    done = decide(event, [call(status, call_ref="a", legs=before)], 2000)
    assert done.at == at
    assert done.legs == tuple(LegNews(extension, EventKind(f"call_{what}")) for extension, what in news.items())


def test_without_legs_the_call_itself_is_told_of() -> None:
    done = decide(heard(Event.END), [call()], 2000)
    assert (done.at, done.extension, done.legs) == (None, "3501", ())
    assert done._replace(at="").extension == ""


# transfers


@pytest.mark.parametrize(
    ("known", "to", "repeat"),
    [
        ({}, "3501", True),
        ({}, "3502", False),
        ({"legs": legs("3501-", "3502*")}, "3502", True),
        ({"legs": legs("3501*", "3502*")}, "3502", False),
        ({"legs": legs("3501-", "3503*")}, "3502", False),
        ({"legs": legs("3501-", "3502-")}, "3502", False),
        ({"legs": legs("3501", "3502-")}, "3502", False),
    ],
)
def test_a_transfer_to_where_the_call_is_already_changes_nothing(known: dict[str, Any], to: str, repeat: bool) -> None:
    before = call("talking", call_ref="a", **known)
    done = decide(heard(Event.TRANSFER, call_ref="a", to="".join([to[:2], to[2:]])), [before], 2000)
    assert (done.repeat and done.call == before) is repeat


def test_a_transferred_call_goes_on_with_what_is_known_of_it() -> None:
    before = call("talking", direction="incoming", attached=attached(queue="vendas"), number_as_sent="(47)")
    done = decide(heard(Event.TRANSFER, to="3502", attached=attached(caller_name="Ana")), [before], 2000)
    assert (done.call.id, done.call.extension, done.call.number_as_sent) == (2000, "3502", "(47)")
    assert (done.call.group_id, done.call.attached) == (1000, attached(queue="vendas", caller_name="Ana"))
    assert (done.kind, done.is_new, done.is_news) == (EventKind.CALL_STARTED, True, True)
    [left] = done.others
    assert (left.call.id, left.call.group_id, left.call.transferred_to, left.kind) == (
        1000, 1000, "3502", EventKind.CALL_TRANSFERRED
    )  # fmt: skip
    grouped = decide(heard(Event.TRANSFER, to="3502"), [before._replace(group_id=900)], 2000)
    assert (grouped.call.group_id, grouped.others[0].call.group_id) == (900, 900)


@pytest.mark.parametrize(
    ("mine", "its", "both"), [(None, None, 1000), (900, None, 900), (None, 800, 800), (900, 800, 800)]
)
def test_a_transferred_call_joins_the_one_that_was_heard_of_there_before(
    mine: int | None, its: int | None, both: int
) -> None:
    there = call("ringing", id=1001, extension="3502", group_id=its)
    done = decide(heard(Event.TRANSFER, to="3502"), [call("talking", group_id=mine), there], 2000)
    assert (done.call.id, done.call.group_id, done.is_new) == (1000, both, False)
    joined = [(change.call.id, change.call.group_id, change.kind) for change in done.others]
    assert joined == ([] if its else [(1001, both, None)])


@pytest.mark.parametrize(("started_at", "found"), [(T0 + 500, 1001), (T0 + 400, 1000), (T0 + 600, 1000)])
def test_a_transfer_told_again_is_about_the_call_that_the_first_one_opened(started_at: int, found: int) -> None:
    left = call("ended", transferred_to="3502", ended_at=T0 + 500, group_id=1000)
    there = call(id=1001, extension="3502", group_id=1000, started_at=started_at)
    done = decide(heard(Event.TRANSFER, to="".join(["35", "02"])), [left, there], 2000)
    assert (done.call.id, done.repeat) == (found, True)


# groups


@pytest.mark.parametrize(("its", "both"), [(None, 1000), (900, 900)])
def test_a_call_joins_the_group_of_the_one_that_rings(its: int | None, both: int) -> None:
    done = decide(heard(Event.START, extension="3502"), [call(group_id=its)], 2000)
    assert (done.call.group_id, done.kind) == (both, EventKind.CALL_STARTED)
    assert [(change.call.group_id, change.kind) for change in done.others] == ([] if its else [(1000, None)])


@pytest.mark.parametrize("its", [None, 900])
def test_an_answer_where_it_did_not_ring_is_a_call_of_the_group(its: int | None) -> None:
    rang = call(group_id=its, attached=attached(queue="vendas"))
    done = decide(heard(Event.ANSWER, extension="3502"), [rang], 2000)
    assert (done.call.group_id, done.call.paired_by, done.call.started_at) == (its or 1000, "transfer", T0)
    assert (done.call.attached, done.call.answered_by, done.call.ring_s) == (attached(queue="vendas"), "3502", 1)
    [left] = done.others
    assert (left.call.id, left.call.status, left.call.answered_by) == (1000, "elsewhere", "3502")
    assert (left.call.group_id, left.kind, left.call.ended_at) == (its or 1000, EventKind.CALL_ENDED, T0 + 1000)


@pytest.mark.parametrize("event", [Event.ANSWER, Event.HOLD, Event.RESUME])
def test_who_is_spoken_with_ends_the_ringing_of_the_group(event: Event) -> None:
    mine = call(group_id=1000)
    others = [
        call(id=1001, extension="3502", group_id=1000),
        call("talking", id=1002, extension="3503", group_id=1000),
        call(id=1003, extension="3504", group_id=999),
        call(id=1004, extension="3505"),
    ]
    done = decide(heard(event, agent="ana"), [mine, *others], 2000)
    assert [(change.call.id, change.call.answered_agent) for change in done.others] == [(1001, "ana")]


def test_where_others_ring_with_it_an_end_says_of_them_only_what_it_knows() -> None:
    mine, other = call(group_id=1000), call(id=1001, extension="3502", group_id=1000)
    assert decide(heard(Event.END), [mine, other], 2000).others == ()
    [left] = decide(heard(Event.END, result_text="ANSWERED"), [mine, other], 2000).others
    assert (left.call.status, left.call.ended_at, left.kind) == ("elsewhere", T0 + 1000, EventKind.CALL_ENDED)


def test_who_reached_nobody_was_missed_once_the_last_of_the_group_has_ended() -> None:
    first = call("ended", group_id=1000, result="missed", ended_at=T0)
    last = call(id=1001, extension="3502", group_id=1000)
    done = decide(heard(Event.END, extension="3502", result_text="NOANSWER"), [first, last], 2000)
    assert (done.call.id, done.call.missed) == (1001, None)
    assert [(each.call.id, each.call.missed, each.kind) for each in done.others] == [(1000, True, EventKind.CALL_ENDED)]
    alone = decide(heard(Event.END, result_text="NOANSWER"), [call()], 2000)
    assert (alone.call.missed, alone.others) == (True, ())
    late = decide(heard(Event.ANSWER, at=T0 + 2000), [alone.call._replace(answered_at=None)], 2000)
    assert late.call.missed is False


# without an end


def test_an_end_that_never_comes_is_told_of() -> None:
    assert decide_in_vain(call("ended"), []) == ()
    [change] = decide_in_vain(call(), [])
    assert (change.call.status, change.kind) == ("lost", EventKind.CALL_LOST)
    missed = call("ended", group_id=1000, result="missed", ended_at=T0)
    mine = call(id=1001, group_id=1000)
    changes = decide_in_vain(mine, [missed, mine])
    assert [(each.call.id, each.call.status, each.kind) for each in changes] == [
        (1001, "lost", EventKind.CALL_LOST),
        (1000, "ended", EventKind.CALL_ENDED),
    ]
    assert changes[1].call.missed


@pytest.mark.parametrize(
    ("known", "status"),
    [
        (legs("3501", "3502-"), "ended"),
        (legs("3501", "3502"), "lost"),
        ((legs("3501")[0], legs("3502-")[0]._replace(transferred_to="3501")), "lost"),
    ],
)
def test_a_call_of_which_a_leg_has_ended_ended_with_it(known: tuple[Leg, ...], status: str) -> None:
    [change, *_] = decide_in_vain(call(legs=known), [])
    assert change.call.status == status


# calls of which only one event is known


@pytest.mark.parametrize(
    ("event", "known"),
    [
        (heard(Event.HOLD, occurred_at=T0), {"status": "talking", "held_at": T0, "answered_at": T0}),
        (heard(Event.RESUME), {"status": "talking", "held_at": None, "answered_at": T0 + 1000}),
        (
            heard(Event.QUEUE, occurred_at=T0),
            {"status": "waiting", "queued_at": T0, "started_at": T0, "paired_by": None},
        ),
        (heard(Event.LEAVE_QUEUE), {"status": "noted", "started_at": None, "queue_left_at": T0 + 1000}),
        (
            heard(Event.ABANDON, waited_s=7),
            {"status": "ended", "result": "abandoned", "waited_s": 7, "paired_by": None},
        ),
        (heard(Event.END, duration_s=7), {"started_at": T0 - 6000, "duration_s": 7, "paired_by": "alone"}),
        (heard(Event.END, duration_s=7, occurred_at=T0), {"started_at": T0 - 7000, "ended_at": T0}),
        (heard(Event.END), {"started_at": None, "duration_s": None, "start_heard_at": None}),
        (heard(Event.START, occurred_at=T0), {"started_at": T0, "start_heard_at": T0 + 1000, "logged_at": T0 + 1000}),
        (heard(Event.TRANSFER, to="3502"), {"extension": "3502", "started_at": T0 + 1000, "status": "ringing"}),
        (
            heard(Event.TRANSFER, to="1", stays_inside=False),
            {"extension": "3501", "status": "ended", "transferred_to": "1"},
        ),
        (heard(Event.ANSWER), {"started_at": None, "answered_by": "3501", "status": "talking"}),
    ],
)
def test_an_event_that_no_call_belongs_to_opens_one(event: HeardEvent, known: dict[str, Any]) -> None:
    done = decide(event, [], 2000)
    assert {name: getattr(done.call, name) for name in known} == known
    assert (done.is_new, done.is_news, done.repeat, done.call.id) == (True, True, False, 2000)


def test_what_a_decision_says_by_itself() -> None:
    plain = Decision(call(), EventKind.CALL_STARTED)
    assert (plain.is_new, plain.repeat, plain.is_news, plain.returns) == (False, False, False, False)
    assert (plain.others, plain.at, plain.legs, plain.note) == ((), None, (), None)
