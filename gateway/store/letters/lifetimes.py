"""How long letters are worth something: while they are news, until they are given up, until they are let go of."""

from collections.abc import Mapping
from dataclasses import dataclass, field

DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class Lifetimes:
    """How long a target's letters are worth something. ``news_ms`` has the kinds that are only news for a short time:
    they are not sent again in bulk when it is over. The others are given up after ``longest_ms`` (None: never).
    """

    news_ms: Mapping[str, int] = field(default_factory=dict)
    longest_ms: int | None = 3 * DAY_MS
    keep_ms: int = 30 * DAY_MS

    def is_alarming(self, left_ms: int | None) -> bool:
        """Return whether somebody should see to it, where the first letter is given up in ``left_ms``: a third of its
        time has passed.
        """
        return left_ms is not None and self.longest_ms is not None and left_ms <= self.longest_ms * 2 // 3
