"""WConnect's listeners: call start and call end as a plain URL, by GET or as a posted form.

This is the path that exchanges use most, so it reads the query by itself and builds no request object.
"""

from gateway.errors import GatewayError, WrongMethod
from gateway.wire.forms import known_names, parse, read
from gateway.wire.intake import Intake
from gateway.wire.operations import Operation
from gateway.wire.sites import Site
from gateway.wire.transport import TEXT, Answer, Environ, answer, refuse_as_text


class Listener:
    """One operation at one address. Answers ``OK <call id>``, or a status and ``ERRO <code>: <sentence>``."""

    wire = "get"

    def __init__(self, operation: Operation, intake: Intake, *, max_body_bytes: int) -> None:
        self._operation = operation
        self._intake = intake
        self._names = known_names(*operation.names)
        self._names_and_token = known_names(*operation.names, "token")
        self._limit = max_body_bytes

    def serve(self, environ: Environ, site: Site) -> Answer:
        """Take one event. Raises ``WrongMethod`` and what ``Intake.perform`` raises."""
        method = environ["REQUEST_METHOD"]
        # A tenant without token leaves "&token=" to the address of a recording that was not encoded.
        names = self._names_and_token if site.gate.takes_event_token else self._names
        if method == "GET":
            texts = parse(environ.get("QUERY_STRING", ""), names)
        elif method == "POST":
            texts = read(environ, names, self._limit)
        else:
            raise WrongMethod(method, allowed=("GET", "POST"))
        reply = self._intake.perform(
            self._operation, texts, environ, site, wire=self.wire, token=texts.get("token", "")
        )
        return answer(200, TEXT, b"OK %d\n" % reply.call_id)

    def refuse(self, error: GatewayError, environ: Environ) -> Answer:
        return refuse_as_text(error)
