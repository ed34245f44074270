"""What every adapter owes the gateway, tried on every registered adapter, and on the guide's, against live peers.

What differs is declared by an adapter's Dialect: its protocol, its capabilities. Nothing is skipped.
"""

import re
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import fields
from urllib.parse import quote

import pytest

from gateway.adapter import Outcome, can_hang_up, longest_of, names, only_dials, overheard
from gateway.errors import AdapterError
from gateway.texts.languages import LANGUAGES
from gateway.texts.packing import pack
from gateway.texts.rendering import render
from tests.adapters.bad_peers import free_port, hang
from tests.adapters.dialects import (
    CAPABILITIES,
    DIAL,
    GUIDE,
    adapter_class,
    dialect,
    make,
)

AT_SITES = "onsite"
"""Speaks to no appliance: a gateway on site dials by an adapter of its own (tests/orders/test_onsite.py)."""
ADAPTERS = [*(name for name in names() if name != AT_SITES), GUIDE]
BAD = [(name, behaviour) for name in ADAPTERS for behaviour in dialect(name).protocol.bad]
LOGINS = [(name, login) for name in ADAPTERS for login in dialect(name).logins]
HANGUP = type(DIAL)("hangup", DIAL.id, {**DIAL.fields, "peer_ref": "gw-acme-o-1"})


def able(capability):
    """The adapters that declare ``capability``."""
    assert capability in CAPABILITIES
    return [name for name in ADAPTERS if capability in dialect(name).can]


@pytest.mark.parametrize("name", ADAPTERS)
def test_every_registered_adapter_is_in_this_suite(name):
    assert dialect(name)


@pytest.mark.parametrize("name", ADAPTERS)
def test_every_setting_has_its_sentence(name):
    for setting in fields(adapter_class(name).Config):
        assert setting.metadata["help"].endswith("."), setting.name


@pytest.mark.parametrize("name", ADAPTERS)
def test_what_an_adapter_declares_is_what_its_settings_say(name):
    with closing(make(name, "http://127.0.0.1:1")) as adapter:
        settings = {setting.name for setting in fields(adapter._config)}
        said = {
            "tls": "tls_verify" in settings,
            "headers": "headers" in settings,
            "secrets": any("SecretStr" in str(setting.type) for setting in fields(adapter._config)),
            "hangup": can_hang_up(adapter),
            "forwards": not getattr(adapter, "only_dials", False),
        }
    declared = dialect(name).can
    assert {capability for capability, has in said.items() if has} == declared - {"keeps"}
    assert declared <= CAPABILITIES.keys()
    assert ("auth" in settings) == (dialect(name).logins.keys() != {"none"})


@pytest.mark.parametrize("name", names())
def test_an_adapter_that_only_dials_says_so_to_the_configuration(name):
    assert only_dials(name) == (name == AT_SITES or "forwards" not in dialect(name).can)


@pytest.mark.parametrize(("name", "behaviour"), BAD)
def test_a_bad_peer_comes_to_its_outcome_in_time(name, behaviour):
    protocol = dialect(name).protocol
    bad = protocol.bad[behaviour]
    with protocol.serving(bad.behave, bad.greet) as peer, closing(make(name, peer.address)) as adapter:
        started = time.monotonic()
        delivery = adapter.deliver(DIAL)
        took_s = time.monotonic() - started
        assert delivery.outcome == bad.outcome, delivery.detail
        # A peer that is gone at once may not get to see what was written.
        assert len(peer.requests) in ({0, bad.requests} if bad.greet else {bad.requests})
        assert took_s < 5
        assert took_s < (longest_of(adapter) or 0) + 0.5
        assert "'pabx'" in delivery.detail
        for said in (render(delivery.text, language) for language in LANGUAGES):
            assert said.endswith(".")
            assert not re.search(r"s3nha|Error|Exception|object at|\w\.\w+\(|[{}]", said)


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


@pytest.mark.parametrize("name", able("tls"))
def test_a_peer_without_tls_where_tls_is_expected_is_unreachable(name):
    with (
        dialect(name).protocol.serving(hang) as peer,
        closing(make(name, f"https://127.0.0.1:{peer.port}")) as adapter,
    ):
        assert adapter.deliver(DIAL).outcome is Outcome.UNREACHABLE
        assert not adapter.probe().ok


@pytest.mark.parametrize("name", ADAPTERS)
def test_a_refusal_in_the_protocols_own_words_is_passed_on(name):
    spoken = dialect(name)
    with (
        spoken.protocol.serving(spoken.refusing("ramal ocupado")) as peer,
        closing(make(name, peer.address)) as adapter,
    ):
        delivery = adapter.deliver(DIAL)
    assert delivery.outcome is Outcome.REFUSED
    assert "ramal ocupado" in delivery.detail


@pytest.mark.parametrize("name", ADAPTERS)
def test_a_success_is_accepted_with_the_calls_reference(name):
    with dialect(name).good_peer() as peer, closing(make(name, peer.address)) as adapter:
        delivery = adapter.deliver(DIAL)
    assert (delivery.outcome, delivery.peer_ref) == (Outcome.ACCEPTED, dialect(name).ref)
    assert delivery.detail == "A central 'pabx' aceitou o pedido."


@pytest.mark.parametrize("name", able("hangup"))
def test_a_call_is_hung_up_and_a_no_or_silence_is_told(name):
    spoken = dialect(name)
    cases = [(spoken.good, "accepted"), (spoken.refusing("No such channel"), "refused")]
    for behave, outcome in cases:
        with spoken.protocol.serving(behave) as peer, closing(make(name, peer.address)) as adapter:
            assert adapter.hangup(HANGUP).outcome == outcome
            assert spoken.protocol.orders(peer.requests) == []
            assert [request.data for request in adapter.preview(HANGUP)] == peer.requests
    with closing(make(name, f"http://127.0.0.1:{free_port()}")) as adapter:
        assert adapter.hangup(HANGUP).outcome is Outcome.UNREACHABLE


@pytest.mark.parametrize("name", ADAPTERS)
def test_a_probe_finds_the_peer_and_orders_nothing(name):
    with dialect(name).good_peer() as peer, closing(make(name, peer.address)) as adapter:
        assert adapter.probe().ok
        assert not any(b"04799998888" in request or b"2000" in request for request in peer.requests)


@pytest.mark.parametrize(("name", "login"), LOGINS)
def test_a_preview_is_byte_for_byte_what_a_delivery_sends(name, login):
    settings = dialect(name).logins[login]
    with dialect(name).good_peer() as peer, closing(make(name, peer.address, **settings)) as adapter:
        shown = adapter.preview(DIAL)
        assert peer.requests == []
        adapter.deliver(DIAL)
        assert [request.data for request in shown] == peer.requests
        assert {request.peer for request in shown} == {f"127.0.0.1:{peer.port}"}
        (order,) = dialect(name).protocol.orders(peer.requests)
        assert b"04799998888" in order


@pytest.mark.parametrize("name", ADAPTERS)
def test_the_wire_log_is_told_of_all_that_is_sent_and_of_a_failure(name):
    heard = []
    with dialect(name).good_peer() as peer, closing(make(name, peer.address)) as adapter:
        with overheard(heard.append):
            adapter.deliver(DIAL)
        assert [told.request.data for told in heard] == peer.requests
        assert {told.request.peer for told in heard} == {f"127.0.0.1:{peer.port}"}
        assert all(told.answer and not told.problem for told in heard)
    heard.clear()
    with closing(make(name, f"http://127.0.0.1:{free_port()}")) as adapter, overheard(heard.append):
        adapter.deliver(DIAL)
    assert [(told.request.data, told.answer, str(told.problem)) for told in heard] == [(b"", b"", "connection refused")]


@pytest.mark.parametrize("name", able("secrets"))
def test_secrets_are_on_the_wire_and_nowhere_else(name):
    """The peer quotes them back as its reason, as login pages and debug faults do."""
    spoken, heard = dialect(name), []
    quoted = spoken.refusing(f"bad login {' '.join(spoken.secrets)}")
    with (
        spoken.protocol.serving(quoted) as peer,
        closing(make(name, peer.address, **spoken.secret_login)) as adapter,
    ):
        with overheard(heard.append):
            delivery = adapter.deliver(DIAL)
        preview = adapter.preview(DIAL)
        seen = [
            *(render(delivery.text, language) for language in LANGUAGES),
            pack(delivery.text),
            repr(delivery),
            *(request.shown() for request in preview),
            *(told.request.shown() for told in heard),
            adapter.probe().detail,
            repr(adapter._config),
        ]
        assert spoken.secrets[-1].encode("latin-1") in peer.requests[0]
    assert delivery.outcome is Outcome.REFUSED
    pieces = [piece for secret in spoken.secrets for piece in re.findall(r"[^\s&<>/\"]{4,}", secret)]
    for text in seen:
        for hidden in (*spoken.secrets, *pieces, *map(quote, pieces)):
            assert hidden not in text


@pytest.mark.parametrize("name", ADAPTERS)
def test_eight_threads_deliver_at_once_each_its_own_number(name):
    numbers = [f"0479999{index:04}" for index in range(64)]
    orders = [type(DIAL)("dial", number, {**DIAL.fields, "number": number}) for number in numbers]
    with dialect(name).good_peer() as peer, closing(make(name, peer.address, timeout_s=10)) as adapter:
        with ThreadPoolExecutor(8) as threads:
            deliveries = list(threads.map(adapter.deliver, orders))
        assert {delivery.outcome for delivery in deliveries} == {Outcome.ACCEPTED}
        sent = dialect(name).protocol.orders(peer.requests)
        assert len(sent) == 64
        for number in numbers:
            assert sum(number.encode() in request for request in sent) == 1
        assert peer.connections <= (8 if "keeps" in dialect(name).can else 64)


@pytest.mark.parametrize("name", ADAPTERS)
def test_a_connection_that_the_peer_closed_meanwhile_is_not_used_again(name):
    """Asterisk closes an idle connection after 15 s; the next order must not be lost in it."""
    spoken = dialect(name)

    def once(peer, connection):
        spoken.good(peer, connection)
        return not spoken.protocol.is_order(peer.asked)

    with spoken.protocol.serving(once) as peer, closing(make(name, peer.address)) as adapter:
        for _ in range(3):
            assert adapter.deliver(DIAL).outcome is Outcome.ACCEPTED
            closed = time.monotonic() + 0.05
            while time.monotonic() < closed:
                time.sleep(0.01)
        assert len(spoken.protocol.orders(peer.requests)) == 3


@pytest.mark.parametrize("value", ["047\r\nHost: x", "047\n", "047\x00", "047\ud800"])
@pytest.mark.parametrize("field", ["number", "extension"])
@pytest.mark.parametrize("name", ADAPTERS)
def test_a_value_with_control_characters_is_never_sent(name, field, value):
    order = type(DIAL)("dial", "o-2", {**DIAL.fields, field: value})
    with dialect(name).good_peer() as peer, closing(make(name, peer.address)) as adapter:
        assert adapter.deliver(order).outcome is Outcome.UNREACHABLE
        with pytest.raises(AdapterError):
            adapter.preview(order)
        assert peer.requests == []
