"""Errors into answers: a page for people, JSON for programs, never a trace."""

import uuid
from collections.abc import Mapping

import structlog
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from gateway.desk import framing
from gateway.desk.context import Visit
from gateway.desk.problems import said
from gateway.desk.rendering import as_json, page, private
from gateway.errors import (
    AccessError,
    BadCredentials,
    BusyError,
    CredentialsNeeded,
    DatabaseAway,
    GatewayError,
    InternalError,
    RequestError,
    TooManyAttempts,
)
from gateway.texts.languages import Language
from gateway.texts.rendering import render
from gateway.texts.text import Text

logger = structlog.get_logger()

PROBLEMS: Mapping[int, tuple[Text, Text, Text]] = {
    400: (Text("Request not understood"), Text("Go back and try again."), Text("request not understood.")),
    403: (Text("Access denied"), Text("You have no access to this page."), Text("access denied.")),
    404: (
        Text("Page not found"),
        Text("The address does not exist, or the call is not this company's."),
        Text("page not found."),
    ),
    405: (
        Text("Request not accepted"),
        Text("This page does not accept this kind of request."),
        Text("request not accepted."),
    ),
    413: (Text("Request too large"), Text("Go back and send less at a time."), Text("request too large.")),
    429: (Text("Too many attempts"), Text("Wait a minute and try again."), Text("too many attempts.")),
    500: (
        Text("Something went wrong here"),
        Text("The error was written down. If it goes on, tell the administrator."),
        Text("something went wrong here."),
    ),
    503: (
        Text("Too much at once"),
        Text("Nothing was lost. Try again in a moment."),
        Text("too much at once."),
    ),
}
"""By status: the title of the page and what to do, for people; and the sentence for programs."""
DATABASE_AWAY = (
    Text("The database does not answer"),
    Text("Nothing was lost. Calls go on; try again in a moment."),
)
"""The title of the page and what to do, where it is not that there is too much at once."""


def answer(visit: Visit, error: Exception) -> Response:
    """Return what the visitor gets for ``error``."""
    if isinstance(error, RequestRedirect):
        return redirect(error.new_url, 308)
    status, known = _known(error)
    if isinstance(known, CredentialsNeeded | BadCredentials) and not visit.by_program:
        response = _to_login(visit)
    elif visit.by_program:
        response = _for_program(visit, known, status)
    else:
        title, advice = _words(known, status)
        detail = "" if isinstance(error, HTTPException) else said(known, visit.language)
        response = page(visit, "error.html", status=status, number=status, title=title, advice=advice, detail=detail)
    if isinstance(known, AccessError) and visit.by_htmx and visit.request.method == "GET":
        response.headers["HX-Refresh"] = "true"  # a page of another session: there is no piece to show in it
    if isinstance(known, BusyError | TooManyAttempts):
        response.headers["Retry-After"] = str(known.retry_after_s)
    return response


def of_nobody(error: GatewayError, language: Language) -> Response:
    """Return the answer where the request belongs to no company."""
    return private(Response(f"{error.said(language)}\n", error.http_status, mimetype="text/plain"))


def _known(error: Exception) -> tuple[int, GatewayError]:
    """Return the status, and the error of our own tree; a defect is shown by an incident number only, and described in
    the log.
    """
    if isinstance(error, GatewayError):
        return error.http_status, error
    if isinstance(error, HTTPException):
        status = error.code or 500
        return status, RequestError(PROBLEMS.get(status, PROBLEMS[400])[2])
    incident = f"desk-{uuid.uuid4().hex[:12]}"
    logger.error("desk_failed", incident=incident, error=type(error).__name__, exc_info=error)
    return InternalError.http_status, InternalError(incident)


def _words(error: GatewayError, status: int) -> tuple[Text, Text]:
    """Return the title of the page and what to do."""
    if isinstance(error, DatabaseAway):
        return DATABASE_AWAY
    return PROBLEMS.get(status, PROBLEMS[400 if status < 500 else 500])[:2]


def _to_login(visit: Visit) -> Response:
    """Show the login; a page that was asked for is shown behind it."""
    wanted = visit.request.root_path + visit.request.full_path.rstrip("?")
    if visit.by_htmx:
        return private(Response(status=401, headers={"HX-Redirect": visit.url(visit.login)}))
    if visit.in_panel:
        lost = {framing.NOT_KEPT: 1} if framing.JUST_LOGGED_IN in visit.request.args else {}
        return private(redirect(visit.url(visit.login, **lost), 303))
    if visit.request.method != "GET" or visit.request.path == "/":
        return private(redirect(visit.url("login"), 303))
    return private(redirect(visit.url("login", next=wanted), 303))


def _for_program(visit: Visit, error: GatewayError, status: int) -> Response:
    message, hint = render(error.text, visit.language), render(error.advice, visit.language)
    told = {"ok": False, "code": error.code, "message": message, "hint": hint}
    response = as_json(told, status=status)
    # Named only to programs: a browser would ask for the password in a window of its own.
    if status == 401 and "X-Requested-With" not in visit.request.headers and visit.request.path != "/events":
        response.headers["WWW-Authenticate"] = 'Basic realm="cti-gateway", charset="UTF-8"'
    return response
