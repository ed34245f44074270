"""What a signature is made of, written as a template: ``{timestamp}.{body}``, ``{url}{sorted_params}``,
``{caller_id}{called_did}``.

A name in braces is one of the words below, else a path of the mapping language. A template must cover what the request
says: one that leaves the body out is of no use for a request that has one.
"""

import base64
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from gateway.mapping.paths import path_of
from gateway.mapping.signed_requests import (
    SignedRequest,
    as_bytes,
    joined_pairs,
    pairs_of,
    plivo_v3,
    with_port,
    without_port,
)
from gateway.texts.text import Text

NAME = re.compile(r"\{([^{}]+)\}")
TIMESTAMP, SECRET = "timestamp", "secret"
WORDS: Mapping[str, Callable[[SignedRequest], bytes]] = {
    "body": lambda signed: signed.request.body,
    "body_md5": lambda signed: base64.b64encode(signed.body_hash("md5")),
    "body_sha256": lambda signed: signed.body_hash("sha256").hex().encode(),
    "sorted_params": lambda signed: as_bytes(joined_pairs(signed.form_pairs or ())),
    "plivo_v3": lambda signed: as_bytes(plivo_v3(signed.url, signed.form_pairs or ())),
    "url": lambda signed: as_bytes(signed.url),
    "url_with_port": lambda signed: as_bytes(with_port(signed.url)),
    "url_without_port": lambda signed: as_bytes(without_port(signed.url)),
    "path": lambda signed: as_bytes(urlsplit(signed.url).path),
    "query": lambda signed: as_bytes(signed.query),
    "sorted_query": lambda signed: as_bytes(joined_pairs(pairs_of(signed.query) or ())),
    "method": lambda signed: as_bytes(signed.request.method.upper()),
}
COVER_BODY = frozenset({"body", "body_md5", "body_sha256", "sorted_params", "plivo_v3"})
COVER_QUERY = frozenset({"url", "url_with_port", "url_without_port", "query", "sorted_query", "plivo_v3"})
OF_FORMS = frozenset({"sorted_params", "plivo_v3"})
"""Words that say nothing of a body that is no form."""
BESIDE = ("@header", "@method", "@tail")
"""Beginnings of paths that lead neither into the body nor into the query."""


@dataclass(frozen=True, slots=True)
class SignedText:
    """A template that was read: texts and names in turn."""

    template: str
    parts: tuple[str, ...]

    @classmethod
    def read(cls, template: str) -> "SignedText":
        """Read ``template``. Raises ``ValueError`` for a name that is neither a word nor a path."""
        parts = tuple(NAME.split(template))
        for name in parts[1::2]:
            if name not in WORDS and name not in (TIMESTAMP, SECRET):
                path_of(name)
        if any("{" in text or "}" in text for text in parts[::2]):
            raise ValueError(Text("{template!r}: a brace without its other half", template=template))
        if len(parts) == 1:
            raise ValueError(Text("{template!r} names nothing of the request, such as {{body}}", template=template))
        return cls(template, parts)

    @property
    def names(self) -> tuple[str, ...]:
        """The names in braces."""
        return self.parts[1::2]

    @property
    def covers_body(self) -> bool:
        """Whether it says something of the body."""
        return any(name in COVER_BODY or _leads_inside(name) for name in self.names)

    @property
    def covers_query(self) -> bool:
        """Whether it says something of the query, as the fields of a request without a body do."""
        return any(name in COVER_QUERY or name.startswith("@query") or _leads_inside(name) for name in self.names)

    def suits(self, signed: SignedRequest, *, body_proven: bool) -> bool:
        """Return whether it covers what this request says; ``body_proven``: something else covers the body."""
        if not signed.request.body:
            return self.covers_query and self._says_something(signed)
        if OF_FORMS.intersection(self.names) and signed.form_pairs is None:
            return body_proven
        return self.covers_body and self._says_something(signed)

    def _says_something(self, signed: SignedRequest) -> bool:
        """Return whether one of the chosen fields, where there are any, is in the request at all."""
        fields = [name for name in self.names if _leads_inside(name)]
        return not fields or any(map(signed.value, fields))

    def of(self, signed: SignedRequest, timestamp: str, secret: bytes = b"") -> bytes:
        """Return what is signed."""
        return b"".join(
            _said(part, signed, timestamp, secret) if place % 2 else as_bytes(part)
            for place, part in enumerate(self.parts)
        )


def _leads_inside(name: str) -> bool:
    return name not in WORDS and name not in (TIMESTAMP, SECRET) and not name.startswith((*BESIDE, "@query"))


def _said(name: str, signed: SignedRequest, timestamp: str, secret: bytes) -> bytes:
    if name in WORDS:
        return WORDS[name](signed)
    if name == SECRET:
        return secret
    return as_bytes(timestamp if name == TIMESTAMP else signed.value(name))
