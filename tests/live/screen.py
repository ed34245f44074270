"""An agent's open screen: the stream of events that the desk's page follows."""

import base64
import http.client
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.live.conftest import LiveGateway


class Screen:
    """What the screen of ``agent`` was told so far, heart-beats left out."""

    def __init__(self, gateway: LiveGateway, agent: str, password: str) -> None:
        self.told: list[dict[str, Any]] = []
        self._connection = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=60)
        self._connection.request("GET", "/events", headers=basic(agent, password))
        self._answer = self._connection.getresponse()
        assert self._answer.status == 200, self._answer.read()
        assert self._connection.sock
        self._socket = self._connection.sock
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def of_call(self, call_id: int) -> list[str]:
        """The kinds of events of one call, in order."""
        return [event["kind"] for event in self.told if event["call_id"] == call_id]

    def close(self) -> None:
        # A close alone would wait for the reader, and that for the next heart-beat.
        self._socket.shutdown(socket.SHUT_RDWR)
        self._reader.join(10)
        self._answer.close()
        self._connection.close()

    def _read(self) -> None:
        try:
            for line in self._answer:
                if line.startswith(b"data: ") and "call_id" in (data := json.loads(line[6:])):
                    self.told.append(data)
        except (OSError, http.client.HTTPException):
            return


def basic(agent: str, password: str) -> dict[str, str]:
    """The header by which a script logs in."""
    login = base64.b64encode(f"{agent}:{password}".encode()).decode()
    return {"Authorization": f"Basic {login}"}


@contextmanager
def screen_of(gateway: LiveGateway, agent: str, password: str) -> Iterator[Screen]:
    screen = Screen(gateway, agent, password)
    try:
        yield screen
    finally:
        screen.close()
