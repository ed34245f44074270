"""Calls that people click on, as their screens see them while the exchange tells of these calls as well.

What the exchange tells was recorded from an Asterisk 22 whose channel has the id that the adapter gives it.
"""

from collections.abc import Callable
from itertools import takewhile
from typing import Any

import pytest

from gateway.desk.hub import Hub
from gateway.desk.screens import Screen
from gateway.domain.messages import Origin, PlaceCall
from gateway.domain.numbering.numbers import Extensions, NumberPlan, read
from gateway.store.writing.drafts import OrderDraft
from tests.desk.conftest import Office, now_ms
from tests.desk.test_hub import told
from tests.events.ami.playing import play
from tests.events.ami.test_orders import NUMBER, ordered

PLAN = NumberPlan("47", Extensions.parse(["3500-3599"]))
OpenHub = Callable[..., Hub]
SENTINEL = "4733334444"


@pytest.fixture
def screens(open_hub: OpenHub) -> list[Screen]:
    """Two screens of who clicks, and one of a colleague."""
    hub = open_hub()
    return [hub.subscribe("acme", extension) for extension in ("3501", "3501", "3502")]


def click(office: Office) -> tuple[int, int]:
    """3501 clicked, so long ago that a number finds no call any more; the ids of the order and of its call."""
    message = PlaceCall("acme", "3501", NUMBER, Origin("desk", "127.0.0.1"), now_ms() - 600_000)
    draft = OrderDraft(message, "3501", "pbx", "0" + NUMBER, read(NUMBER, PLAN))
    placed = office.journal.write(draft)
    office.exchange.dial(placed, draft)
    assert placed.order_id is not None
    return placed.order_id, placed.call_id


def hear(office: Office, recording: str, former: str, order_id: int) -> None:
    """The exchange tells of the order's call."""
    for message in play(ordered(recording, former, f"gw-acme-{order_id}"), base=now_ms()):
        office.core.handle(message)


def until_the_end(screen: Screen) -> list[dict[str, Any]]:
    """What a screen is told until its next call rings, which is of another number."""
    return list(takewhile(lambda event: event.get("number") != SENTINEL, told(screen)))


@pytest.mark.parametrize(("recording", "former"), [("originate_ext", "cti-77-1"), ("originate_local", "cti-78")])
def test_both_screens_of_who_clicked_see_one_call(
    office: Office, screens: list[Screen], recording: str, former: str
) -> None:
    order_id, call_id = click(office)
    hear(office, recording, former, order_id)
    for extension in ("3501", "3502"):
        office.ring(SENTINEL, extension)
    seen = [until_the_end(screen) for screen in screens]
    kinds = [[event["kind"] for event in events] for events in seen]
    assert kinds[0] == kinds[1]
    assert kinds[0].count("call_answered") == kinds[0].count("call_ended") == 1
    assert {event["call_id"] for events in seen for event in events} == {call_id}
    assert seen[2] == [], "the agent's own phone, which rings first, is no call from anybody"
    assert not [event for event in seen[0] if event.get("direction") == "incoming"]
    (call,) = [each for each in office.calls.recent("acme") if SENTINEL not in str(each.number)]
    assert (call.id, call.extension, call.direction, call.result) == (call_id, "3501", "outgoing", "answered")


def test_an_order_whose_agent_does_not_answer_ends_on_both_screens(office: Office, screens: list[Screen]) -> None:
    order_id, call_id = click(office)
    hear(office, "originate_noagent", "cti-79-1", order_id)
    office.ring(SENTINEL, "3501")
    first, second = (until_the_end(screen) for screen in screens[:2])
    assert [event["kind"] for event in first] == [event["kind"] for event in second]
    assert (first[-1]["kind"], first[-1]["call_id"]) == ("call_ended", call_id)
    assert "call_answered" not in [event["kind"] for event in first]
