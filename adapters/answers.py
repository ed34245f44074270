"""What a peer's answer means: rules on its text, since many appliances answer 200 whatever happened."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from json import dumps
from typing import Annotated, Any

from pydantic import AfterValidator

from gateway.adapter import Outcome


def _is_pattern(value: str) -> str:
    try:
        re.compile(value)
    except re.error as error:
        raise ValueError(f"not a regular expression: {error}") from None
    return value


Pattern = Annotated[str, AfterValidator(_is_pattern)]
"""A regular expression as text, searched anywhere; ``(?P<ref>…)`` in it picks out the peer's own id."""


@dataclass(frozen=True)
class Rule:
    """An empty ``success`` accepts everything, an empty ``refused`` refuses nothing."""

    success: str
    refused: str = ""

    def judge(self, text: str) -> tuple[Outcome, str | None]:
        """The outcome for an answer's text, and the peer's reference if ``success`` names one."""
        found = re.search(self.success, text)
        if found:
            return Outcome.ACCEPTED, found.groupdict().get("ref")
        if self.refused and re.search(self.refused, text):
            return Outcome.REFUSED, None
        return Outcome.UNKNOWN, None


def pick(value: Any, path: str) -> Any:
    """The part of an answer at ``path`` (``call.id``, ``0.name``); no path is all. Raises ``LookupError``."""
    for step in path.split(".") if path else ():
        if isinstance(value, list | tuple) and step.isdigit():
            value = value[int(step)]
        elif isinstance(value, Mapping):
            value = value[step]
        else:
            raise LookupError(step)
    return value


def as_text(value: Any) -> str:
    """An answer as a rule sees it: scalars bare, nothing as the empty text, the rest as sorted JSON."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        return str(value)
    return dumps(value, default=str, ensure_ascii=False, sort_keys=True)
