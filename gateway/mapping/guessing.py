"""Guess a mapping to start from, by what requests look like: names of keys, and what stands at them.

A guess is for a person to read and put right; it is never used by itself.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import tomli_w

from gateway.mapping.bodies import UnreadableBody, WebhookRequest, document_of
from gateway.mapping.clues import AGENTS, CLUES, PAIRS, Clue, is_party, kind_of, words_of
from gateway.mapping.paths import text_of

MOST_LEAVES = 500
MOST_KINDS = 40
_PLAIN_NAME = re.compile(r"[^.\[\]@*]+")


class Leaf(NamedTuple):
    """A text somewhere in a request: its path, the words of its last name, those above, and the text."""

    path: str
    words: tuple[str, ...]
    above: tuple[str, ...]
    text: str


def guess(requests: Sequence[WebhookRequest]) -> dict[str, Any]:
    """Return a mapping, as plain data, guessed from ``requests``; its ``kinds`` are those that came."""
    documents = [document for request in requests if (document := _document(request)) is not None]
    leaves = [leaf for document in documents for leaf in _leaves(document)]
    values = _values(leaves)
    event = values.pop("event", None)
    mapping: dict[str, Any] = {}
    if event is not None:
        mapping["event"] = event
        mapping["kinds"] = _kinds(leaf.text for leaf in leaves if leaf.path == event)
    else:
        mapping["other"] = "started"
    return mapping | {"values": values}


def written(mapping: Mapping[str, Any], tenant: str, source: str) -> str:
    """Return ``mapping`` as TOML for the configuration."""
    table = {"tenants": {tenant: {"sources": {source: {"kind": "webhook", "mapping": dict(mapping)}}}}}
    return tomli_w.dumps(table)


def _document(request: WebhookRequest) -> Any:
    try:
        return document_of(request)
    except UnreadableBody:
        return None


def _values(leaves: Sequence[Leaf]) -> dict[str, str]:
    """Return the likeliest path of each value; no path is taken for two, the surest match first."""
    pair = _pair(leaves)
    chosen = dict(zip(("origin", "destination"), pair, strict=False))
    left = {"number"} if pair else set()
    ranked = sorted(
        {
            (score, name, leaf.path)
            for leaf in leaves
            for name, clue in CLUES.items()
            if name not in left and (score := _score(name, clue, leaf)) is not None
        }
    )
    for _rank, name, path in ranked:
        if name not in chosen and path not in chosen.values():
            chosen[name] = path
    return {name: chosen[name] for name in (*CLUES, "origin", "destination") if name in chosen}


def _pair(leaves: Sequence[Leaf]) -> tuple[str, ...]:
    """Return the paths of who calls and who is called, where both stand side by side under names that go together."""
    found = {(leaf.path.rpartition(".")[0], "".join(leaf.words)): leaf.path for leaf in leaves if is_party(leaf.text)}
    for place, name in found:
        for caller, called in PAIRS:
            if name == caller and (place, called) in found:
                return found[place, caller], found[place, called]
    return ()


def _score(name: str, clue: Clue, leaf: Leaf) -> tuple[int, int] | None:
    """Return how badly a place fits a value, less is better; None where it does not fit at all."""
    if not clue.fits(leaf.text) or (name == "caller_name" and AGENTS.intersection(leaf.above)):
        return None
    joined = "".join(leaf.words)
    whole = "".join((*leaf.above[-1:], *leaf.words))
    for place, known in enumerate(clue.names):
        if known in (joined, whole):
            return place, len(leaf.above)
    return None


def _kinds(names: Iterator[str]) -> dict[str, str]:
    found = Counter(names)
    return {name: kind_of(name) for name, _count in found.most_common(MOST_KINDS)}


def _leaves(document: Any) -> Iterator[Leaf]:
    """Yield the texts of a document with their paths, those near its root first; at most ``MOST_LEAVES``."""
    level: list[tuple[str, tuple[str, ...], Any]] = [("", (), document)]
    count = 0
    while level and count < MOST_LEAVES:
        below: list[tuple[str, tuple[str, ...], Any]] = []
        for path, names, node in level:
            if isinstance(node, dict | list):
                below += _children(path, names, node)
            elif names and text_of(node):
                count += 1
                yield Leaf(
                    path,
                    words_of(names[-1]),
                    tuple(word for name in names[:-1] for word in words_of(name)),
                    text_of(node),
                )
        level = below


def _children(path: str, names: tuple[str, ...], node: Any) -> Iterator[tuple[str, tuple[str, ...], Any]]:
    if isinstance(node, list):
        # Into a list a path leads to its first element by itself.
        yield from ((path, names, child) for child in node[:1])
        return
    for name, child in node.items():
        if _PLAIN_NAME.fullmatch(str(name)) or "." in str(name):
            yield (f"{path}.{name}" if path else str(name)), (*names, str(name)), child
