"""Simulated desk phones that dial when they are told to over HTTP, as their makers document it.

What a phone answers when its login is wrong is HTTP's 401; what it answers in any other trouble is mostly not
documented, so ``fault`` is a plain 500.
"""

import re
from collections.abc import Mapping
from typing import Any, ClassVar
from urllib.parse import parse_qsl, unquote_plus

from lxml import etree

from gateway.simulators.appliance import SimulatedAppliance
from gateway.simulators.credentials import Digest, logged_in, same
from gateway.simulators.exchange import Request, SimulatedReply
from gateway.texts.text import Text, verbatim

EXTENSION = "3501"
"""The extension that a simulated phone is registered as."""
DOCUMENTED = Text("the maker's documentation, not held against a real one")
CLIENT_CODE = Text("other clients' code, not held against a real one")


class DeskPhone(SimulatedAppliance):
    """A phone of extension 3501."""

    login = ("admin", "admin")
    auths: ClassVar[tuple[str, ...]] = ("basic",)
    evidence = DOCUMENTED
    failures: ClassVar[Mapping[str, Text]] = {"auth": verbatim("401"), **SimulatedAppliance.failures}

    def __init__(self, **wanted: Any) -> None:
        super().__init__(**wanted)
        self._digest = Digest(self.name)

    def tables(self) -> dict[str, dict[str, Any]]:
        return {self.name: {"preset": self.name, **self.table(), "origins": {EXTENSION: f"{self.host}:{self.port}"}}}

    def table(self) -> dict[str, Any]:
        """Return the preset's settings besides the phone's address."""
        username, password = self.credentials
        kind = {"auth": self.behaviour.auth or self.auths[0]} if len(self.auths) > 1 else {}
        return {"username": username, "password": password, **kind}

    def answer(self, request: Request) -> SimulatedReply:
        if challenge := self._challenge(request):
            self.noted(request, "401 Unauthorized")
            asked = {"WWW-Authenticate": challenge}
            return SimulatedReply(401, "text/html", b"<html><body>401 Unauthorized</body></html>", asked)
        if not self.here(request):
            self.noted(request, "404 Not Found")
            return SimulatedReply(404, "text/html", b"<html><body>404 Not Found</body></html>")
        return self.told(request)

    def here(self, request: Request) -> bool:
        """Return whether ``request`` goes to the address of the phone's commands."""
        raise NotImplementedError

    def told(self, request: Request) -> SimulatedReply:
        """Return the answer to a command."""
        raise NotImplementedError

    def dial(self, request: Request, number: str, *, extension: str = "") -> None:
        """Dial ``number``; what came without one is only noted."""
        if number:
            self.dialled(request, extension or EXTENSION, number)
        else:
            self.noted(request, "no number")

    def _challenge(self, request: Request) -> str:
        """Return the challenge of a 401; empty when the login is accepted."""
        kind = self.behaviour.auth or (self.auths[0] if self.auths else "")
        if kind == "digest":
            refused = self._digest.refused(request, self.credentials)
            return refused or ('Digest realm="phone", nonce="0"' if self.behaviour.fail == "auth" else "")
        if not kind or (self.behaviour.fail != "auth" and logged_in(request, self.credentials)):
            return ""
        return f'Basic realm="{self.name}"'


def _done(content_type: str = "text/html", body: bytes = b"") -> SimulatedReply:
    return SimulatedReply(200, content_type, body)


class Yealink(DeskPhone):
    """``GET /servlet?key=number=NUMBER[&outgoing_uri=EXTENSION@server]``, on older ones
    ``/cgi-bin/ConfigManApp.com?key=NUMBER``; ``key=CALLEND`` and ``key=CANCEL`` hang up; Basic."""

    name = "yealink"
    title = Text("{maker} phone", maker="Yealink")

    def here(self, request: Request) -> bool:
        return request.path in ("/servlet", "/cgi-bin/ConfigManApp.com", "/cgi-bin/cgiServer.exx")

    def told(self, request: Request) -> SimulatedReply:
        key = request.query.get("key", "")
        number = key.removeprefix("number=") if request.path == "/servlet" else key
        if request.path == "/servlet" and not key.startswith("number="):
            self.noted(request, f"key {key}")
        elif re.fullmatch(r"[A-Z_]+\d*", number):
            self.noted(request, f"key {number}")
        else:
            self.dial(request, number, extension=request.query.get("outgoing_uri", "").partition("@")[0])
        return _done()


class Snom(DeskPhone):
    """``GET /command.htm?number=NUMBER[&outgoing_uri=sip:EXTENSION@domain]``; ``key=CANCEL``, ``DISCONNECT`` hang up;
    Basic or Digest."""

    name = "snom"
    title = Text("{maker} phone", maker="Snom")
    auths = ("basic", "digest")

    def here(self, request: Request) -> bool:
        return request.path == "/command.htm"

    def told(self, request: Request) -> SimulatedReply:
        if key := request.query.get("key", ""):
            self.noted(request, f"key {key}")
        else:
            uri = request.query.get("outgoing_uri", "").removeprefix("sip:")
            self.dial(request, request.query.get("number", ""), extension=uri.partition("@")[0])
        return _done()


class Grandstream(DeskPhone):
    """``GET /cgi-bin/api-make_call?passcode=PASSWORD&phonenumber=NUMBER`` and
    ``/cgi-bin/api-phone_operation?passcode=PASSWORD&cmd=endcall``, answered in JSON; the password stands in the URL."""

    name = "grandstream"
    title = Text("{maker} phone", maker="Grandstream")
    auths = ()
    failures: ClassVar[Mapping[str, Text]] = {
        "auth": Text("{answer} (the word not recorded)", answer='{"response":"error","body":"unauthorized"}'),
        "busy": Text("{answer}: the phone does not react", answer='{"response":"error","body":"failed"}'),
        **SimulatedAppliance.failures,
    }

    def table(self) -> dict[str, Any]:
        return {"password": self.credentials[1]}

    def here(self, request: Request) -> bool:
        return request.path in ("/cgi-bin/api-make_call", "/cgi-bin/api-phone_operation")

    def told(self, request: Request) -> SimulatedReply:
        query = request.query
        right = self.behaviour.fail != "auth" and same(query.get("passcode", ""), self.credentials[1])
        if not right or self.behaviour.fail == "busy":
            said = "failed" if right else "unauthorized"
            self.noted(request, said, EXTENSION, query.get("phonenumber", ""))
            return _done("application/json", f'{{"response":"error","body":"{said}"}}'.encode())
        if request.path.endswith("make_call"):
            self.dial(request, query.get("phonenumber", ""))
        else:
            self.noted(request, query.get("cmd", ""))
        return _done("application/json", b'{"response":"success","body":true}')


class Poly(DeskPhone):
    """``POST /push`` of ``application/x-com-polycom-spipx`` with ``<Data priority="Critical">tel:\\\\NUMBER</Data>``;
    Digest."""

    name = "poly"
    title = Text("{maker} phone", maker="Poly")
    auths = ("digest",)
    evidence = CLIENT_CODE
    login = ("push", "secret")

    def here(self, request: Request) -> bool:
        return request.method == "POST" and request.path == "/push"

    def told(self, request: Request) -> SimulatedReply:
        data = _texts(request.body.decode("utf-8", "replace"), "Data")
        typed = request.header("Content-Type").startswith("application/x-com-polycom-spipx")
        if not typed or data is None:
            self.noted(request, "400 Bad Request")
            return SimulatedReply(400, "text/html", b"")
        found = re.match(r"tel:\\*(.*)", data, re.IGNORECASE | re.DOTALL)
        if found:
            self.dial(request, found[1])
        else:
            self.noted(request, data[:60])
        return _done()


class CiscoPhone(DeskPhone):
    """``POST /CGI/Execute`` with the form field ``XML`` = ``<CiscoIPPhoneExecute><ExecuteItem URL="Dial:NUMBER"/>``;
    Basic, as a user who owns the phone. Answers ``Status``: 0 done, 1 not understood, 6 internal error."""

    name = "cisco-phone"
    title = Text("{maker} phone", maker="Cisco")
    failures: ClassVar[Mapping[str, Text]] = {
        "auth": verbatim("401"),
        "busy": Text("Status 6: internal error"),
        **SimulatedAppliance.failures,
    }

    def here(self, request: Request) -> bool:
        return request.method == "POST" and request.path == "/CGI/Execute"

    def told(self, request: Request) -> SimulatedReply:
        url = _attribute(request.form.get("XML", ""), "ExecuteItem", "URL")
        if url is None:
            self.noted(request, "Status 1")
            return _done("text/xml", _status(1, "", ""))
        if self.behaviour.fail == "busy":
            self.noted(request, "Status 6", EXTENSION, url.removeprefix("Dial:"))
            return _done("text/xml", _status(6, "", url))
        if url.startswith("Dial:"):
            self.dial(request, url.removeprefix("Dial:"))
        else:
            self.noted(request, url)
        return _done("text/xml", _status(0, "Success", url))


def _status(status: int, data: str, url: str) -> bytes:
    response = etree.Element("CiscoIPPhoneResponse")
    etree.SubElement(response, "ResponseItem", Status=str(status), Data=data, URL=url)
    return bytes(etree.tostring(response, xml_declaration=True, encoding="utf-8"))


class Aastra(DeskPhone):
    """``POST /`` with ``xml=<AastraIPPhoneExecute><ExecuteItem URI="Dial:NUMBER"/>`` and a ``Referer``; no login, the
    phone takes commands from the servers in its list."""

    name = "aastra"
    title = Text("{maker} phone", maker="Aastra/Mitel")
    auths = ()
    login = ("", "")
    evidence = CLIENT_CODE
    failures: ClassVar[Mapping[str, Text]] = {
        "auth": Text("403, as for a server that is not in its list (not recorded)"),
        **SimulatedAppliance.failures,
    }

    def table(self) -> dict[str, Any]:
        return {}

    def here(self, request: Request) -> bool:
        return request.method == "POST" and request.path == "/"

    def told(self, request: Request) -> SimulatedReply:
        if self.behaviour.fail == "auth" or not request.header("Referer"):
            self.noted(request, "403 Forbidden")
            return SimulatedReply(403, "text/html", b"")
        text = request.body.decode("utf-8", "replace")
        coded = request.header("Content-Type").startswith("application/x-www-form-urlencoded") or "%3C" in text.upper()
        sent = unquote_plus(text) if coded else text
        uri = _attribute(sent.removeprefix("xml="), "ExecuteItem", "URI")
        if uri and uri.startswith("Dial:"):
            self.dial(request, uri.removeprefix("Dial:"))
        else:
            self.noted(request, uri or "not understood")
        return _done()


class Akuvox(DeskPhone):
    """``GET /fcgi/do?action=MakeCall&number=NUMBER&line=ACCOUNT``; ``action=CallEnd`` hangs up; no login, the phone
    takes commands from the addresses in its list."""

    name = "akuvox"
    title = Text("{maker} phone", maker="Akuvox")
    auths = ()
    login = ("", "")
    failures: ClassVar[Mapping[str, Text]] = {
        "auth": Text("403, as for an address that is not in its list (not recorded)"),
        **SimulatedAppliance.failures,
    }

    def table(self) -> dict[str, Any]:
        return {}

    def here(self, request: Request) -> bool:
        return request.path == "/fcgi/do"

    def told(self, request: Request) -> SimulatedReply:
        if self.behaviour.fail == "auth":
            self.noted(request, "403 Forbidden")
            return SimulatedReply(403, "text/html", b"")
        query = request.query
        if query.get("action") == "MakeCall":
            self.dial(request, query.get("number", ""))
        else:
            self.noted(request, query.get("action", ""))
        return _done()


class Htek(DeskPhone):
    """``GET /Phone_ActionURL&Command=1&Number=NUMBER&Account=1`` (``&``, no ``?``); ``Command=2`` hangs up; Basic."""

    name = "htek"
    title = Text("{maker} phone", maker="Htek")

    def here(self, request: Request) -> bool:
        return request.target.startswith("/Phone_ActionURL&")

    def told(self, request: Request) -> SimulatedReply:
        given = dict(parse_qsl(request.target.partition("&")[2], keep_blank_values=True))
        if given.get("Command") == "1":
            self.dial(request, given.get("Number", ""))
        else:
            self.noted(request, f"Command {given.get('Command', '')}")
        return _done()


def _element(text: str) -> Any:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    try:
        return etree.fromstring(text.strip().encode(), parser)
    except (etree.XMLSyntaxError, ValueError):
        return None


def _texts(text: str, name: str) -> str | None:
    """Return the text of the first element ``name``; None when there is none."""
    root = _element(text)
    return root.findtext(f".//{name}") if root is not None else None


def _attribute(text: str, name: str, attribute: str) -> str | None:
    root = _element(text)
    found = root.find(f".//{name}") if root is not None else None
    return found.get(attribute) if found is not None else None


PHONES: tuple[type[DeskPhone], ...] = (Yealink, Snom, Grandstream, Poly, CiscoPhone, Aastra, Akuvox, Htek)
