"""Pauses before the next attempt at a peer that is not reached: growing, and never the same for two that try."""

import random

PAUSES_S = (1.0, 2.0, 4.0, 8.0, 16.0, 30.0)
"""The last one again and again."""
JITTER = 0.3


def pause_after(failures: int) -> float:
    """Return the seconds before the next attempt, by how many have failed in a row."""
    usual_s = PAUSES_S[min(max(failures, 1), len(PAUSES_S)) - 1]
    return usual_s * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311
