"""What an exchange may send without end: channels that never hang up, events that mean nothing."""

from dataclasses import replace

from gateway.events.ami.interpreter import HANDLERS, AmiInterpreter
from gateway.events.ami.state import MOST_GONE, Recent
from gateway.events.ami.stream import AmiBlock, block_of
from tests.events.ami.playing import BASE, SETTINGS

FEW = replace(SETTINGS, most_channels=100)


def new(number: int, *, kind: str = "Newchannel") -> AmiBlock:
    lines = (("Channel", f"PJSIP/trunk-{number:08x}"), ("Uniqueid", f"1.{number}"), ("Linkedid", f"1.{number}"))
    return block_of(("Event", kind), *lines, ("ChannelState", "4"), ("CallerIDNum", "47999990016"))


def test_channels_that_never_hang_up_are_forgotten_oldest_first() -> None:
    interpreter, told = AmiInterpreter(FEW), []
    for number in range(1_000):
        told += interpreter.feed(new(number), BASE + number)
    assert interpreter.open_calls == 100
    assert interpreter.forgotten == 900
    assert [message.call_ref for message in told[:2]] == ["1.0", "1.1"]  # type: ignore[union-attr]


def test_a_flood_of_unknown_events_is_nothing() -> None:
    interpreter = AmiInterpreter(FEW)
    for number in range(20_000):
        assert interpreter.feed(new(number, kind="RTCPSent"), BASE) == []
    assert interpreter.open_calls == 0
    assert interpreter.next_tick() is None


def test_what_is_remembered_of_channels_that_are_gone_is_bounded() -> None:
    recent = Recent(MOST_GONE)
    for number in range(MOST_GONE + 10):
        recent.add(str(number))
    assert "0" not in recent
    assert str(MOST_GONE) in recent


def test_events_without_a_channel_are_no_error() -> None:
    interpreter = AmiInterpreter(FEW)
    for name in HANDLERS:
        interpreter.feed(block_of(("Event", name)), BASE)
        interpreter.feed(block_of(("Event", name), ("Timestamp", "nan"), ("Uniqueid", "7")), BASE)
    assert interpreter.open_calls == 0
