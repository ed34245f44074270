"""Calls that a click-to-call placed: the exchange's call is the order's, by the id of its channel."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, cast

import pytest

from gateway.adapter import Delivery, Outcome
from gateway.domain.messages import Origin, PlaceCall
from gateway.domain.numbering.numbers import Extensions, NumberPlan, read
from gateway.domain.tenant import Tenant
from gateway.events.ami.interpreter import AmiInterpreter
from gateway.events.ami.stream import AmiBlock
from gateway.handlers import Core
from gateway.store.calls import CallLog, LoggedCall
from gateway.store.writing.drafts import OrderDraft, Settlement
from gateway.store.writing.journal import Journal
from tests.events.ami.playing import BASE, SETTINGS, Timed, play, recorded, shown
from tests.migrated import migrated_database

PLAN = NumberPlan("47", Extensions.parse(["3500-3599"]))
NUMBER = "47999990016"


class Office:
    """A company whose extension 3501 has ordered a call."""

    def __init__(self, tmp_path: Any) -> None:
        self.database = migrated_database(tmp_path)
        self.journal = Journal(self.database)
        self.journal.start()
        self.core = Core({"acme": Tenant("acme", PLAN)}, self.journal, cast(Any, None))

    def order(self, number: str = NUMBER) -> int:
        message = PlaceCall("acme", "3501", number, Origin("desk", "127.0.0.1"), BASE - 600_000)
        placed = self.journal.write(OrderDraft(message, "3501", "pbx", "0" + number, read(number, PLAN)))
        assert placed.order_id is not None
        settled = Settlement("acme", placed.order_id, Delivery(Outcome.ACCEPTED, "ok"), BASE - 600_000)
        self.journal.write(settled)
        return placed.order_id

    def calls(self) -> list[LoggedCall]:
        return sorted(CallLog(self.database.engine).recent("acme"), key=lambda call: call.id)


@pytest.fixture
def office(tmp_path: Any) -> Iterator[Office]:
    office = Office(tmp_path)
    yield office
    office.journal.stop()
    office.database.close()


def ordered(name: str, former: str, channel: str) -> list[Timed]:
    """A recording in which the ordered channel has the id that our adapters give it."""
    return [replace(each, block=renamed(each.block, former, channel)) for each in recorded(name)]


def renamed(block: AmiBlock, former: str, channel: str) -> AmiBlock:
    return AmiBlock(
        {name: [value.replace(former, channel) for value in values] for name, values in block.lines.items()}
    )


def tell(office: Office, events: list[Timed]) -> None:
    for message in play(events, AmiInterpreter(SETTINGS)):
        office.core.handle(message)


@pytest.mark.parametrize(("name", "former"), [("originate_ext", "cti-77-1"), ("originate_local", "cti-78")])
def test_the_orders_call_and_the_exchanges_are_one(office: Office, name: str, former: str) -> None:
    """Also ten minutes later, and whatever number the exchange tells."""
    order_id = office.order()
    tell(office, ordered(name, former, f"gw-acme-{order_id}"))
    (call,) = office.calls()
    assert (call.extension, call.number, call.status, call.result) == ("3501", NUMBER, "ended", "answered")
    assert call.talk_s == 2
    assert call.call_ref == f"gw-acme-{order_id}"


def test_the_agents_phone_is_no_incoming_call() -> None:
    told = play(ordered("originate_ext", "cti-77-1", "gw-acme-1"))
    assert shown(told[0]).split(" ", 1)[1] == "CallStarted 3501 047999990016 outgoing"


def test_an_extension_that_does_not_answer_ends_the_order(office: Office) -> None:
    order_id = office.order()
    tell(office, ordered("originate_noagent", "cti-79-1", f"gw-acme-{order_id}"))
    (call,) = office.calls()
    assert (call.extension, call.number, call.status, call.result) == ("3501", NUMBER, "ended", "missed")
    assert not call.missed


def test_an_extension_that_is_not_there_ends_the_order(office: Office) -> None:
    order_id = office.order()
    tell(office, ordered("originate_offline", "cti-90-3505", f"gw-acme-{order_id}"))
    (call,) = office.calls()
    assert (call.status, call.result) == ("ended", "failed")


def test_a_customer_who_is_busy_ends_the_order(office: Office) -> None:
    order_id = office.order()
    tell(office, ordered("originate_busy", "cti-80-1", f"gw-acme-{order_id}"))
    (call,) = office.calls()
    assert (call.status, call.result, call.cause) == ("ended", "busy", "17")


def test_what_another_program_orders_in_vain_is_no_call() -> None:
    assert play(recorded("originate_noagent")) == []
    assert play(recorded("originate_offline")) == []


def test_another_companys_order_is_another_call(office: Office) -> None:
    """One exchange may serve two companies."""
    office.order("4732109999")
    tell(office, ordered("originate_ext", "cti-77-1", "gw-other-1"))
    assert [call.number for call in office.calls()] == ["4732109999", NUMBER]
