"""The SOAP adapter pointed at WSDLs as they are in the field: vendors' files, and one like WConnect's."""

from pathlib import Path
from typing import Any

import pytest
from lxml import etree
from pydantic import TypeAdapter

from adapters.soap.adapter import SoapAdapter
from tests.adapters.dialects import DIAL

WCONNECT = Path(__file__).with_name("wconnect.wsdl")
FOREIGN = Path(__file__).parents[2].parent / "shared" / "wsdl"
PROFILE = {"user": "bill", "deviceName": "SEP001122334455", "lineNumber": "{{ extension }}", "supportEM": False}
PROFILE |= {"locale": "", "dontAutoClose": True, "dontShowCallConf": True}
SOAP_11 = "http://schemas.xmlsoap.org/soap/envelope/"
GET_CONTAS: dict[str, Any] = {
    "wsdl": str(WCONNECT),
    "operation": "getContas",
    "service": "WConnect CRM Senior",
    "port": "WConnect CRM SeniorPort",
    "arguments": {"Parametros": {"UsuarioLogin": "gw", "UsuarioSenha": "{{ secrets.key }}", "ContasId": 7}},
    "secrets": {"key": "s3nha"},
}


def foreign(path: str) -> str:
    """A vendor's file, or a skip: they are not ours to publish."""
    if not (FOREIGN / path).exists():
        pytest.skip(f"no foreign WSDLs beside this repository ({FOREIGN / path})")
    return str(FOREIGN / path)


def webdialer() -> dict[str, Any]:
    """Cisco's WebDialer up to CUCM 15 SU4."""
    return {
        "wsdl": foreign("cisco-webdialer/wd70.wsdl"),
        "operation": "makeCallSoap",
        "arguments": {
            "in0": {"userID": "app", "password": "{{ secrets.cucm }}"},
            "in1": "{{ number }}",
            "in2": PROFILE,
        },
        "secrets": {"cucm": "s3nha<&>"},
        "result_path": "responseCode",
        "success": "^0$",
        "refused": ".",
    }


def webdialer_15su5() -> dict[str, Any]:
    """Its successor: document/literal, other names."""
    old = webdialer()
    arguments = {name.replace("in", "args"): value for name, value in old["arguments"].items()}
    return old | {"wsdl": foreign("cisco-webdialer/webdialer-15su5.RECONSTRUCTED.wsdl"), "arguments": arguments}


def parlay_x() -> dict[str, Any]:
    """Parlay X 2.0's third party call: four WSDLs and two schemas that import each other."""
    charging = {"description": "CRM", "currency": "BRL", "amount": 0, "code": "c"}
    return {
        "wsdl": foreign("parlayx-v2_0/ThirdPartyCall.wsdl"),
        "operation": "makeCall",
        "address": "http://pabx/third-party-call",
        "arguments": {
            "callingParty": "tel:{{ extension }}",
            "calledParty": "tel:{{ number }}",
            "charging": charging,
        },
    }


def soap(**settings: Any) -> SoapAdapter:
    config: Any = TypeAdapter(SoapAdapter.Config).validate_python({"timeout_s": 5, **settings})
    return SoapAdapter(config, name="pabx")


def head_and_body(speaking: SoapAdapter) -> tuple[str, Any]:
    """The previewed request: its head as text, its body parsed."""
    head, _, body = speaking.preview(DIAL)[0].data.partition(b"\r\n\r\n")
    return head.decode(), etree.fromstring(body)


def envelope(body: str, more: str = "", namespace: str = SOAP_11) -> str:
    return f'<s:Envelope xmlns:s="{namespace}" {more}><s:Body>{body}</s:Body></s:Envelope>'
