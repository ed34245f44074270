"""Docstrings of functions begin with a verb and name the errors raised."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import TypeAlias

import pytest

ROOT = Path(__file__).parents[1]
NO_VERBS = """
a an the this that these those such same other another each every both either neither several many most more some
any all none no not nothing something anything everything only one two three its their his her your my our it
who whom whose whoever what whatever which whether where when how why if there
in of on at by as for from with without to up about like under after before behind between until within than
address area done given head heard host itself json known login made method milliseconds name number normal password
port prefix progress scheme seconds seen smaller target telephone user xml
"""
VERBS_IN_ED = ("embed", "exceed", "feed", "need", "proceed", "seed", "speed")
Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef


@cache
def modules() -> dict[str, ast.Module]:
    paths = [path for root in ("gateway", "adapters") for path in sorted((ROOT / root).rglob("*.py"))]
    kept = [path for path in paths if "migrations" not in path.parts]
    return {str(path.relative_to(ROOT)): ast.parse(path.read_text(encoding="utf-8")) for path in kept}


def functions(tree: ast.Module) -> Iterator[Function]:
    """Yield all functions but properties, which are read like values, and commands, whose docstring is a help text."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            marks = [ast.unparse(mark) for mark in node.decorator_list]
            if not any(mark.endswith("property") or ".command" in mark or ".group" in mark for mark in marks):
                yield node


def is_verb(word: str) -> bool:
    """Return whether ``word`` may be an imperative, not a plural, third person, participle, abbreviation or code."""
    plain = word.rstrip(".,:;").lower()
    if not plain.replace("-", "").isalpha() or (word.isupper() and len(word) > 1) or plain in NO_VERBS.split():
        return False
    third_person = plain.endswith("s") and not plain.endswith("ss")
    return not third_person and (not plain.endswith("ed") or plain in VERBS_IN_ED)


@pytest.mark.parametrize("word", ["Return", "Yield", "Read", "Pass", "Note", "Feed", "Close,"])
def test_verbs_are_taken_for_verbs(word: str) -> None:
    assert is_verb(word)


@pytest.mark.parametrize(
    "word", ["The", "What", "Whether", "Raises", "Cells", "UTF-8", "190", "``text``", "E.164", "Heard", "Seen", "Given"]
)
def test_other_words_are_not(word: str) -> None:
    assert not is_verb(word)


def test_docstrings_begin_with_a_verb() -> None:
    documented = [
        (f"{path}:{node.lineno} {node.name}", text)
        for path, tree in modules().items()
        for node in functions(tree)
        if (text := ast.get_docstring(node))
    ]
    assert len(documented) > 1500
    wrong = [f"{place}: {text.splitlines()[0]}" for place, text in documented if not is_verb(text.split()[0])]
    assert not wrong, f"{len(wrong)} docstrings begin without a verb:\n" + "\n".join(wrong)


@cache
def bases() -> dict[str, list[str]]:
    """Return the names of the bases of each class of ours, by its name."""
    classes = (node for tree in modules().values() for node in ast.walk(tree) if isinstance(node, ast.ClassDef))
    return {node.name: [last_name(base) for base in node.bases] for node in classes}


def last_name(expression: ast.expr) -> str:
    """Return ``SSLError`` of ``ssl.SSLError``."""
    return ast.unparse(expression).rpartition(".")[2]


def is_error_of_ours(name: str) -> bool:
    """Return whether a class of ours is called so and is an exception, whose root has a usual name."""
    return any(base.endswith(("Error", "Exception")) or is_error_of_ours(base) for base in bases().get(name, ()))


def names_for(error: str) -> set[str]:
    """Return the names by which a docstring may call ``error``: its own, and those of ours that it descends from."""
    above = (names_for(base) for base in bases()[error] if base in bases())
    return {error}.union(*above) - {"GatewayError"}


def raised_in(body: list[ast.stmt]) -> set[str]:
    """Return the names of our public errors that ``body`` raises, functions inside it left out."""
    found: set[str] = set()
    waiting: list[ast.AST] = list(body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Raise) and node.exc:
            found.add(last_name(node.exc.func if isinstance(node.exc, ast.Call) else node.exc))
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            waiting += ast.iter_child_nodes(node)
    return {name for name in found if is_error_of_ours(name) and not name.startswith("_")}


def public_functions(tree: ast.Module) -> Iterator[Function]:
    """Yield the public functions of a module and the public methods of its classes."""
    methods = (node for each in tree.body if isinstance(each, ast.ClassDef) for node in each.body)
    inside = {*tree.body, *methods}
    yield from (node for node in functions(tree) if node in inside and not node.name.startswith("_"))


def test_raised_errors_are_found() -> None:
    assert is_error_of_ours("NotDiallable")
    assert not is_error_of_ours("ValueError")
    assert names_for("NotDiallable") == {"NotDiallable", "DialError"}
    code = "raise NotDiallable('1')\nraise ValueError\ndef within():\n    raise NumberBlocked"
    assert raised_in(ast.parse(code).body) == {"NotDiallable"}


def test_public_functions_name_the_errors_that_they_raise() -> None:
    wrong = [
        f"{path}:{node.lineno} {node.name}: {name}"
        for path, tree in modules().items()
        for node in public_functions(tree)
        for name in sorted(raised_in(node.body))
        if not names_for(name) & set(re.findall(r"\w+", ast.get_docstring(node) or ""))
    ]
    assert not wrong, f"{len(wrong)} docstrings do not name an error raised:\n" + "\n".join(wrong)


def test_raised_errors_have_one_notation() -> None:
    other = [
        f"{path}: {line.strip()}"
        for path, tree in modules().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        for line in (ast.get_docstring(node) or "").splitlines()
        if re.match(r":raises\b|:param\b|:returns?\b|Raises:|Returns:|Args:", line.strip())
    ]
    assert not other, "\n".join(other)
