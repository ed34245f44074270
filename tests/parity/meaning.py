"""Where two SOAP envelopes differ by what they mean."""

from typing import Any

from adapters.soap.envelope import SOAP_11, SOAP_12
from tests.adapters.envelopes import body_of

Node = tuple[str, tuple[tuple[str, str], ...], str, tuple[Any, ...]]


def difference(ours: bytes, php: str) -> str:
    """Return the first place where the Bodies differ, with both sides; nothing where they mean the same."""
    return _among(body_of(ours), tuple(_without_envelopes(node) for node in body_of(php)), "Body")


def _without_envelopes(node: Node) -> Node:
    """An rpc operation whose soap:body has no namespace is in none; libxml2 writes the envelope's for PHP then."""
    name = node[0].removeprefix(f"{{{SOAP_11}}}").removeprefix(f"{{{SOAP_12}}}")
    return (name, *node[1:])


def _among(ours: tuple[Node, ...], php: tuple[Node, ...], path: str) -> str:
    names, wanted = [node[0] for node in ours], [node[0] for node in php]
    if names != wanted:
        return f"{path}: elements {_short(names)}, PHP has {_short(wanted)}"
    return next(filter(None, (_between(mine, his, path) for mine, his in zip(ours, php, strict=True))), "")


def _between(mine: Node, his: Node, path: str) -> str:
    path = f"{path}/{mine[0].rpartition('}')[2]}"
    if mine[1] != his[1]:
        gone, more = set(his[1]) - set(mine[1]), set(mine[1]) - set(his[1])
        return f"{path}: attributes {_short(sorted(more))}, PHP has {_short(sorted(gone))}"
    if mine[2] != his[2]:
        return f"{path}: text {mine[2]!r}, PHP has {his[2]!r}"
    return _among(mine[3], his[3], path)


def _short(values: list[Any]) -> str:
    return ", ".join(str(value) for value in values) or "none"
