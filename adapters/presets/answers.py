"""What an appliance's answer says: places in it, rules on them, and the outcome they come to."""

import re
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from json import loads
from typing import Any

from lxml import etree

from adapters.http.answers import TIME_S, as_text, found_in, pick
from adapters.http.client import HttpAnswer
from adapters.presets.language import AnswerPlace, PresetRule, PresetStep
from adapters.soap.answers import parts_of
from adapters.soap.envelope import envelope_of, fault_of, parsed
from adapters.xmlrpc import Unreadable, value_of
from gateway.adapter import Outcome
from gateway.domain.patterns import SlowPattern, search

FAULT = "falha"
"""What the text of a fault begins with that rules look at; presets of others may look for it."""
MISSING = object()
"""There is no value: the answer is not of the protocol."""


class AnswerReading:
    """One answer, decoded when a rule asks for it. An answer of another kind than expected holds nothing."""

    def __init__(
        self,
        answer: HttpAnswer,
        kind: str,
        result: Any = parts_of,
        silent: Callable[[HttpAnswer], bool] = lambda answer: False,
    ) -> None:
        """Take an answer to read; ``result`` makes the value of a SOAP envelope, ``silent`` says whether an empty
        answer is all there is.
        """
        self.answer = answer.root if kind == "soap" else answer
        self._silent = silent
        self._kind = kind
        self._result = result

    @property
    def well(self) -> bool:
        """Whether the HTTP status is a 2xx."""
        return 200 <= self.answer.status < 300

    @cached_property
    def text(self) -> str | None:
        """What rules without a place look at: the body, or the value or fault of an XML-RPC or SOAP answer."""
        if self._kind == "http":
            return self.answer.text
        if self.fault is not None:
            return f"{FAULT} {self.fault}".rstrip()
        return None if self._value is MISSING else as_text(self._value)

    @cached_property
    def fault(self) -> str | None:
        """The words of a SOAP or XML-RPC fault, None when there is none."""
        if self._kind == "soap" and self._envelope is not None:
            return fault_of(self._envelope)
        return self._decoded[1]

    @property
    def _value(self) -> Any:
        return self._decoded[0]

    @cached_property
    def _decoded(self) -> tuple[Any, str | None]:
        """The value of an XML-RPC or SOAP answer, and an XML-RPC fault."""
        try:
            if self._kind == "xmlrpc":
                return value_of(self.answer.text), None
            if self._kind == "soap" and self._envelope is not None and fault_of(self._envelope) is None:
                return self._result(self._envelope), None
            if self._kind == "soap" and self._silent(self.answer):
                return None, None
        except Unreadable as unreadable:
            return MISSING, unreadable.fault
        except Exception:  # zeep raises a dozen unrelated classes for answers that do not fit
            return MISSING, None
        return MISSING, None

    @cached_property
    def _envelope(self) -> Any:
        return envelope_of(self.answer.body, self.answer.charset)

    @cached_property
    def _xml(self) -> Any:
        return parsed(self.answer.body, self.answer.charset)

    @cached_property
    def _json(self) -> Any:
        with suppress(ValueError, RecursionError):
            return loads(self.answer.text)
        return MISSING

    def at(self, place: AnswerPlace) -> str | None:
        """Return the text at ``place``, cut down to what its pattern picks; None when it is not there."""
        text = self._whole(place)
        found = found_in(place.matches, text) if text is not None else None
        if not found or not place.matches:
            return text if found else None
        picked: str | None = found[1] if found.re.groups else found[0]
        return picked

    def _whole(self, place: AnswerPlace) -> str | None:
        if place.status:
            return str(self.answer.status)
        if place.header is not None:
            return self.answer.headers.get(place.header)
        if place.cookie is not None:
            return self._cookie(place.cookie)
        if place.json_path is not None:
            return _picked(self._json, place.json_path)
        if place.value is not None:
            return _picked(self._value, place.value)
        return self._element(place)

    def _element(self, place: AnswerPlace) -> str | None:
        if place.soap_header is not None:
            root = self._envelope
            return root.findtext(f"{{*}}Header//{{*}}{place.soap_header}") if root is not None else None
        path = f"//*[local-name()='{place.element}']" if place.element is not None else place.xpath
        if path is None:
            return self.text
        with suppress(etree.XPathError):
            found = self._xml.xpath(path) if self._xml is not None else []
            first = next(iter(found), None) if isinstance(found, list) else found
            return getattr(first, "text", first if first is None else str(first)) or ("" if first is not None else None)
        return None

    def _cookie(self, name: str) -> str | None:
        """Return a cookie as received: Asterisk's has quotes (20.20.1 takes it back with them)."""
        received = self.answer.headers.get("Set-Cookie", "")
        found = re.search(rf'(?:^|[,;]\s*){re.escape(name)}=("[^"]*"|[^;,\s]*)', received)
        return found[1] if found else None


def _picked(value: Any, path: str) -> str | None:
    if value is MISSING:
        return None
    with suppress(LookupError, RecursionError):
        return as_text(pick(value, path))
    return None


def holds(rules: Iterable[PresetRule], reading: AnswerReading) -> bool:
    """Return whether any of ``rules`` holds."""
    return any(_holds(rule, reading) for rule in rules)


def _holds(rule: PresetRule, reading: AnswerReading) -> bool:
    try:
        unwanted = rule.without and search(rule.without, reading.answer.text, time_s=TIME_S)
    except SlowPattern:
        # Nobody knows whether it holds, so nothing is made of it.
        return False
    return not unwanted and reading.at(rule) is not None


@dataclass(frozen=True)
class Judgement:
    """The outcome of one step, and the words of the appliance; None: the HTTP status says it all.

    ``fault`` says that they are those of a SOAP or XML-RPC fault.
    """

    outcome: Outcome
    words: str | None = ""
    fault: bool = False


def judge(step: PresetStep, reading: AnswerReading) -> Judgement:
    """Judge an answer to ``step``. Without a rule for success, a 2xx with all that is captured is one.

    ``expired`` comes before them all, and says that nothing was done: with no kept login to make anew it is a refusal.
    """
    expired = holds(step.expired, reading)
    if not expired and _succeeded(step, reading):
        return Judgement(Outcome.ACCEPTED)
    words = reading.at(step.reason) if step.reason else None
    if reading.fault is not None:
        return Judgement(Outcome.REFUSED, words or reading.fault, fault=not words)
    words = words or reading.text or ""
    if holds(step.refused, reading):
        return Judgement(Outcome.REFUSED, words)
    return Judgement(Outcome.REFUSED if expired else Outcome.UNKNOWN, words if reading.well else None)


def _succeeded(step: PresetStep, reading: AnswerReading) -> bool:
    if reading.fault is not None:
        return False
    if not step.success:
        return reading.well and reading.text is not None and set(captured(step, reading)) == set(step.capture)
    # A status of its own choice is a rule's business; every other success comes with a 2xx.
    rules = step.success if reading.well else [rule for rule in step.success if rule.status]
    return holds(rules, reading)


def captured(step: PresetStep, reading: AnswerReading) -> Mapping[str, str]:
    """Return the values that ``step`` captures, those that are there."""
    found = {name: reading.at(place) for name, place in step.capture.items()}
    return {name: value for name, value in found.items() if value is not None}
