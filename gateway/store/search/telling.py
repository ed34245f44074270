"""How much the further tokens of terms leave out that are read of the search index: most of them nothing.

Calls that have the rarest parts of a word mostly have its other parts, too. To read those of segment after segment
costs more than to look at the few calls that they would leave out.
"""

from collections import Counter

ENOUGH = 40
"""Calls by which it is known of a token."""
LITTLE = 0.02
AGAIN = 8
"""Of so many segments it is read of one even so: older calls may be others."""


class Telling:
    """What one search has seen of each further token that it read: of how many calls, and how many lacked it."""

    def __init__(self) -> None:
        self._before: Counter[int] = Counter()
        self._without: Counter[int] = Counter()
        self._left_out: Counter[int] = Counter()

    def is_worth(self, token: int) -> bool:
        """Return whether ``token`` is to be read of the next segment; ask once for each."""
        if not self._is_little(token):
            return True
        self._left_out[token] += 1
        return self._left_out[token] % AGAIN == 0

    def note(self, token: int, before: int, after: int) -> None:
        """Note that of ``before`` calls of a segment ``after`` have ``token``."""
        self._before[token] += before
        self._without[token] += before - after

    def _is_little(self, token: int) -> bool:
        return self._before[token] >= ENOUGH and self._without[token] <= LITTLE * self._before[token]
