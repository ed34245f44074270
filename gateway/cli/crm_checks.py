"""What ``check`` says of a company's links into its CRM and of the fields on the card."""

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING

from gateway.desk.crm_links import LinkUnusable, try_link
from gateway.desk.customer import OWNER
from gateway.domain.identifiers import GUESSED, plain
from gateway.texts.text import Text, problem_of

if TYPE_CHECKING:
    from gateway.server.gateway import Gateway

SAMPLE = "exemplo 1"


@dataclass(frozen=True, slots=True)
class LinkCheck:
    """A link of the configuration: where it stands, whether it makes an address, and which, or why not."""

    place: str
    good: bool
    text: Text | str


def link_checks(gateway: "Gateway") -> Iterator[LinkCheck]:
    """Yield one for each link, tried with an example of each field that accounts have, or that a source keeps."""
    for tenant, settings in gateway.config.tenants.items():
        for key, source in settings.crm.links.items():
            place = f"[tenants.{tenant}.crm] {key}"
            fields = dict.fromkeys(known_fields(gateway, tenant), SAMPLE)
            try:
                yield LinkCheck(place, True, try_link(key, source, fields))
            except LinkUnusable as error:
                yield LinkCheck(place, False, problem_of(error))


def field_checks(gateway: "Gateway") -> Iterator[tuple[str, Text]]:
    """Yield the fields that the card is to show and no account has: place and sentence."""
    for tenant, settings in gateway.config.tenants.items():
        known = {plain(name): name for name in (*known_fields(gateway, tenant), *GUESSED, OWNER)}
        for source in settings.directory.values():
            known |= {plain(name): name for name in getattr(source.settings, "identifiers", None) or ()}
        for name in settings.crm.fields or ():
            if plain(name) not in known:
                near = get_close_matches(plain(name), list(known), n=1)
                hint = Text("Did you mean {name!r}?", name=known[near[0]]) if near else _to_keep(name)
                told = Text("No source keeps the field {name!r}, and no account has it. {hint}", name=name, hint=hint)
                yield f"[tenants.{tenant}.crm] fields", told


def known_fields(gateway: "Gateway", tenant: str) -> list[str]:
    """Return the names of fields that accounts have, or that a source of the configuration keeps."""
    sources = gateway.config.tenants[tenant].directory.values()
    kept = [name for source in sources for name in getattr(source.settings, "fields", {})]
    return [*kept, *gateway.directory.field_names(tenant)]


def _to_keep(name: str) -> Text:
    return Text("Name it in 'fields' of the source, or import with --field {name!r}.", name=name)
