"""What a peer's answer means: rules on its text, since many appliances answer 200 whatever happened."""

import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from json import dumps
from typing import Annotated, Any

from lxml import etree
from pydantic import AfterValidator

from gateway.adapter import Outcome
from gateway.domain.patterns import SlowPattern, search
from gateway.texts.text import Text

TIME_S = 1.0
"""What a pattern may take for an answer, which may have megabytes."""


def _is_pattern(value: str) -> str:
    try:
        re.compile(value)
    except re.error as error:
        raise ValueError(Text("not a regular expression: {error}", error=str(error))) from None
    return value


Pattern = Annotated[str, AfterValidator(_is_pattern)]
"""A regular expression as text, searched anywhere; ``(?P<ref>…)`` in it picks out the peer's own id."""


def found_in(pattern: str, text: str) -> Any:
    """Return the match of ``pattern`` in an answer, None where there is none or it takes too long to tell."""
    with suppress(SlowPattern):
        return _search(pattern, text)
    return None


class Single(dict[str, Any]):
    """An answer of one named part, which may be left out of paths; without a path it is the part itself."""

    def __missing__(self, step: str) -> Any:
        (only,) = self.values()
        return pick(only, step)


class Markup(str):
    """XML where a text was expected. ``plain`` is the text in it, ``parts`` what paths find in it."""

    plain: str
    parts: Any

    @classmethod
    def of(cls, element: Any, parts: Any) -> "Markup":
        """Return the inner XML of ``element``, each namespace declared where it is used."""
        inner = [etree.tostring(child, encoding="unicode") for child in element]
        found = cls((element.text or "") + "".join(inner))
        found.plain = " ".join("".join(element.itertext()).split())
        found.parts = parts
        return found


@dataclass(frozen=True)
class Verdict:
    """The outcome, the text that led to it, and the peer's own id if there is one.

    ``problem`` says why the text could not be judged; nothing of it is the peer's.
    """

    outcome: Outcome
    text: str
    ref: str | None = None
    problem: Text | None = None


@dataclass(frozen=True)
class AnswerRule:
    """What to look for, and at which paths of a structured answer.

    An empty ``success`` accepts everything, an empty ``refused`` refuses nothing.
    """

    success: str
    refused: str = ""
    result_path: str = ""
    ref_path: str = ""

    def judge(self, answer: Any) -> Verdict:
        """Judge an answer (text, scalar, list, mapping); one without the result's path is unknown."""
        try:
            text = as_text(pick(answer, self.result_path))
        except (LookupError, RecursionError):
            return Verdict(Outcome.UNKNOWN, "", problem=Text("the answer has no {path}", path=self.result_path))
        try:
            found, refused = _search(self.success, text), False
            if not found and self.refused:
                refused = bool(_search(self.refused, text))
        except SlowPattern as error:
            return Verdict(Outcome.UNKNOWN, text, problem=_too_slow(error.pattern))
        if found:
            return Verdict(Outcome.ACCEPTED, text, found.groupdict().get("ref") or self._ref(answer))
        return Verdict(Outcome.REFUSED if refused else Outcome.UNKNOWN, text)

    def _ref(self, answer: Any) -> str | None:
        """Return the call's id in an answer, or None: a success without its id is a success all the same."""
        with suppress(LookupError, RecursionError):
            return as_text(pick(answer, self.ref_path)) if self.ref_path else None
        return None


def fault_text(said: str) -> Text:
    """Return how a fault of SOAP or XML-RPC is told, of which ``said`` are the words."""
    return Text("fault {said}", said=said) if said else Text("fault without explanation")


def _too_slow(pattern: str) -> Text:
    return Text("the pattern {pattern!r} takes too long in this answer", pattern=pattern)


def spellings_of(text: str) -> Iterable[str]:
    """Return ``text`` as rules try it: as it is, and of XML also the text in it and its structure as JSON."""
    return (text, text.plain, as_text(text.parts)) if isinstance(text, Markup) else (text,)


def _search(pattern: str, text: str) -> Any:
    """Return the first match in any spelling of ``text``, else None. Raises ``SlowPattern``."""
    return next(filter(None, (search(pattern, spelling, time_s=TIME_S) for spelling in spellings_of(text))), None)


def boolean_of(text: str) -> Any:
    """Return true or false in any capitals, as .NET and Python write them; else the text, which is neither."""
    return {"true": True, "1": True, "false": False, "0": False}.get(text.strip().lower(), text)


def pick(value: Any, path: str) -> Any:
    """Return the part of an answer at ``path`` (``call.id``, ``0.name``); no path is all. Raises ``LookupError``."""
    for step in path.split(".") if path else ():
        value = value.parts if isinstance(value, Markup) else value
        if isinstance(value, list | tuple) and step.isdigit():
            value = value[int(step)]
        elif isinstance(value, Mapping):
            value = value[step]
        else:
            raise LookupError(step)
    return value


def as_text(value: Any) -> str:
    """Return an answer as a rule sees it: scalars bare, None as the empty text, the rest as sorted JSON."""
    if isinstance(value, Single):
        (value,) = value.values()
        return as_text(value)
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value
    if isinstance(value, int | float):
        return str(value)
    return dumps(value, default=str, ensure_ascii=False, sort_keys=True)
