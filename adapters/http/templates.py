"""Templates for what is sent: Jinja2's sandbox, with every value escaped for the place it goes to.

The escape is applied by the environment (Jinja2's ``finalize``), so a template's author can neither forget
nor switch it off. Control characters never pass: Asterisk takes a line feed in a number into its dialplan
(measured with 20.20.1).
"""

import re
from collections.abc import Callable, Collection, Mapping
from difflib import get_close_matches
from functools import cache
from json import dumps
from types import SimpleNamespace
from typing import Any, Literal
from urllib.parse import quote, quote_plus
from xml.sax.saxutils import escape as xml_escape

from jinja2 import StrictUndefined, TemplateError, meta, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment
from pydantic import SecretStr

from adapters.http.digests import FILTERS as DIGESTS
from adapters.http.event_filters import FILTERS as EVENT_FILTERS
from adapters.http.settings import is_line
from gateway.adapter import EVENT_FIELDS, Outgoing
from gateway.errors import AdapterError
from gateway.texts.text import Listing, Text

DIAL_FIELDS = frozenset({"extension", "number", "order_id", "call_id", "tenant"})
FILTERS: Mapping[str, Callable[..., str]] = {**DIGESTS, **EVENT_FILTERS}
"""Our own filters by name."""
NAMES = DIAL_FIELDS | EVENT_FIELDS | {"kind", "id", "secrets"}
"""All names that a template may use (``gateway.adapter.Outgoing``)."""

Escape = Callable[[str], str]


def for_text(value: str) -> str:
    """Return values unchanged; the protocol's own library escapes them."""
    return value


def for_url(value: str) -> str:
    """Write all but letters, digits and ``-._~`` as %XX of UTF-8: a value is no separator, a space is %20."""
    return value if value.isalnum() and value.isascii() else quote(value, safe="")


def for_form(value: str) -> str:
    return quote_plus(value)


def for_json(value: str) -> str:
    """Escape a value for use between the quotes of a JSON string."""
    return dumps(value)[1:-1]


def for_xml(value: str) -> str:
    return xml_escape(value, {'"': "&quot;", "'": "&#39;"})


def for_header(value: str) -> str:
    """Return values unchanged. Raises ``AdapterError`` for what no header can hold."""
    if not is_line(value):
        raise AdapterError(Text("a value has characters that no header can have"))
    return value


def escape_for(content_type: str) -> Escape:
    """Return the escape for a body of this media type; types that have none of ours get the plain value."""
    kind = content_type.partition(";")[0].strip().lower()
    if kind == "application/x-www-form-urlencoded":
        return for_form
    if kind.endswith(("/json", "+json")):
        return for_json
    return for_xml if kind.endswith(("/xml", "+xml", "/html")) else for_text


_UNSENDABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ufffe\uffff]")


def check_sendable(text: str) -> None:
    """Raise ``AdapterError`` for a text that must not be sent as it is: control characters, and what is no Unicode."""
    if _UNSENDABLE.search(text):
        raise AdapterError(Text("a value has control characters, which are never sent"))
    try:
        text.encode()
    except UnicodeEncodeError:
        raise AdapterError(Text("a value has characters that Unicode does not have")) from None


def _finalized(escape: Escape) -> Callable[[Any], str]:
    def finalize(value: Any) -> str:
        text = str(value).lower() if isinstance(value, bool) else str(value)
        check_sendable(text)
        return escape(text)

    return finalize


_ESCAPES = ("e", "escape", "forceescape", "safe", "tojson", "urlencode", "urlize", "xmlattr")
"""Jinja2's own filters that escape or forbid it, which are not there."""


@cache
def _environment(escape: Escape, line_end: Literal["\n", "\r\n"]) -> ImmutableSandboxedEnvironment:
    environment = ImmutableSandboxedEnvironment(
        undefined=StrictUndefined,
        finalize=_finalized(escape),
        keep_trailing_newline=True,
        newline_sequence=line_end,
    )
    for name in _ESCAPES:
        del environment.filters[name]  # values are escaped already; twice would be wrong
    environment.filters.update(FILTERS)
    return environment


class Template:
    """One compiled template. Raises ``AdapterError`` for a broken one or a name in it that is not in ``names``.

    ``place`` is the key where it stands, for sentences.
    """

    def __init__(
        self,
        source: str,
        *,
        escape: Escape = for_text,
        secrets: Mapping[str, SecretStr],
        names: Collection[str] = NAMES,
        place: str = "",
    ) -> None:
        self._place = place
        environment = _environment(escape, self._line_end(source))
        try:
            tree = environment.parse(source)
            self._template = environment.from_string(source)
            # Jinja2 copies them for each text, from what it looks them up in layer by layer.
            self._template.globals = dict(self._template.globals)
        except TemplateError as error:
            text = Text("the template {source!r} is broken: {why}", source=source, why=error.message)
            raise AdapterError(text, hint=_hint_for(error.message or "", environment.filters), place=place) from None
        used = meta.find_undeclared_variables(tree)
        self._expect(used, names, FIELD)
        self._expect(_secrets_used(tree), secrets.keys(), SECRET)
        self._quotable = [name for name in ("extension", "number") if name in used]
        self._secrets = SimpleNamespace(**{name: value.get_secret_value() for name, value in secrets.items()})
        self._finalize: Callable[[Any], str] = environment.finalize  # type: ignore[assignment]
        self._parts = self._plain_parts(tree)
        self._fields = used - {"secrets"}

    def render(self, message: Outgoing) -> str:
        """Render the text for ``message``. Raises ``AdapterError``, which quotes no value but the extension and the
        number.
        """
        names = {**message.fields, "kind": message.kind, "id": message.id, "secrets": self._secrets}
        try:
            if self._parts is not None and self._fields <= names.keys():
                return "".join([self._finalize(names[part]) if is_name else part for part, is_name in self._parts])
            return self._template.render(names)
        except AdapterError:
            raise
        except TemplateError as error:
            raise self._unusable(message, error.message or "") from None
        except (ArithmeticError, LookupError, TypeError, ValueError) as error:
            raise self._unusable(message, self._misfit(error, names)) from None

    def _unusable(self, message: Outgoing, why: Text | str) -> AdapterError:
        return AdapterError(
            Text("the template cannot be used for {kind!r}: {why}", kind=message.kind, why=why), place=self._place
        )

    def _misfit(self, error: Exception, names: Mapping[str, Any]) -> Text:
        """Return what an expression stumbled over, with the values that may be quoted."""
        kind = type(error).__name__
        quoted = Listing(tuple(f"{name} {str(names.get(name))!r}" for name in self._quotable), joined_by="and")
        text = Text("{error} in an expression", error=kind)
        if self._quotable:
            text = Text("{error} in an expression with {values}", error=kind, values=quoted)
        advice = Text("{problem}; values are texts: (extension | int) makes a number", problem=text)
        return advice if isinstance(error, TypeError) else text

    def _plain_parts(self, tree: nodes.Template) -> list[tuple[str, bool]] | None:
        """Return texts, and names of fields (True), in their order; None when there is anything else, which is Jinja2's
        to work out. Most templates hold nothing else, and Jinja2 takes a dozen functions to put a text together.
        """
        parts = []
        for output in tree.body:
            for node in output.nodes if isinstance(output, nodes.Output) else [output]:
                if isinstance(node, nodes.TemplateData):
                    parts.append((node.data, False))
                elif isinstance(node, nodes.Name) and node.name != "secrets":
                    parts.append((node.name, True))
                elif isinstance(node, nodes.Getattr) and node.node == nodes.Name("secrets", "load"):
                    try:
                        parts.append((self._finalize(getattr(self._secrets, node.attr)), False))
                    except AdapterError:
                        return None
                else:
                    return None
        return parts

    def _expect(self, used: set[str], known: Collection[str], complaint: Text) -> None:
        for name in sorted(used - set(known)):
            near = get_close_matches(name, list(known), n=1)
            listed = Text("Known: {known}.", known=", ".join(sorted(known)) or Text("none"))
            hint = Text("Did you mean {name!r}?", name=near[0]) if near else listed
            raise AdapterError(Text(complaint.id, name=name), hint=hint, place=self._place)

    def _line_end(self, source: str) -> Literal["\n", "\r\n"]:
        """Return the line end of ``source``: Jinja2 writes one kind only. Raises ``AdapterError`` where there are
        several.
        """
        if "\r" not in source:
            return "\n"
        if set(re.findall(r"\r\n|\r|\n", source)) != {"\r\n"}:
            text = Text(
                "the template {source!r} has line ends of several kinds; expected LF or CRLF in all lines.",
                source=source,
            )
            raise AdapterError(text, place=self._place)
        return "\r\n"


FIELD = Text("a template asks for the unknown field {name!r}.")
SECRET = Text("a template asks for the unknown secret {name!r}.")


def _secrets_used(tree: nodes.Template) -> set[str]:
    used = set()
    for node in tree.find_all(nodes.Getattr):
        if isinstance(node.node, nodes.Name) and node.node.name == "secrets":
            used.add(node.attr)
    return used


def _hint_for(problem: str, filters: Collection[str]) -> Text | str:
    """Return what to do about a template that is broken because of ``problem``."""
    found = re.search(r"No filter named '(\w+)'", problem)
    if not found:
        return ""
    if found[1] in _ESCAPES:
        return Text(
            "Values are escaped already for the place they go to; for text that a signature covers there is 'quote'."
        )
    if near := get_close_matches(found[1], list(filters), n=1):
        return Text("Did you mean {name!r}?", name=near[0])
    return Text("Known: {known}, and Jinja2's own, such as 'int', 'replace' and 'default'.", known=", ".join(FILTERS))


def compiled(tree: Any, secrets: Mapping[str, SecretStr], names: Collection[str] = NAMES, *, place: str) -> Any:
    """Compile nested lists and mappings to a ``Template`` for each text; other scalars stay as they are.

    ``place`` is the key where ``tree`` stands. Raises ``AdapterError`` for a value that cannot be sent, such as a date
    of TOML.
    """
    if isinstance(tree, str):
        return Template(tree, secrets=secrets, names=names, place=place)
    if isinstance(tree, Mapping):
        return {str(name): compiled(value, secrets, names, place=f"{place}.{name}") for name, value in tree.items()}
    if isinstance(tree, list | tuple):
        return [compiled(value, secrets, names, place=f"{place}.{index}") for index, value in enumerate(tree)]
    if tree is None or isinstance(tree, bool | int | float):
        return tree
    expected = Text(
        "an argument is {value}; expected text, a number, true, false, a list or a table.", value=repr(tree)
    )
    raise AdapterError(expected, place=place)


def rendered(tree: Any, message: Outgoing) -> Any:
    """Return a ``compiled`` tree with its texts filled in."""
    if isinstance(tree, Template):
        return tree.render(message)
    if isinstance(tree, dict):
        return {name: rendered(value, message) for name, value in tree.items()}
    if isinstance(tree, list):
        return [rendered(value, message) for value in tree]
    return tree
