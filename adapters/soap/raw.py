"""SOAP without a WSDL: the envelope is a template. For appliances whose WSDL is missing, wrong, or unreadable."""

import re
from collections.abc import Collection
from typing import Any

from lxml import etree

from adapters.http.client import HttpRequest
from adapters.http.templates import NAMES, Template, for_xml
from adapters.soap.answers import parts_of
from adapters.soap.envelope import SOAP_11, SOAP_12, envelope_of, headers_for
from adapters.soap.header import Header
from adapters.soap.settings import SoapConfig
from gateway.adapter import Outgoing
from gateway.errors import AdapterError
from gateway.texts.text import Text

_DECLARED = re.compile(r"<\?xml[^>]*\bencoding\s*=\s*[\"']([\w.:-]+)")
_NAMESPACES = {"1.1": SOAP_11, "1.2": SOAP_12}


class RawEnvelope:
    """Requests from a template, sent letter for letter in the charset that its XML declaration names (or UTF-8).

    With a header to add, the envelope is written anew.
    """

    def __init__(self, config: SoapConfig, header: Header, names: Collection[str] = NAMES) -> None:
        """Compile the template. Raises ``AdapterError`` when it cannot be used."""
        self.address = config.address
        self._template = Template(
            config.envelope.strip(), escape=for_xml, secrets=config.secrets, names=names, place="envelope"
        )
        self._action = config.soap_action
        self._header = header
        self._namespace = _NAMESPACES.get(config.soap_version, "")

    def request(self, message: Outgoing) -> HttpRequest:
        """Build the request for ``message``. Raises ``AdapterError`` when the text is no SOAP envelope."""
        text = self._template.render(message)
        declared = _DECLARED.match(text)
        charset = declared[1] if declared else "utf-8"
        body, namespace = self._completed(_encoded(text, charset), charset, message)
        headers = headers_for(self._namespace or namespace, self._action, charset)
        return HttpRequest("POST", self.address, headers, body)

    def _completed(self, body: bytes, charset: str, message: Outgoing) -> tuple[bytes, str]:
        """Return the body with its header blocks, and the envelope's namespace."""
        envelope = envelope_of(body, charset)
        if envelope is None:
            raise AdapterError(Text("the envelope is no well-formed SOAP 1.1 or 1.2 Envelope."))
        if self._header:
            self._header.add(envelope, message)
            body = etree.tostring(envelope, xml_declaration=True, encoding=charset)
        return body, etree.QName(envelope).namespace

    def result(self, envelope: Any) -> Any:
        """Return the parts of an answer. Raises ``LookupError``."""
        return parts_of(envelope)


def _encoded(text: str, charset: str) -> bytes:
    try:
        return text.encode(charset, "xmlcharrefreplace")
    except LookupError:
        unknown = Text("the envelope declares the unknown encoding {charset!r}.", charset=charset)
        raise AdapterError(unknown) from None
