"""Lines over a connection that we make to the exchange, or to a bridge from serial to TCP."""

import socket
import time

from gateway.adapter import Probe
from gateway.errors import EventSourceError
from gateway.event_source import Report, Stop
from gateway.events.lines.description import LineTransport
from gateway.events.lines.reading import LineReading, LineStream
from gateway.events.lines.settings import LineSourceConfig
from gateway.events.lines.transports.dialogues import Conversation, reason_of
from gateway.texts.text import Text

CONNECT_S = 5.0


class Connecting:
    """Connects to ``host:port``."""

    def __init__(self, config: LineSourceConfig, transport: LineTransport, port: int) -> None:
        self._config, self._transport, self._port = config, transport, port

    @property
    def peer(self) -> str:
        """Whom it connects to."""
        return f"{self._config.host}:{self._port}"

    def probe(self) -> Probe:
        """Connect, log in, close. Never raises for what the exchange does."""
        try:
            with self._connected() as connection:
                Conversation(connection, self._transport, self._config, None).begin(None)
        except EventSourceError as error:
            return Probe(False, error.whole)
        return Probe(True, Text("{peer} is connected to", peer=self.peer))

    def run(self, reading: LineReading, report: Report, stop: Stop) -> None:
        """Read until the connection ends or ``stop``. Raises ``EventSourceError``."""
        with self._connected() as connection:
            talk = Conversation(connection, self._transport, self._config, report)
            first = talk.begin(stop)
            report.connected()
            talk_lines(talk, reading, reading.stream(self.peer), stop, first)

    def _connected(self) -> socket.socket:
        try:
            connection = socket.create_connection((self._config.host, self._port), timeout=CONNECT_S)
        except OSError as error:
            facts = {"peer": self.peer, "reason": reason_of(error)}
            raise EventSourceError(Text("{peer} cannot be connected to: {reason}.", **facts)) from None
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        return connection


def talk_lines(talk: Conversation, reading: LineReading, stream: LineStream, stop: Stop, first: bytes) -> None:
    """Feed ``reading`` with what comes, ``first`` first, until ``stop``. Raises ``EventSourceError`` when the peer
    closes the connection, or it breaks.
    """
    quiet_since = time.monotonic()
    data: bytes | None = first or None
    try:
        while not stop.is_set():
            if data:
                talk.answer(stream.feed(data))
                quiet_since = time.monotonic()
            stream.idle((time.monotonic() - quiet_since) * 1000)
            reading.tick(reading.place.name)
            talk.keep_alive()
            data = talk.receive()
            if data == b"":
                raise EventSourceError(Text("The exchange closed the connection."))
    finally:
        stream.ended()
