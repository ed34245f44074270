"""The configuration of a gateway on site: whom it belongs to, its sources and appliances."""

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr, ValidationError, model_validator

from gateway.config import plugins, references
from gateway.config.sources import EventSourceSettings, SourceName, exchange_of
from gateway.config.tables import ApplianceSettings, Config, Log, TenantSettings
from gateway.config.validation import sentences
from gateway.config.values import AreaCode, Table, Timezone
from gateway.errors import ConfigError
from gateway.event_source import WEBHOOK
from gateway.texts.text import Text, lines

HERE = "site"
"""What the company is called in this program; the main gateway knows its name by the key."""
LOOPBACK = ("127.0.0.1", "::1", "localhost")
MAIN = "main"
"""The table by which a configuration is known to be one of a gateway on site."""
KEY = re.compile(r"[!-~]+")


def _main_url(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment or parts.username:
        raise ValueError(Text("expected the main gateway's address such as https://cti.example.com"))
    return value.rstrip("/")


def _site_key(value: SecretStr) -> SecretStr:
    """Refuse what no HTTP header takes, such as quotes of a word processor; the message says nothing of the key."""
    if not KEY.fullmatch(value.get_secret_value()):
        raise ValueError(Text("expected a key as 'cti-gateway onsite add' prints it: letters, digits, - and _"))
    return value


class MainGatewaySettings(Table):
    """The main gateway, to which this one connects."""

    url: Annotated[str, AfterValidator(_main_url)] = Field(description="its address, such as https://cti.example.com")
    key: Annotated[SecretStr, AfterValidator(_site_key)] = Field(
        strict=False, description="this site's key, of 'cti-gateway onsite add' (env: or file:)"
    )
    ca_file: str | None = Field(
        None, description="certificates to trust instead of the usual ones, relative to this file"
    )
    proxy: SecretStr | None = Field(
        None,
        strict=False,
        description="proxy to it, such as http://proxy:3128 (env: or file:); HTTPS_PROXY when absent",
    )
    allow_http: bool = Field(False, description="take an http:// address of another machine: the key goes in clear")
    timeout_s: float = Field(
        30, ge=2, le=300, strict=False, description="seconds without a byte after which a connection is given up"
    )

    @model_validator(mode="after")
    def _is_encrypted(self) -> "MainGatewaySettings":
        parts = urlsplit(self.url)
        if parts.scheme == "http" and parts.hostname not in LOOPBACK and not self.allow_http:
            raise ValueError(
                Text("url begins with http://, so that anybody on the way could read the key: use https://")
            )
        return self


class OnsiteSettings(Table):
    """All that can be set of a gateway on site."""

    main: MainGatewaySettings = Field(description="the main gateway")
    data: str = Field("onsite-data", description="folder of the spool, relative to this file")
    spool_mb: float = Field(
        200, ge=1, le=100_000, strict=False, description="megabytes of events kept; then sources are not read on"
    )
    spool_hours: float = Field(
        168, gt=0, le=8760, strict=False, description="age of the oldest event kept from which sources are not read on"
    )
    timezone: Timezone = Field("America/Sao_Paulo", description="zone of times that name none")
    area_code: AreaCode | None = Field(None, description="DDD of numbers that come without one")
    extensions: tuple[str, ...] = Field((), strict=False, description="internal extensions, as on the main gateway")
    presets: str | None = Field(None, description="folder of presets of your own, relative to this file")
    log: Log = Field(default_factory=Log, description="what it says of itself")
    sources: dict[SourceName, EventSourceSettings] = Field(
        default_factory=dict, description="sources of call events that are gone and got here"
    )
    appliances: dict[str, ApplianceSettings] = Field(default_factory=dict, description="exchanges that dial here")

    @model_validator(mode="after")
    def _fits_together(self) -> "OnsiteSettings":
        for name, source in self.sources.items():
            if source.kind == WEBHOOK:
                raise ValueError(Text("sources.{name} is a webhook: it belongs to the main gateway", name=name))
            exchange_of(name, self.sources)
        for name, appliance in self.appliances.items():
            if appliance.adapter == "onsite":
                raise ValueError(Text("appliances.{name}: onsite belongs to the main gateway", name=name))
        return self

    def as_config(self) -> Config:
        """Return the same as the configuration of a gateway with the one company ``HERE``."""
        company = TenantSettings(
            timezone=self.timezone,
            area_code=self.area_code,
            extensions=self.extensions,
            sources=dict(self.sources),
            appliances=dict(self.appliances),
        )
        return Config(tenants={HERE: company}, log=self.log)


def load(path: Path) -> OnsiteSettings:
    """Read the configuration of a gateway on site. Raises ``ConfigError`` that names file, key and remedy."""
    raw, source = read(path), str(path)
    resolved: Mapping[str, Any] = references.resolve(raw, source=source, base=path.parent)
    folder = resolved.get("presets")
    presets = path.parent / folder if isinstance(folder, str) else None
    try:
        return OnsiteSettings.model_validate(plugins.prepare_company(resolved, source, (), presets))
    except ValidationError as error:
        raise ConfigError(lines(sentences(error, source, OnsiteSettings))) from None


def read(path: Path) -> Mapping[str, Any]:
    """Return the file as TOML, its values not looked at. Raises ``ConfigError``."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        text = Text("{path}: cannot be read ({reason}).", path=str(path), reason=error.strerror)
        raise ConfigError(text, hint=Text("'cti-gateway onsite add NAME' on the main gateway prints one.")) from None
    except UnicodeDecodeError:
        raise ConfigError(Text("{path}: is not UTF-8 text.", path=str(path)), hint=Text("Save it as UTF-8.")) from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(Text("{path}: is not TOML: {reason}", path=str(path), reason=str(error))) from None


def is_of_site(path: Path | None) -> bool:
    """Return whether ``path`` is the configuration of a gateway on site."""
    try:
        return path is not None and isinstance(read(path).get(MAIN), Mapping)
    except ConfigError:
        return False
