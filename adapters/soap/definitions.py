"""WSDLs made tolerant: those that import each other are read together, and what is wrong costs what needs it.

zeep reads an import while it reads who imports it, so that of two that import each other one knows nothing of the
other, and goes by the namespace of what is imported. PHP has one table of names for all that it loads, and so has this.
"""

from collections.abc import Iterator
from typing import Any

from lxml import etree
from zeep.loader import absolute_location
from zeep.wsdl import Document, parse
from zeep.wsdl.bindings.http import HttpGetBinding, HttpPostBinding
from zeep.wsdl.bindings.soap import Soap11Binding, Soap12Binding
from zeep.wsdl.wsdl import Definition

from adapters.soap.known import WSDL
from adapters.soap.names import local_of, written
from adapters.soap.parts import bind_parts
from adapters.soap.tolerant_zeep import TolerantSchema
from gateway.texts.text import Text, problem_of


class _Tolerant:
    """A binding that leaves out operations it cannot make sense of. ``unusable`` says why, by their names."""

    unusable: dict[str, Text | str]

    @classmethod
    def parse(cls, definitions: Any, xmlelement: Any) -> Any:
        operations = xmlelement.findall("{*}operation")
        for operation in operations:
            xmlelement.remove(operation)
        binding: Any = super().parse(definitions, xmlelement)  # type: ignore[misc]
        binding.unusable = {}
        for operation in operations:
            xmlelement.append(operation)
            try:
                binding._operations |= super().parse(definitions, xmlelement)._operations  # type: ignore[misc]
            except Exception as error:  # zeep raises what it stumbles over
                binding.unusable[operation.get("name") or ""] = problem_of(error)
            xmlelement.remove(operation)
        for operation in binding._operations.values():
            operation.binding = binding
            bind_parts(operation)
        return binding

    def resolve(self, definitions: Any) -> None:
        found: Any = self
        operations, found._operations = found._operations, {}
        for name, operation in operations.items():
            try:
                found.port_type = definitions.get("port_types", found.port_name.text)
                if why := found.port_type.unusable.get(name):
                    raise ValueError(why)
                operation.resolve(definitions)
                found._operations[name] = operation
            except Exception as error:  # zeep raises what it stumbles over
                found.unusable[name] = problem_of(error)


class _Soap11(_Tolerant, Soap11Binding):  # type: ignore[misc]
    pass


class _Soap12(_Tolerant, Soap12Binding):  # type: ignore[misc]
    pass


class _OfHttp:
    """A binding to bare HTTP, which nobody calls: whatever is wrong with it is no matter."""

    @classmethod
    def parse(cls, definitions: Any, xmlelement: Any) -> Any:
        try:
            return super().parse(definitions, xmlelement)  # type: ignore[misc]
        except Exception as error:  # zeep raises what it stumbles over
            raise NotImplementedError(str(error)) from None

    def resolve(self, definitions: Any) -> None:
        """Resolve nothing."""


class _HttpGet(_OfHttp, HttpGetBinding):  # type: ignore[misc]
    pass


class _HttpPost(_OfHttp, HttpPostBinding):  # type: ignore[misc]
    pass


BINDINGS = (_Soap11, _Soap12, _HttpGet, _HttpPost)
"""What a transport has as its ``binding_classes``, where zeep looks for them."""


_CALLED = {"messages": "message", "port_types": "portType", "bindings": "binding"}


def _taken(key: str, known: str) -> Text:
    return Text(
        "it is referred to as {key}, and {known} is taken, as there is no other of its name", key=key, known=known
    )


class TolerantDefinition(Definition):  # type: ignore[misc]
    """One of the WSDLs of a document; it reads nothing but what it imports until all are there."""

    def _load(self, doc: Any) -> None:
        self._doc = doc
        for node in doc.findall(f"{{{WSDL}}}import"):
            if location := node.get("location"):
                self.wsdl.bring(absolute_location(location, self.location))
        self.wsdl.schemas += [(node, self.location) for node in doc.findall("{*}types/{*}schema")]

    def read_messages(self) -> None:
        """Read the messages; ports and bindings of all WSDLs refer to them."""
        self.messages = self.parse_messages(self._doc)
        self.twice = dict(self._with_parts_twice())

    def _with_parts_twice(self) -> Iterator[tuple[str, str]]:
        """Yield the messages that have two parts of one name, of which zeep takes the last, and that name."""
        for message in self._doc.findall(f"{{{WSDL}}}message"):
            names = [part.get("name") for part in message.findall(f"{{{WSDL}}}part")]
            if twice := [name for name in names if names.count(name) > 1]:
                yield f"{{{self.target_namespace}}}{message.get('name')}", twice[0]

    def read_operations(self) -> None:
        """Read port types, bindings and services."""
        self.port_types = self.parse_ports(self._doc)
        self.bindings = self.parse_binding(self._doc)
        self.services = self.parse_service(self._doc)

    def parse_ports(self, doc: Any) -> dict[str, Any]:
        """Return the port types. ``unusable`` says of each which operations cannot be used, and why."""
        found = {}
        for node in doc.findall(f"{{{WSDL}}}portType"):
            unusable = dict(self._without_messages(node))
            port_type = parse.parse_port_type(self, node)
            port_type.unusable = unusable
            found[port_type.name.text] = port_type
        return found

    def _without_messages(self, port_type: Any) -> Iterator[tuple[str, Text]]:
        """Yield the operations of which a message is missing, and which. A fault's message is not needed."""
        for operation in port_type.findall(f"{{{WSDL}}}operation"):
            for use in operation.iterchildren(*(f"{{{WSDL}}}{name}" for name in ("input", "output", "fault"))):
                if message := self._message(use):
                    if use.tag == f"{{{WSDL}}}input" and (part := self._twice(message)):
                        twice = Text("its message has two parts called {part!r}", part=written(part))
                        yield operation.get("name") or "", twice
                    continue
                if use.tag == f"{{{WSDL}}}fault":
                    lost = Text(
                        "its message {name!r} is described nowhere, and it is passed over", name=use.get("message")
                    )
                    self._note(use, lost)
                    operation.remove(use)
                else:
                    kind, name = etree.QName(use).localname, use.get("message")
                    lost = Text("the message {name!r} of its {kind} is described nowhere", name=name, kind=kind)
                    yield operation.get("name") or "", lost

    def note_unbound(self, service: Any) -> None:
        """Note the ports of a service, not resolved yet, whose bindings are described nowhere: they are left out."""
        known = {
            node.get("name") for each in self.wsdl.definitions() for node in each._doc.findall(f"{{{WSDL}}}binding")
        }
        for name, port in service.ports.items():
            binding = port._resolve_context["binding_name"]
            if binding.localname not in known:
                part = f"service {written(service.name)!r}, port {written(name)!r}"
                left_out = Text("its binding {name} is described nowhere, and it is left out", name=binding.text)
                self._note(part, left_out)

    def _note(self, part: Any, done: Text) -> None:
        self.wsdl.transport.repairs.note(self.location, part, done)

    def _message(self, use: Any) -> Any:
        """Return the message of an input, output or fault; None where it is described nowhere."""
        try:
            return self.get("messages", parse.qname_attr(use, "message", self.target_namespace).text)
        except (AttributeError, IndexError, ValueError):
            return None

    def _twice(self, message: Any) -> str:
        name = message.name.text
        return next((each.twice[name] for each in self.wsdl.definitions() if name in each.twice), "")

    def get(self, name: str, key: str, _processed: Any = None) -> Any:
        """Return what is called ``key`` in any of the WSDLs, whatever its namespace where none has it in that.

        Raises ``IndexError``.
        """
        tables = [getattr(self, name), *(getattr(each, name) for each in self.wsdl.definitions())]
        for table in tables:
            if key in table:
                return table[key]
        local = local_of(key)
        for table in tables:
            for known, found in table.items():
                if local_of(known) == local:
                    self._note(f"{_CALLED[name]} {written(local)!r}", _taken(key, known))
                    return found
        raise IndexError(f"the WSDL describes {key!r} nowhere ({name})")


class TolerantDocument(Document):  # type: ignore[misc]
    """A WSDL with all that it imports. Raises what zeep raises for what is no WSDL at all.

    ``schemas`` are the schemas within its WSDLs, with where they stand.
    """

    schemas: list[tuple[Any, str]]

    def load(self, location: Any) -> None:
        self.types = TolerantSchema(None, self.transport, self.location, self.settings)
        self.schemas = []
        TolerantDefinition(self, self._get_xml_document(location, _initial=True), self.location)
        self.types.add_all(self.schemas)
        for each in self.definitions():
            each.read_messages()
        for each in self.definitions():
            each.read_operations()
        self._resolve()
        self.types.finish()

    def _resolve(self) -> None:
        self.bindings: dict[str, Any] = {}
        self.services: dict[str, Any] = {}
        for each in self.definitions():
            for name, binding in each.bindings.items():
                binding.resolve(each)
                self.bindings.setdefault(name, binding)
            for name, service in each.services.items():
                each.note_unbound(service)
                service.resolve(each)
                self.services.setdefault(name, service)

    def definitions(self) -> list[TolerantDefinition]:
        """Return the WSDLs in the order in which they were found, the first one first."""
        return list(self._definitions.values())

    def _add_definition(self, definition: TolerantDefinition) -> None:
        self._definitions[definition.location] = definition

    def bring(self, location: str) -> None:
        """Load a WSDL, or a schema, that another one imports, unless it is there already."""
        if location in self._definitions or location in [where for _, where in self.schemas]:
            return
        root = self._get_xml_document(location)
        if etree.QName(root).localname == "schema":
            self.schemas.append((root, location))
        else:
            TolerantDefinition(self, root, location)
