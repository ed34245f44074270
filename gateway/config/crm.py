"""The settings of the CRM in whose pages agents work."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from gateway.config.values import Table, WebOrigin

LONGEST_LINK = 2000
LinkTemplate = Annotated[str, Field(min_length=1, max_length=LONGEST_LINK)]


class CrmSettings(Table):
    """The CRM in whose pages agents work."""

    origins: tuple[WebOrigin, ...] = Field(
        (),
        strict=False,
        max_length=20,
        description="web pages that may frame the panel, hear of its calls, dial and read /api: 'https://crm.example'",
    )
    fields: tuple[str, ...] | None = Field(
        None,
        strict=False,
        max_length=30,
        description="fields of the account on the card, in this order ('owner' is who looks after it); "
        "absent: the first five that it has",
    )
    link: LinkTemplate | None = Field(
        None, description="the account's page in the CRM: 'https://crm.example/contas/{{ code }}'"
    )
    contact_link: LinkTemplate | None = Field(
        None, description="the contact's page in the CRM, where the account has one for the number"
    )
    new_link: LinkTemplate | None = Field(
        None, description="where the CRM takes a new customer, for a number that nobody has"
    )

    @property
    def links(self) -> Mapping[str, str]:
        """The links that are set, by their keys."""
        given = {"link": self.link, "contact_link": self.contact_link, "new_link": self.new_link}
        return {key: text for key, text in given.items() if text}
