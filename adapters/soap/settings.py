"""The settings of appliances that dial by SOAP."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from adapters.http.answers import Pattern
from adapters.http.settings import HttpConfig, is_line
from gateway.texts.text import Text


@dataclass(frozen=True, kw_only=True)
class SoapConfig(HttpConfig):
    """Texts in ``arguments`` and ``envelope`` are templates; numbers, true and false keep their type."""

    wsdl: str = field(default="", metadata={"help": "Where the WSDL is: a URL or a file."})
    operation: str = field(default="", metadata={"help": "The operation to call, as the WSDL names it."})
    arguments: Mapping[str, Any] = field(
        default_factory=dict, metadata={"help": "Its arguments: templates, scalars, lists and tables."}
    )
    service: str = field(default="", metadata={"help": "The service in the WSDL; the first one if empty."})
    port: str = field(default="", metadata={"help": "The port of the service; the first one if empty."})
    address: str = field(default="", metadata={"help": "Where to send calls, if not where the WSDL says."})
    envelope: str = field(
        default="", metadata={"help": "Template of the whole envelope, for an appliance without a WSDL."}
    )
    soap_action: str = field(default="", metadata={"help": "The SOAPAction, if not the one that the WSDL has."})
    soap_version: Literal["", "1.1", "1.2"] = field(
        default="", metadata={"help": "The SOAP version in the HTTP headers of an envelope; empty: the envelope's own."}
    )
    header: str | Mapping[str, Any] = field(
        default="", metadata={"help": "What goes into the SOAP Header: a template of XML, or a table of elements."}
    )
    wsse_digest: bool = field(
        default=False, metadata={"help": 'With auth = "wsse": send the password as a digest, not as text.'}
    )
    result_path: str = field(
        default="", metadata={"help": "Where in the answer to look (responseCode); empty: all of it."}
    )
    success: Pattern = field(default="", metadata={"help": "Pattern that the result of a success contains."})
    refused: Pattern = field(default="", metadata={"help": "Pattern that the result of a refusal contains."})
    ref_path: str = field(default="", metadata={"help": "Where in the answer the peer's own call id is."})

    @staticmethod
    def logins() -> tuple[str, ...]:
        return (*HttpConfig.logins(), "wsse")

    def __post_init__(self) -> None:
        super().__post_init__()
        if bool(self.wsdl) == bool(self.envelope):
            raise ValueError(Text("soap needs either a wsdl or an envelope"))
        if self.wsdl and (not self.operation or self.soap_version):
            raise ValueError(Text("a wsdl needs an operation, and takes no soap_version: it has one"))
        if self.envelope and (not self.address or self.operation or self.arguments):
            raise ValueError(Text("an envelope needs an address, and takes no operation and no arguments"))
        if self.wsse_digest and self.auth != "wsse":
            raise ValueError(Text('wsse_digest needs auth = "wsse"'))
        if not is_line(self.soap_action) or '"' in self.soap_action:
            raise ValueError(Text("soap_action has forbidden characters"))
