"""The kinds of values that settings have, each with what is said of one that is not of its kind."""

import re
from ipaddress import ip_network
from typing import Annotated, Literal, TypeVar
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr

from gateway.domain.numbering.numbers import AREA_CODES
from gateway.mapping.schema import Zone
from gateway.texts.text import Text

TENANT_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


def _address(value: str) -> str:
    host, _, port = value.rpartition(":")
    if not host or not port.isdigit() or int(port) > 65535:
        raise ValueError(Text("expected ADDRESS:PORT such as 127.0.0.1:8080 or [::1]:8080"))
    return value


def _network(value: str) -> str:
    if value not in ("loopback", "private", "any"):
        ip_network(value, strict=False)
    return value


def _area_code(value: str) -> str:
    if value not in AREA_CODES:
        raise ValueError(Text("expected one of Brazil's 67 DDDs, two digits such as '47'"))
    return value


def _path(value: str) -> str:
    if not value.startswith("/"):
        raise ValueError(Text("expected a path that begins with '/'"))
    return value


def _prefix(value: str) -> str:
    if not re.fullmatch(r"[0-9*#]*", value):
        raise ValueError(Text("expected digits, '*' or '#' such as '0' or '021'"))
    return value


def _public_url(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.netloc or parts.query or parts.fragment:
        raise ValueError(Text("expected an address such as https://gateway.example.com, without ? and #"))
    return value.rstrip("/")


WEB_ORIGIN = re.compile(r"(https?)://([a-z0-9][a-z0-9.-]{0,252}|\[[0-9a-f:.]{2,45}\])(?::([0-9]{1,5}))?")
DEFAULT_PORTS = {"http": "80", "https": "443"}


def _web_origin(value: str) -> str:
    """Return ``value`` as browsers write it in Origin: small letters, no default port, no path."""
    found = WEB_ORIGIN.fullmatch(value.lower().removesuffix("/"))
    if not found or int(found[3] or 0) > 65535:
        raise ValueError(Text("expected scheme and host of a web page such as https://crm.example, without a path"))
    scheme, host, port = found.groups()
    return f"{scheme}://{host}" + (f":{port}" if port and port != DEFAULT_PORTS[scheme] else "")


SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def _interval(value: str) -> str:
    found = re.fullmatch(r"([1-9][0-9]{0,6})([smhd])", value)
    if not found or int(found[1]) * SECONDS[found[2]] < 10:
        raise ValueError(Text("expected a time of at least ten seconds, such as '30s', '15m', '2h' or '1d'"))
    return value


def seconds_of(interval: str) -> int:
    """Return an ``Interval`` such as ``15m`` in seconds."""
    return int(interval[:-1]) * SECONDS[interval[-1]]


Address = Annotated[str, AfterValidator(_address)]
Interval = Annotated[str, AfterValidator(_interval)]
Network = Annotated[str, AfterValidator(_network)]
AreaCode = Annotated[str, AfterValidator(_area_code)]
Timezone = Zone
NumberKind = Literal["mobile", "fixed", "special", "foreign", "short", "extension", "unknown"]
One = TypeVar("One")
# A list, or one text in place of a list with it alone.
OneOrMore = Annotated[
    tuple[One, ...], BeforeValidator(lambda value: (value,) if isinstance(value, str) else value), Field(strict=False)
]
# One secret, or several while one takes the place of another.
Secrets = OneOrMore[Annotated[SecretStr, Field(strict=False)]]
PublicUrl = Annotated[str, AfterValidator(_public_url)]
WebOrigin = Annotated[str, AfterValidator(_web_origin)]
UrlPath = Annotated[str, AfterValidator(_path)]
HttpStatus = Annotated[int, Field(ge=200, le=599)]
Prefix = Annotated[str, AfterValidator(_prefix)]


class Table(BaseModel):
    """A TOML table: unknown keys and wrong types are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, arbitrary_types_allowed=True)
