"""The listener settings: other names of parameters, and answers for exchanges that read only one."""

from typing import Any

import pytest

from gateway.config.tables import LISTENER_PARAMETERS, MORE_PARAMETERS
from gateway.domain.messages import ATTACHED, CallEnded, CallStarted, CallTransferred
from gateway.errors import QueueFull
from gateway.wire.operations import EVENTS
from gateway.wire.soap.contract_encoded import PATH
from tests.wire.envelopes import encoded, read_any_fault
from tests.wire.peers import OUTSIDE, Peer

START = "/wconnect/WConnect_WSDL_ConsultaRamal.php"
TRANSFER = "/wconnect/WConnect_WSDL_TransfereLigacao.php"
END = "/wconnect/WConnect_WSDL_FinalizaLigacao.php"
SRC_DST = {"ramal": ["dst", "Ramal_Destino"], "telefone": ["src"], "id_ligacao": ["id"], "url_audio": ["gravacao"]}


def listening(**listener: Any) -> Peer:
    return Peer({"tenants": {"default": {"listener": listener}, "outra": {}}})


def test_every_parameter_of_an_event_may_have_other_names() -> None:
    named = {name for event in EVENTS for name in event.names}
    assert named == {*LISTENER_PARAMETERS, *MORE_PARAMETERS}


def test_a_company_s_own_name_counts_before_a_parameter_that_came_later() -> None:
    peer = listening(aliases={"resultado": ["causa"], "ramal": ["ramal_destino"], "campos": ["Extras"]})
    peer.get(f"/t/default{END}", query_string="ramal=3501&telefone=47&causa=BUSY&extras[cpf]=1")
    peer.get(f"/t/default{TRANSFER}", query_string="ramal=3501&telefone=47&ramal_destino=3502")
    ended, transferred = peer.core.messages
    assert isinstance(ended, CallEnded)
    assert (ended.result, ended.cause, ended.fields) == ("BUSY", None, {"cpf": "1"})
    assert isinstance(transferred, CallTransferred)
    assert (transferred.ramal, transferred.to) == ("3501", "3502")


@pytest.mark.parametrize(
    "query", ["src=47&dst=3501&id=17.1", "SRC=47&DST=3501&Id=17.1", "src=47&ramal_destino=3501&id_ligacao=17.1"]
)
def test_an_exchange_may_use_its_own_names(query: str) -> None:
    peer = listening(aliases=SRC_DST)
    peer.get(f"/t/default{START}", query_string=query)
    (message,) = peer.core.messages
    assert isinstance(message, CallStarted)
    assert (message.ramal, message.telefone, message.call_ref) == ("3501", "47", "17.1")


def test_own_names_work_in_a_form_and_for_an_address_that_was_not_encoded() -> None:
    peer = listening(aliases=SRC_DST)
    peer.post(f"/t/default{END}", data={"src": "47", "dst": "3501"}, query_string="gravacao=http://pbx/r?a=1&b=2")
    (message,) = peer.core.messages
    assert isinstance(message, CallEnded)
    assert (message.ramal, message.recording_url) == ("3501", "http://pbx/r?a=1&b=2")


def test_a_name_that_was_used_before_belongs_to_the_address_of_the_recording() -> None:
    peer = listening(aliases=SRC_DST)
    query = "src=47&dst=3501&id=17.1&url_audio=http://pbx/rec?a=1&id=10&fmt=wav"
    peer.get(f"/t/default{END}", query_string=query)
    (message,) = peer.core.messages
    assert isinstance(message, CallEnded)
    assert (message.call_ref, message.recording_url) == ("17.1", "http://pbx/rec?a=1&id=10&fmt=wav")


@pytest.mark.parametrize("name", list(ATTACHED))
def test_what_an_exchange_attaches_may_have_other_names_and_stands_ahead_of_an_address_that_was_not_encoded(
    name: str,
) -> None:
    peer = listening(aliases={ATTACHED[name]: ["outro"]})
    query = "telefone=47&ramal=3501&outro=Vendas&url_audio=http://pbx/rec?a=1&fmt=wav"
    peer.get(f"/t/default{END}", query_string=query)
    peer.get(f"/t/default{END}", query_string=f"telefone=47&ramal=3501&url_audio=http://pbx/rec?a=1&{ATTACHED[name]}=7")
    first, second = peer.core.messages
    assert isinstance(first, CallEnded)
    assert (first.attached, first.recording_url) == ({name: "Vendas"}, "http://pbx/rec?a=1&fmt=wav")
    assert isinstance(second, CallEnded)
    assert (second.attached, second.recording_url) == ({}, f"http://pbx/rec?a=1&{ATTACHED[name]}=7")


def test_the_names_of_one_company_mean_nothing_to_another() -> None:
    peer = listening(aliases=SRC_DST)
    assert peer.get(f"/t/outra{START}", query_string="src=47&dst=3501").status_code == 400


@pytest.mark.parametrize(("reply", "body"), [("ok", b"ok"), ("OK {id}\n", b"OK 1\n"), ("<id>{id}</id>", b"<id>1</id>")])
def test_the_body_of_the_answer_is_what_the_exchange_wants(reply: str, body: bytes) -> None:
    got = listening(reply=reply).get(f"/t/default{START}", query_string="ramal=3501&telefone=47")
    assert (got.status_code, got.data) == (200, body)


def test_an_exchange_that_reads_one_status_only_gets_it_with_every_error() -> None:
    peer = listening(status_on_error=200)
    got = peer.get(f"/t/default{START}", query_string="ramal=3501")
    assert (got.status_code, got.text[:9]) == (200, "ERRO 210:")
    peer.core.fail_with = QueueFull(1)
    got = peer.get(f"/t/default{START}", query_string="ramal=3501&telefone=47")
    assert (got.status_code, got.text[:9], got.headers["Retry-After"]) == (200, "ERRO 410:", "1")
    assert peer.get(f"/t/outra{START}", query_string="ramal=3501&telefone=47").status_code == 503


def test_a_status_without_a_registered_phrase_can_be_configured_too() -> None:
    assert listening(status_on_error=299).get(f"/t/default{START}").status == "299 Status"


@pytest.mark.parametrize("path", ["/soap", PATH])
def test_a_soap_client_that_does_not_read_a_500_gets_its_fault_with_another_status(path: str) -> None:
    peer = listening(fault_status=200)
    for body in (encoded("ConsultaRamal", {}), "no XML"):
        got = peer.post(f"/t/default{path}", data=body.encode(), content_type="text/xml")
        assert (got.status_code, read_any_fault(got.data).code) == (200, "soap:Client")
    assert peer.post(f"/t/outra{path}", data=b"no XML").status_code == 500


def test_a_soap_client_still_learns_by_401_that_it_must_log_in() -> None:
    call = encoded("ClickToCall", {"ramal": "3501", "telefone": "47"}).encode()
    assert listening(fault_status=200).post("/t/default/soap", data=call, address=OUTSIDE).status_code == 401
