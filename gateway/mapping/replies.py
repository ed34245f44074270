"""Answers to a source's requests, as data: status, media type, headers and a body with values of the request in it.

What is put into a body is escaped as its media type wants it: nothing that a request holds can end an attribute, a text
of JSON or a header.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from xml.sax.saxutils import escape

from pydantic import BaseModel, ConfigDict, Field, model_validator

from gateway.mapping.paths import path_of
from gateway.texts.text import Text

PLACEHOLDER = re.compile(r"\{(?P<hmac>@hmac\()?(?P<path>@?\w[^{}\"'\s:,()]*)(?(hmac)\))\}")
OWN = ("@url", "@call_id", "@event")
"""What is known beside the request: the address that the sender called, our id of the call, the event's name."""
LOOKED_UP = ("@account", "@account_code", "@contact", "@number")
"""What the directory knows of the number that a reply looks up, and the number in international form."""
LONGEST_VALUE = 1024
LONGEST_BODY = 16_384
NO_CONTENT = 204
PLAIN = "text/plain; charset=utf-8"
MEDIA_TYPE = re.compile(r"[\w.+-]+/[\w.+-]+(;\s?[\w.=+-]+)*")
HEADER = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,60}")
KEPT_HEADERS = ("content-length", "content-type", "transfer-encoding", "connection", "set-cookie")
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")

Lookup = Callable[[str], str]
"""Returns the text at a path of the request, or what one of ``OWN`` says."""


@dataclass(frozen=True, slots=True)
class RenderedReply:
    """An answer as it is sent."""

    status: int
    media_type: str
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()


class WebhookReply(BaseModel):
    """An answer. ``{path}`` in its texts stands for what the request has there."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, populate_by_name=True)

    status: int = Field(200, ge=200, le=299, description="its HTTP status")
    type: str = Field("", description="its media type: text/plain, or application/json with json")
    body: str = Field("", max_length=LONGEST_BODY, description="its body; {path}, {@url}, {@call_id}, {@event} in it")
    json_body: Any = Field(None, alias="json", description="instead of body: a table or list, sent as JSON")
    headers: dict[str, str] = Field(default_factory=dict, max_length=8, description="further headers")
    lookup: str = Field("", description="path of a number to look up in the directory: {@account}, {@contact} ...")
    unknown: "WebhookReply | None" = Field(None, description="the answer where the directory does not know the number")

    @model_validator(mode="after")
    def _can_be_sent(self) -> "WebhookReply":
        if self.type and not MEDIA_TYPE.fullmatch(self.type):
            raise ValueError(Text("{type!r} is no media type such as application/xml", type=self.type))
        if self.body and self.json_body is not None:
            raise ValueError(Text("an answer has either body or json"))
        for name, value in self.headers.items():
            if (
                not HEADER.fullmatch(name)
                or name.lower() in KEPT_HEADERS
                or not (value.isascii() and value.isprintable())
            ):
                raise ValueError(Text("{name!r} is no header that an answer may set", name=name))
        if self.status == NO_CONTENT and (self.body or self.json_body is not None):
            raise ValueError(Text("an answer with status 204 has no body"))
        if self.lookup:
            path_of(self.lookup)
        elif self.unknown:
            raise ValueError(Text("unknown belongs to lookup"))
        for found in self.placeholders():
            self._check(found)
        return self

    def _check(self, found: "re.Match[str]") -> None:
        if found["path"] in LOOKED_UP and not self.lookup:
            raise ValueError(Text("{{{name}}} needs lookup: where the number stands", name=found["path"]))
        if found["path"] not in OWN + LOOKED_UP:
            path_of(found["path"])
        if found["hmac"] and not self.may_sign:
            raise ValueError(Text("{{@hmac(...)}} stands only in a handshake that is signed itself"))

    @property
    def may_sign(self) -> bool:
        """Whether the answer may hold an HMAC of what the request says: whoever gets one of any text has signatures."""
        return False

    def placeholders(self) -> "list[re.Match[str]]":
        """Return everything in braces that stands for something."""
        texts = [self.body, *self.headers.values(), *_texts_in(self.json_body)]
        return [found for text in texts for found in PLACEHOLDER.finditer(text)]

    @property
    def media_type(self) -> str:
        """The media type that is sent."""
        return self.type or ("application/json" if self.json_body is not None else PLAIN)


@dataclass(frozen=True, slots=True)
class ReplyWriter:
    """Fills answers in. ``sign`` returns the HMAC of a text, where the answer may hold one."""

    lookup: Lookup = field(repr=False)
    sign: Callable[[str], str] = field(repr=False, default=lambda text: "")

    def write(self, reply: WebhookReply) -> RenderedReply:
        """Return ``reply`` with its values."""
        headers = tuple((name, self._filled(value, _for_header)) for name, value in reply.headers.items())
        return RenderedReply(reply.status, reply.media_type, self._body(reply), headers)

    def _body(self, reply: WebhookReply) -> bytes:
        if reply.json_body is not None:
            return json.dumps(self._filled_json(reply.json_body), ensure_ascii=False).encode("utf-8", "replace")
        return self._filled(reply.body, escaper_of(reply.media_type)).encode("utf-8", "replace")

    def _filled_json(self, node: Any) -> Any:
        if isinstance(node, str):
            return self._filled(node, _plain)
        if isinstance(node, Mapping):
            return {key: self._filled_json(value) for key, value in node.items()}
        return [self._filled_json(each) for each in node] if isinstance(node, list | tuple) else node

    def _filled(self, text: str, escaped: Callable[[str], str]) -> str:
        return PLACEHOLDER.sub(lambda found: escaped(self._value(found)), text)

    def _value(self, found: "re.Match[str]") -> str:
        value = self.lookup(found["path"])
        return self.sign(value) if found["hmac"] else value[:LONGEST_VALUE]


def escaper_of(media_type: str) -> Callable[[str], str]:
    """Return how a value is written into a body of ``media_type``."""
    if "json" in media_type:
        return _for_json
    return _for_markup if re.search("xml|html", media_type) else _plain


def _plain(value: str) -> str:
    return CONTROL.sub("", value)


def _for_json(value: str) -> str:
    return json.dumps(_plain(value), ensure_ascii=False)[1:-1]


def _for_markup(value: str) -> str:
    return escape(_plain(value), {'"': "&quot;", "'": "&#39;"})


def _for_header(value: str) -> str:
    return re.sub(r"[^\x20-\x7e]", "", value).strip()


def _texts_in(node: Any) -> list[str]:
    if isinstance(node, str):
        return [node]
    children = node.values() if isinstance(node, Mapping) else node if isinstance(node, list | tuple) else ()
    return [text for child in children for text in _texts_in(child)]
