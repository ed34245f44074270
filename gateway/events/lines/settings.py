"""The settings of a source that reads lines, ``kind = "lines"``."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import cache
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, SecretStr

from gateway.config.values import Address, Network
from gateway.errors import ConfigError
from gateway.event_source import CONFIG, path_setting, setting
from gateway.events.lines import catalogue
from gateway.events.lines.description import LineDescription, Way
from gateway.events.lines.moments import DateOrder
from gateway.mapping.schema import LookUp
from gateway.texts.text import Text

NEEDED: Mapping[Way, tuple[str, ...]] = {
    "connect": ("host",),
    "listen": ("listen",),
    "syslog": ("listen",),
    "file": ("path",),
    "folder": ("path",),
}
"""Settings that each way needs."""
Port = Annotated[int, Field(ge=1, le=65535)]
NETWORKS: Mapping[str, str] = {"loopback": "is_loopback", "private": "is_private"}


@dataclass(frozen=True)
class LineSourceConfig:
    """What an administrator says of an exchange that writes lines."""

    __pydantic_config__ = CONFIG
    FOLDER = None
    """The user's own folder of presets."""

    preset: str = setting("", "the kind of lines: 'cti-gateway sources lines' lists them")
    description: Mapping[str, Any] = setting({}, "how lines are read, instead of a preset or over it: docs/lines.md")
    by: Way | None = field(
        default=None,
        metadata={"help": "how lines come: connect, listen, file, folder or syslog; else as is usual for the preset"},
    )
    host: str = setting("", "by = 'connect': the exchange's address")
    port: Port | None = field(default=None, metadata={"help": "by = 'connect': its port; else the preset's"})
    username: str = setting("", "login, where the exchange asks for one")
    password: SecretStr = field(default=SecretStr(""), metadata={"help": "its password (env: or file:)"})
    listen: Address | None = field(
        default=None, metadata={"help": "by = 'listen' or 'syslog': address and port, such as '0.0.0.0:9000'"}
    )
    allow: tuple[Network, ...] = field(
        default=("loopback", "private"),
        metadata={"help": "by = 'listen' or 'syslog': addresses that lines are taken from"},
    )
    path: str = path_setting("", "by = 'file' or 'folder': the file, or the folder")
    files: str = setting("", "by = 'folder': names of its files, * for anything; else the preset's")
    from_start: bool | None = setting(
        None, "at the very first start read what is there already; else a folder's files are, a file's lines are not"
    )
    date_order: DateOrder | None = field(
        default=None, metadata={"help": "order of day, month and year: dmy, mdy or ymd; else the preset's"}
    )
    extensions: LookUp = field(default_factory=dict, metadata={"help": "extensions by what the exchange calls them"})

    def __post_init__(self) -> None:
        """Check that all is there. Raises ``ValueError``."""
        try:
            description = self.described()
        except ConfigError as error:
            raise ValueError(error.whole) from None
        for name in NEEDED[self.way_of(description)]:
            if not getattr(self, name):
                facts = {"name": name, "way": self.way_of(description)}
                raise ValueError(Text("{name} is missing: lines come by {way!r}", **facts))
        if self.way_of(description) == "connect" and not (self.port or description.transport.port):
            raise ValueError(Text("{name} is missing: lines come by {way!r}", name="port", way="connect"))

    def __reduce__(self) -> tuple[Any, ...]:
        """Let workers have it, whose class may be of one folder only."""
        return _remade, (self.FOLDER, {each.name: getattr(self, each.name) for each in fields(self)})

    def way_of(self, description: LineDescription) -> Way:
        """Return how lines come."""
        return self.by or description.transport.ways[0]

    def described(self) -> LineDescription:
        """Return how the lines are read. Raises ``ConfigError``."""
        raw = dict(self.description)
        if self.preset:
            raw = {"based_on": self.preset, **raw}
        return catalogue.made(raw, "description", self.FOLDER)

    @property
    def secrets(self) -> tuple[str, ...]:
        """Its secrets as texts."""
        return tuple(filter(None, (self.password.get_secret_value(),)))


@cache
def config_for(folder: Path | None) -> type[LineSourceConfig]:
    """Return the class of settings whose presets may also be in ``folder``."""
    if folder is None:
        return LineSourceConfig
    return dataclass(frozen=True)(
        type("LineSourceConfig", (LineSourceConfig,), {"FOLDER": folder, "__module__": __name__})
    )


def _remade(folder: Path | None, values: dict[str, Any]) -> LineSourceConfig:
    return config_for(folder)(**values)


def is_allowed(address: str, networks: tuple[str, ...]) -> bool:
    """Return whether ``address`` is in one of ``networks``."""
    found = ip_address(address.partition("%")[0])
    mapped = getattr(found, "ipv4_mapped", None)
    return any(_is_in(mapped or found, network) for network in networks)


def _is_in(address: Any, network: str) -> bool:
    if network == "any":
        return True
    if network in NETWORKS:
        # Python counts loopback among private addresses; here they are named apart.
        is_named = bool(getattr(address, NETWORKS[network]))
        return is_named and (network == "loopback" or not address.is_loopback)
    return address in ip_network(network, strict=False)
