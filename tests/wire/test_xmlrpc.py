"""XML-RPC: what old clients send, introspection, and our own faults."""

import xmlrpc.client
from datetime import datetime
from io import BytesIO
from typing import Any

import pytest
from structlog.testing import capture_logs

from gateway import __version__
from gateway.domain.calls.direction import tell_sides
from gateway.domain.messages import CallEnded, CallStarted
from gateway.domain.numbering.numbers import Extensions, NumberPlan
from gateway.errors import QueueFull
from gateway.handlers import Reply
from gateway.texts.languages import DEFAULT
from gateway.wire.xmlrpc import render, struct_of
from tests.wire.peers import OUTSIDE, Peer

PATH = "/xmlrpc"


@pytest.fixture
def peer() -> Peer:
    return Peer()


def call(peer: Peer, method: str, *params: Any) -> Any:
    """The answer of a call as Python's own client reads it, or its ``Fault``."""
    body = xmlrpc.client.dumps(params, method, allow_none=True).encode()
    return read(peer.post(PATH, data=body, content_type="text/xml").data)


def read(data: bytes) -> Any:
    ((answer,), _) = xmlrpc.client.loads(data)
    return answer


def raw(params: str, method: str = "ConsultaRamal") -> bytes:
    return f"<methodCall><methodName>{method}</methodName><params>{params}</params></methodCall>".encode()


def the_start(peer: Peer) -> tuple[str, str]:
    (message,) = peer.core.messages
    assert isinstance(message, CallStarted)
    return message.ramal, message.telefone


def test_the_answer_is_a_struct_with_an_int_id(peer: Peer) -> None:
    assert call(peer, "ConsultaRamal", "3501", "4732100123") == {
        "status": "OK",
        "mensagem": "chamada registrada",
        "id": 1,
    }


@pytest.mark.parametrize("call_id", [0, 42, xmlrpc.client.MAXINT, xmlrpc.client.MAXINT + 1, 2**63 - 1])
@pytest.mark.parametrize("sentence", ["chamada registrada", 'não <é> & "é"\r\n]]>', "<int>2147483647</int>", ""])
@pytest.mark.parametrize("is_ok", [True, False])
def test_an_answer_is_the_document_that_python_s_own_writer_makes(call_id: int, sentence: str, is_ok: bool) -> None:
    struct = struct_of(Reply(is_ok, sentence, call_id), DEFAULT)
    expected = xmlrpc.client.dumps((struct,), methodresponse=True).encode("ascii", "xmlcharrefreplace")
    for _ in range(2):  # the second comes from what was remembered of the first
        assert render(struct).body == expected


def test_positional_parameters_come_in_the_documented_order(peer: Peer) -> None:
    call(peer, "FinalizaLigacao", "3501", "4732100123", "http://pbx/a.wav", "17.1", None, "saida", 75, "ok")
    (message,) = peer.core.messages
    assert isinstance(message, CallEnded)
    assert (message.recording_url, message.call_ref, message.occurred_at) == (
        "http://pbx/a.wav",
        "17.1",
        None,
    )
    assert (message.direction, message.duration_s, message.result) == ("outgoing", 75, "ok")


@pytest.mark.parametrize(
    ("operation", "known"),
    [("ConsultaRamal", ("17.1", None, "saida")), ("FinalizaLigacao", (None, "17.1", None, "saida", 75, "ok"))],
)
def test_a_login_behind_the_last_position_is_nothing_that_an_exchange_attached(
    peer: Peer, operation: str, known: tuple[object, ...]
) -> None:
    call(peer, operation, "3501", "4732100123", *known, "ana", "segredo")
    (message,) = peer.core.messages
    assert isinstance(message, CallStarted | CallEnded)
    assert (message.call_ref, message.attached) == ("17.1", {})


def test_extras_may_follow_as_a_struct(peer: Peer) -> None:
    moment = datetime(2026, 3, 4, 7, 15)
    call(peer, "ConsultaRamal", "3501", "4732100123", {"data_hora": moment, "direcao": "entrada"})
    (message,) = peer.core.messages
    assert isinstance(message, CallStarted)
    assert (message.occurred_at, message.direction) == (1_772_619_300_000, "incoming")


@pytest.mark.parametrize(
    "params",
    [
        "<param><value><string>3501</string></value></param><param><value><string>4732100123</string></value></param>",
        "<param><value>3501</value></param><param><value>4732100123</value></param>",
        "<param><value><int>3501</int></value></param><param><value><i8>4732100123</i8></value></param>",
        "<param><value><i4> 3501 </i4></value></param><param><value><int>4732100123</int></value></param>",
        "<param><value><base64>MzUwMQ==</base64></value></param><param><value>4732100123</value></param>",
        "<param><value><struct><member><name>Ramal</name><value>3501</value></member>"
        "<member><name>telefone</name><value><int>4732100123</int></value></member></struct></value></param>",
        # OpenSIPS names its parameters.
        "<param><name>ramal</name><value><string>3501</string></value></param>"
        "<param><name>telefone</name><value><string>4732100123</string></value></param>",
        "<param><value>3501</value></param><param><value>4732100123</value></param><param><value><nil/></value></param>",
        "<param><value>3501</value></param><param><value>4732100123</value></param><param><value/></param>",
    ],
)
def test_parameters_are_understood_the_way_old_clients_write_them(peer: Peer, params: str) -> None:
    assert read(peer.post(PATH, data=raw(params)).data)["status"] == "OK"
    assert the_start(peer) == ("3501", "4732100123")


@pytest.mark.parametrize(
    ("ramal", "telefone"), [(3501.0, 4732100123.0), (3501, 4732100123.0), ("3501.0", "4,7321001230E+09")]
)
def test_doubles_are_the_numbers_that_they_stand_for(peer: Peer, ramal: object, telefone: object) -> None:
    call(peer, "ConsultaRamal", ramal, telefone)
    sides = tell_sides(*the_start(peer), NumberPlan("47", Extensions.parse(["3500-3599"])))
    assert (sides.extension, sides.other.national, sides.direction) == ("3501", "4732100123", "incoming")


@pytest.mark.parametrize("method", ["consultaramal", "wconnect.ConsultaRamal"])
def test_a_method_is_found_in_other_letter_case_and_behind_a_prefix(peer: Peer, method: str) -> None:
    assert call(peer, method, "3501", "4732100123")["status"] == "OK"


@pytest.mark.parametrize("path", ["/xmlrpc", "/RPC2", "/xmlrpc/", "/RPC2/"])
def test_both_usual_addresses_are_served(peer: Peer, path: str) -> None:
    body = xmlrpc.client.dumps((), "Teste").encode()
    assert read(peer.post(path, data=body).data)["mensagem"] == f"cti-gateway {__version__}"


@pytest.mark.parametrize("charset", ["utf-8", "iso-8859-1"])
def test_accents_arrive_in_both_charsets(peer: Peer, charset: str) -> None:
    body = raw("<param><value>recepção</value></param><param><value>47</value></param>").decode()
    peer.post(PATH, data=body.encode(charset), content_type="text/xml")
    assert the_start(peer) == ("recepção", "47")


def test_answers_are_ascii_because_some_clients_know_nothing_else(peer: Peer) -> None:
    got = peer.post(PATH, data=xmlrpc.client.dumps((), "ConsultaRamal").encode())
    assert got.data.isascii()
    with pytest.raises(xmlrpc.client.Fault, match="parâmetro obrigatório"):
        xmlrpc.client.loads(got.data)


# --- introspection ----------------------------------------------------------------------------------------


def test_methods_are_listed(peer: Peer) -> None:
    assert call(peer, "system.listMethods") == [
        "ConsultaRamal",
        "FinalizaLigacao",
        "ClickToCall",
        "Teste",
        "AtendeLigacao",
        "TransfereLigacao",
        "EsperaLigacao",
        "RetomaLigacao",
        "EntraFila",
        "SaiFila",
        "AnotaLigacao",
        "EstadoAgente",
        "system.listMethods",
        "system.methodHelp",
        "system.methodSignature",
        "system.multicall",
    ]


def test_a_methods_help_names_its_parameters(peer: Peer) -> None:
    text = call(peer, "system.methodHelp", "FinalizaLigacao")
    assert text.startswith("Fim de ligação")
    assert "url_audio (opcional): endereço do áudio da ligação" in text


def test_signatures_are_lists_of_lists(peer: Peer) -> None:
    assert call(peer, "system.methodSignature", "Teste") == [["struct"]]
    assert call(peer, "system.methodSignature", "ClickToCall") == [
        ["struct", "string", "string"],
        ["struct", "string", "string", "string"],
        ["struct", "string", "string", "string", "string"],
        ["struct", "struct"],
    ]


def test_several_calls_go_in_one_request_and_fail_one_by_one(peer: Peer) -> None:
    calls = [
        {"methodName": "ConsultaRamal", "params": ["3501", "4732100123"]},
        {"methodName": "ConsultaRamal", "params": []},
        {"methodName": "system.multicall", "params": [[]]},
        "x",
        {"methodName": "Teste", "params": []},
    ]
    answers = call(peer, "system.multicall", calls)
    assert answers[0] == [{"status": "OK", "mensagem": "chamada registrada", "id": 1}]
    assert [answer.get("faultCode") for answer in answers[1:4]] == [210, 230, 240]
    assert answers[4][0]["status"] == "OK"


@pytest.mark.parametrize("calls", ["x", [{}] * 101])
def test_what_is_no_list_of_calls_is_refused(peer: Peer, calls: Any) -> None:
    with pytest.raises(xmlrpc.client.Fault) as raised:
        call(peer, "system.multicall", calls)
    assert raised.value.faultCode == 240


# --- faults -----------------------------------------------------------------------------------------------

HOSTILE = {
    "empty": b"",
    "not XML": b"3501",
    "DOCTYPE": b"<!DOCTYPE methodCall>" + raw(""),
    "entity bomb": b'<!DOCTYPE x [<!ENTITY a "aa"><!ENTITY b "&a;&a;">]>' + raw("<param><value>&b;</value></param>"),
    "arrays 20,000 deep": raw(
        "<param>" + "<value><array><data>" * 20000 + "</data></array></value>" * 20000 + "</param>"
    ),
    "SOAP": b'<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"/>',
    "no method": b"<methodCall/>",
    "a list where text belongs": raw("<param><value><array><data><value>1</value></data></array></value></param>"),
    "bad base64": raw("<param><value><base64>A</base64></value></param>"),
    "a method nobody knows": raw("", "__init__"),
    "help on nothing": raw("", "system.methodHelp"),
}


@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_body_that_is_no_call_gets_our_fault_without_any_class_name(peer: Peer, body: bytes) -> None:
    got = peer.post(PATH, data=body, content_type="text/xml")
    assert got.status_code == 200
    with pytest.raises(xmlrpc.client.Fault) as raised:
        xmlrpc.client.loads(got.data)
    assert raised.value.faultCode in (220, 230, 240)
    assert "class" not in raised.value.faultString
    assert not peer.core.messages


def test_a_busy_gateway_is_a_fault_with_our_code(peer: Peer) -> None:
    peer.core.fail_with = QueueFull(10)
    with pytest.raises(xmlrpc.client.Fault) as raised:
        call(peer, "ConsultaRamal", "3501", "4732100123")
    assert raised.value.faultCode == 410


def test_an_oversized_body_is_http_s_own_matter() -> None:
    peer = Peer({"server": {"max_body_bytes": 1024}})
    assert peer.post(PATH, data=b" " * 2000).status_code == 413


def test_a_chunked_body_is_read(peer: Peer) -> None:
    stream = BytesIO(xmlrpc.client.dumps((), "Teste").encode())
    environ = {"wsgi.input": stream, "wsgi.input_terminated": True, "CONTENT_LENGTH": ""}
    assert read(peer.post(PATH, environ=environ).data)["status"] == "OK"


def test_only_post_is_served(peer: Peer) -> None:
    got = peer.get(PATH)
    assert (got.status_code, got.headers["Allow"]) == (405, "POST")


def test_the_token_may_stand_in_the_address() -> None:
    peer = Peer({"tenants": {"default": {"events": {"token": "abc"}}}}, address=OUTSIDE)
    body = xmlrpc.client.dumps(("3501", "4732100123"), "ConsultaRamal").encode()
    assert read(peer.post(PATH, query_string="token=abc", data=body).data)["status"] == "OK"


@pytest.mark.parametrize(("value", "kind"), [({"a": {}}, "struct"), ({"a": [[]]}, "array"), ([{}], "array")])
def test_what_is_no_text_is_told_in_words_of_xml_rpc(peer: Peer, value: Any, kind: str) -> None:
    with pytest.raises(xmlrpc.client.Fault, match=f"recebido '{kind}'"):
        call(peer, "ConsultaRamal", value)


@pytest.mark.parametrize("name", [None, {"a": 1}, ["ConsultaRamal"]])
def test_a_call_among_several_whose_name_is_no_text_is_refused(peer: Peer, name: Any) -> None:
    (told,) = call(peer, "system.multicall", [{"methodName": name, "params": []}])
    assert (told["faultCode"], told["faultString"]) == (240, "cada chamada precisa de methodName e params.")


def test_a_member_with_two_values_is_named_in_the_log(peer: Peer) -> None:
    with capture_logs() as logs:
        call(peer, "ConsultaRamal", {"ramal": "3501", "RAMAL": "3502", "telefone": "4732100123"})
    told = [(entry["parameters"], entry["tenant"]) for entry in logs if entry["event"] == "parameter_given_twice"]
    assert told == [(["ramal"], "default")]
    assert the_start(peer) == ("3501", "4732100123")
