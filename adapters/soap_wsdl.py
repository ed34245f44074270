"""What a WSDL says, by zeep; only the files ``soap_*.py`` that build on zeep's types import it besides."""

import logging
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests
import zeep
from lxml import etree
from zeep.helpers import serialize_object
from zeep.transports import Transport
from zeep.wsdl.bindings.soap import SoapBinding

from adapters.answers import Single
from adapters.envelope import headers_for, parsed
from adapters.http import HttpRequest, Peer
from adapters.outcomes import Failed
from adapters.settings import origin_of
from adapters.soap_answers import parts_of
from adapters.soap_documents import ENCODING, known_schema, repaired, safe, written
from adapters.soap_encoded import XSD, XSI, write_operation
from adapters.soap_flat import flat
from adapters.soap_header import Header
from adapters.soap_prepared import prepare, serialized
from adapters.soap_settings import SoapConfig
from adapters.templates import rendered
from adapters.wire import Attempt
from gateway.adapter import Outcome, Outgoing
from gateway.errors import AdapterError

# zeep logs whole requests and answers, credentials included.
logging.getLogger("zeep").setLevel(logging.WARNING)
# Of what it leaves out in a WSDL it warns on stderr; nobody misses an operation that is not called.
warnings.filterwarnings("ignore", category=UserWarning, module="zeep")


class Contract:
    """A loaded WSDL, bound to one operation and address. Raises ``AdapterError`` and ``Failed``."""

    def __init__(self, config: SoapConfig, arguments: Any, header: Header, peer: Peer, attempt: Attempt) -> None:
        """``arguments`` are compiled templates; the WSDL is loaded through ``peer`` within ``attempt``."""
        self._arguments = arguments
        self._header = header
        self._name = safe(config.operation)
        transport = _Loading(config.wsdl, peer, attempt)
        try:
            self._load(config, transport)
        except (AdapterError, Failed):
            raise
        except Exception as error:  # zeep raises what it stumbles over
            raise AdapterError(f"the WSDL {config.wsdl!r} cannot be used: {error}") from None
        transport.finished = True
        action = config.soap_action or self._operation.soapaction or ""
        self._headers = headers_for(self._binding.nsmap["soap-env"], action)
        if not self.address:
            raise AdapterError(f"the WSDL {config.wsdl!r} has no address: set address")
        origin_of(self.address)
        # An encoded text says its type, which its value decides; an address of WS-Addressing has an id of its own.
        same_for_all = not self._style and not self._operation.abstract.wsa_action
        self._prepared = prepare(arguments, self._literal) if same_for_all else None
        self._flat = flat(self._operation) if self._operation.style != "rpc" else None

    def _load(self, config: SoapConfig, transport: "_Loading") -> None:
        # Not strict: a missing or surplus element in an answer does not undo the call that was placed.
        settings = zeep.Settings(strict=False, raw_response=True)
        self._client = zeep.Client(config.wsdl, transport=transport, settings=settings)
        port = self._port(config)
        self._binding = port.binding
        self._operation = _chosen(self._binding.all(), config.operation, "operation")
        self._style = transport.encoding_style(self._binding.name.localname, self._name)
        self.address: str = config.address or (port.binding_options or {}).get("address") or ""

    def _port(self, config: SoapConfig) -> Any:
        """The port that the settings name, or the first one that speaks SOAP (.NET lists GET and POST too)."""
        service = _chosen(self._client.wsdl.services, config.service, "service")
        speaking = {name: port for name, port in service.ports.items() if isinstance(port.binding, SoapBinding)}
        return _chosen(speaking, config.port, "SOAP port")

    def request(self, message: Outgoing) -> HttpRequest:
        """The call of the operation for ``message``. Raises ``AdapterError`` when the arguments do not fit it."""
        if self._prepared:
            body = self._prepared.fill(message)
            return self._with_header(etree.fromstring(body), message) if self._header else self._posted(body)
        return self.call(rendered(self._arguments, message), message)

    def call(self, arguments: dict[str, Any], message: Outgoing) -> HttpRequest:
        """The call of the operation with ``arguments`` as they are. Raises ``AdapterError`` when they do not fit."""
        try:
            envelope = self._encoded(arguments) if self._style else self._literal(arguments)
        except Exception as error:  # zeep raises TypeError, ValueError, its own ...
            raise AdapterError(f"the arguments do not fit {self._name!r}: {error}") from None
        return self._with_header(envelope, message)

    def _with_header(self, envelope: Any, message: Outgoing) -> HttpRequest:
        self._header.add(envelope, message, names=self._header_names())
        return self._posted(serialized(envelope))

    def _posted(self, body: bytes) -> HttpRequest:
        return HttpRequest("POST", self.address, self._headers, body)

    def parts(self) -> Mapping[str, Mapping[str, bool]]:
        """The operation's parts; of each that is a structure its members, and whether they are whole numbers."""
        found = {}
        for name, part in self._operation.input.body.type.elements:
            members = getattr(part.type, "elements", ())
            found[name] = {member: _is_whole(element) for member, element in members}
        return found

    def _header_names(self) -> dict[str, str]:
        """The header blocks that the WSDL has for the operation, by their bare names."""
        blocks = self._operation.input.header.type.elements
        return {element.name: element.qname.text for _, element in blocks}

    def _literal(self, arguments: dict[str, Any]) -> Any:
        options = {"address": self.address}
        return self._binding._create(self._name, (), arguments, client=self._client, options=options)[0]

    def _encoded(self, arguments: dict[str, Any]) -> Any:
        soap = self._binding.nsmap["soap-env"]
        prefixes = {"soap-env": soap, "xsd": XSD, "xsi": XSI, "soapenc": ENCODING}
        spoken = {prefix: uri for prefix, uri in self._client.namespaces.items() if uri and uri != ENCODING}
        envelope = etree.Element(etree.QName(soap, "Envelope"), nsmap=spoken | prefixes)
        body = etree.SubElement(envelope, etree.QName(soap, "Body"))
        write_operation(body, self._operation.input.body, arguments, style=self._style)
        return envelope

    def result(self, envelope: Any) -> Any:
        """The answer as plain Python: mappings, lists, scalars. Raises whatever zeep raises, and ``LookupError``."""
        if self._flat and (found := self._flat.read(envelope)) is not None:
            return found
        return parts_of(envelope) if self._operation.style == "rpc" else self._described(envelope)

    def _described(self, envelope: Any) -> Any:
        """A document answer as the WSDL describes it."""
        value = serialize_object(self._operation.process_reply(envelope), dict)
        names = [etree.QName(part).localname for part in envelope.iterfind("{*}Body/*/*")]
        # zeep hands out an answer's only part without the name that the WSDL gives it.
        bare = len(names) == 1 and not isinstance(value, dict | list)
        return Single({names[0]: value}) if bare else value


def _chosen(found: Mapping[str, Any], name: str, what: str) -> Any:
    """What is called ``name``, or the first without a name. Raises ``AdapterError``, which lists what there is."""
    if not found:
        # zeep leaves out operations whose messages or types it does not find.
        raise AdapterError(f"the WSDL describes no {what} that can be used: does it lack messages or types?")
    if name and safe(name) not in found:
        known = ", ".join(map(written, found))
        raise AdapterError(f"the WSDL has no {what} {name!r}; it has: {known}")
    return found[safe(name)] if name else next(iter(found.values()))


def _is_whole(element: Any) -> bool:
    name = getattr(getattr(element, "type", None), "qname", None)
    return name is not None and name.localname in ("int", "integer", "long", "short")


_INPUT_BODY = "{{*}}binding[@name='{}']/{{*}}operation[@name='{}']/{{*}}input/{{*}}body"


class _Loading(Transport):  # type: ignore[misc]
    """Loads a WSDL and what it imports through the peer, from its own host or folder only."""

    def __init__(self, wsdl: str, peer: Peer, attempt: Attempt) -> None:
        super().__init__(session=requests.Session())
        self._wsdl = wsdl
        self._peer = peer
        self._attempt = attempt
        self._documents: list[Any] = []
        self.finished = False

    def encoding_style(self, binding: str, operation: str) -> str:
        """The encodingStyle of an operation's requests, or nothing when its use is literal; zeep forgets it."""
        for document in self._documents:
            for body in document.iterfind(_INPUT_BODY.format(binding, operation)):
                if body.get("use") == "encoded":
                    return body.get("encodingStyle") or ENCODING
        return ""

    def load(self, url: str) -> bytes:
        if known := known_schema(url):
            return known
        if self.finished:
            raise AdapterError(f"an answer asks for {url!r}, which is not loaded")
        document = self._fetch(url) if "://" in url else self._read(Path(url))
        self._documents.append(document)
        return repaired(document)

    def _fetch(self, url: str) -> Any:
        own = "://" in self._wsdl and origin_of(self._wsdl)
        if not own or urlsplit(url)[:2] != urlsplit(own)[:2]:
            raise AdapterError(f"the WSDL imports {url!r}, which is not on its own host and is not loaded")
        answer = self._peer.exchange(HttpRequest("GET", url), self._attempt)
        if answer.status != 200:
            raise Failed(Outcome.UNREACHABLE, f"HTTP {answer.status} em {urlsplit(url).path}")
        return _document(answer.body, url, answer.charset)

    def _read(self, path: Path) -> Any:
        folder = Path(self._wsdl).resolve().parent
        if "://" in self._wsdl or not path.resolve().is_relative_to(folder):
            raise AdapterError(f"the WSDL imports {str(path)!r}, which is not beside it and is not loaded")
        try:
            return _document(path.read_bytes(), str(path))
        except OSError as error:
            raise AdapterError(f"the file {str(path)!r} cannot be read: {error.strerror}") from None


def _document(content: bytes, url: str, charset: str = "") -> Any:
    root = parsed(content, charset)
    if root is None or etree.QName(root).localname not in ("definitions", "schema"):
        raise AdapterError(f"what {url!r} answers is no WSDL and no schema (a login page?)")
    return root
