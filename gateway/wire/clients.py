"""Who asks, behind reverse proxies, and what its address alone may do."""

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Any

from gateway.texts.text import Fact, Text
from gateway.wire.hosts import HOST, is_address, without_port

Environ = Mapping[str, Any]

NETWORKS = {
    "loopback": ("127.0.0.0/8", "::1/128"),
    "private": ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "fc00::/7", "fe80::/10"),
    "any": ("0.0.0.0/0", "::/0"),
}
UNKNOWN = "unknown"
LONGEST_ADDRESS = 64
PROXY_HEADERS = frozenset(
    {
        "HTTP_FORWARDED",
        "HTTP_VIA",
        "HTTP_X_REAL_IP",
        "HTTP_X_ORIGINAL_FORWARDED_FOR",
        "HTTP_X_CLIENT_IP",
        "HTTP_X_CLUSTER_CLIENT_IP",
        "HTTP_TRUE_CLIENT_IP",
        "HTTP_CF_CONNECTING_IP",
        "HTTP_CDN_LOOP",
    }
)
PROXY_PREFIX = "HTTP_X_FORWARDED"
HIDDEN = Text("a proxy that does not say whose the request is, or says that it is this machine's")


def membership(networks: Iterable[str]) -> Callable[[str], bool]:
    """Return a cached test whether an address (text) lies in ``networks`` ('loopback', 'private', 'any' or CIDR)."""
    wanted = [ip_network(net, strict=False) for name in networks for net in NETWORKS.get(name, (name,))]

    @lru_cache(maxsize=4096)
    def is_member(address: str) -> bool:
        try:
            found = ip_address(address.partition("%")[0])
        except ValueError:
            return False
        if isinstance(found, IPv6Address) and found.ipv4_mapped:
            found = found.ipv4_mapped
        return any(found in network for network in wanted)

    return is_member


is_loopback = membership(["loopback"])


class Networks:
    """Addresses that may do something without credentials: 'loopback', 'private', 'any' or CIDR."""

    def __init__(self, names: Iterable[str]) -> None:
        names = tuple(names)
        self._everybody = any(name == "any" or name.endswith("/0") for name in names)
        self._has = membership(names)

    def admit(self, environ: Environ) -> bool:
        """Return whether the client of a request that ``Proxies`` has seen is one of them.

        Who asks through a proxy that hides it is none of them, whatever the proxy's own address. What a stranger
        says of its clients gives no rights, it only takes them away.
        """
        if self._everybody:
            return True
        if environ.get("cti.hidden") or not self._has(environ["cti.client"]):
            return False
        told = environ.get("cti.told")
        return not told or all(map(self._has, told))


def shows_proxy(environ: Environ) -> bool:
    """Return whether a header says that a reverse proxy passed the request on."""
    return _show_proxy(tuple(environ))


@lru_cache(maxsize=256)
def _show_proxy(keys: tuple[str, ...]) -> bool:
    # Remembered, because all requests of a sender have the same headers.
    return not PROXY_HEADERS.isdisjoint(keys) or any(key.startswith(PROXY_PREFIX) for key in keys)


class Proxies:
    """Tells who really asks when the peer is one of ``server.trusted_proxies``."""

    def __init__(self, trusted: Iterable[str]) -> None:
        self._any = bool(tuple(trusted))
        self._is_trusted = membership(trusted)

    def identify(self, environ: dict[str, Any]) -> None:
        """Set ``cti.client``; behind a trusted proxy also the scheme and host that the client used.

        ``cti.proxied``: a proxy on this machine, or a trusted one, passed the request on. ``cti.hidden``: it does
        not say for whom, or says for this machine, which no proxy can know; such a request has none of the rights
        of ``cti.client``. ``cti.told``: the addresses that any other peer names in ``X-Forwarded-For``.
        """
        peer = environ.get("REMOTE_ADDR", "")
        environ["cti.client"] = peer
        if self._any and self._is_trusted(peer):
            self._believe(environ, peer)
        elif is_loopback(peer):
            environ["cti.proxied"] = environ["cti.hidden"] = shows_proxy(environ)
        elif hops := addresses(environ.get("HTTP_X_FORWARDED_FOR", "")):
            environ["cti.told"] = [known_address(hop) for hop in hops]

    def _believe(self, environ: dict[str, Any], peer: str) -> None:
        hops = addresses(environ.get("HTTP_X_FORWARDED_FOR", ""))
        client = environ["cti.client"] = self._client(hops, peer)
        environ["cti.proxied"] = True
        environ["cti.hidden"] = is_loopback(client) if hops else shows_proxy(environ)
        scheme = last(environ.get("HTTP_X_FORWARDED_PROTO", "")).lower()
        if scheme in ("http", "https"):
            environ["wsgi.url_scheme"] = scheme
        host = last(environ.get("HTTP_X_FORWARDED_HOST", ""))
        if HOST.fullmatch(host):
            environ["HTTP_HOST"] = host

    def _client(self, hops: list[str], peer: str) -> str:
        """Return the rightmost address that is no trusted proxy: anyone can have written what is left of it.

        ``UNKNOWN``, which has no rights, where a proxy wrote something else.
        """
        client = peer
        for hop in reversed(hops):
            client = known_address(hop)
            if not self._is_trusted(client):
                break
        return client


def addresses(forwarded: str) -> list[str]:
    """Return the entries of an ``X-Forwarded-For``; several such headers are one list (RFC 9110, 5.3)."""
    return [part.strip() for part in forwarded.split(",") if part.strip()]


def last(header: str) -> str:
    """Return the last of a comma-separated list: what the nearest proxy wrote."""
    return header.rpartition(",")[2].strip()


def known_address(hop: str) -> str:
    """Return the address in an entry of ``X-Forwarded-For``; ``UNKNOWN`` where it is none."""
    address = without_port(hop)
    return address if len(address) <= LONGEST_ADDRESS and is_address(address) else UNKNOWN


def asker(environ: Environ) -> tuple[str, Fact]:
    """Return the address that asks, as a refusal names it, and what is to be said of the proxy that passed it on."""
    client: str = environ["cti.client"]
    if environ.get("cti.hidden"):
        return client, HIDDEN
    if told := environ.get("cti.told"):
        return told[0], Text("told by the proxy {address}", address=client)
    return client, ""
