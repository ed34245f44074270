"""What the chain is made of: sentences in two languages, links, the whole."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

Clock = Callable[[int], str]
"""Milliseconds since 1970 as the company's time of day, such as ``14:20:31``."""


@dataclass(frozen=True, slots=True)
class Said:
    """One sentence in Portuguese and English."""

    pt: str
    en: str


@dataclass(frozen=True, slots=True)
class Link:
    """One link of the chain: a stable ``name``, whether it held, what it says, and the facts behind it."""

    name: str
    ok: bool | None
    said: Said
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Why:
    """The chain of one call and its verdict. ``popped`` is None where nothing was written down of screens."""

    call_id: int
    popped: bool | None
    verdict: Said
    links: tuple[Link, ...]

    def as_json(self) -> dict[str, Any]:
        """The form that scripts get."""
        links = [
            {"link": link.name, "ok": link.ok, "pt": link.said.pt, "en": link.said.en, **link.facts}
            for link in self.links
        ]
        verdict = {"pt": self.verdict.pt, "en": self.verdict.en}
        return {"call": self.call_id, "popped": self.popped, "verdict": verdict, "chain": links}
