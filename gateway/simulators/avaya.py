"""A simulated Avaya Aura AES with its Telephony Web Service, as clients of it were seen to talk: the session comes, and
goes back, in the SOAP Header."""

from collections.abc import Mapping
from typing import Any, ClassVar

from lxml import etree

from gateway.simulators import soap_body
from gateway.simulators.appliance import SimulatedAppliance
from gateway.simulators.credentials import logged_in
from gateway.simulators.exchange import Request, SimulatedReply
from gateway.simulators.tokens import Tokens
from gateway.texts.text import Text, verbatim

NAMESPACE = "http://TelephonyService.ws.avaya.com"
SESSION = "http://xml.avaya.com/ws/session"


class AvayaAes(SimulatedAppliance):
    """``/axis/services/TelephonyService``: attach, makeCall, disconnectActiveCall, release; HTTP Basic. ``attach``
    answers with a ``sessionID`` in the SOAP Header, which all others need in theirs."""

    name = "avaya-aes"
    title = "Avaya AES"
    evidence = Text("other clients' code, not held against a real one")
    login = ("ctiuser@CM1", "secret")
    failures: ClassVar[Mapping[str, Text]] = {
        "auth": verbatim("401"),
        "session": Text("attach answers without a sessionID"),
        "busy": Text("makeCall is a SOAP fault (its text not recorded)"),
        "fault": Text("every operation is a SOAP fault (its text not recorded)"),
    }

    def __init__(self, **wanted: Any) -> None:
        super().__init__(**wanted)
        self._sessions = Tokens()

    def tables(self) -> dict[str, dict[str, Any]]:
        username, password = self.credentials
        return self.tables_of_https(username=username, password=password)

    def answer(self, request: Request) -> SimulatedReply:
        if request.path != "/axis/services/TelephonyService":
            self.noted(request, "404 Not Found")
            return SimulatedReply(404, "text/html", b"<html><body>Not Found</body></html>")
        if self.behaviour.fail == "auth" or not logged_in(request, self.credentials):
            self.noted(request, "401 Unauthorized")
            return SimulatedReply(401, "text/html", b"", {"WWW-Authenticate": 'Basic realm="AES"'})
        operation = soap_body.read(request.body)
        if operation is None or operation.namespace != NAMESPACE:
            return self._no(request, "no operation")
        if operation.name == "attach":
            return self._attach(request)
        session = operation.element.getparent().getparent().findtext(f"{{*}}Header//{{{SESSION}}}sessionID", "")
        if not self._sessions.knows(session):
            return self._no(request, "no session")
        return self._within(request, operation, session)

    def fault(self, request: Request) -> SimulatedReply:
        return self._no(request, "server error")

    def _attach(self, request: Request) -> SimulatedReply:
        self.noted(request, "attach")
        if self.behaviour.fail == "session":
            return soap_body.reply(_response("attach"))
        session = f'<a:sessionID xmlns:a="{SESSION}">{self._sessions.give()}</a:sessionID>'
        return soap_body.reply(_response("attach"), session)

    def _within(self, request: Request, operation: soap_body.CalledOperation, session: str) -> SimulatedReply:
        extension, number = operation.part("originatingExtension"), operation.part("destinationNumber")
        if operation.name == "makeCall":
            if self.behaviour.fail == "busy" or not (extension and number):
                return self._no(request, "makeCall failed", extension, number)
            self.dialled(request, extension, number)
        elif operation.name in ("release", "disconnectActiveCall"):
            self.noted(request, operation.name)
            if operation.name == "release":
                self._sessions.end(session)
        else:
            return self._no(request, f"no operation {etree.QName(operation.element).localname}")
        return soap_body.reply(_response(operation.name))

    def _no(self, request: Request, text: str, extension: str = "", number: str = "") -> SimulatedReply:
        self.noted(request, f"fault: {text}", extension, number)
        return soap_body.fault("Server", text)


def _response(operation: str) -> str:
    return f'<t:{operation}Response xmlns:t="{NAMESPACE}"/>'
