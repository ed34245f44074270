"""The tables of settings of event sources."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from gateway.config.values import TENANT_NAME, Network, PublicUrl, Secrets, Table, Timezone
from gateway.mapping.authenticity import Authenticity
from gateway.mapping.proofs import proof_of
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
    secret: Secrets = Field(
        (), description="what its requests prove themselves by (env: or file:); several: any of them does"
    )
    public_url: PublicUrl | None = Field(
        None, description="its whole address as the sender calls it, which signatures are made of"
    )
    allow: tuple[Network, ...] | None = Field(
        None, strict=False, description="addresses it sends from; they count beside its secret"
    )
    answer_within_s: float = Field(
        2.5, ge=0.1, le=30, strict=False, description="seconds to the answer; 503 where the disk took longer"
    )

    @property
    def authenticity(self) -> Authenticity:
        """How its requests prove themselves: as its mapping says, else by a secret where it has one."""
        own = self.mapping.authenticity if self.mapping else None
        return own or (Authenticity(kind="secret") if self.secret else Authenticity())

    @property
    def secrets(self) -> tuple[str, ...]:
        """Its secrets as texts."""
        return tuple(secret.get_secret_value() for secret in self.secret)

    @model_validator(mode="after")
    def _can_be_proven(self) -> "SourceSettings":
        proof_of(self.authenticity, self.secrets)
        replies = (self.mapping.reply, *self.mapping.replies.values()) if self.mapping else ()
        if self.authenticity.kind == "none" and any(reply.lookup for reply in replies if reply):
            raise ValueError(Text("secret is missing: its answers tell whose a number is"))
        return self
