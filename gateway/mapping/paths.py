"""Paths: where in a request something stands.

``data.call.id`` goes down by names, ``parties.0.id`` into a list, ``members.*.inbound.from`` to every element,
``parties[direction=Inbound].id`` to those of which something holds. Names that hold dots themselves are found as they
are written. A path begins in the element that ``for_each`` is at, else in the document; ``@`` begins elsewhere:
``@root`` the whole document, ``@query.x``, ``@header.x-id``, ``@tail`` (what the address has behind the source's name),
``@method``, ``@key`` (the only key of the document), ``@index`` (of the element).
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

from gateway.mapping.budget import Budget
from gateway.texts.text import Text

ROOTS = ("@root", "@query", "@header", "@tail", "@method", "@key", "@index")
MOST_FOUND = 100
# Control characters but tab and line ends, and halves of letters beyond the first 65,536, which UTF-8 cannot hold.
_NO_TEXT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_SEGMENT = re.compile(r"(?P<name>[^.\[\]]+|\*)(?P<brackets>\[\])?(?:\[(?P<key>[^\[\]=]+)=(?P<value>[^\[\]]*)\])?")


class Segment(NamedTuple):
    """One step down: into ``name``, then only to elements whose ``key`` is ``value``, where there is a key."""

    name: str
    key: str = ""
    value: str = ""


@dataclass(frozen=True, slots=True)
class Path:
    """A path as it was written, and its steps."""

    text: str
    segments: tuple[Segment, ...]


@lru_cache(maxsize=4096)
def path_of(text: str) -> Path:
    """Read a path. Raises ``ValueError`` for what is none."""
    segments: list[Segment] = []
    rest = text.strip()
    while rest:
        found = _SEGMENT.match(rest)
        if not found or (rest[found.end() :] and rest[found.end()] != "."):
            raise ValueError(_no_path(text))
        segments.append(Segment(found["name"], found["key"] or "", found["value"] or ""))
        rest = rest[found.end() + 1 :]
        if not rest and text.strip().endswith("."):
            raise ValueError(_no_path(text))
    if not segments:
        raise ValueError(_no_path(text))
    _check_root(segments[0].name)
    return Path(text.strip(), tuple(segments))


def _no_path(text: str) -> Text:
    return Text("{path!r} is no path: write names with dots between them, such as data.call.id", path=text)


def _check_root(name: str) -> None:
    if name.startswith("@") and name not in ROOTS:
        raise ValueError(
            Text("{name!r} is no beginning of a path: there are {known}", name=name, known=", ".join(ROOTS))
        )


@dataclass(frozen=True, slots=True)
class PathScope:
    """What paths lead through: the document, the element of ``for_each`` (else the document again), the request."""

    document: Any
    element: Any
    request: Mapping[str, Any]
    index: int | None = None


def find(path: Path, scope: PathScope, budget: Budget) -> Any:
    """Return the first thing at ``path`` that is not empty, else None. Raises ``RequestTooSlow``."""
    return next(find_all(path, scope, budget), None)


def find_all(path: Path, scope: PathScope, budget: Budget) -> Iterator[Any]:
    """Yield everything at ``path`` that is not empty, at most ``MOST_FOUND`` things. Raises ``RequestTooSlow``."""
    node, segments = _beginning(path.segments, scope)
    count = 0
    for found in _down(node, segments, budget):
        if found is None or found == "" or found == [] or found == {}:
            continue
        yield found
        count += 1
        if count >= MOST_FOUND:
            return


def _beginning(segments: tuple[Segment, ...], scope: PathScope) -> tuple[Any, tuple[Segment, ...]]:
    name, rest = segments[0].name, segments[1:]
    if not name.startswith("@"):
        return scope.element, segments
    if name == "@root":
        return scope.document, rest
    if name == "@index":
        return scope.index, rest
    if name == "@key":
        document = scope.document
        return (next(iter(document)) if isinstance(document, dict) and len(document) == 1 else None), rest
    if name == "@header" and rest:
        rest = (Segment(rest[0].name.lower(), rest[0].key, rest[0].value), *rest[1:])
    return scope.request.get(name), rest


def _down(node: Any, segments: tuple[Segment, ...], budget: Budget) -> Iterator[Any]:
    if not segments:
        yield node
        return
    budget.check()
    first, rest = segments[0], segments[1:]
    if isinstance(node, dict):
        yield from _in_dict(node, first, rest, segments, budget)
    elif isinstance(node, list):
        yield from _in_list(node, first, rest, segments, budget)


def _in_dict(
    node: dict[str, Any], first: Segment, rest: tuple[Segment, ...], whole: tuple[Segment, ...], budget: Budget
) -> Iterator[Any]:
    if first.name == "*":
        for child in node.values():
            yield from _below(child, first, rest, budget)
        return
    if first.name in node:
        yield from _below(node[first.name], first, rest, budget)
        return
    # A key that holds dots itself, as forms have: data.call.id=17.
    for length in range(2, len(whole) + 1):
        name = ".".join(segment.name for segment in whole[:length])
        if name in node:
            yield from _below(node[name], whole[length - 1], whole[length:], budget)
            return


def _in_list(
    node: list[Any], first: Segment, rest: tuple[Segment, ...], whole: tuple[Segment, ...], budget: Budget
) -> Iterator[Any]:
    if first.name == "*":
        for child in node:
            yield from _below(child, first, rest, budget)
    elif re.fullmatch(r"-?[0-9]{1,4}", first.name):
        place = int(first.name)
        if -len(node) <= place < len(node):
            yield from _below(node[place], first, rest, budget)
    elif node:
        # A name into a list means its first element, as most senders put one call into one list.
        yield from _down(node[0], whole, budget)


def _below(node: Any, segment: Segment, rest: tuple[Segment, ...], budget: Budget) -> Iterator[Any]:
    """Go on below ``node``, which ``segment`` led to: all of it, or those of which its condition holds."""
    if not segment.key:
        yield from _down(node, rest, budget)
        return
    for child in node if isinstance(node, list) else [node]:
        budget.check()
        if any(text_of(found) == segment.value for found in _down(child, path_of(segment.key).segments, budget)):
            yield from _down(child, rest, budget)


def text_of(found: Any) -> str:
    """Return what was found as text, trimmed: numbers without a needless ``.0``, true and false as JSON has them;
    nothing for tables and lists. What no text should hold (control characters, halves of letters) is replaced.
    """
    if isinstance(found, str):
        return (found if found.isprintable() else _NO_TEXT.sub("\ufffd", found)).strip()
    if isinstance(found, bool):
        return "true" if found else "false"
    if isinstance(found, int):
        return str(found) if abs(found) < 10**30 else ""
    if isinstance(found, float):
        return str(int(found)) if found.is_integer() and abs(found) < 10**16 else repr(found)
    return ""
