"""Events that a browser sends for a page of another site are no exchange's."""

import xmlrpc.client
from typing import Any

import pytest

from gateway.wire.hosts import authority, names_this_machine
from tests.wire.peers import OFFICE, OUTSIDE, Peer

START = "/wconnect/WConnect_WSDL_ConsultaRamal.php"
END = "/wconnect/WConnect_WSDL_FinalizaLigacao.php"
QUERY = "ramal=3501&telefone=4732100123"
ENVELOPE = (
    '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><ConsultaRamal><ramal>3501</ramal>'
    "<telefone>4732100123</telefone></ConsultaRamal></s:Body></s:Envelope>"
)
CALL = xmlrpc.client.dumps(("3501", "4732100123"), "ConsultaRamal")
MANY = xmlrpc.client.dumps(([{"methodName": "ConsultaRamal", "params": ["3501", "4732100123"]}],), "system.multicall")
FOREIGN = [
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "Cross-Site"},
    {"Sec-Fetch-Site": "something-new"},
    {"Origin": "http://evil.example"},
    {"Origin": "null"},
    {"Origin": "https://10.0.0.1"},
    {"Origin": "http://10.0.0.1:9999"},  # another port is another site
    {"Origin": "chrome-extension://abc"},
    {"Origin": "http://["},
    {"Referer": "http://evil.example/page?x=1"},
    {"Referer": "HTTPS://evil.example"},
    {"Referer": "http://10.0.0.1/"},
    {"Referer": "http://10.0.0.1:8080@evil.example/"},
    {"Referer": "http://["},
    {"Sec-Fetch-Site": "same-origin", "Origin": "http://evil.example"},
    {"Sec-Fetch-Site": "none", "Referer": "http://evil.example"},
]
OWN: list[dict[str, str]] = [
    {},
    {"Sec-Fetch-Site": "none"},  # typed by a person
    {"Sec-Fetch-Site": "same-origin"},
    {"Sec-Fetch-Site": "same-origin", "Origin": "http://10.0.0.1:8080", "Referer": "http://10.0.0.1:8080/numero"},
    {"Referer": "http://10.0.0.1:8080/wconnect/"},
    {"Referer": "http://user@10.0.0.1:8080/"},
    {"Referer": "Khomp"},  # what an exchange makes up
    {"Referer": "file:///usr/share/pbx"},
    {"Referer": ""},
    {"Origin": ""},
    {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64)"},
]


def send(peer: Peer, path: str, headers: dict[str, str], **more: Any) -> Any:
    """An event at ``path``, in the way of its wire."""
    headers = {"Host": "10.0.0.1:8080"} | headers
    if path in (START, END):
        return peer.get(path, query_string=QUERY, headers=headers, **more)
    body = {"/soap": ENVELOPE, "/wconnect/wsdl/WConnect_WSDL.php": ENVELOPE, "/xmlrpc": CALL, "/RPC2": MANY}[path]
    return peer.post(path, data=body.encode(), headers={"Content-Type": "text/plain"} | headers, **more)


PATHS = [START, END, "/soap", "/wconnect/wsdl/WConnect_WSDL.php", "/xmlrpc", "/RPC2"]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("address", ["127.0.0.1", OFFICE])
@pytest.mark.parametrize("headers", FOREIGN)
def test_a_page_of_another_site_sends_no_events(path: str, address: str, headers: dict[str, str]) -> None:
    peer = Peer(address=address)
    got = send(peer, path, headers)
    assert peer.core.messages == []
    assert "350" in got.text


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("headers", OWN)
def test_what_is_no_other_sites_page_sends_events(path: str, headers: dict[str, str]) -> None:
    peer = Peer()
    assert send(peer, path, headers).status_code == 200
    assert len(peer.core.messages) == 1


@pytest.mark.parametrize("headers", FOREIGN)
def test_with_the_tenants_token_a_page_may_send_events(headers: dict[str, str]) -> None:
    peer = Peer({"tenants": {"default": {"events": {"token": "abc"}}}})
    assert send(peer, START, headers | {"Token-Auth": "abc"}).status_code == 200
    assert peer.get(START, query_string=QUERY + "&token=abc", headers=headers).status_code == 200
    assert peer.get(START, query_string=QUERY + "&token=ab", headers=headers).status_code == 403


def test_a_form_that_a_page_posts_is_refused_too() -> None:
    got = Peer().post(START, data={"ramal": "3501", "telefone": "47"}, headers={"Origin": "null"})
    assert got.status_code == 403


def test_a_referer_without_a_host_to_compare_it_with_is_a_programs() -> None:
    environ = {"HTTP_HOST": "", "SERVER_PROTOCOL": "HTTP/1.0"}
    headers = {"Referer": "http://192.168.0.20/"}
    assert Peer().get(START, query_string=QUERY, headers=headers, environ=environ).status_code == 200


@pytest.mark.parametrize(
    ("host", "origin"),
    [
        ("cti.acme.com", "https://cti.acme.com"),
        ("cti.acme.com:443", "https://cti.acme.com"),
        ("cti.acme.com", "http://cti.acme.com:80"),
        ("CTI.acme.com", "https://cti.acme.com"),
        ("[fd00::7]:8080", "http://[fd00::7]:8080"),
    ],
)
def test_a_default_port_and_large_letters_make_no_other_site(host: str, origin: str) -> None:
    headers = {"Origin": origin, "Referer": f"{origin}/x"}
    assert Peer().get(START, query_string=QUERY, headers=headers, environ={"HTTP_HOST": host}).status_code == 200


def test_behind_a_trusted_proxy_the_host_that_the_browser_used_counts() -> None:
    peer = Peer({"server": {"trusted_proxies": ["10.0.0.2"]}}, address="10.0.0.2")
    headers = {"X-Forwarded-For": OFFICE, "X-Forwarded-Host": "cti.acme.com", "Host": "127.0.0.1:8080"}
    asked = {"query_string": QUERY}
    assert peer.get(START, headers=headers | {"Origin": "https://cti.acme.com"}, **asked).status_code == 200
    assert peer.get(START, headers=headers | {"Origin": "http://127.0.0.1:8080"}, **asked).status_code == 403


def test_an_address_that_may_not_send_is_told_that_first() -> None:
    assert "ERRO 310" in Peer(address=OUTSIDE).get(START, query_string=QUERY, headers=FOREIGN[0]).text


def test_the_refusal_says_what_came_and_what_to_do_and_is_short() -> None:
    got = Peer().get(START, query_string=QUERY, headers={"Referer": f"http://evil.example/{'x' * 500}?senha=1"})
    assert got.status_code == 403
    assert got.text.startswith(
        "ERRO 350: eventos não são aceitos de páginas de outros sites (Referer: http://evil.example/xxx"
    )
    assert got.text.endswith("). Envie-os da própria central, ou com o token da empresa.\n")
    assert "senha" not in got.text
    assert len(got.text) < 260


def test_the_wsdl_is_for_every_page() -> None:
    assert Peer().get("/soap", query_string="wsdl", headers=FOREIGN[0]).status_code == 200


@pytest.mark.parametrize("url", ["http://[", "http://[::1", "http://a]b"])
def test_what_is_no_address_has_no_host(url: str) -> None:
    assert authority(url) is None


@pytest.mark.parametrize("host", ["", "localhost:", "127.0.0.1 ", "127.0.0.256", "127.1", "::1", "[::1%25lo]", "[]"])
def test_what_only_looks_like_this_machine_is_not(host: str) -> None:
    assert not names_this_machine(host)
