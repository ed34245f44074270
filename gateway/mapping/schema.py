"""The tables of a mapping: ``[webhook]`` of a preset, or ``mapping`` of a source; docs/webhooks.md explains them."""

import re
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import regex
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from gateway.domain.messages import Direction
from gateway.mapping.authenticity import Authenticity
from gateway.mapping.bodies import BodyForm
from gateway.mapping.handshakes import Handshake
from gateway.mapping.moments import Unit
from gateway.mapping.paths import path_of
from gateway.mapping.replies import WebhookReply
from gateway.texts.text import Text

KINDS = (
    *("started", "answered", "held", "resumed", "transferred", "queue_entered", "queue_left", "ended"),
    *("noted", "agent_state", "ignore"),
)
Kind = Literal[
    "started",
    "answered",
    "held",
    "resumed",
    "transferred",
    "queue_entered",
    "queue_left",
    "ended",
    "noted",
    "agent_state",
    "ignore",
]
DIRECTIONS = tuple(direction.value for direction in Direction)
MOST_FIELDS = 20
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")


class MappingTable(BaseModel):
    """A table of a mapping: unknown keys and wrong types are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, populate_by_name=True)


def _path(value: str) -> str:
    path_of(value)
    return value


def _pattern(value: str) -> str:
    try:
        compiled = regex.compile(value)
    except regex.error as error:
        raise ValueError(Text("{pattern!r} is no pattern: {reason}", pattern=value, reason=str(error))) from None
    if not value:
        raise ValueError(Text("a pattern may not be empty"))
    if compiled.groups > 1:
        raise ValueError(Text("{pattern!r} has more than one group: mark the others as (?:...)", pattern=value))
    return value


def _zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(Text("expected a time zone name such as 'America/Sao_Paulo'")) from error
    return value


def _template(value: str) -> str:
    for name in placeholders(value):
        path_of(name)
    if not placeholders(value):
        raise ValueError(Text("{text!r} has no {{path}} in it: for a fixed text write value = ...", text=value))
    return value


def _listed(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


def _texts(value: Any) -> Any:
    """Return one or several texts; numbers and true or false as JSON writes them."""
    values = value if isinstance(value, list | tuple) else [value]
    return tuple(
        str(each).lower() if isinstance(each, bool) else str(each) if isinstance(each, int) else each for each in values
    )


def _text_keys(value: Any) -> Any:
    """Return a look-up table with texts as its values: ``"1" = 17`` means the text 17."""
    if not isinstance(value, Mapping):
        return value
    return {
        key: str(each) if isinstance(each, int) and not isinstance(each, bool) else each for key, each in value.items()
    }


def placeholders(template: str) -> list[str]:
    """Return the paths that stand in braces in ``template``."""
    return _PLACEHOLDER.findall(template)


WrittenPath = Annotated[str, AfterValidator(_path)]
Paths = Annotated[tuple[WrittenPath, ...], BeforeValidator(_listed), Field(strict=False)]
WrittenPattern = Annotated[str, AfterValidator(_pattern)]
Zone = Annotated[str, AfterValidator(_zone)]
Texts = Annotated[tuple[str, ...], BeforeValidator(_texts), Field(strict=False)]
LookUp = Annotated[dict[str, str], BeforeValidator(_text_keys)]


class MappingCondition(MappingTable):
    """Holds when all of it does."""

    present: Paths = Field((), description="paths where there is something")
    absent: Paths = Field((), description="paths where there is nothing")
    equals: dict[WrittenPath, Texts] = Field(
        default_factory=dict,
        description="by path: the text there, in any letter case, or several of which one is there",
    )
    differs: dict[WrittenPath, Texts] = Field(default_factory=dict, description="by path: texts that are not there")
    matches: dict[WrittenPath, WrittenPattern] = Field(
        default_factory=dict, description="by path: a pattern that is found in the text there"
    )

    @model_validator(mode="after")
    def _says_something(self) -> "MappingCondition":
        if not self.model_fields_set:
            raise ValueError(Text("needs at least one of present, absent, equals, differs, matches"))
        return self


def _value(raw: Any) -> Any:
    """Return a value as its table: a text is a path, a list what the first that has something gives."""
    if isinstance(raw, str):
        return {"path": raw}
    if isinstance(raw, list | tuple):
        return {"path": raw} if all(isinstance(each, str) for each in raw) else {"first": raw}
    return raw


SOURCES = ("path", "template", "value", "first", "incoming", "outgoing", "internal")


class MappedValue(MappingTable):
    """Where one value comes from, and what is made of it. Written as a text it is a path; as a list: the first of them
    that gives something.
    """

    path: Paths = Field((), description="path, or several: the first with something there")
    template: Annotated[str, AfterValidator(_template)] | None = Field(
        None, description="text with {path} in it; nothing where one of the paths has nothing"
    )
    value: str | None = Field(None, description="a fixed text")
    first: tuple["Value", ...] = Field((), strict=False, description="values: the first that gives something")
    incoming: "Value | None" = Field(None, description="the value in incoming calls")
    outgoing: "Value | None" = Field(None, description="the value in outgoing calls")
    internal: "Value | None" = Field(None, description="the value in internal calls; without it that of incoming ones")
    when: MappingCondition | None = Field(None, description="gives something only when this holds")
    match: WrittenPattern | None = Field(
        None, description="pattern: its group, or all that it found, is the value; nothing where it finds nothing"
    )
    table: LookUp = Field(default_factory=dict, description="what each text means; '*' in a key stands for anything")
    other: str | None = Field(None, description="what a text means that is not in the table; without it: itself")
    default: str | None = Field(None, description="what holds where there is nothing")
    unit: Unit | None = Field(None, description="of numbers that are times: s, ms, us, ns, min, gregorian, clock")
    format: str | None = Field(None, description="how a time is written, as strptime has it: '%d/%m/%Y %H:%M:%S'")
    timezone: Zone | None = Field(None, description="zone of times that name none")
    e164: bool = Field(False, description="true: all digits are a number with country code, whose + is left out")

    @model_validator(mode="after")
    def _comes_from_one_place(self) -> "MappedValue":
        named = [name for name in SOURCES if name in self.model_fields_set]
        sides = {"incoming", "outgoing", "internal"}
        if not named or (len(named) > 1 and not sides.issuperset(named)):
            raise ValueError(Text("needs one of path, template, value, first, or incoming and outgoing"))
        if self.other is not None and not self.table:
            raise ValueError(Text("other belongs to a table"))
        return self


Value = Annotated[MappedValue, BeforeValidator(_value)]
MappedValue.model_rebuild()


class CallValues(MappingTable):
    """What is taken of a request for an event."""

    id: Value | None = Field(None, description="the sender's id of the call, the same in all of its events")
    also_known_as: Value | None = Field(None, description="other ids of the same call (joins them), one or a list")
    event_id: Value | None = Field(None, description="id of the event: seen twice it counts once")
    sequence: Value | None = Field(
        None, description="number that grows with a call's events; an older one is not applied"
    )
    sequence_of: Value | None = Field(
        None, description="what the sequence counts the events of, where it is not the call: a leg's id"
    )
    at: Value | None = Field(None, description="when it happened")
    started_at: Value | None = Field(None, description="when the call began, where the event tells of several moments")
    answered_at: Value | None = Field(None, description="when it was answered, the same way")
    ended_at: Value | None = Field(None, description="when it ended, the same way")
    direction: Value | None = Field(
        None, description="incoming, outgoing or internal (also in, out, inbound, outbound)"
    )
    origin: Value | None = Field(None, description="who calls; with destination instead of extension and number")
    destination: Value | None = Field(None, description="who is called")
    extension: Value | None = Field(None, description="our extension")
    number: Value | None = Field(None, description="the outside party's number")
    rang: Value | None = Field(None, description="all extensions that ring, one or a list")
    to: Value | None = Field(None, description="where a transferred call goes on")
    attended: Value | None = Field(None, description="true: a transfer was spoken of before; false: blind")
    joined_to: Value | None = Field(
        None, description="of an end: id of the call that this one, the consultation, became a part of"
    )
    line: Value | None = Field(None, description="our number that was called")
    queue: Value | None = Field(None, description="queue or group")
    waited: Value | None = Field(None, description="seconds waited in the queue")
    abandoned: Value | None = Field(None, description="true: the caller gave up in the queue")
    caller_name: Value | None = Field(None, description="the caller's name as sent")
    result: Value | None = Field(None, description="how the call ended, in the sender's words")
    cause: Value | None = Field(None, description="why it ended, as a code of Q.850 or SIP")
    duration: Value | None = Field(None, description="seconds spoken")
    hung_up_by: Value | None = Field(None, description="who hung up")
    recording: Value | None = Field(None, description="address of the recording")
    transcript: Value | None = Field(None, description="text of what was spoken")
    cost: Value | None = Field(None, description="what the call cost")
    agent: Value | None = Field(None, description="who an agent_state is about: login, name or extension")
    state: Value | None = Field(None, description="login, logout, pause or ready")
    reason: Value | None = Field(None, description="why an agent pauses")


class EventRule(MappingTable):
    """Which requests are which event. The first rule that is for a request counts."""

    name: Texts = Field((), description="the event's names, in any letter case; '*' stands for anything")
    when: MappingCondition | None = Field(None, description="and this holds")
    kind: Annotated[tuple[Kind, ...], BeforeValidator(_listed), Field(strict=False)] = Field(
        min_length=1, description="what it is; a final report may be several: ['started', 'ended']"
    )
    for_each: WrittenPath | None = Field(None, description="list of which each element is an event, for this rule only")
    values: CallValues = Field(default_factory=CallValues, description="values that are elsewhere in this event")

    @model_validator(mode="after")
    def _is_for_something(self) -> "EventRule":
        if not self.name and self.when is None:
            raise ValueError(Text("needs name, when, or both"))
        return self


def _expected(event: Mapping[str, Any]) -> Mapping[str, Any]:
    known = ("kind", "fields", *CallValues.model_fields)
    if wrong := next((name for name in event if name not in known), None):
        near = get_close_matches(wrong, known, n=1)
        raise ValueError(
            Text("unknown value {name!r}. Did you mean {near!r}?", name=wrong, near=near[0])
            if near
            else Text("unknown value {name!r}. Known here: {known}.", name=wrong, known=", ".join(known))
        )
    if event.get("kind") not in KINDS:
        raise ValueError(Text("an event needs its kind: {known}", known=", ".join(KINDS)))
    return event


ExpectedEvent = Annotated[dict[str, Any], AfterValidator(_expected)]
"""An event that a test expects: what it names is compared, as text, times in ISO 8601."""


class WebhookTrial(MappingTable):
    """A saved request and the events that are made of it."""

    name: str = Field(description="what it shows, as a sentence")
    method: str = Field("POST", description="its method")
    query: str = Field("", description="what stands behind the ?")
    tail: str = Field("", description="what the address has behind the source's name")
    headers: dict[str, str] = Field(default_factory=dict, description="its headers")
    body: str = Field("", description="its body")
    timezone: Zone = Field("UTC", description="the source's time zone")
    extensions: LookUp = Field(default_factory=dict, description="the source's extensions")
    events: tuple[ExpectedEvent, ...] = Field(strict=False, description="what is made of it; [] for nothing")


class WebhookMapping(MappingTable):
    """How the requests of one kind of sender are read."""

    body: BodyForm = Field(
        "auto", description="auto (by the media type, else by how it begins), form, json, xml, query"
    )
    json_in: Paths = Field((), description="paths of texts that hold JSON themselves")
    for_each: WrittenPath | None = Field(
        None, description="list of which each element is an event; @root leads above it"
    )
    event: Value | None = Field(None, description="the event's name")
    kinds: dict[str, Kind] = Field(default_factory=dict, description="what each name is; '*' stands for anything")
    events: tuple[EventRule, ...] = Field((), strict=False, description="rules, looked at before kinds, in their order")
    other: Kind | None = Field(None, description="what every other request is; without it: not understood, and told so")
    values: CallValues = Field(default_factory=CallValues, description="where each value is")
    fields: dict[str, Value] = Field(
        default_factory=dict, max_length=MOST_FIELDS, description="free fields to keep with the call, by name"
    )
    timezone: Zone | None = Field(None, description="zone of times that name none; else the source's or the company's")
    authenticity: Authenticity | None = Field(
        None, description="how a request proves who sent it; else by its address, with a secret by that"
    )
    handshakes: tuple[Handshake, ...] = Field(
        (), strict=False, description="requests by which a sender only tries the address, and their answers"
    )
    reply: WebhookReply | None = Field(None, description="the answer to every event")
    replies: dict[str, WebhookReply] = Field(default_factory=dict, description="other answers, by the event's name")
    tests: tuple[WebhookTrial, ...] = Field((), strict=False, description="saved requests and what is made of them")

    @model_validator(mode="after")
    def _can_tell_events(self) -> "WebhookMapping":
        if not self.kinds and not self.events and self.other is None:
            raise ValueError(Text("says of no request what it is: give kinds, events or other"))
        if self.kinds and self.event is None:
            raise ValueError(Text("kinds needs event: where the event's name is"))
        return self
