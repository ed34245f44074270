"""What pydantic found wrong, as sentences: file, key, what came, what was expected, the nearest known name."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from datetime import date, time
from difflib import get_close_matches
from typing import Any

from pydantic import BaseModel, ValidationError

from gateway.texts.text import Text, problem_of

A_LIST = Text("a list")
_SHAPES = {
    "string_type": Text("a text"),
    "bool_type": Text("true or false"),
    "path_type": Text("a path"),
    **dict.fromkeys(("tuple_type", "list_type", "set_type", "frozen_set_type"), A_LIST),
    **dict.fromkeys(
        ("dict_type", "mapping_type", "model_type", "model_attributes_type", "dataclass_type"), Text("a table")
    ),
}
"""What TOML calls that which pydantic names by Python's types, by pydantic's kind of error."""


_LIMITS = {
    "greater_than": Text("input should be greater than {gt}"),
    "greater_than_equal": Text("input should be greater than or equal to {ge}"),
    "less_than": Text("input should be less than {lt}"),
    "less_than_equal": Text("input should be less than or equal to {le}"),
    "int_type": Text("input should be a valid integer"),
    "int_from_float": Text("input should be a valid integer, got a number with a fractional part"),
    "float_type": Text("input should be a valid number"),
    "literal_error": Text("input should be {expected}"),
}
"""What pydantic says in English, by its kind of error, with the facts of its own."""

_NO_KEYS = ("<table>", "<text>", "[key]")
"""Parts of a place that are no keys of the file: which member of a union, that a table's key is meant."""


def sentences(
    error: ValidationError, source: str, root: Any, place: tuple[str, ...] = (), *, also: Any = None
) -> Iterator[Text]:
    """Yield one line for each thing wrong. ``root`` is the model or dataclass that was filled, ``place`` where its
    table is; the keys of ``also`` are known beside its own.
    """
    for found in error.errors(include_url=False):
        loc = [str(part) for part in found["loc"] if part not in _NO_KEYS]
        where = ".".join([*place, *loc]) or Text("the file")
        yield Text("{file}: {place}: {problem}", file=source, place=where, problem=_sentence(found, loc, root, also))


def problems(error: ValidationError, root: Any) -> Iterator[Text | str]:
    """Yield what is wrong with each value, without its place: for one that stands in no file."""
    for found in error.errors(include_url=False):
        yield _expected(found, [str(part) for part in found["loc"]], root)


def _sentence(found: Any, loc: list[str], root: Any, also: Any) -> Text:
    if found["type"] in ("extra_forbidden", "unexpected_keyword_argument"):
        known = sorted(_known(root, loc[:-1]) | (_known(also, []) - {"settings"} if also else set()))
        return _unknown_key(loc[-1], known)
    if found["type"] in ("missing", "missing_argument"):
        return Text("is required and missing.")
    came, expected = _shown(found, loc), _expected(found, loc, root)
    return (
        Text("came {value}; {expected}.", value=came, expected=expected)
        if came
        else Text("{expected}.", expected=expected)
    )


def _unknown_key(key: str, known: list[str]) -> Text:
    near = get_close_matches(key, known, n=1)
    if near:
        return Text("unknown key. Did you mean {name!r}?", name=near[0])
    return Text("unknown key. Known here: {known}.", known=", ".join(known))


def _expected(found: Any, loc: list[str], root: Any) -> Text | str:
    """Return what is wrong with a value: a shape of TOML's, a check of ours, or what pydantic says."""
    kind, facts = found["type"], found.get("ctx", {})
    if kind in _SHAPES:
        return Text("expected {shape}", shape=_elements(found, loc, root) or _SHAPES[kind])
    if kind in _LIMITS:
        return Text(_LIMITS[kind].id, **{name: str(value) for name, value in facts.items()})
    problem = problem_of(facts["error"]) if isinstance(facts.get("error"), ValueError) else found["msg"]
    return problem if isinstance(problem, Text) else _lowered(problem)


def _lowered(message: str) -> str:
    message = message.removeprefix("Value error, ").removesuffix(".")
    return message[:1].lower() + message[1:]


def _shown(found: Any, loc: list[str]) -> str:
    """Return what came, or nothing if it may be a secret or is a whole table."""
    value = found.get("input")
    if isinstance(value, Mapping | list | tuple) or is_dataclass(value) or isinstance(value, BaseModel):
        return ""
    # The last part may be a place in a list of secrets.
    if re.search(r"token|pass|senha|secret|key", ".".join(loc[-2:])):
        return ""
    return _in_toml(value)


def _in_toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, date | time) else repr(value)


def _elements(found: Any, loc: list[str], root: Any) -> Text | None:
    """Return the list at ``loc`` with what it is made of, if that is known."""
    if _SHAPES[found["type"]] is not A_LIST or not loc:
        return None
    field = _field(_below(root, loc[:-1]), loc[-1])
    element = _unwrap(field) if field is not None else None
    if element is str:
        return Text("a list of texts")
    return Text("a list of tables") if isinstance(element, type) and issubclass(element, BaseModel) else None


def _known(root: Any, loc: list[str]) -> set[str]:
    """Return the keys known at ``loc`` below the model or dataclass ``root``."""
    root = _below(root, loc)
    if isinstance(root, type) and issubclass(root, BaseModel):
        return {field.alias or name for name, field in root.model_fields.items()}
    return {field.name for field in fields(root)} if is_dataclass(root) else set()


def _below(root: Any, loc: list[str]) -> Any:
    """Return the model at ``loc`` below ``root``; names of one's own and places in lists lead no deeper."""
    for part in loc:
        field = _field(root, part)
        root = root if field is None else _unwrap(field)
    return root


def _field(root: Any, part: str) -> Any:
    """Return the annotation of the field that a file calls ``part``."""
    if not isinstance(root, type) or not issubclass(root, BaseModel):
        return None
    return next((each.annotation for name, each in root.model_fields.items() if part == (each.alias or name)), None)


def _unwrap(annotation: Any) -> Any:
    """Return the model (or else the type) inside ``dict[str, Model]``, ``tuple[Model, ...]``, ``Model |
    str | None``.
    """
    inner = [each for each in getattr(annotation, "__args__", ()) if each not in (type(None), ...)]
    unwrapped = [_unwrap(each) for each in inner]
    models = [each for each in unwrapped if isinstance(each, type) and issubclass(each, BaseModel)]
    return next(iter(models), unwrapped[-1]) if unwrapped else annotation
