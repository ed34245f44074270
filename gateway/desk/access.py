"""Who visits: session cookies for browsers, HTTP Basic for scripts, and proof that a form is ours.

A form carries a token that only whoever holds the visitor's cookie can compute, and a browser that says
where a request comes from must say: from here. So no other web page can place calls in an agent's name.
"""

import hashlib
import hmac
import secrets
from urllib.parse import urlsplit

from werkzeug.wrappers import Request, Response

from gateway.errors import AccessError, BadCredentials
from gateway.passwords import Verifier
from gateway.store.directory import Agent, Directory

COOKIE = "cti_session"
LOGIN_COOKIE = "cti_login"
TOKEN_FIELD = "csrf"  # noqa: S105 - the name of a form field
TOKEN_HEADER = "X-CSRF-Token"  # noqa: S105 - the name of a header
SESSION_MS = 12 * 3600 * 1000
LOGIN_PAGE_S = 7 * 24 * 3600


def agent_of_cookie(directory: Directory, request: Request, tenant: str, at: int) -> Agent | None:
    """Whose session the cookie is, if it is one of this very company."""
    cookie = request.cookies.get(COOKIE)
    agent = directory.session_agent(cookie, at) if cookie else None
    return agent if agent and agent.tenant == tenant else None


def agent_of_password(verifier: Verifier, request: Request, tenant: str) -> Agent | None:
    """Who logs in by HTTP Basic. Raises ``BadCredentials`` ``TooManyAttempts`` and ``LoginsBusy``."""
    given = request.authorization
    if given is None or given.type != "basic":
        return None
    agent = verifier.verify(tenant, given.username or "", given.password or "", address_of(request))
    if agent is None:
        raise BadCredentials
    return agent


def address_of(request: Request) -> str:
    """The client's address, behind a trusted proxy the one that it forwards."""
    return str(request.environ.get("cti.client") or request.remote_addr or "")


def form_token(secret: str) -> str:
    """The token of forms shown to whoever holds the cookie ``secret``."""
    return hmac.digest(secret.encode(), b"form", hashlib.sha256).hex()


def new_secret() -> str:
    """A secret for a visitor who has no session yet."""
    return secrets.token_urlsafe(24)


def check_form(request: Request, secret: str) -> None:
    """Raises ``AccessError`` when a form was not shown by us to this very visitor."""
    given = request.headers.get(TOKEN_HEADER) or request.form.get(TOKEN_FIELD) or ""
    if not secret or not hmac.compare_digest(given.encode(), form_token(secret).encode()):
        raise AccessError("a página está velha ou não é desta empresa.", hint="Recarregue-a e tente de novo.")


def check_source(request: Request) -> None:
    """Raises ``AccessError`` when a browser says that another site makes this request."""
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        ours = site in ("same-origin", "none")
    else:
        origin = request.headers.get("Origin")
        ours = origin is None or urlsplit(origin).netloc == request.host
    if not ours:
        raise AccessError("este pedido veio de outro site.", hint="Use as páginas do próprio gateway.")


def remember(response: Response, request: Request, name: str, value: str, *, seconds: int) -> None:
    """Set a cookie for this company's pages only, out of reach of scripts."""
    response.set_cookie(
        name,
        value,
        max_age=seconds,
        path=request.root_path or "/",
        secure=request.scheme == "https",
        httponly=True,
        samesite="Lax",
    )


def forget(response: Response, request: Request, name: str) -> None:
    """Take a cookie back."""
    response.delete_cookie(name, path=request.root_path or "/", httponly=True, samesite="Lax")


def local_path(wanted: str | None, root: str) -> str | None:
    """``wanted`` if it leads to one of this company's own pages, so that a login cannot be sent elsewhere."""
    if not wanted or not wanted.startswith(f"{root}/") or wanted.startswith("//") or "\\" in wanted:
        return None
    return wanted if wanted.isprintable() else None
