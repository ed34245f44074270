"""A simulated Asterisk's manager interface over TCP (AMI), as recorded from Asterisk 22.10.1."""

import re
import ssl
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import md5
from secrets import randbelow
from socketserver import StreamRequestHandler
from threading import Thread
from typing import Any, ClassVar, Self

from gateway.simulators.appliance import POLL_S, SimulatedAppliance
from gateway.simulators.asterisk import LOGIN_REFUSED_AFTER_S, Pairs, error, refusal, success
from gateway.simulators.asterisk_calls import ABSENT, Calls, Originate, call_failures
from gateway.simulators.behaviour import FAULT
from gateway.simulators.credentials import same
from gateway.simulators.exchange import Answer, Closable, Request, SimulatedReply
from gateway.texts.text import Text

GREETING = "Asterisk Call Manager/11.0.0\r\n"
AUTH_TIMEOUT_S = 30.5
"""A connection that has not logged in is closed after this."""
MAX_LINE = 1022
"""Bytes of a line that are read, its end included; one of 1,023 was refused, one of 1,020 read."""
MAX_LINES = 128
TOO_LONG = "Failed to parse message: line too long"
TOO_MANY = "Too many lines in message or allocation failure"
YES = ("true", "yes", "1", "on")
_SECRET = re.compile(r"(?im)^(secret|key): .*$")


@dataclass
class ManagerSession:
    """One connection: the user that has logged in, its challenge, and whether it wants events of calls."""

    user: str = ""
    challenge: str = ""
    events: bool = False
    news: list[Pairs] = field(default_factory=list)
    """Events that follow the answer at once."""


class AsteriskManager(SimulatedAppliance):
    """The manager interface on TCP: challenge and login (plain or MD5), originate (``Async: true`` or waiting for the
    extension), hangup, ping, events, logoff. Its page is on a port of its own. Any context exists; a destination has
    two characters or more and begins with a digit (``_X.``)."""

    name = "asterisk-manager"
    title = Text("Asterisk (AMI over TCP)")
    evidence = Text("recorded from Asterisk 22.10.1")
    login = ("gateway", "secret")
    failures: ClassVar[Mapping[str, Text]] = {
        "auth": Text("the login is refused: 'Authentication failed' after 1 s, then the connection is closed"),
        "privilege": Text("'Permission denied': the user may not originate"),
        **call_failures("Async: true"),
        FAULT: Text("'Too many lines in message or allocation failure' to every action"),
    }

    def __init__(self, **wanted: Any) -> None:
        super().__init__(**wanted)
        self._manager: ManagerServer | None = None
        self._manager_thread: Thread | None = None
        self._calls = Calls(self.behaviour.fail, self.behaviour.ring_s)

    @property
    def manager_port(self) -> int:
        """The port of the manager interface, once started; ``port`` is the page's."""
        assert self._manager is not None, "start it first"
        return int(self._manager.server_address[1])

    def tables(self) -> dict[str, dict[str, Any]]:
        """Return the settings of the adapter ``ami``."""
        user, secret = self.credentials
        where = {"adapter": "ami", "host": self.host, "port": self.manager_port}
        tls = {"tls": True, **self.pinned()} if self.pinned() else {}
        return {self.name: {**where, "username": user, "secret": secret, "context": "from-internal", **tls}}

    def start(self) -> Self:
        """Listen for managers where it was told to, and for those who look at its page on a free port.

        Raises ``OSError``.
        """
        host, _ = self._where
        self._manager = ManagerServer(self._where, self, self.tls())
        self._manager_thread = Thread(target=self._manager.serve_forever, kwargs={"poll_interval": POLL_S}, daemon=True)
        self._manager_thread.start()
        self._where = (host, 0)
        return super().start()

    def stop(self) -> None:
        """End both servers and their connections."""
        super().stop()
        if self._manager and self._manager_thread:
            self._manager.shutdown()
            self._manager_thread.join()
            self._manager.close_all()

    def answer(self, request: Request) -> Answer:
        """Refuse whatever is asked of the page's port besides the page."""
        return SimulatedReply.text(404, "ERROR the manager interface is on another port")

    def fault(self, request: Request) -> Answer:
        """Return the usual answer: the failure is the manager interface's."""
        return self.answer(request)

    def masked(self, raw: str) -> str:
        """Return ``raw`` without the secret, or what answers a challenge."""
        return _SECRET.sub(r"\1: ****", raw)

    def act(self, raw: str, session: ManagerSession) -> Pairs | None:
        """Return the answer to the action ``raw``; None closes the connection without one."""
        self.pause(self.behaviour.delay_s)
        fields: dict[str, str] = {}
        for line in raw.splitlines():
            name, _, value = line.partition(":")
            fields.setdefault(name.strip().lower(), value.strip())
        pairs, order = self._said(fields, session)
        self._note_action(raw, fields, pairs, order)
        if order and order.taken and self.behaviour.drop:
            return None
        echoed = [("ActionID", fields["actionid"])] if fields.get("actionid") else []
        return [pairs[0], *echoed, *pairs[1:]]

    def _note_action(self, raw: str, fields: Mapping[str, str], pairs: Pairs, order: Originate | None) -> None:
        if order and order.taken:
            self.dialled_by(raw, order.extension, order.number, order.call_id)
            return
        called = (order.extension, order.number) if order else ("", "")
        later = f" ({order.failure})" if order and pairs[0][1] == "Success" else ""
        said = dict(pairs).get("Message", pairs[0][1])
        self.noted_text(raw, f"{fields.get('action', '')}: {said}{later}", *called)

    def _said(self, fields: Mapping[str, str], session: ManagerSession) -> tuple[Pairs, Originate | None]:
        action = fields.get("action", "").lower()
        if self.behaviour.fail == FAULT:
            return error(TOO_MANY), None
        if not action:
            return error("Missing action in request"), None
        if action in ("challenge", "login"):
            return (self._challenge(fields, session) if action == "challenge" else self._log_in(fields, session)), None
        if action == "logoff":
            return [("Response", "Goodbye"), ("Message", "Thanks for all the fish.")], None
        if not session.user:
            return error("Permission denied"), None
        return self._originate(fields, session) if action == "originate" else (self._minor(action, fields), None)

    def _challenge(self, fields: Mapping[str, str], session: ManagerSession) -> Pairs:
        if fields.get("authtype", "").upper() != "MD5":
            return error("Must specify AuthType")
        session.challenge = str(100_000_000 + randbelow(900_000_000))
        return [("Response", "Success"), ("Challenge", session.challenge)]

    def _log_in(self, fields: Mapping[str, str], session: ManagerSession) -> Pairs:
        user, secret = self.credentials
        wanted, given = secret, fields.get("secret", "")
        if fields.get("authtype", "").upper() == "MD5":
            key = md5(f"{session.challenge}{secret}".encode(), usedforsecurity=False).hexdigest()
            wanted, given = key if session.challenge else "", fields.get("key", "")
        right = bool(given) and same(given, wanted) and same(fields.get("username", ""), user)
        if not right or self.behaviour.fail == "auth":
            self.pause(LOGIN_REFUSED_AFTER_S)
            return error("Authentication failed")
        session.user = user
        session.events = fields.get("events", "on").lower() not in ("off", "")
        return success("Authentication accepted")

    def _originate(self, fields: Mapping[str, str], session: ManagerSession) -> tuple[Pairs, Originate | None]:
        if self.behaviour.fail == "privilege":
            return error("Permission denied"), None
        wrong = refusal(fields)
        if wrong or self.behaviour.fail == ABSENT:
            return error(wrong or "Extension does not exist."), Originate.of(fields)
        order = self._calls.place(fields)
        if fields.get("async", "").lower() not in YES:
            self.pause(order.rings_s)
            return (success("Originate successfully queued") if order.taken else error("Originate failed")), order
        # What takes no time is told at once; later news would be for a client that stays, which the gateway does not.
        if session.events and not order.rings_s:
            session.news.append(order.event(fields))
        return success("Originate successfully queued"), order

    def _minor(self, action: str, fields: Mapping[str, str]) -> Pairs:
        if action == "ping":
            return [("Response", "Success"), ("Ping", "Pong"), ("Timestamp", self._calls.timestamp())]
        if action == "events":
            return [("Response", "Success"), ("Events", "Off" if fields.get("eventmask") == "off" else "On")]
        if action == "hangup":
            gone = self._calls.hang_up(fields.get("channel", ""))
            return success("Channel Hungup") if gone else error("No such channel")
        return error(f"Invalid/unknown command: {action}. Use Action: ListCommands to show available commands.")


class ManagerServer(Closable):
    """Serves managers. Raises ``OSError`` when the port is taken."""

    allow_reuse_address = True

    def __init__(self, where: tuple[str, int], appliance: AsteriskManager, tls: ssl.SSLContext | None) -> None:
        self.appliance = appliance
        super().__init__(where, _ManagerHandler)
        self.wrap(tls)


class _ManagerHandler(StreamRequestHandler):
    disable_nagle_algorithm = True
    server: ManagerServer

    def handle(self) -> None:
        self.connection.settimeout(AUTH_TIMEOUT_S)
        self.wfile.write(GREETING.encode())
        session = ManagerSession()
        with suppress(TimeoutError):
            while (raw := self._action()) is not None:
                pairs = self.server.appliance.act(raw, session) if isinstance(raw, str) else error(raw.message)
                if pairs is None or not self._write(pairs, session):
                    return

    def _write(self, pairs: Pairs, session: ManagerSession) -> bool:
        """Write an answer and return whether the connection stays open behind it."""
        self.wfile.write("".join(_shown([pairs, *session.news])).encode())
        session.news.clear()
        if session.user:
            self.connection.settimeout(None)
        return pairs[0][1] != "Goodbye" and ("Message", "Authentication failed") not in pairs

    def _action(self) -> "str | ManagerRefusal | None":
        """Return one action's lines, or why they cannot be read; None when the client has gone."""
        lines: list[str] = []
        while len(lines) <= MAX_LINES:
            line = self.rfile.readline(MAX_LINE + 1)
            if not line:
                return None
            if not line.endswith(b"\n"):
                while line and not line.endswith(b"\n"):
                    line = self.rfile.readline(MAX_LINE)
                return ManagerRefusal(TOO_LONG)
            text = line.decode("utf-8", "replace").rstrip("\r\n")
            if not text and lines:
                return "\n".join(lines)
            lines += [text] if text else []
        return ManagerRefusal(TOO_MANY)


@dataclass(frozen=True)
class ManagerRefusal:
    """Lines that are no action; those that follow are read as another."""

    message: str


def _shown(blocks: Iterable[Pairs]) -> list[str]:
    return ["".join(f"{name}: {value}\r\n" for name, value in block) + "\r\n" for block in blocks]
