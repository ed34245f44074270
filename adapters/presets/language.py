"""The part of the preset language that steps are written in: requests, places in answers, and rules on them."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    model_validator,
)

from adapters.http.answers import Pattern
from gateway.texts.text import Listing, Text

RESERVED = frozenset(
    {
        *("adapter", "preset", "title", "extensions", "dial_plan", "settings", "fallback", "limits"),
        *("max_orders", "orders_per_s", "max_wait_s", "breaker_failures", "breaker_pause_s", "peer_ref"),
        *("headers", "secrets", "connect_timeout_s", "timeout_s", "tls_verify", "tls_minimum", "tls_ciphers"),
        *("tls_pin", "tls_fingerprint", "public_only"),
        *("chosen", "values", "tls_context"),
        *("origins", "extension", "number", "order_id", "call_id", "tenant", "kind", "id", "ref", "in_preview"),
    }
)
"""Names that no parameter, origin or capture may have: they mean something in a configuration or a template."""
OF_FORWARDS = frozenset(
    {"on", "only", "examples", "late", "expires", "parallel", "patience", "idempotent", "keep_days", "event"}
)
"""Names that no parameter of a preset with a forward may have besides: keys of a forward's table, and of conditions."""
METHODS = ("get", "post", "put", "patch", "delete")


class Part(BaseModel):
    """A table of a preset file: unknown keys and wrong types are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, populate_by_name=False)


def _identifier(value: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9_]*", value) or value in RESERVED:
        told = Text(
            "{name!r} cannot be a name here: small letters, digits and _, and none of the gateway's own", name=value
        )
        raise ValueError(told)
    return value


def _listed(value: Any) -> Any:
    """Return rules as a tuple: one may stand alone, and a bare text is a pattern. Raises ``ValueError``."""
    values = value if isinstance(value, list | tuple) else [value]
    if not all(isinstance(one, str | Mapping | PresetRule) for one in values):
        raise ValueError(Text("expected a rule: a text (a pattern), a table, or a list of those"))
    return tuple({"matches": one} if isinstance(one, str) else one for one in values)


Identifier = Annotated[str, AfterValidator(_identifier)]
Texts = Annotated[tuple[str, ...], Field(strict=False)]


class AnswerPlace(Part):
    """A place in an answer, and what to look for there; without a place it is the answer's whole text.

    The text of an XML-RPC or SOAP answer is its value, structures as JSON.
    """

    json_path: str | None = Field(None, alias="json", description="path in a JSON body: response.cookie, calls.0.id")
    element: str | None = Field(None, description="local name of the first such XML element")
    xpath: str | None = Field(None, description="XPath in an XML body")
    value: str | None = Field(None, description="path in the value of an XML-RPC or SOAP answer")
    soap_header: str | None = Field(None, description="local name of an element in the SOAP Header")
    header: str | None = Field(None, description="an HTTP header")
    cookie: str | None = Field(None, description="a cookie's value as received, quotes and all")
    status: bool | None = Field(None, description="true: the HTTP status, for peers that say no more")
    matches: Pattern = Field("", description="pattern searched there; its first group, or all of it, is the value")

    @model_validator(mode="after")
    def _is_one(self) -> "AnswerPlace":
        if len(self.model_fields_set - {"matches", "without"}) > 1:
            places = Listing(("json", "element", "xpath", "value", "soap_header", "header", "cookie", "status"))
            raise ValueError(Text("give one place only: {places}", places=places))
        return self


class PresetRule(AnswerPlace):
    """Holds when the place is there and matches."""

    without: Pattern = Field("", description="pattern that must not be anywhere in the answer's text")


def _tag(value: Any) -> str | None:
    """Return the kind of a ``ref``, text or table, in brackets, for it is no key of the file."""
    if isinstance(value, str):
        return "<text>"
    return "<table>" if isinstance(value, Mapping | AnswerPlace) else None


Rules = Annotated[tuple[PresetRule, ...], BeforeValidator(_listed)]
Ref = Annotated[
    Annotated[AnswerPlace, Tag("<table>")] | Annotated[str, Tag("<text>")],
    Discriminator(
        _tag, custom_error_type="ref", custom_error_message="expected a place (a table) or a template (a text)"
    ),
]


class PresetStep(Part):
    """One request and what its answer means. One of the method names, ``soap`` or ``xmlrpc`` holds the address.

    All texts are templates. An address is a path behind the preset's ``address``, or a whole URL.
    """

    note: str = Field("", description="what it is for, shown by dial --dry-run")
    get: str | None = Field(None, description="address of a GET, written as it goes out")
    post: str | None = Field(None, description="... of a POST")
    put: str | None = Field(None, description="... of a PUT")
    patch: str | None = Field(None, description="... of a PATCH")
    delete: str | None = Field(None, description="... of a DELETE")
    soap: str | None = Field(None, description="address of a SOAP call")
    xmlrpc: str | None = Field(None, description="address of an XML-RPC call")
    headers: dict[str, str] = Field(default_factory=dict, description="request headers")
    form: dict[str, str] | None = Field(None, description="body as a form, in this order")
    json_body: Any = Field(None, alias="json", description="body as JSON: tables, lists, texts, numbers")
    body: str | None = Field(None, description="body as text, escaped as content_type says")
    content_type: str = Field("application/x-www-form-urlencoded", description="media type of body")
    method: str = Field("", description="the method of an XML-RPC call")
    params: Any = Field((), description="its parameters: a list of texts, numbers, true, false, lists, tables")
    envelope: str = Field("", description="the whole envelope of a SOAP call")
    wsdl: str = Field("", description="or its WSDL, a URL or a file")
    operation: str = Field("", description="the operation in the WSDL")
    arguments: Any = Field(default_factory=dict, description="its arguments: a table")
    soap_action: str = Field("", description="the SOAPAction")
    soap_header: str = Field("", description="XML for the SOAP Header")
    success: Rules = Field((), description="what says yes; any one is enough, with an HTTP status of 2xx")
    refused: Rules = Field((), description="what says no")
    expired: Rules = Field((), description="what says that a login is over, and nothing was done")
    reason: AnswerPlace | None = Field(
        None, description="where a refusal gives its reason; else the whole text is quoted"
    )
    capture: dict[Identifier, AnswerPlace] = Field(default_factory=dict, description="values for the steps behind it")
    ref: Ref | None = Field(None, description="the appliance's id of the call: a place, or a template")
    must_answer: bool = Field(True, description="false: that it was sent is enough")
    when: str = Field("", description="of a forward: a condition, without which the step is left out")

    @model_validator(mode="after")
    def _is_one_request(self) -> "PresetStep":
        kinds = [kind for kind in (*METHODS, "soap", "xmlrpc") if getattr(self, kind) is not None]
        if len(kinds) != 1:
            raise ValueError(Text("needs exactly one of get, post, put, patch, delete, soap, xmlrpc"))
        bodies = [key for key in ("form", "json_body", "body") if getattr(self, key) is not None]
        if len(bodies) > (kinds[0] not in ("soap", "xmlrpc")):
            raise ValueError(Text("takes one of form, json, body, and only with a method name"))
        if kinds == ["xmlrpc"] and not self.method:
            raise ValueError(Text("xmlrpc needs a method"))
        if kinds == ["soap"] and not self.envelope and not self.wsdl:
            raise ValueError(Text("soap needs either an envelope or a wsdl"))
        return self

    @property
    def kind(self) -> Literal["http", "soap", "xmlrpc"]:
        if self.soap is not None:
            return "soap"
        return "xmlrpc" if self.xmlrpc is not None else "http"

    @property
    def verb(self) -> str:
        """The HTTP method."""
        return next((name.upper() for name in METHODS if getattr(self, name) is not None), "POST")

    @property
    def way(self) -> str:
        """The key that holds the address."""
        return next(name for name in (*METHODS, "soap", "xmlrpc") if getattr(self, name) is not None)

    @property
    def where(self) -> str:
        """The address, as written."""
        return str(getattr(self, self.way))


class Usual(Part):
    """What holds for every step that does not say otherwise itself."""

    success: Rules = Field((), description="what says yes")
    refused: Rules = Field((), description="what says no")
    expired: Rules = Field((), description="what says that a login is over")
    reason: AnswerPlace | None = Field(None, description="where a refusal gives its reason")
