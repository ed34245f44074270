"""Who may send events, and who asks behind proxies."""

from typing import Any

import pytest

from gateway.wire.auth import same
from gateway.wire.clients import membership
from gateway.wire.hosts import without_port
from tests.wire.peers import OFFICE, OUTSIDE, Peer

START = "/wconnect/WConnect_WSDL_ConsultaRamal.php"
QUERY = "ramal=3501&telefone=4732100123"


def with_events(**events: Any) -> dict[str, Any]:
    return {"tenants": {"default": {"events": events}}}


@pytest.mark.parametrize(
    ("allow", "address", "status"),
    [
        (["loopback", "private"], "127.0.0.1", 200),
        (["loopback", "private"], "::1", 200),
        (["loopback", "private"], "10.1.2.3", 200),
        (["loopback", "private"], "172.16.0.1", 200),
        (["loopback", "private"], "172.32.0.1", 403),
        (["loopback", "private"], "192.168.15.2", 200),
        (["loopback", "private"], "::ffff:192.168.15.2", 200),
        (["loopback", "private"], "fd00::7", 200),
        (["loopback", "private"], "fe80::1%eth0", 200),
        (["loopback", "private"], "203.0.113.9", 403),
        (["loopback", "private"], "192.0.2.1", 403),
        (["loopback", "private"], "2001:db8::1", 403),
        (["loopback", "private"], "", 403),
        (["loopback", "private"], "unix:", 403),
        (["private"], "127.0.0.1", 403),
        (["203.0.113.0/24"], "203.0.113.9", 200),
        (["203.0.113.9"], "203.0.113.9", 200),
        (["203.0.113.9"], "203.0.113.8", 403),
        (["2001:db8::/32"], "2001:db8::1", 200),
        (["any"], "203.0.113.9", 200),
        (["any"], "2001:db8::1", 200),
        ([], "127.0.0.1", 403),
    ],
)
def test_events_are_taken_from_the_networks_the_tenant_names(allow: list[str], address: str, status: int) -> None:
    peer = Peer(with_events(allow=allow), address=address)
    assert peer.get(START, query_string=QUERY).status_code == status


@pytest.mark.parametrize(
    ("options", "status"),
    [
        ({"query_string": QUERY + "&token=abc"}, 200),
        ({"query_string": QUERY + "&TOKEN=abc"}, 200),
        ({"query_string": QUERY, "headers": {"token_auth": "abc"}}, 200),
        ({"query_string": QUERY, "headers": {"Token-Auth": "abc"}}, 200),
        ({"query_string": QUERY, "headers": {"X-Token-Auth": "abc"}}, 200),  # how nginx hands it over
        ({"query_string": QUERY, "headers": {"Authorization": "Bearer abc"}}, 200),
        ({"query_string": QUERY, "headers": {"Authorization": "bearer  abc"}}, 200),
        ({"query_string": QUERY}, 403),
        ({"query_string": QUERY + "&token="}, 403),
        ({"query_string": QUERY + "&token=ab"}, 403),
        ({"query_string": QUERY + "&token=%C3%A9"}, 403),
        ({"query_string": QUERY, "headers": {"Authorization": "Basic abc"}}, 403),
    ],
)
def test_the_tenants_token_lets_any_address_send_events(options: dict[str, Any], status: int) -> None:
    peer = Peer(with_events(token="abc"), address=OUTSIDE)
    assert peer.get(START, **options).status_code == status


@pytest.mark.parametrize(("given", "status"), [("old", 200), ("new-t0ken", 200), ("new", 403), ("", 403)])
def test_of_several_tokens_any_lets_events_in(given: str, status: int) -> None:
    peer = Peer(with_events(token=["old", "new-t0ken", ""]), address=OUTSIDE)
    assert peer.get(START, query_string=QUERY, headers={"X-Token-Auth": given}).status_code == status


def test_guesses_of_the_token_are_held_back() -> None:
    peer = Peer(with_events(token="abc"), address=OUTSIDE)
    guessed = [peer.get(START, query_string=f"{QUERY}&token=guess{number}").status_code for number in range(30)]
    assert (guessed[:20], set(guessed[20:])) == ([403] * 20, {429})
    assert peer.get(START, query_string=QUERY + "&token=abc").status_code == 429, "else guessing would go on"
    assert peer.get(START, query_string=QUERY).status_code == 403, "without a token there is nothing to hold back"


def test_guesses_of_others_do_not_hold_back_who_gave_the_right_token_before() -> None:
    """As where a cloud exchange and strangers reach the gateway from one address."""
    peer = Peer(with_events(token="abc"), address=OUTSIDE)
    assert peer.get(START, query_string=QUERY + "&token=abc").status_code == 200
    for number in range(30):
        assert peer.get(START, query_string=f"{QUERY}&token=guess{number}").status_code == 403
    assert peer.get(START, query_string=QUERY + "&token=abc").status_code == 200


def test_an_exchange_that_sends_a_token_of_before_is_no_guesser() -> None:
    peer = Peer(with_events(token="new"), address=OUTSIDE)
    old = {peer.get(START, query_string=QUERY + "&token=old").status_code for _ in range(30)}
    assert old == {403}
    assert peer.get(START, query_string=QUERY + "&token=new").status_code == 200


def test_an_address_that_needs_no_token_is_never_held_back() -> None:
    peer = Peer(with_events(token="abc"), address=OFFICE)
    sent = {peer.get(START, query_string=f"{QUERY}&token=guess{number}").status_code for number in range(30)}
    assert sent == {200}


def test_the_token_may_come_in_a_form() -> None:
    peer = Peer(with_events(token="abc"), address=OUTSIDE)
    fields = {"ramal": "3501", "telefone": "4732100123", "token": "abc"}
    assert peer.post(START, data=fields).status_code == 200


def test_a_refusal_names_the_address_and_the_remedy() -> None:
    got = Peer(address=OUTSIDE).get(START, query_string=QUERY)
    assert got.text == (
        f"ERRO 310: o endereço {OUTSIDE} não pode enviar eventos a esta empresa. "
        "Inclua-o em events.allow ou envie o token da empresa.\n"
    )


@pytest.mark.parametrize(
    ("trusted", "peer_address", "forwarded", "client"),
    [
        ([], OFFICE, "203.0.113.9", OFFICE),  # nobody is believed
        (["10.0.0.1"], OFFICE, "203.0.113.9", OFFICE),
        (["10.0.0.7"], OFFICE, "203.0.113.9", "203.0.113.9"),
        (["private"], OFFICE, "203.0.113.9, 10.0.0.9", "203.0.113.9"),
        (["10.0.0.7"], OFFICE, "127.0.0.1, 203.0.113.9", "203.0.113.9"),  # the left part may be forged
        (["private"], OFFICE, "10.0.0.8, 10.0.0.9", "10.0.0.8"),
        (["10.0.0.7"], OFFICE, "203.0.113.9:4711", "203.0.113.9"),
        (["10.0.0.7"], OFFICE, "[2001:db8::1]:4711", "2001:db8::1"),
        (["10.0.0.7"], OFFICE, "unknown", "unknown"),
        (["10.0.0.7"], OFFICE, " , ", OFFICE),
        (["10.0.0.7"], OFFICE, None, OFFICE),
    ],
)
def test_the_client_behind_proxies_is_the_rightmost_address_nobody_vouches_for(
    trusted: list[str], peer_address: str, forwarded: str | None, client: str
) -> None:
    peer = Peer({"server": {"trusted_proxies": trusted}} | with_events(allow=["any"]), address=peer_address)
    headers = {"X-Forwarded-For": forwarded} if forwarded else {}
    assert f"<{client}>" in peer.get("/", headers=headers).text


def test_a_trusted_proxy_tells_scheme_and_host_and_others_do_not() -> None:
    headers = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "cti.example.com"}
    trusting = Peer({"server": {"trusted_proxies": ["private"]}})
    got = trusting.get("/soap", query_string="wsdl", headers=headers)
    assert b'"https://cti.example.com/soap"' in got.data
    got = Peer().get("/soap", query_string="wsdl", headers=headers)
    assert b'"http://localhost/soap"' in got.data


def test_a_forwarded_scheme_that_is_none_is_ignored() -> None:
    peer = Peer({"server": {"trusted_proxies": ["private"]}})
    got = peer.get("/soap", query_string="wsdl", headers={"X-Forwarded-Proto": "javascript"})
    assert b'"http://localhost/soap"' in got.data


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("10.0.0.1", "10.0.0.1"),
        ("10.0.0.1:80", "10.0.0.1"),
        ("::1", "::1"),
        ("[::1]", "::1"),
        ("[::1]:80", "::1"),
    ],
)
def test_a_port_is_taken_off_an_address(text: str, expected: str) -> None:
    assert without_port(text) == expected


def test_a_token_that_is_not_configured_equals_nothing() -> None:
    assert not same("", b"")
    assert same("é", "é".encode())


def test_an_empty_list_of_networks_has_no_members() -> None:
    assert not membership([])("127.0.0.1")


@pytest.mark.parametrize("written", ["unknown", "_hidden", "x" * 5000, "fe80::1%" + "x" * 5000, "10.0.0.300", "<b>"])
def test_what_a_proxy_forwards_that_is_no_address_has_no_rights_and_is_not_repeated(written: str) -> None:
    peer = Peer({"server": {"trusted_proxies": ["10.0.0.2"]}}, address="10.0.0.2")
    headers = {"X-Forwarded-For": f"10.0.0.9, {written}"}
    got = peer.get("/wconnect/WConnect_WSDL_ConsultaRamal.php?ramal=3501&telefone=47", headers=headers)
    assert got.status_code == 403
    assert "unknown" in got.text
    assert len(got.text) < 300
