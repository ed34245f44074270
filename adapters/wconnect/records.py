"""What a WConnect answer holds, read a record at a time: pages of accounts are far larger than an appliance's answers.

A record is any element with a child of the name that is asked for, so that it does not matter whether the answer lists
its items or refers to them, and what it calls them.
"""

import io
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from lxml import etree

from adapters.http.client import HttpAnswer

Record = Mapping[str, str]


class NotSoap(ValueError):
    """The answer is no SOAP envelope."""


@dataclass
class Records:
    """Iterate over it once; then ``fault`` and ``said`` are known.

    ``said`` are the texts that stand beside the records (``status``, ``mensagem``), by their names.
    """

    answer: HttpAnswer
    key: str
    fault: str = ""
    said: dict[str, str] = field(default_factory=dict)

    def __iter__(self) -> Iterator[Record]:
        """Yield the records. Raises ``NotSoap``, maybe in the middle."""
        if b"<!DOCTYPE" in self.answer.body[:4096]:
            raise NotSoap
        # UTF-8 is tried first: peers that declare Latin-1 and send UTF-8 are common, the other way round hardly is.
        events = etree.iterparse(
            io.BytesIO(_utf8(self.answer)),
            events=("end",),
            encoding="utf-8",
            resolve_entities=False,
            no_network=True,
            load_dtd=False,
            huge_tree=False,
        )
        try:
            yield from self._of(events)
        except etree.XMLSyntaxError:
            raise NotSoap from None

    def _of(self, events: Any) -> Iterator[Record]:
        root = None
        for _, element in events:
            root = element
            if len(element) == 0:
                self._listen(element)
            elif any(_name(child) == self.key for child in element):
                yield {_name(child): (child.text or "").strip() for child in element}
                _forget(element)
        if root is None or _name(root) != "Envelope":
            raise NotSoap

    def _listen(self, element: Any) -> None:
        name, text = _name(element), (element.text or "").strip()
        if name in ("faultstring", "Text") and text:
            self.fault = text
        elif name in ("status", "mensagem") and text:
            self.said[name] = text


def _forget(element: Any) -> None:
    """Let go of what was read, or the whole answer would stay in memory as a tree."""
    element.clear()
    parent = element.getparent()
    while parent is not None and element.getprevious() is not None:
        del parent[0]


def _name(element: Any) -> str:
    return str(etree.QName(element).localname) if isinstance(element.tag, str) else ""


def _utf8(answer: HttpAnswer) -> bytes:
    body = answer.body
    for charset in filter(None, ("utf-8-sig", answer.charset, _declared(body))):
        with suppress(UnicodeDecodeError, LookupError):
            return body.decode(charset).encode()
    return body.decode("iso-8859-1").encode()


def _declared(body: bytes) -> str:
    found = re.match(rb"""\s*<\?xml[^>]*encoding=["']([\w.:-]+)""", body[:200])
    return found[1].decode() if found else ""
