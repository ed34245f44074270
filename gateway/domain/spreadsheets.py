"""Texts of strangers in files that a spreadsheet opens."""

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""How a cell begins that a spreadsheet would compute; the last four are the wide signs that some take for the same."""


def harmless(text: str) -> str:
    """Return ``text`` for a cell: with a ``'`` in front where a spreadsheet would take it for a formula."""
    return f"'{text}" if text.startswith(FORMULA) else text
