"""Many open screens in one process, which costs as little as it can: one loop over epoll, hardly any parsing.

It reads its task, a line of JSON, then a word a line from its standard input, and answers each with a line of JSON:
``opened`` (seconds until all screens were open), ``heard`` (by screen, by call, when it came, by the steady clock).
"""

import json
import os
import random
import re
import select
import socket
import sys
import time
from dataclasses import dataclass, field
from heapq import heappop, heappush
from typing import Any

STARTED = re.compile(rb'event: call_started\ndata: \{"call_id":(\d+)')
POSITION = re.compile(rb"id: ([0-9.]+)\n")
FAREWELL = re.compile(rb'"back_in_ms":(\d+)')
AT_ONCE = 50
"""Screens that are being opened at the same time: a gateway limits the requests of one address."""
PER_ADDRESS = 5_000
"""Screens of one of our addresses: each has some 28,000 ports only."""
FIRST_WAIT_S, LONGEST_WAIT_S = 0.3, 5.0
"""As pages wait before they come back."""


@dataclass(slots=True)
class OpenScreen:
    """One screen: where it stands, and what it heard."""

    number: int
    cookie: str
    is_deaf: bool
    heard: dict[int, list[float]] = field(default_factory=dict)
    connection: socket.socket | None = None
    rest: bytes = b""
    is_open: bool = False
    position: str = ""
    wait_s: float = FIRST_WAIT_S
    back_in_s: float | None = None


class ScreenProcess:
    """Opens the screens of ``task``, keeps them open, and answers questions about them."""

    def __init__(self, task: dict[str, Any]) -> None:
        self._port = task["port"]
        cookies = task["cookies"]
        self._screens = [OpenScreen(number, each, number < task["deaf"]) for number, each in enumerate(cookies)]
        self._waiting = [(0.0, number) for number in range(len(cookies))]
        """When each of those comes that are not there, as a heap."""
        self._poll = select.epoll()
        self._by_file: dict[int, OpenScreen] = {}
        self._opening = 0
        self._open = 0
        self._began = time.perf_counter()

    def run(self) -> None:
        """Serve until the standard input ends."""
        self._poll.register(sys.stdin.fileno(), select.EPOLLIN)
        while True:
            self._connect_due()
            for file, _ in self._poll.poll(0.02 if self._waiting else 1):
                if file == sys.stdin.fileno():
                    if not self._answer(read_line()):
                        return
                else:
                    self._read(self._by_file[file])

    def _connect_due(self) -> None:
        """Connect those whose time has come, the earliest first."""
        now = time.perf_counter()
        while self._waiting and self._waiting[0][0] <= now and self._opening < AT_ONCE:
            self._connect(self._screens[heappop(self._waiting)[1]])

    def _answer(self, word: str) -> bool:
        if word == "heard":
            print(json.dumps([each.heard for each in self._screens]), flush=True)
        elif word == "opened":
            print(json.dumps({"open": self._open, "at": time.perf_counter()}), flush=True)
        return bool(word)

    def _connect(self, screen: OpenScreen) -> None:
        connection = socket.socket()
        screen.connection, screen.rest = connection, b""
        try:
            connection.bind((f"127.0.0.{2 + screen.number // PER_ADDRESS}", 0))
            connection.connect(("127.0.0.1", self._port))
            last = f"Last-Event-ID: {screen.position}\r\n" if screen.position else ""
            # HTTP/1.0 keeps the stream free of chunk sizes.
            head = f"GET /events HTTP/1.0\r\nHost: bench\r\nCookie: {screen.cookie}\r\n{last}\r\n"
            connection.sendall(head.encode())
        except OSError:
            self._lose(screen)
            return
        connection.setblocking(False)
        self._opening += 1
        self._by_file[connection.fileno()] = screen
        self._poll.register(connection.fileno(), select.EPOLLIN)

    def _read(self, screen: OpenScreen) -> None:
        connection = screen.connection
        if connection is None:
            return
        try:
            data = connection.recv(65536)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._lose(screen)
            return
        now = time.perf_counter()
        text = screen.rest + data
        whole, end, screen.rest = text.rpartition(b"\n\n")
        if not screen.is_open and b"retry:" in text:
            self._opened(screen, text)
        for found in STARTED.findall(whole + end):
            screen.heard.setdefault(int(found), []).append(now)
        if positions := POSITION.findall(whole):
            screen.position = positions[-1].decode()
        if farewell := FAREWELL.search(whole):
            screen.back_in_s = max(FIRST_WAIT_S, int(farewell[1]) / 1000)

    def _opened(self, screen: OpenScreen, text: bytes) -> None:
        if b" 200 " not in text[:20]:
            raise SystemExit(f"no stream of events: {text[:300]!r}")
        screen.is_open, screen.wait_s = True, FIRST_WAIT_S
        self._opening -= 1
        self._open += 1
        if screen.is_deaf and screen.connection:
            self._poll.unregister(screen.connection.fileno())

    def _lose(self, screen: OpenScreen) -> None:
        """Close, and come back as a page does."""
        connection, screen.connection = screen.connection, None
        if connection is None:
            return
        if self._by_file.pop(connection.fileno(), None):
            if screen.is_open:
                self._open -= 1
            else:
                self._opening -= 1
        connection.close()
        screen.is_open = False
        due_at = time.perf_counter() + next_wait_s(screen) * (0.7 + 0.6 * random.random())
        heappush(self._waiting, (due_at, screen.number))


def next_wait_s(screen: OpenScreen) -> float:
    """How long the page of ``screen`` waits before it comes back: as it was told, after that longer and longer."""
    told, wait_s = screen.back_in_s, screen.wait_s
    screen.back_in_s = None
    if told is None:
        screen.wait_s = min(wait_s * 2, LONGEST_WAIT_S)
    return told or wait_s


def read_line() -> str:
    """Return the next line of the standard input, read without a buffer: what is in one, epoll does not see."""
    text = b""
    while not text.endswith(b"\n"):
        part = os.read(sys.stdin.fileno(), 1)
        if not part:
            return ""
        text += part
    return text.decode().strip()


if __name__ == "__main__":
    ScreenProcess(json.loads(read_line())).run()
