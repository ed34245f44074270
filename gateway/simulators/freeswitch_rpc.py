"""XML-RPC as FreeSWITCH's mod_xml_rpc (xmlrpc-c) reads and writes it, its faults' texts included."""

import xmlrpc.client
from dataclasses import dataclass
from xml.parsers.expat import ExpatError
from xml.sax.saxutils import escape

METHODS = ("freeswitch.api", "freeswitch_api")
DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>'


@dataclass(frozen=True)
class RpcCall:
    """An API command with its one string of arguments."""

    command: str
    arguments: str


class RpcRefusal(Exception):
    """A call that is answered by a fault."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text


def read(body: bytes) -> RpcCall:
    """Read the call in ``body``. Raises ``RpcRefusal``."""
    if b"<!DOCTYPE" in body:
        raise RpcRefusal(-503, "Call XML not a proper XML-RPC call.  Call is not valid XML.")
    try:
        params, method = xmlrpc.client.loads(body)
    except (ExpatError, xmlrpc.client.Error, ValueError, TypeError, LookupError, AssertionError) as error:
        raise RpcRefusal(-503, f"Call XML not a proper XML-RPC call.  Call is not valid XML.  {error}") from error
    if method not in METHODS:
        raise RpcRefusal(-506, f"Method '{method}' not defined")
    if len(params) < 2:
        raise RpcRefusal(-502, f"Format string requests 2 items from array, but array has only {len(params)} items.")
    if len(params) > 2:
        few = f"Format string requests exactly 2 items from array, but array has {len(params)} items."
        raise RpcRefusal(-502, f"{few}  (A '*' at the end would avoid this failure)")
    command, arguments = params
    if not isinstance(command, str) or not isinstance(arguments, str):
        raise RpcRefusal(-501, f"Value of type {_type(params)} supplied where string type was expected.")
    return RpcCall(command, arguments)


def _type(params: tuple[object, ...]) -> str:
    return "INT" if any(isinstance(param, int) for param in params) else "STRUCT"


def response(text: str) -> str:
    """Return ``text``, escaped already, as a result."""
    value = f"<param><value><string>{text}</string></value></param>"
    return _lines(DECLARATION, "<methodResponse>", "<params>", value, "</params>", "</methodResponse>")


def fault(refused: RpcRefusal) -> str:
    code = f"<value><i4>{refused.code}</i4></value></member>"
    text = f"<value><string>{escape(refused.text)}</string></value></member>"
    struct = ["<value><struct>", "<member><name>faultCode</name>", code, "<member><name>faultString</name>", text]
    return _lines(
        DECLARATION, "<methodResponse>", "<fault>", *struct, "</struct></value>", "</fault>", "</methodResponse>"
    )


def _lines(*lines: str) -> str:
    """Join ``lines`` with CRLF between elements, as xmlrpc-c writes them."""
    return "\r\n".join(lines) + "\r\n"
