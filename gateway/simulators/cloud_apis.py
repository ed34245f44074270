"""Simulated cloud exchanges that dial by an API of the whole world: Twilio and Zadarma.

Both insist on what their documents say of the login: Twilio on Basic, Zadarma on its signature of path and parameters.
"""

import hmac
import re
from base64 import b64encode
from collections.abc import Mapping
from hashlib import md5
from typing import Any, ClassVar
from urllib.parse import unquote, urlencode, urlsplit

from gateway.simulators import json_body
from gateway.simulators.appliance import SimulatedAppliance
from gateway.simulators.credentials import logged_in, same
from gateway.simulators.exchange import Request, SimulatedReply
from gateway.simulators.providers import EXTENSION, REFUSED, TOKEN, Provider
from gateway.texts.text import Text

AGENT = "client:ana"
CALLER_ID = "+554732100123"
DIAL = re.compile(r"<Response>\s*<Dial\b[^<>]*>([^<>]+)</Dial>\s*</Response>")
E164 = re.compile(r"\+[1-9][0-9]{6,14}")
CALLEE = re.compile(r"\+[0-9]{7,15}")


class Twilio(Provider):
    """``POST /2010-04-01/Accounts/SID/Calls.json`` with the form ``To``, ``From``, ``Twiml``; Basic → 201 and ``sid``.
    Who answers at ``To`` is connected with the number that the TwiML dials; ``client:ana`` is extension 3501."""

    name = "twilio"
    title = "Twilio"
    login = ("AC0123456789abcdef0123456789abcdef", TOKEN)
    failures: ClassVar[Mapping[str, Text]] = {
        "auth": Text("401 with the code 20003"),
        REFUSED: Text("400 with the code 21210: the number that is shown is not verified"),
        **SimulatedAppliance.failures,
    }

    def table(self) -> dict[str, Any]:
        account_sid, auth_token = self.credentials
        place = {"account_sid": account_sid, "auth_token": auth_token, "caller_id": CALLER_ID}
        return {**place, "prefix": "+55", "origins": {EXTENSION: AGENT}}

    def answer(self, request: Request) -> SimulatedReply:
        if request.path != f"/2010-04-01/Accounts/{self.credentials[0]}/Calls.json" or request.method != "POST":
            return self._said(request, 404, 20404, "The requested resource was not found")
        dialled = DIAL.fullmatch(request.form.get("Twiml", ""))
        number = dialled[1] if dialled else ""
        if self.behaviour.fail == "auth" or not logged_in(request, self.credentials):
            return self._said(request, 401, 20003, "Authenticate", number)
        caller_id = request.form.get("From", "")
        if self.refuses or not E164.fullmatch(caller_id):
            words = "The source phone number provided is not yet verified for your account"
            return self._said(request, 400, 21210, words, number)
        if request.form.get("To") != AGENT or not CALLEE.fullmatch(number):
            return self._said(request, 400, 21211, "Invalid 'To' Phone Number", number)
        sid = "CA" + self.dialled(request, EXTENSION, number)
        return json_body.reply(201, {"sid": sid, "status": "queued", "to": AGENT, "from": caller_id})

    def _said(self, request: Request, status: int, code: int, message: str, number: str = "") -> SimulatedReply:
        more = f"https://www.twilio.com/docs/errors/{code}"
        said = {"code": code, "message": message, "more_info": more, "status": status}
        return self.no(request, status, said, EXTENSION, number)


class Zadarma(Provider):
    """``GET /v1/request/callback/?from=EXTENSION&to=NUMBER`` and ``Authorization: KEY:SIGNATURE`` → ``status``
    ``success``. The signature is that of the path, the parameters by their names and their MD5, by HMAC-SHA1."""

    name = "zadarma"
    title = "Zadarma"
    login = ("demo-key", TOKEN)
    failures: ClassVar[Mapping[str, Text]] = {
        "auth": Text("401: the signature is refused"),
        REFUSED: Text("400 with the status error (its words not documented)"),
        **SimulatedAppliance.failures,
    }

    def table(self) -> dict[str, Any]:
        key, key_secret = self.credentials
        return {"key": key, "key_secret": key_secret, "prefix": "55"}

    def answer(self, request: Request) -> SimulatedReply:
        if request.path != "/v1/request/callback/" or request.method != "GET":
            return self._said(request, 404, "Not found")
        extension, number = request.query.get("from", ""), request.query.get("to", "")
        if self.behaviour.fail == "auth" or not same(request.header("Authorization"), self._expected(request)):
            return self._said(request, 401, "Not authorized", extension, number)
        if self.refuses or not extension or not number.isdecimal():
            return self._said(request, 400, "Wrong parameters", extension, number)
        self.dialled(request, extension, number)
        return json_body.reply(200, {"status": "success", "from": extension, "to": number, "time": 1772715802})

    def _expected(self, request: Request) -> str:
        """Return the header that proves ``request`` (github.com/zadarma/user-api-v1, ``Client::getAuthHeader``)."""
        key, secret = self.credentials
        parameters = urlencode(sorted(request.query.items()))
        digest = md5(parameters.encode(), usedforsecurity=False).hexdigest()
        signed = f"{unquote(urlsplit(request.target).path)}{parameters}{digest}"
        code = hmac.new(secret.encode(), signed.encode(), "sha1").hexdigest()
        return f"{key}:{b64encode(code.encode()).decode()}"

    def _said(
        self, request: Request, status: int, message: str, extension: str = "", number: str = ""
    ) -> SimulatedReply:
        return self.no(request, status, {"status": "error", "message": message}, extension, number)


CLOUD_APIS: tuple[type[Provider], ...] = (Twilio, Zadarma)
