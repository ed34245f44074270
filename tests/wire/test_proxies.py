"""What came by a reverse proxy is never "this machine", whatever the proxy says, or does not say."""

from typing import Any

import pytest

from gateway.wire.clients import Proxies
from tests.wire.peers import OFFICE, OUTSIDE, Peer

DIAL = "/click-to-call?origem=3501&destino=4732100123"
EVENT = "/wconnect/WConnect_WSDL_ConsultaRamal.php?ramal=3501&telefone=4732100123"
LOCAL = "127.0.0.1"
SIGNS = [
    "X-Forwarded-For",
    "X-Forwarded-Proto",
    "X-Forwarded-Host",
    "X-Forwarded-Port",
    "X-Forwarded-Server",
    "X-Forwarded",
    "Forwarded",
    "Via",
    "X-Real-IP",
    "X-Client-IP",
    "True-Client-IP",
    "CF-Connecting-IP",
]
MADE_UP = [
    "127.0.0.1",
    "127.0.0.2",
    "127.0.0.2:4711",
    "::1",
    "[::1]:80",
    "::ffff:127.0.0.1",
    "::ffff:7f00:2",
    "0:0:0:0:0:0:0:1",
    f"{OUTSIDE}, 127.0.0.2",
    "localhost",
    "unknown",
    "",
    " , ",
]


def peer_of(*, trusted: list[str], allow: list[str], address: str = LOCAL) -> Peer:
    """A gateway behind ``trusted`` proxies that takes events from ``allow``, asked by ``address``."""
    config: dict[str, Any] = {"tenants": {"default": {"events": {"allow": allow}}}}
    return Peer(config | {"server": {"trusted_proxies": trusted, "metrics_allow": allow}}, address=address)


@pytest.mark.parametrize("header", SIGNS)
@pytest.mark.parametrize("trusted", [[], ["loopback"]])
def test_any_sign_of_a_proxy_ends_the_rights_of_this_machine(header: str, trusted: list[str]) -> None:
    peer = peer_of(trusted=trusted, allow=["loopback"])
    assert peer.get(DIAL, headers={header: "127.0.0.1"}).status_code == 401
    assert peer.get(EVENT, headers={header: "127.0.0.1"}).status_code == 403
    assert peer.get("/metrics", headers={header: "127.0.0.1"}).status_code == 403
    assert peer.core.messages == []


@pytest.mark.parametrize("written", MADE_UP)
@pytest.mark.parametrize("address", [LOCAL, "127.3.2.1", "::1", "::ffff:127.0.0.1"])
def test_a_trusted_proxys_client_is_never_this_machine(written: str, address: str) -> None:
    peer = peer_of(trusted=["loopback"], allow=["loopback"], address=address)
    headers = {"X-Forwarded-For": written}
    assert [peer.get(path, headers=headers).status_code for path in (DIAL, EVENT, "/metrics")] == [401, 403, 403]


def test_a_proxy_whose_client_is_unknown_has_no_rights_of_its_own_either() -> None:
    peer = peer_of(trusted=[OFFICE], allow=["private"], address=OFFICE)
    assert peer.get(EVENT, headers={"X-Forwarded-Proto": "https"}).status_code == 403
    assert peer.get(EVENT, headers={"X-Forwarded-For": "10.0.0.9"}).status_code == 200
    assert peer.get(EVENT).status_code == 200  # itself


def test_a_trusted_proxy_on_this_machine_that_adds_nothing_does_not_dial() -> None:
    """``proxy_pass`` alone: the request cannot be told from a local exchange's, whose events are still taken."""
    peer = peer_of(trusted=["loopback"], allow=["loopback"])
    assert peer.get(DIAL).status_code == 401
    assert peer.get(EVENT).status_code == 200


def test_a_program_on_this_machine_keeps_its_rights_where_no_proxy_shows() -> None:
    peer = peer_of(trusted=["10.0.0.2"], allow=["loopback"])
    assert [peer.get(path).status_code for path in (DIAL, EVENT, "/metrics")] == [200, 200, 200]


@pytest.mark.parametrize("allow", [["any"], ["0.0.0.0/0", "::/0"]])
def test_any_means_whoever_asks_through_a_proxy_too(allow: list[str]) -> None:
    for peer in (peer_of(trusted=["loopback"], allow=allow), peer_of(trusted=[], allow=allow, address=OFFICE)):
        for written in (OUTSIDE, "127.0.0.2", "unknown"):
            assert peer.get(EVENT, headers={"X-Forwarded-For": written}).status_code == 200


def test_the_refusal_says_that_a_proxy_hides_who_asks_and_what_to_do() -> None:
    got = peer_of(trusted=[], allow=["loopback"]).get(EVENT, headers={"Via": "1.1 nginx"})
    assert got.text == (
        "ERRO 310: o endereço 127.0.0.1 (um proxy que não diz de quem é o pedido, ou diz que é desta máquina) não pode "
        "enviar eventos a esta empresa. Confira server.trusted_proxies e o X-Forwarded-For que o proxy envia ou envie "
        "o token da empresa.\n"
    )


@pytest.mark.parametrize(
    ("written", "status"),
    [
        ("10.0.0.9", 200),
        ("10.0.0.9, 192.168.0.3", 200),
        (OUTSIDE, 403),
        (f"{OUTSIDE}, 10.0.0.9", 403),
        (f"10.0.0.9, {OUTSIDE}:4711", 403),
        ("unknown", 403),
    ],
)
def test_a_proxy_in_the_office_that_nobody_trusts_lends_strangers_no_rights(written: str, status: int) -> None:
    peer = peer_of(trusted=[], allow=["private"], address=OFFICE)
    for path in (EVENT, "/metrics"):
        assert peer.get(path, headers={"X-Forwarded-For": written}).status_code == status


def test_the_refusal_of_such_a_stranger_names_it_and_the_proxy() -> None:
    got = Peer(address=OFFICE).get(EVENT, headers={"X-Forwarded-For": OUTSIDE})
    assert got.text == (
        f"ERRO 310: o endereço {OUTSIDE} (dito pelo proxy {OFFICE}) não pode enviar eventos a esta empresa. Confira "
        "server.trusted_proxies e o X-Forwarded-For que o proxy envia ou envie o token da empresa.\n"
    )


def test_the_office_behind_a_trusted_proxy_keeps_its_rights() -> None:
    peer = peer_of(trusted=["loopback"], allow=["loopback", "private"])
    headers = {"X-Forwarded-For": "192.168.0.10", "X-Real-IP": "192.168.0.10", "X-Forwarded-Proto": "https"}
    assert peer.get(EVENT, headers=headers).status_code == 200
    assert peer.get("/metrics", headers=headers).status_code == 200


def test_several_lists_of_addresses_are_one_whose_last_counts() -> None:
    environ: dict[str, Any] = {"REMOTE_ADDR": LOCAL, "HTTP_X_FORWARDED_FOR": f"127.0.0.2,{OUTSIDE}"}
    Proxies(["loopback"]).identify(environ)
    assert (environ["cti.client"], environ["cti.hidden"]) == (OUTSIDE, False)


@pytest.mark.parametrize(
    ("written", "used"),
    [
        ("cti.example.com", "cti.example.com"),
        ("cti.example.com:8443", "cti.example.com:8443"),
        ("evil.example, cti.example.com", "cti.example.com"),
        ("[2001:db8::1]:443", "[2001:db8::1]:443"),
        ("", "localhost"),
        ("evil.example/path", "localhost"),
        ("user@evil.example", "localhost"),
        ('a"><script>', "localhost"),
        ("x" * 300, "localhost"),
        ("cti.example.com,", "localhost"),
    ],
)
def test_a_forwarded_host_that_is_none_is_not_used(written: str, used: str) -> None:
    peer = Peer({"server": {"trusted_proxies": ["private"]}})
    got = peer.get("/soap", query_string="wsdl", headers={"X-Forwarded-Host": written})
    assert f'"http://{used}/soap"'.encode() in got.data


# --- /metrics -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("allow", "address", "status"),
    [
        (None, LOCAL, 200),
        (None, OFFICE, 200),
        (None, "::ffff:192.168.0.3", 200),
        (None, OUTSIDE, 403),
        (None, "", 403),
        (["loopback"], OFFICE, 403),
        ([OUTSIDE], OUTSIDE, 200),
        (["any"], OUTSIDE, 200),
        ([], LOCAL, 403),
    ],
)
def test_metrics_are_for_the_networks_that_the_configuration_names(
    allow: list[str] | None, address: str, status: int
) -> None:
    peer = Peer({} if allow is None else {"server": {"metrics_allow": allow}}, address=address)
    for path in ("/metrics", "/t/default/metrics"):
        assert peer.get(path).status_code == status


def test_the_refusal_of_metrics_names_the_address_and_the_setting() -> None:
    got = Peer(address=OUTSIDE).get("/metrics")
    assert got.text == (f"ERRO 315: o endereço {OUTSIDE} não pode ler as métricas. Inclua-o em server.metrics_allow.\n")
    assert Peer(address=OUTSIDE).send("HEAD", "/metrics").data == b""


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_liveness_and_readiness_are_for_everybody_and_name_no_company(path: str) -> None:
    got = Peer({"tenants": {"acme-secreta": {}}}, address=OUTSIDE).get(path)
    assert got.status_code == 200
    assert "acme" not in got.text
