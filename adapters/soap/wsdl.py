"""What a WSDL says, by zeep, which is imported only in this folder."""

from collections.abc import Mapping
from typing import Any

from lxml import etree
from zeep import xsd
from zeep.helpers import serialize_object

from adapters.http.answers import Single
from adapters.http.client import HttpRequest, Peer
from adapters.http.outcomes import Failed
from adapters.http.settings import origin_of
from adapters.http.templates import rendered
from adapters.soap.answers import parts_of
from adapters.soap.description import Description, chosen, unusable
from adapters.soap.encoded import XSI, write_operation
from adapters.soap.envelope import SOAP_12, headers_for, serialized
from adapters.soap.flat import flat
from adapters.soap.header import Header
from adapters.soap.known import ENCODING, ENCODING_12, XML, XSD
from adapters.soap.names import listed, safe, written
from adapters.soap.prepared import prepare
from adapters.soap.settings import SoapConfig
from adapters.soap.values import check_described, fitted
from gateway.adapter import Outgoing
from gateway.errors import AdapterError
from gateway.texts.text import Text, problem_of


class Contract:
    """A loaded WSDL, bound to one operation and address. Raises ``AdapterError`` and ``Failed``."""

    def __init__(
        self, config: SoapConfig, arguments: Any, header: Header, peer: Peer, description: Description
    ) -> None:
        """Bind the operation; ``arguments`` are compiled templates."""
        self._arguments = arguments
        self._peer = peer
        self._header = header
        self._name = safe(config.operation.strip())
        self._client = description.client
        try:
            self._bind(config, description)
            self._make_ready(config)
        except (AdapterError, Failed):
            raise
        except Exception as error:  # zeep raises what it stumbles over
            raise unusable(config.wsdl, error) from None

    def _bind(self, config: SoapConfig, description: Description) -> None:
        port = description.port(config.service, config.port)
        self._binding = port.binding
        self._operation = self._chosen_operation(config)
        # Settings of 0.1.0 call a part by the element that it refers to.
        renamed = getattr(self._operation.input, "renamed", {})
        self._arguments = {renamed.get(name, name): value for name, value in self._arguments.items()}
        self._style = description.encoding_style(self._binding, self._name)
        self.address: str = config.address or (port.binding_options or {}).get("address") or ""

    def _chosen_operation(self, config: SoapConfig) -> Any:
        """Return the operation that the settings name. Raises ``AdapterError``, with the reason where it cannot be
        used.
        """
        if why := self._binding.unusable.get(self._name):
            wrong = Text(
                "the WSDL {wsdl!r} describes {operation!r} wrongly: {why}",
                wsdl=config.wsdl,
                operation=config.operation,
                why=why,
            )
            raise AdapterError(wrong)
        return chosen(self._binding.all(), config.operation, Text("operation"))

    def _make_ready(self, config: SoapConfig) -> None:
        action = config.soap_action or self._operation.soapaction or ""
        self._headers = headers_for(self._binding.nsmap["soap-env"], action)
        if not self.address:
            raise AdapterError(Text("the WSDL {wsdl!r} has no address: set address", wsdl=config.wsdl))
        origin_of(self.address)
        if self._operation.input is None:
            none = Text(
                "the WSDL {wsdl!r} has no input for {operation!r}: nothing can be sent",
                wsdl=config.wsdl,
                operation=config.operation,
            )
            raise AdapterError(none)
        self._check_namespace(self._operation.input.body)
        self._check_types(self._operation.input.body)
        # An encoded text says its type, which its value decides; an address of WS-Addressing has an id of its own.
        is_same_for_all = not (self._style or self._operation.abstract.wsa_action or self._header)
        self._prepared = prepare(self._arguments, self._literal) if is_same_for_all else None
        output = self._operation.output
        self._flat = flat(self._operation) if self._operation.style != "rpc" else None
        self._has_answer = output is not None and output.header is not None

    def _check_namespace(self, body: Any) -> None:
        """Raise ``AdapterError`` where the namespace has spaces or braces (a template not filled in)."""
        namespace = body.qname.text[1:].rpartition("}")[0] if body is not None else ""
        try:
            etree.Element(f"{{{namespace or 'urn:x'}}}x")
        except ValueError:
            no_uri = Text(
                "the namespace {namespace!r} of {operation!r} is no URI and cannot be written:"
                " is the WSDL a template? Else send an envelope instead.",
                namespace=namespace,
                operation=written(self._name),
            )
            raise AdapterError(no_uri) from None

    def _check_types(self, body: Any) -> None:
        """Raise ``AdapterError`` where an argument is of a type that nothing describes: known at once, by ``check``."""
        if body is None:
            return
        alone = self._operation.style != "rpc" and (self._style or not _is_structure(body))
        wrapped = alone and etree.QName(body.qname).localname != "Body"
        try:
            check_described(xsd.ComplexType(xsd.Sequence([body])) if wrapped else body.type, self._arguments)
        except ValueError as error:
            raise self._misfit(problem_of(error)) from None

    def _misfit(self, why: Text | str) -> AdapterError:
        name = written(self._name)
        return AdapterError(Text("the arguments do not fit {operation!r}: {why}", operation=name, why=why))

    def request(self, message: Outgoing) -> HttpRequest:
        """Build the call of the operation for ``message``. Raises ``AdapterError`` when the arguments do not fit it."""
        if self._prepared and (body := self._prepared.fill(message)) is not None:
            return self._posted(body)
        return self.call(rendered(self._arguments, message), message)

    def call(self, arguments: dict[str, Any], message: Outgoing) -> HttpRequest:
        """Build the call of the operation with ``arguments`` as they are. Raises ``AdapterError`` when
        they do not fit.
        """
        try:
            envelope = self._encoded(arguments) if self._style else self._literal(arguments)
        except Exception as error:  # zeep raises TypeError, ValueError, its own ...
            raise self._misfit(self._peer.clean(problem_of(error))) from None
        return self._with_header(envelope, message)

    def _with_header(self, envelope: Any, message: Outgoing) -> HttpRequest:
        self._header.add(envelope, message, described=self._header_blocks())
        return self._posted(serialized(envelope))

    def _posted(self, body: bytes) -> HttpRequest:
        return HttpRequest("POST", self.address, self._headers, body)

    def parts(self) -> Mapping[str, Mapping[str, bool]]:
        """Return the operation's parts; of each that is a structure its members, and whether they are whole numbers."""
        found: dict[str, Mapping[str, bool]] = {}
        body = self._operation.input.body
        for name, part in body.type.elements if body is not None else ():
            members = getattr(part.type, "elements", ())
            found[name] = {member: _is_whole(element) for member, element in members}
        return found

    def _header_blocks(self) -> dict[str, Any]:
        """Return zeep's elements of the header blocks that the WSDL has for the operation, by their bare names."""
        blocks = [element for _, element in self._operation.input.header.type.elements]
        return {element.qname.text: element for element in blocks} | {element.name: element for element in blocks}

    @property
    def is_one_way(self) -> bool:
        """Whether the WSDL describes no answer at all, so that HTTP's own is all there is (WS-I BP 1.1, R2750).

        Its port type decides: bindings have an output too much or too little.
        """
        return self._operation.abstract.output_message is None

    @property
    def has_answer(self) -> bool:
        """Whether the WSDL describes an answer that has parts."""
        return self._has_answer

    def _literal(self, arguments: dict[str, Any]) -> Any:
        body = self._operation.input.body
        if body is None:
            return self._bare(arguments)
        values, named = ((), fitted(body.type, arguments)) if _is_structure(body) else (_only(body, arguments), {})
        options = {"address": self.address}
        return self._binding._create(self._name, values, named, client=self._client, options=options)[0]

    def _bare(self, arguments: dict[str, Any]) -> Any:
        """Return the envelope of an input without parts; an rpc operation is an element all the same (SOAP 1.1, section
        7).
        """
        if arguments:
            raise ValueError(Text("it takes no arguments, and came with {given}", given=", ".join(arguments)))
        envelope, body = self._empty({})
        if self._operation.style == "rpc":
            etree.SubElement(body, self._name)
        return envelope

    def _empty(self, prefixes: Mapping[str, str]) -> tuple[Any, Any]:
        """Return an envelope and its Body."""
        soap = self._binding.nsmap["soap-env"]
        envelope = etree.Element(etree.QName(soap, "Envelope"), nsmap={**prefixes, "soap-env": soap})
        return envelope, etree.SubElement(envelope, etree.QName(soap, "Body"))

    def _encoded(self, arguments: dict[str, Any]) -> Any:
        if self._operation.input.body is None:
            return self._bare(arguments)
        prefixes = {"xsd": XSD, "xsi": XSI, "soapenc": ENCODING}
        if self._binding.nsmap["soap-env"] == SOAP_12:
            prefixes["soapenc12"] = ENCODING_12
        # XML's own namespace may have no other prefix than its own.
        spoken = {
            prefix: uri for prefix, uri in self._client.namespaces.items() if uri not in (None, "", ENCODING, XML)
        }
        envelope, body = self._empty(spoken | prefixes)
        wrapped = self._operation.style == "rpc"
        write_operation(body, self._operation.input.body, arguments, style=self._style, wrapped=wrapped)
        return envelope

    def result(self, envelope: Any) -> Any:
        """Return the answer as plain Python: mappings, lists, scalars. Raises whatever zeep raises, and
        ``LookupError``.
        """
        if self._flat and (found := self._flat.read(envelope)) is not None:
            return found
        if not self._has_answer:
            return parts_of(envelope) if envelope.find("{*}Body/*") is not None else None
        if self._operation.style == "rpc":
            return parts_of(envelope, self._texts())
        return self._described(envelope)

    def _texts(self) -> list[str]:
        """Return the parts of an rpc answer that are simple values."""
        body = self._operation.output.body
        members = body.type.elements if body is not None else ()
        return [name for name, part in members if isinstance(part.type, xsd.AnySimpleType)]

    def _described(self, envelope: Any) -> Any:
        """Read a document answer as the WSDL describes it."""
        body = self._operation.output.body
        if body is not None and isinstance(body.type, xsd.AnySimpleType):
            # zeep stumbles over the only character of such an answer.
            (answer,) = envelope.find("{*}Body")
            return Single({etree.QName(answer).localname: body.type.parse_xmlelement(answer)})
        value = serialize_object(self._operation.process_reply(envelope), dict)
        names = [etree.QName(part).localname for part in envelope.iterfind("{*}Body/*/*")]
        # zeep hands out an answer's only part without the name that the WSDL gives it.
        bare = len(names) == 1 and not isinstance(value, dict | list)
        return Single({names[0]: value}) if bare else value


def _is_structure(element: Any) -> bool:
    return isinstance(element.type, xsd.ComplexType)


def _only(body: Any, arguments: Mapping[str, Any]) -> tuple[Any]:
    """Return the value of a document that has no members; its argument has the name of the part or of the element.

    Raises ``ValueError``.
    """
    names = [body.attr_name, etree.QName(body.qname).localname, "value"]
    if len(arguments) != 1 or not arguments.keys() <= set(names):
        facts = {"name": names[0], "given": listed(arguments)}
        raise ValueError(Text("it takes the one argument {name!r}, and came with {given}", **facts))
    (value,) = arguments.values()
    element = xsd.ComplexType(xsd.Sequence([body]))
    return (fitted(element, {dict(element.elements).popitem()[0]: value}).popitem()[1],)


def _is_whole(element: Any) -> bool:
    name = getattr(getattr(element, "type", None), "qname", None)
    return name is not None and name.localname in ("int", "integer", "long", "short")
