"""What people see of a text that a stranger may have written: names and numbers come from callers and exchanges."""

import unicodedata

BIDI_CONTROLS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Embeddings, overrides and isolates: they turn round what stands behind them (UAX #9). The marks U+200E, U+200F and
U+061C stay, for names in Arabic and Hebrew need them and they turn nothing else."""
_REMOVED = dict.fromkeys(map(ord, BIDI_CONTROLS))
_UNSAFE = ("Cc", "Cs", "Zl", "Zp")
"""Categories of control characters, lone surrogates, and separators of lines and paragraphs."""


def unturned(text: str) -> str:
    """Return ``text`` without the characters that turn round what stands behind them; markup stays markup."""
    return text.translate(_REMOVED)


def escaped(text: str, *, keep: str = "") -> str:
    """Return ``text`` with control and bidirectional characters as ``\\x1b`` or ``\\u202e``, but for those in ``keep``.

    Neither a terminal nor a reader is told anything but what stands there.
    """
    return "".join(_escape(char) if _is_unsafe(char) and char not in keep else char for char in text)


def escaped_json(text: str) -> str:
    """Return the JSON ``text`` with such characters as JSON's own ``\\u009b``: the same data."""
    return "".join(f"\\u{ord(char):04x}" if _is_unsafe(char) and char not in "\n\r\t" else char for char in text)


def _is_unsafe(char: str) -> bool:
    return char in BIDI_CONTROLS or unicodedata.category(char) in _UNSAFE


def _escape(char: str) -> str:
    return f"\\x{ord(char):02x}" if ord(char) < 256 else f"\\u{ord(char):04x}"
