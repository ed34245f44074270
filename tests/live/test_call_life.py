"""The events of a call's whole life, told by clients that we did not write."""

import json
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from gateway.wire.operations import EVENTS
from gateway.wire.soap.contract_encoded import PATH
from tests.live.calls import fresh_number
from tests.live.conftest import LiveGateway, start_gateway
from tests.live.test_matrix import (
    Client,
    is_there,
    nusoap,
    rpc_xml,
    soap_lite,
    soap_php,
    xmlrpc_lite,
    xmlrpc_python,
    zeep,
)
from tests.peers import need_answer

CONFIG = """
[tenants.default]
extensions = ["3500-3599"]
"""
TELLERS = [
    soap_php("PHP, literal WSDL", "/soap", "wsdl"),
    nusoap("nuSOAP, WSDL", PATH, "wsdl"),
    soap_lite("SOAP::Lite, named", PATH, "named"),
    zeep("zeep, literal", "/soap"),
    zeep("zeep, encoded", PATH),
    xmlrpc_python("Python XML-RPC, a struct", "/xmlrpc", "struct"),
]
BY_POSITION = [rpc_xml("Perl RPC::XML", "/xmlrpc"), xmlrpc_lite("Perl XMLRPC::Lite", "/xmlrpc")]


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveGateway]:
    folder = tmp_path_factory.mktemp("life")
    config = folder / "gateway.toml"
    config.write_text(CONFIG)
    running = start_gateway(folder / "data", config=config)
    yield running
    running.stop()


def life_of(number: str) -> list[tuple[str, dict[str, str]]]:
    """What happens to a call of ``number`` that waited in a queue, in its order."""
    call = {"id_ligacao": f"life-{number}", "telefone": number}
    at = {"ramal": "3501", **call}
    return [
        ("EntraFila", {"fila": "Vendas", **call}),
        ("ConsultaRamal", {**at, "campos": "cpf=123;nome da mãe=Ana"}),
        ("SaiFila", {"fila": "Vendas", **call, "espera": "42"}),
        ("AtendeLigacao", at),
        ("EsperaLigacao", at),
        ("RetomaLigacao", at),
        ("TransfereLigacao", {**at, "ramal_destino": "3502", "tipo": "cega"}),
        ("FinalizaLigacao", {**at, "ramal": "3502", "causa": "16", "duracao": "75"}),
        ("AnotaLigacao", {"id_ligacao": call["id_ligacao"], "custo": "R$ 0,32", "campos": '{"protocolo": 7}'}),
    ]


def logged(gateway: LiveGateway, number: str) -> dict[str, Any]:
    calls = [json.loads(line) for line in gateway.cli("calls", "--format", "json").splitlines()]
    (found,) = [call for call in calls if call["call_ref"] == f"life-{number}"]
    return dict(found)


def assert_told(call: dict[str, Any]) -> None:
    assert (call["queue"], call["waited_s"], call["status"]) == ("Vendas", 42, "ended")
    assert call["fields"] == {"cpf": "123", "nome da mãe": "Ana", "protocolo": "7"}
    assert [leg["extension"] for leg in call["legs"]] == ["3501", "3502"]
    assert (call["transfer"], call["cause"]) == ("blind", "16")
    assert [note["cost"] for note in call["notes"]] == ["R$ 0,32"]


@pytest.mark.parametrize("client", TELLERS, ids=[client.name for client in TELLERS])
def test_a_client_tells_of_a_call_s_whole_life(gateway: LiveGateway, client: Client) -> None:
    is_there(client.proof, client.package)
    number = fresh_number()
    life = life_of(number)
    assert {name for name, _ in life} | {"EstadoAgente"} == {event.name for event in EVENTS}
    ids = {client.call(gateway.url, name, fields, gateway.data.parent) for name, fields in life}
    call = logged(gateway, number)
    assert ids == {str(call["id"])}
    assert_told(call)
    state = {"estado": "pausa", "ramal": "3501", "agente": "Ana", "motivo": "almoço"}
    assert client.call(gateway.url, "EstadoAgente", state, gateway.data.parent) == "0"


@pytest.mark.parametrize("client", BY_POSITION, ids=[client.name for client in BY_POSITION])
def test_new_events_are_told_by_position_in_the_documented_order(gateway: LiveGateway, client: Client) -> None:
    is_there(client.proof, client.package)
    number = fresh_number()
    for name, fields in life_of(number):
        if name in ("EntraFila", "EsperaLigacao"):
            ordered = {each: fields[each] for each in ("ramal", "fila", "telefone", "id_ligacao") if each in fields}
            assert int(client.call(gateway.url, name, ordered, gateway.data.parent)) > 0
    call = logged(gateway, number)
    assert (call["queue"], call["extension"]) == ("Vendas", "3501")
    assert call["held_at"]


def test_curl_tells_of_a_call_s_whole_life_in_json(gateway: LiveGateway) -> None:
    need_answer(["curl", "--version"], package="curl")
    number = fresh_number()
    for name, fields in life_of(number):
        address = f"{gateway.url}/wconnect/WConnect_WSDL_{name}.php"
        command = ["curl", "-sS", "-H", "Content-Type: application/json", "-d", json.dumps(fields), address]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
        assert done.stdout.startswith("OK ")
    assert_told(logged(gateway, number))
