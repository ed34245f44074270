"""Slowness, failures and silence, which every simulator can be asked for."""

import re
import socket
import time
from pathlib import Path

import pytest
import requests

from gateway.simulators import FAMILIES, Behaviour
from gateway.simulators.exchange import whole
from gateway.simulators.kamailio import Kamailio
from gateway.simulators.url import UrlAppliance
from tests.simulators.peers import running, told

DIAL = "/originate?from=2000&to=4732100123&key=demo"


@pytest.mark.parametrize("name", FAMILIES)
def test_each_explains_itself_and_its_failures(name):
    cls = FAMILIES[name]
    assert cls.__doc__
    assert cls.title
    assert "fault" in cls.failures
    assert all(cls.failures.values())


@pytest.mark.parametrize("name", FAMILIES)
def test_the_page_is_shown_by_one_that_fails_too(name):
    with running(FAMILIES[name], fail="fault") as appliance:
        assert requests.get(f"{appliance.address}/", timeout=5).ok
        assert told(appliance) == []


def test_an_unknown_failure_is_refused_with_those_that_there_are():
    with pytest.raises(ValueError, match="kamailio has no failure 'bussy'; it has: auth, forbidden, busy, fault"):
        Kamailio(behaviour=Behaviour(fail="bussy"))
    with pytest.raises(ValueError, match="url cannot ask for 'digest'; it asks for: no login by HTTP"):
        UrlAppliance(behaviour=Behaviour(auth="digest"))


def test_a_slow_one_answers_later():
    with running(UrlAppliance, delay_s=0.2) as appliance:
        began = time.monotonic()
        assert requests.get(appliance.address + DIAL, timeout=5).ok
        assert time.monotonic() - began >= 0.2


def test_a_slow_one_stops_at_once():
    with running(UrlAppliance, delay_s=60) as appliance:
        with pytest.raises(requests.ReadTimeout):
            requests.get(appliance.address + DIAL, timeout=0.2)
        began = time.monotonic()
        appliance.stop()
        assert time.monotonic() - began < 5


def test_one_that_drops_takes_the_order_and_answers_nothing():
    with running(UrlAppliance, drop=True) as appliance:
        with pytest.raises(requests.ConnectionError):
            requests.get(appliance.address + DIAL, timeout=5)
        assert told(appliance) == [("2000", "4732100123")]
        assert requests.get(f"{appliance.address}/originate?key=demo", timeout=5).text.startswith("ERROR missing")


@pytest.mark.parametrize(
    ("failure", "status", "text"),
    [("auth", 403, "ERROR wrong key"), ("busy", 200, "ERROR busy"), ("fault", 500, "<html>")],
)
def test_the_failures_of_the_url_one(failure, status, text):
    with running(UrlAppliance, fail=failure) as appliance:
        answer = requests.get(appliance.address + DIAL, timeout=5)
        assert answer.status_code == status
        assert answer.text.startswith(text)
        assert told(appliance) == []


def test_the_page_shows_logins_and_refused_orders_beside_the_calls():
    with running(UrlAppliance, fail="busy") as appliance:
        requests.get(appliance.address + DIAL, timeout=5)
        page = requests.get(appliance.address, timeout=5).text
        assert "<span>busy</span>" in page
        assert "0 comando recebido" in page
        assert ".wav" not in page


def _has_ipv6():
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False


@pytest.mark.parametrize(("host", "shown"), [("0.0.0.0", "http://127.0.0.1:"), ("::1", "http://[::1]:")])
def test_it_listens_where_it_is_told(host, shown):
    if host == "::1" and not _has_ipv6():
        pytest.skip("this machine has no IPv6")
    with running(UrlAppliance, events={"host": host}) as appliance:
        assert appliance.address.startswith(shown)
        assert requests.get(appliance.address, timeout=5).ok


@pytest.mark.parametrize("name", FAMILIES)
def test_the_documentation_names_it_its_login_and_its_failures(name):
    cls = FAMILIES[name]
    text = (Path(__file__).parents[2] / "docs" / "simulators.md").read_text(encoding="utf-8")
    row = re.search(rf"^\| `{name}` \|.*$", text, re.MULTILINE)[0]
    assert f"| {cls.evidence} |" in row
    if any(cls.login):
        assert f"`{':'.join(cls.login)}`" in row
    for failure in cls.failures:
        row = re.search(rf"^\|[^|]*`{failure}`.*$", text, re.MULTILINE)[0]
        of = row.rsplit("|", 2)[1]
        assert of == " all " or (f"`{name}`" in of) != of.startswith(" all but ")


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("7", 7),
        ("007", 7),
        ("9" * 3000, 50),
        ("51", 50),
        ("", None),
        ("-1", None),
        ("²", None),
        ("٣", None),
        ("1e9", None),
    ],
)
def test_a_number_is_ascii_digits_and_has_a_limit(text, number):
    assert whole(text, most=50) == number
