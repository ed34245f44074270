"""Python's own XML-RPC client against a real gateway."""

import xmlrpc.client
from datetime import datetime

import pytest

from tests.live.calls import fresh_number, the_call
from tests.live.conftest import LiveGateway


@pytest.fixture(params=["/xmlrpc", "/RPC2"])
def server(request: pytest.FixtureRequest, gateway: LiveGateway) -> xmlrpc.client.ServerProxy:
    return xmlrpc.client.ServerProxy(gateway.url + request.param, allow_none=True)


def test_a_call_is_started_and_ended(server: xmlrpc.client.ServerProxy, gateway: LiveGateway) -> None:
    number = fresh_number()
    started = server.ConsultaRamal(3501, number)
    ended = server.FinalizaLigacao("3501", number, "http://pbx/a.wav")
    call = the_call(gateway, number)
    assert started == {"status": "OK", "mensagem": "chamada registrada", "id": call["id"]}
    assert ended["id"] == call["id"]
    assert (call["extension"], call["recording_url"]) == ("3501", "http://pbx/a.wav")


def test_a_struct_with_names_and_extras_is_taken(server: xmlrpc.client.ServerProxy, gateway: LiveGateway) -> None:
    number = fresh_number()
    server.ConsultaRamal({"ramal": "3501", "telefone": number, "data_hora": datetime(2026, 3, 4, 7, 15)})
    assert the_call(gateway, number)["extension"] == "3501"


def test_the_service_explains_itself(server: xmlrpc.client.ServerProxy) -> None:
    methods = server.system.listMethods()
    assert isinstance(methods, list)
    assert {"ConsultaRamal", "FinalizaLigacao", "ClickToCall", "Teste"} < set(methods)
    assert "ramal" in str(server.system.methodHelp("ConsultaRamal"))
    assert server.system.methodSignature("Teste") == [["struct"]]


def test_several_calls_go_in_one_request(server: xmlrpc.client.ServerProxy, gateway: LiveGateway) -> None:
    number = fresh_number()
    several = xmlrpc.client.MultiCall(server)
    several.ConsultaRamal("3501", number)
    several.Teste()
    answers = list(several())
    assert [answer["status"] for answer in answers] == ["OK", "OK"]
    assert the_call(gateway, number)["id"] == answers[0]["id"]


def test_a_fault_has_our_code_and_sentence(server: xmlrpc.client.ServerProxy) -> None:
    with pytest.raises(xmlrpc.client.Fault) as raised:
        server.ConsultaRamal("3501")
    assert raised.value.faultCode == 210
    assert "telefone" in raised.value.faultString
