"""The language in which the lines of one kind of exchange are described; docs/lines.md explains it with examples."""

import codecs
import re
from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Any, Literal

import regex
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from gateway.events.lines.lengths import Shape
from gateway.events.lines.moments import DateOrder
from gateway.mapping.schema import (
    CallValues,
    EventRule,
    ExpectedEvent,
    LookUp,
    MappingCondition,
    Texts,
    Value,
    WebhookMapping,
    Zone,
)
from gateway.texts.text import Text

FIELD = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]{0,63}")
LINE = "line"
"""The field of every record that holds its lines as they came."""
COMPUTED = ("ring_s", "talk_s", "answered", "identity", "shape")
"""Fields that every record has besides: seconds, ``yes`` or ``no``, what stands for the record, its kind of line."""
Way = Literal["connect", "listen", "file", "folder", "syslog"]
Evidence = Literal["recorded", "vendor documentation", "source code", "client code", "template"]


class LineTable(BaseModel):
    """A table of a line description: unknown keys and wrong types are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, populate_by_name=True)


def _charset(value: str) -> str:
    try:
        codecs.lookup(value)
    except LookupError:
        raise ValueError(Text("{name!r} is no character set, such as utf-8, latin-1 or cp437", name=value)) from None
    return value


def _pattern(value: str) -> str:
    try:
        regex.compile(value)
    except regex.error as error:
        raise ValueError(Text("{pattern!r} is no pattern: {reason}", pattern=value, reason=str(error))) from None
    if not value:
        raise ValueError(Text("a pattern may not be empty"))
    return value


def _field_name(value: str) -> str:
    if not FIELD.fullmatch(value):
        raise ValueError(Text("{name!r} is no field's name: letters, digits and _, such as ext", name=value))
    return value


def _columns(value: str) -> str:
    begin, end = columns_of(value)
    if not 0 < begin <= end:
        raise ValueError(Text("came {value}; expected columns counted from 1, such as '18-22', or '67-'", value=value))
    return value


def columns_of(text: str) -> tuple[int, int]:
    """Return first and last column of ``text`` (``"18-22"``, ``"7"``, ``"67-"`` to the line's end); 0 for none."""
    found = re.fullmatch(r"([0-9]{1,4})(-)?([0-9]{1,4})?", text.strip())
    if not found or (found[3] and not found[2]):
        return 0, 0
    begin = int(found[1])
    return begin, int(found[3]) if found[3] else 9999 if found[2] else begin


def _listed(value: Any) -> Any:
    return (value,) if isinstance(value, str | int) else value


Pattern = Annotated[str, AfterValidator(_pattern)]
Patterns = Annotated[tuple[Pattern, ...], BeforeValidator(_listed), Field(strict=False)]
FieldName = Annotated[str, AfterValidator(_field_name)]
FieldNames = Annotated[tuple[FieldName, ...], BeforeValidator(_listed), Field(strict=False)]
Columns = Annotated[str, AfterValidator(_columns)]
Charsets = Annotated[
    tuple[Annotated[str, AfterValidator(_charset)], ...], BeforeValidator(_listed), Field(strict=False)
]
Lengths = Annotated[tuple[int, ...], BeforeValidator(_listed), Field(strict=False)]


class Framing(LineTable):
    """How bytes become lines. CR, LF, both in any order and form feeds end a line; NULs and bells are left out."""

    charsets: Charsets = Field(("utf-8", "latin-1"), min_length=1, description="the first that fits a line")
    seven_bits: bool = Field(False, description="true: the highest bit of each byte is a parity bit")
    length: int = Field(0, ge=0, le=4096, description="bytes after which a line ends in any case; 0: none")
    longest: int = Field(4096, ge=16, le=65536, description="bytes of a line that are kept")
    flush_ms: int = Field(0, ge=0, le=60_000, description="a last line without an end is read after so long; 0: never")


class Dialogue(LineTable):
    """One step of the conversation before lines flow: wait for ``expect``, then send ``send``."""

    expect: Pattern | None = Field(None, description="pattern that is waited for; without it nothing is waited for")
    send: str = Field("", description="what is sent: {username}, {password}, \\r and \\n as in any TOML text")
    within_s: float = Field(10, gt=0, le=120, strict=False, description="seconds that are waited")
    optional: bool = Field(False, description="true: where it is not seen in time, the next step follows")


class KeepAlive(LineTable):
    """What is sent while nothing else is said."""

    send: str = Field(description="what is sent")
    every_s: float = Field(30, ge=1, le=3600, strict=False, description="seconds between two")


class Acknowledgement(LineTable):
    """What is answered to a line, so that the exchange sends the next one."""

    to: Pattern = Field(description="pattern of the lines that are answered; its groups are {1}, {2} in send")
    send: str = Field(description="the answer")


class LineTransport(LineTable):
    """How lines come, unless the source says otherwise."""

    ways: Annotated[tuple[Way, ...], BeforeValidator(_listed), Field(strict=False)] = Field(
        ("connect", "listen", "file", "folder", "syslog"), min_length=1, description="ways, the usual one first"
    )
    port: int | None = Field(None, ge=1, le=65535, description="the usual port")
    files: str = Field("*", description="names of the files in a folder, * for anything")
    unfinished: str = Field("", description="names of files that are still being written, * for anything")
    dialogue: tuple[Dialogue, ...] = Field((), strict=False, description="the conversation before lines flow")
    refused: Pattern | None = Field(None, description="pattern by which the exchange refuses the login")
    keepalive: KeepAlive | None = Field(None, description="what is sent while nothing else is")
    acknowledge: tuple[Acknowledgement, ...] = Field((), strict=False, description="answers to lines")


SHAPES = ("columns", "names", "pattern")


class LineShape(LineTable):
    """One kind of line. The first that fits a line counts."""

    name: str = Field("call", description="name shown to people, and in 'shape' of a condition")
    length: Lengths = Field((), description="characters that the line has, one or several")
    begins: Texts = Field((), description="what the line begins with, one or several")
    found: Pattern | None = Field(None, description="pattern that is found in the line")
    columns: dict[FieldName, Columns] = Field(default_factory=dict, description="fields by their columns, from 1")
    names: FieldNames = Field((), description="fields in their order, between separators; _ is left out")
    separator: str = Field(",", min_length=1, max_length=1, description="what stands between them; ' ' for any blanks")
    quote: str = Field('"', max_length=1, description="what fields may be wrapped in; '' for nothing")
    least: int = Field(1, ge=1, description="fields that the line has at least")
    titles: bool = Field(False, description="true: a line of titles says their order; without one names does")
    pattern: Pattern | None = Field(None, description="pattern of the whole line, with fields as groups (?P<ext>...)")
    is_title: bool = Field(False, description="true: the line holds the titles of those with titles = true")
    keep: bool = Field(False, description="true: its fields are no call; the records after it have them")
    ignore: bool = Field(False, description="true: nothing is wanted of it")

    @model_validator(mode="after")
    def _says_one_thing(self) -> "LineShape":
        given = [name for name in SHAPES if getattr(self, name)]
        if len(given) > 1:
            raise ValueError(Text("needs one of columns, names, pattern; came {came}", came=", ".join(given)))
        if not given and not (self.ignore or self.is_title or self.titles):
            raise ValueError(Text("needs one of columns, names, pattern, or ignore = true"))
        return self

    @property
    def fields(self) -> frozenset[str]:
        """The fields that it gives."""
        groups = regex.compile(self.pattern).groupindex if self.pattern else ()
        return frozenset({*self.columns, *self.names, *groups} - {"_"})


class SeveralLines(LineTable):
    """Records of several lines, whose fields are put together."""

    begins: Pattern = Field(description="pattern of the line by which a record begins")
    goes_on: Pattern | None = Field(None, description="pattern of those that belong to it; without it all")
    ends: Pattern | None = Field(None, description="pattern of the last one, where it has one")
    most: int = Field(12, ge=2, le=100, description="lines of a record at most")
    wait_ms: int = Field(1500, ge=10, le=60_000, description="a record is complete when no line came for so long")


class LineTimes(LineTable):
    """Which fields hold times and lengths of time, and what they mean."""

    at: FieldNames = Field((), description="fields of the one moment that a line has, such as date and time")
    means: Literal["start", "answer", "end"] = Field("end", description="what that moment is, of a call that is over")
    start: FieldNames = Field((), description="fields of the start, where a line has several moments")
    answer: FieldNames = Field((), description="... of the answer")
    end: FieldNames = Field((), description="... of the end")
    order: DateOrder = Field("dmy", description="order of day, month and year: dmy, mdy, ymd")
    ring: FieldNames = Field((), description="how long it rang: a field, or several, the first of which counts")
    talk: FieldNames = Field((), description="how long was spoken, the same way")
    whole: FieldNames = Field((), description="from start to end, ringing included, the same way")
    shapes: dict[FieldName, Shape] = Field(default_factory=dict, description="by field: how a length is written")

    @property
    def moments(self) -> Mapping[str, tuple[str, ...]]:
        """The fields of each moment that a line has."""
        named = {"at": self.at, "start": self.start, "answer": self.answer, "end": self.end}
        return {name: fields for name, fields in named.items() if fields}

    @property
    def fields(self) -> frozenset[str]:
        """All fields that it reads."""
        moments = (*self.at, *self.start, *self.answer, *self.end)
        return frozenset({*moments, *self.ring, *self.talk, *self.whole, *self.shapes})


class LineTrial(LineTable):
    """Lines and the events that are made of them."""

    name: str = Field(description="what it shows, as a sentence")
    lines: str = Field(description="the lines")
    now: str = Field("2026-03-05T13:10:00Z", description="when they came, in ISO 8601")
    timezone: Zone = Field("UTC", description="the source's time zone")
    extensions: LookUp = Field(default_factory=dict, description="the source's extensions")
    order: DateOrder | None = Field(None, description="the source's date_order")
    events: tuple[ExpectedEvent, ...] = Field(strict=False, description="what is made of them; [] for nothing")
    unread: int = Field(0, ge=0, description="lines that are not understood")


class DescriptionEvidence(LineTable):
    """How sure it is that the description is right."""

    how: Evidence = Field(description="the best evidence there is")
    sources: Texts = Field(description="where the facts are from")
    unknown: Texts = Field((), description="what is not known or was not tried")


class LineDescription(LineTable):
    """How the lines of one kind of exchange are got and read."""

    title: str = Field("", description="name shown to people")
    vendor: str = Field("", description="who makes it")
    products: Texts = Field((), description="what it is for")
    verified: DescriptionEvidence | None = Field(None, description="how sure it is")
    setup: Texts = Field((), description="what to know: how it is switched on at the exchange")
    based_on: str | None = Field(None, description="preset whose tables hold where this one says nothing")
    transport: LineTransport = Field(default_factory=LineTransport, description="how lines come")
    framing: Framing = Field(default_factory=Framing, description="how bytes become lines")
    skip: Patterns = Field((), description="patterns of lines that are passed over: headers, rules, greetings")
    record: SeveralLines | None = Field(None, description="records of several lines")
    lines: tuple[LineShape, ...] = Field(strict=False, min_length=1, description="the kinds of lines")
    times: LineTimes = Field(default_factory=LineTimes, description="which fields hold times")
    call: CallValues = Field(default_factory=CallValues, description="where each value of a call is")
    events: tuple[EventRule, ...] = Field((), strict=False, description="which record is which event; else 'ended'")
    fields: dict[str, Value] = Field(default_factory=dict, max_length=20, description="free fields to keep with a call")
    unanswered: MappingCondition | None = Field(
        None, description="when nobody answered; else a call without seconds of talk was not"
    )
    more_follows: MappingCondition | None = Field(
        None, description="when the record is one part of a call of which a later record says the end"
    )
    together_ms: int = Field(
        0, ge=0, le=60_000, description="records of one call's id that come within so long are one call; 0: each is one"
    )
    key: Value | None = Field(None, description="what joins the events of a call that has no id, such as its trunk")
    tests: tuple[LineTrial, ...] = Field((), strict=False, description="lines and what is made of them")

    @cached_property
    def mapping(self) -> WebhookMapping:
        """How a record's fields become events, in the language of webhooks."""
        return WebhookMapping(values=self.call, events=self.events, fields=self.fields, other="ended")

    @model_validator(mode="after")
    def _knows_its_fields(self) -> "LineDescription":
        known = frozenset[str]().union(*(shape.fields for shape in self.lines))
        if any(shape.titles for shape in self.lines):
            return self
        for name in sorted(self.times.fields - known):
            told = Text(
                "times: no line has a field {name!r}; there are {known}", name=name, known=", ".join(sorted(known))
            )
            raise ValueError(told)
        return self
