"""Lines as syslog messages over UDP."""

import re
import socket
import time

from gateway.adapter import Probe
from gateway.errors import EventSourceError
from gateway.event_source import Report, Stop
from gateway.events.lines.reading import LineReading, LineStream
from gateway.events.lines.settings import LineSourceConfig, is_allowed
from gateway.events.lines.transports.dialogues import LOOK_S
from gateway.events.lines.transports.listening import listening_socket, probe_of
from gateway.texts.text import Text

LARGEST = 65536
MOST_PEERS = 64
_PRIORITY = re.compile(rb"^<[0-9]{1,3}>(?:1 )?")
BUFFER = 4 * 1024 * 1024
"""Of the kernel, for a burst of messages while the database is slow."""


class Datagrams:
    """Listens for syslog messages on ``address``."""

    def __init__(self, config: LineSourceConfig, address: tuple[str, int]) -> None:
        self._config, self._address = config, address

    @property
    def peer(self) -> str:
        """Where it listens."""
        return f"{self._address[0]}:{self._address[1]}/udp"

    def probe(self) -> Probe:
        """Say whether the port can be listened on."""
        try:
            with listening_socket(self._address, socket.SOCK_DGRAM):
                return Probe(True, Text("{peer}: waits for syslog messages", peer=self.peer))
        except EventSourceError as error:
            return probe_of(self.peer, error)

    def run(self, reading: LineReading, report: Report, stop: Stop) -> None:
        """Take messages until ``stop``. Raises ``EventSourceError``."""
        streams: dict[str, LineStream] = {}
        with listening_socket(self._address, socket.SOCK_DGRAM) as server:
            server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
            server.settimeout(LOOK_S)
            report.connected()
            heard_at = time.monotonic()
            while not stop.is_set():
                if self._take(server, reading, streams):
                    heard_at = time.monotonic()
                for stream in streams.values():
                    stream.idle((time.monotonic() - heard_at) * 1000)
                reading.tick(reading.place.name)

    def _take(self, server: socket.socket, reading: LineReading, streams: dict[str, LineStream]) -> bool:
        try:
            data, address = server.recvfrom(LARGEST)
        except TimeoutError:
            return False
        if not is_allowed(address[0], self._config.allow):
            return False
        stream = streams.get(address[0])
        if stream is None:
            while len(streams) >= MOST_PEERS:
                streams.pop(next(iter(streams)))
            stream = streams[address[0]] = reading.stream(address[0])
        stream.feed(_PRIORITY.sub(b"", data).rstrip(b"\r\n\x00") + b"\n")
        return True
