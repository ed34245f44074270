"""Where two SOAP envelopes differ by what they mean."""

from collections.abc import Iterator
from typing import Any

from adapters.soap.envelope import SOAP_11, SOAP_12
from tests.adapters.envelopes import body_of

Node = tuple[str, tuple[tuple[str, str], ...], str, tuple[Any, ...]]


UNQUALIFIED = "PHP leaves out the namespace of "


def difference(ours: bytes, php: str) -> str:
    """Return the first place where the Bodies differ, with both sides; nothing where they mean the same.

    A place where PHP leaves out a namespace is told only where there is no other.
    """
    found = list(_among(body_of(ours), tuple(_without_envelopes(node) for node in body_of(php)), "Body"))
    return next((why for why in found if UNQUALIFIED not in why), found[0] if found else "")


def _without_envelopes(node: Node) -> Node:
    """An rpc operation whose soap:body has no namespace is in none; libxml2 writes the envelope's for PHP then."""
    name = node[0].removeprefix(f"{{{SOAP_11}}}").removeprefix(f"{{{SOAP_12}}}")
    return (name, *node[1:])


def _among(ours: tuple[Node, ...], php: tuple[Node, ...], path: str, *, named: bool = True) -> Iterator[str]:
    names, wanted = [node[0] for node in ours], [node[0] for node in php]
    left_out = [mine for mine, his in zip(names, wanted, strict=False) if mine != his and _local(mine) == his]
    if named and names != wanted:
        if [*map(_local, names)] != [*map(_local, wanted)] or len(left_out) != sum(map(str.__ne__, names, wanted)):
            yield f"{path}: elements {_short(names)}, PHP has {_short(wanted)}"
            return
        yield f"{path}: {UNQUALIFIED}{_short(left_out)}"
    elif len(names) != len(wanted):
        yield f"{path}: {len(names)} items, PHP has {len(wanted)}"
        return
    for mine, his in zip(ours, php, strict=True):
        yield from _between(mine, his, path)


def _between(mine: Node, his: Node, path: str) -> Iterator[str]:
    path = f"{path}/{_local(mine[0])}"
    if mine[1] != his[1]:
        gone, more = set(his[1]) - set(mine[1]), set(mine[1]) - set(his[1])
        yield f"{path}: attributes {_short(sorted(more))}, PHP has {_short(sorted(gone))}"
    elif mine[2] != his[2]:
        yield f"{path}: text {mine[2]!r}, PHP has {his[2]!r}"
    else:
        # The names of an array's items say nothing (SOAP 1.1, 5.4.2).
        is_array = any(name.endswith(("}arrayType", "}itemType")) for name, _ in mine[1])
        yield from _among(mine[3], his[3], path, named=not is_array)


def _local(name: str) -> str:
    return name.rpartition("}")[2]


def _short(values: list[Any]) -> str:
    return ", ".join(str(value) for value in values) or "none"
