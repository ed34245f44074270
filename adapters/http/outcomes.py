"""Every way in which an exchange can end: as an outcome, as a code by which others decide, and as a sentence."""

import http.client
import logging
import socket
import ssl
from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from typing import TypeVar

from urllib3.exceptions import HTTPError

from adapters.http.connection import AnswerTooLarge, ConnectTimeout, NotConnected
from adapters.http.reach import PrivateAddress
from adapters.http.tls import OLD, NoAuthorities, WrongCertificate
from gateway.adapter import Outcome, defect_of
from gateway.errors import AdapterError
from gateway.texts.text import Text, verbatim

T = TypeVar("T")
log = logging.getLogger(__name__)


class FailureCode(StrEnum):
    """Why no answer came that could be read."""

    ANSWER_TOO_LARGE = "answer_too_large"
    NO_SUCH_HOST = "no_such_host"
    PRIVATE_ADDRESS = "private_address"
    CONNECTION_REFUSED = "connection_refused"
    NO_AUTHORITIES = "no_authorities"
    WRONG_CERTIFICATE = "wrong_certificate"
    UNTRUSTED_CERTIFICATE = "untrusted_certificate"
    OLD_TLS = "old_tls"
    NO_TLS = "no_tls"
    TLS_FAILED = "tls_failed"
    NO_ROUTE = "no_route"
    CONNECT_TIMEOUT = "connect_timeout"
    ANSWER_TIMEOUT = "answer_timeout"
    CONNECTION_LOST = "connection_lost"
    CLOSED_UNANSWERED = "closed_unanswered"
    HALF_AN_ANSWER = "half_an_answer"
    INVALID_ADDRESS = "invalid_address"
    NO_HTTP = "no_http"
    INVALID_HTTP = "invalid_http"
    OTHER = "other"


class Failed(Exception):
    """No answer that could be read: the outcome, the reason to end a sentence with, and its code."""

    def __init__(self, outcome: Outcome, reason: Text | str, code: FailureCode = FailureCode.OTHER) -> None:
        super().__init__(reason)
        self.outcome = outcome
        self.reason = reason
        self.code = code


def built(make: Callable[[], T]) -> T:
    """Return what ``make`` makes, before anything was sent.

    Raises ``Failed`` and ``AdapterError``: anything else that a library stumbles over becomes the latter, or the
    attempt would count as one whose end is unknown.
    """
    try:
        return make()
    except (AdapterError, Failed):
        raise
    except Exception as error:
        log.error("an adapter failed before anything was sent: %s", defect_of(error))
        raise AdapterError(Text("the adapter has a defect: {defect}", defect=defect_of(error))) from error


OPENINGS: Mapping[Outcome, Text] = {
    Outcome.ACCEPTED: Text("The appliance {name!r} accepted the order"),
    Outcome.REFUSED: Text("The appliance {name!r} refused"),
    Outcome.UNREACHABLE: Text("The appliance {name!r} was not reached and nothing was sent"),
    Outcome.UNKNOWN: Text("The appliance {name!r} gave no clear answer and the order may have been carried out"),
}
"""How a sentence about an attempt begins."""

STATUS: Mapping[int, Text] = {
    401: Text("user or password"),
    403: Text("access denied"),
    404: Text("address not found"),
    405: Text("method not accepted"),
    429: Text("too many orders"),
    503: Text("service not available"),
}
"""What statuses of HTTP mean."""

_KINDS: tuple[tuple[type[BaseException], FailureCode], ...] = (
    (AnswerTooLarge, FailureCode.ANSWER_TOO_LARGE),
    (socket.gaierror, FailureCode.NO_SUCH_HOST),
    (PrivateAddress, FailureCode.PRIVATE_ADDRESS),
    (ConnectionRefusedError, FailureCode.CONNECTION_REFUSED),
    (NoAuthorities, FailureCode.NO_AUTHORITIES),
    (WrongCertificate, FailureCode.WRONG_CERTIFICATE),
    (ssl.SSLCertVerificationError, FailureCode.UNTRUSTED_CERTIFICATE),
    (ssl.SSLError, FailureCode.TLS_FAILED),
    (NotConnected, FailureCode.NO_ROUTE),
    (ConnectTimeout, FailureCode.CONNECT_TIMEOUT),
    (TimeoutError, FailureCode.ANSWER_TIMEOUT),
    (ConnectionError, FailureCode.CONNECTION_LOST),
    (http.client.RemoteDisconnected, FailureCode.CLOSED_UNANSWERED),
    (http.client.IncompleteRead, FailureCode.HALF_AN_ANSWER),
    (http.client.InvalidURL, FailureCode.INVALID_ADDRESS),
    (http.client.HTTPException, FailureCode.NO_HTTP),
    (HTTPError, FailureCode.INVALID_HTTP),
)
"""The first of these kinds that an error, or one within it, is of."""

NOT_TLS = frozenset({"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "HTTPS_PROXY_REQUEST", "UNKNOWN_PROTOCOL"})
"""OpenSSL's reasons when what came back is no TLS at all."""

_REASONS: Mapping[FailureCode, Text] = {
    FailureCode.ANSWER_TOO_LARGE: Text("the answer is too large"),
    FailureCode.NO_SUCH_HOST: Text("the host's name was not found"),
    FailureCode.PRIVATE_ADDRESS: Text("the host's name leads to a private address, which public_only forbids"),
    FailureCode.CONNECTION_REFUSED: Text("connection refused"),
    FailureCode.NO_AUTHORITIES: Text("the file that tls_verify names does not exist or holds no certificates"),
    FailureCode.WRONG_CERTIFICATE: Text("the TLS certificate is not the one that tls_pin names"),
    FailureCode.UNTRUSTED_CERTIFICATE: Text("the TLS certificate is not trusted"),
    FailureCode.OLD_TLS: Text("the TLS negotiation failed, as with old TLS (see tls_minimum and tls_ciphers)"),
    FailureCode.NO_TLS: Text("the port does not speak TLS"),
    FailureCode.TLS_FAILED: Text("the TLS negotiation failed"),
    FailureCode.NO_ROUTE: Text("the network does not lead to it"),
    FailureCode.CONNECT_TIMEOUT: Text("the connection was not accepted within {connect} s"),
    FailureCode.ANSWER_TIMEOUT: Text("no complete answer within {total} s"),
    FailureCode.CONNECTION_LOST: Text("the connection was cut"),
    FailureCode.CLOSED_UNANSWERED: Text("the connection was closed without an answer"),
    FailureCode.HALF_AN_ANSWER: Text("only half of the answer came"),
    FailureCode.INVALID_ADDRESS: Text("the address or a header is invalid"),
    FailureCode.NO_HTTP: Text("the answer is not HTTP"),
    FailureCode.INVALID_HTTP: Text("the answer is no valid HTTP"),
    FailureCode.OTHER: Text("the address or a header is invalid"),
}
_UNTRUSTED: Mapping[int, Text] = {
    10: Text("it has expired"),
    18: Text("it is self-signed"),
    19: Text("it is of an authority of its own"),
    20: Text("the authority that signs it is not known here"),
    62: Text("it is another name's"),
    64: Text("it is another address's"),
}
"""By OpenSSL's X509_V_ERR numbers."""

ADVICE: Mapping[FailureCode, Text] = {
    FailureCode.NO_SUCH_HOST: Text("check the name, or this machine's DNS"),
    FailureCode.PRIVATE_ADDRESS: Text("write out the address itself, or public_only = false in its table"),
    FailureCode.CONNECTION_REFUSED: Text(
        "nothing listens at this address and port: check the port, and whether the service is on"
    ),
    FailureCode.NO_ROUTE: Text("check the address and the route"),
    FailureCode.CONNECT_TIMEOUT: Text("check the address and the firewalls on the way"),
    FailureCode.NO_HTTP: Text("something else listens on this port, or it expects https"),
    FailureCode.INVALID_HTTP: Text("something else listens on this port, or it expects https"),
    FailureCode.NO_TLS: Text("check the port, or write http instead of https"),
    FailureCode.ANSWER_TIMEOUT: Text(
        "it accepts connections and does not answer: it hangs, or something else listens on this port"
    ),
    FailureCode.CONNECTION_LOST: Text("something else may listen on this port, or it expects https"),
}
"""What an administrator can do."""
OF_CERTIFICATE = (FailureCode.WRONG_CERTIFICATE, FailureCode.UNTRUSTED_CERTIFICATE)
"""What the peer's own certificate may be pinned against."""


def advised(reason: Text | str, advice: Text | None) -> Text | str:
    """Return ``reason`` with what can be done about it, if anything."""
    return Text("{reason}; {advice}", reason=reason, advice=advice) if advice else reason


def outcome_of_status(status: int) -> Outcome:
    """Return what a bare HTTP status says: 4xx and 503 are a no; redirects and other 5xx are not clear."""
    return Outcome.REFUSED if 400 <= status < 500 or status == 503 else Outcome.UNKNOWN


def status_text(status: int) -> Text:
    """Return an HTTP status with what it means."""
    meaning = STATUS.get(status)
    return Text("HTTP {status} ({meaning})", status=status, meaning=meaning) if meaning else verbatim(f"HTTP {status}")


def code_of(error: BaseException) -> FailureCode:
    """Return what kind of failure ``error`` is."""
    errors = list(_chain(error))
    refused_by = {getattr(inner, "reason", None) for inner in errors if isinstance(inner, ssl.SSLError)}
    if not refused_by.isdisjoint(OLD):
        return FailureCode.OLD_TLS
    if not refused_by.isdisjoint(NOT_TLS):
        return FailureCode.NO_TLS
    return next((code for kind, code in _KINDS if any(isinstance(inner, kind) for inner in errors)), FailureCode.OTHER)


def reason_of(error: BaseException, *, connect_s: float, total_s: float) -> Text:
    """Return what went wrong, to end a sentence with; it quotes nothing of the request."""
    code = code_of(error)
    why = _untrusted(error) if code is FailureCode.UNTRUSTED_CERTIFICATE else None
    if why:
        return Text("the TLS certificate is not trusted ({why})", why=why)
    connect, total = format(connect_s, "g"), format(total_s, "g")
    return Text(_REASONS[code].id, connect=connect, total=total)


def _untrusted(error: BaseException) -> Text | None:
    refused = (inner for inner in _chain(error) if isinstance(inner, ssl.SSLCertVerificationError))
    return next((_UNTRUSTED.get(getattr(inner, "verify_code", 0)) for inner in refused), None)


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and all that it wraps."""
    yield error
    for inner in (*error.args, error.__cause__):
        if isinstance(inner, BaseException):
            yield from _chain(inner)
