"""What Host, Origin and Referer say: which host a client asked for, and whether a web page of another one makes it ask.

No page's script can set or change these headers or ``Sec-Fetch-Site``, only leave out ``Referer``; what no browser
says is in docs/security.md.
"""

import re
from collections.abc import Mapping
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

Environ = Mapping[str, Any]

HOST = re.compile(r"([A-Za-z0-9_.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(:[0-9]{1,5})?")
OWN_SITE = ("same-origin", "none")
DEFAULT_PORT = re.compile(r":(80|443)$")
WEB_PAGE = re.compile(r"https?://", re.IGNORECASE)
LONGEST_SHOWN = 80


def is_address(host: str) -> bool:
    """Return whether ``host`` is an IP address."""
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def without_port(address: str) -> str:
    """Return a host without its port: ``10.0.0.1`` of ``10.0.0.1:4711``, ``::1`` of ``[::1]:4711``."""
    if address.startswith("["):
        return address[1:].partition("]")[0]
    return address.partition(":")[0] if address.count(":") == 1 else address


def bare_host(host: str) -> str:
    """Return ``host`` in small letters, without port and final dot."""
    host = host.strip().lower()
    if host.startswith("["):
        return host.partition("]")[0] + "]"
    return host.partition(":")[0].rstrip(".")


def names_this_machine(header: str) -> bool:
    """Return whether a Host header is 127.0.0.0/8, ::1 or ``localhost``: names that lead nowhere but to the asker's
    machine.

    ``0.0.0.0``, ``[::]`` and ``[::ffff:127.0.0.1]`` lead there too, but browsers call them just with no sign of the
    page that does.
    """
    if not HOST.fullmatch(header):
        return False
    host = bare_host(header)
    if host == "localhost":
        return True
    address = host.strip("[]")
    return is_address(address) and (address.startswith("127.") or ip_address(address) == ip_address("::1"))


def foreign_page(environ: Environ) -> str:
    """Return the header by which a browser says that a page of another site makes this request, as it came; else
    nothing.

    Another port is another site. A Referer that is no web page's address is some program's own.
    """
    if "HTTP_SEC_FETCH_SITE" not in environ and "HTTP_ORIGIN" not in environ and "HTTP_REFERER" not in environ:
        return ""  # every event of an exchange
    site = environ.get("HTTP_SEC_FETCH_SITE", "").strip().lower()
    if site and site not in OWN_SITE:
        return shown("Sec-Fetch-Site", site)
    host = DEFAULT_PORT.sub("", environ.get("HTTP_HOST", "").lower())
    origin = environ.get("HTTP_ORIGIN", "")
    if origin and authority(origin) != host:
        return shown("Origin", origin)
    referer = environ.get("HTTP_REFERER", "")
    # Every browser sends Host: without one the Referer is a program's.
    if host and WEB_PAGE.match(referer) and authority(referer) != host:
        return shown("Referer", referer.partition("?")[0])
    return ""


def authority(url: str) -> str | None:
    """Return host and port of ``url`` in small letters, without a default port; None where it is no address."""
    try:
        return DEFAULT_PORT.sub("", urlsplit(url).netloc.lower().rpartition("@")[2])
    except ValueError:
        return None


def shown(name: str, value: str) -> str:
    """Return ``name: value``, cut to what fits into a sentence."""
    return f"{name}: {value[:LONGEST_SHOWN]}"
