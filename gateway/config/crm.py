"""The settings of the CRM in whose pages agents work."""

from pydantic import Field

from gateway.config.values import Table, WebOrigin


class CrmSettings(Table):
    """The CRM in whose pages agents work."""

    origins: tuple[WebOrigin, ...] = Field(
        (),
        strict=False,
        max_length=20,
        description="web pages that may frame the panel, hear of its calls, dial and read /api: 'https://crm.example'",
    )
