"""Every way in which an exchange can end, as an outcome and a sentence in Portuguese."""

import http.client
import logging
import socket
import ssl
from collections.abc import Callable, Iterator
from typing import TypeVar

from urllib3.exceptions import HTTPError

from adapters.http.connection import AnswerTooLarge, ConnectTimeout, NotConnected
from adapters.http.tls import OLD, NoAuthorities, WrongCertificate
from gateway.adapter import Outcome, defect_of
from gateway.errors import AdapterError

T = TypeVar("T")
log = logging.getLogger(__name__)


class Failed(Exception):
    """No answer that could be read: the outcome, and the reason in Portuguese to end a sentence with."""

    def __init__(self, outcome: Outcome, reason: str) -> None:
        super().__init__(reason)
        self.outcome = outcome
        self.reason = reason


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
        raise AdapterError(f"the adapter has a defect: {defect_of(error)}") from error


OPENINGS = {
    Outcome.ACCEPTED: "A central {!r} aceitou o pedido",
    Outcome.REFUSED: "A central {!r} recusou",
    Outcome.UNREACHABLE: "A central {!r} não foi alcançada e nada foi enviado",
    Outcome.UNKNOWN: "A central {!r} não deu resposta clara e o pedido pode ter sido atendido",
}

STATUS = {
    401: "usuário ou senha",
    403: "acesso negado",
    404: "endereço não encontrado",
    405: "método não aceito",
    429: "pedidos demais",
    503: "serviço indisponível",
}

INVALID = "o endereço ou um cabeçalho é inválido"

_REASONS: tuple[tuple[type[BaseException], str], ...] = (
    (AnswerTooLarge, "a resposta é grande demais"),
    (socket.gaierror, "o nome do host não foi encontrado"),
    (ConnectionRefusedError, "conexão recusada"),
    (NoAuthorities, "o arquivo que tls_verify indica não existe ou não contém certificados"),
    (WrongCertificate, "o certificado TLS não é o que tls_pin fixa"),
    (ssl.SSLCertVerificationError, "o certificado TLS não é confiável{why}"),
    (ssl.SSLError, "a negociação TLS falhou"),
    (NotConnected, "a rede não leva até ela"),
    (ConnectTimeout, "a conexão não foi aceita em {connect:g} s"),
    (TimeoutError, "sem resposta completa em {total:g} s"),
    (ConnectionError, "a conexão foi cortada"),
    (http.client.RemoteDisconnected, "a conexão foi fechada sem resposta"),
    (http.client.IncompleteRead, "a resposta veio pela metade"),
    (http.client.InvalidURL, INVALID),
    (http.client.HTTPException, "a resposta não é HTTP"),
    (HTTPError, "a resposta não é HTTP válido"),
)


NOT_TLS = frozenset({"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "HTTPS_PROXY_REQUEST", "UNKNOWN_PROTOCOL"})
"""OpenSSL's reasons when what came back is no TLS at all."""
_UNTRUSTED = {
    10: " (está vencido)",
    18: " (é autoassinado)",
    19: " (é de uma autoridade própria)",
    20: " (a autoridade que o assina não é conhecida aqui)",
    62: " (é de outro nome)",
    64: " (é de outro endereço)",
}
"""By OpenSSL's X509_V_ERR numbers."""


def _untrusted(error: ssl.SSLCertVerificationError) -> str:
    return _UNTRUSTED.get(getattr(error, "verify_code", 0), "")


ADVICE = {
    "o nome do host": "confira o nome, ou o DNS desta máquina",
    "conexão recusada": "nada escuta neste endereço e porta: confira a porta e se o serviço está ligado",
    "a rede não leva": "confira o endereço e a rota",
    "a conexão não foi aceita": "confira o endereço e os firewalls no caminho",
    "a resposta não é HTTP": "outra coisa escuta nesta porta, ou ela espera https",
    "a porta não fala TLS": "confira a porta, ou escreva http em vez de https",
    "sem resposta completa": "ela aceita conexões e não responde: está travada, ou outra coisa escuta nesta porta",
    "a conexão foi cortada": "outra coisa pode escutar nesta porta, ou ela espera https",
}
"""What an administrator can do, by how a reason begins."""


def advised(reason: str) -> str:
    """``reason`` with what can be done about it."""
    advice = next((text for opening, text in ADVICE.items() if reason.startswith(opening)), "")
    return f"{reason}; {advice}" if advice else reason


def _chain(error: BaseException) -> Iterator[BaseException]:
    """An error and all that it wraps."""
    yield error
    for inner in (*error.args, error.__cause__):
        if isinstance(inner, BaseException):
            yield from _chain(inner)


def outcome_of_status(status: int) -> Outcome:
    """What a bare HTTP status says: 4xx and 503 are a no; redirects and other 5xx are not clear."""
    return Outcome.REFUSED if 400 <= status < 500 or status == 503 else Outcome.UNKNOWN


def reason_of(error: BaseException, *, connect_s: float, total_s: float) -> str:
    """What went wrong in Portuguese, to end a sentence with; it quotes nothing of the request."""
    errors = list(_chain(error))
    refused_by = {getattr(inner, "reason", None) for inner in errors if isinstance(inner, ssl.SSLError)}
    if not refused_by.isdisjoint(OLD):
        return "a negociação TLS falhou, como com TLS antigo (veja tls_minimum e tls_ciphers)"
    if not refused_by.isdisjoint(NOT_TLS):
        return "a porta não fala TLS"
    why = next((_untrusted(inner) for inner in errors if isinstance(inner, ssl.SSLCertVerificationError)), "")
    for kind, reason in _REASONS:
        if any(isinstance(inner, kind) for inner in errors):
            return reason.format(connect=connect_s, total=total_s, why=why)
    return INVALID
