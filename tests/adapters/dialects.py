"""How to talk to a test peer with each adapter. A new adapter needs one entry here to be tested."""

import xmlrpc.client
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from pydantic import TypeAdapter

from gateway.adapter import Adapter, Outgoing, config_class, load

WSDL = Path(__file__).with_name("pabx.wsdl")
DIAL = Outgoing(
    "dial",
    "o-1",
    {"extension": "2000", "number": "04799998888", "order_id": "o-1", "call_id": "c-1", "tenant": "acme"},
)


@dataclass(frozen=True)
class Dialect:
    """``settings(address)`` reach a peer with ``{{ secrets.key }}`` in the request; the rest is its answers.

    ``fault(text)`` is a status and a body by which the peer says no, ``text`` in it as its explanation.
    """

    settings: Callable[[str], Mapping[str, Any]]
    success: bytes
    fault: Callable[[str], tuple[str, bytes]]
    content_type: str


def _envelope(body: str) -> bytes:
    return (
        f'<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>{body}</s:Body></s:Envelope>'.encode()
    )


DIALECTS = {
    "url": Dialect(
        settings=lambda address: {
            "url": f"{address}/dial?from={{{{ extension }}}}&to={{{{ number }}}}&key={{{{ secrets.key }}}}",
            "success": r"^OK (?P<ref>\S+)",
            "refused": "^ERROR",
        },
        success=b"OK 77",
        fault=lambda text: ("200 OK", f"ERROR {text}".encode()),
        content_type="text/plain",
    ),
    "preset": Dialect(
        settings=lambda address: {
            "preset": "generic-url",
            "url": f"{address}/dial?from={{{{ extension }}}}&to={{{{ number }}}}&key={{{{ secrets.key }}}}",
            "success": "^OK",
            "ref_pattern": r"^OK (\S+)",
            "refused": "^ERROR",
        },
        success=b"OK 77",
        fault=lambda text: ("200 OK", f"ERROR {text}".encode()),
        content_type="text/plain",
    ),
    "soap": Dialect(
        settings=lambda address: {
            "wsdl": str(WSDL),
            "operation": "Call",
            "address": f"{address}/pabx",
            "arguments": {"from": "{{ extension }}", "to": "{{ number }}", "key": "{{ secrets.key }}"},
            "ref_path": "callId",
        },
        success=_envelope('<Called xmlns="urn:test-pabx"><code>0</code><callId>77</callId></Called>'),
        fault=lambda text: (
            "500 Internal Server Error",
            _envelope(f"<s:Fault><faultcode>s:Client</faultcode><faultstring>{escape(text)}</faultstring></s:Fault>"),
        ),
        content_type="text/xml; charset=utf-8",
    ),
    "xmlrpc": Dialect(
        settings=lambda address: {
            "url": f"{address}/RPC2",
            "method": "pbx.originate",
            "params": ["{{ extension }}", "{{ number }}", "{{ secrets.key }}"],
            "ref_path": "callid",
        },
        success=xmlrpc.client.dumps(({"callid": "77"},), methodresponse=True).encode(),
        fault=lambda text: ("200 OK", xmlrpc.client.dumps(xmlrpc.client.Fault(3, text)).encode()),
        content_type="text/xml",
    ),
}


def dialect(name: str) -> Dialect:
    assert name in DIALECTS, (
        f"the adapter {name!r} is registered but not in the compliance suite: add a Dialect for it to "
        "DIALECTS in tests/adapters/dialects.py (settings that reach a peer, its success, its fault)"
    )
    return DIALECTS[name]


SECRETS = {"key": "ch@ve & <secreta>", "other": "outr@ señha"}
PASSWORD = 'p"ss w0rd/&'


def make(name: str, address: str, **more: Any) -> Adapter:
    """An adapter called ``pabx`` that talks to ``address``, made from settings as a file has them."""
    cls: Any = load(name)
    quick = {"connect_timeout_s": 0.5, "timeout_s": 0.5, "secrets": {"key": SECRETS["key"]}}
    settings = {**quick, **dialect(name).settings(address), **more}
    config = TypeAdapter(config_class(name, settings)).validate_python(settings)
    made: Adapter = cls(config, name="pabx")
    return made
