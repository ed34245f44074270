"""A request with what its signature may cover beside the body: the address it was sent to, and when it came."""

import hashlib
from collections.abc import Iterable
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl, urlsplit, urlunsplit

from gateway.mapping.bodies import BodyForm, UnreadableBody, WebhookRequest, document_of, form_of
from gateway.mapping.budget import Budget, RequestTooSlow
from gateway.mapping.paths import PathScope, find, path_of, text_of

MOST_PAIRS = 1000
DEFAULT_PORTS = {"http": 80, "https": 443}

Pairs = tuple[tuple[str, str], ...]


class SignedRequest:
    """A request to a source. ``url`` is the address that its sender called, ``now`` the time in seconds since 1970."""

    def __init__(self, request: WebhookRequest, *, url: str, now: float, form: BodyForm = "auto") -> None:
        self.request = request
        self.url = url
        self.now = now
        self._form: BodyForm = form

    def __repr__(self) -> str:
        return f"SignedRequest({self.request.method} {self.address})"

    @property
    def address(self) -> str:
        """The address without its query, which may hold secrets."""
        return self.url.partition("?")[0]

    @property
    def first_of_tail(self) -> str:
        """The first part of what the address has behind the source's name."""
        return self.request.tail.strip("/").partition("/")[0]

    @property
    def query(self) -> str:
        """The query of the address, as it was sent."""
        return urlsplit(self.url).query

    def header(self, name: str) -> str:
        """Return the value of a header, empty where it is missing."""
        return self.request.headers.get(name.lower(), "").strip()

    def value(self, path: str) -> str:
        """Return the text at ``path`` of the mapping language; empty where there is none, or several."""
        try:
            return text_of(find(path_of(path), self._scope, Budget()))
        except RequestTooSlow:
            return ""

    def query_values(self, name: str) -> list[str]:
        """Return all values of a parameter in the query."""
        return [value for key, value in pairs_of(self.query) or () if key == name]

    @cached_property
    def form_pairs(self) -> Pairs | None:
        """The names and values of a posted form; None where the body is none, or may be read as something else."""
        body, kind = self.request.body, self.request.content_type.lower()
        if not body:
            return ()
        if kind.startswith("multipart/") or form_of(self.request) != "form":
            return None
        return pairs_of(body.decode("utf-8", "surrogateescape"))

    def body_hash(self, algorithm: str) -> bytes:
        """Return the digest of the body."""
        return hashlib.new(algorithm, self.request.body, usedforsecurity=False).digest()

    @cached_property
    def _scope(self) -> PathScope:
        document = self._document()
        return PathScope(document, document, self.request.roots())

    def _document(self) -> Any:
        try:
            return document_of(self.request, self._form)
        except UnreadableBody:
            return None


def as_bytes(text: str) -> bytes:
    """Return ``text`` as it came on the wire; a half of a letter, which only JSON can write, in a form of its own."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")


def pairs_of(text: str) -> Pairs | None:
    """Return the names and values of a query or a form, empty ones too; None for more than anybody sends."""
    try:
        found = parse_qsl(text, keep_blank_values=True, max_num_fields=MOST_PAIRS, errors="surrogateescape")
    except ValueError:
        return None
    return tuple(found)


def joined_pairs(pairs: Iterable[tuple[str, str]]) -> str:
    """Return names and values written together, sorted; a value that is repeated counts once, as in Twilio's SDKs."""
    return "".join(name + value for name, value in sorted(set(pairs)))


def with_port(url: str) -> str:
    """Return ``url`` with its port, that of the scheme where it names none (DIDWW)."""
    parts = urlsplit(url)
    if _port(url):
        return url
    port = DEFAULT_PORTS.get(parts.scheme, 443)
    return urlunsplit(parts._replace(netloc=f"{parts.netloc.removesuffix(':')}:{port}"))


def without_port(url: str) -> str:
    """Return ``url`` without its port."""
    parts, port = urlsplit(url), _port(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.removesuffix(f":{port}"))) if port else url


def _port(url: str) -> int | None:
    try:
        return urlsplit(url).port
    except ValueError:
        return None


def plivo_v3(url: str, pairs: Pairs) -> str:
    """Return what Plivo signs (V3): the address, its query sorted, and the names and values of the posted form.

    A question mark stands there even without a query as soon as there is a form (plivo-python, signature_v3.py).
    """
    parts = urlsplit(url)
    query = "&".join(f"{name}={value}" for name, value in sorted(pairs_of(parts.query) or ()))
    base = urlunsplit(parts._replace(query="", fragment=""))
    if not pairs:
        return f"{base}?{query}" if query else base
    return f"{base}?{query}{'.' if query else ''}{''.join(name + value for name, value in sorted(pairs))}"
