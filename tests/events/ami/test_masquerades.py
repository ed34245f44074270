"""Channels that take each other's place in Asterisk 11 and before; none of this was run.

The order and the fields are those of recordings that others published with their programs; names and numbers are ours.
"""

import pytest

from gateway.events.ami.stream import AmiBlock, block_of
from tests.events.ami.older import RING, RINGING, UP, OldChannel, told

CUSTOMER, LINE = "47999990016", "4733330000"
OURS = f"{CUSTOMER} incoming line={LINE}"


class Office11:
    """A call from outside that extension 3501 has taken, through a wire that is shortened when it speaks."""

    def __init__(self) -> None:
        self.trunk = OldChannel("SIP/carrier-01", "a.10", CUSTOMER)
        self.phone = OldChannel("SIP/3501-02", "a.13")
        self.second = OldChannel("SIP/3501-03", "a.14", "3501")
        self.other = OldChannel("SIP/3502-04", "a.15", "3502")
        self.near, self.far = (OldChannel(f"Local/3501@office-07;{half}", f"a.1{half}") for half in "12")

    def comes(self) -> list[AmiBlock]:
        """Nobody answers yet: the caller's channel is *Down* at first, and of the wire nothing says whose it is."""
        trunk, near, far, phone = self.trunk, self.near, self.far, self.phone
        begins = [trunk.begins(LINE), trunk.is_now(RING), near.begins("3501"), far.begins("3501", RING)]
        rings = [phone.begins(), far.dials(phone, "3501"), phone.is_now(RINGING)]
        return [*begins, trunk.dials(near, "3501@office"), *rings]

    def taken(self) -> list[AmiBlock]:
        trunk, near, far, phone = self.trunk, self.near, self.far, self.phone
        up = [phone.is_now(UP), near.is_now(UP), trunk.is_now(UP)]
        up += [far.links(phone), trunk.links(near)]
        shortened = [*near.takes_over(phone), far.links(phone, "Unlink"), phone.hangs_up(), far.hangs_up()]
        self.phone = near  # the wire's half has the phone now
        return [*self.comes(), *up, *shortened]

    def consults(self, *, answered: bool = True) -> list[AmiBlock]:
        second, other = self.second, self.other
        begins = [second.begins("3502"), second.is_now(RING), other.begins(), second.dials(other, "3502")]
        up = [other.is_now(UP), second.is_now(UP), second.links(other)] if answered else []
        return [*begins, other.is_now(RINGING), *up]

    def joined(self, state: str = UP) -> list[AmiBlock]:
        trunk, second = self.trunk, self.second
        joined = [self.phone.transfers("Attended", second), *second.takes_over(trunk, state)]
        return [*joined, trunk.links(self.phone, "Unlink"), self.phone.hangs_up(), trunk.hangs_up()]


@pytest.fixture
def office() -> Office11:
    return Office11()


def test_a_call_through_a_wire_that_is_shortened(office: Office11) -> None:
    blocks = [*office.taken(), office.phone.hangs_up(), office.trunk.hangs_up()]
    assert told(*blocks) == [
        f"CallStarted 3501 {OURS}",
        f"CallAnswered 3501 {OURS}",
        f"CallEnded 3501 {OURS} result=ANSWER goes_on=False",
    ]


def test_an_attended_transfer(office: Office11) -> None:
    blocks = [*office.taken(), *office.consults(), *office.joined()]
    blocks += [office.other.hangs_up(), office.second.hangs_up()]
    assert told(*blocks)[2:] == [
        "CallStarted 3502 3501 internal",
        "CallAnswered 3502 3501 internal",
        "CallEnded 3502 3501 internal result=ATTENDEDTRANSFER goes_on=False joined_to=a.10",
        f"CallTransferred 3501 {OURS} to=3502 attended=True",
        f"CallEnded 3502 {OURS} result=ANSWER goes_on=False",
    ]


def test_a_transfer_while_the_colleagues_phone_rings(office: Office11) -> None:
    blocks = [*office.taken(), *office.consults(answered=False), *office.joined(RING)]
    blocks += [office.other.is_now(UP), office.second.links(office.other)]
    assert told(*blocks, office.other.hangs_up(), office.second.hangs_up())[3:] == [
        "CallEnded 3502 3501 internal result=ATTENDEDTRANSFER goes_on=False joined_to=a.10",
        f"CallTransferred 3501 {OURS} to=3502 attended=False",
        f"CallAnswered 3502 {OURS}",
        f"CallEnded 3502 {OURS} result=ANSWER goes_on=False",
    ]


def test_a_blind_transfer(office: Office11) -> None:
    trunk, other = office.trunk, office.other
    blocks = [*office.taken(), office.phone.transfers("Blind", trunk, TransferExten="3502"), office.phone.hangs_up()]
    blocks += [other.begins(), trunk.dials(other, "3502"), other.is_now(RINGING), other.is_now(UP), trunk.links(other)]
    assert told(*blocks, other.hangs_up(), trunk.hangs_up())[2:] == [
        f"CallTransferred 3501 {OURS} to=3502 attended=False",
        f"CallAnswered 3502 {OURS}",
        f"CallEnded 3502 {OURS} result=ANSWER goes_on=False",
    ]


def test_the_called_side_is_transferred_by_a_channel_of_its_own() -> None:
    """It has no dialplan that could go on with it, so a new channel gets its party."""
    phone, trunk = OldChannel("SIP/3501-01", "b.1", "3501"), OldChannel("SIP/carrier-02", "b.2")
    goes_on, other = OldChannel("AsyncGoto/SIP/carrier-02", "b.3"), OldChannel("SIP/3502-03", "b.4")
    blocks = [phone.begins(CUSTOMER), phone.is_now(RING), trunk.begins(), phone.dials(trunk, f"carrier/{CUSTOMER}")]
    blocks += [trunk.is_now(UP), phone.is_now(UP), phone.links(trunk)]
    blocks += [goes_on.begins("3502", UP), *goes_on.takes_over(trunk), phone.transfers("Blind", trunk)]
    blocks += [phone.links(trunk, "Unlink")]
    blocks += [trunk.hangs_up(), phone.hangs_up(), other.begins(), goes_on.dials(other, "3502")]
    blocks += [other.is_now(RINGING), other.is_now(UP), goes_on.links(other), other.hangs_up(), goes_on.hangs_up()]
    assert told(*blocks) == [
        f"CallStarted 3501 {CUSTOMER} outgoing",
        f"CallAnswered 3501 {CUSTOMER} outgoing",
        f"CallTransferred 3501 {CUSTOMER} outgoing to=3502 attended=False",
        f"CallAnswered 3502 {CUSTOMER} outgoing",
        f"CallEnded 3502 {CUSTOMER} outgoing result=ANSWER goes_on=False",
    ]


def test_a_call_that_a_colleague_picks_up(office: Office11) -> None:
    picker = OldChannel("SIP/3503-09", "a.19", "3503")
    picks = [picker.begins("*8"), picker.is_now(RING), picker.is_now(UP)]
    rang = office.phone
    taken = [office.far.links(rang), office.trunk.is_now(UP), office.trunk.links(office.near)]
    blocks = [*office.comes(), *picks, *rang.takes_over(picker), picker.hangs_up("42"), *taken]
    blocks += [rang.hangs_up(), office.near.hangs_up(), office.far.hangs_up(), office.trunk.hangs_up()]
    lines = told(*blocks)
    assert lines[0] == f"CallStarted 3501 {OURS}"
    assert f"CallAnswered 3503 {OURS}" in lines
    assert lines[-1] == f"CallEnded 3503 {OURS} result=ANSWER goes_on=False"
    assert not [line for line in lines if "3503 *8" in line or "internal" in line]


def test_a_caller_is_no_order_because_its_channel_begins_down(office: Office11) -> None:
    """An ordered call has its first extension called without a card."""
    assert told(*office.comes())[0] == f"CallStarted 3501 {OURS}"


def test_a_channel_that_nobody_knows_takes_no_place(office: Office11) -> None:
    stranger = block_of(("Event", "Masquerade"), ("Original", "SIP/x-1"), ("Clone", office.trunk.name))
    assert told(*office.comes(), stranger)[0] == f"CallStarted 3501 {OURS}"


def test_the_words_of_1_4() -> None:
    """States by name, another name for who dials, and no part of an event that says *begins*."""
    names = {"Source": "SIP/carrier-1", "SrcUniqueID": "c.1", "Destination": "SIP/3501-2", "DestUniqueID": "c.2"}
    trunk, phone = OldChannel("SIP/carrier-1", "c.1", CUSTOMER), OldChannel("SIP/3501-2", "c.2")
    begins = [trunk.event("Newchannel", State="Ring", Exten=LINE), phone.event("Newchannel", State="Down")]
    rings = [block_of(("Event", "Dial"), *names.items()), phone.event("Newstate", State="Ringing")]
    assert told(*begins, *rings)[0] == f"CallStarted 3501 {OURS}"
