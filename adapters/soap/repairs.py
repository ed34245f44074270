"""What was put right in WSDLs before they could be read, for people to see: each with its file and its part."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from lxml import etree

from adapters.soap.names import written
from gateway.texts.text import Text

MOST = 1000
"""Repairs that are kept of one WSDL; a generated one may have the same defect in every line."""
Told = Callable[[Any, Text], None]
"""Is told of the element that was put right, while it still stands in its document, and of what was done to it."""
_WRAPPERS = ("definitions", "types", "schema", "sequence", "all", "choice", "complexContent", "simpleContent")


@dataclass(frozen=True)
class Repair:
    """One of them. ``file`` is a file's name or an address, ``part`` what the document calls the place."""

    file: str
    part: str
    done: Text

    @property
    def line(self) -> Text:
        """A line for people."""
        return Text("{file}: {part}: {done}", file=self.file, part=self.part, done=self.done)


class Repairs:
    """The repairs of one WSDL with all that it imports, each once, in the order in which they were made."""

    def __init__(self) -> None:
        self._found: dict[Repair, None] = {}

    def __iter__(self) -> Any:
        return iter(self._found)

    def note(self, address: str, part: Any, done: Text) -> None:
        """Remember what was ``done`` to ``part`` (an element, or what it is called) of the document at ``address``."""
        if len(self._found) < MOST:
            named = part if isinstance(part, str) else part_of(part)
            self._found[Repair(file_of(address), named, done)] = None

    def within(self, address: str) -> Told:
        """Return whom to tell of repairs to the document at ``address``."""
        return lambda part, done: self.note(address, part, done)


def file_of(address: str) -> str:
    """Return a file's name, or an address without what may be secret in it.

    >>> file_of("/srv/wsdl/pabx.wsdl"), file_of("http://ana:secret@pbx/ws?wsdl")
    ('pabx.wsdl', 'http://pbx/ws?wsdl')
    """
    if "://" not in address:
        return Path(address).name
    parts = urlsplit(address)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def part_of(element: Any) -> str:
    """Return what an element is: its own kind and name, behind those of what it stands in."""
    above = [each for each in reversed(list(element.iterancestors())) if _local(each) not in _WRAPPERS]
    return ", ".join(map(_named, [*above, element]))


def _named(element: Any) -> str:
    name = element.get("name") or element.get("ref") or ""
    return f"{_local(element)} {written(name)!r}" if name else _local(element)


def _local(element: Any) -> str:
    return str(etree.QName(element).localname)
