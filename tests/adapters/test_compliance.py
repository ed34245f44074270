"""What every adapter owes the gateway, tried on every registered adapter against live peers."""

import re
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import fields

import pytest

from gateway.adapter import Outcome, load, longest_of, names
from gateway.errors import AdapterError
from tests.adapters.bad_peers import BAD, answer, free_port, hang, serving
from tests.adapters.dialects import DIAL, PASSWORD, SECRETS, dialect, make

ADAPTERS = names()


def good(name):
    spoken = dialect(name)
    return answer("200 OK", spoken.success, spoken.content_type)


def refusing(name, text="busy"):
    spoken = dialect(name)
    status, body = spoken.fault(text)
    return answer(status, body, spoken.content_type)


@pytest.mark.parametrize("name", ADAPTERS)
def test_every_registered_adapter_is_in_this_suite(name):
    assert dialect(name)


@pytest.mark.parametrize("name", ADAPTERS)
def test_every_setting_has_its_sentence(name):
    for setting in fields(load(name).Config):
        assert setting.metadata["help"].endswith("."), setting.name


@pytest.mark.parametrize("behaviour", BAD)
@pytest.mark.parametrize("name", ADAPTERS)
def test_a_bad_peer_comes_to_its_outcome_in_time(name, behaviour):
    behave, outcome = BAD[behaviour]
    with serving(behave) as peer, closing(make(name, peer.address)) as adapter:
        started = time.monotonic()
        delivery = adapter.deliver(DIAL)
        took_s = time.monotonic() - started
        assert (delivery.outcome, len(peer.requests)) == (outcome, 1), delivery.detail
        assert took_s < 5
        assert took_s < (longest_of(adapter) or 0) + 0.5
        assert "'pabx'" in delivery.detail
        assert delivery.detail.endswith(".")
        assert not re.search(r"s3nha|Error|Exception|object at|\w\.\w+\(", delivery.detail)


@pytest.mark.parametrize("name", ADAPTERS)
def test_a_peer_that_is_not_there_is_unreachable(name):
    with closing(make(name, f"http://127.0.0.1:{free_port()}")) as adapter:
        delivery = adapter.deliver(DIAL)
        assert delivery.outcome is Outcome.UNREACHABLE
        assert "conexão recusada" in delivery.detail
        assert not adapter.probe().ok


@pytest.mark.parametrize("name", ADAPTERS)
def test_a_name_that_does_not_resolve_is_unreachable(name):
    with closing(make(name, "http://pabx.invalid", timeout_s=5)) as adapter:
        assert adapter.deliver(DIAL).outcome is Outcome.UNREACHABLE


@pytest.mark.parametrize("name", ADAPTERS)
def test_a_peer_without_tls_where_tls_is_expected_is_unreachable(name):
    with serving(hang) as peer, closing(make(name, f"https://127.0.0.1:{peer.port}")) as adapter:
        assert adapter.deliver(DIAL).outcome is Outcome.UNREACHABLE
        assert not adapter.probe().ok


@pytest.mark.parametrize("name", ADAPTERS)
def test_a_refusal_in_the_protocols_own_words_is_passed_on(name):
    with serving(refusing(name, "ramal ocupado")) as peer, closing(make(name, peer.address)) as adapter:
        delivery = adapter.deliver(DIAL)
    assert delivery.outcome is Outcome.REFUSED
    assert "ramal ocupado" in delivery.detail


@pytest.mark.parametrize("name", ADAPTERS)
def test_a_success_is_accepted_with_the_peers_reference(name):
    with serving(good(name)) as peer, closing(make(name, peer.address)) as adapter:
        delivery = adapter.deliver(DIAL)
    assert (delivery.outcome, delivery.peer_ref) == (Outcome.ACCEPTED, "77")
    assert delivery.detail == "A central 'pabx' aceitou o pedido."


@pytest.mark.parametrize("name", ADAPTERS)
def test_a_probe_finds_the_peer_and_orders_nothing(name):
    with serving(good(name)) as peer, closing(make(name, peer.address)) as adapter:
        assert adapter.probe().ok
        assert not any(b"04799998888" in request or b"2000" in request for request in peer.requests)


@pytest.mark.parametrize("auth", ["none", "basic"])
@pytest.mark.parametrize("name", ADAPTERS)
def test_a_preview_is_byte_for_byte_what_a_delivery_sends(name, auth):
    login = {
        "auth": auth,
        "username": "agente",
        "password": PASSWORD,
        "headers": {"X-Token": SECRETS["other"]},
    }
    with serving(good(name)) as peer, closing(make(name, peer.address, **login)) as adapter:
        shown = adapter.preview(DIAL)
        assert peer.requests == []
        adapter.deliver(DIAL)
        assert [request.data for request in shown] == peer.requests
        assert {request.peer for request in shown} == {f"127.0.0.1:{peer.port}"}
        assert b"04799998888" in shown[0].data


@pytest.mark.parametrize("name", ADAPTERS)
def test_secrets_are_on_the_wire_and_nowhere_else(name):
    """The peer quotes them back as its reason, as login pages and debug faults do."""
    login = {
        "auth": "basic",
        "username": "agente",
        "password": PASSWORD,
        "headers": {"X-Token": SECRETS["other"]},
    }
    quoted = refusing(name, f"bad login {PASSWORD} {SECRETS['key']} {SECRETS['other']}")
    with serving(quoted) as peer, closing(make(name, peer.address, **login)) as adapter:
        delivery = adapter.deliver(DIAL)
        preview = adapter.preview(DIAL)[0]
        seen = [
            delivery.detail,
            repr(delivery),
            preview.shown(),
            adapter.probe().detail,
            repr(adapter._config),
        ]
        assert SECRETS["other"].encode("latin-1") in peer.requests[0]
    assert delivery.outcome is Outcome.REFUSED
    for text in seen:
        for secret in (PASSWORD, SECRETS["key"], SECRETS["other"], "ch%40ve", "ch@ve", "w0rd", "outr@"):
            assert secret not in text


@pytest.mark.parametrize("name", ADAPTERS)
def test_eight_threads_deliver_at_once_each_its_own_number(name):
    numbers = [f"0479999{index:04}" for index in range(64)]
    orders = [type(DIAL)("dial", number, {**DIAL.fields, "number": number}) for number in numbers]
    with serving(good(name)) as peer, closing(make(name, peer.address, timeout_s=10)) as adapter:
        with ThreadPoolExecutor(8) as threads:
            deliveries = list(threads.map(adapter.deliver, orders))
        assert {delivery.outcome for delivery in deliveries} == {Outcome.ACCEPTED}
        assert len(peer.requests) == 64
        for number in numbers:
            assert sum(number.encode() in request for request in peer.requests) == 1
        assert peer.connections <= 8


@pytest.mark.parametrize("name", ADAPTERS)
def test_a_connection_that_the_peer_closed_meanwhile_is_not_used_again(name):
    """Asterisk closes an idle connection after 15 s; the next order must not be lost in it."""

    def once(peer, connection):
        good(name)(peer, connection)
        return False

    with serving(once) as peer, closing(make(name, peer.address)) as adapter:
        for _ in range(3):
            assert adapter.deliver(DIAL).outcome is Outcome.ACCEPTED
            closed = time.monotonic() + 0.05
            while time.monotonic() < closed:
                time.sleep(0.01)
        assert len(peer.requests) == 3


@pytest.mark.parametrize("value", ["047\r\nHost: x", "047\n", "047\x00", "047\ud800"])
@pytest.mark.parametrize("name", ADAPTERS)
def test_a_number_with_control_characters_is_never_sent(name, value):
    order = type(DIAL)("dial", "o-2", {**DIAL.fields, "number": value})
    with serving(good(name)) as peer, closing(make(name, peer.address)) as adapter:
        assert adapter.deliver(order).outcome is Outcome.UNREACHABLE
        with pytest.raises(AdapterError):
            adapter.preview(order)
        assert peer.requests == []
