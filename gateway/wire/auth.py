"""Who may: send events, have a call placed. And who asks, behind reverse proxies.

Old exchanges cannot sign requests, so the office network is the usual border for events. A call can be
started by any web page that someone in the office opens if a bare GET is enough, so click-to-call needs
credentials, except from programs on the gateway's own machine.
"""

import base64
import binascii
import hmac
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Any
from urllib.parse import parse_qs, urlsplit

from pydantic import SecretStr

from gateway.config import Tenant
from gateway.errors import AddressNotAllowed, BadCredentials, CredentialsNeeded

Environ = Mapping[str, Any]
VerifyAgent = Callable[[str, str, str], str | None]
"""``verify_agent(tenant, login, password)``: the login of the agent, or None when the password is wrong."""

NETWORKS = {
    "loopback": ("127.0.0.0/8", "::1/128"),
    "private": ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "fc00::/7", "fe80::/10"),
    "any": ("0.0.0.0/0", "::/0"),
}
UNKNOWN = "unknown"
LONGEST_ADDRESS = 64
PROXY_HEADERS = ("HTTP_X_FORWARDED_FOR", "HTTP_FORWARDED", "HTTP_X_REAL_IP")


def membership(networks: Iterable[str]) -> Callable[[str], bool]:
    """A cached test whether an address (text) lies in ``networks`` ('loopback', 'private', 'any' or CIDR)."""
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


class Proxies:
    """Tells who really asks when the peer is one of ``server.trusted_proxies``."""

    def __init__(self, trusted: Iterable[str]) -> None:
        self._any = bool(tuple(trusted))
        self._is_trusted = membership(trusted)

    def identify(self, environ: dict[str, Any]) -> None:
        """Set ``cti.client``; behind a trusted proxy also the scheme and host that the client used.

        From any other peer the ``X-Forwarded-*`` headers are ignored.
        """
        peer = environ.get("REMOTE_ADDR", "")
        environ["cti.client"] = peer
        if self._any and self._is_trusted(peer):
            self._believe(environ, peer)

    def _believe(self, environ: dict[str, Any], peer: str) -> None:
        environ["cti.proxied"] = True
        environ["cti.client"] = self._client(environ.get("HTTP_X_FORWARDED_FOR", ""), peer)
        scheme = last(environ.get("HTTP_X_FORWARDED_PROTO", "")).lower()
        if scheme in ("http", "https"):
            environ["wsgi.url_scheme"] = scheme
        if host := last(environ.get("HTTP_X_FORWARDED_HOST", "")):
            environ["HTTP_HOST"] = host

    def _client(self, forwarded: str, peer: str) -> str:
        """The rightmost address that is no trusted proxy: anyone can have written what is left of it.

        ``UNKNOWN``, which has no rights, where a proxy wrote something else.
        """
        client = peer
        for hop in reversed([part.strip() for part in forwarded.split(",") if part.strip()]):
            client = without_port(hop)
            if len(client) > LONGEST_ADDRESS or not is_address(client):
                return UNKNOWN
            if not self._is_trusted(client):
                break
        return client


def last(header: str) -> str:
    """The last of a comma-separated list: what the nearest proxy wrote."""
    return header.rpartition(",")[2].strip()


def without_port(address: str) -> str:
    """``10.0.0.1`` of ``10.0.0.1:4711``, ``::1`` of ``[::1]:4711``."""
    if address.startswith("["):
        return address[1:].partition("]")[0]
    return address.partition(":")[0] if address.count(":") == 1 else address


class Gate:
    """A tenant's two doors."""

    def __init__(self, name: str, tenant: Tenant) -> None:
        self._name = name
        self._hosts = {host.lower().partition(":")[0] for host in tenant.hosts}
        self._may_send = membership(tenant.events.allow)
        self._events_token = secret(tenant.events.token)
        self._rules = tenant.click_to_call
        self._dial_token = secret(tenant.click_to_call.token)

    @property
    def takes_event_token(self) -> bool:
        """Whether the tenant has a token for events."""
        return bool(self._events_token)

    def admit_event(self, environ: Environ, token: str) -> None:
        """Let an event in by its client's address or the tenant's token. Raises ``AddressNotAllowed``."""
        client = environ["cti.client"]
        if self._may_send(client):
            return
        if not any(same(given, self._events_token) for given in (token, header_token(environ))):
            raise AddressNotAllowed(client)

    def admit_dialling(
        self, environ: Environ, token: str, verify_agent: VerifyAgent, *, in_body: tuple[str, str] | None = None
    ) -> str | None:
        """Let a click-to-call in; returns the agent's login where an agent's password let it in.

        ``in_body`` is a login and password among the parameters, as good as those of HTTP Basic.
        Raises ``CredentialsNeeded``, ``BadCredentials`` and whatever ``verify_agent`` raises.
        """
        if self._rules.open_loopback and self._is_local_program(environ):
            return None
        given = {"header": header_token(environ), "query": token, "basic": basic(environ) or in_body}
        wanted: list[str] = [kind for kind in ("header", "query", "basic") if kind in self._rules.auth]
        present = [kind for kind in wanted if given[kind]]
        if not present or (self._rules.require_all and present != wanted):
            raise CredentialsNeeded
        return self._verify(given, present, verify_agent)

    def _verify(self, given: Mapping[str, Any], present: list[str], verify_agent: VerifyAgent) -> str | None:
        """Tokens come first: comparing one costs nothing, a password is slow to check on purpose."""
        login = None
        for kind in present:
            if kind == "basic":
                good = bool(login := verify_agent(self._name, *given[kind]))
            else:
                good = same(given[kind], self._dial_token)
            if good and not self._rules.require_all:
                return login
            if not good and (self._rules.require_all or kind == present[-1]):
                raise BadCredentials
        return login

    def _is_local_program(self, environ: Environ) -> bool:
        """Whether a program on this machine asks: no proxy nobody told us of, no page in a browser."""
        if not is_loopback(environ["cti.client"]):
            return False
        if not environ.get("cti.proxied") and any(header in environ for header in PROXY_HEADERS):
            return False
        return not crosses_sites(environ) and self._is_our_host(environ.get("HTTP_HOST", ""))

    def _is_our_host(self, header: str) -> bool:
        """Whether the Host header names this machine or this tenant.

        A page can point a host name of its own at 127.0.0.1 (DNS rebinding): to the browser it is then the
        same site.
        """
        host = without_port(header).lower()
        if not host or host == "localhost" or host in self._hosts:
            return True
        return is_address(host) or (host.partition(".")[0] == self._name != "default")


def crosses_sites(environ: Environ) -> bool:
    """Whether a browser says that a page of another site makes this request."""
    if environ.get("HTTP_SEC_FETCH_SITE", "").lower() in ("cross-site", "same-site"):
        return True
    origin: str = environ.get("HTTP_ORIGIN", "")
    return bool(origin) and host_of(origin) != environ.get("HTTP_HOST", "").lower()


def host_of(origin: str) -> str | None:
    """Host and port in small letters; None where ``origin`` is no address."""
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:
        return None


def is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def secret(value: SecretStr | None) -> bytes:
    return value.get_secret_value().encode() if value else b""


def same(given: str, expected: bytes) -> bool:
    """Compare in constant time; a token that is not configured equals nothing."""
    return bool(expected) and hmac.compare_digest(given.encode("utf-8", "replace"), expected)


def header_token(environ: Environ) -> str:
    """The token of the header ``token_auth``, else of ``Authorization: Bearer``."""
    found: str = environ.get("HTTP_TOKEN_AUTH", "")
    if found:
        return found
    kind, _, value = environ.get("HTTP_AUTHORIZATION", "").partition(" ")
    return value.strip() if kind.lower() == "bearer" else ""


def basic(environ: Environ) -> tuple[str, str] | None:
    """Login and password of HTTP Basic, in UTF-8 or Latin-1; None when there are none."""
    kind, _, value = environ.get("HTTP_AUTHORIZATION", "").partition(" ")
    if kind.lower() != "basic":
        return None
    try:
        raw = base64.b64decode(value.strip(), validate=True)
    except (binascii.Error, ValueError):
        return None
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        text = raw.decode("latin-1")
    login, colon, password = text.partition(":")
    return (login, password) if colon else None


def query_token(environ: Environ) -> str:
    """The parameter ``token`` in the address of a request whose parameters are in its body."""
    query = environ.get("QUERY_STRING")
    return parse_qs(query, errors="replace").get("token", [""])[0] if query else ""
