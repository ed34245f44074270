"""Click-to-call by a script of a CRM's page: only pages that the company names may read the answer."""

import pytest

from tests.wire.peers import OUTSIDE, Peer

PATH = "/click-to-call"
QUERY = "origem=3501&destino=4732100123"
CRM, STRANGER = "https://crm.example", "https://evil.example"
RULES = {"tenants": {"default": {"crm": {"origins": [CRM]}, "click_to_call": {"token": "abc", "path": "/disca"}}}}
ASKED = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "token-auth"}


@pytest.mark.parametrize("path", [PATH, "/api/clicktodial", "/disca"])
def test_a_named_page_reads_the_answer_also_when_it_is_refused(path: str) -> None:
    peer = Peer(RULES)
    for token, status in (("abc", 200), ("wrong", 401)):
        got = peer.get(path, query_string=QUERY, headers={"Origin": CRM, "Token-Auth": token}, address=OUTSIDE)
        assert (got.status_code, got.headers["Access-Control-Allow-Origin"]) == (status, CRM)
        assert got.headers["Vary"] == "Origin"


@pytest.mark.parametrize("origin", [STRANGER, "null", "http://crm.example", "https://crm.example.evil.example", ""])
def test_no_other_page_reads_it(origin: str) -> None:
    peer = Peer(RULES)
    got = peer.get(PATH, query_string=QUERY, headers={"Origin": origin, "Token-Auth": "abc"}, address=OUTSIDE)
    assert "Access-Control-Allow-Origin" not in got.headers
    assert got.headers["Vary"] == "Origin"


def test_a_preflight_says_what_a_named_page_may_send() -> None:
    peer = Peer(RULES)
    got = peer.send("OPTIONS", PATH, headers={"Origin": CRM, **ASKED}, address=OUTSIDE)
    assert got.status_code == 200
    assert got.headers["Access-Control-Allow-Origin"] == CRM
    assert "Token-Auth" in got.headers["Access-Control-Allow-Headers"]
    assert "Access-Control-Allow-Credentials" not in got.headers  # no login of a browser opens this address
    assert not peer.core.messages


def test_a_preflight_of_another_page_is_refused() -> None:
    got = Peer(RULES).send("OPTIONS", PATH, headers={"Origin": STRANGER, **ASKED}, address=OUTSIDE)
    assert got.status_code == 403
    assert "Access-Control-Allow-Origin" not in got.headers


def test_a_page_of_the_internet_may_reach_into_the_office() -> None:
    asked = {"Origin": CRM, **ASKED, "Access-Control-Request-Private-Network": "true"}
    got = Peer(RULES).send("OPTIONS", PATH, headers=asked, address=OUTSIDE)
    assert got.headers["Access-Control-Allow-Private-Network"] == "true"


def test_a_name_opens_nothing_without_credentials() -> None:
    peer = Peer(RULES)
    got = peer.get(PATH, query_string=QUERY, headers={"Origin": CRM}, address="127.0.0.1")
    assert got.status_code == 401
    assert not peer.core.messages


def test_without_named_pages_nothing_is_said_of_them() -> None:
    got = Peer().get(PATH, query_string=QUERY, headers={"Origin": CRM}, address="127.0.0.1")
    assert "Vary" not in got.headers
