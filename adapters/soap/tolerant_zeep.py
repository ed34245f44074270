"""zeep's reading of schemas, made tolerant: what is missing or wrong costs what needs it, never the whole document.

Kept as they came are also the values of answers that their types cannot read, which zeep loses or takes for false.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from decimal import InvalidOperation
from typing import Any, ClassVar

from lxml import etree
from zeep import exceptions, xsd
from zeep.loader import normalize_location
from zeep.xsd.elements.builtins import Schema as SchemaElement
from zeep.xsd.schema import Schema
from zeep.xsd.types.builtins import default_types
from zeep.xsd.types.collection import ListType, UnionType
from zeep.xsd.visitor import SchemaVisitor

from adapters.http.answers import Markup, boolean_of
from adapters.http.outcomes import Failed
from adapters.soap.answers import parts_in
from adapters.soap.documents import safe, written
from adapters.soap.known import XSD, is_known
from gateway.errors import AdapterError


class Missing(xsd.AnyType):  # type: ignore[misc]
    """A type that nothing describes: anything in an answer, and nothing that could be sent."""

    @property
    def base_class(self) -> type[Any]:
        """What zeep makes of a type that restricts this one."""
        return type(self)

    def __init__(self, qname: Any) -> None:
        super().__init__(qname)

    def render(self, node: Any, value: Any, xsd_type: Any = None, render_path: Any = None) -> None:
        """Raise ``ValueError``: nobody knows how ``value`` is written."""
        raise ValueError(undescribed(self))


def undescribed(kind: Missing) -> str:
    """Return why no value of ``kind`` can be sent."""
    name = written(kind.qname.localname)
    return f"the WSDL describes the type {name!r} of the namespace {kind.qname.namespace!r} nowhere"


class RankedArray(xsd.AnyType):  # type: ignore[misc]
    """The items of an array of several dimensions (``string[,]``) or of arrays (``string[][]``).

    ``innermost`` is the type of the values, ``ranks`` the dimensions of each array, the outermost first.
    """

    def __init__(self, qname: Any, innermost: Any, ranks: list[int]) -> None:
        super().__init__(qname)
        self.innermost = innermost
        self.ranks = ranks

    def render(self, node: Any, value: Any, xsd_type: Any = None, render_path: Any = None) -> None:
        """Raise ``ValueError``: only SOAP's encoding has such arrays."""
        raise ValueError(f"it takes an array of several dimensions ({written(self.qname.localname)}) in a literal body")


class _SchemaElement(SchemaElement):  # type: ignore[misc]
    """The schema within .NET's DataSet, which zeep gives no occurrence."""

    min_occurs = 0
    max_occurs = 1


class TolerantSchema(Schema):  # type: ignore[misc]
    """A schema in which, while a document loads, everything that is asked for is found."""

    loading = True

    def create_new_document(
        self, node: Any, url: Any, base_url: Any = None, target_namespace: str | None = None
    ) -> Any:
        """Return the document of the schema ``node``, without those of its parts that cannot be understood."""
        namespace = node.get("targetNamespace") if node is not None else None
        document = super().create_new_document(None, url, base_url, namespace or target_namespace)
        if node is not None:
            _TolerantVisitor(self, document).visit_schema(node)
        return document

    def add_all(self, schemas: Iterable[tuple[Any, str]]) -> None:
        """Read schemas that stand at the addresses beside them; only then look for what they refer to."""
        for document in [self.create_new_document(node, location) for node, location in schemas]:
            document.resolve()
        self._prefix_map_auto = self._create_prefix_map()

    def get_type(self, qname: Any, fail_silently: bool = False) -> Any:
        name = self._create_qname(qname)
        local, bracket, sizes = written(name.localname).partition("[")
        if bracket and self.loading:
            return RankedArray(name, self.get_type(etree.QName(name.namespace, safe(local))), _ranks(sizes))
        return self._found(super().get_type, name, None if fail_silently else Missing)

    def get_element(self, qname: Any) -> Any:
        return self._found(super().get_element, qname, lambda name: xsd.Element(name, Missing(name)))

    def get_attribute(self, qname: Any) -> Any:
        return self._found(super().get_attribute, qname, lambda name: xsd.Attribute(name, xsd.AnySimpleType()))

    def get_group(self, qname: Any) -> Any:
        return self._found(super().get_group, qname, lambda name: xsd.Group(name, xsd.Sequence([])))

    def get_attribute_group(self, qname: Any) -> Any:
        return self._found(super().get_attribute_group, qname, lambda name: xsd.AttributeGroup(name, []))

    def _found(self, get: Callable[[Any], Any], qname: Any, stand_in: Callable[[Any], Any] | None) -> Any:
        """What ``get`` finds, else in a well-known schema, else ``stand_in``'s; None without one."""
        name = self._create_qname(qname)
        try:
            return get(name)
        except (exceptions.LookupError, exceptions.NamespaceError):
            if not self.loading and stand_in is not None:
                raise
        if self.loading and self._loads_known(name.namespace):
            with suppress(exceptions.LookupError, exceptions.NamespaceError):
                return get(name)
        return stand_in(name) if stand_in else None

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
                keeping = type(type(kind).__name__, (_Keeping, type(kind)), {})
                document.register_type(name, keeping(is_global=True))
        return document

    def finish(self) -> None:
        """Stop standing in; give lists and unions the names that they were described by, and namespaces prefixes."""
        self.loading = False
        # Known schemas may have come last, when names of their types have no prefix yet.
        self._prefix_map_auto = self._create_prefix_map()
        for name, kind in self._named_types():
            if isinstance(kind, ListType | UnionType):
                kind.qname = etree.QName(name)

    def _named_types(self) -> Iterator[tuple[str, Any]]:
        for document in self.documents:
            yield from document._types.items()


def _ranks(sizes: str) -> list[int]:
    """The dimensions of arrays within arrays, the outermost first: it stands last (SOAP 1.1, 5.4.2).

    >>> _ranks("][,]")
    [2, 1]
    """
    return [size.count(",") + 1 for size in reversed(sizes.rstrip("]").split("]["))]


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
            self.register_import(known.namespace, known)
            return known
        try:
            return super().visit_import(node, parent)
        except exceptions.XMLParseError:
            if not (found := self._imported_namespace(node)) or found == node.get("namespace"):
                raise
        node.set("namespace", found)
        return super().visit_import(node, parent)

    def _known(self, location: str | None) -> Any:
        """The schema of a file that was read before, whatever namespace the import calls it by; else None."""
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

    def _address(self, location: str) -> Any:
        return normalize_location(self.schema.settings, location, self.document._base_url)

    # zeep finds the method of a tag in this table, not by its name.
    visitors: ClassVar[Any] = {
        **SchemaVisitor.visitors,
        f"{{{XSD}}}import": visit_import,
        f"{{{XSD}}}include": visit_include,
    }

    def process(self, node: Any, parent: Any) -> Any:
        try:
            return super().process(node, parent)
        except (AdapterError, Failed):
            raise
        except Exception:  # zeep raises what it stumbles over
            if node.get("name") is None or parent.tag != f"{{{XSD}}}schema":
                raise
            return None


class _Keeping:
    """A simple type whose values stay as they came where they are none of it."""

    def pythonvalue(self, value: Any) -> Any:
        if isinstance(self, xsd.Boolean):
            return boolean_of(value)
        try:
            return super().pythonvalue(value)  # type: ignore[misc]
        except (TypeError, ValueError, InvalidOperation):
            return value

    def parse_xmlelement(self, xmlelement: Any, *given: Any, **named: Any) -> Any:
        if isinstance(xmlelement.tag, str) and len(xmlelement):
            return Markup.of(xmlelement, parts_in(xmlelement))
        return super().parse_xmlelement(xmlelement, *given, **named)  # type: ignore[misc]
