"""A few calls, played by the three wires as exchanges would send them."""

import xmlrpc.client
from collections.abc import Sequence
from urllib.parse import quote

import requests

from gateway.texts.text import Text

TIMEOUT_S = 10.0
ENVELOPE = (
    '<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body>'
    '<{operation} xmlns="urn:cti-gateway:wconnect:1">{arguments}</{operation}></soap:Body></soap:Envelope>'
)
ANA, BRUNO = {"extension": "3501"}, {"extension": "3502"}
PLAYED: Sequence[tuple[str, Text]] = (
    ("GET", Text("a call received from {name} at {extension}, with a recording", name="Padaria São José", **ANA)),
    ("SOAP", Text("a call made by {extension} to {name}, with a recording", name="Clínica Boa Vista", **BRUNO)),
    ("XML-RPC", Text("a call received from an unknown number at {extension}", **ANA)),
)
"""The wires, and the call that is played on each."""


def play(url: str, recording: str) -> None:
    """Play the calls of ``PLAYED``. Raises ``requests.RequestException``."""
    by_get(url, "ConsultaRamal", ramal="3501", telefone="4732100123")
    by_get(url, "FinalizaLigacao", ramal="3501", telefone="4732100123", url_audio=recording)
    by_soap(url, "ConsultaRamal", ramal="11987654321", telefone="3502")
    by_soap(url, "FinalizaLigacao", ramal="11987654321", telefone="3502", url_audio=recording)
    by_xmlrpc(url, "ConsultaRamal", "3501", "4130304040")
    by_xmlrpc(url, "FinalizaLigacao", "3501", "4130304040", "")


def by_get(url: str, operation: str, **parameters: str) -> None:
    query = "&".join(f"{name}={quote(value, safe='')}" for name, value in parameters.items())
    answer = requests.get(f"{url}/wconnect/WConnect_WSDL_{operation}.php?{query}", timeout=TIMEOUT_S)
    answer.raise_for_status()


def by_soap(url: str, operation: str, **parameters: str) -> None:
    arguments = "".join(f"<{name}>{value}</{name}>" for name, value in parameters.items())
    body = ENVELOPE.format(operation=operation, arguments=arguments)
    headers = {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": f'"{operation}"'}
    requests.post(f"{url}/soap", data=body.encode(), headers=headers, timeout=TIMEOUT_S).raise_for_status()


def by_xmlrpc(url: str, operation: str, *parameters: str) -> None:
    body = xmlrpc.client.dumps(parameters, operation)
    answer = requests.post(f"{url}/xmlrpc", data=body.encode(), headers={"Content-Type": "text/xml"}, timeout=TIMEOUT_S)
    xmlrpc.client.loads(answer.content)
