"""What a change of a module's code touches: its statement, its function, its text, and whether it is one at all."""

import ast
import types
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

Scope: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
FunctionKey: TypeAlias = tuple[str, int]
"""A function's qualified name and the number of its first line."""
FUNCTION_FLAGS = 0x1 | 0x2
"""``CO_OPTIMIZED`` and ``CO_NEWLOCALS``: the code of a function, not of a module or of the body of a class."""


@dataclass(frozen=True)
class Change:
    """Lines of a module before and after, without their indentation; ``lines`` are numbers of the code before."""

    lines: range
    before: str
    after: str


def change(before: str, after: str) -> Change:
    """Compare two texts of which some lines in a row differ; empty ones at both ends do not count."""
    old, new = before.splitlines(), after.splitlines()
    first = _alike(old, new)
    last = _alike(old[first:][::-1], new[first:][::-1])
    removed = old[first : len(old) - last]
    blank = next((index for index, line in enumerate(removed) if line.strip()), 0)
    lines = range(first + blank + 1, first + max(blank + 1, len(removed)) + 1)
    return Change(lines, _stripped(removed), _stripped(new[first : len(new) - last]))


def _alike(one: Sequence[str], other: Sequence[str]) -> int:
    """Return how many lines from the first on are the same in both."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((index for index, (mine, its) in pairs if mine != its), min(len(one), len(other)))


def _stripped(lines: Iterable[str]) -> str:
    return "\n".join(line.strip() for line in lines).strip()


class _Meaning(ast.NodeTransformer):
    """Takes out of a tree what cannot change behaviour: types, docstrings, ``is`` for ``==`` of an enumeration."""

    def visit_Compare(self, node: ast.Compare) -> ast.Compare:
        self.generic_visit(node)
        if len(node.ops) == 1 and _is_member(node.comparators[0]):
            same = {ast.Is: ast.Eq(), ast.IsNot: ast.NotEq()}
            node.ops = [same.get(type(operator), operator) for operator in node.ops]
        return node

    def visit_arg(self, node: ast.arg) -> ast.arg:
        node.annotation = None
        return node

    def visit_arguments(self, node: ast.arguments) -> ast.arguments:
        """Take ``/`` and ``*`` out, which only say how a function may be called."""
        defaults = [*node.defaults, *node.kw_defaults]
        names = [*node.posonlyargs, *node.args, *node.kwonlyargs]
        given = [default for default in defaults if default is not None]
        plain = ast.arguments([], names, node.vararg, [], [], node.kwarg, given)
        self.generic_visit(plain)
        return plain

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        node.returns = None
        self.generic_visit(node)
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AnnAssign:
        node.annotation = ast.Constant(0)
        self.generic_visit(node)
        return node

    def visit_Assign(self, node: ast.Assign) -> ast.Assign:
        if isinstance(node.value, ast.BinOp) and _is_type_alias(node):
            node.value = ast.Constant(0)
        self.generic_visit(node)
        return node

    def visit_Expr(self, node: ast.Expr) -> ast.Expr:
        if isinstance(node.value, ast.Constant):
            node.value = ast.Constant(0)
        self.generic_visit(node)
        return node


def _is_member(node: ast.expr) -> bool:
    """Return whether ``node`` is written as a member of an enumeration, such as ``State.ENDED``."""
    return isinstance(node, ast.Attribute) and node.attr.isupper() and isinstance(node.value, ast.Name)


def _is_type_alias(node: ast.Assign) -> bool:
    """Return whether a name in capitals and small letters stands for types joined by ``|``."""
    name = node.targets[0].id if isinstance(node.targets[0], ast.Name) else ""
    return name[:1].isupper() and not name.isupper()


def meaning(code: str) -> str:
    """Return what of ``code`` can change behaviour, in a form to compare. Raises ``SyntaxError``."""
    tree = ast.parse(code)
    aliases = [node for node in tree.body if isinstance(node, ast.AnnAssign) and "TypeAlias" in ast.dump(node)]
    for node in aliases:
        node.value = None
    return ast.dump(_Meaning().visit(tree))


def scope(code: str, line: int) -> str:
    """Return the qualified name of the innermost function or class around ``line``; empty for the module itself."""
    names = []
    found: list[ast.AST] = [ast.parse(code)]
    while found:
        inner = [node for node in _scopes(found[0]) if _first_line(node) <= line <= (node.end_lineno or 0)]
        names += [node.name for node in inner[:1]]
        found = list(inner[:1])
    return ".".join(names)


def _scopes(node: ast.AST) -> Iterator[Scope]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, Scope):
            yield child
        else:
            yield from _scopes(child)


def _first_line(node: Scope) -> int:
    return min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])


def statement_lines(code: str) -> dict[int, range]:
    """Return for each line the lines of the innermost statement that it belongs to, without the statements inside."""
    found: dict[int, range] = {}
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.stmt | ast.excepthandler | ast.match_case):
            lines = range(_start(node), _last_own_line(node) + 1)
            found |= dict.fromkeys(lines, lines)
    return found


def _start(node: ast.stmt | ast.excepthandler | ast.match_case) -> int:
    return node.pattern.lineno if isinstance(node, ast.match_case) else node.lineno


def _last_own_line(node: ast.stmt | ast.excepthandler | ast.match_case) -> int:
    body: list[ast.stmt] = getattr(node, "body", [])
    if body:
        return max(_start(node), body[0].lineno - 1)
    return int(getattr(node, "end_lineno", 0))


def changed_functions(before: types.CodeType, after: types.CodeType) -> dict[FunctionKey, types.CodeType] | None:
    """Return the new code of functions that stand in a module or a class; None where more than their bodies changed."""
    if _skeleton(before) != _skeleton(after):
        return None
    old, new = dict(functions(before)), dict(functions(after))
    changed = {key: code for key, code in new.items() if key in old and code != old[key]}
    if set(old) != set(new) or any(code.co_freevars != old[key].co_freevars for key, code in changed.items()):
        return None
    return changed


def functions(code: types.CodeType) -> Iterator[tuple[FunctionKey, types.CodeType]]:
    """Yield the functions of a module and of its classes, not those inside of functions."""
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            if _is_function(constant):
                yield (constant.co_qualname, constant.co_firstlineno), constant
            elif not constant.co_flags & FUNCTION_FLAGS:
                yield from functions(constant)


def _is_function(code: types.CodeType) -> bool:
    """Return whether ``code`` runs when it is called; a comprehension in a module runs at once, and so may a lambda."""
    return code.co_flags & FUNCTION_FLAGS == FUNCTION_FLAGS and not code.co_name.startswith("<")


def _skeleton(code: types.CodeType) -> tuple[object, ...]:
    """Return what runs when a module is loaded."""
    constants = tuple(
        (constant.co_name if _is_function(constant) else _skeleton(constant))
        if isinstance(constant, types.CodeType)
        else (type(constant).__name__, repr(constant))
        for constant in code.co_consts
    )
    return code.co_name, code.co_code, constants, code.co_names, code.co_varnames, code.co_exceptiontable
