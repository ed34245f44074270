"""WConnect's listeners: a call's events as a plain URL, by GET, or posted as a form or a JSON object.

This is the path that exchanges use most, so it reads the query by itself and builds no request object.
"""

from gateway.errors import GatewayError, WrongMethod
from gateway.wire.forms import read
from gateway.wire.intake import Intake
from gateway.wire.parameters import Operation
from gateway.wire.sites import Site
from gateway.wire.transport import TEXT, Answer, Environ, answer, language_of, refuse_as_text


class Listener:
    """One operation at one address. Answers ``OK <call id>``, or a status and ``ERRO <code>: <sentence>``.

    The company's ``listener`` settings say which other names the parameters have, and which answers its exchanges read.
    """

    wire = "get"

    def __init__(self, operation: Operation, intake: Intake, *, max_body_bytes: int) -> None:
        self._operation = operation
        self._intake = intake
        self._limit = max_body_bytes

    def serve(self, environ: Environ, site: Site) -> Answer:
        """Take one event. Raises ``WrongMethod`` and what ``Intake.perform`` raises."""
        method = environ["REQUEST_METHOD"]
        names = site.dialect.names[self._operation.name]
        if method not in ("GET", "POST"):
            raise WrongMethod(method, allowed=("GET", "POST"))
        texts = read(environ, names, self._limit, keep_unknown=site.dialect.keep_unknown)
        reply = self._intake.perform(
            self._operation, texts, environ, site, wire=self.wire, token=texts.get("token", "")
        )
        return answer(200, TEXT, site.dialect.reply(reply.call_id))

    def refuse(self, error: GatewayError, environ: Environ) -> Answer:
        site: Site | None = environ.get("cti.site")
        return refuse_as_text(error, language_of(environ), status=site.dialect.status_on_error if site else None)
