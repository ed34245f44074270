"""The events of a real Asterisk by its manager interface, with SIP phones: what each screen showed when, and the log.

No line of its dialplan knows of the gateway: a user of manager.conf is all.
"""

import re
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import pytest
from pydantic import TypeAdapter

from adapters.ami.event_source import AmiEventSource
from adapters.ami.source_settings import AmiSourceConfig
from gateway.texts.rendering import render
from tests.events.compliance import SECRET
from tests.events.reports import attempt, place
from tests.live.calls import fresh_number, the_call
from tests.live.conftest import LiveGateway
from tests.live.exchange import PHONES, SipExchange
from tests.live.hearing import start_hearing
from tests.live.processes import logs_told, until
from tests.live.screen import Screen, screen_of
from tests.test_docs import PAGES

PASSWORD = "uma-senha-longa"
DIRECT, SHORT, GROUP = "4733330001", "4733330002", "4733330600"
QUEUE, PATIENT, IMPATIENT = "4733330400", "4733330401", "4733330402"


def manager_user() -> str:
    """The user of manager.conf that the documentation has people paste."""
    pasted = PAGES["sources"].partition("```ini\n")[2].partition("```")[0]
    assert "[cti]" in pasted
    return pasted.replace("192.0.2.10/255.255.255.255", "127.0.0.1/255.255.255.255").replace(
        "secret=SEGREDO", f"secret={SECRET}"
    )


@dataclass
class Telephones:
    """A gateway that hears the exchange, and the screens of three people."""

    gateway: LiveGateway
    exchange: SipExchange
    screens: dict[str, Screen] = field(default_factory=dict)

    def seen(self, extension: str, number: str) -> list[str]:
        """What the screen of ``extension`` was told of ``number`` so far, in order."""
        return [event["kind"] for event in self.screens[extension].told if event.get("number") == number]

    def event(self, extension: str, kind: str, number: str) -> dict[str, Any]:
        """The event of ``kind`` on that screen, once it is there."""
        until(lambda: kind in self.seen(extension, number), f"{kind} of {number} at {extension}")
        told = self.screens[extension].told
        return next(event for event in told if (event["kind"], event.get("number")) == (kind, number))

    def call(self, number: str) -> dict[str, Any]:
        """The one call of ``number`` in the log, when it is over."""
        until(lambda: self._call(number) is not None, f"the call of {number} is over")
        return the_call(self.gateway, number)

    def _call(self, number: str) -> dict[str, Any] | None:
        found = the_call(self.gateway, number)
        return found if found["status"] == "ended" else None


@pytest.fixture(scope="module")
def telephones(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Telephones]:
    exchange = SipExchange(tmp_path_factory.mktemp("asterisk"))
    exchange.configure(manager_user())
    with ExitStack() as ends, logs_told(exchange.folder):
        ends.callback(exchange.stop)
        exchange.start()
        gateway = start_hearing(tmp_path_factory.mktemp("office"), exchange.ami_port)
        ends.callback(gateway.stop)
        made = Telephones(gateway, exchange)
        for extension in PHONES:
            login = ("agent", "add", f"a{extension}", "--extension", extension, "--name", extension)
            gateway.cli(*login, "--password-stdin", stdin=f"{PASSWORD}\n")
            made.screens[extension] = ends.enter_context(screen_of(gateway, f"a{extension}", PASSWORD))
        until(lambda: "source_connected" in gateway.log.read_text(), "the gateway hears the exchange")
        yield made


def test_an_incoming_call_pops_while_it_rings_and_is_logged_whole(telephones: Telephones) -> None:
    number, exchange = fresh_number(), telephones.exchange
    with logs_told(exchange.folder):
        phone = exchange.phone("3501", "answers")
        caller = exchange.call_in(number, DIRECT)
        popped = telephones.event("3501", "call_started", number)
        assert (popped["direction"], popped["status"], popped["extension"]) == ("incoming", "ringing", "3501")
        # The phone rings for a second before it answers: the card was there before.
        assert "call_answered" not in telephones.seen("3501", number)
        telephones.event("3501", "call_answered", number)
        caller.ends()
        phone.ends()
        call = telephones.call(number)
        assert (call["id"], call["result"], call["answered_by"]) == (popped["call_id"], "answered", "3501")
        assert (call["line"], call["missed"], call["hung_up_by"]) == (DIRECT, False, "caller")
        assert 1 <= call["duration_s"] <= 3
        assert telephones.seen("3501", number) == ["call_started", "call_answered", "call_ended"]
        assert telephones.seen("3502", number) == []


def test_a_ring_group_rings_on_all_screens_and_is_taken_by_one(telephones: Telephones) -> None:
    number, exchange = fresh_number(), telephones.exchange
    with logs_told(exchange.folder):
        taker, other = exchange.phone("3501", "answers"), exchange.phone("3502", "rings")
        caller = exchange.call_in(number, GROUP, pause_ms=2500)
        ids = {telephones.event(extension, "call_started", number)["call_id"] for extension in ("3501", "3502")}
        assert len(ids) == 1
        telephones.event("3501", "call_answered", number)
        # The other screen's card goes when the call is taken, not at its end.
        until(lambda: len(telephones.seen("3502", number)) > 1, "the other screen's card goes")
        assert caller.process.poll() is None
        for phone in (caller, taker, other):
            phone.ends()
        call = telephones.call(number)
        assert (call["result"], call["answered_by"], call["missed"]) == ("answered", "3501", False)
        assert sorted(leg["extension"] for leg in call["legs"]) == ["3501", "3502"]


def test_a_queue_is_told_with_its_wait(telephones: Telephones) -> None:
    number, exchange = fresh_number(), telephones.exchange
    with logs_told(exchange.folder):
        busy, taker = exchange.phone("3501", "rings"), exchange.phone("3502", "answers")
        caller = exchange.call_in(number, QUEUE, pause_ms=2500)
        telephones.event("3502", "call_started", number)
        telephones.event("3502", "call_answered", number)
        for phone in (caller, taker, busy):
            phone.ends()
        call = telephones.call(number)
        assert (call["queue"], call["answered_by"], call["result"]) == ("400", "3502", "answered")
        assert call["waited_s"] is not None
        assert call["waited_s"] >= 1


def test_a_caller_who_waits_in_vain_gave_up_or_was_given_up(telephones: Telephones) -> None:
    """In a queue; Asterisk sends the same event of both."""
    exchange = telephones.exchange
    for line, result in ((PATIENT, "abandoned"), (IMPATIENT, "missed")):
        number = fresh_number()
        with logs_told(exchange.folder):
            phones = [exchange.phone(extension, "rings") for extension in ("3501", "3502")]
            caller = exchange.call_in(number, line, pause_ms=4000)
            telephones.event("3502", "call_started", number)
            for phone in (caller, *phones):
                phone.ends()
            call = telephones.call(number)
            assert (call["result"], call["missed"], call["queue"], call["answered_by"]) == (result, True, "400", None)
            assert call["waited_s"] >= 1


def test_a_blind_transfer_goes_on_at_the_other_screen(telephones: Telephones) -> None:
    number, exchange = fresh_number(), telephones.exchange
    with logs_told(exchange.folder):
        first, second = exchange.phone("3501", "answers"), exchange.phone("3503", "answers")
        caller = exchange.call_in(number, DIRECT, pause_ms=4000)
        telephones.event("3501", "call_answered", number)
        time.sleep(0.3)  # people speak first
        exchange.transfer("3501", "3503")
        telephones.event("3503", "call_answered", number)
        for phone in (caller, first, second):
            phone.ends()
        call = telephones.call(number)
        assert [leg["extension"] for leg in call["legs"]] == ["3501", "3503"]
        assert (call["transfer"], call["result"]) == ("blind", "answered")
        assert call["transferred_to"] == "3503"


def test_a_phone_that_refers_its_caller_is_a_blind_transfer(telephones: Telephones) -> None:
    """By SIP's REFER, as the transfer button of a telephone does it; the exchange was asked nothing."""
    number, exchange = fresh_number(), telephones.exchange
    with logs_told(exchange.folder):
        first, second = exchange.phone("3501", "refers", to="3503"), exchange.phone("3503", "answers")
        caller = exchange.call_in(number, DIRECT, pause_ms=4000)
        telephones.event("3501", "call_answered", number)
        popped = telephones.event("3503", "call_started", number)
        telephones.event("3503", "call_answered", number)
        for phone in (caller, first, second):
            phone.ends()
        call = telephones.call(number)
        assert call["id"] == popped["call_id"]
        assert [(leg["extension"], leg["transfer"]) for leg in call["legs"]] == [("3501", "blind"), ("3503", None)]
        assert (call["transfer"], call["transferred_to"], call["result"]) == ("blind", "3503", "answered")


def test_a_busy_phone_is_a_busy_call(telephones: Telephones) -> None:
    number, exchange = fresh_number(), telephones.exchange
    with logs_told(exchange.folder):
        phone = exchange.phone("3501", "busy")
        caller = exchange.call_in(number, DIRECT, scenario="is_refused")
        for each in (caller, phone):
            each.ends()
        call = telephones.call(number)
        assert (call["result"], call["answered_by"]) == ("busy", None)


def test_a_call_that_nobody_answers_is_missed(telephones: Telephones) -> None:
    number, exchange = fresh_number(), telephones.exchange
    with logs_told(exchange.folder):
        phone = exchange.phone("3501", "rings")
        caller = exchange.call_in(number, SHORT, scenario="is_refused")
        telephones.event("3501", "call_started", number)
        telephones.event("3501", "call_ended", number)
        for each in (caller, phone):
            each.ends()
        call = telephones.call(number)
        assert (call["result"], call["missed"], call["answered_at"]) == ("missed", True, None)


def test_a_caller_who_gives_up_is_missed(telephones: Telephones) -> None:
    number, exchange = fresh_number(), telephones.exchange
    with logs_told(exchange.folder):
        phone = exchange.phone("3501", "rings")
        caller = exchange.call_in(number, DIRECT, scenario="gives_up")
        telephones.event("3501", "call_started", number)
        for each in (caller, phone):
            each.ends()
        call = telephones.call(number)
        assert (call["missed"], call["answered_at"], call["hung_up_by"]) == (True, None, "caller")


def test_it_is_heard_over_tls(telephones: Telephones) -> None:
    """A certificate that nobody vouches for: it is refused with what to pin, then pinned."""
    exchange, login = telephones.exchange, {"username": "cti", "secret": SECRET}

    def source(**more: Any) -> AmiEventSource:
        table = {"host": "127.0.0.1", "port": exchange.tls_port, "tls": True, **login, **more}
        return AmiEventSource(TypeAdapter(AmiSourceConfig).validate_python(table), place("ami"))

    refused = render(source().probe().text, "en")
    pin = re.search(r"sha256:[0-9A-Fa-f:]{64,95}", refused)
    assert pin, refused
    assert not source(tls_pin="sha256:" + "0" * 64).probe().ok
    with attempt(source(tls_pin=pin[0], ping_every_s=0.5)) as made:
        until(lambda: made.report.connections == 1, "it is heard")
        until(lambda: b"Ping: Pong" in made.report.heard_bytes, "the exchange answers")


def test_the_source_is_shown_as_heard_with_its_last_event(telephones: Telephones) -> None:
    told = telephones.gateway.cli("check")
    assert "speaks AMI and accepted the login" in told or "fala AMI" in told
    assert "/acme" not in told
