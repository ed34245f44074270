"""Passwords that are guessed first.

The list is short on purpose: a stranger has some tens of guesses (``attempts.py``), not millions. Patterns catch what
lists repeat: one character again and again, rows of the keyboard, the login with a number behind it.
"""

import re
from functools import cache
from importlib.resources import files

from gateway.texts.text import Text

ROWS = (
    "01234567890123456789",
    "abcdefghijklmnopqrstuvwxyz",
    "qwertyuiopasdfghjklzxcvbnm",
    "qwertyuiopasdfghjklçzxcvbnm",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p",
    "q1w2e3r4t5y6u7i8o9p0",
    "1q2w3e4r5t6y7u8i9o0p",
    "a1b2c3d4e5f6g7h8i9j0",
)
FEWEST_CHARACTERS = 4
"""A password of eight or more characters that are fewer different ones than this is a pattern."""
SHORTEST_REST = 5
"""What must be left of a password when its login is taken out of it."""
DECORATION = re.compile(r"[\d\W_]+")


def weakness(password: str, login: str = "") -> Text | None:
    """Return why ``password`` would be guessed, as the end of a sentence, or None.

    >>> str(weakness("12345678"))
    'it is a sequence of the keyboard or the alphabet'
    """
    plain = password.casefold()
    if len(set(plain)) < FEWEST_CHARACTERS or re.fullmatch(r"(.{1,5})\1+.?", plain, re.DOTALL):
        return Text("it repeats the same characters")
    if _is_sequence(plain):
        return Text("it is a sequence of the keyboard or the alphabet")
    if _is_login(plain, login.strip().casefold()):
        return Text("it is the login, or little more than the login")
    if plain in _common() or DECORATION.sub("", plain) in _words():
        return Text("it is one of the commonest passwords")
    return None


def _is_sequence(plain: str) -> bool:
    """Return whether ``plain`` is one or two sequences of the alphabet, digits or keyboard, read in either direction
    (``1234abcd``, ``qwerty123``).
    """
    rest = plain
    for _ in range(2):
        rest = rest[_run(rest) :]
    return not rest


def _run(text: str) -> int:
    """Return how many characters ``text`` begins with that stand together in a row: three or more, else 0."""
    rows = [*ROWS, *(row[::-1] for row in ROWS)]
    return next((size for size in range(len(text), 2, -1) if any(text[:size] in row for row in rows)), 0)


def _is_login(plain: str, login: str) -> bool:
    if len(login) < 3:
        return plain == login
    return any(name in plain and len(plain.replace(name, "", 1)) < SHORTEST_REST for name in (login, login[::-1]))


@cache
def _lines() -> tuple[str, ...]:
    text = files("gateway.logins").joinpath("common.txt").read_text(encoding="utf-8")
    return tuple(line.strip().casefold() for line in text.splitlines() if line.strip() and not line.startswith("#"))


@cache
def _common() -> frozenset[str]:
    return frozenset(_lines())


@cache
def _words() -> frozenset[str]:
    """Return the entries of the list that are words: with digits and signs around them they are as common."""
    return frozenset(line for line in _lines() if line.isalpha())
