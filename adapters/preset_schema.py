"""The preset language: what a file in ``adapters/presets/`` may say. ``docs/presets.md`` explains it with examples.

A preset describes one kind of appliance as data: the parameters that an administrator fills in, how an extension
becomes what the appliance calls it, the requests that place a call, and what its answers mean.
"""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from adapters.answers import Pattern

NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,40}")
RESERVED = frozenset(
    {
        *("adapter", "preset", "title", "extensions", "dial_plan", "settings", "fallback", "limits"),
        *("max_orders", "orders_per_s", "max_wait_s", "breaker_failures", "breaker_pause_s", "peer_ref"),
        *("headers", "secrets", "connect_timeout_s", "timeout_s", "tls_verify", "tls_minimum", "tls_ciphers"),
        *("tls_pin", "tls_fingerprint"),
        *("chosen", "values", "tls_context"),
        *("origins", "extension", "number", "order_id", "call_id", "tenant", "kind", "id", "ref", "in_preview"),
    }
)
"""Names that no parameter, origin or capture may have: they mean something in a configuration or a template."""
SEQUENCES = ("login", "before", "dial", "after", "logout", "probe", "hangup")
METHODS = ("get", "post", "put", "patch", "delete")


class Part(BaseModel):
    """A table of a preset file: unknown keys and wrong types are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, populate_by_name=False)


def _identifier(value: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9_]*", value) or value in RESERVED:
        raise ValueError(f"{value!r} cannot be a name here: small letters, digits and _, and none of the gateway's own")
    return value


def _listed(value: Any) -> Any:
    """A rule may stand alone, and a bare text is a pattern."""
    values = value if isinstance(value, list | tuple) else [value]
    return tuple({"matches": one} if isinstance(one, str) else one for one in values)


Identifier = Annotated[str, AfterValidator(_identifier)]
Texts = Annotated[tuple[str, ...], Field(strict=False)]


class Place(Part):
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
    def _is_one(self) -> "Place":
        if len(self.model_fields_set - {"matches", "without"}) > 1:
            raise ValueError("give one place only: json, element, xpath, value, soap_header, header, cookie or status")
        return self


class Rule(Place):
    """Holds when the place is there and matches."""

    without: Pattern = Field("", description="pattern that must not be anywhere in the answer's text")


Rules = Annotated[tuple[Rule, ...], BeforeValidator(_listed)]


class Step(Part):
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
    expired: Rules = Field((), description="what says that the session is over, and nothing was done")
    reason: Place | None = Field(None, description="where a refusal gives its reason; else the whole text is quoted")
    capture: dict[Identifier, Place] = Field(default_factory=dict, description="values for the steps behind it")
    ref: Place | str | None = Field(None, description="the appliance's id of the call: a place, or a template")
    must_answer: bool = Field(True, description="false: that it was sent is enough")

    @model_validator(mode="after")
    def _is_one_request(self) -> "Step":
        kinds = [kind for kind in (*METHODS, "soap", "xmlrpc") if getattr(self, kind) is not None]
        if len(kinds) != 1:
            raise ValueError("needs exactly one of get, post, put, patch, delete, soap, xmlrpc")
        bodies = [key for key in ("form", "json_body", "body") if getattr(self, key) is not None]
        if len(bodies) > (kinds[0] not in ("soap", "xmlrpc")):
            raise ValueError("takes one of form, json, body, and only with a method name")
        if kinds == ["xmlrpc"] and not self.method:
            raise ValueError("xmlrpc needs a method")
        if kinds == ["soap"] and not self.envelope and not self.wsdl:
            raise ValueError("soap needs either an envelope or a wsdl")
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
    def where(self) -> str:
        """The address, as written."""
        texts: list[str | None] = [getattr(self, name) for name in (*METHODS, "soap", "xmlrpc")]
        return next(text for text in texts if text is not None)


class Usual(Part):
    """What holds for every step that does not say otherwise itself."""

    success: Rules = Field((), description="what says yes")
    refused: Rules = Field((), description="what says no")
    expired: Rules = Field((), description="what says that the session is over")
    reason: Place | None = Field(None, description="where a refusal gives its reason")


class Parameter(Part):
    """Something that an administrator fills in, a key of the appliance's table."""

    type: Literal[
        "string", "secret", "integer", "boolean", "choice", "host", "url", "template", "pattern", "list", "table"
    ] = Field("string", description="what it holds")
    help: str = Field(description="one sentence for whoever fills it in")
    default: Any = Field(None, description="what holds when it is absent; without one it is required")
    example: Any = Field(None, description="what the example configuration shows")
    choices: Texts = Field((), description="the values of a choice")
    pattern: Pattern = Field("", description="pattern that the whole of a string matches")
    minimum: int | None = Field(None, description="least integer")
    maximum: int | None = Field(None, description="greatest integer")

    @model_validator(mode="after")
    def _fits(self) -> "Parameter":
        if not self.help.endswith("."):
            raise ValueError("help is a sentence and ends with a full stop")
        if bool(self.choices) != (self.type == "choice"):
            raise ValueError("choices belong to type = 'choice', which needs them")
        return self


class OriginField(Part):
    """One thing that the appliance needs to know of an extension: its channel, its device, its PIN."""

    help: str = Field(description="one sentence for whoever fills in the table origins")
    rule: str | None = Field(None, description="template that makes it; without one each extension is in origins")
    example: str = Field("", description="what the example configuration shows")
    secret: bool = Field(False, description="never shown")
    host: bool = Field(False, description="a host, by which an address may begin; from the table origins only")

    @model_validator(mode="after")
    def _fits(self) -> "OriginField":
        # A rule is made of what a request says, and no request chooses where the next one goes.
        if self.host and (self.rule is not None or self.secret):
            raise ValueError("a host has no rule and is no secret: every extension's stands in the table origins")
        return self


class Auth(Part):
    """How requests log in at HTTP, or with ``wsse`` in the SOAP Header."""

    kind: str = Field(description="none, basic, digest or wsse")
    username: str = Field("", description="template of the user, of parameters only")
    password: str = Field("", description="template of the password, of parameters only")


class Capacity(Part):
    """What the appliance says that it can take."""

    orders_per_s: float | None = Field(None, gt=0, description="orders a second")
    max_orders: int | None = Field(None, gt=0, description="orders under way at once")


class Session(Part):
    """What the login gave is kept for the next orders, until it is too old or a step says ``expired``."""

    lifetime_s: int = Field(description="seconds that it is kept at most", ge=1)
    lifetime_from: str = Field("", description="capture that holds the seconds it really lives")


class Verified(Part):
    """How sure it is that the preset is right."""

    how: Literal["run against", "vendor documentation", "source code", "client code", "template"] = Field(
        description="the best evidence there is"
    )
    version: str = Field("", description="the version that it was run against, or that the documents are of")
    sources: Texts = Field(description="where the facts are from")
    unknown: Texts = Field((), description="what is not known or was not tried")


class EventText(Part):
    """How the appliance sends call events to the gateway: a text to paste there.

    ``{base_url}``, ``{start_url}``, ``{end_url}``, ``{soap_url}``, ``{xmlrpc_url}``, ``{host}``, ``{port}`` and
    ``{tenant}`` stand for the tenant's own; nothing else in the text is touched, nor is ``${tenant}``.
    """

    title: str = Field(description="what it is and where it goes")
    language: str = Field("text", description="ini, xml, lua, sh, text ...")
    text: str = Field(description="the text to paste")
    notes: Texts = Field((), description="what to know of it")

    def filled(self, addresses: Mapping[str, str]) -> str:
        """The text with the tenant's own in place of the names in braces."""
        return re.sub(r"(?<!\$)\{([a-z_]+)\}", lambda found: addresses.get(found[1], found[0]), self.text)


class Order(Part):
    """The order of a test."""

    extension: str = "2000"
    number: str = "04799998888"
    order_id: str = "17"
    call_id: str = "18"
    tenant: str = "acme"


class Exchange(Part):
    """One request that goes out, exactly, and the answer that comes."""

    sent: str = Field(description="request line, headers (but the usual ones), empty line, body")
    answer: str = Field(description="status, headers, empty line, body; or 'no answer', 'no connection'")


class Trial(Part):
    """Given these parameters and this order, exactly this goes out; given these answers, this comes of it."""

    name: str = Field(description="what it shows, as a sentence")
    given: dict[str, Any] = Field(default_factory=dict, description="the appliance's table, over that of all tests")
    order: Order = Field(default_factory=Order, description="the order")
    hang_up: str | None = Field(None, description="instead of dialling, hang up the call with this ref")
    exchange: Annotated[tuple[Exchange, ...], Field(strict=False)] = Field(description="the requests, in order")
    outcome: Literal["accepted", "refused", "unreachable", "unknown"] = Field(description="what comes of it")
    ref: str | None = Field(None, description="the appliance's id of the call")
    says: str = Field("", description="what the sentence for people holds")


Steps = Annotated[tuple[Step, ...], Field(strict=False)]


class Preset(Part):
    """One kind of appliance."""

    based_on: str = Field("", description="a shipped preset whose keys hold where this file has none")
    replaces_shipped: bool = Field(False, description="true: this file of yours stands for the shipped one of its name")
    title: str = Field(description="what it is, for people who choose")
    vendor: str = Field("", description="who makes the appliance")
    products: Texts = Field((), description="products that it is for")
    verified: Verified = Field(description="how sure it is")
    quirks: Texts = Field((), description="what surprises")
    setup: Texts = Field((), description="what to switch on at the appliance")
    parameters: dict[Identifier, Parameter] = Field(default_factory=dict, description="what is filled in")
    origin: dict[Identifier, OriginField] = Field(default_factory=dict, description="what becomes of an extension")
    accepts: dict[Literal["extension", "number"], Pattern] = Field(
        default_factory=dict, description="patterns that the whole extension and number match, else nothing is sent"
    )
    address: str = Field("", description="template of scheme, host and what all addresses begin with")
    auth: Auth | None = Field(None, description="how requests log in")
    headers: dict[str, str] = Field(default_factory=dict, description="headers of every request")
    timeout_s: float = Field(10.0, description="seconds that an order may take by default", strict=False)
    limits: Capacity = Field(default_factory=Capacity, description="what the appliance can take")
    session: Session | None = Field(None, description="keep the login; without it each order logs in and out")
    usual: Usual = Field(default_factory=Usual, description="rules of every step that has none of its own")
    login: Steps = Field((), description="before the first order, or each one; nothing is dialled yet")
    before: Steps = Field((), description="before each order; nothing is dialled yet")
    dial: Step = Field(description="places the call")
    after: Steps = Field((), description="must follow, or the call is lost")
    logout: Steps = Field((), description="ends what login began; its failure does not matter")
    probe: Steps = Field((), description="after the login, rings nobody: is all well?")
    hangup: Steps = Field((), description="after the login, ends the call {{ ref }}")
    events: Annotated[tuple[EventText, ...], Field(strict=False)] = Field((), description="how it sends events to us")
    given: dict[str, Any] = Field(default_factory=dict, description="the appliance's table in all tests")
    tests: Annotated[tuple[Trial, ...], Field(strict=False)] = Field((), description="what goes out, what comes of it")

    @model_validator(mode="before")
    @classmethod
    def _with_usual(cls, raw: Any) -> Any:
        """Each step with the usual rules under its own."""
        if not isinstance(raw, dict) or not isinstance(usual := raw.get("usual"), dict):
            return raw
        filled = {name: _under(usual, raw[name]) for name in SEQUENCES if name in raw}
        return raw | filled

    @model_validator(mode="after")
    def _fits(self) -> "Preset":
        if not self.dial.success:
            raise ValueError("dial needs success: most appliances answer 200 to anything")
        if clash := sorted(self.parameters.keys() & self.origin.keys()):
            raise ValueError(f"{clash[0]!r} is a parameter and a part of origin: give one another name")
        return self

    @property
    def steps(self) -> tuple[tuple[str, Step], ...]:
        """Every step with the name of its sequence, in the order of an order."""
        sequences = (("login", self.login), ("before", self.before), ("dial", (self.dial,)), ("after", self.after))
        return tuple((name, step) for name, steps in (*sequences, ("logout", self.logout)) for step in steps)

    @property
    def protocols(self) -> str:
        """What it speaks: HTTP, SOAP, XML-RPC, or several."""
        names = {"http": "URL", "soap": "SOAP", "xmlrpc": "XML-RPC"}
        return " + ".join(sorted({names[step.kind] for _, step in self.steps}))


def _under(usual: dict[str, Any], steps: Any) -> Any:
    if isinstance(steps, list):
        return [_under(usual, step) for step in steps]
    return usual | steps if isinstance(steps, dict) else steps
