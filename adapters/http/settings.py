"""The settings that every adapter shares, and what in them is secret."""

import html
import re
import ssl
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from json import dumps
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote, quote_plus
from xml.sax.saxutils import escape as xml_escape

from pydantic import ConfigDict, SecretStr

from adapters.http.tls import STRICT, Trust, Version, context_for, pin_of
from gateway.errors import AdapterError
from gateway.texts.text import Text

_ORIGIN = re.compile(r"https?://(\[[0-9A-Fa-f:.]+\]|[^\s/?#@:{}\[\]\\%]+)(:[0-9]{1,5})?(?=[/?]|$)", re.IGNORECASE)
PLAIN_HEADERS = frozenset(
    {"accept", "accept-language", "cache-control", "connection", "content-type", "soapaction", "user-agent"}
)
"""Headers whose values a preview may show; all others could be secret."""


_NOTHING = SecretStr("")
PIN = re.compile(r"sha256:[0-9A-Fa-f]{2}(:?[0-9A-Fa-f]{2}){31}")


def _setting(default: Any, text: str) -> Any:
    return field(default=default, metadata={"help": text})


@dataclass(frozen=True, kw_only=True)
class ConnectionConfig:
    """The settings of every connection, whatever is spoken on it. Times are seconds.

    pydantic quotes the whole table, secrets too, in its error for a missing key: show ``error.errors()``
    without its inputs (``include_input=False``).
    """

    __pydantic_config__ = ConfigDict(extra="forbid", frozen=True)

    connect_timeout_s: float = _setting(3.0, "Seconds to wait for a connection, its name look-up included.")
    timeout_s: float = _setting(10.0, "Seconds that a whole attempt may take.")
    tls_verify: bool | Path = field(
        default=True, metadata={"help": "Check the TLS certificate: true, false or a file with the CA."}
    )
    tls_pin: str = _setting(
        "", "sha256:HEX, the fingerprint of a self-signed certificate: that one is trusted and no other."
    )
    tls_minimum: Version = field(default=STRICT, metadata={"help": "The oldest TLS version to speak: 1.0, 1.1 or 1.2."})
    tls_ciphers: str = _setting("", "Ciphers as OpenSSL names them, such as DEFAULT@SECLEVEL=0; empty: today's.")

    public_only: bool = _setting(
        False, "Connect to no private address that a host's name leads to; see server.public_targets_only."
    )

    def tls_context(self) -> ssl.SSLContext | None:
        """Return the context of the TLS settings; None for the strict default."""
        return context_for(self.tls_minimum, self.tls_ciphers, verify=self.tls_verify is not False and not self.tls_pin)

    @property
    def tls_fingerprint(self) -> str | None:
        """The certificate's SHA-256 in hex, when one is pinned."""
        return self.tls_pin.removeprefix("sha256:").replace(":", "").lower() or None

    def trust(self) -> Trust:
        """Return whose certificates are trusted, by these settings."""
        verify = False if self.tls_pin else self.tls_verify
        return Trust(verify, context=self.tls_context(), fingerprint=self.tls_fingerprint)

    def advice_to_pin(self, host: str, port: int) -> Text | None:
        """Return what can be done about the certificate of ``host``; None when it cannot be fetched."""
        try:
            pin = pin_of(
                host,
                port,
                timeout_s=self.connect_timeout_s,
                context=self.tls_context(),
                public_only=self.public_only,
            )
        except OSError:
            return None
        return Text('if it is the right one, pin it with tls_pin = "{pin}" (compare at the appliance itself)', pin=pin)

    def __post_init__(self) -> None:
        if not (0 < self.connect_timeout_s <= 60 and 0 < self.timeout_s <= 300):
            raise ValueError(Text("connect_timeout_s must be over 0 and up to 60, timeout_s over 0 and up to 300"))
        if self.tls_pin and not PIN.fullmatch(self.tls_pin):
            raise ValueError(Text("tls_pin must be sha256: and 64 hex digits, as 'cti-gateway check' prints it"))
        if self.tls_pin and self.tls_verify is not True:
            raise ValueError(Text("tls_pin and tls_verify exclude each other: a pinned certificate is always checked"))
        try:
            self.tls_context()
        except ssl.SSLError:
            raise ValueError(
                Text("OpenSSL knows none of tls_ciphers = {ciphers!r}", ciphers=self.tls_ciphers)
            ) from None


@dataclass(frozen=True, kw_only=True)
class PeerConfig(ConnectionConfig):
    """The settings of every connection over HTTP."""

    headers: Mapping[str, SecretStr] = field(
        default_factory=dict, metadata={"help": "More request headers; their values are never shown."}
    )
    secrets: Mapping[str, SecretStr] = field(
        default_factory=dict,
        metadata={"help": "Secret texts for templates, written {{ secrets.NAME }}; never shown."},
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        for name, value in self.headers.items():
            if not re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", name):
                raise ValueError(Text("{name!r} cannot be a header's name", name=name))
            if not is_line(value.get_secret_value()):
                raise ValueError(Text("the value of the header {name!r} has forbidden characters", name=name))


@dataclass(frozen=True, kw_only=True)
class HttpConfig(PeerConfig):
    """The settings of an adapter that logs in by HTTP."""

    auth: Literal["none", "basic", "digest", "wsse"] = _setting(
        "none", "How to log in: none, by HTTP basic or digest; soap also wsse (WS-Security)."
    )
    username: str = _setting("", "The user for the login.")
    password: SecretStr = field(default=_NOTHING, metadata={"help": "The password for the login."})

    @staticmethod
    def logins() -> tuple[str, ...]:
        """Return the values of ``auth`` that the adapter can do."""
        return ("none", "basic", "digest")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.auth not in self.logins():
            facts = {"auth": self.auth, "logins": ", ".join(self.logins())}
            raise ValueError(Text('auth = "{auth}" is not for this adapter; expected {logins}', **facts))
        if self.auth != "none" and not self.username:
            raise ValueError(Text('auth = "{auth}" needs a username', auth=self.auth))


def is_line(text: str) -> bool:
    """Return whether ``text`` can be a header's value: Latin-1, no control characters."""
    return not re.search(r"[^\x20-\x7e\xa0-\xff]", text)


def origin_of(url: str) -> str:
    """Return scheme, host and port as the template writes them out. Raises ``AdapterError`` when it does not."""
    found = _ORIGIN.match(url.strip())
    if not found:
        raise AdapterError(
            Text("a url must begin with http:// or https:// and a written-out host."),
            hint=Text("Values cannot choose the host; put user and password into username and password."),
        )
    if "#" in re.sub(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", "", url, flags=re.DOTALL):
        raise AdapterError(
            Text("the url has a '#', behind which nothing is ever sent."), hint=Text("Write %23 to dial a #.")
        )
    return found[0]


def spellings(config: HttpConfig) -> set[str]:
    """Return every secret as it may stand on the wire: plain, and as URLs, forms, JSON, XML and Basic have it."""
    hidden = [value for name, value in config.headers.items() if name.lower() not in PLAIN_HEADERS]
    plain = {secret.get_secret_value() for secret in (config.password, *hidden, *config.secrets.values())} - {""}
    # A preview is shown as UTF-8, while headers are written as Latin-1.
    found = plain | {text.encode("latin-1", "ignore").decode("utf-8", "backslashreplace") for text in plain}
    for text in plain:
        found |= {quote(text, safe=""), quote_plus(text), dumps(text)[1:-1]}
        found |= {xml_escape(text), html.escape(text), xml_escape(text, {'"': "&quot;", "'": "&#39;"})}
    login = f"{config.username}:{config.password.get_secret_value()}"
    return found | ({b64encode(login.encode()).decode()} if config.auth == "basic" else set())
