"""A sentence that nobody has rendered yet: an id in plain English, and the facts that belong into it."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal, Union

Fact = Union[str, int, float, None, "Text", "Quantity", "Span", "Listing"]
"""What fills a placeholder. A plain number is written as it is, as befits codes, statuses, ports and identifiers."""

VERBATIM = "{words}"
SEPARATORS = {"lines": "\n", "clauses": "; "}
"""What stands between the items of a listing that is no enumeration."""


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number that people read as an amount: ``12.345`` in Portuguese."""

    value: int | float

    def __str__(self) -> str:
        return f"{self.value:,}"


@dataclass(frozen=True, slots=True)
class Span:
    """A length of time in seconds, read as ``5 minutos``."""

    seconds: float

    def __str__(self) -> str:
        return f"{self.seconds:g} s"


@dataclass(frozen=True, slots=True)
class Listing:
    """Several things of which one is meant (``a, b ou c``), or all (``joined_by="and"``).

    Or each on its line, or as a clause behind a semicolon.
    """

    items: tuple["str | Text", ...]
    joined_by: Literal["or", "and", "lines", "clauses"] = "or"

    def __str__(self) -> str:
        if self.joined_by in SEPARATORS:
            return SEPARATORS[self.joined_by].join(str(item) for item in self.items)
        *first, last = [str(item) for item in self.items] or [""]
        return f"{', '.join(first)} {self.joined_by} {last}" if first else last


@dataclass(frozen=True, slots=True, init=False)
class Text:
    """A sentence: ``id`` is its English, with ``{name}`` for each fact; catalogues have the other languages.

    The id must stand in the call as a literal: so it is found for the catalogues. ``str()`` is the English, for logs.
    """

    id: str
    facts: Mapping[str, Fact] = field(hash=False)
    context: str
    plural: str
    count: int

    def __init__(self, id: str, /, **facts: Fact) -> None:
        _fill(self, id, facts)

    def __str__(self) -> str:
        chosen = self.plural if self.plural and self.count != 1 else self.id
        return chosen.format(**{name: "" if fact is None else str(fact) for name, fact in self.facts.items()})

    def with_words(self, change: Callable[[str], str]) -> "Text":
        """Return the same sentence with every word of others in it, however deep, as ``change`` makes it."""
        facts = {name: _changed(fact, change) for name, fact in self.facts.items()}
        return _fill(Text.__new__(Text), self.id, facts, context=self.context, plural=self.plural, count=self.count)


def in_context(context: str, id: str, /, **facts: Fact) -> Text:
    """Return a sentence whose English has several translations; ``context`` says which is meant (``verb``)."""
    return _fill(Text.__new__(Text), id, facts, context=context)


def counted(one: str, many: str, /, count: int, **facts: Fact) -> Text:
    """Return a sentence that is written by ``count``, its fact ``{count}``: ``{count} call``, ``{count} calls``."""
    return _fill(Text.__new__(Text), one, {"count": Quantity(count), **facts}, plural=many, count=count)


def verbatim(words: str) -> Text:
    """Return ``words`` as a text that nobody can translate: a peer's answer, what an operator wrote in the
    configuration.
    """
    return Text(VERBATIM, words=words)


def problem_of(error: Exception) -> "Text | str":
    """Return the text that ``error`` was raised with (``ValueError(Text(...))``), else what it says."""
    first = error.args[0] if error.args else ""
    return first if isinstance(first, Text) else str(error)


def lines(texts: Iterable["str | Text"]) -> Text:
    """Return several sentences, each on a line of its own."""
    return Text(VERBATIM, words=Listing(tuple(texts), joined_by="lines"))


def _changed(fact: Fact, change: Callable[[str], str]) -> Fact:
    match fact:
        case str():
            return change(fact)
        case Text():
            return fact.with_words(change)
        case Listing():
            items = (change(item) if isinstance(item, str) else item.with_words(change) for item in fact.items)
            return Listing(tuple(items), joined_by=fact.joined_by)
    return fact


def _fill(
    text: Text, id: str, facts: Mapping[str, Fact], *, context: str = "", plural: str = "", count: int = 0
) -> Text:
    values = {"id": id, "facts": facts, "context": context, "plural": plural, "count": count}
    for name, value in values.items():
        object.__setattr__(text, name, value)
    return text
