"""Links into the CRM: templates of the configuration, filled in with what is known of an account and a call.

Whatever a value is, it stands percent-encoded where the template puts it: it is neither a separator nor another host.
"""

from collections.abc import Mapping
from difflib import get_close_matches
from functools import lru_cache
from typing import Any
from urllib.parse import quote

from jinja2 import StrictUndefined, Template, TemplateError, meta
from jinja2.sandbox import ImmutableSandboxedEnvironment

from gateway.domain.identifiers import plain
from gateway.domain.links import safe_link
from gateway.texts.text import Text

EXAMPLE: Mapping[str, str] = {
    "code": "1001",
    "account_id": "1",
    "name": "Acme Ltda",
    "owner": "3501",
    "contact": "Ana Souza",
    "number": "4732100123",
    "international": "+554732100123",
    "caller_name": "ACME",
    "direction": "incoming",
    "extension": "3501",
    "login": "ana",
    "call_id": "1",
    "tenant": "acme",
}
"""What every link may use, with a value of each to try it with."""
OF_NOBODY: Mapping[str, str] = {**EXAMPLE, "code": "", "account_id": "", "name": "", "owner": "", "contact": ""}
"""The same for a number that nobody has."""
_OF_EVENTS = {
    **{name: name for name in ("account_id", "contact", "direction", "call_id", "tenant")},
    "code": "account_code",
    "name": "account",
    "number": "telefone",
    "international": "number_e164",
    "caller_name": "nome",
    "extension": "ramal",
    "login": "agent_login",
}
"""The names of links by the fields of events."""
LONGEST = 4096
"""Characters of an address that browsers and servers surely take."""


class LinkUnusable(ValueError):
    """A link cannot be made; its argument, a ``Text``, says why."""


def _encoded(value: Any) -> str:
    return quote(str(value), safe="")


_ENVIRONMENT = ImmutableSandboxedEnvironment(undefined=StrictUndefined, finalize=_encoded)
for _name in ("urlencode", "e", "escape", "forceescape", "tojson"):
    del _ENVIRONMENT.filters[_name]  # values are encoded already; twice would be wrong


@lru_cache(maxsize=256)
def _template(source: str) -> Template:
    return _ENVIRONMENT.from_string(source)


def link_of(source: str, values: Mapping[str, str]) -> str:
    """Return the address that ``source`` makes of ``values``, by their names as ``Código da Conta`` or as
    ``codigo_da_conta``.

    >>> link_of("https://crm.example/{{ code }}?q={{ cidade }}", {"code": "a/b", "Cidade": "São José"})
    'https://crm.example/a%2Fb?q=S%C3%A3o%20Jos%C3%A9'

    Raises ``LinkUnusable`` for a broken template, a name without a value, and an address that is not http or https.
    """
    try:
        made = _template(source).render({plain(name): text for name, text in values.items()}).strip()
    except TemplateError as error:
        raise LinkUnusable(Text("the template is broken: {why}", why=error.message or type(error).__name__)) from None
    except (ArithmeticError, LookupError, TypeError, ValueError) as error:
        raise LinkUnusable(Text("{error} in an expression", error=type(error).__name__)) from None
    if not safe_link(made) or not made.isprintable() or len(made) > LONGEST:
        raise LinkUnusable(Text("it makes {address!r}, which is no http or https address", address=made[:200]))
    return made


def shown_link(source: str | None, values: Mapping[str, str]) -> str | None:
    """Return the address that ``source`` makes of ``values``; None where it makes none."""
    try:
        return link_of(source, values) if source else None
    except LinkUnusable:
        return None


def event_link(source: str | None, fields: Mapping[str, str]) -> str:
    """Return the address that ``source`` makes of the fields of an event, as forwards have them; empty where it makes
    none, as one does that needs a field of the account.
    """
    return shown_link(source, {name: fields[told] for name, told in _OF_EVENTS.items()}) or ""


def names_in(source: str) -> set[str]:
    """Return the names that the template uses. Raises ``LinkUnusable`` for a broken one."""
    try:
        return meta.find_undeclared_variables(_ENVIRONMENT.parse(source))
    except TemplateError as error:
        raise LinkUnusable(Text("the template is broken: {why}", why=error.message or type(error).__name__)) from None


def try_link(key: str, source: str, fields: Mapping[str, str]) -> str:
    """Return what the setting ``key`` makes of an example; ``fields`` are examples of accounts' fields.

    Raises ``LinkUnusable``, also for a name that nothing has.
    """
    example = OF_NOBODY if key == "new_link" else EXAMPLE
    known = {**{plain(name): text for name, text in fields.items()}, **example}
    for name in sorted(names_in(source) - known.keys()):
        near = get_close_matches(name, list(known), n=1)
        listed = Text("Known: {known}.", known=", ".join(sorted(known)))
        hint = Text("Did you mean {name!r}?", name=near[0]) if near else listed
        raise LinkUnusable(Text("there is no {name!r}. {hint}", name=name, hint=hint))
    return link_of(source, known)
