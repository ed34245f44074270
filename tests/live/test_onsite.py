"""A gateway on site: what its exchanges tell arrives once and in order, orders go down once, whoever dies when."""

import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.live.conftest import start_gateway
from tests.live.groups import kill_group
from tests.live.onsite_office import WAIT_S, OnsiteOffice, Wire, onsite_office
from tests.live.processes import until
from tests.peers import need


@pytest.fixture(scope="module")
def wire_and_office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Wire, OnsiteOffice]]:
    folder = tmp_path_factory.mktemp("onsite")
    with onsite_office(folder, workers=2, timeout_s=4) as made, closing(Wire(made.main.port)) as wire:
        made.url = f"http://127.0.0.1:{wire.port}"
        made.add_site()
        made.start_site()
        made.wait_heard()
        yield wire, made


@pytest.fixture
def wire(wire_and_office: tuple[Wire, OnsiteOffice]) -> Wire:
    return wire_and_office[0]


@pytest.fixture
def office(wire_and_office: tuple[Wire, OnsiteOffice]) -> OnsiteOffice:
    """The office, its site connected."""
    wire, made = wire_and_office
    wire.mend()
    made.appliance.gate.set()
    made.appliance.answer = "OK"
    made.appliance.asked.clear()
    made.wait_connected()
    until(made.is_brought, "nothing waits at the site", timeout_s=WAIT_S)
    return made


def test_calls_of_an_exchange_on_site_are_logged_in_their_order(office: OnsiteOffice) -> None:
    office.ring(30)
    office.wait_logged()
    assert office.logged() == office.told


@pytest.mark.parametrize(
    ("answer", "number", "outcome"), [("OK", "4732100001", "accepted"), ("NO", "4732100021", "refused")]
)
def test_an_order_is_dialled_by_the_site_and_answered(
    office: OnsiteOffice, answer: str, number: str, outcome: str
) -> None:
    office.appliance.answer = answer
    _status, told = office.click(number)
    assert told["outcome"] == outcome, told
    assert [(each["from"], each["to"]) for each in office.appliance.asked] == [("3501", number)]


def test_only_a_certificate_that_is_trusted_is_spoken_to(office: OnsiteOffice, tmp_path: Path) -> None:
    """``check`` has everything else in order, so the certificate decides."""
    url, more = office.url, office.more
    with closing(Wire(office.main.port, tls=certificate(tmp_path))) as encrypted:
        try:
            office.url = f"https://127.0.0.1:{encrypted.port}"
            office.write()
            assert "FAIL  https://" in (told := office.check()), told
            office.more = f'ca_file = "{tmp_path / "cert.pem"}"\n'
            office.write()
            assert "exit 0" in (told := office.check()), told
        finally:
            office.url, office.more = url, more
            office.write()


def certificate(folder: Path) -> ssl.SSLContext:
    """A certificate for 127.0.0.1, signed by itself."""
    openssl = need("openssl", package="openssl")
    command = [openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    command += ["-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem"), "-days", "2"]
    command += ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run(command, capture_output=True, timeout=60, check=True)
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return made


def test_an_answer_that_is_lost_makes_no_call_count_twice(office: OnsiteOffice, wire: Wire) -> None:
    before = len(office.logged())
    wire.cut_answers()
    office.ring(5)
    until(lambda: len(office.logged()) > before, "the main gateway has some of them", timeout_s=WAIT_S)
    until(lambda: len(office.spooled()) == 5, "and the site does not know", timeout_s=WAIT_S)
    office.ring(5)
    until(lambda: len(office.spooled()) == 10, "the site keeps them", timeout_s=WAIT_S)
    wire.mend()
    office.wait_logged()
    office.wait_connected()
    until(office.is_brought, "the site knows", timeout_s=WAIT_S)
    assert office.logged() == office.told


def test_what_was_told_while_the_link_was_cut_survives_the_site_s_death(office: OnsiteOffice, wire: Wire) -> None:
    wire.cut()
    office.ring(20)
    until(lambda: len(office.spooled()) == 20, "the site keeps them", timeout_s=WAIT_S)
    office.kill_site()
    wire.mend()
    office.start_site()
    office.wait_logged()
    assert office.logged() == office.told


@pytest.mark.slow
def test_a_main_gateway_that_is_killed_misses_nothing(office: OnsiteOffice) -> None:
    office.wait_heard(2)
    kill_group(office.main.process)
    office.ring(10)
    until(lambda: len(office.spooled()) == 10, "the site keeps them", timeout_s=WAIT_S)
    killed_at = time.time()
    office.main = start_gateway(office.main.data, config=office.main.config, port=office.main.port)
    office.wait_logged()
    assert office.logged() == office.told
    until(lambda: office.seen_at() > killed_at, "the site waits for orders again", timeout_s=WAIT_S)


def test_an_order_whose_connection_is_lost_is_unknown_and_is_not_dialled_again(
    office: OnsiteOffice, wire: Wire
) -> None:
    office.appliance.gate.clear()
    ordered = office.dial("4732100002")
    until(lambda: office.appliance.asked, "the appliance dials", timeout_s=WAIT_S)
    wire.cut()
    assert "did not answer; it will not be dialled again" in office.outcome(ordered)
    office.appliance.gate.set()
    wire.mend()
    office.wait_connected()
    assert office.click("4732100003")[1]["outcome"] == "accepted"
    assert office.appliance.numbers() == ["4732100002", "4732100003"]


@pytest.mark.slow
def test_a_site_that_dies_while_it_dials_does_not_dial_again(office: OnsiteOffice) -> None:
    office.appliance.gate.clear()
    ordered = office.dial("4732100004")
    until(lambda: office.appliance.asked, "the appliance dials", timeout_s=WAIT_S)
    office.kill_site()
    assert "stopped" in office.outcome(ordered) or "did not answer" in office.outcome(ordered)
    office.wait_connected(False)
    status, told = office.click("4732100005")
    assert told["outcome"] == "unreachable", (status, told)
    office.appliance.gate.set()
    office.start_site()
    office.wait_connected()
    assert office.click("4732100006")[1]["outcome"] == "accepted"
    assert office.appliance.numbers() == ["4732100004", "4732100006"]


def test_an_order_that_a_dead_connection_does_not_bring_is_unreachable(office: OnsiteOffice, wire: Wire) -> None:
    wire.cut()
    told = office.click("4732100007")[1]
    wire.mend()
    assert told["outcome"] == "unreachable", told
    office.wait_connected()
    assert office.click("4732100008")[1]["outcome"] == "accepted"
    assert office.appliance.numbers() == ["4732100008"]


@pytest.mark.slow
def test_a_key_that_is_revoked_brings_nothing_and_fetches_nothing(office: OnsiteOffice) -> None:
    before = len(office.told)
    office.main.cli("onsite", "revoke", "escritorio")
    until(lambda: "status=401" in office.log, "the site is refused", timeout_s=WAIT_S)
    told = office.click("4732100009")[1]
    assert told["outcome"] == "unreachable", told
    office.ring(3)
    until(lambda: len(office.spooled()) == 3, "the site keeps them", timeout_s=WAIT_S)
    assert len(office.logged()) == before
    office.kill_site()
    office.add_site()  # a new key for the same site
    office.start_site()
    office.wait_logged()
    assert (office.logged(), office.appliance.numbers()) == (office.told, [])
