"""A failure before anything is sent is never told as *unknown*, whatever it is: another appliance may then be tried."""

import xmlrpc.client
from contextlib import closing
from typing import Any

import pytest

from adapters import webhook
from adapters.ami.session import AmiSession
from adapters.http.connection import ConnectionPool
from adapters.http.outcomes import built
from adapters.http.templates import Template
from adapters.soap.call import SoapCall
from adapters.soap.wsdl import Contract
from gateway.adapter import Outcome, defect_of
from gateway.errors import AdapterError
from tests.adapters.bad_peers import free_port
from tests.adapters.dialects import DIAL, DIALECTS, GUIDE, make
from tests.adapters.protocols import HTTP


class Stumbled(Exception):
    """What no adapter expects."""


def stumble(*_: Any, **__: Any) -> Any:
    raise Stumbled("com a senha s3nha")


BREAKS = {
    "url": (Template, "render"),
    "preset": (Template, "render"),
    "xmlrpc": (xmlrpc.client, "dumps"),
    "soap": (Contract, "request"),
    "ami": (Template, "render"),
    "webhook": (webhook, "signature"),
    GUIDE: (Template, "render"),
}


@pytest.mark.parametrize("name", sorted(DIALECTS))
def test_a_defect_of_an_adapter_before_sending_is_unreachable(name, monkeypatch, caplog):
    """An ``AttributeError`` in the reading of a WSDL was told as *unknown*, so nobody dared to dial again."""
    with closing(make(name, f"http://127.0.0.1:{free_port()}")) as speaking:
        monkeypatch.setattr(*BREAKS[name], stumble)
        delivery = speaking.deliver(DIAL)
        assert delivery.outcome is Outcome.UNREACHABLE
        assert "Stumbled, test_before_sending.py" in delivery.detail
        with pytest.raises(AdapterError, match="has a defect: Stumbled"):
            speaking.preview(DIAL)
    assert "Stumbled, test_before_sending.py" in caplog.text
    assert "s3nha" not in caplog.text + delivery.detail


@pytest.mark.parametrize("name", sorted(name for name in DIALECTS if DIALECTS[name].protocol is HTTP))
@pytest.mark.parametrize(("sent", "outcome"), [(False, Outcome.UNREACHABLE), (True, Outcome.UNKNOWN)])
def test_a_defect_of_the_connection_counts_by_whether_anything_was_sent(name, sent, outcome, monkeypatch):
    def exchange(connections: ConnectionPool, origin: str, data: bytes, attempt: Any, *, connect_s: float) -> Any:
        attempt.sent = sent
        return stumble()

    monkeypatch.setattr(ConnectionPool, "exchange", exchange)
    with closing(make(name, f"http://127.0.0.1:{free_port()}")) as speaking:
        delivery = speaking.deliver(DIAL)
    assert delivery.outcome is outcome
    assert "o adaptador tem um defeito (Stumbled, test_before_sending.py" in delivery.detail


@pytest.mark.parametrize(
    ("step", "outcome"), [("log_in", Outcome.UNREACHABLE), ("ask_and_watch", Outcome.UNKNOWN), ("ask", Outcome.UNKNOWN)]
)
def test_a_defect_of_a_session_counts_by_whether_the_login_was_over(step, outcome, monkeypatch):
    for harmless in ("log_in", "ask_and_watch", "ask"):
        monkeypatch.setattr(AmiSession, harmless, stumble if harmless == step else lambda *_: None)
    with closing(make("ami", f"http://127.0.0.1:{free_port()}")) as speaking:
        delivery = speaking.hangup(DIAL) if step == "ask" else speaking.deliver(DIAL)
    assert delivery.outcome is outcome
    assert "o adaptador tem um defeito (Stumbled, test_before_sending.py" in delivery.detail


def test_a_wsdl_that_our_reading_stumbles_over_is_unreachable_and_a_failed_probe(monkeypatch):
    monkeypatch.setattr(Contract, "_make_ready", stumble)
    with closing(make("soap", f"http://127.0.0.1:{free_port()}")) as speaking:
        assert speaking.deliver(DIAL).outcome is Outcome.UNREACHABLE
        assert not speaking.probe().ok


def test_a_defect_of_the_loading_itself_is_a_failed_probe_too(monkeypatch):
    monkeypatch.setattr(SoapCall, "_load", stumble)
    with closing(make("soap", f"http://127.0.0.1:{free_port()}")) as speaking:
        assert "Stumbled" in speaking.probe().detail


def test_errors_that_say_what_to_do_pass_as_they_are():
    error = AdapterError("o ramal não existe.")

    def refuse() -> None:
        raise error

    with pytest.raises(AdapterError) as raised:
        built(refuse)
    assert raised.value is error


def test_a_defect_is_named_by_kind_and_place_and_never_by_its_words():
    with pytest.raises(Stumbled) as raised:
        stumble()
    assert defect_of(raised.value).startswith("Stumbled, test_before_sending.py:")
    assert defect_of(Stumbled("s3nha")) == "Stumbled"
