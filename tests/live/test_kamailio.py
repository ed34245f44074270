"""Click-to-call by a real exchange: gateway, Kamailio and SIPp phones, with nothing between them that is not real."""

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.live.calls import fresh_number
from tests.live.conftest import LiveGateway, free_port, start_gateway
from tests.live.screen import Screen, basic, screen_of
from tests.live.sip import SCENARIOS, Kamailio, logs_told, until

PASSWORD = "segredo-da-ana"
CONFIG = """
[tenants.acme]
area_code = "47"
extensions = ["3500-3599"]
dial_plan = {{ prefix = "0" }}

[tenants.acme.appliances.kamailio]
adapter = "xmlrpc"
url = "{url}"
method = "dlg.bridge_dlg"
params = ["sip:{{{{ extension }}}}@127.0.0.1:{port}", "sip:{{{{ number }}}}@127.0.0.1:{port}"]
success = "^$"    # a refusal by the script comes as 1, everything else as an empty value
"""


@dataclass
class Office:
    """A gateway, its exchange, and the screen of Ana at extension 3501."""

    gateway: LiveGateway
    kamailio: Kamailio
    screen: Screen

    def click(self, number: str) -> tuple[int, dict[str, Any]]:
        """Status and answer of a click-to-call from extension 3501."""
        address = f"{self.gateway.url}/click-to-call?origem=3501&destino={number}"
        request = urllib.request.Request(address, headers={"Accept": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as refused:
            return refused.code, json.load(refused)

    def calls(self, number: str) -> list[dict[str, Any]]:
        """All calls with ``number`` in the log."""
        request = urllib.request.Request(f"{self.gateway.url}/api/calls", headers=basic("ana", PASSWORD))
        with urllib.request.urlopen(request, timeout=20) as answer:
            return [call for call in json.load(answer)["calls"] if number in call["number"]]

    def told(self, kind: str, number: str) -> dict[str, Any]:
        """The first event of ``kind`` about ``number`` on the screen, once it is there."""
        found: list[dict[str, Any]] = []

        def arrived() -> bool:
            found[:] = [event for event in self.screen.told if (event["kind"], event.get("number")) == (kind, number)]
            return bool(found)

        until(arrived, f"{kind} of {number} on the screen")
        return found[0]


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    folder = tmp_path_factory.mktemp("kamailio")
    kamailio = Kamailio(folder)
    gateway = configured_gateway(tmp_path_factory.mktemp("office"), kamailio)
    events = (SCENARIOS / "cti-events.cfg").read_text()
    kamailio.configure(events.replace("ADDRESS", gateway.url))
    try:
        with logs_told(kamailio):
            kamailio.start()
        with screen_of(gateway, "ana", PASSWORD) as screen:
            yield Office(gateway, kamailio, screen)
    finally:
        kamailio.stop()
        gateway.stop()


def configured_gateway(folder: Path, kamailio: Kamailio) -> LiveGateway:
    config = folder / "gateway.toml"
    config.write_text(CONFIG.format(url=kamailio.url, port=kamailio.port))
    gateway = start_gateway(folder / "data", config=config, port=free_port())
    ana = ("ana", "--extension", "3501", "--name", "Ana Martins", "--password-stdin")
    gateway.cli("agent", "add", *ana, stdin=f"{PASSWORD}\n")
    return gateway


def test_a_click_rings_the_phone_which_calls_the_number_and_the_log_has_that_one_call(office: Office) -> None:
    number = fresh_number()
    with logs_told(office.kamailio):
        phone, carrier = office.kamailio.phone("phone"), office.kamailio.carrier("answers")
        status, order = office.click(number)
        assert (status, order["outcome"]) == (200, "accepted")
        popped = office.told("call_started", number)
        phone.ends()
        carrier.ends()
        ended = office.told("call_ended", number)
        assert (popped["call_id"], ended["call_id"]) == (order["id"], order["id"])
        kinds = office.screen.of_call(order["id"])
        assert kinds.count("order_settled") == 1
        assert [kind for kind in kinds if kind != "order_settled"] == ["order_placed", "call_started", "call_ended"]
        (call,) = office.calls(number)
        assert (call["id"], call["extension"], call["number"]) == (order["id"], "3501", number)
        assert (call["direction"], call["status"], call["appliance"]) == ("outgoing", "ended", "kamailio")
        assert 1 <= call["duration_s"] <= 4


def test_a_destination_that_is_busy_ends_the_call_in_the_log(office: Office) -> None:
    number = fresh_number()
    with logs_told(office.kamailio):
        phone, carrier = office.kamailio.phone("phone"), office.kamailio.carrier("refuses")
        _, order = office.click(number)
        assert office.told("call_ended", number)["call_id"] == order["id"]
        phone.ends()
        carrier.ends()
        (call,) = office.calls(number)
        assert (call["id"], call["status"], call["duration_s"]) == (order["id"], "ended", 0)


def test_a_phone_that_refuses_leaves_an_order_that_was_accepted_and_no_more(office: Office) -> None:
    """Kamailio says yes before it rings anybody, and never says that nobody took the call."""
    number = fresh_number()
    with logs_told(office.kamailio):
        phone = office.kamailio.phone("refuses")
        status, order = office.click(number)
        phone.ends()
        assert (status, order["outcome"]) == (200, "accepted")
        (call,) = office.calls(number)
        assert (call["id"], call["status"], call["ended_at"]) == (order["id"], "accepted", None)
        assert {"call_started", "call_ended"}.isdisjoint(office.screen.of_call(order["id"]))


def test_a_call_from_outside_pops_up_while_it_rings(office: Office) -> None:
    number = fresh_number()
    with logs_told(office.kamailio):
        phone = office.kamailio.phone("answers")
        caller = office.kamailio.carrier("calls", "-s", "3501", "-set", "number", f"0{number}")
        popped = office.told("call_started", number)
        assert (popped["direction"], popped["status"]) == ("incoming", "ringing")
        assert office.told("call_ended", number)["call_id"] == popped["call_id"]
        caller.ends()
        phone.ends()
        assert [call["status"] for call in office.calls(number)] == ["ended"]


def test_a_kamailio_that_is_down_is_unreachable(office: Office) -> None:
    number = fresh_number()
    office.kamailio.stop()
    try:
        status, order = office.click(number)
        assert (status, order["outcome"]) == (503, "unreachable")
        (call,) = office.calls(number)
        assert (call["id"], call["status"]) == (order["id"], "unreachable")
    finally:
        with logs_told(office.kamailio):
            office.kamailio.start()
