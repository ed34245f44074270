"""What every wire is to the entrance: it serves a request, or says in its own words why it cannot."""

from http import HTTPStatus
from typing import Any, NamedTuple, Protocol

from gateway.errors import AccessError, BusyError, GatewayError, TooManyAttempts, WrongMethod
from gateway.texts.languages import DEFAULT, Language
from gateway.wire.sites import Site

Environ = dict[str, Any]
Headers = list[tuple[str, str]]

STATUS_LINES = {code: f"{code} Status" for code in range(200, 600)} | {
    status.value: f"{status.value} {status.phrase}" for status in HTTPStatus
}
"""Every status that can be configured, those without a registered phrase too."""
TEXT = "text/plain; charset=utf-8"
JSON = "application/json; charset=utf-8"
REMARKS = "cti.remarks"
"""In the environ: what the traffic log is to say of this request."""
LANGUAGE = "cti.language"
"""In the environ: in which language this request is answered."""


class Answer(NamedTuple):
    """One HTTP answer: status line, headers with Content-Length, body."""

    status: str
    headers: Headers
    body: bytes


class Transport(Protocol):
    """One wire. ``wire`` is its name in messages and metrics."""

    wire: str

    def serve(self, environ: Environ, site: Site) -> Answer:
        """Parse, perform, render. Raises whatever goes wrong; the entrance hands it to ``refuse``."""

    def refuse(self, error: GatewayError, environ: Environ) -> Answer:
        """Render ``error`` the way this wire's clients understand it."""


def answer(status: int, kind: str, body: bytes, extra: Headers | None = None) -> Answer:
    """Return an answer of media type ``kind``."""
    headers = [("Content-Type", kind), ("Content-Length", str(len(body)))]
    return Answer(STATUS_LINES[status], headers + extra if extra else headers, body)


def headers_of(error: GatewayError) -> Headers:
    """Return the HTTP headers that belong to ``error`` on every wire."""
    if isinstance(error, WrongMethod):
        return [("Allow", ", ".join(error.allowed))]
    if isinstance(error, BusyError | TooManyAttempts):
        return [("Retry-After", str(error.retry_after_s))]
    if isinstance(error, AccessError) and error.http_status == HTTPStatus.UNAUTHORIZED:
        return [("WWW-Authenticate", 'Basic realm="cti-gateway", charset="UTF-8"')]
    return []


def language_of(environ: Environ) -> Language:
    """Return the language of answers to machines: the company's, the gateway's while it is not known."""
    found: Language = environ.get(LANGUAGE, DEFAULT)
    return found


def refuse_as_text(error: GatewayError, language: Language, *, status: int | None = None) -> Answer:
    """Answer with one line of text, the error's code and sentence; ``status`` instead of the error's own."""
    line = " ".join(error.said(language).split())
    return answer(status or error.http_status, TEXT, f"ERRO {error.code}: {line}\n".encode(), headers_of(error))
