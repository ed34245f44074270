"""The rpc/encoded contract with the classic WConnect's names and charset, read by clients that take such names."""

import json
import re
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest
import zeep
from pydantic import TypeAdapter

from adapters.wconnect.settings import WConnectConfig
from adapters.wconnect.source import WConnectSource
from gateway.wire.soap.contract_encoded import PATH
from tests.live.calls import fresh_number, the_call
from tests.live.conftest import LiveGateway, start_gateway
from tests.live.test_matrix import Client, is_there, nusoap, soap_lite, soap_php, suds
from tests.live.test_soap_servers import NUSOAP, SERVERS
from tests.peers import absent, need_php

PASSWORD = "Conexão de manhã 17"
CONFIG = """
[tenants.default]
extensions = ["3500-3599"]
listener = { wsdl_names = "classic" }
"""
PHP = """
ini_set('soap.wsdl_cache_enabled', '0');
[$_, $url, $login, $password] = $argv;
try {
    $client = new SoapClient("$url?wsdl");
    echo json_encode($client->setTeste(['UsuarioLogin' => $login, 'UsuarioSenha' => $password]));
} catch (SoapFault $fault) {
    echo json_encode(['fault' => $fault->getMessage()]);
}
"""
PHP_NUSOAP = """
[$_, $url, $login, $password, $server] = $argv;
require $server;
$client = new nusoap_client("$url?wsdl", true);
$client->decode_utf8 = false;
$client->soap_defencoding = 'UTF-8';
$answer = $client->call('setTeste', ['Auth' => ['UsuarioLogin' => $login, 'UsuarioSenha' => $password]]);
echo json_encode($client->getError() ? ['fault' => $client->getError()] : $answer);
"""
SAID = re.compile(r"(status|mensagem) '([^']*)'")
Ask = Callable[[str, str, str], dict[str, str]]


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveGateway]:
    """A gateway with the classic names, and one agent."""
    folder = tmp_path_factory.mktemp("classic")
    config = folder / "gateway.toml"
    config.write_text(CONFIG)
    running = start_gateway(folder / "data", config=config)
    running.cli("agent", "add", "ana", "--extension", "3501", "--password-stdin", stdin=f"{PASSWORD}\n")
    yield running
    running.stop()


READERS = [
    soap_php("PHP", PATH, "wsdl"),
    nusoap("nuSOAP", PATH, "wsdl"),
    soap_lite("SOAP::Lite", PATH, "wsdl"),
    suds("suds", PATH),
]


@pytest.mark.parametrize("client", READERS, ids=[client.name for client in READERS])
def test_a_client_reads_the_contract_and_starts_a_call(gateway: LiveGateway, client: Client) -> None:
    is_there(client.proof, client.package)
    number = fresh_number()
    read = client.call(gateway.url, "ConsultaRamal", {"ramal": "3501", "telefone": number}, gateway.data.parent)
    assert the_call(gateway, number)["id"] == int(read)


def run_php(script: str, *arguments: str) -> dict[str, str]:
    command = [need_php("soap", package="php-soap"), "-d", "display_errors=stderr", "-r", script, "--", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    answer: dict[str, str] = json.loads(done.stdout)
    return answer


def by_php(url: str, login: str, password: str) -> dict[str, str]:
    return run_php(PHP, url, login, password)


def by_nusoap(url: str, login: str, password: str) -> dict[str, str]:
    if not NUSOAP.exists():
        absent("nuSOAP is not installed (Debian: apt-get install libnusoap-php)")
    return run_php(PHP_NUSOAP, url, login, password, str(SERVERS / "nusoap_for_php8.php"))


def by_our_own(url: str, login: str, password: str) -> dict[str, str]:
    """The gateway as a client of WConnect's, by its source of accounts."""
    given = {"wsdl": f"{url}?wsdl", "username": login, "password": password}
    with closing(WConnectSource(TypeAdapter(WConnectConfig).validate_python(given), name="wconnect")) as source:
        probe = source.probe()
    return dict(SAID.findall(str(probe.detail))) if probe.ok else {"fault": str(probe.detail)}


@pytest.mark.parametrize("ask", [by_php, by_nusoap, by_our_own])
def test_set_teste_checks_a_login(gateway: LiveGateway, ask: Ask) -> None:
    url = gateway.url + PATH
    good = ask(url, "ana", PASSWORD)
    assert list(good) == ["status", "mensagem"]
    assert good["status"] == "OK"
    assert good["mensagem"].startswith("cti-gateway ")
    assert list(ask(url, "ana", "Outra senha 99")) == ["fault"]


def test_zeep_is_a_strict_client_that_refuses_such_names(gateway: LiveGateway) -> None:
    with pytest.raises(ValueError, match="Invalid tag name 'WConnect CRM SeniorPortType'"):
        zeep.Client(f"{gateway.url}{PATH}?wsdl", transport=zeep.Transport(timeout=20))
