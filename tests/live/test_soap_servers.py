"""The SOAP adapter against rpc/encoded servers that we did not write: nuSOAP, PHP's SoapServer, SOAP::Lite."""

import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from gateway.adapter import Outcome
from tests.adapters.dialects import DIAL
from tests.adapters.field import GET_CONTAS, WCONNECT, envelope, soap
from tests.live.conftest import free_port
from tests.peers import absent, need, need_php

SERVERS = Path(__file__).with_name("servers")
NUSOAP = Path("/usr/share/php/nusoap/nusoap.php")
ASKED = {"UsuarioLogin": "gw", "UsuarioSenha": "{{ secrets.key }}", "ContasId": 7}
ASKED |= {"ContasTelefones": ["{{ number }}", "{{ extension }}"]}
RULES = {
    "result_path": "0.contaNome",
    "success": r"^Padaria São João 04799998888\+2000$",
    "ref_path": "return.0.contaId",
}


@dataclass(frozen=True)
class Running:
    """A started server: where it listens, and the WSDL to use with it."""

    address: str
    wsdl: str


@contextmanager
def running(command: list[str], port: int, environment: Mapping[str, str]) -> Iterator[None]:
    process = subprocess.Popen(
        command, env=os.environ | dict(environment), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        _wait(process, port)
        yield
    finally:
        process.kill()
        process.wait(10)


def _wait(process: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise AssertionError(f"{process.args!r} did not begin to listen")


@contextmanager
def nusoap() -> Iterator[Running]:
    """Its WSDL is its own, with the names that WConnect's has: spaces and all."""
    php = need("php", package="php-cli")
    if not NUSOAP.exists():
        absent("nuSOAP is not installed (Debian: apt-get install libnusoap-php)")
    port = free_port()
    with running([php, "-S", f"127.0.0.1:{port}", str(SERVERS / "nusoap.php")], port, {}):
        yield Running(f"http://127.0.0.1:{port}/", f"http://127.0.0.1:{port}/?wsdl")


@contextmanager
def soapserver(charset: str) -> Iterator[Running]:
    php, port = need_php("soap", package="php-soap"), free_port()
    environment = {"SOAP_WSDL": str(WCONNECT), "SOAP_CHARSET": charset}
    with running([php, "-S", f"127.0.0.1:{port}", str(SERVERS / "soapserver.php")], port, environment):
        yield Running(f"http://127.0.0.1:{port}/", f"http://127.0.0.1:{port}/?wsdl")


@contextmanager
def soap_lite() -> Iterator[Running]:
    """It has no WSDL of its own."""
    perl, port = need("perl", package="perl"), free_port()
    if subprocess.run([perl, "-MSOAP::Lite", "-e", "1"], capture_output=True, timeout=30, check=False).returncode:
        absent("Perl has no SOAP::Lite (Debian: apt-get install libsoap-lite-perl)")
    with running([perl, str(SERVERS / "soap_lite.pl"), str(port)], port, {}):
        yield Running(f"http://127.0.0.1:{port}/", str(WCONNECT))


PEERS: dict[str, Callable[[], Any]] = {
    "nuSOAP": nusoap,
    "PHP SoapServer": lambda: soapserver("UTF-8"),
    "PHP SoapServer in Latin-1": lambda: soapserver("ISO-8859-1"),
    "SOAP::Lite": soap_lite,
}


@pytest.fixture(scope="module", params=PEERS)
def peer(request: pytest.FixtureRequest) -> Iterator[Running]:
    with PEERS[request.param]() as started:
        yield started


def settings(peer: Running, key: str = "s3nhaç") -> dict[str, Any]:
    return GET_CONTAS | {
        "wsdl": peer.wsdl,
        "address": peer.address,
        "arguments": {"Parametros": ASKED},
        "secrets": {"key": key},
        **RULES,
    }


def test_an_encoded_call_is_understood_and_its_array_of_structures_too(peer: Running) -> None:
    with closing(soap(**settings(peer))) as speaking:
        delivery = speaking.deliver(DIAL)
    assert delivery.detail == "A central 'pabx' aceitou o pedido."
    assert (delivery.outcome, delivery.peer_ref) == (Outcome.ACCEPTED, "7")


def test_a_fault_comes_back_in_the_servers_words(peer: Running) -> None:
    with closing(soap(**settings(peer, key="errada"))) as speaking:
        delivery = speaking.deliver(DIAL)
    assert delivery.outcome is Outcome.REFUSED
    assert "senha" in delivery.detail
    assert "errada" not in delivery.detail


RAW = envelope(
    """<w:getContas s:encodingStyle="http://schemas.xmlsoap.org/soap/encoding/">
    <Parametros xsi:type="w:ContasParametros">
      <UsuarioLogin xsi:type="xsd:string">gw</UsuarioLogin>
      <UsuarioSenha xsi:type="xsd:string">{{ secrets.key }}</UsuarioSenha>
      <ContasId xsi:type="xsd:int">7</ContasId>
      <ContasTelefones xsi:type="e:Array" e:arrayType="xsd:string[2]">
        <item xsi:type="xsd:string">{{ number }}</item><item xsi:type="xsd:string">{{ extension }}</item>
      </ContasTelefones>
    </Parametros></w:getContas>""",
    'xmlns:w="urn:WConnect" xmlns:e="http://schemas.xmlsoap.org/soap/encoding/" '
    'xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"',
)


@pytest.mark.parametrize("encoding", ["UTF-8", "ISO-8859-1"])
def test_a_raw_envelope_is_understood_in_its_charset(peer: Running, encoding: str) -> None:
    text = f'<?xml version="1.0" encoding="{encoding}"?>{RAW}'
    raw = {"envelope": text, "address": peer.address, "soap_action": "urn:WConnect#getContas"}
    with closing(soap(**raw, **RULES, secrets={"key": "s3nhaç"})) as speaking:
        assert speaking.deliver(DIAL).detail == "A central 'pabx' aceitou o pedido."


def test_a_daemon_of_one_connection_serves_others_too_when_ours_is_closed() -> None:
    """SOAP::Lite's daemon waits on a kept connection and meanwhile answers nobody else."""
    with soap_lite() as peer, closing(soap(**settings(peer), headers={"Connection": "close"})) as speaking:
        for _ in range(2):
            with closing(soap(**settings(peer), headers={"Connection": "close"})) as other:
                assert speaking.deliver(DIAL).outcome is Outcome.ACCEPTED
                assert other.deliver(DIAL).outcome is Outcome.ACCEPTED
