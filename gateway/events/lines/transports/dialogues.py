"""The conversation with an exchange before lines flow, and what it is answered while they do."""

import re
import socket
import time
from collections.abc import Callable

import regex

from gateway.errors import EventSourceError
from gateway.event_source import Report, Stop
from gateway.events.lines.description import Acknowledgement, Dialogue, LineTransport
from gateway.events.lines.matching import found_in
from gateway.events.lines.settings import LineSourceConfig
from gateway.texts.text import Text

CHUNK = 65536
LOOK_S = 0.2
"""How often a wait looks whether the source is to stop."""
LONGEST_PROMPT = 4096
REFUSED = Text("The exchange refuses the login: check username and password.")
Said = Callable[[bytes, tuple[str, ...]], None]


class Conversation:
    """Sends and answers on one connection, and tells the report of both."""

    def __init__(
        self, connection: socket.socket, transport: LineTransport, config: LineSourceConfig, report: Report | None
    ) -> None:
        self._connection, self._transport, self._config, self._report = connection, transport, config, report
        self._next_alive = time.monotonic() + self._alive_s
        connection.settimeout(LOOK_S)

    @property
    def _alive_s(self) -> float:
        return self._transport.keepalive.every_s if self._transport.keepalive else 1e9

    def receive(self) -> bytes | None:
        """Return what came, None where nothing did for a moment, nothing where the peer closed the connection.

        Raises ``EventSourceError`` where the connection broke.
        """
        try:
            data = self._connection.recv(CHUNK)
        except TimeoutError:
            return None
        except OSError as error:
            raise EventSourceError(Text("The connection broke: {reason}.", reason=reason_of(error))) from None
        return data

    def begin(self, stop: Stop | None) -> bytes:
        """Have the conversation before lines flow; return what came behind its last prompt. Raises
        ``EventSourceError``.
        """
        heard = b""
        for step in self._transport.dialogue:
            heard = self._await(step, heard, stop)
            if step.send:
                self.send(step.send)
        return heard

    def send(self, template: str) -> None:
        """Send a text with user and password filled in. Raises ``EventSourceError``."""
        secret = self._config.password.get_secret_value()
        text = template.replace("{username}", self._config.username).replace("{password}", secret)
        data = text.encode("utf-8")
        try:
            self._connection.sendall(data)
        except OSError as error:
            raise EventSourceError(Text("The connection broke: {reason}.", reason=reason_of(error))) from None
        if self._report is not None:
            self._report.said(data, (secret,) if secret else ())

    def answer(self, lines: list[str]) -> None:
        """Acknowledge lines, and see whether the exchange refuses. Raises ``EventSourceError``."""
        for text in lines:
            if self._transport.refused and found_in(self._transport.refused, text):
                raise EventSourceError(REFUSED, pause_s=30)
            for rule in self._transport.acknowledge:
                if (reply := _reply(rule, text)) is not None:
                    self.send(reply)

    def keep_alive(self) -> None:
        """Send what keeps the connection open, when it is time."""
        if self._transport.keepalive and time.monotonic() >= self._next_alive:
            self._next_alive = time.monotonic() + self._alive_s
            self.send(self._transport.keepalive.send)

    def _await(self, step: Dialogue, heard: bytes, stop: Stop | None) -> bytes:
        """Wait for a prompt; return what came behind it."""
        deadline = time.monotonic() + step.within_s
        while step.expect is not None:
            text = heard.decode("latin-1")
            if found := regex.search(step.expect, text, timeout=1):
                return heard[found.end() :]
            if self._transport.refused and found_in(self._transport.refused, text):
                raise EventSourceError(REFUSED, pause_s=30)
            if time.monotonic() > deadline or (stop is not None and stop.is_set()):
                return self._unseen(step, heard)
            data = self.receive()
            if data == b"":
                raise EventSourceError(Text("The exchange closed the connection during the login."))
            if data and self._report is not None:
                self._report.heard(data)
            heard = (heard + (data or b""))[-LONGEST_PROMPT:]
        return heard

    @staticmethod
    def _unseen(step: Dialogue, heard: bytes) -> bytes:
        if step.optional:
            return heard
        came = heard[-80:].decode("latin-1")
        facts = {"seconds": f"{step.within_s:g}", "expected": repr(step.expect), "came": repr(came)}
        raise EventSourceError(
            Text("The exchange did not ask within {seconds} s: expected {expected}, came {came}.", **facts)
        )


def _reply(rule: Acknowledgement, text: str) -> str | None:
    try:
        found = regex.search(rule.to, text, timeout=0.05)
    except TimeoutError:
        return None
    if found is None:
        return None
    groups = found.groups()
    return re.sub(r"\{([0-9])\}", lambda place: _group(groups, int(place[1])), rule.send)


def _group(groups: tuple[str | None, ...], place: int) -> str:
    return (groups[place - 1] or "") if 0 < place <= len(groups) else ""


def reason_of(error: OSError) -> str:
    """Return why a connection failed, for people."""
    return error.strerror or str(error) or type(error).__name__
