"""The machines that speak to the gateway: exchanges that tell of calls by GET, SOAP and XML-RPC, and a CRM that dials.

None ever repeats itself. Each number says in which round it was first used (``promises.round_of``).
"""

import http.client
import itertools
import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

WIRES = ("get", "soap", "xmlrpc")
PAUSE_S = 0.025
ID = re.compile(r"^OK (\d+)|<(?:\w+:)?id>(\d+)<|<name>id</name>\s*<value><int>(\d+)<", re.M)
EVENTS = {"ConsultaRamal": "call_started", "FinalizaLigacao": "call_ended"}
SOAP = (
    '<?xml version="1.0" encoding="UTF-8"?><SOAP-ENV:Envelope xmlns:SOAP-ENV="http://schemas.xmlsoap.org/soap/envelope/"'
    ' xmlns:n="urn:cti-gateway:wconnect:1"><SOAP-ENV:Body><n:{0}>{1}</n:{0}></SOAP-ENV:Body></SOAP-ENV:Envelope>'
)
XMLRPC = '<?xml version="1.0"?><methodCall><methodName>{0}</methodName><params>{1}</params></methodCall>'
GET = {
    "ConsultaRamal": "/wconnect/WConnect_WSDL_ConsultaRamal.php",
    "FinalizaLigacao": "/wconnect/WConnect_WSDL_FinalizaLigacao.php",
    "ClickToCall": "/click-to-call",
}


@dataclass(frozen=True, slots=True)
class Request:
    """An HTTP request; a ``body`` is XML."""

    path: str
    body: str = ""


def request_of(wire: str, operation: str, parameters: Mapping[str, str]) -> Request:
    """Write a call of ``operation`` for ``wire``."""
    if wire == "get":
        return Request(f"{GET[operation]}?{urlencode(parameters)}")
    if wire == "soap":
        elements = "".join(f"<n:{name}>{value}</n:{name}>" for name, value in parameters.items())
        return Request("/soap", SOAP.format(operation, elements))
    values = "".join(f"<param><value><string>{value}</string></value></param>" for value in parameters.values())
    return Request("/xmlrpc", XMLRPC.format(operation, values))


class Load:
    """All those machines, from ``start`` until the gateway is gone. ``note`` gets what ``Promises`` reads."""

    def __init__(self, port: int, round_no: int, note: Callable[[str], None]) -> None:
        self._port, self._round, self._note = port, round_no, note
        self._count = itertools.count()
        self._stopping = threading.Event()
        self.errors: list[str] = []
        work = [(self._tell_of_calls, wire) for wire in (*WIRES, "get")] + [(self._dial, wire) for wire in WIRES]
        self._threads = [threading.Thread(target=self._run, args=each, daemon=True) for each in work]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End all of them, and wait for it."""
        self._stopping.set()
        for thread in self._threads:
            thread.join(40)

    def _run(self, work: Callable[[http.client.HTTPConnection, str], None], wire: str) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
        try:
            while not self._stopping.wait(PAUSE_S):
                work(connection, wire)
        except (OSError, http.client.HTTPException):
            pass  # the power is gone
        finally:
            connection.close()

    def _tell_of_calls(self, connection: http.client.HTTPConnection, wire: str) -> None:
        count = next(self._count)
        number, extension = self._number("479", count), str(3500 + count % 90)
        self._event(connection, wire, "ConsultaRamal", {"ramal": extension, "telefone": number})
        if count % 3:
            self._event(connection, wire, "FinalizaLigacao", {"ramal": extension, "telefone": number})

    def _event(
        self, connection: http.client.HTTPConnection, wire: str, operation: str, parameters: Mapping[str, str]
    ) -> None:
        if answer := self._ask(connection, request_of(wire, operation, parameters)):
            found = ID.search(answer)
            call = next(filter(None, found.groups())) if found else f"?{answer!r}"
            self._note(f"event {EVENTS[operation]} {parameters['telefone']} {call}")

    def _dial(self, connection: http.client.HTTPConnection, wire: str) -> None:
        count = next(self._count)
        number, extension = self._number("473", count), str(3500 + count % 90)
        names = ("origem", "destino") if wire == "get" else ("ramal", "telefone")
        asked = request_of(wire, "ClickToCall", dict(zip(names, (extension, number), strict=True)))
        if self._ask(connection, asked):
            self._note(f"order {number}")
        time.sleep(PAUSE_S * 2)

    def _number(self, begins: str, count: int) -> str:
        """Mobiles for events, which have a digit more."""
        return f"{begins}9{self._round:03}{count:04}" if begins == "479" else f"{begins}3{self._round:03}{count:03}"

    def _ask(self, connection: http.client.HTTPConnection, request: Request) -> str | None:
        """Return the answer where it is a good one; None is noted as an error."""
        headers = {"Content-Type": "text/xml; charset=utf-8"} if request.body else {}
        connection.request("POST" if request.body else "GET", request.path, request.body or None, headers)
        answer = connection.getresponse()
        body = answer.read().decode()
        if answer.status == 200 and "ERRO" not in body and "<fault>" not in body:
            return body
        self.errors.append(f"{answer.status} {request.path}: {body[:200]}")
        return None
