"""Texts that fit their column: what every database takes, and no longer than the column is."""

import sys
from collections.abc import Callable
from typing import Any

from sqlalchemy import Column, Dialect, String, Text, TypeDecorator
from sqlalchemy.types import TypeEngine

UNBOUNDED = sys.maxsize
BYTES = {"postgresql": "C"}
"""The collation by which texts are compared and sorted as SQLite does it, whatever the server's locale is; it also lets
an index find what a text begins with, and outlives an upgrade of the server's system.
"""


def fit(text: str, length: int = UNBOUNDED) -> str:
    """Return ``text`` without what a database refuses, cut to ``length`` characters.

    PostgreSQL takes no NUL, and a half of a surrogate pair (JSON may hold one) has no UTF-8.
    """
    if "\0" in text:
        text = text.replace("\0", "")
    if not text.isascii():
        text = text.encode("utf-8", "replace").decode()
    return text[:length]


def is_storable(text: str) -> bool:
    """Return whether every database takes ``text`` as it is, were it short enough."""
    if "\0" in text:
        return False
    try:
        return text.isascii() or bool(text.encode())
    except UnicodeEncodeError:
        return False


class Fitted(TypeDecorator[str]):
    """A type of texts to which each value is fitted, wherever it is written or compared."""

    length = UNBOUNDED
    """The most characters that the column takes."""

    def fit(self, text: str | None) -> str | None:
        """Return ``text`` as the column holds it."""
        return text if text is None else fit(text, self.length)

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return self.fit(value)


class FittedString(Fitted):
    """A ``String`` that each value fits."""

    impl = String
    cache_ok = True

    def __init__(self, length: int) -> None:
        super().__init__(length)
        self.length = length

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[str]:
        return dialect.type_descriptor(String(self.length, collation=BYTES.get(dialect.name)))


class FittedText(Fitted):
    """A ``Text`` that takes any value."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[str]:
        return dialect.type_descriptor(Text(collation=BYTES.get(dialect.name)))


def length_of(column: Column[Any]) -> int:
    """Return how many characters ``column`` takes. Raises ``TypeError`` for one that holds no text."""
    if not isinstance(column.type, Fitted):
        raise TypeError(f"{column} holds no text")
    return column.type.length


def fitter(column: Column[Any]) -> Callable[[str], str]:
    """Return what fits a text to ``column``, for those who compare texts with what is stored."""
    length = length_of(column)
    return lambda text: fit(text, length)
