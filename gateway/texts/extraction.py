"""The sentences that stand in the source: in Python as ``Text`` and its like and as the help of commands, in templates,
in the browser's script.
"""

import ast
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_file

from gateway.texts import areas
from gateway.texts.paragraphs import paragraphs

KEYWORDS: Mapping[str, tuple[int | tuple[int, str], ...] | None] = {
    "Text": None,
    "counted": (1, 2),
    "in_context": ((1, "c"), 2),
    "_": None,
    "gettext": None,
    "ngettext": (1, 2),
    "pgettext": ((1, "c"), 2),
}
Found = tuple[str | tuple[str, ...], str | None]
"""A sentence (or its singular and plural) and its context."""
METHODS = {".py": "python", ".html": "jinja2", ".js": "javascript"}
OPTIONS = {"jinja2": {"trimmed": "true", "silent": "false"}}


def extract(root: Path, area: str) -> Catalog:
    """Return the sentences of ``area`` in the source tree ``root``, each with the files it stands in."""
    catalogue = Catalog(project="cti-gateway", charset="utf-8")
    for path in areas.sources(root):
        if areas.area_of(path) == area:
            for id, context in _sentences(root / path):
                if id:
                    catalogue.add(id, locations=[(path, 0)], context=context)
    return catalogue


def _sentences(path: Path) -> Iterator[Found]:
    yield from _called(path)
    if path.suffix == ".toml":
        yield from ((sentence, None) for sentence in of_preset(tomllib.loads(path.read_text(encoding="utf-8"))))
    if path.suffix == ".py":
        source = path.read_text(encoding="utf-8")
        texts = (*helps(source), *(of_simulators(source) if path.parent.name == "simulators" else ()))
        yield from ((paragraph, None) for text in texts for paragraph in paragraphs(text))


PHASES = ("login", "before", "after", "logout", "probe", "hangup")
"""Keys of a preset that hold steps, beside ``dial``."""


def of_preset(preset: Mapping[str, Any]) -> Iterator[str]:
    """Yield what a preset's file says to people; names, texts to paste and tests have no language."""
    verified = preset.get("verified", {})
    yield from (preset["title"], *preset.get("setup", ()), *preset.get("quirks", ()))
    yield from (verified.get("how", ""), *verified.get("unknown", ()))
    for group in ("parameters", "origin"):
        yield from (each.get("help", "") for each in preset.get(group, {}).values())
    steps = [step for phase in PHASES for step in preset.get(phase, ())]
    steps += [step for kind, told in preset.get("forward", {}).items() if isinstance(told, list) for step in told]
    yield from (step.get("note", "") for step in (*steps, preset.get("dial", {})))
    for event in preset.get("events", ()):
        yield from (event.get("title", ""), *event.get("notes", ()))


def helps(source: str) -> Iterator[str]:
    """Yield what click shows with ``--help``: docstrings of commands and groups, ``help=`` and ``epilog=``."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef) and any(_is_command(each) for each in node.decorator_list):
            yield ast.get_docstring(node) or ""
        if isinstance(node, ast.Call) and _name(node) in ("option", "command", "group"):
            yield from (
                word.value.value
                for word in node.keywords
                if word.arg in ("help", "epilog")
                and isinstance(word.value, ast.Constant)
                and isinstance(word.value.value, str)
            )


def of_simulators(source: str) -> Iterator[str]:
    """Yield what ``simulate --list`` says of each simulator: the docstrings of classes that have a name."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ClassDef) and any(map(_names, node.body)):
            yield ast.get_docstring(node) or ""


def _names(statement: ast.stmt) -> bool:
    """Return whether ``statement`` gives a class its name."""
    return isinstance(statement, ast.Assign) and any(ast.unparse(target) == "name" for target in statement.targets)


def _is_command(decorator: ast.expr) -> bool:
    return isinstance(decorator, ast.Call) and _name(decorator) in ("command", "group")


def _name(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else ""


def _called(path: Path) -> Iterator[Found]:
    method = METHODS.get(path.suffix)
    if method is None:
        return
    for _, id, _, context in extract_from_file(method, path, KEYWORDS, options=OPTIONS.get(method)):
        if id and (isinstance(id, str) or all(id)):
            yield id, context
