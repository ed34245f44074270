"""Regular expressions from a configuration, held against texts of strangers: each within a time.

The standard library's engine needs 25 s and more for ``([0-9]+)+[a-z]`` on 32 digits, and holds up all threads
meanwhile. Such expressions (repeated groups, many repetitions) are matched by the library ``regex``, which ends when
its time is over.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache, partial
from typing import Any

import regex

TIME_S = 0.25
SHORT_S = 0.002
"""What takes longer is begun anew where whoever runs the requests wants it: an event loop has others to serve."""
Run = Callable[[Callable[[], Any]], Any]
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
    _plain: re.Pattern[str] | None = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        compiled = re.compile(self.text, re.ASCII)
        object.__setattr__(self, "_plain", compiled if _is_simple(self.text) else None)

    def fullmatch(self, text: str) -> bool:
        """Return whether the whole of ``text`` matches. Raises ``SlowPattern``."""
        if self._plain is not None:
            return self._plain.fullmatch(text) is not None
        try:
            return _within(self.text, "fullmatch", text, SHORT_S, concurrent=False) is not None
        except SlowPattern:
            return _do_long[0](partial(_within, self.text, "fullmatch", text, TIME_S)) is not None


_do_long: list[Run] = [lambda work: work()]
"""How matches are done that take long: as they are asked for, unless somebody wants them done elsewhere."""


def do_long_matches(run: Run) -> None:
    """Have what takes longer than ``SHORT_S`` to be matched done by ``run(work)``, which returns what that does."""
    _do_long[0] = run


def search(pattern: str, text: str, *, time_s: float) -> Any:
    """Return the first match of ``pattern`` anywhere in ``text``, as ``re.search`` has it. Raises ``SlowPattern``."""
    return _within(pattern, "search", text, time_s, flags=0)


def fullmatch(pattern: str, text: str, *, time_s: float = TIME_S) -> Any:
    """Return the match of the whole of ``text``, as ``re.fullmatch`` has it. Raises ``SlowPattern``."""
    return _within(pattern, "fullmatch", text, time_s, flags=0)


def _is_simple(text: str) -> bool:
    """Return whether the standard library, which is faster, cannot take long for it on a few dozen characters."""
    return not _REPEATED_GROUP.search(text) and len(_REPETITION.findall(text)) <= _FEW


@lru_cache(maxsize=512)
def _compiled(text: str, flags: int) -> Any:
    try:
        return regex.compile(text, flags)
    except regex.error:
        # Valid for the standard library alone, which has no time limit: rare, and better than an order that fails.
        return re.compile(text, re.ASCII if flags else 0)


def _within(
    pattern: str, how: str, text: str, time_s: float, flags: int = regex.ASCII, *, concurrent: bool = True
) -> Any:
    match = getattr(_compiled(pattern, flags), how)
    if isinstance(_compiled(pattern, flags), re.Pattern):
        return match(text)
    try:
        return match(text, timeout=time_s, concurrent=concurrent)
    except TimeoutError:
        raise SlowPattern(pattern) from None
