"""Bytes in, blocks out: half blocks, encodings, limits, what must not be in a log."""

import pytest

from gateway.events.ami.stream import LONGEST_LINE, MOST_LINES, AmiStream, masked

BANNER = b"Asterisk Call Manager/11.0.0\r\n"
EVENT = b"Event: Newchannel\r\nChannel: PJSIP/3501-1\r\nChanVariable: A=1\r\nChanVariable: B=2\r\n\r\n"


def test_blocks_of_lines_by_name() -> None:
    stream = AmiStream()
    (block,) = stream.feed(BANNER + EVENT)
    assert stream.banner == "Asterisk Call Manager/11.0.0"
    assert (block.event, block.get("CHANNEL"), block.get("Exten")) == ("Newchannel", "PJSIP/3501-1", "")
    assert block.all("ChanVariable") == ["A=1", "B=2"]
    assert block.all("Exten") == []


def test_however_it_is_cut() -> None:
    stream, data = AmiStream(), BANNER + EVENT + EVENT
    blocks = [block for place in range(len(data)) for block in stream.feed(data[place : place + 1])]
    assert [block.event for block in blocks] == ["Newchannel", "Newchannel"]


@pytest.mark.parametrize("name", ["José Conceição".encode(), "José Conceição".encode("latin-1")])
def test_names_in_utf_8_and_latin_1(name: bytes) -> None:
    (block,) = AmiStream().feed(b"Event: X\nCallerIDName: " + name + b"\n\n")
    assert block.get("CallerIDName") == "José Conceição"


def test_answers_and_the_event_that_looks_like_one() -> None:
    answer, event = AmiStream().feed(
        b"Response: Success\r\nActionID: 7\r\n\r\nEvent: OriginateResponse\r\nResponse: Failure\r\n\r\n"
    )
    assert (answer.is_response, answer.action_id, answer.event) == (True, "7", "")
    assert not event.is_response


def test_a_long_line_and_many_lines_are_cut() -> None:
    stream = AmiStream()
    (block,) = stream.feed(b"Event: X\nData: " + b"x" * 200_000 + b"\nAfter: 1\n\n")
    assert len(block.get("Data")) < LONGEST_LINE
    assert block.get("After") == "1"
    (block,) = stream.feed(b"Event: X\n" + b"Variable: 1\n" * 5_000 + b"\n")
    assert len(block.all("Variable")) == MOST_LINES - 1


def test_a_line_that_never_ends_takes_no_memory() -> None:
    stream = AmiStream()
    for _ in range(100):
        assert stream.feed(b"x" * 65_536) == []
    assert len(stream._rest) <= LONGEST_LINE
    (block,) = stream.feed(b"\n\nEvent: X\n\n")[-1:]
    assert block.event == "X"


def test_nonsense_is_no_error() -> None:
    for block in AmiStream().feed(b"\x00\xff\r\n: \r\nno colon\r\n\r\n\r\n\r\n"):
        assert block.event == ""


def test_secrets_are_masked() -> None:
    said = b"Action: Login\r\nUsername: crm\r\nSecret: s3nha: x\r\n\r\n"
    assert masked(said) == b"Action: Login\r\nUsername: crm\r\nSecret: ****\r\n\r\n"
    assert masked(b"key: 0123\nChallenge: 17\n") == b"key: ****\nChallenge: ****\n"
