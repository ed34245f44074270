"""How a source proves that it sent a request, as data: ``[webhook.authenticity]`` of a preset or a source.

Whether a request holds to it is ``gateway/mapping/proofs.py``'s to say. docs/webhooks-security.md has a table of the
kinds with an example of each.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from gateway.mapping.keys import KeyForm
from gateway.mapping.paths import path_of
from gateway.mapping.signed_texts import COVER_QUERY, SECRET, TIMESTAMP, SignedText
from gateway.texts.text import Text

Kind = Literal["none", "secret", "path", "query", "basic", "header", "body", "hmac", "digest", "ed25519", "jwt"]
Algorithm = Literal["sha1", "sha256", "sha384", "sha512"]
Output = Literal["hex", "base64", "base64_of_hex"]
TimeUnit = Literal["s", "ms", "iso"]
Texts = Annotated[
    tuple[str, ...], BeforeValidator(lambda value: (value,) if isinstance(value, str) else value), Field(strict=False)
]
SIGNATURES: tuple[Kind, ...] = ("hmac", "digest", "ed25519")
_MAC = ("header", "field", "scheme", "after", "prefix", "separator", "signed", "event", "body_hash", "key", "output")
_TIME = ("timestamp_header", "timestamp_prefix", "timestamp_unit", "tolerance_s")
KEYS: Mapping[Kind, Sequence[str]] = {
    "none": (),
    "secret": (),
    "path": (),
    "query": ("parameter",),
    "basic": ("login",),
    "header": ("header", "scheme"),
    "body": ("field",),
    "hmac": ("algorithm", *_MAC, *_TIME),
    "digest": ("algorithm", *_MAC, *_TIME),
    "ed25519": (*_MAC, *_TIME),
    "jwt": ("header", "scheme", "algorithm", "tolerance_s", "payload_hash", "key"),
}
"""Which settings each kind has."""
NEEDED: Mapping[Kind, Sequence[str]] = {"query": ("parameter",), "header": ("header",), "body": ("field",)}


class Authenticity(BaseModel):
    """How a source proves that it sent a request."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    kind: Kind = Field(
        "none",
        description="none (addresses only), secret (in the path, the query or a header), path, query, basic, header, "
        "body, hmac, digest, ed25519, jwt",
    )
    header: str = Field("", description="the header with the secret or the signature")
    field: str = Field("", description="instead of a header: the path of the secret or the signature in the body")
    parameter: str = Field("", description="the query's parameter with the secret")
    login: str = Field("", description="the user name that HTTP Basic must have; any when absent")
    scheme: str = Field("", description="the word before the secret or signature, such as Bearer")
    algorithm: Algorithm = Field("sha256", description="the digest of a signature: sha1, sha256, sha384, sha512")
    output: Output = Field("hex", description="how a signature is written: hex, base64, base64_of_hex (PHP's habit)")
    key: KeyForm = Field("text", description="how the secret writes the key: text, base64, hex, whsec")
    signed: Texts | dict[str, str] = Field(
        ("{body}",), description="what is signed; several are tried in turn; a table: by the event's name"
    )
    event: str = Field("", description="the path of the event's name, where signed is a table")
    prefix: str = Field("", description="what stands before the signature, such as v0= or sha256=")
    after: str = Field("", description="the signature is what stands behind the last of these, such as ':'")
    separator: str = Field("", description="what stands between several signatures, of which one must be right")
    body_hash: str = Field("", description="the query's parameter with the SHA-256 of a body that is no form")
    timestamp_header: str = Field("", description="the header with the time of signing, which signed must contain")
    timestamp_prefix: str = Field("", description="what stands before the time in a header of several parts: t=")
    timestamp_unit: TimeUnit = Field("s", description="the time's form: s or ms since 1970, or iso")
    tolerance_s: float = Field(
        300, ge=1, le=86_400, strict=False, description="how far the time may be from this machine's clock"
    )
    payload_hash: str = Field("payload_hash", description="the claim of a JWT that has the SHA-256 of the body")

    @model_validator(mode="after")
    def _fits_its_kind(self) -> "Authenticity":
        for name in sorted(self.model_fields_set - {"kind"} - set(KEYS[self.kind])):
            raise ValueError(Text("{name} means nothing to the kind {kind!r}", name=name, kind=self.kind))
        for name in NEEDED.get(self.kind, ()):
            if not getattr(self, name):
                raise ValueError(Text("the kind {kind!r} needs {name}", kind=self.kind, name=name))
        if self.kind in SIGNATURES:
            self._check_signature()
        for path in filter(None, (self.field, self.event)):
            path_of(path)
        return self

    def _check_signature(self) -> None:
        if bool(self.header) == bool(self.field):
            raise ValueError(Text("the kind {kind!r} needs either header or field", kind=self.kind))
        if isinstance(self.signed, dict) != bool(self.event):
            raise ValueError(Text("event and a table of signed texts belong together"))
        for text in self.signed_texts():
            self._check_text(text)

    def _check_text(self, text: SignedText) -> None:
        timed = TIMESTAMP in text.names or f"@header.{self.timestamp_header.lower()}" in map(str.lower, text.names)
        if bool(self.timestamp_header) != timed:
            raise ValueError(Text("timestamp_header, and {{timestamp}} in what is signed, belong together"))
        # A digest of secret and text can be prolonged by anybody; of text and secret it cannot.
        if (SECRET in text.names) != (self.kind == "digest") or (self.kind == "digest" and not _ends_secret(text)):
            raise ValueError(Text("a digest ends with {{secret}}; nothing else contains it"))

        if self.body_hash and not COVER_QUERY.intersection(text.names):
            raise ValueError(Text("body_hash is worth nothing where the query is not signed: {{url}}"))

    def signed_texts(self) -> tuple[SignedText, ...]:
        """Return all templates. Raises ``ValueError``."""
        texts = self.signed.values() if isinstance(self.signed, dict) else self.signed
        return tuple(SignedText.read(text) for text in texts)


def _ends_secret(text: SignedText) -> bool:
    return text.names[-1] == SECRET and text.names.count(SECRET) == 1 and text.parts[-1] == ""
