"""How long one request may be worked on: no body of a stranger holds a thread up."""

from collections.abc import Callable
from dataclasses import dataclass, field
from time import thread_time
from typing import Any

from gateway.domain.patterns import SlowPattern, search

TIME_S = 0.02
"""For all that one request needs, which is a hundred times what it usually takes."""
PATTERN_S = 0.008
"""For one regular expression at one text."""
LONGEST_SEARCHED = 4096
"""Characters of a value that a regular expression looks at."""


class RequestTooSlow(Exception):
    """The request's time is over."""


@dataclass(frozen=True, slots=True)
class Budget:
    """The processor time that is left for one request, begun when it is made; a busy machine takes none of it."""

    clock: Callable[[], float] = thread_time
    ends_at: float = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "ends_at", self.clock() + TIME_S)

    def check(self) -> None:
        """Raise ``RequestTooSlow`` when nothing is left."""
        if self.clock() >= self.ends_at:
            raise RequestTooSlow

    def search(self, pattern: str, text: str) -> Any:
        """Return the first match of ``pattern`` in ``text``, or None. Raises ``RequestTooSlow``."""
        left = self.ends_at - self.clock()
        if left <= 0:
            raise RequestTooSlow
        try:
            return search(pattern, text[:LONGEST_SEARCHED], time_s=min(left, PATTERN_S))
        except SlowPattern:
            raise RequestTooSlow from None
