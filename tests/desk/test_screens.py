"""One open page's stream, whoever has news for it, in whichever order they come."""

import json
from dataclasses import dataclass, field
from typing import Any

import pytest

from gateway.desk import frames, screens
from gateway.desk.frames import Pulses, ScreenEvent
from gateway.desk.screens import EpochBegun, Screen
from gateway.domain.calls.scope import EVERYTHING, CallScope
from gateway.store.delivery_receipts import ReceiptKind
from gateway.store.reading.log import LoggedEvent
from gateway.store.reading.positions import Position

NOW_ON = Position(0, 10)
PULSES = Pulses(is_delayed=False)


@dataclass
class HubOfOne:
    """Notes what a screen tells its hub."""

    noticed: list[tuple[ReceiptKind, int | None]] = field(default_factory=list)
    released: list[Screen] = field(default_factory=list)

    def notice(self, _screen: Screen, kind: ReceiptKind, call_id: int | None = None) -> None:
        self.noticed.append((kind, call_id))

    def release(self, screen: Screen) -> None:
        self.released.append(screen)


@dataclass
class PageSink:
    """A page that keeps what it is sent."""

    sent: list[bytes] = field(default_factory=list)
    ends: int = 0
    behind: bool = False

    def is_behind(self) -> bool:
        return self.behind

    def send(self, data: bytes) -> None:
        assert not self.ends, "it is sent something behind the end"
        self.sent.append(data)

    def end(self) -> None:
        self.ends += 1

    @property
    def told(self) -> list[tuple[str, int]]:
        """Kind and number of each event that it was told."""
        fields = [
            dict(line.split(": ", 1) for line in each.decode().splitlines() if ": " in line) for each in self.sent
        ]
        return [(each["event"], int(each["id"].rpartition(".")[2])) for each in fields if "event" in each]


def screen_of(hub: HubOfOne, **settings: Any) -> Screen:
    whole = {"login": "ana", "session": "s", "whole_tenant": False, "hub": hub, "age_s": 900, **settings}
    return Screen("acme", "3501", **whole)


def event(seq: int, extension: str = "3501", *, epoch: int = 0, kind: str = "call_started", **told: Any) -> ScreenEvent:
    payload = json.dumps({"number": "+554733334444", **told})
    return ScreenEvent.of(LoggedEvent(seq, "acme", kind, 1, extension, 100 + seq, payload, epoch))


@pytest.fixture
def hub() -> HubOfOne:
    return HubOfOne()


@pytest.fixture
def page() -> PageSink:
    return PageSink()


def live(hub: HubOfOne, page: PageSink, **settings: Any) -> Screen:
    screen = screen_of(hub, **settings)
    screen.attach(page)
    screen.resume([], sent=NOW_ON)
    return screen


@pytest.mark.parametrize("is_attached_first", [True, False])
def test_what_comes_before_it_is_known_what_was_missed_is_told_behind_that(
    hub: HubOfOne, page: PageSink, is_attached_first: bool
) -> None:
    screen = screen_of(hub)
    if is_attached_first:
        screen.attach(page)
    assert screen.offer(event(12))
    assert screen.offer(event(13))
    screen.resume([event(11), event(12)], sent=NOW_ON)
    if not is_attached_first:
        screen.attach(page)
    assert page.told == [("call_started", seq) for seq in (11, 12, 13)]
    assert page.sent[0] == frames.RETRY


def test_a_page_that_is_not_there_yet_is_waited_for_with_so_many_events_only(
    hub: HubOfOne, page: PageSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(screens, "QUEUE_LIMIT", 3)
    screen = screen_of(hub)
    assert [screen.offer(event(seq)) for seq in (11, 12, 13, 14)] == [True, True, True, False]


def test_a_page_that_does_not_keep_up_is_sent_nothing_more_and_the_hub_is_told(hub: HubOfOne, page: PageSink) -> None:
    screen = live(hub, page)
    page.behind = True
    before = list(page.sent)
    assert not screen.offer(event(11))
    assert not screen.beat(NOW_ON, PULSES)
    assert page.sent == before


def test_a_stream_ends_once_and_is_told_nothing_behind_its_end(hub: HubOfOne, page: PageSink) -> None:
    screen = live(hub, page)
    screen.end(back_in_ms=700)
    screen.end(back_in_ms=700)
    assert screen.offer(event(11))
    assert screen.beat(NOW_ON, PULSES)
    assert (page.told, page.ends) == ([("farewell", 10)], 1)
    assert b'{"back_in_ms":700}' in page.sent[-1]


@pytest.mark.parametrize("is_attached_first", [True, False])
def test_a_stream_that_ended_before_it_began_ends_when_it_begins(
    hub: HubOfOne, page: PageSink, is_attached_first: bool
) -> None:
    screen = screen_of(hub)
    screen.end()
    if is_attached_first:
        screen.attach(page)
    screen.resume([], sent=NOW_ON)
    if not is_attached_first:
        screen.attach(page)
    assert page.ends == 1


def test_a_heart_beat_never_moves_a_page_back(hub: HubOfOne, page: PageSink) -> None:
    screen = live(hub, page)
    screen.offer(event(12))
    for position in (Position(0, 11), None, Position(0, 15)):
        assert screen.beat(position, PULSES)
    assert page.told[1:] == [("pulse", 12), ("pulse", 12), ("pulse", 15)]


def test_a_heart_beat_waits_until_it_is_known_what_was_missed(hub: HubOfOne, page: PageSink) -> None:
    screen = screen_of(hub)
    assert screen.beat(NOW_ON, PULSES)
    screen.attach(page)
    assert screen.beat(NOW_ON, PULSES)
    assert page.told == []


def test_whatever_a_page_is_sent_puts_its_next_heart_beat_off(hub: HubOfOne, page: PageSink) -> None:
    screen = live(hub, page)
    screen.quiet_since = 0.0
    screen.offer(event(11))
    assert screen.quiet_since > 0


def test_a_page_that_was_told_of_what_is_lost_starts_afresh_once_and_goes_on_behind_what_was_kept(
    hub: HubOfOne, page: PageSink
) -> None:
    screen = live(hub, page)
    kept = Position(1, 8)
    screen.offer(EpochBegun(kept))
    screen.offer(EpochBegun(kept))
    screen.offer(event(9, epoch=1))
    assert page.told == [("reset", 8), ("call_started", 9)]


def test_a_page_that_was_told_of_nothing_that_is_lost_goes_on_where_it_was(hub: HubOfOne, page: PageSink) -> None:
    screen = live(hub, page)
    screen.offer(EpochBegun(Position(1, 12)))
    for seq in (11, 12, 13):
        screen.offer(event(seq, epoch=1))
    assert page.told == [("call_started", seq) for seq in (11, 12, 13)]


def test_a_page_that_opened_in_the_new_epoch_knows_of_it(hub: HubOfOne, page: PageSink) -> None:
    screen = screen_of(hub)
    screen.attach(page)
    screen.resume([], sent=Position(1, 20))
    screen.offer(EpochBegun(Position(1, 8)))
    assert page.told == []


def test_what_comes_to_the_page_s_own_extension_is_noted_as_delivered(hub: HubOfOne, page: PageSink) -> None:
    screen = live(hub, page, whole_tenant=True)
    screen.offer(event(11, "3502"))
    screen.offer(event(12))
    assert hub.noticed == [(ReceiptKind.DELIVERED, 112)]
    assert page.told == [("log", 11), ("call_started", 12)]


def test_who_may_not_see_telephones_is_sent_none(hub: HubOfOne, page: PageSink) -> None:
    live(hub, page, masked=True).offer(event(11))
    assert b"call_started" in page.sent[-1]
    assert b"33334444" not in page.sent[-1]


def test_of_other_calls_those_are_told_that_the_page_may_see_and_what_agents_do(hub: HubOfOne, page: PageSink) -> None:
    screen = live(hub, page, whole_tenant=True, scope=CallScope(login="ana"))
    screen.offer(event(11, "3502"))
    screen.offer(event(12, "3502", kind="agent_state_changed"))
    assert page.told == [("log", 12)]
    assert screen_of(hub, whole_tenant=True, scope=EVERYTHING).shown(event(11, "3502"))
    assert screen_of(hub).shown(event(11, "3502")) is None


def test_what_concerns_everybody_is_told_to_all(hub: HubOfOne, page: PageSink) -> None:
    live(hub, page).offer(event(11, "3502", kind="missed_changed"))
    assert page.told == [("missed_changed", 11)]


def test_a_thread_that_asks_again_behind_the_end_gets_the_end_again(hub: HubOfOne) -> None:
    screen = screen_of(hub)
    screen.resume([event(11)], sent=NOW_ON)
    first = next(screen)
    screen.end()
    assert (first, len(list(screen)), list(screen)) == (frames.RETRY, 1, [])
    assert hub.released == [screen, screen]
