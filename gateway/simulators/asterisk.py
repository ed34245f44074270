"""A simulated Asterisk's manager interface over HTTP (AMI), as recorded from Asterisk 20.20.

Every refusal is HTTP 200 and told apart by ``Response: Error`` only; the Digest forms alone answer 401.
"""

import re
from collections.abc import Mapping, Sequence
from email.utils import formatdate
from typing import Any, ClassVar
from xml.sax.saxutils import quoteattr

from gateway.simulators.appliance import SimulatedAppliance
from gateway.simulators.asterisk_calls import ABSENT, Calls, Originate, call_failures
from gateway.simulators.asterisk_sessions import WebSession, WebSessions
from gateway.simulators.credentials import Digest, same
from gateway.simulators.exchange import Request, SimulatedReply, whole
from gateway.texts.text import Text

Pairs = Sequence[tuple[str, str]]
"""An answer: its lines as name and value."""

LOGIN_REFUSED_AFTER_S = 1.0
"""Asterisk holds the answer to a wrong login back on purpose."""
PATHS = {"/rawman": "raw", "/mxml": "xml", "/arawman": "raw", "/amxml": "xml"}
DIGEST_PATHS = ("/arawman", "/amxml")
NOT_FOUND = b"<html><head><title>404 Not Found</title></head><body><h1>Not Found</h1></body></html>\r\n"
UNAUTHORIZED = b"<html><head><title>401 Unauthorized</title></head><body><h1>Unauthorized</h1><p></p></body></html>\r\n"


class AsteriskAmi(SimulatedAppliance):
    """``/rawman`` and ``/mxml`` with a login and its cookie, ``/arawman`` and ``/amxml`` by Digest: login, originate
    (``async=true`` or waiting for the extension), hangup, ping, waitevent, logoff. Any context exists; a destination
    has two characters or more and begins with a digit (``_X.``)."""

    name = "asterisk-ami"
    title = Text("Asterisk (AMI over HTTP)")
    evidence = Text("recorded from Asterisk 20.20.1")
    login = ("gateway", "secret")
    failures: ClassVar[Mapping[str, Text]] = {
        "auth": Text("the login is refused: 'Authentication failed' after 1 s; 401 on the Digest addresses"),
        "privilege": Text("'Permission denied': the user may not originate"),
        **call_failures("async=true"),
        **SimulatedAppliance.failures,
    }

    def __init__(self, **wanted: Any) -> None:
        super().__init__(**wanted)
        self._sessions = WebSessions()
        self._digest = Digest("asterisk")
        self._calls = Calls(self.behaviour.fail, self.behaviour.ring_s)

    def tables(self) -> dict[str, dict[str, Any]]:
        login, secret = self.credentials
        table = {"host": self.host, "port": self.port, "login": login, "secret": secret, "context": "from-internal"}
        tls = {"tls": True, **self.pinned()} if self.pinned() else {}
        return {name: {"preset": name, **table, **tls} for name in ("asterisk-ami", "asterisk-ami-login")}

    def answer(self, request: Request) -> SimulatedReply:
        form = PATHS.get(request.path)
        if form is None:
            return _reply("404 Not Found", "text/html", NOT_FOUND)
        given = request.form if request.method == "POST" else request.query
        fields = {name.lower(): value for name, value in given.items()}
        if request.path in DIGEST_PATHS:
            return self._by_digest(request, fields, form)
        session = self._sessions.of(request.header("Cookie"))
        pairs = self._act(request, fields, session)
        lines = {"Set-Cookie": f'mansession_id="{session.key}"; Version=1; Max-Age=60', "Pragma": "SuppressEvents"}
        return _shown(pairs, form, lines)

    def _by_digest(self, request: Request, fields: dict[str, str], form: str) -> SimulatedReply:
        challenge = self._digest.refused(request, self.credentials)
        if self.behaviour.fail == "auth" or challenge:
            challenge = challenge or self._digest.refused(Request("", "", {}, b""), self.credentials)
            self.noted(request, "401 Unauthorized")
            return _reply("401 Unauthorized", "text/html", UNAUTHORIZED, {"WWW-authenticate": challenge})
        return _shown(self._act(request, fields, WebSession("", user=self.credentials[0])), form, {})

    def _act(self, request: Request, fields: dict[str, str], session: WebSession) -> Pairs:
        """Do ``action`` and return its result; note it unless it dialled."""
        action = fields.get("action", "")
        pairs, order = self._said(request, fields, session)
        echoed = [("ActionID", fields["actionid"])] if fields.get("actionid") and session.user else []
        pairs = [pairs[0], *echoed, *pairs[1:]]
        if order and order.taken:
            self.dialled(request, order.extension, order.number, call_id=order.call_id)
        else:
            called = (order.extension, order.number) if order else ("", "")
            later = f" ({order.failure})" if order and pairs[0][1] == "Success" else ""
            self.noted(request, f"{action}: {dict(pairs).get('Message', pairs[0][1])}{later}", *called)
        return pairs

    def _said(self, request: Request, fields: dict[str, str], session: WebSession) -> tuple[Pairs, Originate | None]:
        action = fields.get("action", "").lower()
        if not action:
            return error("Missing action in request"), None
        if action == "login":
            return self._log_in(fields, session), None
        if action == "logoff":
            session.user = ""
            return [("Response", "Goodbye"), ("Message", "Thanks for all the fish.")], None
        if not session.user:
            return error("Permission denied"), None
        if action == "originate":
            return self._originate(fields, session)
        return self._minor(action, fields, session), None

    def _log_in(self, fields: Mapping[str, str], session: WebSession) -> Pairs:
        user, password = self.credentials
        right = same(fields.get("username", ""), user) and same(fields.get("secret", ""), password)
        if not right or self.behaviour.fail == "auth":
            self.pause(LOGIN_REFUSED_AFTER_S)
            return error("Authentication failed")
        session.user = user
        return success("Authentication accepted")

    def _originate(self, fields: Mapping[str, str], session: WebSession) -> tuple[Pairs, Originate | None]:
        if self.behaviour.fail == "privilege":
            return error("Permission denied"), None
        wrong = refusal(fields)
        if wrong or self.behaviour.fail == ABSENT:
            return error(wrong or "Extension does not exist."), Originate.of(fields)
        order = self._calls.place(fields)
        if fields.get("async", "").lower() in ("true", "yes", "1", "on"):
            self._sessions.tell(order.event(fields), after_s=order.rings_s)
            return success("Originate successfully queued"), order
        self.pause(order.rings_s)
        return (success("Originate successfully queued") if order.taken else error("Originate failed")), order

    def _minor(self, action: str, fields: Mapping[str, str], session: WebSession) -> Pairs:
        if action == "ping":
            return [("Response", "Success"), ("Ping", "Pong"), ("Timestamp", self._calls.timestamp())]
        if action == "hangup":
            gone = self._calls.hang_up(fields.get("channel", ""))
            return success("Channel Hungup") if gone else error("No such channel")
        if action == "waitevent":
            events = session.wait(_seconds(fields.get("timeout", "")), self._stopping)
            return [*success("Waiting for Event completed."), *events, ("", ""), ("Event", "WaitEventComplete")]
        return error(f"Invalid/unknown command: {action}. Use Action: ListCommands to show available commands.")


def refusal(fields: Mapping[str, str]) -> str:
    """Return why Asterisk does not even try to originate; in its own order of looking."""
    channel, exten, context = (fields.get(name, "") for name in ("channel", "exten", "context"))
    if not channel:
        return "Channel not specified"
    for name in ("priority", "timeout"):
        if fields.get(name) and not re.match(r"\s*[+-]?\d", fields[name]):
            return f"Invalid {name}"
    if "/" not in channel:
        return "Invalid channel"
    # The bench's dialplan: _X. takes a digit and at least one character more.
    if exten and context and not re.match(r"\d.", exten):
        return "Extension does not exist."
    return ""


def _seconds(text: str) -> float:
    seconds = whole(text, most=60)
    return 60.0 if seconds is None else float(seconds)


def error(message: str) -> Pairs:
    """Return the answer that says no."""
    return [("Response", "Error"), ("Message", message)]


def success(message: str) -> Pairs:
    """Return the answer that says yes."""
    return [("Response", "Success"), ("Message", message)]


def _shown(pairs: Pairs, form: str, lines: Mapping[str, str]) -> SimulatedReply:
    if form == "raw":
        text = "".join(f"{name}: {value}\r\n" if name else "\r\n" for name, value in pairs) + "\r\n"
        return _reply("200 OK", "text/plain", text.encode(), lines)
    blocks = "".join(f"<response type='object' id='unknown'><generic {block} /></response>\n" for block in _xml(pairs))
    return _reply("200 OK", "text/xml", f"<ajax-response>\n{blocks}</ajax-response>\n".encode(), lines)


def _xml(pairs: Pairs) -> list[str]:
    """Write each block of lines as single-quoted attributes in small letters."""
    blocks: list[list[str]] = [[]]
    for name, value in pairs:
        if name:
            # quoteattr chooses double quotes unless the text holds some; Asterisk always writes single ones.
            text = quoteattr(value, {"'": "&apos;", '"': "&quot;"})[1:-1]
            blocks[-1].append(f"{name.lower()}='{text}'")
        else:
            blocks.append([])
    return [" ".join(block) for block in blocks if block]


def _reply(status: str, content_type: str, body: bytes, lines: Mapping[str, str] | None = None) -> SimulatedReply:
    """Reply with the head as Asterisk writes it; ``lines`` stand where Asterisk has them."""
    head = {
        "Server": "Asterisk",
        "Date": formatdate(usegmt=True),
        "Cache-Control": "no-cache, no-store",
        "Content-type": content_type,
        **(lines or {}),
        "Content-Length": str(len(body)),
    }
    return SimulatedReply.exactly(status, head, body)
