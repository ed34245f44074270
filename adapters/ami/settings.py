"""The settings of a login at Asterisk's manager interface over TCP, and of a click-to-call by it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv6Address
from typing import Annotated, Any, Literal

from pydantic import Field, SecretStr

from adapters.http.settings import ConnectionConfig
from gateway.texts.text import Text

_NAME = re.compile(r"[^\s/?#@\\\[\]:]+")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\([A-Za-z0-9_.,: -]*\))?")
"""A variable, or a dialplan function such as ``CHANNEL(accountcode)``."""
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def has_control(text: str) -> bool:
    """Return whether ``text`` holds a control character: a CR or LF would begin another header, or another action."""
    return bool(_CONTROL.search(text))


def _is_ipv6(text: str) -> bool:
    try:
        return bool(IPv6Address(text))
    except ValueError:
        return False


def _setting(default: Any, text: str) -> Any:
    return field(default=default, metadata={"help": text})


@dataclass(frozen=True, kw_only=True)
class AmiLoginConfig(ConnectionConfig):
    """Where the manager interface is, and who logs in."""

    host: str = field(metadata={"help": "The exchange's address."})
    port: Annotated[int, Field(ge=1, le=65535)] = _setting(5038, "Port of manager.conf (5038; with tls usually 5039).")
    username: str = field(metadata={"help": "User of manager.conf."})
    secret: SecretStr = field(metadata={"help": "The user's secret."})
    auth: Literal["md5", "plain"] = _setting(
        "md5", "How to log in: md5 answers a challenge, plain sends the secret itself."
    )
    tls: bool = _setting(False, "Whether the port speaks TLS (tlsenable in manager.conf).")

    def __post_init__(self) -> None:
        super().__post_init__()
        if not _NAME.fullmatch(self.host) and not _is_ipv6(self.address):
            told = Text("host = {host!r} is no host name or address; the port is a key of its own", host=self.host)
            raise ValueError(told)
        self._check_filled()
        for place, text in self._texts():
            if has_control(text):
                raise ValueError(Text("{place} has a control character; expected one line of text", place=place))

    @property
    def events(self) -> str:
        """Which events the login asks for, as the line ``Events`` has it."""
        return "off"

    @property
    def address(self) -> str:
        """The host as it is connected to: without the brackets of IPv6."""
        return self.host.strip("[]")

    @property
    def peer(self) -> str:
        """``host:port`` for people."""
        return f"[{self.address}]:{self.port}" if ":" in self.address else f"{self.address}:{self.port}"

    def _check_filled(self) -> None:
        if not self.username or not self.secret.get_secret_value():
            raise ValueError(Text("username and secret must not be empty"))

    def _texts(self) -> list[tuple[str, str]]:
        """Return the settings that stand in lines of actions, by their names."""
        return [("username", self.username), ("secret", self.secret.get_secret_value())]


@dataclass(frozen=True, kw_only=True)
class AmiConfig(AmiLoginConfig):
    """``channel``, ``caller_id`` and the values of ``variables`` are templates of a ``dial``'s fields."""

    username: str = field(metadata={"help": "User of manager.conf, with write=originate,call and read=call."})
    context: str = field(metadata={"help": "Context of the dialplan in which the number is dialled."})
    priority: Annotated[int, Field(ge=1)] = _setting(1, "Priority in the context at which to begin.")
    channel: str = _setting("PJSIP/{{ extension }}", "Template of the channel that rings first.")
    channels: Mapping[str, str] = field(
        default_factory=dict,
        metadata={"help": 'Channels of single extensions, instead of the template\'s (3501 = "SIP/sala").'},
    )
    caller_id: str = _setting("{{ extension }}", "Template of the caller id shown to both; empty: the exchange's.")
    variables: Mapping[str, str] = field(
        default_factory=dict,
        metadata={"help": "Channel variables, or functions such as CHANNEL(accountcode); values are templates."},
    )
    ring_timeout_s: Annotated[int, Field(ge=1, le=300)] = _setting(30, "Seconds that the extension rings.")
    watch_s: Annotated[float, Field(ge=0, le=10)] = _setting(
        0.2, "Seconds to watch for the news that a queued order cannot ring its extension; 0: not at all."
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in self.variables:
            if not _VARIABLE.fullmatch(name):
                told = Text("variables: {name!r} is no name of a variable or function of Asterisk", name=name)
                raise ValueError(told)

    @property
    def events(self) -> str:
        """Return ``call`` for who watches what comes of an order."""
        return "call" if self.watch_s else "off"

    def _check_filled(self) -> None:
        if not self.username or not self.secret.get_secret_value() or not self.context:
            raise ValueError(Text("username, secret and context must not be empty"))

    def _texts(self) -> list[tuple[str, str]]:
        plain = ("context", "channel", "caller_id")
        found = [*super()._texts(), *((name, str(getattr(self, name))) for name in plain)]
        found += [(f"channels.{name}", text) for name, text in self.channels.items()]
        return found + [(f"variables.{name}", text) for name, text in self.variables.items()]
