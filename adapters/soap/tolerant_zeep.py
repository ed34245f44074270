"""zeep's reading of schemas, made tolerant: what is missing or wrong costs what needs it, never the whole document."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import Any, ClassVar

from lxml import etree
from zeep import exceptions, xsd
from zeep.loader import normalize_location
from zeep.xsd.elements.builtins import Schema as SchemaElement
from zeep.xsd.schema import Schema, SchemaDocument
from zeep.xsd.types.builtins import default_types
from zeep.xsd.types.collection import ListType, UnionType
from zeep.xsd.types.unresolved import UnresolvedCustomType, UnresolvedType
from zeep.xsd.visitor import SchemaVisitor

from adapters.http.outcomes import Failed
from adapters.soap.kinds import Keeping, Missing, RankedArray, Restricted, TolerantChoice, ranks_of
from adapters.soap.known import XSD, is_known
from adapters.soap.names import local_of, safe, written
from gateway.errors import AdapterError
from gateway.texts.text import Text

_ENUMERATED = f"{{{XSD}}}restriction/{{{XSD}}}enumeration"
_STOOD_IN = {
    "type": Text("nothing describes it: anything in an answer, and no value of it can be sent"),
    "element": Text("nothing describes it: anything in an answer, and no value of it can be sent"),
    "attribute": Text("nothing describes it, and it is taken for a text"),
    "group": Text("nothing describes it, and it is taken for empty"),
    "attributeGroup": Text("nothing describes it, and it is taken for empty"),
}
"""What becomes of what nothing describes."""


def _passed_over(error: Exception) -> Text:
    why = str(error) or type(error).__name__
    return Text("it cannot be understood, and is passed over: {why}", why=why)


class _SchemaElement(SchemaElement):  # type: ignore[misc]
    """The schema within .NET's DataSet, which zeep gives no occurrence."""

    min_occurs = 0
    max_occurs = 1


class _Sought(UnresolvedType):  # type: ignore[misc]
    """A type by its name; one that zeep stumbles over is one that nothing describes."""

    def resolve(self) -> Any:
        """Return the type, or what stands in for it."""
        try:
            return super().resolve()
        except (AdapterError, Failed):
            raise
        except Exception:  # zeep raises what it stumbles over; whoever has the type as its own notes it
            return Missing(self.qname)


class _TolerantSchemaDocument(SchemaDocument):  # type: ignore[misc]
    """One schema; what in it refers to something that zeep stumbles over is passed over."""

    note: Callable[[str, str, Text], None]
    _resolved: bool

    def resolve(self) -> None:
        """Look for what is referred to."""
        if self._resolved:
            return
        self._resolved = True
        for schemas in self._imports.values():
            for schema in schemas:
                schema.resolve()
        for found in (self._attribute_groups, self._attributes, self._elements, self._groups, self._types):
            self._resolve(found)

    def _resolve(self, found: dict[str, Any]) -> None:
        for name, item in list(found.items()):
            try:
                found[name] = item.resolve()
            except (AdapterError, Failed):
                raise
            except Exception as error:  # zeep raises what it stumbles over
                del found[name]
                why = _passed_over(error)
                self.note(self._base_url or "", written(local_of(name)), why)


class TolerantSchema(Schema):  # type: ignore[misc]
    """A schema in which, while a document loads, everything that is asked for is found."""

    loading = True

    def create_new_document(
        self, node: Any, url: Any, base_url: Any = None, target_namespace: str | None = None
    ) -> Any:
        """Return the document of the schema ``node``, without those of its parts that cannot be understood."""
        namespace = node.get("targetNamespace") if node is not None else None
        document = _TolerantSchemaDocument(namespace or target_namespace, url, base_url or url)
        document.note = self.note
        self.documents.add(document)
        if node is not None:
            _TolerantVisitor(self, document).visit_schema(node)
        return document

    def add_all(self, schemas: Iterable[tuple[Any, str]]) -> None:
        """Read schemas that stand at the addresses beside them; only then look for what they refer to."""
        for document in [self.create_new_document(node, location) for node, location in schemas]:
            document.resolve()
        self._prefix_map_auto = self._create_prefix_map()

    def note(self, address: str, part: Any, done: Text) -> None:
        """Remember a repair, as ``Repairs.note`` does."""
        self._transport.repairs.note(address, part, done)

    def get_type(self, qname: Any, fail_silently: bool = False) -> Any:
        name = self._create_qname(qname)
        local, bracket, sizes = written(name.localname).partition("[")
        if bracket and self.loading:
            return RankedArray(name, self.get_type(etree.QName(name.namespace, safe(local))), ranks_of(sizes))
        return self._found(super().get_type, "type", name, None if fail_silently else Missing)

    def get_element(self, qname: Any) -> Any:
        return self._found(super().get_element, "element", qname, self._element_of_no_namespace)

    def _element_of_no_namespace(self, name: Any) -> Any:
        """Return the element of this name in a schema without a namespace, as PHP finds it; else one that nothing
        describes.

        A part of an rpc operation needs nothing but its type. In a document it would go out under another name than the
        WSDL says: see ``parts.py``.
        """
        try:
            found = super().get_element(etree.QName(name.localname)).clone()
        except (exceptions.LookupError, exceptions.NamespaceError):
            return xsd.Element(name, Missing(name))
        found.sought = name
        return found

    def get_attribute(self, qname: Any) -> Any:
        return self._found(
            super().get_attribute, "attribute", qname, lambda name: xsd.Attribute(name, xsd.AnySimpleType())
        )

    def get_group(self, qname: Any) -> Any:
        return self._found(super().get_group, "group", qname, lambda name: xsd.Group(name, xsd.Sequence([])))

    def get_attribute_group(self, qname: Any) -> Any:
        return self._found(
            super().get_attribute_group, "attributeGroup", qname, lambda name: xsd.AttributeGroup(name, [])
        )

    def _found(self, get: Callable[[Any], Any], what: str, qname: Any, stand_in: Callable[[Any], Any] | None) -> Any:
        """Return what ``get`` finds, else in a well-known schema, else ``stand_in``'s; None without one."""
        name = self._create_qname(qname)
        try:
            return get(name)
        except (exceptions.LookupError, exceptions.NamespaceError):
            if not self.loading and stand_in is not None:
                raise
        if self.loading and self._loads_known(name.namespace):
            with suppress(exceptions.LookupError, exceptions.NamespaceError):
                return get(name)
        return self._stood_in(what, name, stand_in(name)) if stand_in else None

    def _stood_in(self, what: str, name: Any, found: Any) -> Any:
        """Return ``found`` in the place of what nothing describes, which is noted."""
        done = _STOOD_IN[what]
        if what == "element" and not isinstance(found.type, Missing):
            done = Text("it is described without a namespace only, which is enough for a part of an rpc operation")
        told = f"{what} {written(name.localname)!r} of the namespace {name.namespace!r}"
        self.note(self._transport.wsdl, told, done)
        return found

    def _loads_known(self, namespace: str | None) -> bool:
        if namespace is None or self.documents.has_schema_document_for_ns(namespace) or not is_known(namespace):
            return False
        self.add_document_by_url(namespace)
        return True

    def _load_default_documents(self) -> Any:
        document = super()._load_default_documents()
        document.register_element(_SchemaElement.qname, _SchemaElement())
        for name, kind in default_types.items():
            if isinstance(kind, xsd.AnySimpleType):
                keeping = type(type(kind).__name__, (Keeping, type(kind)), {})
                document.register_type(name, keeping(is_global=True))
        return document

    def finish(self) -> None:
        """Stop standing in; give lists and unions the names that they were described by, and namespaces prefixes."""
        self.loading = False
        # Known schemas may have come last, when names of their types have no prefix yet.
        self._prefix_map_auto = self._create_prefix_map()
        for name, kind in self._named_types():
            if isinstance(kind, ListType | UnionType):
                with suppress(ValueError):  # a namespace with braces, which nobody can write
                    kind.qname = etree.QName(name)

    def _named_types(self) -> Iterator[tuple[str, Any]]:
        for document in self.documents:
            yield from document._types.items()


class _TolerantVisitor(SchemaVisitor):  # type: ignore[misc]
    """Reads a schema; what it does not understand counts as missing for those who refer to it."""

    def __init__(self, schema: Any, document: Any) -> None:
        super().__init__(schema, document)
        self._includes.add(document._location)

    def visit_include(self, node: Any, parent: Any) -> Any:
        """Include each file once, by where it lies and not by how its address is written."""
        if location := node.get("schemaLocation"):
            node.set("schemaLocation", self._address(location))
        return super().visit_include(node, parent)

    def visit_import(self, node: Any, parent: Any) -> Any:
        """Take the file's own namespace where the import has another, as PHP does."""
        if not node.get("namespace") and not self.document._target_namespace:
            # Where neither has a namespace an import comes to the same as an include, and zeep stumbles over it.
            return self.visit_include(node, parent) if node.get("schemaLocation") else None
        if (known := self._known(node.get("schemaLocation"))) is not None:
            self._take_namespace(node, known.namespace or "")
            self.register_import(known.namespace, known)
            return known
        try:
            return super().visit_import(node, parent)
        except exceptions.XMLParseError:
            if not (found := self._imported_namespace(node)) or found == node.get("namespace"):
                raise
            self._take_namespace(node, found)
        return super().visit_import(node, parent)

    def _take_namespace(self, node: Any, found: str) -> None:
        """Let an import name the namespace that its file has."""
        if found and (named := node.get("namespace")) and named != found:
            facts = {"named": named, "found": found}
            self._note(
                node, Text("it names the namespace {named!r}, and its file has {found!r}, which counts", **facts)
            )
            node.set("namespace", found)

    def _known(self, location: str | None) -> Any:
        """Return the schema of a file that was read before, whatever namespace the import calls it by; else None."""
        address = self._address(location) if location else None
        return next((each for each in self.schema.documents if address and each._location == address), None)

    def _imported_namespace(self, node: Any) -> str:
        if not (written_location := node.get("schemaLocation")):
            return ""
        return (
            self._retrieve_data(self._address(written_location), base_url=self.document._location).get(
                "targetNamespace"
            )
            or ""
        )

    def visit_simple_type(self, node: Any, parent: Any) -> Any:
        """Remember which values a type lists; zeep forgets them, and stumbles over restrictions of lists."""
        kind = super().visit_simple_type(node, parent)
        if isinstance(kind, UnresolvedCustomType):
            kind.__class__ = Restricted
            kind.values = tuple(each.get("value", "") for each in node.iterfind(_ENUMERATED))
        return kind

    def visit_choice(self, node: Any, parent: Any) -> Any:
        """Let a choice be empty where it may be."""
        choice = super().visit_choice(node, parent)
        choice.__class__ = TolerantChoice
        return choice

    def _address(self, location: str) -> Any:
        return normalize_location(self.schema.settings, location, self.document._base_url)

    # zeep finds the method of a tag in this table, not by its name.
    visitors: ClassVar[Any] = {
        **SchemaVisitor.visitors,
        f"{{{XSD}}}import": visit_import,
        f"{{{XSD}}}include": visit_include,
        f"{{{XSD}}}choice": visit_choice,
        f"{{{XSD}}}simpleType": visit_simple_type,
    }

    def process(self, node: Any, parent: Any) -> Any:
        try:
            return super().process(node, parent)
        except (AdapterError, Failed):
            raise
        except Exception as error:  # zeep raises what it stumbles over
            if parent.tag != f"{{{XSD}}}schema":
                raise
            self._note(node, _passed_over(error))
            return None

    def _get_type(self, name: Any) -> Any:
        return _Sought(self._create_qname(name), self.schema)

    def _note(self, node: Any, done: Text) -> None:
        self.schema.note(self.document._base_url or "", node, done)
