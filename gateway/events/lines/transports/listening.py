"""Lines over connections that exchanges make to us."""

import errno
import selectors
import socket
import time
from dataclasses import dataclass

import structlog

from gateway.adapter import Probe
from gateway.errors import EventSourceError
from gateway.event_source import Report, Stop
from gateway.events.lines.description import LineTransport
from gateway.events.lines.reading import LineReading, LineStream
from gateway.events.lines.settings import LineSourceConfig, is_allowed
from gateway.events.lines.transports.dialogues import LOOK_S, Conversation, reason_of
from gateway.texts.text import Text

log = structlog.get_logger()
MOST_CONNECTIONS = 8
COMES_BACK_S = 10.0
"""How long an exchange that closed its connection may take to make the next one, before people are told."""


@dataclass
class _Caller:
    """A connection of an exchange."""

    connection: socket.socket
    talk: Conversation
    stream: LineStream
    heard_at: float


class Listening:
    """Listens on ``address``."""

    def __init__(self, config: LineSourceConfig, transport: LineTransport, address: tuple[str, int]) -> None:
        self._config, self._transport, self._address = config, transport, address

    @property
    def peer(self) -> str:
        """Where it listens."""
        return f"{self._address[0]}:{self._address[1]}"

    def probe(self) -> Probe:
        """Say whether the port can be listened on; one in use may be this very source's."""
        try:
            with listening_socket(self._address):
                return Probe(True, Text("{peer}: waits for the exchange to connect", peer=self.peer))
        except EventSourceError as error:
            return probe_of(self.peer, error)

    def run(self, reading: LineReading, report: Report, stop: Stop) -> None:
        """Take lines from whoever connects until ``stop``, or until nobody is connected any more. Raises
        ``EventSourceError``.
        """
        with listening_socket(self._address) as server, selectors.DefaultSelector() as selector:
            _Switchboard(self._config, self._transport, reading, report, selector, server).run(stop)


class _Switchboard:
    """The connections of one attempt."""

    def __init__(
        self,
        config: LineSourceConfig,
        transport: LineTransport,
        reading: LineReading,
        report: Report,
        selector: selectors.BaseSelector,
        server: socket.socket,
    ) -> None:
        self._config, self._transport, self._reading, self._report = config, transport, reading, report
        self._selector, self._server = selector, server
        self._callers: dict[int, _Caller] = {}
        self._alone_since: float | None = None

    def run(self, stop: Stop) -> None:
        self._selector.register(self._server, selectors.EVENT_READ)
        try:
            while not stop.is_set():
                self._once(stop)
        finally:
            for caller in list(self._callers.values()):
                self._leave(caller)

    def _once(self, stop: Stop) -> None:
        for key, _ in self._selector.select(LOOK_S):
            if key.fileobj is self._server:
                self._accept(stop)
            else:
                self._hear(self._callers[key.fd])
        for caller in list(self._callers.values()):
            self._care_for(caller)
        self._reading.tick(self._reading.place.name)
        if self._alone_since is not None and time.monotonic() - self._alone_since > COMES_BACK_S:
            raise EventSourceError(Text("The exchange closed its connection and did not come back."))

    def _accept(self, stop: Stop) -> None:
        connection, address = self._server.accept()
        peer = f"{address[0]}:{address[1]}"
        if not is_allowed(address[0], self._config.allow) or len(self._callers) >= MOST_CONNECTIONS:
            log.warning("line_source_refused_connection", client=address[0], source=self._reading.place.name)
            connection.close()
            return
        talk = Conversation(connection, self._transport, self._config, self._report)
        caller = _Caller(connection, talk, self._reading.stream(peer), time.monotonic())
        self._callers[connection.fileno()] = caller
        self._selector.register(connection, selectors.EVENT_READ)
        self._alone_since = None
        self._report.connected()
        try:
            caller.stream.feed(talk.begin(stop))
        except EventSourceError:
            self._leave(caller)

    def _hear(self, caller: _Caller) -> None:
        try:
            data = caller.talk.receive()
            if data:
                caller.heard_at = time.monotonic()
                caller.talk.answer(caller.stream.feed(data))
        except EventSourceError as error:
            log.info("line_source_connection_ended", problem=str(error), source=self._reading.place.name)
            data = b""
        if data == b"":
            self._leave(caller)

    def _care_for(self, caller: _Caller) -> None:
        caller.stream.idle((time.monotonic() - caller.heard_at) * 1000)
        try:
            caller.talk.keep_alive()
        except EventSourceError:
            self._leave(caller)

    def _leave(self, caller: _Caller) -> None:
        if self._callers.pop(caller.connection.fileno(), None) is None:
            return
        self._selector.unregister(caller.connection)
        caller.connection.close()
        if not self._callers:
            self._alone_since = time.monotonic()
        caller.stream.ended()


def listening_socket(address: tuple[str, int], kind: socket.SocketKind = socket.SOCK_STREAM) -> socket.socket:
    """Return a socket that listens on ``address``. Raises ``EventSourceError`` where that is not possible."""
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    made = socket.socket(family, kind)
    try:
        if kind is socket.SOCK_STREAM:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind(address)
        if kind is socket.SOCK_STREAM:
            made.listen(MOST_CONNECTIONS)
    except OSError as error:
        made.close()
        facts = {"peer": f"{address[0]}:{address[1]}", "reason": reason_of(error)}
        raise EventSourceError(Text("{peer} cannot be listened on: {reason}.", **facts)) from error
    return made


def probe_of(peer: str, error: EventSourceError) -> Probe:
    """Return what a port that cannot be listened on means: one that is in use may be the running gateway's."""
    if isinstance(error.__cause__, OSError) and error.__cause__.errno == errno.EADDRINUSE:
        return Probe(True, Text("{peer}: somebody listens there already, such as the gateway that runs", peer=peer))
    return Probe(False, error.whole)
