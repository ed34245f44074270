"""The settings of appliances that dial by SOAP."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from adapters.answers import Pattern
from adapters.settings import HttpConfig


@dataclass(frozen=True, kw_only=True)
class SoapConfig(HttpConfig):
    """Texts in ``arguments`` are templates; numbers, true and false keep their type."""

    wsdl: str = field(metadata={"help": "Where the WSDL is: a URL or a file."})
    operation: str = field(metadata={"help": "The operation to call."})
    arguments: Mapping[str, Any] = field(
        default_factory=dict, metadata={"help": "Its arguments: templates, scalars, lists and tables."}
    )
    service: str = field(default="", metadata={"help": "The service in the WSDL; the first one if empty."})
    port: str = field(default="", metadata={"help": "The port of the service; the first one if empty."})
    address: str = field(default="", metadata={"help": "Where to send calls, if not where the WSDL says."})
    result_path: str = field(
        default="", metadata={"help": "Where in the answer to look (responseCode); empty: all of it."}
    )
    success: Pattern = field(default="", metadata={"help": "Pattern that the result of a success contains."})
    refused: Pattern = field(default="", metadata={"help": "Pattern that the result of a refusal contains."})
    ref_path: str = field(default="", metadata={"help": "Where in the answer the peer's own call id is."})
