"""Who visits: session cookies for browsers, HTTP Basic for scripts, and proof that a form is ours.

A form carries a token that only whoever holds the visitor's cookie can compute, and a browser that says
where a request comes from must say: from here. So no other web page can place calls in an agent's name.
"""

import hashlib
import hmac
import secrets
from urllib.parse import urlsplit

from werkzeug.wrappers import Request, Response

from gateway.desk.framing import is_panel
from gateway.errors import AccessError, BadCredentials
from gateway.logins.passwords import Verifier
from gateway.store.directory import Agent, Directory
from gateway.store.program_sessions import PREFIX
from gateway.texts.text import Text

COOKIE = "cti_session"
LOGIN_COOKIE = "cti_login"
FRAMED_COOKIE = "cti_panel"
"""The session of the panel inside another site's page: browsers send that site's partition of it only."""
TOKEN_FIELD = "csrf"  # noqa: S105 - the name of a form field
TOKEN_HEADER = "X-CSRF-Token"  # noqa: S105 - the name of a header
SESSION_FIELD = "sessao"
SESSION_MS = 12 * 3600 * 1000
LOGIN_PAGE_S = 7 * 24 * 3600


def agent_of_cookie(
    directory: Directory, request: Request, tenant: str, at: int, *, framed: bool = False
) -> tuple[Agent, str] | None:
    """Return the agent whose session the cookie names, if it is of this very company, and the cookie's value.

    None where two sessions came: a page of a parent domain can set a cookie of the same name, to have someone work in
    a session that is not his own. With ``framed`` also the cookie of the panel inside another site's page counts.
    """
    for name in (COOKIE, FRAMED_COOKIE) if framed else (COOKIE,):
        found = [(agent, cookie) for cookie in cookies(request, name) if (agent := directory.session_agent(cookie, at))]
        ours = [(agent, cookie) for agent, cookie in found if agent.tenant == tenant]
        if ours:
            return ours[0] if len(ours) == 1 else None
    return None


def is_own_or_opened(request: Request) -> bool:
    """Return whether our own page asks, or a browser opens a page of ours: in a tab, or the panel in a frame.

    Browsers without partitions send the panel's cookie with whatever any page asks of us.
    """
    if request.headers.get("Sec-Fetch-Site", "same-origin") in ("same-origin", "none"):
        return True
    opens = request.method == "GET" and request.headers.get("Sec-Fetch-Mode") == "navigate"
    return opens and (request.headers.get("Sec-Fetch-Dest") == "document" or is_panel(request.path))


def cookies(request: Request, name: str) -> list[str]:
    """Return the different values of the cookie ``name``; a browser sends one for each path and domain that set it."""
    return list(dict.fromkeys(value for value in request.cookies.getlist(cookie_name(request, name)) if value))


def cookie_name(request: Request, name: str) -> str:
    """Return the name that ``name`` has in the browser.

    Over https it begins with ``__Host-``: browsers take such a cookie from this very host only, not from a parent
    domain and not over http. It then holds for all paths, so a company that has a path of its own is in the name.
    """
    if request.scheme != "https":
        return name
    company = f"-{request.environ.get('cti.tenant', '')}" if request.root_path else ""
    return f"__Host-{name}{company}"


def cookie_path(request: Request) -> str:
    return "/" if request.scheme == "https" else request.root_path or "/"


def agent_of_password(verifier: Verifier, request: Request, tenant: str) -> Agent | None:
    """Return the agent who logs in by HTTP Basic. Raises ``BadCredentials``, ``TooManyAttempts`` and ``LoginsBusy``."""
    given = request.authorization
    if given is None or given.type != "basic":
        return None
    agent = verifier.verify(tenant, given.username or "", given.password or "", address_of(request))
    if agent is None:
        raise BadCredentials
    return agent


def agent_of_token(directory: Directory, request: Request, tenant: str, at: int) -> tuple[Agent, str] | None:
    """Return the agent whose program's token came as ``Authorization: Bearer``, and the token; None without one.

    Raises ``BadCredentials``, also for a token of another company.
    """
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() != "bearer" or not token.startswith(PREFIX):
        return None
    agent = directory.session_agent(token, at, of_program=True)
    if agent is None or agent.tenant != tenant:
        raise BadCredentials
    return agent, token


def address_of(request: Request) -> str:
    """Return the client's address, behind a trusted proxy the one that it forwards."""
    return str(request.environ.get("cti.client") or request.remote_addr or "")


def form_token(secret: str) -> str:
    """Return the token of forms shown to whoever holds the cookie ``secret``."""
    return hmac.digest(secret.encode(), b"form", hashlib.sha256).hex()


def session_mark(secret: str) -> str:
    """Return a public name of the session with the cookie ``secret``: tabs of one browser know each other by it."""
    return hmac.digest(secret.encode(), b"session", hashlib.sha256).hex()[:16]


def new_secret() -> str:
    """Make a secret for a visitor who has no session yet."""
    return secrets.token_urlsafe(24)


def check_form(request: Request, secret: str) -> None:
    """Refuse a form that was not shown by us to this very visitor. Raises ``AccessError``."""
    given = request.headers.get(TOKEN_HEADER) or request.form.get(TOKEN_FIELD) or ""
    if not secret or not hmac.compare_digest(given.encode(), form_token(secret).encode()):
        raise stale_page()


def is_own_login(request: Request) -> bool:
    """Return whether the login form was filled in on a page of ours, not on another site's, made to log a visitor in as
    somebody else.

    The browser's word counts before the cookie's: each login page that is opened has a cookie of its own, also in
    another tab.
    """
    if (
        request.headers.get("Sec-Fetch-Site") == "same-origin"
        or _host_of(request.headers.get("Origin", "")) == request.host
    ):
        return True
    found = cookies(request, LOGIN_COOKIE)
    try:
        check_form(request, found[0] if len(found) == 1 else "")
    except AccessError:
        return False
    return True


def check_page(request: Request, secret: str) -> None:
    """Refuse a page of another session: what it would get is another agent's. Raises ``AccessError``."""
    token, mark = request.headers.get(TOKEN_HEADER), request.args.get(SESSION_FIELD)
    if token is not None:
        check_form(request, secret)
    if mark is not None and not hmac.compare_digest(mark.encode(), session_mark(secret).encode()):
        raise stale_page()


def stale_page() -> AccessError:
    """Return the error of a page that was shown to somebody else, or before the last login."""
    return AccessError(Text("the page is old, or not this company's."), hint=Text("Load it again and try once more."))


def check_source(request: Request) -> None:
    """Refuse a request of which a browser says that another site makes it. Raises ``AccessError``.

    Old browsers, and all of them to addresses without https, leave out ``Sec-Fetch-Site``; some then also ``Origin``.
    """
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        ours = site in ("same-origin", "none")
    else:
        page = request.headers.get("Origin") or request.headers.get("Referer")
        ours = not page or _host_of(page) == request.host
    if not ours:
        raise AccessError(Text("this request came from another site."), hint=Text("Use the gateway's own pages."))


def _host_of(url: str) -> str | None:
    """Return host and port of ``url``; None where it is no address."""
    try:
        return urlsplit(url).netloc
    except ValueError:
        return None


def session_cookie(request: Request, *, framed: bool) -> str:
    """Return the cookie that a new session gets: inside another site's page one that goes there, which takes https."""
    return FRAMED_COOKIE if framed and request.scheme == "https" else COOKIE


def remember(response: Response, request: Request, name: str, value: str, *, seconds: int) -> None:
    """Set a cookie for this company's pages only, out of reach of scripts."""
    framed = name == FRAMED_COOKIE
    response.set_cookie(
        cookie_name(request, name),
        value,
        max_age=seconds,
        path=cookie_path(request),
        secure=request.scheme == "https",
        httponly=True,
        samesite="None" if framed else "Lax",
        partitioned=framed,
    )


def forget(response: Response, request: Request, name: str) -> None:
    """Take a cookie back."""
    framed = name == FRAMED_COOKIE
    response.delete_cookie(
        cookie_name(request, name),
        path=cookie_path(request),
        secure=request.scheme == "https",
        httponly=True,
        samesite="None" if framed else "Lax",
        partitioned=framed,
    )


def local_path(wanted: str | None, root: str) -> str | None:
    """Return ``wanted`` if it leads to one of this company's own pages, so that a login cannot be sent elsewhere."""
    if not wanted or not wanted.startswith(f"{root}/") or wanted.startswith("//") or "\\" in wanted:
        return None
    return wanted if wanted.isprintable() else None
