"""PHP's SoapClient and zeep against a real gateway."""

import json
import subprocess
from typing import Any

import pytest
import zeep

from tests.live.calls import fresh_number, the_call
from tests.live.conftest import LiveGateway
from tests.peers import need_php

PHP = """
ini_set('soap.wsdl_cache_enabled', '0');
list($_, $url, $version, $mode, $method, $fields) = $argv;
$options = ['soap_version' => (int) $version, 'exceptions' => true];
if ($mode === 'gzip') $options['compression'] = SOAP_COMPRESSION_ACCEPT | SOAP_COMPRESSION_GZIP | 6;
$fields = json_decode($fields, true);
try {
    if ($mode === 'bare') {
        $client = new SoapClient(null, $options + ['location' => $url, 'uri' => 'urn:WConnect']);
        $answer = $client->__soapCall($method, array_values($fields));
    } else {
        $client = new SoapClient($url . '?wsdl', $options);
        $answer = $client->__soapCall($method, [$fields]);
    }
    echo json_encode($answer);
} catch (SoapFault $fault) {
    $told = ['fault' => $fault->faultcode, 'sentence' => $fault->getMessage()];
    echo json_encode($told + ['detail' => $fault->detail ?? null]);
}
"""
VERSIONS = pytest.mark.parametrize("version", [1, 2], ids=["soap11", "soap12"])


def php(gateway: LiveGateway, method: str, version: int, mode: str = "wsdl", **fields: str) -> Any:
    """What PHP's client makes of the answer; a fault as a dict with ``fault``."""
    command = [need_php("soap", package="php-soap"), "-d", "display_errors=stderr", "-r", PHP, "--"]
    arguments = [gateway.url + "/soap", str(version), mode, method, json.dumps(fields)]
    done = subprocess.run([*command, *arguments], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@VERSIONS
@pytest.mark.parametrize("mode", ["wsdl", "gzip"])
def test_php_starts_and_ends_a_call(gateway: LiveGateway, version: int, mode: str) -> None:
    number = fresh_number()
    started = php(gateway, "ConsultaRamal", version, mode, ramal="3501", telefone=number)
    ended = php(gateway, "FinalizaLigacao", version, ramal="3501", telefone=number, url_audio="http://pbx/a?b&c")
    call = the_call(gateway, number)
    assert started == {"status": "OK", "mensagem": "chamada registrada", "id": call["id"]}
    assert ended["id"] == call["id"]
    assert (call["extension"], call["recording_url"]) == ("3501", "http://pbx/a?b&c")


@VERSIONS
def test_php_reads_our_sentence_and_code_in_a_fault(gateway: LiveGateway, version: int) -> None:
    answer = php(gateway, "ConsultaRamal", version, ramal="3501", telefone="")
    assert answer["fault"].endswith(("Client", "Sender"))
    assert "telefone" in answer["sentence"]
    assert answer["detail"]["erro"]["codigo"] == "210"


def test_php_without_the_wsdl_is_understood(gateway: LiveGateway) -> None:
    number = fresh_number()
    php(gateway, "ConsultaRamal", 1, "bare", ramal="3501", telefone=number)
    assert the_call(gateway, number)["extension"] == "3501"


@pytest.fixture(params=["CtiGateway", "CtiGateway12"])
def service(request: pytest.FixtureRequest, gateway: LiveGateway) -> Any:
    transport = zeep.Transport(timeout=20, operation_timeout=20)
    client = zeep.Client(gateway.url + "/soap?wsdl", transport=transport)
    return client.bind("CtiGateway", request.param)


def test_zeep_starts_and_ends_a_call(service: Any, gateway: LiveGateway) -> None:
    number = fresh_number()
    started = service.ConsultaRamal(ramal="3501", telefone=number, direcao="entrada")
    ended = service.FinalizaLigacao(ramal="3501", telefone=number, url_audio="http://pbx/ação.wav", duracao="75")
    call = the_call(gateway, number)
    assert (started.status, started.id, ended.id) == ("OK", call["id"], call["id"])
    assert (call["direction"], call["recording_url"]) == ("incoming", "http://pbx/ação.wav")
    assert call["duration_s"] is not None


def test_zeep_reads_our_sentence_and_code_in_a_fault(service: Any) -> None:
    with pytest.raises(zeep.exceptions.Fault) as raised:
        service.ConsultaRamal(ramal="", telefone="4732100123")
    assert "ramal" in raised.value.message
    assert raised.value.detail.findtext(".//{*}codigo") == "210"


def test_zeep_tests_the_connection(service: Any) -> None:
    assert service.Teste().mensagem.startswith("cti-gateway ")


def test_the_wsdl_has_the_address_that_was_asked(gateway: LiveGateway) -> None:
    client = zeep.Client(gateway.url + "/t/default/soap?wsdl")
    ports = client.wsdl.services["CtiGateway"].ports.values()
    assert {port.binding_options["address"] for port in ports} == {gateway.url + "/t/default/soap"}
