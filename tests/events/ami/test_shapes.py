"""Calls of which there is no recording, built as Asterisk would send them by what was recorded of others."""

from tests.events.ami.playing import Timed, play, recorded, shown
from tests.events.ami.sequences import Builder

IN_TALK = (
    "+0 New T(1/1) Ring num=N exten=4733330000 · New A(2/1) Down num=3501 exten=s · Dial T→A dest=3501 · Ringing A",
    "+1000 Up A · DialEnd T→A ANSWER · Up T · In b1:A · In b1:T",
)


def told(*lines: str) -> list[str]:
    events = [Timed(block, after_ms) for after_ms, block in Builder().built(lines)]
    return [shown(message).replace(" line=4733330000", "").split(" ", 1)[1] for message in play(events)]


def test_an_extension_that_waits_in_a_queue() -> None:
    assert told(
        "+0 New A(1/1) Ring num=3501 exten=400 · Up A · QueueCallerJoin A q=400 pos=1",
        "+500 New B(2/1) Down num=3502 exten=s · Dial A→B dest=3502 · Ringing B",
        "+900 Up B · DialEnd A→B ANSWER · QueueCallerLeave A q=400 · In b1:B · In b1:A",
        "+2000 Out b1:A · Out b1:B · Hangup B 16 · Hangup A 16",
    ) == [
        "QueueEntered - 3501 internal queue=400",
        "CallStarted 3502 3501 internal queue=400",
        "QueueLeft - 3501 internal queue=400 abandoned=False",
        "CallAnswered 3502 3501 internal queue=400",
        "CallEnded 3502 3501 internal queue=400 result=ANSWER goes_on=False",
    ]


def test_a_transfer_while_the_consultation_still_rings() -> None:
    """By the phone: REFER with Replaces of a call that nobody has answered yet."""
    lines = told(
        *IN_TALK,
        "+2000 Hold A",
        "+2300 New A2(3/3) Ring num=3501 exten=3502 · New B(4/3) Down num=3502 exten=s",
        "+2301 Dial A2→B dest=3502 · Ringing B",
        "+3000 AttendedTransfer Success orig=A second=A2 transferee=T target=B x · Hangup A2 16 · Hangup A 16",
        "+5000 Up B · DialEnd T→B ANSWER · In b2:B · In b2:T",
        "+6000 Out b2:T · Out b2:B · Hangup B 16 · Hangup T 16",
    )
    assert lines[3:] == [
        "CallStarted 3502 3501 internal",
        "CallEnded 3502 3501 internal result=ATTENDEDTRANSFER goes_on=False joined_to=1",
        "CallTransferred 3501 47999990016 incoming to=3502 attended=False",
        "CallAnswered 3502 47999990016 incoming",
        "CallEnded 3502 47999990016 incoming result=ANSWER goes_on=False",
    ]


def test_a_transfer_to_a_number_outside_that_was_asked_before() -> None:
    lines = told(
        *IN_TALK,
        "+2000 Hold A",
        "+2300 New A2(3/3) Ring num=3501 exten=047988880016 · New T2(4/3) Down num=<unknown> exten=s"
        " · Dial A2→T2 dest=047988880016",
        "+3000 Up T2 · DialEnd A2→T2 ANSWER · Up A2 · In b2:T2 · In b2:A2",
        "+4000 Out b1:T · Out b2:A2 · In b2:T swap=3",
        "+4001 AttendedTransfer Success orig=A second=A2 transferee=T target=T2 x · Hangup A2 16 · Hangup A 16",
        "+6000 Out b2:T · Out b2:T2 · Hangup T2 16 · Hangup T 16",
    )
    assert lines[3:] == [
        "CallStarted 3501 047988880016 outgoing",
        "CallAnswered 3501 047988880016 outgoing",
        "CallEnded 3501 047988880016 outgoing result=ATTENDEDTRANSFER goes_on=False joined_to=1",
        "CallTransferred 3501 47999990016 incoming to=047988880016 attended=True",
        "CallEnded - 47999990016 incoming result=ANSWER goes_on=False",
    ]


def test_who_called_a_colleague_hands_the_colleague_on() -> None:
    lines = told(
        "+0 New A(1/1) Ring num=3501 exten=3502 · New B(2/1) Down num=3502 exten=s · Dial A→B dest=3502 · Ringing B",
        "+1000 Up B · DialEnd A→B ANSWER · Up A · In b1:B · In b1:A",
        "+2000 BlindTransfer by A of B to 3503@from-internal ext=Yes Success · Out b1:A · Hangup A 16 · Out b1:B"
        " · New C(3/1) Down num=3503 exten=s · Dial B→C dest=3503 · Ringing C",
        "+3000 Up C · DialEnd B→C ANSWER · In b2:C · In b2:B",
        "+4000 Out b2:B · Out b2:C · Hangup C 16 · Hangup B 16",
    )
    assert lines == [
        "CallStarted 3502 3501 internal",
        "CallAnswered 3502 3501 internal",
        "CallStarted 3503 3501 internal",
        "CallAnswered 3503 3501 internal",
        "CallEnded 3503 3501 internal result=ANSWER goes_on=True",
        "CallEnded 3502 3501 internal result=ANSWER goes_on=False",
    ]


def test_a_transfer_that_comes_to_nothing_is_over_where_it_was() -> None:
    """To a number of the dialplan that calls nobody."""
    lines = told(
        *IN_TALK,
        "+2000 BlindTransfer by A of T to 999@from-internal ext=Yes Success · Out b1:A · Hangup A 16 · Out b1:T",
        "+9000 Hangup T 16",
    )
    assert lines[2:] == [
        "CallEnded 3501 47999990016 incoming result=BLINDTRANSFER goes_on=True",
        "CallEnded - 47999990016 incoming result=ANSWER goes_on=False",
    ]


def test_who_has_handed_a_call_on_is_not_in_it_again() -> None:
    """Though the channel lives on for seconds, and that it left the bridge was not heard."""
    lines = told(
        *IN_TALK,
        "+2000 New B(3/1) Down num=3502 exten=s · Dial T→B dest=3502 · Ringing B",
        "+3000 AttendedTransfer Success orig=A second=A transferee=T target=B x",
        "+4000 Up B · In b1:B",
        "+5000 Hangup A 16 · Hangup B 16 · Hangup T 16",
    )
    assert lines[2:] == [
        "CallStarted 3502 47999990016 incoming",
        "CallTransferred 3501 47999990016 incoming to=3502 attended=False",
        "CallAnswered 3502 47999990016 incoming",
        "CallEnded 3502 47999990016 incoming result=ANSWER goes_on=False",
    ]


def test_a_voicemail_is_known_without_the_rows_of_calls() -> None:
    """The caller is answered after the extension rang in vain, by nobody who can be seen."""
    events = [each for each in recorded("in_noanswer_voicemail") if each.block.event != "Cdr"]
    assert "result=VOICEMAIL" in shown(play(events)[-1])


def test_a_queue_that_answers_after_a_ring_is_no_voicemail() -> None:
    lines = told(
        "+0 New T(1/1) Ring num=N exten=4733330000 · New A(2/1) Down num=3501 exten=s · Dial T→A dest=3501 · Ringing A",
        "+9000 DialEnd T→A NOANSWER · Hangup A 0 · Up T · QueueCallerJoin T q=400 pos=1",
        "+20000 QueueCallerAbandon T q=400 hold=11 · QueueCallerLeave T q=400 · Hangup T 16",
    )
    assert lines[-1] == "CallEnded - 47999990016 incoming queue=400 result=NOANSWER goes_on=False"
