"""Answers of simple parts, read without zeep where that comes to the same: it takes eighty functions for one part."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from zeep import xsd

from adapters.http.answers import Single


@dataclass(frozen=True)
class Flat:
    """An answer that is one element of simple parts in a sequence, each there once or, where optional, not at all."""

    envelope: str
    wrapper: str
    parts: Sequence[tuple[str, Any]]
    """Names and zeep's elements, in their order."""

    def read(self, envelope: Any) -> Mapping[str, Any] | None:
        """Return what zeep makes of the answer in ``envelope``; None for one that is not as flat, which is left to
        zeep.
        """
        if envelope.tag != f"{{{self.envelope}}}Envelope" or len(envelope) != 1:
            return None
        body = envelope[0]
        if body.tag != f"{{{self.envelope}}}Body" or len(body) != 1:
            return None
        wrapper = body[0]
        if wrapper.tag != self.wrapper or wrapper.attrib:
            return None
        came = list(wrapper)
        if not came or any(part.attrib or len(part) for part in came):
            return None
        values = self._values(came)
        return values if values is None or len(self.parts) > 1 else Single(values)

    def _values(self, came: list[Any]) -> dict[str, Any] | None:
        values: dict[str, Any] = {}
        waiting = came[::-1]
        for name, element in self.parts:
            values[name] = None
            if waiting and waiting[-1].tag == element.qname.text:
                values[name] = element.type.parse_xmlelement(waiting.pop())
            elif not element.is_optional:
                return None
        return None if waiting else values


def flat(operation: Any) -> Flat | None:
    """Return the flat answer of a document operation; None where the WSDL describes anything else."""
    output = operation.output
    # An answer without parts has no header either: zeep resolves nothing of it.
    if (
        output is None
        or output.header is None
        or output.header.type.elements
        or not isinstance(output.body, xsd.Element)
    ):
        return None
    kind = output.body.type
    if not isinstance(kind, xsd.ComplexType) or kind.attributes or len(kind.elements_nested) != 1:
        return None
    group = kind.elements_nested[0][1]
    if not isinstance(group, xsd.Sequence) or group.accepts_multiple or not group or not all(map(_is_simple, group)):
        return None
    return Flat(operation.binding.nsmap["soap-env"], output.body.qname.text, kind.elements)


def _is_simple(member: Any) -> bool:
    if not isinstance(member, xsd.Element):
        return False
    return isinstance(member.type, xsd.AnySimpleType) and not member.accepts_multiple
