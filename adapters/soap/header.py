"""What goes into the envelope's Header: a session, and the login of WS-Security's UsernameToken Profile 1.1."""

import os
from base64 import b64encode
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime
from hashlib import sha1
from typing import Any

from lxml import etree
from zeep import xsd

from adapters.http.templates import NAMES, Template, compiled, for_xml, rendered
from adapters.soap.envelope import parsed
from adapters.soap.settings import SoapConfig
from gateway.adapter import Outgoing
from gateway.errors import AdapterError
from gateway.texts.text import Text

_OASIS = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-"
_WSSE = f"{_OASIS}wssecurity-secext-1.0.xsd"
_WSU = f"{_OASIS}wssecurity-utility-1.0.xsd"
_PASSWORD = f"{_OASIS}username-token-profile-1.0#Password"
_BASE64 = f"{_OASIS}soap-message-security-1.0#Base64Binary"


class Header:
    """The blocks that the settings ask for, made anew for each message; false when there are none."""

    def __init__(self, config: SoapConfig, names: Collection[str] = NAMES) -> None:
        """Compile the header. Raises ``AdapterError`` when a template or a name cannot be used."""
        self._config = config
        self._text: Template | None = None
        self._blocks: dict[str, Any] = {}
        if isinstance(config.header, str):
            if config.header:
                self._text = Template(
                    config.header, escape=for_xml, secrets=config.secrets, names=names, place="header"
                )
        else:
            self._blocks = compiled(config.header, config.secrets, names, place="header")
        _make(etree.Element("Header"), self._blocks)

    def __bool__(self) -> bool:
        return bool(self._text or self._blocks or self._config.auth == "wsse")

    def add(self, envelope: Any, message: Outgoing, *, described: Mapping[str, Any] | None = None) -> None:
        """Put the blocks into ``envelope``, whose Header is made if it has none.

        ``described`` are zeep's elements of the WSDL's header blocks by their bare names, so that settings need no
        namespaces. Raises ``AdapterError`` when a template does not come to XML.
        """
        if not self:
            return
        header = _header_of(envelope)
        if self._text:
            header.extend(_elements(self._text.render(message)))
        _make(header, rendered(self._blocks, message), described)
        if self._config.auth == "wsse":
            header.append(self._security())

    def _security(self) -> Any:
        security = etree.Element(etree.QName(_WSSE, "Security"), nsmap={"wsse": _WSSE, "wsu": _WSU})
        token = etree.SubElement(security, etree.QName(_WSSE, "UsernameToken"))
        etree.SubElement(token, etree.QName(_WSSE, "Username")).text = self._config.username
        password = self._config.password.get_secret_value()
        if self._config.wsse_digest:
            _add_digest(token, password)
        else:
            etree.SubElement(token, etree.QName(_WSSE, "Password"), Type=f"{_PASSWORD}Text").text = password
        return security


def _add_digest(token: Any, password: str) -> None:
    """Add Password_Digest = Base64 ( SHA-1 ( nonce + created + password ) ), as the UsernameToken Profile 1.1 has it;
    the nonce is another in every request.
    """
    nonce, created = os.urandom(16), f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
    digest = sha1(nonce + created.encode() + password.encode()).digest()  # noqa: S324 - the profile's own choice
    etree.SubElement(token, etree.QName(_WSSE, "Password"), Type=f"{_PASSWORD}Digest").text = _base64(digest)
    etree.SubElement(token, etree.QName(_WSSE, "Nonce"), EncodingType=_BASE64).text = _base64(nonce)
    etree.SubElement(token, etree.QName(_WSU, "Created")).text = created


def _base64(data: bytes) -> str:
    return b64encode(data).decode()


def _header_of(envelope: Any) -> Any:
    found = envelope.find("{*}Header")
    if found is None:
        found = etree.Element(etree.QName(etree.QName(envelope).namespace, "Header"), nsmap=envelope.nsmap)
        envelope.insert(0, found)
    return found


def _elements(text: str) -> list[Any]:
    """Return the elements that ``text`` holds; it declares the prefixes that it uses."""
    root = parsed(f"<x>{text}</x>".encode())
    if root is None or not len(root):
        raise AdapterError(Text("the header is no well-formed XML, or no element of it."))
    return list(root)


def _make(parent: Any, blocks: Mapping[str, Any], described: Mapping[str, Any] | None = None) -> None:
    """Add elements for a table: names may be ``{namespace}name``, tables nest, lists repeat.

    Those of ``described`` (zeep's elements and attributes by their bare names) go out in the namespaces that their
    schema has them in, attributes as such.
    """
    for name, value in blocks.items():
        found = (described or {}).get(name)
        for item in value if isinstance(value, list) else [value]:
            if isinstance(found, xsd.Attribute) and not isinstance(item, Mapping | Template):
                parent.set(found.qname.text, _text_of(item))
            else:
                _fill(_child(parent, found.qname.text if found is not None else name), item, found)


def _fill(element: Any, item: Any, found: Any) -> None:
    """Put ``item`` into ``element``, whose type is that of zeep's element ``found``, if the WSDL has it."""
    if isinstance(item, Mapping):
        members = _members(found.type) if found is not None else {}
        _make(element, {name: item[name] for name in sorted(item, key=_places(members))}, members)
    elif not isinstance(item, Template):
        element.text = _text_of(item)


def _members(kind: Any) -> dict[str, Any]:
    """Return the elements and attributes of a type by their bare names, in its order."""
    pairs = [*getattr(kind, "elements", ()), *getattr(kind, "attributes", ())]
    return {name: member for name, member in pairs if isinstance(member, xsd.Element | xsd.Attribute) and member.qname}


def _places(members: Mapping[str, Any]) -> Callable[[str], int]:
    """Return where each of ``members`` stands among them; other names stand behind all."""
    places = {name: place for place, name in enumerate(members)}
    return lambda name: places.get(name, len(places))


def _text_of(item: Any) -> str:
    return str(item).lower() if isinstance(item, bool) else str(item)


def _child(parent: Any, name: str) -> Any:
    try:
        return etree.SubElement(parent, name)
    except ValueError:
        expected = Text("the header has {name!r}, which is no name; expected name or {{namespace}}name.", name=name)
        raise AdapterError(expected) from None
