"""Click-to-call as a plain URL, the way the CRM asks for it: names and address are the tenant's settings."""

import json
from functools import lru_cache
from http import HTTPStatus

from gateway.adapter import Outcome
from gateway.errors import GatewayError, MissingParameter, WrongMethod
from gateway.handlers import Reply
from gateway.logins.named_pages import is_preflight, named_origin, preflight_headers, shared_headers
from gateway.texts.languages import Language, of_browser
from gateway.texts.rendering import shown
from gateway.wire.forms import Names, known_names, read
from gateway.wire.intake import Intake
from gateway.wire.operations import CLICK_TO_CALL
from gateway.wire.sites import Site
from gateway.wire.transport import JSON, TEXT, Answer, Environ, answer, headers_of, language_of, refuse_as_text

STATUSES = {Outcome.ACCEPTED: 200, Outcome.REFUSED: 422, Outcome.UNREACHABLE: 503, Outcome.UNKNOWN: 504}


class Dialing:
    """Click-to-call by GET or form. Answers one line of text, or JSON to those who ask for it."""

    wire = "get"

    def __init__(self, intake: Intake, *, max_body_bytes: int) -> None:
        self._intake = intake
        self._limit = max_body_bytes

    def serve(self, environ: Environ, site: Site) -> Answer:
        """Place the call of a query or form and answer. Raises ``WrongMethod``, ``MissingParameter`` and what
        ``Intake.perform`` raises.
        """
        if is_preflight(environ):
            return preflight(environ, site)
        method = environ["REQUEST_METHOD"]
        if method not in ("GET", "POST"):
            raise WrongMethod(method, allowed=("GET", "POST"))
        rules = site.click_to_call
        given = read(environ, names_for(rules.origin_param, rules.destination_param), self._limit)
        texts = {
            "ramal": first(given, rules.origin_param, "origem", "ramal"),
            "telefone": first(given, rules.destination_param, "destino", "telefone"),
            "central": given.get("central", ""),
            "id_pedido": given.get("id_pedido", ""),
        }
        try:
            reply = self._intake.perform(
                CLICK_TO_CALL, texts, environ, site, wire=self.wire, token=given.get("token", "")
            )
        except MissingParameter as error:
            name = rules.origin_param if error.name == "ramal" else rules.destination_param
            raise MissingParameter(name, expected="3501" if error.name == "ramal" else "4732100123") from None
        return shared(render(reply, environ, site.dialect.status_on_error), environ, site)

    def refuse(self, error: GatewayError, environ: Environ) -> Answer:
        return shared(self._refusal(error, environ), environ, environ.get("cti.site"))

    def _refusal(self, error: GatewayError, environ: Environ) -> Answer:
        if not wants_json(environ):
            return refuse_as_text(error, reader_s(environ), status=status_of(error, environ.get("cti.site")))
        told = {"status": "ERRO", "codigo": error.code, "mensagem": error.said(reader_s(environ))}
        return answer(error.http_status, JSON, json.dumps(told).encode(), headers_of(error))


def preflight(environ: Environ, site: Site) -> Answer:
    """Answer a browser that asks whether a page's script may dial: credentials are asked for all the same."""
    if not named_origin(environ, site.origins):
        return answer(403, TEXT, b"")
    allowed = preflight_headers(environ) + shared_headers(environ, site.origins)
    return answer(200, TEXT, b"", allowed)


def shared(made: Answer, environ: Environ, site: Site | None) -> Answer:
    """Let the script of a page that the company names read the answer ``made``."""
    return made._replace(headers=made.headers + shared_headers(environ, site.origins)) if site else made


@lru_cache(maxsize=256)
def names_for(origin: str, destination: str) -> Names:
    return known_names("origem", "destino", "ramal", "telefone", "central", "id_pedido", "token", origin, destination)


def first(given: dict[str, str], *names: str) -> str:
    """Return the first of the parameters ``names`` that is not empty."""
    return next((given[name] for name in names if given.get(name)), "")


def status_of(error: GatewayError, site: Site | None) -> int | None:
    """Return the company's ``status_on_error``, except for 401, which has clients send their login."""
    return site.dialect.status_on_error if site and error.http_status != HTTPStatus.UNAUTHORIZED else None


def render(reply: Reply, environ: Environ, status_on_error: int | None) -> Answer:
    """Render how the attempt ended: as status for programs, as a sentence for people.

    ``status_on_error`` stands for the statuses of failures in text: who asks for JSON can read them.
    """
    outcome = reply.outcome or Outcome.UNKNOWN
    status, word = STATUSES[outcome], "OK" if reply.ok else "ERRO"
    message = shown(reply.message, reader_s(environ))
    if wants_json(environ):
        told = {"status": word, "outcome": outcome.value, "mensagem": message, "id": reply.call_id}
        return answer(status, JSON, json.dumps(told).encode())
    sentence = " ".join(message.split())
    status = status if reply.ok else status_on_error or status
    return answer(status, TEXT, f"{word} {reply.call_id}: {sentence}\n".encode())


def reader_s(environ: Environ) -> Language:
    """Return the language of who reads the answer: a browser's wish, for a CRM may open the address in one."""
    return of_browser(environ.get("HTTP_ACCEPT_LANGUAGE")) or language_of(environ)


def wants_json(environ: Environ) -> bool:
    return "application/json" in environ.get("HTTP_ACCEPT", "").lower()
