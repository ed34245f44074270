"""Which parts of a message its Body holds: zeep knows one name in ``soap:body parts``, WSDL 1.1 (3.5) has a list."""

from collections.abc import Mapping
from typing import Any

from zeep.exceptions import WsdlSyntaxError
from zeep.wsdl.definitions import MessagePart
from zeep.wsdl.messages import DocumentMessage, RpcMessage


def bind_parts(operation: Any) -> None:
    """Let the messages of zeep's ``operation``, which is not resolved yet, keep to the parts that their body names."""
    for message in (operation.input, operation.output):
        if type(message) in _BOUND:
            # zeep's operations choose the classes of their messages themselves.
            message.__class__ = _BOUND[type(message)]


class _Bound:
    abstract: Any
    type: str

    def _resolve_body(self, info: Any, definitions: Any, parts: Mapping[str, Any]) -> Any:
        if info is None:
            if parts and self.type == "input":
                raise WsdlSyntaxError("it has parts and no soap:body, so that nothing says how they are written")
            return None
        bound = self._bound(info["part"], parts)
        return super()._resolve_body({**info, "part": None}, definitions, bound)  # type: ignore[misc]

    def _bound(self, names: str | None, parts: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the parts in the order in which the body names them; without names all that no header has.

        Where a header has all of a request's, they are in its Body as well, as PHP writes it.
        """
        if names is None:
            return parts or (self.abstract.parts if self.type == "input" else {})
        known = self.abstract.parts
        if unknown := [name for name in names.split() if name not in known]:
            raise WsdlSyntaxError(f"its soap:body names the part {unknown[0]!r}; its message has: {', '.join(known)}")
        return {name: known[name] for name in names.split()}


class _BoundDocument(_Bound, DocumentMessage):  # type: ignore[misc]
    def _bound(self, names: str | None, parts: Mapping[str, Any]) -> Mapping[str, Any]:
        found = super()._bound(names, parts)
        for part in found.values():
            if sought := getattr(part.element, "sought", None):
                raise WsdlSyntaxError(f"the element {sought.text} of its part is described without a namespace only")
        return found


class _BoundRpc(_Bound, RpcMessage):  # type: ignore[misc]
    """An rpc message, whose accessors are called like its parts (WSDL 1.1, 3.5), as PHP writes them.

    ``renamed`` has the names of elements that parts refer to, which zeep writes instead, with the parts' own.
    """

    renamed: Mapping[str, str]

    def _bound(self, names: str | None, parts: Mapping[str, Any]) -> Mapping[str, Any]:
        found = super()._bound(names, parts)
        elements = {name: part.element for name, part in found.items() if part.element is not None}
        by_element = {element.name: name for name, element in elements.items()}
        self.renamed = {element: name for element, name in by_element.items() if element not in found}
        typed = {name: MessagePart(None, element.type) for name, element in elements.items()}
        return {name: typed.get(name, part) for name, part in found.items()}


_BOUND = {DocumentMessage: _BoundDocument, RpcMessage: _BoundRpc}
