"""Where only public targets are allowed, no name leads anywhere else, however its address is written."""

import socket
from collections.abc import Iterator
from ipaddress import ip_address

import pytest

from adapters.http import connecting
from adapters.http.reach import PrivateAddress, allowed, is_public
from adapters.url import UrlAdapter, UrlConfig
from gateway.adapter import Delivery, Outcome, Outgoing
from gateway.domain.event_fields import SAMPLE
from gateway.errors import AdapterError
from tests.adapters.bad_peers import Peer, answer, serving

STARTED = Outgoing("call_started", "1", SAMPLE)


@pytest.mark.parametrize("address", ["8.8.8.8", "2001:4860:4860::8888", "64:ff9b::808:808", "::ffff:8.8.8.8"])
def test_is_public(address):
    assert is_public(ip_address(address))


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "127.1.2.3", "10.0.0.1", "172.16.0.1", "192.168.0.10", "0.0.0.0", "169.254.169.254"),
        *("100.64.0.1", "100.100.100.200", "224.0.0.1", "255.255.255.255", "192.0.2.1", "198.18.0.1", "240.0.0.1"),
        *("::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "fd00:ec2::254", "ff02::1", "2001:db8::1"),
        *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::a00:1", "2002:a00:1::", "2001:0:a00:1::f5ff:fffe"),
    ],
)
def test_is_not_public(address):
    assert not is_public(ip_address(address))


def answers(*addresses: str) -> list[tuple]:
    return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 80)) for address in addresses]


def test_of_a_name_the_public_addresses_are_left():
    assert allowed("crm.example.com", answers("10.0.0.1", "8.8.8.8")) == answers("8.8.8.8")


@pytest.mark.parametrize("host", ["crm.example.com", "localhost", "2130706433", "0x7f.1", "127.1", "::ffff:127.0.0.1"])
def test_a_name_or_another_way_to_write_it_leads_to_no_private_address(host):
    with pytest.raises(PrivateAddress):
        allowed(host, answers("127.0.0.1", "10.0.0.1"))


@pytest.mark.parametrize("host", ["127.0.0.1", "192.168.0.10", "::1", "[::1]"])
def test_a_private_address_that_is_written_out_is_meant(host):
    assert allowed(host, answers(host.strip("[]")))


@pytest.mark.parametrize("host", ["0.0.0.0", "169.254.169.254", "fe80::1", "::", "fd00:ec2::254", "::ffff:10.0.0.1"])
def test_no_target_is_at_addresses_that_lead_to_the_machine_itself_or_to_its_secrets(host):
    with pytest.raises(PrivateAddress):
        allowed(host, answers(host))


@pytest.fixture(scope="module")
def crm() -> Iterator[Peer]:
    with serving(answer("200 OK", b"OK")) as running:
        yield running


def tell(host: str, port: int, *, public_only: bool = True) -> Delivery:
    config = UrlConfig(url=f"http://{host}:{port}/?r={{{{ ramal }}}}", success="^OK", public_only=public_only)
    adapter = UrlAdapter(config, name="crm")
    try:
        return adapter.deliver(STARTED)
    finally:
        adapter.close()


@pytest.mark.parametrize("host", ["localhost", "2130706433", "0x7f.1", "0.0.0.0"])
def test_nothing_is_sent_to_a_target_that_turns_out_to_be_private(crm, host):
    before = crm.connections
    told = tell(host, crm.port)
    assert told.outcome is Outcome.UNREACHABLE
    assert "leads to a private address" in str(told.text)
    assert crm.connections == before


@pytest.mark.parametrize(("host", "public_only"), [("127.0.0.1", True), ("localhost", False), ("2130706433", False)])
def test_a_target_is_reached_that_is_written_out_or_may_be_private(crm, host, public_only):
    assert tell(host, crm.port, public_only=public_only).outcome is Outcome.ACCEPTED


def test_the_address_that_was_judged_is_the_one_connected_to(crm, monkeypatch):
    """A name server that answers another address each time (DNS rebinding) is asked once."""
    real = answers("8.8.8.8"), answers("127.0.0.1")
    asked: list[str] = []
    connected: list[str] = []

    def look_up(host: str, *_: object, **__: object) -> list[tuple]:
        asked.append(host)
        return real[min(len(asked), 2) - 1]

    def connect(address: tuple, *_: object) -> socket.socket:
        connected.append(address[4][0])
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    monkeypatch.setattr(connecting, "_connected", connect)
    assert tell("rebinding.example.com", crm.port).outcome is Outcome.UNREACHABLE
    assert asked == ["rebinding.example.com"]
    assert connected == ["8.8.8.8"]


def test_no_value_of_an_event_and_no_redirect_changes_the_host(crm):
    with serving(answer("302 Found", b"", "text/html", f"Location: {crm.address}")) as elsewhere:
        before = crm.connections
        assert tell("127.0.0.1", elsewhere.port).outcome is Outcome.UNKNOWN
        assert crm.connections == before
    with pytest.raises(AdapterError, match="written-out host"):
        UrlAdapter(UrlConfig(url=crm.address + "{{ fields }}", success="OK"), name="crm")
    adapter = UrlAdapter(UrlConfig(url=crm.address + "/{{ ramal }}/x", success="OK"), name="crm")
    told = adapter.deliver(Outgoing("call_started", "1", {**SAMPLE, "ramal": ".."}))
    assert told.outcome is Outcome.UNREACHABLE
    assert crm.connections == before
