"""Regular expressions from a configuration, held against texts of strangers: each within a time.

The standard library's engine needs 25 s and more for ``([0-9]+)+[a-z]`` on 32 digits, and holds up all threads
meanwhile. Such expressions (repeated groups, many repetitions) are matched by the library ``regex``, which ends when
its time is over.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import regex

TIME_S = 0.25
_REPEATED_GROUP = re.compile(r"\)(?:[*+?]|\{)")
_REPETITION = re.compile(r"[*+?]|\{[0-9]*,")
_FEW = 2


class SlowPattern(ValueError):
    """A pattern took longer than its time for a text; ``pattern`` is the expression."""

    def __init__(self, pattern: str) -> None:
        super().__init__(f"The pattern {pattern!r} takes too long: write it without repetitions inside repetitions.")
        self.pattern = pattern


@dataclass(frozen=True, slots=True)
class Pattern:
    """A regular expression as text. Raises ``re.error`` when made of one that is none."""

    text: str

    def __post_init__(self) -> None:
        re.compile(self.text, re.ASCII)

    def fullmatch(self, text: str) -> bool:
        """Whether the whole of ``text`` matches. Raises ``SlowPattern``."""
        plain = _plain(self.text)
        return bool(plain.fullmatch(text)) if plain else _within(self.text, "fullmatch", text, TIME_S) is not None


def search(pattern: str, text: str, *, time_s: float) -> Any:
    """The first match of ``pattern`` anywhere in ``text``, as ``re.search`` has it. Raises ``SlowPattern``."""
    return _within(pattern, "search", text, time_s, flags=0)


def fullmatch(pattern: str, text: str, *, time_s: float = TIME_S) -> Any:
    """The match of the whole of ``text``, as ``re.fullmatch`` has it. Raises ``SlowPattern``."""
    return _within(pattern, "fullmatch", text, time_s, flags=0)


@lru_cache(maxsize=512)
def _plain(text: str) -> re.Pattern[str] | None:
    """The expression of the standard library, which is faster, where it cannot take long on a few dozen characters."""
    simple = not _REPEATED_GROUP.search(text) and len(_REPETITION.findall(text)) <= _FEW
    return re.compile(text, re.ASCII) if simple else None


@lru_cache(maxsize=512)
def _compiled(text: str, flags: int) -> Any:
    try:
        return regex.compile(text, flags)
    except regex.error:
        # Valid for the standard library alone, which has no time limit: rare, and better than an order that fails.
        return re.compile(text, re.ASCII if flags else 0)


def _within(pattern: str, how: str, text: str, time_s: float, flags: int = regex.ASCII) -> Any:
    match = getattr(_compiled(pattern, flags), how)
    if isinstance(_compiled(pattern, flags), re.Pattern):
        return match(text)
    try:
        return match(text, timeout=time_s, concurrent=True)
    except TimeoutError:
        raise SlowPattern(pattern) from None
