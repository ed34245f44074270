"""Orders at a site: taken once, dialled once, answered whoever dies when."""

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from gateway.adapter import Delivery, Outcome, Outgoing
from gateway.errors import MainGatewayError
from gateway.onsite.orders import AT_ONCE, OnsiteDialler
from gateway.orders.appliance_queue import ApplianceQueue
from gateway.orders.circuit_breaker import Rules
from gateway.store.onsite.shown_orders import ShownOrder, shown_orders
from gateway.store.onsite.site_file import SiteFile, SiteOrderState
from gateway.texts.text import Text
from tests.fakes import FakeAdapter
from tests.onsite.fake_main import FakeMain
from tests.store.conftest import T0
from tests.waiting import until


class HangingUp(FakeAdapter):
    can_hang_up = True

    def hangup(self, _message: Outgoing) -> Delivery:
        return Delivery(Outcome.ACCEPTED, "ended")


Start = Callable[..., OnsiteDialler]


@pytest.fixture
def main() -> FakeMain:
    return FakeMain()


@pytest.fixture
def start(tmp_path: Path, main: FakeMain) -> Iterator[Start]:
    """Start a dialler on the same file, as the next run of a site would."""
    with ExitStack() as opened:

        def begin(adapter: FakeAdapter | None = None, rules: Rules | None = None) -> OnsiteDialler:
            file = SiteFile(tmp_path)
            queue = ApplianceQueue("site", "pabx", adapter or FakeAdapter(), rules or Rules())
            made = OnsiteDialler({"pabx": queue}, file, main, lambda: T0)  # type: ignore[arg-type]
            opened.callback(file.close)
            opened.callback(made.stop)
            return made

        yield begin


def order(id: str = "a1", appliance: str = "pabx", kind: str = "dial") -> ShownOrder:
    return ShownOrder(id, appliance, kind, {"extension": "3501", "number": "0321", "order_id": "7"})


def brought(dialler: OnsiteDialler, main: FakeMain, count: int = 1) -> dict[str, str]:
    """What the main gateway was answered, once it is ``count`` orders."""

    def bring() -> bool:
        dialler.bring_answers(main, 0.05)  # type: ignore[arg-type]
        return len(main.answers) >= count

    until(bring, 60)
    return main.answers


@pytest.mark.parametrize("outcome", list(Outcome))
def test_what_the_appliance_says_is_answered(start: Start, main: FakeMain, outcome: Outcome) -> None:
    adapter = FakeAdapter(lambda _message: Delivery(outcome, "assim"))
    dialler = start(adapter)
    dialler.show([order()])
    assert brought(dialler, main) == {"a1": outcome.value}
    (told,) = adapter.delivered
    assert (told.kind, told.id, told.fields["number"]) == ("dial", "7", "0321")


def test_what_an_appliance_says_in_no_proper_characters_is_answered(start: Start, main: FakeMain) -> None:
    """JSON may hold half of a surrogate pair, which no database and no UTF-8 takes."""
    said = Text("The appliance answered: {said}", said="\ud83d\0")
    dialler = start(FakeAdapter(lambda _message: Delivery(Outcome.ACCEPTED, said, "ref-\ud83d")))
    dialler.show([order()])
    assert brought(dialler, main) == {"a1": "accepted"}


def test_an_order_that_is_shown_again_is_dialled_once(start: Start, main: FakeMain) -> None:
    adapter = FakeAdapter()
    dialler = start(adapter)
    for _ in range(3):
        dialler.show([order()])
    brought(dialler, main)
    dialler.show([order()])
    other = start(FakeAdapter())
    other.show([order()])
    assert (len(adapter.delivered), main.taken) == (1, ["a1"])


def test_an_order_that_is_not_given_is_not_dialled(start: Start, main: FakeMain) -> None:
    adapter = FakeAdapter()
    main.take = lambda: {"go": False}
    dialler = start(adapter)
    dialler.show([order()])
    dialler.stop()
    assert (adapter.delivered, main.answers) == ([], {})
    assert not dialler._file.in_state(SiteOrderState.SHOWN, SiteOrderState.ANSWERED)


@pytest.mark.parametrize("answer", [{"go": True, "within_s": 0.1}, {"go": True, "within_s": -3}])
def test_an_order_that_comes_late_is_not_dialled(start: Start, main: FakeMain, answer: dict[str, Any]) -> None:
    adapter = FakeAdapter()
    main.take = lambda: answer
    dialler = start(adapter)
    dialler.show([order()])
    assert (brought(dialler, main), adapter.delivered) == ({"a1": "unreachable"}, [])


def test_a_connection_that_is_lost_before_the_order_is_taken_dials_nothing(start: Start, main: FakeMain) -> None:
    adapter = FakeAdapter()
    main.is_away = True
    dialler = start(adapter)
    dialler.show([order()])
    until(lambda: dialler._file.in_state(SiteOrderState.ANSWERED), 60)
    with pytest.raises(MainGatewayError):
        dialler.bring_answers(main, 0)  # type: ignore[arg-type]
    main.is_away = False
    assert (brought(dialler, main), adapter.delivered) == ({"a1": "unreachable"}, [])


def test_what_an_earlier_run_began_is_unknown_and_what_it_only_saw_was_not_dialled(
    tmp_path: Path, start: Start, main: FakeMain
) -> None:
    earlier = SiteFile(tmp_path)
    for id in ("begun", "shown"):
        earlier.begin(id, T0)
    earlier.set_state("begun", SiteOrderState.BEGUN)
    earlier.close()
    adapter = FakeAdapter()
    dialler = start(adapter)
    dialler.show([order("begun"), order("shown")])
    assert brought(dialler, main, 2) == {"begun": "unknown", "shown": "unreachable"}
    assert (adapter.delivered, main.taken) == ([], [])


def test_it_is_on_the_disk_before_the_appliance_is_told(tmp_path: Path, start: Start, main: FakeMain) -> None:
    seen: list[str] = []

    def look(_message: Outgoing) -> Delivery:
        other = SiteFile(tmp_path)
        seen.extend(each.id for each in other.in_state(SiteOrderState.BEGUN))
        other.close()
        return Delivery(Outcome.ACCEPTED, "")

    dialler = start(FakeAdapter(look))
    dialler.show([order()])
    brought(dialler, main)
    assert seen == ["a1"]


def test_an_appliance_that_is_slow_is_unknown_when_the_time_is_over(start: Start, main: FakeMain) -> None:
    gate = threading.Event()

    def hang(_message: Outgoing) -> Delivery:
        gate.wait(60)
        return Delivery(Outcome.ACCEPTED, "")

    main.take = lambda: {"go": True, "within_s": 1}
    dialler = start(FakeAdapter(hang))
    dialler.show([order()])
    try:
        assert brought(dialler, main) == {"a1": "unknown"}
    finally:
        gate.set()


def test_an_answer_that_the_disk_does_not_take_is_logged_and_given_after_the_next_start(
    start: Start, main: FakeMain, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_arguments: Any) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    dialler = start()
    monkeypatch.setattr(dialler._file, "answer", full)
    with capture_logs() as logged:
        dialler.show([order()])
        dialler.stop()
    assert [each["event"] for each in logged if each["log_level"] == "error"] == ["onsite_answer_not_kept"]
    assert brought(start(), main) == {"a1": "unknown"}


def test_a_disk_that_is_full_for_a_while_costs_no_places(
    start: Start, main: FakeMain, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_arguments: Any) -> bool:
        raise sqlite3.OperationalError("database or disk is full")

    dialler = start()
    with monkeypatch.context() as patched:
        patched.setattr(dialler._file, "begin", full)
        for _ in range(AT_ONCE + 1):
            with pytest.raises(sqlite3.OperationalError):
                dialler.show([order()])
    dialler.show([order()])
    assert brought(dialler, main) == {"a1": "accepted"}


def test_orders_for_several_are_tried_side_by_side_within_the_appliance_s_limits(start: Start, main: FakeMain) -> None:
    both = threading.Barrier(2)

    def meet(_message: Outgoing) -> Delivery:
        both.wait(60)
        return Delivery(Outcome.ACCEPTED, "")

    dialler = start(FakeAdapter(meet), Rules(max_orders=2))
    dialler.show([order("a1"), order("a2")])
    assert brought(dialler, main, 2) == {"a1": "accepted", "a2": "accepted"}


@pytest.mark.parametrize(
    ("adapter", "kind", "appliance", "outcome"),
    [
        (FakeAdapter(), "probe", "pabx", "accepted"),
        (HangingUp(), "hangup", "pabx", "accepted"),
        (FakeAdapter(), "hangup", "pabx", "refused"),
        (FakeAdapter(), "dial", "other", "unreachable"),
    ],
)
def test_other_orders_are_answered_too(
    start: Start, main: FakeMain, adapter: FakeAdapter, kind: str, appliance: str, outcome: str
) -> None:
    dialler = start(adapter)
    dialler.show([order(kind=kind, appliance=appliance)])
    assert (brought(dialler, main), adapter.delivered) == ({"a1": outcome}, [])
    assert dialler.status() == {"pabx": {"hangs_up": isinstance(adapter, HangingUp)}}


@pytest.mark.parametrize(
    "answer",
    [{}, {"orders": 3}, {"orders": [3, {}, {"id": 1}, {"id": "a", "appliance": "b", "kind": "drop", "fields": {}}]}],
)
def test_what_is_no_order_is_passed_over(answer: dict[str, Any]) -> None:
    assert shown_orders(answer) == []
