"""What the chain is made of: links, each with a sentence, and the whole."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from gateway.texts.rendering import render
from gateway.texts.text import Text

Clock = Callable[[int], str]
"""Milliseconds since 1970 as the company's time of day, such as ``14:20:31``."""


@dataclass(frozen=True, slots=True)
class Link:
    """One link of the chain: a stable ``name``, whether it held, what it says, and the facts behind it."""

    name: str
    ok: bool | None
    said: Text
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Why:
    """The chain of one call and its verdict. ``popped`` is None where nothing was written down of screens."""

    call_id: int
    popped: bool | None
    verdict: Text
    links: tuple[Link, ...]

    def as_json(self) -> dict[str, Any]:
        """Return the form that scripts get: sentences in Portuguese and English."""
        links = [{"link": link.name, "ok": link.ok, **_both(link.said), **link.facts} for link in self.links]
        return {"call": self.call_id, "popped": self.popped, "verdict": _both(self.verdict), "chain": links}


def _both(text: Text) -> dict[str, str]:
    return {"pt": render(text, "pt-BR"), "en": render(text, "en")}
