"""Requests by which a provider tries an address before it uses it, and what it wants to read: as data.

``[[webhook.handshakes]]`` says how such a request is known, and is an answer like others. One that is not ``signed`` is
answered to anybody; one with ``{@hmac(...)}`` never: whoever may have any text signed needs no secret any more.
"""

import hmac
from collections.abc import Callable, Sequence
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from gateway.mapping.authenticity import Algorithm, Output
from gateway.mapping.paths import path_of
from gateway.mapping.proofs import written
from gateway.mapping.replies import LONGEST_VALUE, OWN, RenderedReply, ReplyWriter, WebhookReply
from gateway.mapping.signed_requests import SignedRequest, as_bytes
from gateway.texts.text import Text


def _path(value: str) -> str:
    path_of(value)
    return value


HandshakePath = Annotated[str, AfterValidator(_path)]
HandshakePaths = Annotated[
    tuple[HandshakePath, ...],
    BeforeValidator(lambda value: (value,) if isinstance(value, str) else value),
    Field(strict=False),
]


class Handshake(WebhookReply):
    """A provider's trial of the address, and its answer."""

    method: str = Field("", pattern="^(GET|POST|)$", description="its HTTP method; any when absent")
    present: HandshakePaths = Field((), description="paths where there is something, such as @query.zd_echo")
    equals: dict[HandshakePath, str] = Field(default_factory=dict, description="by path: the text that is there")
    signed: bool = Field(True, description="false: answered to anybody, for providers that sign no trials")
    algorithm: Algorithm = Field("sha256", description="of {@hmac(path)}: sha1, sha256, sha384, sha512")
    output: Output = Field("hex", description="how {@hmac(path)} is written: hex, base64, base64_of_hex")

    @model_validator(mode="after")
    def _is_known_by_something(self) -> "Handshake":
        if not self.present and not self.equals:
            raise ValueError(Text("a handshake needs present or equals, to be told from events"))
        if self.lookup:
            raise ValueError(Text("a handshake looks nothing up"))
        return self

    @property
    def may_sign(self) -> bool:
        """Whether the answer may hold an HMAC."""
        return self.signed

    def suits(self, request: SignedRequest) -> bool:
        """Return whether ``request`` is this one."""
        if self.method and request.request.method.upper() != self.method:
            return False
        values = [request.value(path) for path in self.present]
        return all(0 < len(value) <= LONGEST_VALUE for value in values) and all(
            request.value(path) == text for path, text in self.equals.items()
        )

    def answer(self, request: SignedRequest, *, key: bytes = b"") -> RenderedReply:
        """Return the answer to ``request``; ``key`` makes its HMAC."""
        return ReplyWriter(_values_of(request), self._signer(key)).write(self)

    def _signer(self, key: bytes) -> Callable[[str], str]:
        return lambda text: written(hmac.digest(key, as_bytes(text), self.algorithm), self.output).decode()


def handshake_in(request: SignedRequest, handshakes: Sequence[Handshake], *, signed: bool) -> Handshake | None:
    """Return the first of those that are answered ``signed``, or to anybody, which ``request`` is."""
    return next((each for each in handshakes if each.signed == signed and each.suits(request)), None)


def _values_of(request: SignedRequest) -> Callable[[str], str]:
    own = dict.fromkeys(OWN, "") | {"@url": request.url}
    return lambda path: own[path] if path in own else request.value(path)
