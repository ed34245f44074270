"""The tables of settings of event sources."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AfterValidator, Field, SerializeAsAny, ValidatorFunctionWrapHandler, WrapValidator, model_validator

from gateway.config.values import TENANT_NAME, Interval, Network, PublicUrl, Secrets, Table, Timezone, seconds_of
from gateway.mapping.authenticity import Authenticity
from gateway.mapping.proofs import proof_of
from gateway.mapping.schema import LookUp, WebhookMapping
from gateway.texts.text import Text


def _source_name(value: str) -> str:
    if not TENANT_NAME.fullmatch(value):
        raise ValueError(Text("expected small letters, digits and '-', for it is a part of the address /in/NAME"))
    return value


LISTENERS = "listeners"
"""What a source calls the plain listeners (GET, SOAP, XML-RPC) in ``same_exchange_as``."""
NO_SOURCE = ""
"""Whose the ids of calls are that came by the plain listeners."""
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
    same_exchange_as: str | None = Field(
        None, description="the source, or 'listeners', that tells of the same exchange, so that ids of calls are one"
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


class EventSourceSettings(Table):
    """A source of call events that the gateway goes and gets. All other keys of its table belong to its kind."""

    kind: str = Field(description="how its events are got: one of the installed kinds (ami), or 'webhook'")
    title: str = Field("", description="name shown to people")
    timezone: Timezone | None = Field(None, description="zone of its times that name none; else the company's")
    same_exchange_as: str | None = Field(
        None, description="the source, or 'listeners', that tells of the same exchange, so that ids of calls are one"
    )
    silent_after: Interval | None = Field(
        None, description="how long it may say nothing before people are told, such as '30m'; never when absent"
    )
    clock_ahead_s: float | None = Field(
        None,
        ge=-86_400,
        le=86_400,
        strict=False,
        description="seconds that its clock is ahead of the gateway's (negative: behind); measured when absent",
    )
    settings: Any = Field(None, exclude=True, description="the kind's own settings")

    @property
    def silent_after_s(self) -> int | None:
        """How long it may say nothing, in seconds."""
        return seconds_of(self.silent_after) if self.silent_after else None

    def with_settings(self, settings: Any) -> "EventSourceSettings":
        """Return the same with the kind's own ``settings``."""
        return self.model_copy(update={"settings": settings})


def _either(value: object, as_webhook: ValidatorFunctionWrapHandler) -> object:
    """Keep the settings of a source of another kind, which ``config.plugins`` has checked."""
    return value if isinstance(value, EventSourceSettings) else as_webhook(value)


if TYPE_CHECKING:
    AnySource = SourceSettings | EventSourceSettings
else:
    AnySource = Annotated[SerializeAsAny[SourceSettings], WrapValidator(_either)]


def exchange_of(name: str, sources: Mapping[str, AnySource]) -> str:
    """Return the source in whose name the ids of calls are kept that ``name`` tells; ``NO_SOURCE`` for the name of the
    plain listeners.

    Raises ``ValueError`` where ``same_exchange_as`` names no other source, or leads back to where it began.
    """
    seen = [name]
    while (other := sources[seen[-1]].same_exchange_as) is not None:
        facts = {"name": seen[-1], "other": other}
        if other == LISTENERS and LISTENERS not in sources:
            return NO_SOURCE
        if other not in sources:
            known = ", ".join((*sorted(sources), LISTENERS))
            raise ValueError(Text("sources.{name}.same_exchange_as {other!r} is none of {known}", known=known, **facts))
        if other in seen:
            raise ValueError(Text("sources.{name}.same_exchange_as leads back to {other!r}", **facts))
        seen.append(other)
    return seen[-1]
