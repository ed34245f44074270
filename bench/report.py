"""Figures in, text out: medians, percentiles, ratios and tables."""

from collections.abc import Sequence
from statistics import median

__all__ = ["median", "percentile", "ratio", "table"]


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest of ``values`` that at least ``percent`` % of them do not exceed; 0 when there are none.

    >>> percentile([1, 2, 3, 4], 50), percentile([1, 2, 3, 4], 99)
    (2, 4)
    """
    if not values:
        return 0.0
    ordered = sorted(values)
    rank = -int(-percent * len(ordered) // 100)
    return ordered[max(rank, 1) - 1]


def ratio(ours: float, theirs: float, goal: float | None = None) -> str:
    """How many times ``theirs`` ours is, and whether that reaches ``goal``.

    >>> ratio(10, 4, 2)
    '2.50 x (goal 2 x: reached)'
    """
    if not theirs:
        return "no figure to compare with"
    times = f"{ours / theirs:.2f} x"
    if goal is None:
        return times
    return f"{times} (goal {goal:g} x: {'reached' if ours >= goal * theirs else 'MISSED'})"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Text in columns: the first one left-aligned, the others right-aligned."""
    widths = [max(len(row[column]) for row in [head, *rows]) for column in range(len(head))]
    lines = [head, ["-" * width for width in widths], *rows]
    return "\n".join(_line(line, widths) for line in lines)


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    first = cells[0].ljust(widths[0])
    rest = [cell.rjust(width) for cell, width in zip(cells[1:], widths[1:], strict=True)]
    return "  ".join([first, *rest]).rstrip()
