"""Events of a site: on its disk first, then at the main gateway, in order, until that says that it has them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from gateway.errors import MainGatewayError, StoreUnavailable
from gateway.onsite import events as module
from gateway.onsite.events import SpooledEvents, fitting
from gateway.store.spool.file import Spool, Spooled, SpoolRoom
from gateway.store.spool.messages import unpacked
from gateway.store.writing.drafts import Recorded
from tests.store.conftest import T0, start_draft


@dataclass
class FakeMain:
    """A main gateway that takes events by their turns, as the real one does; ``fail_with`` is raised, in turn."""

    by_spool: dict[str, int] = field(default_factory=dict)
    numbers: list[str] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)
    fail_with: list[Exception | None] = field(default_factory=list)
    loses_answers: int = 0
    refused: dict[str, str] = field(default_factory=dict)
    most_bytes: int = 1 << 20

    def ask(self, verb: str, document: Mapping[str, Any], **_more: Any) -> Mapping[str, Any]:
        assert verb == "events"
        error = self.fail_with.pop(0) if self.fail_with else None
        if error:
            raise error
        events = document["events"]
        if sum(len(each["message"]) for each in events) > self.most_bytes:
            raise MainGatewayError("too large", status=413)
        self.sizes.append(len(events))
        done = self.by_spool.get(document["spool"], 0)
        refused = []
        for each in events:
            number = unpacked(each["message"]).telefone
            if number in self.refused:
                refused.append({"turn": each["turn"], "reason": self.refused[number]})
            elif each["turn"] > done:
                self.numbers.append(number)
        self.by_spool[document["spool"]] = max(done, events[-1]["turn"])
        if self.loses_answers:
            self.loses_answers -= 1
            raise MainGatewayError("lost")
        return {"turn": self.by_spool[document["spool"]], "refused": refused}


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    found = Spool(tmp_path, "onsite", SpoolRoom(10_000_000, 10_000_000))
    yield found
    found.close()


def hand_in(events: SpooledEvents, *numbers: str) -> list[Recorded]:
    done: list[Recorded] = []
    for number in numbers:
        events.hand_in(start_draft("3501", number), done.append)
    return done


NUMBERS = [f"47321000{place:02}" for place in range(20)]


def test_what_is_on_the_disk_is_said_to_be_kept_and_brought_in_order(spool: Spool) -> None:
    main = FakeMain()
    events = SpooledEvents(spool, main)  # type: ignore[arg-type]
    assert [(each.call_id, each.kept) for each in hand_in(events, *NUMBERS)] == [(0, True)] * 20
    assert spool.waiting() == 20
    events.bring()
    assert (main.numbers, spool.waiting()) == (NUMBERS, 0)


def test_events_wait_while_the_main_gateway_is_away_and_a_lost_answer_doubles_none(spool: Spool) -> None:
    main = FakeMain(fail_with=[MainGatewayError("away")], loses_answers=1)
    events = SpooledEvents(spool, main)  # type: ignore[arg-type]
    hand_in(events, *NUMBERS[:10])
    for _ in range(2):
        with pytest.raises(MainGatewayError):
            events.bring()
        assert spool.waiting() == 10
    hand_in(events, *NUMBERS[10:])
    events.bring()
    assert (main.numbers, spool.waiting()) == (NUMBERS, 0)


def test_the_next_run_brings_what_the_last_one_left(tmp_path: Path) -> None:
    main, room = FakeMain(loses_answers=1), SpoolRoom(10_000_000, 10_000_000)
    first = Spool(tmp_path, "onsite", room)
    events = SpooledEvents(first, main)  # type: ignore[arg-type]
    hand_in(events, *NUMBERS)
    with pytest.raises(MainGatewayError):
        events.bring()
    first.close()
    second = Spool(tmp_path, "onsite", room)
    SpooledEvents(second, main).bring()  # type: ignore[arg-type]
    second.close()
    assert main.numbers == NUMBERS


def test_a_request_that_is_too_large_is_made_smaller(spool: Spool) -> None:
    main = FakeMain(fail_with=[MainGatewayError("too large", status=413)] * 3)
    events = SpooledEvents(spool, main)  # type: ignore[arg-type]
    hand_in(events, *NUMBERS)
    events.bring()
    assert (main.numbers, main.sizes[0]) == (NUMBERS, 2)


def hand_in_large(events: SpooledEvents, number: str) -> None:
    draft = start_draft("3501", number)
    large = replace(draft.message, fields={"notes": "x" * 2000})
    events.hand_in(replace(draft, message=large), lambda _done: None)


def test_an_event_that_is_too_large_alone_is_put_aside_and_those_behind_it_come(spool: Spool) -> None:
    main = FakeMain(most_bytes=2000)
    events = SpooledEvents(spool, main)  # type: ignore[arg-type]
    hand_in(events, *NUMBERS[:7])
    hand_in_large(events, "4730000001")
    hand_in(events, *NUMBERS[7:])
    with capture_logs() as logs:
        events.bring()
    assert (main.numbers, spool.waiting(), spool.refused()) == (NUMBERS, 0, 1)
    assert [(each["event"], each["reason"]) for each in logs] == [("onsite_event_refused", "too large")]


def test_while_the_smallest_requests_are_too_large_for_the_way_events_wait(spool: Spool) -> None:
    main = FakeMain(most_bytes=10)
    events = SpooledEvents(spool, main)  # type: ignore[arg-type]
    hand_in(events, *NUMBERS)
    with pytest.raises(MainGatewayError):
        events.bring()
    assert (spool.waiting(), spool.refused()) == (20, 0)
    main.most_bytes = 100_000
    events.bring()
    assert (main.numbers, spool.waiting()) == (NUMBERS, 0)


def test_what_can_never_be_written_is_put_aside(spool: Spool) -> None:
    main = FakeMain(refused={NUMBERS[3]: "cannot be"})
    events = SpooledEvents(spool, main)  # type: ignore[arg-type]
    hand_in(events, *NUMBERS)
    events.bring()
    assert (main.numbers, spool.waiting(), spool.refused()) == ([*NUMBERS[:3], *NUMBERS[4:]], 0, 1)


def test_a_folder_that_was_put_back_from_a_copy_begins_anew(spool: Spool) -> None:
    main = FakeMain(by_spool={spool.name: 1000})
    events, before = SpooledEvents(spool, main), spool.name  # type: ignore[arg-type]
    hand_in(events, *NUMBERS)
    events.bring()
    assert (main.numbers, spool.waiting(), spool.name == before) == (NUMBERS, 0, False)


@pytest.mark.parametrize("answer", [{}, {"turn": "3"}, {"turn": 0}, {"turn": None, "refused": 3}])
def test_an_answer_that_does_not_say_what_was_taken_lets_nothing_go(
    spool: Spool, monkeypatch: pytest.MonkeyPatch, answer: dict[str, Any]
) -> None:
    monkeypatch.setattr(FakeMain, "ask", lambda *_arguments, **_named: answer)
    events = SpooledEvents(spool, FakeMain())  # type: ignore[arg-type]
    hand_in(events, *NUMBERS)
    with pytest.raises(MainGatewayError):
        events.bring()
    assert spool.waiting() == 20


def test_without_room_a_source_is_made_to_wait(tmp_path: Path) -> None:
    spool = Spool(tmp_path, "onsite", SpoolRoom(1, 10_000_000))
    events = SpooledEvents(spool, FakeMain())  # type: ignore[arg-type]
    with pytest.raises(StoreUnavailable):
        hand_in(events, NUMBERS[0])
    spool.close()


def test_a_request_holds_a_bounded_number_of_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_BYTES", 250)
    waiting = [Spooled(turn, T0, "x" * 100) for turn in range(5)]
    assert [each.turn for each in fitting(waiting)] == [0]
    assert [each.turn for each in fitting([Spooled(9, T0, "x" * 999), *waiting])] == [9]
    assert fitting([]) == []
