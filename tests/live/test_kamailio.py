"""Click-to-call by a real exchange: gateway, Kamailio and SIPp phones, with nothing between them that is not real."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live.calls import fresh_number
from tests.live.conftest import LiveGateway, start_gateway
from tests.live.office import PASSWORD, Office, agent_ana, pasted
from tests.live.processes import logs_told
from tests.live.screen import screen_of
from tests.live.sid import in_sid
from tests.live.sip import Kamailio

CONFIG = """
[tenants.acme]
area_code = "47"
extensions = ["3500-3599"]
dial_plan = {{ prefix = "0" }}

[tenants.acme.appliances.kamailio]
preset = "kamailio"
host = "127.0.0.1"
port = {port}
domain = "127.0.0.1:{port}"
"""


@pytest.fixture(scope="module", params=["installed", "sid"])
def kamailio(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kamailio]:
    """The Kamailio of this machine, then the newer one of Debian sid."""
    command = in_sid("/usr/sbin/kamailio") if request.param == "sid" else []
    exchange = Kamailio(tmp_path_factory.mktemp("kamailio"), command)
    yield exchange
    exchange.stop()


@pytest.fixture(scope="module")
def office(kamailio: Kamailio, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    gateway = configured_gateway(tmp_path_factory.mktemp("office"), kamailio)
    kamailio.configure(pasted(gateway, "kamailio"))
    try:
        with logs_told(kamailio.folder):
            kamailio.start()
        with screen_of(gateway, "ana", PASSWORD) as screen:
            yield Office(gateway, screen)
    finally:
        gateway.stop()


def configured_gateway(folder: Path, kamailio: Kamailio) -> LiveGateway:
    config = folder / "gateway.toml"
    config.write_text(CONFIG.format(port=kamailio.port))
    gateway = start_gateway(folder / "data", config=config)
    agent_ana(gateway)
    return gateway


def test_a_click_rings_the_phone_which_calls_the_number_and_the_log_has_that_one_call(
    office: Office, kamailio: Kamailio
) -> None:
    number = fresh_number()
    with logs_told(kamailio.folder):
        phone, carrier = kamailio.phone("phone"), kamailio.carrier("answers")
        status, order = office.click(number)
        assert (status, order["outcome"]) == (200, "accepted")
        popped = office.told("call_started", number)
        phone.ends()
        carrier.ends()
        ended = office.told("call_ended", number)
        assert (popped["call_id"], ended["call_id"]) == (order["id"], order["id"])
        kinds = office.screen.of_call(order["id"])
        assert kinds.count("order_settled") == 1
        assert [kind for kind in kinds if kind != "order_settled"] == [
            *("order_placed", "call_started", "call_answered", "call_ended")
        ]
        (call,) = office.calls(number)
        assert (call["id"], call["extension"], call["number"]) == (order["id"], "3501", number)
        assert (call["direction"], call["status"], call["appliance"]) == ("outgoing", "ended", "kamailio")
        assert 1 <= call["duration_s"] <= 4


def test_a_destination_that_is_busy_ends_the_call_in_the_log(office: Office, kamailio: Kamailio) -> None:
    number = fresh_number()
    with logs_told(kamailio.folder):
        phone, carrier = kamailio.phone("phone"), kamailio.carrier("refuses")
        _, order = office.click(number)
        assert office.told("call_ended", number)["call_id"] == order["id"]
        phone.ends()
        carrier.ends()
        (call,) = office.calls(number)
        assert (call["id"], call["status"], call["duration_s"]) == (order["id"], "ended", 0)
        assert call["result"] == "busy"


def test_a_phone_that_refuses_ends_the_call_in_the_log(office: Office, kamailio: Kamailio) -> None:
    """Kamailio says yes before it rings anybody; that nobody took the call is told by its event route."""
    number = fresh_number()
    with logs_told(kamailio.folder):
        phone = kamailio.phone("refuses")
        status, order = office.click(number)
        assert (status, order["outcome"]) == (200, "accepted")
        phone.ends()
        assert office.told("call_ended", number)["call_id"] == order["id"]
        (call,) = office.calls(number)
        assert (call["id"], call["status"], call["duration_s"]) == (order["id"], "ended", 0)
        assert "call_started" not in office.screen.of_call(order["id"])


def test_a_call_from_outside_pops_up_while_it_rings(office: Office, kamailio: Kamailio) -> None:
    number = fresh_number()
    with logs_told(kamailio.folder):
        phone = kamailio.phone("answers")
        caller = kamailio.carrier("calls", "-s", "3501", "-set", "number", f"0{number}")
        popped = office.told("call_started", number)
        assert (popped["direction"], popped["status"]) == ("incoming", "ringing")
        assert office.told("call_ended", number)["call_id"] == popped["call_id"]
        caller.ends()
        phone.ends()
        (call,) = office.calls(number)
        assert (call["status"], call["result"], call["answered_by"]) == ("ended", "answered", "3501")


def test_a_kamailio_that_is_down_is_unreachable(office: Office, kamailio: Kamailio) -> None:
    number = fresh_number()
    kamailio.stop()
    try:
        status, order = office.click(number)
        assert (status, order["outcome"]) == (503, "unreachable")
        assert office.told("order_settled", number)["outcome"] == "unreachable"
        (call,) = office.calls(number)
        assert (call["id"], call["status"]) == (order["id"], "unreachable")
    finally:
        with logs_told(kamailio.folder):
            kamailio.start()
