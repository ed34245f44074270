"""Who may: send events, have a call placed.

Old exchanges cannot sign requests, so the office network is the usual border for events. A call can be
started by any web page that someone in the office opens if a bare GET is enough, so click-to-call needs
credentials, except from programs on the gateway's own machine. docs/security.md tells all of it threat by threat.
"""

import base64
import binascii
import hmac
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol
from urllib.parse import parse_qs

from pydantic import SecretStr

from gateway.config.tables import TenantSettings
from gateway.errors import AddressNotAllowed, BadCredentials, CredentialsNeeded, ForeignPage
from gateway.wire.clients import Networks, asker, is_loopback
from gateway.wire.hosts import bare_host, foreign_page, names_this_machine

Environ = Mapping[str, Any]
VerifyAgent = Callable[[str, str, str], str | None]
"""``verify_agent(tenant, login, password)``: the login of the agent, or None when the password is wrong."""

BROWSER = "Mozilla/5.0"


PLAIN_LISTENERS = ""
"""Where wrong tokens of events are counted, beside the sources, none of which can have this name."""


class Guesses(Protocol):
    """Who counts wrong secrets: ``gateway.logins.guesses.SourceGuesses``."""

    def check(self, tenant: str, source: str, address: str) -> None: ...

    def right(self, tenant: str, source: str, address: str) -> None: ...

    def wrong(self, tenant: str, source: str, address: str, guess: str) -> None: ...


class Gate:
    """A tenant's two doors."""

    def __init__(self, name: str, tenant: TenantSettings, guesses: Guesses) -> None:
        self._guesses = guesses
        self._name = name
        self._hosts = {bare_host(host) for host in tenant.hosts}
        self._senders = Networks(tenant.events.allow)
        self._events_tokens = tuple(filter(None, map(secret, tenant.events.token)))
        self._rules = tenant.click_to_call
        self._dial_token = secret(tenant.click_to_call.token)

    @property
    def takes_event_token(self) -> bool:
        """Whether the tenant has a token for events."""
        return bool(self._events_tokens)

    def admit_event(self, environ: Environ, token: str) -> None:
        """Let an event in by its client's address or the tenant's token.

        Raises ``AddressNotAllowed``, and ``ForeignPage`` where only the address would let it in: no exchange is a
        page in a browser, whose own address may well be allowed. Raises ``TooManyAttempts`` where too many wrong tokens
        came from there.
        """
        allowed, page = self._senders.admit(environ), foreign_page(environ)
        if allowed and not page:
            return
        if self._events_tokens and self._is_proven([token, header_token(environ)], environ["cti.client"]):
            return
        if not allowed:
            raise AddressNotAllowed(*asker(environ))
        raise ForeignPage(page)

    def _is_proven(self, given: Iterable[str], address: str) -> bool:
        """Return whether one of the tokens ``given`` is right; wrong ones count. Raises ``TooManyAttempts``."""
        tokens = [token for token in given if token]
        if not tokens:
            return False
        self._guesses.check(self._name, PLAIN_LISTENERS, address)
        good = any(same_as_any(token, self._events_tokens) for token in tokens)
        if good:
            self._guesses.right(self._name, PLAIN_LISTENERS, address)
        else:
            self._guesses.wrong(self._name, PLAIN_LISTENERS, address, "\n".join(tokens))
        return good

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
        """Check the credentials and return the login. Tokens come first: comparing one costs nothing, a password is
        slow to check on purpose. Raises ``BadCredentials``.
        """
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
        """Return whether a program on this machine asks: not one behind a proxy, nor a page in a browser."""
        if environ.get("cti.proxied") or not is_loopback(environ["cti.client"]):
            return False
        return not foreign_page(environ) and self._is_asked_for(environ)

    def _is_asked_for(self, environ: Environ) -> bool:
        """Return whether Host names this machine, or is one of the tenant's configured hosts, or is missing (HTTP/1.0).

        Browsers always send one, and a page can point a host name of its own at 127.0.0.1 (DNS rebinding), the
        tenant's name in front: to the browser it is then the same site. To a configured host that this machine calls
        itself by, a browser without ``Sec-Fetch-Site`` may be sent by any page that leaves out its Referer.
        """
        host = environ.get("HTTP_HOST", "")
        if not host or names_this_machine(host):
            return True
        silent_browser = "HTTP_SEC_FETCH_SITE" not in environ and BROWSER in environ.get("HTTP_USER_AGENT", "")
        return bare_host(host) in self._hosts and not silent_browser


def secret(value: SecretStr | None) -> bytes:
    return value.get_secret_value().encode() if value else b""


def same(given: str, expected: bytes) -> bool:
    """Compare in constant time; a token that is not configured equals nothing."""
    return bool(expected) and hmac.compare_digest(given.encode("utf-8", "replace"), expected)


def same_as_any(given: str, expected: Iterable[bytes]) -> bool:
    """Compare with all of ``expected``, so that the time does not tell which of them it was."""
    return sum(same(given, each) for each in expected) > 0


def header_token(environ: Environ) -> str:
    """Return the token of the header ``token_auth`` (or ``Token-Auth``), ``X-Token-Auth``, or ``Authorization:
    Bearer``.

    nginx takes names with underscores for invalid (``underscores_in_headers``, off by default); ``X-Token-Auth`` is how
    it hands ``token_auth`` over.
    """
    found: str = environ.get("HTTP_TOKEN_AUTH", "") or environ.get("HTTP_X_TOKEN_AUTH", "")
    if found:
        return found
    kind, _, value = environ.get("HTTP_AUTHORIZATION", "").partition(" ")
    return value.strip() if kind.lower() == "bearer" else ""


def basic(environ: Environ) -> tuple[str, str] | None:
    """Return login and password of HTTP Basic, in UTF-8 or Latin-1; None when there are none."""
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
    """Return the parameter ``token`` in the address of a request whose parameters are in its body."""
    query = environ.get("QUERY_STRING")
    return parse_qs(query, errors="replace").get("token", [""])[0] if query else ""
