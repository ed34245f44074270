"""One exchange of two companies, each of which has a source of its own on it."""

import re
from dataclasses import replace

import pytest

from gateway.events.ami.endpoints import EndpointRules
from gateway.events.ami.interpreter import AmiInterpreter
from gateway.events.ami.resync import Snapshot
from gateway.events.ami.settings import InterpreterSettings
from gateway.events.ami.stream import AmiBlock, block_of
from tests.events.ami.playing import BASE, SETTINGS, Timed, play, shown

ACME, BETA = "acme", "beta"
NUMBERS = {ACME: "4733330000", BETA: "4733339000"}


def of(company: str, **more: object) -> InterpreterSettings:
    """Return the settings of a company: by default its calls are told by the number that is called."""
    rules = EndpointRules(re.compile(f"{company}-([0-9]+)"))
    return replace(SETTINGS, tenant=company, rules=rules, **({"lines": re.compile(NUMBERS[company])} | more))  # type: ignore[arg-type]


def channel(name: str, uniqueid: str, linkedid: str, exten: str, context: str, state: str = "4") -> dict[str, str]:
    number = name.split("-")[1] if name.startswith(("PJSIP/acme", "PJSIP/beta")) else "47999990016"
    about = {"Channel": name, "Uniqueid": uniqueid, "Linkedid": linkedid, "Exten": exten, "Context": context}
    return about | {"ChannelState": state, "CallerIDNum": number}


def event(kind: str, about: dict[str, str], **more: str) -> AmiBlock:
    return block_of(("Event", kind), *(about | more).items())


def dest(about: dict[str, str]) -> dict[str, str]:
    return {f"Dest{name}": value for name, value in about.items()}


def call_from_outside(line: str, phone: str, uniqueid: str = "1.1") -> list[AmiBlock]:
    """Return a call to ``line`` that rings at ``phone`` ("": at nobody's) and is given up."""
    trunk = channel("PJSIP/trunk-0000001b", uniqueid, uniqueid, line, "from-trunk")
    called = channel(f"PJSIP/{phone}-0000001a", f"{uniqueid}9", uniqueid, "s", "from-internal", "0")
    rings = [event("DialBegin", trunk | dest(called)), event("Newstate", called, ChannelState="5")] if phone else []
    ends = [event("Hangup", called, Cause="26")] if phone else []
    begins = [event("Newchannel", trunk), *([event("Newchannel", called)] if phone else [])]
    return [*begins, *rings, *ends, event("Hangup", trunk, Cause="16")]


def waiting(line: str, uniqueid: str = "2.1", context: str = "from-trunk") -> list[AmiBlock]:
    trunk = channel("PJSIP/trunk-0000001b", uniqueid, uniqueid, line, context)
    joins = event("QueueCallerJoin", trunk, Queue="400")
    return [event("Newchannel", trunk), joins, event("QueueCallerLeave", trunk), event("Hangup", trunk, Cause="16")]


def told(settings: InterpreterSettings, *blocks: AmiBlock) -> list[str]:
    interpreter = AmiInterpreter(settings)
    events = [Timed(block, place * 100) for place, block in enumerate(blocks)]
    return [shown(message).split(" ", 1)[1] for message in play(events, interpreter)]


def kinds(settings: InterpreterSettings, *blocks: AmiBlock) -> list[str]:
    return [line.split(" ")[0] for line in told(settings, *blocks)]


@pytest.mark.parametrize(("company", "other"), [(ACME, BETA), (BETA, ACME)])
def test_a_call_is_told_to_the_company_whose_phone_rings(company: str, other: str) -> None:
    blocks = call_from_outside(NUMBERS[company], f"{company}-201")
    assert kinds(of(company), *blocks) == ["CallStarted", "CallEnded"]
    assert told(of(company), *blocks)[0].startswith("CallStarted 201 47999990016 incoming")
    assert kinds(of(other), *blocks) == []


@pytest.mark.parametrize("blocks", [call_from_outside(NUMBERS[BETA], ""), waiting(NUMBERS[BETA])])
def test_what_reaches_nobody_is_told_to_the_company_whose_number_was_called(blocks: list[AmiBlock]) -> None:
    assert kinds(of(BETA), *blocks)[-1] == "CallEnded"
    assert kinds(of(ACME), *blocks) == []


def test_without_the_settings_everybody_would_see_it() -> None:
    """The control of the test above: it would fail."""
    assert kinds(of(ACME, lines=None), *call_from_outside(NUMBERS[BETA], "")) == ["CallEnded"]


def test_contexts_tell_whose_a_call_is() -> None:
    acme = of(ACME, lines=None, contexts=frozenset({"from-acme"}))
    assert kinds(acme, *waiting("s", context="from-acme")) == ["QueueEntered", "QueueLeft", "CallEnded"]
    assert kinds(acme, *waiting("s", context="from-beta")) == []


def test_a_line_that_the_exchange_names_later_tells_whose_a_call_is() -> None:
    trunk = channel("PJSIP/trunk-1", "1.1", "1.1", "s", "from-trunk")
    mobile = channel("PJSIP/trunk-2", "1.2", "1.1", "s", "from-internal", "0")
    named = event("DialBegin", trunk | dest(mobile), ChanVariable=f"FROM_DID={NUMBERS[ACME]}")
    blocks = [event("Newchannel", trunk), event("Newchannel", mobile), named, event("Hangup", mobile)]
    blocks.append(event("Hangup", trunk, Cause="16"))
    assert kinds(of(ACME), *blocks) == ["CallEnded"]
    assert kinds(of(BETA), *blocks) == []


def test_a_call_of_one_company_that_is_transferred_to_the_other_is_told_to_both() -> None:
    blocks = call_from_outside(NUMBERS[BETA], "acme-201")
    assert kinds(of(ACME), *blocks) == ["CallStarted", "CallEnded"]
    assert kinds(of(BETA), *blocks) == ["CallEnded"]


def test_a_call_between_the_companies_goes_out_here_and_comes_in_there() -> None:
    caller = channel("PJSIP/acme-201-1", "1.1", "1.1", "9201", "from-acme")
    called = channel("PJSIP/beta-201-2", "1.2", "1.1", "s", "from-beta", "0")
    begins = [event("Newchannel", caller), event("Newchannel", called)]
    rings = event("DialBegin", caller | dest(called), DestCallerIDNum="9201")
    blocks = [*begins, rings, event("Newstate", called, ChannelState="5"), event("Hangup", called, Cause="17")]
    blocks.append(event("Hangup", caller, Cause="17"))
    assert told(of(ACME), *blocks)[0] == "CallStarted 201 9201 outgoing"
    assert told(of(BETA), *blocks)[0].startswith("CallStarted 201 201 incoming")


def test_agents_of_the_other_company_are_not_told() -> None:
    pause = block_of(("Event", "QueueMemberPause"), ("Interface", "PJSIP/beta-201"), ("MemberName", "Bia"))
    assert kinds(of(BETA), pause) == ["AgentStateChanged"]
    assert kinds(of(ACME), pause) == []


def test_what_goes_on_when_the_exchange_is_heard_again_is_told_to_its_own_company() -> None:
    entry = channel("PJSIP/trunk-1", "1.1", "1.1", NUMBERS[BETA], "from-trunk")
    snapshot = Snapshot([event("CoreShowChannel", entry)], [event("QueueEntry", entry, Queue="400")], asked_at=BASE)
    for company, expected in ((BETA, 1), (ACME, 0)):
        assert len(AmiInterpreter(of(company)).resync(snapshot, BASE + 1000)) == expected
