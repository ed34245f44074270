"""A few calls, played by the three wires as exchanges would send them."""

import xmlrpc.client
from urllib.parse import quote

import requests

TIMEOUT_S = 10.0
ENVELOPE = (
    '<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body>'
    '<{operation} xmlns="urn:cti-gateway:wconnect:1">{arguments}</{operation}></soap:Body></soap:Envelope>'
)


def play(url: str, recording: str) -> list[str]:
    """Play one call on each wire; a line about each for people. Raises ``requests.RequestException``."""
    by_get(url, "ConsultaRamal", ramal="3501", telefone="4732100123")
    by_get(url, "FinalizaLigacao", ramal="3501", telefone="4732100123", url_audio=recording)
    by_soap(url, "ConsultaRamal", ramal="11987654321", telefone="3502")
    by_soap(url, "FinalizaLigacao", ramal="11987654321", telefone="3502", url_audio=recording)
    by_xmlrpc(url, "ConsultaRamal", "3501", "4130304040")
    by_xmlrpc(url, "FinalizaLigacao", "3501", "4130304040", "")
    return [
        "by GET      a call received from Padaria São José at 3501, with a recording",
        "by SOAP     a call made by 3502 to Clínica Boa Vista, with a recording",
        "by XML-RPC  a call received from an unknown number at 3501",
    ]


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
