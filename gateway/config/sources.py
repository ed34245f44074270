"""The tables of settings of event sources."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from gateway.config.values import TENANT_NAME, Table, Timezone
from gateway.mapping.schema import LookUp, WebhookMapping
from gateway.texts.text import Text


def _source_name(value: str) -> str:
    if not TENANT_NAME.fullmatch(value):
        raise ValueError(Text("expected small letters, digits and '-', for it is a part of the address /in/NAME"))
    return value


SourceName = Annotated[str, AfterValidator(_source_name)]


class SourceSettings(Table):
    """A source of call events that writes them in its own way, such as a cloud exchange's webhook."""

    kind: Literal["webhook"] = Field(description="how it sends: 'webhook', requests to /in/NAME")
    preset: str | None = Field(None, description="the kind of sender, see 'cti-gateway presets'")
    mapping: WebhookMapping | None = Field(
        None, description="how its requests are read, instead of the preset's or laid over it: docs/webhooks.md"
    )
    title: str = Field("", description="name shown to people")
    timezone: Timezone | None = Field(None, description="zone of its times that name none; else the company's")
    extensions: LookUp = Field(
        default_factory=dict, description="extensions by what the source calls them: names, logins, ids"
    )
