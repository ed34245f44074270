"""Click-to-call by URL: the CRM's names, its four ways to log in, and what each outcome looks like."""

import base64
import json
import xmlrpc.client
from typing import Any

import pytest

from gateway.adapter import Outcome
from gateway.domain.messages import PlaceCall
from gateway.errors import NoAppliance, NumberBlocked, QueueFull
from tests.wire.peers import OUTSIDE, Peer

PATH = "/click-to-call"
QUERY = "origem=3501&destino=4732100123"
LOCAL = "127.0.0.1"
TOKEN = {"tenants": {"default": {"click_to_call": {"token": "abc"}}}}


def with_rules(**rules: Any) -> Peer:
    return Peer({"tenants": {"default": {"click_to_call": rules}}})


def basic(login: str, password: str, charset: str = "utf-8") -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{login}:{password}".encode(charset)).decode()}


def the_order(peer: Peer) -> PlaceCall:
    (message,) = peer.core.messages
    assert isinstance(message, PlaceCall)
    return message


@pytest.mark.parametrize("path", ["/click-to-call", "/api/clicktodial", "/click-to-call/"])
@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    "query",
    [
        "origem=3501&destino=4732100123",
        "ramal=3501&telefone=4732100123",
        "Origem=3501&DESTINO=4732100123",
        "origem=&ramal=3501&destino=4732100123&telefone=1",
    ],
)
def test_the_usual_addresses_and_names_are_served(path: str, method: str, query: str) -> None:
    peer = Peer(address=LOCAL)
    got = peer.send(method, path, query_string=query)
    assert (got.status_code, got.text) == (200, "OK 1: a central respondeu\n")
    order = the_order(peer)
    assert (order.extension, order.number) == ("3501", "4732100123")


def test_the_tenant_chooses_address_and_names() -> None:
    config = {
        "tenants": {
            "acme": {"click_to_call": {"path": "/disca", "origin_param": "De", "destination_param": "Para"}},
            "beta": {},
        }
    }
    peer = Peer(config)
    asked = {"query_string": "de=3501&Para=4732100123", "base_url": "http://acme.example.com"}
    got = peer.get("/disca", headers=basic("ana", "segrédo"), **asked)
    assert got.status_code == 200
    assert the_order(peer).number == "4732100123"
    assert peer.get("/t/acme/disca", query_string="De=3501&Para=47", address=LOCAL).status_code == 200
    assert peer.get("/disca", base_url="http://beta.example.com").text.startswith("<beta>")


def test_a_missing_parameter_is_named_as_the_tenant_names_it() -> None:
    peer = with_rules(origin_param="from", destination_param="to")
    got = peer.get(PATH, query_string="from=3501", address=LOCAL)
    assert got.status_code == 400
    assert got.text == "ERRO 210: parâmetro obrigatório ausente ou vazio: to. Informe to=4732100123.\n"


def test_an_appliance_may_be_named() -> None:
    peer = Peer(address=LOCAL)
    peer.get(PATH, query_string=QUERY + "&central=matriz")
    assert the_order(peer).appliance == "matriz"


@pytest.mark.parametrize(
    ("outcome", "status", "word"),
    [
        (Outcome.ACCEPTED, 200, "OK"),
        (Outcome.REFUSED, 422, "ERRO"),
        (Outcome.UNREACHABLE, 503, "ERRO"),
        (Outcome.UNKNOWN, 504, "ERRO"),
    ],
)
def test_each_outcome_has_its_status_and_is_told_in_text_and_json(outcome: Outcome, status: int, word: str) -> None:
    peer = Peer(address=LOCAL)
    peer.core.outcome = outcome
    got = peer.get(PATH, query_string=QUERY)
    assert (got.status_code, got.text) == (status, f"{word} 1: a central respondeu\n")
    got = peer.get(PATH, query_string=QUERY, headers={"Accept": "text/html, application/json;q=0.9"})
    assert got.status_code == status
    assert json.loads(got.data) == {
        "status": word,
        "outcome": outcome.value,
        "mensagem": "a central respondeu",
        "id": 2,
    }


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [(NoAppliance("default"), 422, 510), (NumberBlocked("0900", "x"), 422, 560), (QueueFull(9), 503, 410)],
)
def test_what_prevents_a_call_is_told_in_text_and_json(error: Exception, status: int, code: int) -> None:
    peer = Peer(address=LOCAL)
    peer.core.fail_with = error
    got = peer.get(PATH, query_string=QUERY)
    assert (got.status_code, got.text.split(":")[0]) == (status, f"ERRO {code}")
    told = json.loads(peer.get(PATH, query_string=QUERY, headers={"Accept": "application/json"}).data)
    assert (told["status"], told["codigo"]) == ("ERRO", code)


def test_a_blocked_number_is_a_fault_in_soap_and_xmlrpc() -> None:
    peer = Peer(address=LOCAL)
    peer.core.fail_with = NumberBlocked("09001234567", "dial_plan.blocked 0900*")
    body = xmlrpc.client.dumps(("3501", "09001234567"), "ClickToCall")
    with pytest.raises(xmlrpc.client.Fault) as fault:
        xmlrpc.client.loads(peer.post("/xmlrpc", data=body, content_type="text/xml").data)
    assert fault.value.faultCode == 560
    assert "não permite ligar para '09001234567' (dial_plan.blocked 0900*)" in fault.value.faultString
    envelope = (
        '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body><ClickToCall>'
        "<ramal>3501</ramal><telefone>09001234567</telefone></ClickToCall></e:Body></e:Envelope>"
    )
    told = peer.post("/soap", data=envelope, content_type="text/xml").text
    assert "560" in told
    assert "não permite ligar para" in told


@pytest.mark.parametrize("outcome", [Outcome.REFUSED, Outcome.UNREACHABLE, Outcome.UNKNOWN])
def test_a_crm_that_reads_one_status_only_gets_it_with_every_failure_told_as_text(outcome: Outcome) -> None:
    peer = Peer({"tenants": {"default": {"listener": {"status_on_error": 200}}}}, address=LOCAL)
    peer.core.outcome = outcome
    got = peer.get(PATH, query_string=QUERY)
    assert (got.status_code, got.text[:6]) == (200, "ERRO 1")
    got = peer.get(PATH, query_string="origem=3501")
    assert (got.status_code, got.text[:9]) == (200, "ERRO 210:")
    assert peer.get(PATH, query_string=QUERY, headers={"Accept": "application/json"}).status_code >= 400
    assert peer.get(PATH, headers={"Accept": "application/json"}).status_code == 400


def test_a_crm_still_learns_by_401_that_it_must_log_in() -> None:
    peer = Peer({"tenants": {"default": {"listener": {"status_on_error": 200}}}}, address=OUTSIDE)
    got = peer.get(PATH, query_string=QUERY)
    assert (got.status_code, got.text[:5]) == (401, "ERRO ")
    assert got.headers["WWW-Authenticate"].startswith("Basic ")


def test_head_does_not_dial() -> None:
    peer = Peer(address=LOCAL)
    assert peer.send("HEAD", PATH, query_string=QUERY).status_code == 405
    assert not peer.core.messages


# --- credentials ------------------------------------------------------------------------------------------

GOOD_BASIC = basic("ana", "segredo")
BEARER = {"Authorization": "Bearer abc"}


@pytest.mark.parametrize(
    ("headers", "query", "login"),
    [
        (GOOD_BASIC, "", "ana"),  # the CRM's mode 1
        ({"token_auth": "abc"}, "", None),  # 2
        ({}, "&token=abc", None),  # 3
        (GOOD_BASIC | {"token_auth": "abc"}, "", None),  # 4, where one would do
        (BEARER, "", None),
        (basic("ana", "errada") | {"token_auth": "abc"}, "", None),
        (GOOD_BASIC, "&token=errado", "ana"),
    ],
)
def test_each_of_the_crms_modes_lets_a_call_in(headers: dict[str, str], query: str, login: str | None) -> None:
    peer = Peer(TOKEN)
    assert peer.get(PATH, query_string=QUERY + query, headers=headers).status_code == 200
    assert the_order(peer).requested_by == login


def test_a_password_with_accents_is_read_in_utf_8_and_latin_1() -> None:
    peer = Peer({"tenants": {"acme": {}}})
    for charset in ("utf-8", "latin-1"):
        assert peer.get(PATH, query_string=QUERY, headers=basic("ana", "segrédo", charset)).status_code == 200


@pytest.mark.parametrize(
    ("headers", "query", "code"),
    [
        ({}, "", 320),
        (basic("ana", "errada"), "", 330),
        ({"Authorization": "Basic %%%"}, "", 320),
        ({"Authorization": "Basic YW5h"}, "", 320),
        ({"token_auth": "errado"}, "", 330),
        ({}, "&token=errado", 330),
        (basic("ana", "errada") | {"token_auth": "errado"}, "&token=errado", 330),
    ],
)
def test_wrong_or_missing_credentials_are_challenged(headers: dict[str, str], query: str, code: int) -> None:
    peer = Peer(TOKEN)
    got = peer.get(PATH, query_string=QUERY + query, headers=headers)
    assert (got.status_code, got.text.split(":")[0]) == (401, f"ERRO {code}")
    assert got.headers["WWW-Authenticate"] == 'Basic realm="cti-gateway", charset="UTF-8"'
    assert not peer.core.messages


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        (GOOD_BASIC | {"token_auth": "abc"}, 200),
        (GOOD_BASIC, 401),
        ({"token_auth": "abc"}, 401),
        (basic("ana", "errada") | {"token_auth": "abc"}, 401),
        (GOOD_BASIC | {"token_auth": "errado"}, 401),
    ],
)
def test_mode_4_demands_both(headers: dict[str, str], status: int) -> None:
    peer = with_rules(token="abc", auth=["basic", "header"], require_all=True)
    assert peer.get(PATH, query_string=QUERY, headers=headers).status_code == status
    if status == 200:
        assert the_order(peer).requested_by == "ana"


def test_a_kind_of_credential_that_is_not_accepted_lets_nobody_in() -> None:
    peer = with_rules(token="abc", auth=["header"])
    assert peer.get(PATH, query_string=QUERY, headers=GOOD_BASIC).status_code == 401
    assert peer.get(PATH, query_string=QUERY + "&token=abc").status_code == 401
    assert peer.get(PATH, query_string=QUERY, headers={"token_auth": "abc"}).status_code == 200


def test_without_a_token_in_the_configuration_no_token_lets_anybody_in() -> None:
    peer = Peer()
    for token in ("", "None", "abc"):
        assert peer.get(PATH, query_string=f"{QUERY}&token={token}").status_code == 401


def test_the_token_of_events_does_not_place_calls() -> None:
    peer = Peer({"tenants": {"default": {"events": {"token": "abc"}}}})
    assert peer.get(PATH, query_string=QUERY + "&token=abc").status_code == 401


def test_an_agents_password_counts_for_its_own_company_only() -> None:
    peer = Peer({"tenants": {"acme": {}, "default": {}}})
    assert peer.get("/t/acme" + PATH, query_string=QUERY, headers=GOOD_BASIC).status_code == 401
    assert peer.get("/t/default" + PATH, query_string=QUERY, headers=GOOD_BASIC).status_code == 200


# --- programs on this machine, and pages in its browsers --------------------------------------------------


@pytest.mark.parametrize("address", ["127.0.0.1", "127.3.2.1", "::1", "::ffff:127.0.0.1"])
def test_programs_on_this_machine_need_no_credentials(address: str) -> None:
    assert Peer(address=address).get(PATH, query_string=QUERY).status_code == 200


def test_unless_the_tenant_says_otherwise() -> None:
    assert with_rules(open_loopback=False).get(PATH, query_string=QUERY, address=LOCAL).status_code == 401


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "cross-site"}, 401),
        ({"Sec-Fetch-Site": "same-site"}, 401),
        ({"Sec-Fetch-Site": "same-origin"}, 200),
        ({"Sec-Fetch-Site": "none"}, 200),  # typed into the address bar
        ({"Origin": "http://evil.example"}, 401),
        ({"Origin": "null"}, 401),
        ({"Origin": "http://localhost:9999"}, 401),
        ({"Origin": "http://localhost"}, 200),
        ({"Referer": "http://evil.example/page"}, 401),
        ({"Referer": "http://localhost:9999/"}, 401),
        ({"Referer": "http://localhost/numero"}, 200),
    ],
)
def test_a_page_of_another_site_cannot_dial_from_this_machines_browser(headers: dict[str, str], status: int) -> None:
    assert Peer(address=LOCAL).get(PATH, query_string=QUERY, headers=headers).status_code == status


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", 200),
        ("LOCALHOST:8080", 200),
        ("localhost.:8080", 200),
        ("127.0.0.1:8080", 200),
        ("127.9.9.9", 200),
        ("[::1]:8080", 200),
        ("[0:0:0:0:0:0:0:1]", 200),
        ("pbx.acme.com", 200),  # configured
        ("PBX.acme.com.:8080", 200),
        ("0.0.0.0:8080", 401),
        ("[::]:8080", 401),
        ("[::ffff:127.0.0.1]:8080", 401),
        ("[::ffff:7f00:1]:8080", 401),
        ("192.168.0.10", 401),
        ("acme.example.com", 401),  # the tenant's name as first label, which anybody's domain can have
        ("acme", 401),
        ("evil.example", 401),
        ("localhost.evil.example", 401),
        ("127.0.0.1.evil.example", 401),
        ("pbx.acme.com.evil.example", 401),
        ("user@127.0.0.1", 401),
        ("[::1].evil.example", 401),
        ("[::1]evil", 401),
        ("127.0.0.1:8080:9", 401),
        ("", 200),  # HTTP/1.0: no browser
    ],
)
def test_without_credentials_only_a_host_name_that_no_stranger_can_own_dials(host: str, status: int) -> None:
    peer = Peer({"tenants": {"acme": {"hosts": ["pbx.acme.com"]}}}, address=LOCAL)
    assert peer.get(PATH, query_string=QUERY, environ={"HTTP_HOST": host}).status_code == status
    assert len(peer.core.messages) == (status == 200)


@pytest.mark.parametrize("host", ["0.0.0.0:8080", "acme.example.com", "192.168.0.10"])
def test_with_credentials_any_host_name_dials(host: str) -> None:
    peer = Peer({"tenants": {"acme": {}}})
    got = peer.get(PATH, query_string=QUERY, headers=basic("ana", "segrédo"), environ={"HTTP_HOST": host})
    assert got.status_code == 200


@pytest.mark.parametrize(
    ("host", "agent", "site", "status"),
    [
        ("pbx.acme.com", "Mozilla/5.0 (X11; Linux x86_64)", None, 401),
        ("pbx.acme.com", "Mozilla/5.0 (X11; Linux x86_64)", "none", 200),
        ("pbx.acme.com", "curl/8.0", None, 200),
        ("127.0.0.1", "Mozilla/5.0 (X11; Linux x86_64)", None, 200),
    ],
)
def test_a_browser_that_says_nothing_of_the_page_does_not_dial_by_a_configured_host(
    host: str, agent: str, site: str | None, status: int
) -> None:
    peer = Peer({"tenants": {"acme": {"hosts": ["pbx.acme.com"]}}}, address=LOCAL)
    headers = {"User-Agent": agent} | ({"Sec-Fetch-Site": site} if site else {})
    assert peer.get(PATH, query_string=QUERY, headers=headers, environ={"HTTP_HOST": host}).status_code == status


def test_with_credentials_a_page_of_the_crm_may_dial() -> None:
    headers = GOOD_BASIC | {"Sec-Fetch-Site": "cross-site", "Origin": "https://crm.example"}
    assert Peer().get(PATH, query_string=QUERY, headers=headers).status_code == 200


@pytest.mark.parametrize("origin", ["http://[", "http://[::1", "null", "http://a]b"])
def test_an_origin_that_is_no_address_is_another_site(origin: str) -> None:
    got = Peer(address="127.0.0.1").get("/click-to-call?origem=3501&destino=47", headers={"Origin": origin})
    assert got.status_code == 401


@pytest.mark.parametrize(
    ("query", "headers"),
    [
        (f"{QUERY}&id_pedido=p-1", {}),
        (QUERY, {"Idempotency-Key": '"p-1"'}),
        (QUERY, {"Idempotency-Key": "p-1"}),
        (f"{QUERY}&id_pedido=p-1", {"Idempotency-Key": "other"}),
    ],
)
def test_the_asker_may_name_the_order_so_that_it_is_never_dialled_twice(query: str, headers: dict[str, str]) -> None:
    peer = Peer(address=LOCAL)
    peer.send("GET", PATH, query_string=query, headers=headers)
    assert the_order(peer).request_key == "p-1"


def test_an_order_s_name_that_cannot_be_kept_is_refused_because_the_call_might_be_dialled_twice() -> None:
    peer = Peer(address=LOCAL)
    got = peer.send("GET", PATH, query_string=f"{QUERY}&id_pedido={'9' * 256}")
    assert (got.status_code, peer.core.messages) == (400, [])
    assert "id_pedido" in got.text


def test_soap_and_xmlrpc_take_the_order_s_name_too() -> None:
    peer = Peer(address=LOCAL)
    body = (
        '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><ClickToCall><ramal>3501</ramal>'
        "<telefone>4732100123</telefone><id_pedido>p-1</id_pedido></ClickToCall></s:Body></s:Envelope>"
    )
    peer.post("/soap", data=body.encode(), content_type="text/xml")
    call = xmlrpc.client.dumps(("3501", "4732100123", "", "p-1"), "ClickToCall")
    peer.post("/xmlrpc", data=call.encode(), content_type="text/xml")
    assert [message.request_key for message in peer.core.messages] == ["p-1", "p-1"]
