"""The preset language: what a file in ``catalogue`` may say. ``docs/presets.md`` explains it with examples.

A preset describes one kind of appliance as data: the parameters that an administrator fills in, how an extension
becomes what the appliance calls it, the requests that place a call, and what its answers mean.
"""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from adapters.http.answers import Pattern
from adapters.presets.language import OF_FORWARDS, Identifier, Part, PresetStep, Texts, Usual
from gateway.domain.event_fields import EVENT_KINDS, FIELDS
from gateway.mapping.schema import WebhookMapping
from gateway.texts.text import Text

NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,40}")
STATUS_LINE = re.compile(r"\n*(?:HTTP/\S+ )?[1-9][0-9][0-9](?: .*)?(?:\r?\n|$)")
SEQUENCES = ("login", "before", "dial", "after", "logout", "probe", "hangup")


class PresetParameter(Part):
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
    def _fits(self) -> "PresetParameter":
        if not self.help.endswith("."):
            raise ValueError(Text("help is a sentence and ends with a full stop"))
        if bool(self.choices) != (self.type == "choice"):
            raise ValueError(Text("choices belong to type = 'choice', which needs them"))
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
            raise ValueError(Text("a host has no rule and is no secret: every extension's stands in the table origins"))
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


class PresetSession(Part):
    """What the login gave is kept for the next orders, until it is too old or a step says ``expired``."""

    lifetime_s: int | None = Field(None, description="seconds from the login that it lives at most", ge=1)
    lifetime_from: str = Field("", description="capture that holds the seconds it really lives")
    idle_s: int | None = Field(None, description="seconds from its last use that it lives", ge=1)

    @model_validator(mode="after")
    def _ends(self) -> "PresetSession":
        if self.lifetime_s is None and self.idle_s is None:
            raise ValueError(Text("needs lifetime_s, idle_s or both: no appliance keeps a login for ever"))
        return self


Evidence = Literal["run against", "vendor documentation", "source code", "client code", "template"]


class Verified(Part):
    """How sure it is that the preset is right."""

    how: Evidence = Field(description="the best evidence there is")
    version: str = Field("", description="the version that it was run against, or that the documents are of")
    events: Evidence | None = Field(None, description="the best evidence for what it says of call events")
    in_ci: Texts = Field((), description="the tests of every release that run it against the real thing")
    sources: Texts = Field(description="where the facts are from")
    unknown: Texts = Field((), description="what is not known or was not tried")


class EventText(Part):
    """How the appliance sends call events to the gateway: a text to paste there.

    ``{base_url}``, ``{start_url}``, ``{answer_url}``, ``{transfer_url}``, ``{end_url}``, ``{soap_url}``,
    ``{xmlrpc_url}``, ``{host}``, ``{port}`` and ``{tenant}`` stand for the tenant's own, ``{source_url}`` for the
    address of a source that is called as the preset is; nothing else in the text is touched, nor is ``${tenant}``.
    """

    title: str = Field(description="what it is and where it goes")
    language: str = Field("text", description="ini, xml, lua, sh, text ...")
    text: str = Field(description="the text to paste")
    notes: Texts = Field((), description="what to know of it")

    def filled(self, addresses: Mapping[str, str]) -> str:
        """Return the text with the tenant's own in place of the names in braces."""
        return re.sub(r"(?<!\$)\{([a-z_]+)\}", lambda found: addresses.get(found[1], found[0]), self.text)


class PresetOrder(Part):
    """The order of a test."""

    extension: str = "2000"
    number: str = "04799998888"
    order_id: str = "17"
    call_id: str = "18"
    tenant: str = "acme"


class TrialExchange(Part):
    """One request that goes out, exactly, and the answer that comes."""

    sent: str = Field(description="request line, headers (but the usual ones), empty line, body")
    answer: str = Field(description="status, headers, empty line, body; or 'no answer', 'no connection'")

    @field_validator("answer")
    @classmethod
    def _begins_with_a_status(cls, answer: str) -> str:
        if answer.strip() not in ("no answer", "no connection") and not STATUS_LINE.match(answer):
            raise ValueError(Text("begins with the status, such as '200 OK', and an empty line before the body"))
        return answer


class PresetTrial(Part):
    """Given these parameters and this order, exactly this goes out; given these answers, this comes of it."""

    name: str = Field(description="what it shows, as a sentence")
    given: dict[str, Any] = Field(default_factory=dict, description="the appliance's table, over that of all tests")
    order: PresetOrder = Field(default_factory=PresetOrder, description="the order")
    hang_up: str | None = Field(None, description="instead of dialling, hang up the call with this ref")
    kept: dict[str, str] | None = Field(None, description="begin with a kept login: what its steps captured")
    exchange: Annotated[tuple[TrialExchange, ...], Field(strict=False)] = Field(description="the requests, in order")
    outcome: Literal["accepted", "refused", "unreachable", "unknown"] = Field(description="what comes of it")
    ref: str | None = Field(None, description="the appliance's id of the call")
    says: str = Field("", description="what the sentence for people holds")


Steps = Annotated[tuple[PresetStep, ...], Field(strict=False)]


class ForwardTrial(Part):
    """Given these parameters, this event and what was kept of the call, exactly this goes out, and this comes of it."""

    name: str = Field(description="what it shows, as a sentence")
    given: dict[str, Any] = Field(default_factory=dict, description="the forward's table, over that of all tests")
    event: str = Field(description="the kind of event")
    fields: dict[str, str] = Field(default_factory=dict, description="its fields, over those of a plain event")
    known: dict[str, str] = Field(default_factory=dict, description="what earlier events of the call captured")
    exchange: Annotated[tuple[TrialExchange, ...], Field(strict=False)] = Field(
        (), description="the requests, in order; none: the event is left out"
    )
    outcome: Literal["accepted", "refused", "unreachable", "unknown"] = Field(
        "accepted", description="what comes of it"
    )
    keeps: dict[str, str] = Field(default_factory=dict, description="what is captured and kept for the call")
    says: str = Field("", description="what the sentence for people holds")


class ForwardSteps(Part):
    """How the appliance, a CRM, is told of events: steps for each kind, and what they have in common.

    What a step captures is kept with the call, for its later events too.
    """

    only: str = Field("", description="which events it is told of unless the forward says so itself: a condition")
    idempotent: bool = Field(False, description="an event that comes twice does no harm")
    carries_time: bool = Field(False, description="it is told when an event happened, so one that comes late is none")
    call_started: Steps = Field((), description="what follows a call that begins")
    call_answered: Steps = Field((), description="... one that is answered")
    call_held: Steps = Field((), description="... one that is put on hold")
    call_resumed: Steps = Field((), description="... one that goes on")
    call_transferred: Steps = Field((), description="... one that is transferred")
    queue_entered: Steps = Field((), description="... a caller who waits in a queue")
    queue_left: Steps = Field((), description="... a caller who waits no more")
    call_ended: Steps = Field((), description="... a call that ends")
    call_noted: Steps = Field((), description="... a note")
    agent_state_changed: Steps = Field((), description="... an agent who logs in, pauses ...")
    tests: Annotated[tuple[ForwardTrial, ...], Field(strict=False)] = Field((), description="what goes out")

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of events that it is told of."""
        return tuple(kind for kind in EVENT_KINDS if getattr(self, kind))

    @property
    def steps(self) -> tuple[tuple[str, PresetStep], ...]:
        """Every step with its kind of event."""
        return tuple((kind, step) for kind in self.kinds for step in getattr(self, kind))

    @property
    def captures(self) -> frozenset[str]:
        """What its steps capture, which is kept with the call."""
        return frozenset(name for _, step in self.steps for name in step.capture)

    @model_validator(mode="after")
    def _fits(self) -> "ForwardSteps":
        if not self.kinds:
            raise ValueError(Text("forward needs steps for one kind of event at least"))
        for kind, step in self.steps:
            if not step.success:
                raise ValueError(Text("{place} needs success: many targets answer 200 with an error page", place=kind))
        for trial in self.tests:
            if trial.event not in self.kinds:
                raise ValueError(Text("the test {name!r} has an event without steps", name=trial.name))
            if unknown := sorted((trial.known.keys() | trial.keeps.keys()) - self.captures):
                raise ValueError(Text("the test {name!r}: no step captures {what!r}", name=trial.name, what=unknown[0]))
        return self


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
    parameters: dict[Identifier, PresetParameter] = Field(default_factory=dict, description="what is filled in")
    origin: dict[Identifier, OriginField] = Field(default_factory=dict, description="what becomes of an extension")
    accepts: dict[Literal["extension", "number"], Pattern] = Field(
        default_factory=dict, description="patterns that the whole extension and number match, else nothing is sent"
    )
    address: str = Field("", description="template of scheme, host and what all addresses begin with")
    auth: Auth | None = Field(None, description="how requests log in")
    headers: dict[str, str] = Field(default_factory=dict, description="headers of every request")
    timeout_s: float = Field(10.0, description="seconds that an order may take by default", strict=False)
    limits: Capacity = Field(default_factory=Capacity, description="what the appliance can take")
    session: PresetSession | None = Field(None, description="keep the login; without it each order logs in and out")
    usual: Usual = Field(default_factory=Usual, description="rules of every step that has none of its own")
    login: Steps = Field((), description="before the first order, or each one; nothing is dialled yet")
    before: Steps = Field((), description="before each order; nothing is dialled yet")
    dial: PresetStep | None = Field(None, description="places the call; a preset that only reads events has none")
    after: Steps = Field((), description="must follow, or the call is lost")
    logout: Steps = Field((), description="ends what login began; its failure does not matter")
    probe: Steps = Field((), description="after the login, rings nobody: is all well?")
    hangup: Steps = Field((), description="after the login, ends the call {{ ref }}")
    forward: ForwardSteps | None = Field(None, description="how it is told of call events, as a forward")
    events: Annotated[tuple[EventText, ...], Field(strict=False)] = Field((), description="how it sends events to us")
    webhook: WebhookMapping | None = Field(None, description="how the requests are read that it sends to a source")
    given: dict[str, Any] = Field(default_factory=dict, description="the appliance's table in all tests")
    tests: Annotated[tuple[PresetTrial, ...], Field(strict=False)] = Field(
        (), description="what goes out, what comes of it"
    )

    @model_validator(mode="before")
    @classmethod
    def _with_usual(cls, raw: Any) -> Any:
        """Return each step with the usual rules under its own."""
        if not isinstance(raw, dict) or not isinstance(usual := raw.get("usual"), dict):
            return raw
        filled = {name: _under(usual, raw[name]) for name in SEQUENCES if name in raw}
        if isinstance(forward := raw.get("forward"), dict):
            kinds = {kind: _under(usual, forward[kind]) for kind in EVENT_KINDS if kind in forward}
            filled["forward"] = forward | kinds
        return raw | filled

    @model_validator(mode="after")
    def _fits(self) -> "Preset":
        if self.dial is None and self.webhook is None and self.forward is None:
            raise ValueError(Text("needs dial, webhook or forward"))
        for name, step in self.steps:
            if step.when and name not in EVENT_KINDS:
                raise ValueError(Text("{place}: when belongs to the steps of a forward", place=name))
        if self.forward and (clash := sorted(self.forward.captures & (self.parameters.keys() | self.origin.keys()))):
            raise ValueError(Text("{name!r} means something else in a forward: give it another name", name=clash[0]))
        named = self.parameters.keys() | self.origin.keys() | (self.forward.captures if self.forward else set())
        if self.forward and (taken := sorted(named & (FIELDS.keys() | OF_FORWARDS))):
            raise ValueError(Text("{name!r} means something else in a forward: give it another name", name=taken[0]))
        if self.dial is not None and not self.dial.success:
            raise ValueError(Text("dial needs success: most appliances answer 200 to anything"))
        if clash := sorted(self.parameters.keys() & self.origin.keys()):
            told = Text("{name!r} is a parameter and a part of origin: give one another name", name=clash[0])
            raise ValueError(told)
        if self.session and self.session.lifetime_from not in ("", *self._captures):
            told = Text(
                "session: lifetime_from is the unknown {name!r}; {captured}",
                name=self.session.lifetime_from,
                captured=self._captured,
            )
            raise ValueError(told)
        for trial in self.tests:
            if trial.kept is not None:
                self._fits_kept(trial.kept, Text("kept in the test {name!r}", name=trial.name))
        return self

    @property
    def _captures(self) -> set[str]:
        return {name for step in self.login for name in step.capture}

    @property
    def _captured(self) -> Text:
        if not self._captures:
            return Text("the login captures nothing")
        return Text("the login captures {names}", names=", ".join(sorted(self._captures)))

    def _fits_kept(self, kept: Mapping[str, str], place: Text) -> None:
        """Refuse ``kept`` values that a login of this preset cannot have captured. Raises ``ValueError``."""
        if self.session is None:
            raise ValueError(Text("{place}: without session no login is kept", place=place))
        if wrong := sorted(kept.keys() - self._captures):
            raise ValueError(self._misplaced(Text("unknown {name!r}", name=wrong[0]), place))
        if missing := sorted(self._captures - kept.keys() - {self.session.lifetime_from}):
            raise ValueError(self._misplaced(Text("{name!r} is missing", name=missing[0]), place))

    def _misplaced(self, problem: Text, place: Text) -> Text:
        return Text("{place}: {problem}; {captured}", place=place, problem=problem, captured=self._captured)

    @property
    def dialling(self) -> tuple[PresetStep, ...]:
        """The step that dials, where there is one."""
        return (self.dial,) if self.dial is not None else ()

    @property
    def steps(self) -> tuple[tuple[str, PresetStep], ...]:
        """Every step with the name of its sequence, in the order of an order."""
        sequences = (("login", self.login), ("before", self.before), ("dial", self.dialling), ("after", self.after))
        dialling = tuple((name, step) for name, steps in (*sequences, ("logout", self.logout)) for step in steps)
        return (*dialling, *(self.forward.steps if self.forward else ()))

    @property
    def protocols(self) -> str:
        """What it speaks: URL, SOAP, XML-RPC, webhook, or several."""
        names = {"http": "URL", "soap": "SOAP", "xmlrpc": "XML-RPC"}
        spoken = {names[step.kind] for _, step in self.steps} | ({"webhook"} if self.webhook else set())
        return " + ".join(sorted(spoken))


def _under(usual: dict[str, Any], steps: Any) -> Any:
    if isinstance(steps, list):
        return [_under(usual, step) for step in steps]
    return usual | steps if isinstance(steps, dict) else steps
