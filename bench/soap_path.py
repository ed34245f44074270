"""Microseconds per call of the wires, in process, with an idle core: ours beside Spyne's own WSGI path.

python -m bench.soap_path [CALLS]
"""

import io
import logging
import sys
import time
from collections.abc import Callable
from typing import Any

import structlog

from gateway.config.tables import Config
from gateway.domain.messages import Message
from gateway.handlers import Reply
from gateway.wire.http import Front
from gateway.wire.soap.contract import NAMESPACE, application
from gateway.wire.soap.spyne_compat import WsgiApplication

ENVELOPE = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<SOAP-ENV:Envelope xmlns:SOAP-ENV="http://schemas.xmlsoap.org/soap/envelope/" '
    f'xmlns:ns1="{NAMESPACE}"><SOAP-ENV:Body><ns1:ConsultaRamal><ns1:ramal>3501</ns1:ramal>'
    "<ns1:telefone>4732100123</ns1:telefone></ns1:ConsultaRamal></SOAP-ENV:Body></SOAP-ENV:Envelope>\n"
).encode()
ENCODED = (
    b'<?xml version="1.0" encoding="ISO-8859-1"?><SOAP-ENV:Envelope '
    b'SOAP-ENV:encodingStyle="http://schemas.xmlsoap.org/soap/encoding/" '
    b'xmlns:SOAP-ENV="http://schemas.xmlsoap.org/soap/envelope/" xmlns:xsd="http://www.w3.org/2001/XMLSchema" '
    b'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><SOAP-ENV:Body>'
    b'<ns7862:ConsultaRamal xmlns:ns7862="urn:WConnect"><ramal xsi:type="xsd:string">3501</ramal>'
    b'<telefone xsi:type="xsd:string">4732100123</telefone></ns7862:ConsultaRamal></SOAP-ENV:Body></SOAP-ENV:Envelope>'
)
XMLRPC = (
    b"<?xml version='1.0'?>\n<methodCall><methodName>ConsultaRamal</methodName><params>"
    b"<param><value><string>3501</string></value></param><param><value><string>4732100123</string></value></param></params></methodCall>"
)
COMMON = {
    "SERVER_NAME": "localhost",
    "SERVER_PORT": "8080",
    "SERVER_PROTOCOL": "HTTP/1.1",
    "SCRIPT_NAME": "",
    "HTTP_HOST": "127.0.0.1:8080",
    "REMOTE_ADDR": "127.0.0.1",
    "wsgi.url_scheme": "http",
    "wsgi.input_terminated": True,
}


class IdleCore:
    """Answers at once and remembers nothing."""

    def handle(self, message: Message) -> Reply:
        return Reply(True, "chamada registrada", 42)


def no_desk(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
    raise AssertionError("no request of this benchmark is for people")


def post(path: str, body: bytes) -> dict[str, Any]:
    length = {"CONTENT_LENGTH": str(len(body)), "CONTENT_TYPE": "text/xml; charset=utf-8"}
    about = {"REQUEST_METHOD": "POST", "PATH_INFO": path, "QUERY_STRING": ""}
    return COMMON | about | length | {"wsgi.input": body}


def get(path: str, query: str) -> dict[str, Any]:
    return COMMON | {"REQUEST_METHOD": "GET", "PATH_INFO": path, "QUERY_STRING": query, "wsgi.input": b""}


def measure(app: Any, request: dict[str, Any], calls: int) -> float:
    """The best of five rounds, in microseconds per call."""
    statuses: list[str] = []

    def start_response(status: str, headers: Any, exc_info: Any = None) -> Any:
        statuses.append(status)

    def round_() -> float:
        began = time.perf_counter()
        for _ in range(calls):
            environ = request | {"wsgi.input": io.BytesIO(request["wsgi.input"])}
            list(app(environ, start_response))
        return (time.perf_counter() - began) / calls * 1e6

    best = min(round_() for _ in range(5))
    assert set(statuses) == {"200 OK"}, set(statuses)
    return best


def main() -> None:
    calls = int(sys.argv[1]) if len(sys.argv) > 1 else 2000
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO), cache_logger_on_first_use=True
    )
    ours = Front(Config(), IdleCore(), verify_agent=lambda *_: None, desk=no_desk, health=dict, metrics=no_desk)
    spyne = WsgiApplication(application(lambda operation, values: ("OK", "chamada registrada", 42)))
    query = "ramal=3501&telefone=4732100123"
    listener = measure(ours, get("/wconnect/WConnect_WSDL_ConsultaRamal.php", query), calls)
    soap = measure(ours, post("/soap", ENVELOPE), calls)
    encoded = measure(ours, post("/wconnect/wsdl/WConnect_WSDL.php", ENCODED), calls)
    theirs = measure(spyne, post("/soap", ENVELOPE), calls)
    xmlrpc = measure(ours, post("/xmlrpc", XMLRPC), calls)
    print(f"GET listener      {listener:7.1f} us  {1e6 / listener:8.0f} calls/s")
    print(f"XML-RPC           {xmlrpc:7.1f} us  {1e6 / xmlrpc:8.0f} calls/s")
    print(f"SOAP              {soap:7.1f} us  {1e6 / soap:8.0f} calls/s")
    print(f"SOAP, encoded     {encoded:7.1f} us  {1e6 / encoded:8.0f} calls/s")
    print(f"Spyne's WSGI path {theirs:7.1f} us  {1e6 / theirs:8.0f} calls/s  ({theirs / soap:.1f} times ours)")


if __name__ == "__main__":
    main()
