"""What pydantic found wrong, as sentences: file, key, what came, what was expected, the nearest known name."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from difflib import get_close_matches
from typing import Any

from pydantic import BaseModel, ValidationError


def sentences(
    error: ValidationError, source: str, root: Any, place: tuple[str, ...] = (), *, also: Any = None
) -> Iterator[str]:
    """One line for each thing wrong. ``root`` is the model or dataclass that was filled, ``place`` where its table is;
    the keys of ``also`` are known beside its own.
    """
    for found in error.errors(include_url=False):
        loc = [str(part) for part in found["loc"]]
        where = ".".join([*place, *loc]) or "the file"
        yield f"{source}: {where}: {_sentence(found, loc, root, also)}"


def _sentence(found: Any, loc: list[str], root: Any, also: Any) -> str:
    if found["type"] in ("extra_forbidden", "unexpected_keyword_argument"):
        known = sorted(_known(root, loc[:-1]) | (_known(also, []) - {"settings"} if also else set()))
        near = get_close_matches(loc[-1], known, n=1)
        hint = f"Did you mean {near[0]!r}?" if near else f"Known here: {', '.join(known)}."
        return f"unknown key. {hint}"
    if found["type"] in ("missing", "missing_argument"):
        return "is required and missing."
    message = found["msg"].removeprefix("Value error, ").removesuffix(".")
    return f"{_shown(found, loc)}{message[:1].lower()}{message[1:]}."


def _shown(found: Any, loc: list[str]) -> str:
    """What came, unless it may be a secret or is a whole table."""
    value = found.get("input")
    if isinstance(value, Mapping | list | tuple) or is_dataclass(value) or isinstance(value, BaseModel):
        return ""
    if loc and re.search(r"token|pass|senha|secret|key", loc[-1]):
        return ""
    return f"came {value!r}; "


def _known(root: Any, loc: list[str]) -> set[str]:
    """The keys known at ``loc`` below the model or dataclass ``root``."""
    for part in loc:
        root = _child(root, part)
    if isinstance(root, type) and issubclass(root, BaseModel):
        return {field.alias or name for name, field in root.model_fields.items()}
    return {field.name for field in fields(root)} if is_dataclass(root) else set()


def _child(root: Any, part: str) -> Any:
    if isinstance(root, type) and issubclass(root, BaseModel) and part in root.model_fields:
        return _unwrap(root.model_fields[part].annotation)
    return root


def _unwrap(annotation: Any) -> Any:
    """The model inside ``dict[str, Model]``, ``tuple[Model, ...]`` or ``Model | None``."""
    arguments = [each for each in getattr(annotation, "__args__", ()) if each not in (type(None), ...)]
    return _unwrap(arguments[-1]) if arguments else annotation
