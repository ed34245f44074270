"""The changes that survive because they change nothing, or nothing that a test can reach: ``explained.toml``."""

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

FILE = Path(__file__).with_name("explained.toml")


class Changed(Protocol):
    """What is compared of a change: its function or class, and its lines before and after."""

    @property
    def scope(self) -> str: ...
    @property
    def before(self) -> str: ...
    @property
    def after(self) -> str: ...


@dataclass(frozen=True)
class Explanation:
    """Why changes of some lines survive. ``lines`` are pairs of text before and after."""

    module: str
    """Below ``gateway/domain``."""
    scope: str
    before: str
    after: tuple[str, ...]
    why: str

    def covers(self, changed: Changed) -> bool:
        return (changed.scope, changed.before) == (self.scope, self.before) and changed.after in self.after

    def __str__(self) -> str:
        return f"{self.module}, {self.scope or 'module'}: {self.before}"


def explanations(text: str) -> list[Explanation]:
    """Read entries of ``explained.toml``: by module and function, ``before``, all texts ``after``, and ``why``."""
    return [
        Explanation(module, entry.get("in", ""), entry["before"], tuple(entry["after"]), entry["why"])
        for module, entries in tomllib.loads(text).items()
        for entry in entries
    ]


def of_module(module: str) -> list[Explanation]:
    return [entry for entry in explanations(FILE.read_text(encoding="utf-8")) if entry.module == module]


def stale(entries: Iterable[Explanation], made: Iterable[Changed]) -> list[str]:
    """Return a sentence for each change that is explained but is not among those ``made`` of the code of today."""
    known = {(changed.scope, changed.before, changed.after) for changed in made}
    return [
        f"Nobody makes this change any more: {entry} => {after}"
        for entry in entries
        for after in entry.after
        if (entry.scope, entry.before, after) not in known
    ]
