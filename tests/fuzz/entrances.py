"""Knocks at the entrances with anything at all, and says what must hold of every answer.

A knock is the text of an HTTP request, like a recording in ``tests/recordings``: whatever it looks like, it is read as
one, so that fuzzers may change any byte of it.
"""

import gzip
import io
import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_to_bytes
from xmlrpc.client import Fault, loads

from lxml import etree
from structlog.testing import capture_logs

from gateway.wire.http import Front
from gateway.wire.operations import EVENTS
from gateway.wire.soap.contract_encoded import PATH as ENCODED_PATH
from gateway.wire.soap.envelopes import MEDIA_TYPES
from tests.wire.peers import RecordingCore, make_front

SLOW_S = 2.0
MOST_LOGGED = 300
LISTENER = "/wconnect/WConnect_WSDL_FinalizaLigacao.php"
LISTENERS = (LISTENER, *(f"/wconnect/WConnect_WSDL_{event.name}.php" for event in EVENTS if event.name not in LISTENER))
PATHS = {
    "soap": ("/soap",),
    "encoded": (ENCODED_PATH,),
    "xmlrpc": ("/xmlrpc", "/RPC2"),
    "get": LISTENERS,
    "dialing": ("/click-to-call", "/api/clicktodial"),
}
STATUSES = {
    "soap": {200, 400, 401, 403, 405, 413, 500},
    "encoded": {200, 400, 401, 403, 405, 413, 500},
    "xmlrpc": {200, 401, 405, 413},
    "get": {200, 400, 403, 405, 413, 415},
    "dialing": {200, 400, 401, 405, 413, 415},
}
CONFIG = {
    "server": {"max_body_bytes": 65536, "trusted_proxies": ["127.0.0.1"]},
    "tenants": {
        "default": {
            "events": {"token": "abre"},
            "click_to_call": {"token": "disca"},
            "listener": {
                "keep_unknown": True,
                "aliases": {"ramal": ["dst"], "telefone": ["src"], "id_ligacao": ["id"]},
            },
        }
    },
}
# Ours and Python's: names of classes and modules that help nobody but an attacker.
LEAKS = re.compile(
    rb"Traceback|(?:<|&lt;)class |\bobject at 0x|\b[A-Z]\w+(?:Error|Exception)\b|\bgateway\.\w+\.\w+"
    rb"|'(?:dict|list|tuple|bytes|NoneType)'"
)
LINE = re.compile(r"(OK|ERRO) [0-9]+[^\n]*\n")


class Escape(AssertionError):
    """Something that no request may bring about."""


@dataclass(frozen=True)
class Told:
    """An answer: status, media type, body; and the CPU seconds it took."""

    status: int
    kind: str
    body: bytes
    cpu_s: float


def front() -> Front:
    """An entrance with everything a configuration can switch on for a wire."""
    return make_front(RecordingCore(), CONFIG)


def environ_of(knock: bytes, wire: str) -> dict[str, Any]:
    """The WSGI environ of ``knock`` at an entrance of ``wire``; never raises."""
    head, _, body = knock.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    method, _, rest = first.partition(" ")
    target = rest.rpartition(" ")[0]
    environ = headers_of(lines)
    if "HTTP_X_PACKED" in environ:
        body, environ["HTTP_CONTENT_ENCODING"] = gzip.compress(body, 1), "gzip"
    length = length_of(environ.get("CONTENT_LENGTH", ""), body)
    if not length:
        # As servers say of a chunked body. Werkzeug takes the key for a yes, whatever its value.
        environ["wsgi.input_terminated"] = True
    path, _, query = target.partition("?")
    path = unquote_to_bytes(path).decode("latin-1")
    return environ | {
        "REQUEST_METHOD": method,
        "PATH_INFO": path if path in PATHS[wire] else PATHS[wire][0],
        "QUERY_STRING": query,
        "CONTENT_LENGTH": length,
        "wsgi.input": io.BytesIO(body),
    }


def headers_of(lines: list[str]) -> dict[str, Any]:
    """The headers of ``lines`` beside what every server says."""
    environ: dict[str, Any] = {
        "REMOTE_ADDR": "127.0.0.1",
        "SCRIPT_NAME": "",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "8080",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "CONTENT_TYPE": "",
        "HTTP_HOST": "",
        "wsgi.url_scheme": "http",
    }
    for line in lines:
        name, _, value = line.partition(":")
        key = name.upper().replace("-", "_")
        environ[key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"] = value.strip()
    return environ


def length_of(said: str, body: bytes) -> str:
    """A true length for a usual one, which hardly survives a mutation; odd ones stay, and every seventh."""
    usual = said.isascii() and said.isdigit() and len(said) < 8
    return str(len(body)) if usual and int(said) % 7 else said


def knock_at(entrance: Front, wire: str, knock: bytes) -> Told:
    """The answer to ``knock``, which kept all promises. Raises ``Escape``."""
    environ = environ_of(knock, wire)
    started: list[Any] = []
    began = time.thread_time()
    with capture_logs() as logs:
        try:
            parts = entrance(environ, lambda *given: started.append(given))
        except Exception as error:
            raise Escape(f"{type(error).__name__} came out of the application") from error
        body = b"".join(parts)
    cpu_s = time.thread_time() - began
    ((status, headers),) = started
    told = Told(int(status[:3]), dict(headers)["Content-Type"], body, cpu_s)
    check_logs(logs)
    check(wire, told, knock, environ["REQUEST_METHOD"])
    return told


def check_logs(logs: list[Any]) -> None:
    """No defect of ours behind a polite answer, and never the request itself in the log."""
    for entry in logs:
        if entry["event"] == "request_failed":
            error = entry["exc_info"]
            raise Escape(f"a defect: {type(error).__name__}") from error
        if any(len(str(value)) > MOST_LOGGED for value in entry.values()):
            raise Escape("a log line holds the request")


def check(wire: str, told: Told, knock: bytes, method: str) -> None:
    """What holds of every answer of ``wire``. Raises ``Escape``."""
    if told.cpu_s > SLOW_S:
        raise Escape("it took too long")
    if told.status not in STATUSES[wire]:
        raise Escape(f"status {told.status} is none of this wire's")
    if (leak := LEAKS.search(told.body)) and leak[0] not in knock:
        raise Escape(f"the answer holds {leak[0].decode('latin-1')!r}")
    if method != "HEAD":
        CHECKS[wire](told)


def check_soap(told: Told) -> None:
    """An envelope of the version that the media type names, the WSDL, or a line."""
    if told.kind.startswith("text/plain"):
        return check_line(told)
    try:
        root = etree.fromstring(told.body)
    except etree.XMLSyntaxError:
        raise Escape("the SOAP answer is no XML") from None
    version, _, name = root.tag[1:].rpartition("}")
    media_type = told.kind.partition(";")[0]
    if name == "definitions" and told.status == 200:
        return None
    if name != "Envelope" or MEDIA_TYPES.get(version) != media_type:
        raise Escape(f"{root.tag} came as {media_type}")
    is_fault = root.find(f"{{{version}}}Body/{{{version}}}Fault") is not None
    if is_fault == (told.status == 200):
        raise Escape(f"status {told.status} for {'a fault' if is_fault else 'an answer'}")
    return None


def check_xmlrpc(told: Told) -> None:
    """A response, or a fault with a code of ours."""
    if not told.body.isascii():
        raise Escape("the XML-RPC answer is not ASCII")
    try:
        loads(told.body)
    except Fault as fault:
        if not 200 <= fault.faultCode < 900:
            raise Escape(f"fault {fault.faultCode}") from None
    except Exception as error:
        raise Escape("the XML-RPC answer cannot be read") from error


def check_line(told: Told) -> None:
    """One line of text."""
    if not LINE.fullmatch(told.body.decode()):
        raise Escape("the answer is not one line")


def check_dialing(told: Told) -> None:
    """One line of text, or JSON for who asked for it."""
    if told.kind.startswith("application/json"):
        json.loads(told.body)
    else:
        check_line(told)


CHECKS: dict[str, Callable[[Told], None]] = {
    "soap": check_soap,
    "encoded": check_soap,
    "xmlrpc": check_xmlrpc,
    "get": check_line,
    "dialing": check_dialing,
}
