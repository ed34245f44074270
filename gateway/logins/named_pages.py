"""Web pages that a company names: what scripts of theirs may ask the gateway for (CORS).

Browsers set ``Origin`` themselves, so a page that is not named can neither read an answer nor act for an agent.
The rules are the Fetch standard's, and Chrome's for pages of the internet that reach into a private network.
"""

from collections.abc import Collection, Mapping
from typing import Any

Headers = list[tuple[str, str]]

METHODS = "GET, POST, PUT"
REQUEST_HEADERS = (
    "Authorization, Content-Type, Idempotency-Key, Token-Auth, X-CSRF-Token, X-Requested-With, X-Token-Auth, token_auth"
)
PREFLIGHT_S = "600"
PRIVATE_NETWORK = "HTTP_ACCESS_CONTROL_REQUEST_PRIVATE_NETWORK"


def named_origin(environ: Mapping[str, Any], origins: Collection[str]) -> str:
    """Return the origin of the page that asks, if the company names it; else nothing."""
    origin: str = environ.get("HTTP_ORIGIN", "")
    return origin if origin in origins else ""


def is_preflight(environ: Mapping[str, Any]) -> bool:
    """Return whether a browser asks whether a page's script may send a request."""
    return environ["REQUEST_METHOD"] == "OPTIONS" and "HTTP_ACCESS_CONTROL_REQUEST_METHOD" in environ


def preflight_headers(environ: Mapping[str, Any]) -> Headers:
    """Return what a script of a named page may send, for the answer to a preflight."""
    allowed = [
        ("Access-Control-Allow-Methods", METHODS),
        ("Access-Control-Allow-Headers", REQUEST_HEADERS),
        ("Access-Control-Max-Age", PREFLIGHT_S),
    ]
    if environ.get(PRIVATE_NETWORK) == "true":
        allowed.append(("Access-Control-Allow-Private-Network", "true"))
    return allowed


def shared_headers(environ: Mapping[str, Any], origins: Collection[str], *, credentials: bool = False) -> Headers:
    """Return what lets the script of a named page read an answer, with the agent's cookie where ``credentials``."""
    if not origins:
        return []
    origin = named_origin(environ, origins)
    if not origin:
        return [("Vary", "Origin")]
    told = [("Vary", "Origin"), ("Access-Control-Allow-Origin", origin)]
    told += [("Access-Control-Allow-Credentials", "true")] if credentials else []
    return [*told, ("Access-Control-Expose-Headers", "Retry-After")]
