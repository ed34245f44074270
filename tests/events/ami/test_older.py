"""Older versions and other shapes, as public documents have them: none of these was run.

Asterisk 11 and before: its ``UPGRADE-12.txt`` and the fixtures of AMI libraries. Channel names of chan_sip, IAX2,
DAHDI and SCCP: documentation and public logs.
"""

import pytest

from gateway.events.ami.endpoints import ChannelKind, EndpointRules
from gateway.events.ami.stream import AmiBlock, block_of
from tests.events.ami.playing import Timed, play, recorded, shown

T, A, B = ("SIP/carrier-00000001", "1439974866.33"), ("SIP/3501-00000002", "1439974866.34"), ("SIP/3502-3", "1.35")


def event(name: str, **lines: str) -> AmiBlock:
    return block_of(("Event", name), *lines.items())


def new(channel: tuple[str, str], state: str, number: str = "", exten: str = "") -> AmiBlock:
    lines = {"Channel": channel[0], "Uniqueid": channel[1], "ChannelState": state, "CallerIDNum": number}
    return event("Newchannel", **lines, Exten=exten)


def dial(source: tuple[str, str], called: tuple[str, str]) -> AmiBlock:
    lines = {"Channel": source[0], "UniqueID": source[1], "Destination": called[0], "DestUniqueID": called[1]}
    return event("Dial", SubEvent="Begin", **lines, Dialstring="3501")


def link(event_name: str, first: tuple[str, str], second: tuple[str, str], **more: str) -> AmiBlock:
    lines = {"Channel1": first[0], "Channel2": second[0], "Uniqueid1": first[1], "Uniqueid2": second[1]}
    return event(event_name, **lines, **more)


def state(channel: tuple[str, str], number: str) -> AmiBlock:
    return event("Newstate", Channel=channel[0], Uniqueid=channel[1], ChannelState=number)


def hangup(channel: tuple[str, str], cause: str = "16") -> AmiBlock:
    return event("Hangup", Channel=channel[0], Uniqueid=channel[1], Cause=cause)


def told(*blocks: AmiBlock) -> list[str]:
    """What is told of ``blocks``, a twentieth of a second apart, without the times."""
    messages = play([Timed(block, place * 50) for place, block in enumerate(blocks)])
    return [shown(message).split(" ", 1)[1] for message in messages]


RINGS = (new(T, "4", "47999990016", "4733330000"), new(A, "0", "3501"), dial(T, A), state(A, "5"))


@pytest.mark.parametrize(
    ("enter", "leave"),
    [
        (link("Bridge", T, A, Bridgestate="Link"), link("Bridge", T, A, Bridgestate="Unlink")),
        (link("Link", T, A), link("Unlink", T, A)),
    ],
    ids=["1.6 to 11", "1.4"],
)
def test_a_call_of_asterisk_11_and_before(enter: AmiBlock, leave: AmiBlock) -> None:
    assert told(*RINGS, enter, leave, hangup(A), hangup(T)) == [
        "CallStarted 3501 47999990016 incoming line=4733330000",
        "CallAnswered 3501 47999990016 incoming line=4733330000",
        "CallEnded 3501 47999990016 incoming line=4733330000 result=ANSWER goes_on=False",
    ]


def test_a_refusal_is_seen_by_its_cause() -> None:
    assert "result=CALL_REJECTED" in told(*RINGS, hangup(A, "21"), hangup(T, "21"))[1]


def test_holds_of_chan_sip() -> None:
    on, off = (event("Hold", Channel=A[0], Uniqueid=A[1], Status=status) for status in ("On", "Off"))
    kinds = [line.split()[0] for line in told(*RINGS, link("Link", T, A), on, off)]
    assert kinds == ["CallStarted", "CallAnswered", "CallHeld", "CallResumed"]


def test_queues_of_asterisk_11() -> None:
    joined = event("Join", Channel=T[0], Uniqueid=T[1], Queue="400", Position="1")
    left = event("Leave", Channel=T[0], Uniqueid=T[1], Queue="400", Count="0")
    lines = told(RINGS[0], joined, *RINGS[1:], left, link("Link", T, A), hangup(A), hangup(T))
    assert [line.split()[0] for line in lines] == [
        *("QueueEntered", "CallStarted", "QueueLeft", "CallAnswered", "CallEnded"),
    ]
    assert "queue=400" in lines[0]


def test_a_caller_who_gave_up_is_seen_without_the_request_to_hang_up() -> None:
    """Filters may leave it out; the cause of the hang-up tells an abandon from a time-out."""
    joined = event("QueueCallerJoin", Channel=T[0], Uniqueid=T[1], Queue="400")
    gone = event("QueueCallerAbandon", Uniqueid=T[1], Queue="400")
    at = [0, 1000, 9000, 9001]
    for cause, abandoned in (("0", "abandoned=True"), ("16", "abandoned=False")):
        blocks = (RINGS[0], joined, gone, hangup(T, cause))
        lines = [shown(each) for each in play([Timed(block, ms) for block, ms in zip(blocks, at, strict=True)])]
        assert abandoned in lines[1]


def test_a_pause_in_the_words_of_12_1() -> None:
    paused = event("QueueMemberPaused", Queue="400", Location="SIP/3501", MemberName="Ana", Paused="1", Reason="almoco")
    assert told(paused) == ["AgentStateChanged 3501 Ana pause 400 almoco"]


def test_a_call_parked_as_asterisk_11_tells_it() -> None:
    parked = event("ParkedCall", Channel=T[0], Uniqueid=T[1], From=A[0], Exten="701")
    lines = told(*RINGS, link("Link", T, A), parked, hangup(A))
    assert lines[-1].startswith("CallEnded 3501 47999990016 incoming line=4733330000 result=PARKED goes_on=True")


@pytest.mark.parametrize("technology", ["SIP", "IAX2", "SCCP"])
def test_other_technologies_tell_the_same(technology: str) -> None:
    for name in ("in_answer_callerhang", "queue_direct", "atxfer_refer", "ringgroup_local_n"):
        assert play(with_names(name, "PJSIP/", f"{technology}/")) == play(recorded(name))


def test_a_trunk_of_telephone_lines() -> None:
    """DAHDI's channels are called by span and number."""
    for name in ("in_answer_callerhang", "out_busy"):
        assert play(with_names(name, "PJSIP/trunk", "DAHDI/i1/4733330000")) == play(recorded(name))


def with_names(name: str, former: str, now: str) -> list[Timed]:
    """A recording with other names of channels."""
    return [Timed(renamed(each.block, former, now), each.after_ms) for each in recorded(name)]


def renamed(block: AmiBlock, former: str, now: str) -> AmiBlock:
    return AmiBlock({name: [value.replace(former, now) for value in values] for name, values in block.lines.items()})


@pytest.mark.parametrize(
    ("channel", "kind", "extension"),
    [
        ("PJSIP/3501-0000001a", ChannelKind.PHONE, "3501"),
        ("SIP/3501-0000001a", ChannelKind.PHONE, "3501"),
        ("IAX2/3501-1234", ChannelKind.PHONE, "3501"),
        ("SCCP/3501-00000001", ChannelKind.PHONE, "3501"),
        ("PJSIP/trunk-0000001a", ChannelKind.TRUNK, ""),
        ("SIP/192.0.2.1-0000001a", ChannelKind.TRUNK, ""),
        ("PJSIP/my-carrier-0000001a", ChannelKind.TRUNK, ""),
        ("DAHDI/i1/47999990016-1", ChannelKind.TRUNK, ""),
        ("Khomp/B0C12-0.0", ChannelKind.TRUNK, ""),
        ("Local/3501@from-queue-00000006;1", ChannelKind.INNER, ""),
        ("Surrogate/PJSIP/3501-0000001a", ChannelKind.INNER, ""),
        ("AsyncGoto/PJSIP/3501-0000001a", ChannelKind.INNER, ""),
        ("Message/ast_msg_queue", ChannelKind.INNER, ""),
        ("", ChannelKind.INNER, ""),
        ("PJSIP", ChannelKind.INNER, ""),
    ],
)
def test_what_a_channels_name_says(channel: str, kind: ChannelKind, extension: str) -> None:
    endpoint = EndpointRules().read(channel)
    assert (endpoint.kind, endpoint.extension) == (kind, extension)


@pytest.mark.parametrize(
    ("interface", "extension"),
    [
        ("PJSIP/3501", "3501"),
        ("Local/3501@from-queue/n", "3501"),
        ("SIP/3501", "3501"),
        ("hint:3501@ext-local", ""),
        ("", ""),
    ],
)
def test_whose_phone_a_queues_member_is(interface: str, extension: str) -> None:
    assert EndpointRules().interface(interface) == extension
