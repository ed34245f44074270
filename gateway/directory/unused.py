"""Columns of a source that nothing was made of: said with every import, so that no telephone is missed silently."""

from collections.abc import Sequence

from gateway.source import Source
from gateway.texts.text import Quantity, Text

SHOWN = 20


def unused_columns(source: Source) -> Sequence[tuple[str, str]]:
    """Return pairs (place, column) as far as ``source`` has been read; none for a source that reads no tables."""
    found: Sequence[tuple[str, str]] = getattr(source, "unused_columns", ())
    return found


def sentence(unused: Sequence[tuple[str, str]]) -> Text | None:
    """Return the sentence that names the unused columns, with their file where there are several. None when all were
    used.
    """
    several = len({place for place, _ in unused}) > 1
    names = list(dict.fromkeys(f"{column} ({place})" if several else column for place, column in unused))
    if not names:
        return None
    shown = ", ".join(names[:SHOWN])
    if len(names) > SHOWN:
        return Text("Columns not used: {names} and {more} more.", names=shown, more=Quantity(len(names) - SHOWN))
    return Text("Columns not used: {names}.", names=shown)
