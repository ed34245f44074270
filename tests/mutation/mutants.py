"""Make the small changes of a module: cosmic-ray's, without those that cannot change behaviour."""

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import unified_diff
from pathlib import Path

from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator, operator_names
from parso.tree import NodeOrLeaf

from tests.mutation.source import change, meaning, scope


@dataclass(frozen=True)
class Mutant:
    """A module with one small change."""

    module: Path
    operator: str
    code: str
    changed: str
    scope: str
    """The function or class that the change is in."""
    line: int
    before: str
    after: str

    def __str__(self) -> str:
        lines = unified_diff(self.code.splitlines(), self.changed.splitlines(), n=0, lineterm="")
        return f"{self.module}:{self.line} {self.operator}\n" + "\n".join(list(lines)[3:])


def mutants(module: Path, code: str, every: int = 1) -> Iterator[Mutant]:
    """Yield of each ``every`` changes of ``module`` the first, always in the same order.

    Left out are those that Python cannot read and those that cannot change behaviour.
    """
    meant = meaning(code)
    for name, occurrence in list(_places(get_ast(code)))[::every]:
        changed = mutate_code(code, get_operator(name)(), occurrence)
        if changed is not None and _is_different(meant, changed):
            yield _mutant(module, name.rpartition("/")[2], code, changed)


def _mutant(module: Path, operator: str, code: str, changed: str) -> Mutant:
    found = change(code, changed)
    return Mutant(
        module, operator, code, changed, scope(code, found.lines[0]), found.lines[0], found.before, found.after
    )


def _is_different(meant: str, changed: str) -> bool:
    """Return whether ``changed`` means something else and Python takes it without a warning (``is`` with a literal)."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", SyntaxWarning)
        try:
            compile(changed, "changed", "exec")
        except SyntaxError:
            return False
    return meaning(changed) != meant


def _places(tree: NodeOrLeaf) -> Iterator[tuple[str, int]]:
    """Yield the operators, and how often before each of them found something to change."""
    nodes = list(ast_nodes(tree))
    for name in operator_names():
        operator = get_operator(name)
        if not operator.arguments():
            places = sum(1 for node in nodes for _ in operator().mutation_positions(node))
            yield from ((name, occurrence) for occurrence in range(places))
