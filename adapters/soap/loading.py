"""Where a WSDL and what it imports come from, and nothing else: its own host or its own folder."""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests
from lxml import etree
from zeep.transports import Transport

from adapters.http.client import HttpRequest, Peer
from adapters.http.connection import Attempt
from adapters.http.outcomes import Failed
from adapters.soap.definitions import BINDINGS
from adapters.soap.documents import repaired
from adapters.soap.envelope import parsed, why_unreadable
from adapters.soap.known import ENCODING, known_schema
from adapters.soap.repairs import Repairs
from gateway.adapter import Outcome
from gateway.errors import AdapterError
from gateway.texts.text import Text

MOST_DOCUMENTS = 500
"""Files of one WSDL; large ones have some dozens."""
_INPUT_BODY = "{{*}}binding[@name='{}']/{{*}}operation[@name='{}']/{{*}}input/{{*}}body"


class Loading(Transport):  # type: ignore[misc]
    """Loads a WSDL and what it imports through the peer, from its own host or folder only.

    ``binding_classes`` is where zeep looks for how bindings are read; ``repairs`` is what was put right.
    """

    binding_classes = BINDINGS

    def __init__(self, wsdl: str, peer: Peer, attempt: Attempt) -> None:
        super().__init__(session=requests.Session())
        self.wsdl = wsdl
        self.repairs = Repairs()
        self._peer = peer
        self._attempt = attempt
        self.documents: list[Any] = []
        self.finished = False

    def encoding_style(self, binding: str, operation: str) -> str:
        """Return the encodingStyle of an operation's requests, or nothing when its use is literal; zeep forgets it."""
        for document in self.documents:
            for body in document.iterfind(_INPUT_BODY.format(binding, operation)):
                if body.get("use") == "encoded":
                    return body.get("encodingStyle") or ENCODING
        return ""

    def load(self, url: str) -> bytes:
        """Return the file at ``url``, repaired. Raises ``AdapterError`` once all is loaded, and for a file too many."""
        if known := known_schema(url):
            return known
        if self.finished:
            raise AdapterError(Text("an answer asks for {url!r}, which is not loaded", url=url))
        if len(self.documents) >= MOST_DOCUMENTS:
            raise AdapterError(Text("the WSDL imports more than {most} files", most=MOST_DOCUMENTS))
        document = repaired(self._fetch(url) if "://" in url else self._read(Path(url)), self.repairs.within(url))
        self.documents.append(document)
        return bytes(etree.tostring(document))

    def _fetch(self, url: str) -> Any:
        if "://" not in self.wsdl or not same_origin(url, self.wsdl):
            elsewhere = Text("the WSDL imports {url!r}, which is not on its own host and is not loaded", url=url)
            raise AdapterError(elsewhere)
        answer = self._peer.exchange(HttpRequest("GET", url), self._attempt)
        if answer.status != 200:
            refused = Text("HTTP {status} at {path}", status=answer.status, path=urlsplit(url).path)
            raise Failed(Outcome.UNREACHABLE, refused)
        return self._document(answer.body, url, answer.charset)

    def _read(self, path: Path) -> Any:
        folder = Path(self.wsdl).resolve().parent
        if "://" in self.wsdl or not path.resolve().is_relative_to(folder):
            elsewhere = Text("the WSDL imports {path!r}, which is not beside it and is not loaded", path=str(path))
            raise AdapterError(elsewhere)
        try:
            return self._document(path.read_bytes(), str(path))
        except OSError as error:
            unread = Text("the file {path!r} cannot be read: {why}", path=str(path), why=error.strerror)
            raise AdapterError(unread) from None

    def _document(self, content: bytes, url: str, charset: str = "") -> Any:
        root = parsed(content, charset, undeclared=True)
        if root is None and _looks_like_a_wsdl(content):
            why = why_unreadable(content) or Text("it has a DOCTYPE, which is not accepted")
            raise AdapterError(Text("what {url!r} answers is no WSDL that can be read: {why}", url=url, why=why))
        if root is None or etree.QName(root).localname not in ("definitions", "schema"):
            raise AdapterError(Text("what {url!r} answers is no WSDL and no schema (a login page?)", url=url))
        if "Namespace prefix" in (why := why_unreadable(content)):
            self.repairs.note(url, etree.QName(root).localname, Text("{why}: such prefixes are passed over", why=why))
        return root


def same_origin(url: str, other: str) -> bool:
    """Return whether two addresses have one scheme, host and port, compared as RFC 3986 (6.2.2.1, 6.2.3) normalizes
    them.
    """
    found = _origin(url)
    return found is not None and found == _origin(other)


def _origin(url: str) -> tuple[str, str, int] | None:
    try:
        parts = urlsplit(url)
        port = parts.port or {"http": 80, "https": 443}.get(parts.scheme, 0)
    except ValueError:
        return None
    return (parts.scheme, parts.hostname or "", port) if parts.hostname and parts.username is None else None


def _looks_like_a_wsdl(content: bytes) -> bool:
    return b"definitions" in content[:4096] or b"schema" in content[:4096]
