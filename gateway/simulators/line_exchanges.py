"""Simulated exchanges that write lines of their calls (SMDR): what they print, how they are reached, how they fail.

They know nothing of the gateway's line descriptions: that is what makes them evidence of what those read.
"""

import socket
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from socketserver import BaseRequestHandler
from threading import Condition, Event, Thread
from typing import Any, ClassVar, Self

from gateway.simulators.behaviour import Behaviour
from gateway.simulators.exchange import Closable
from gateway.texts.text import Text

POLL_S = 0.03
BUFFERED = 3000
"""Lines that are kept while nobody reads them."""
REPEATED = 10
FAILURES: Mapping[str, Text] = {
    "halves": Text("lines come in halves, a second apart"),
    "repeats": Text("after each new connection the last ten lines are sent again"),
    "cut": Text("the connection is cut in the middle of every fifth line, which comes whole on the next one"),
    "noise": Text("NULs and bells stand between the characters"),
    "headers": Text("after every third line the head of a page is printed"),
}


@dataclass
class PlayedCall:
    """A call that the exchange plays; moments are local time."""

    extension: str
    number: str
    name: str
    rang_at: datetime
    answered_at: datetime | None = None
    ended_at: datetime | None = None

    @property
    def ring_s(self) -> int:
        """Seconds that it rang."""
        until = self.answered_at or self.ended_at or datetime.now()
        return round((until - self.rang_at).total_seconds())

    @property
    def talk_s(self) -> int:
        """Seconds that were spoken."""
        if self.answered_at is None or self.ended_at is None:
            return 0
        return round((self.ended_at - self.answered_at).total_seconds())


@dataclass
class _Output:
    """The lines that were printed, with a number each."""

    lines: deque[tuple[int, bytes]] = field(default_factory=lambda: deque(maxlen=BUFFERED))
    count: int = 0
    changed: Condition = field(default_factory=Condition)


class SimulatedLineExchange:
    """Plays calls: one by one by ``ring``, ``answer`` and ``end``; by itself, one each ``calls_every_s`` seconds, where
    that is not 0, of which every third is not answered.
    """

    name: ClassVar[str]
    title: ClassVar[Text | str]
    evidence: ClassVar[Text] = Text("the maker's documentation, not held against a real one")
    failures: ClassVar[Mapping[str, Text]] = FAILURES
    login: ClassVar[tuple[str, str]] = ("", "")
    header: ClassVar[tuple[str, ...]] = ()
    end: ClassVar[bytes] = b"\r\n"

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        behaviour: Behaviour | None = None,
        on_received: Callable[[Any], None] | None = None,
        calls_every_s: float = 0.0,
        clock: Callable[[], datetime] = datetime.now,
        **_unused: Any,
    ) -> None:
        """Begin nothing yet. Raises ``ValueError`` for a failure that it does not have."""
        self._where = (host, port)
        self.behaviour = (behaviour or Behaviour()).checked(self.name, self.failures, ())
        self._calls_every_s, self._clock = calls_every_s, clock
        self._output = _Output()
        self._read = 0
        """The number of the last line that somebody got."""
        self._was_cut: set[int] = set()
        self.stopping = Event()
        self._threads: list[Thread] = []

    # what it prints

    def rings(self, call: PlayedCall) -> str | None:
        """Return the line of a call that rings, None where the exchange has none."""
        return None

    def answers(self, call: PlayedCall) -> str | None:
        """Return the line of a call that is answered."""
        return None

    def ends(self, call: PlayedCall) -> str:
        """Return the line of a call that is over."""
        raise NotImplementedError

    def ring(self, extension: str = "3501", number: str = "1133334444", name: str = "ANA SILVA") -> PlayedCall:
        """Let a call from outside ring at ``extension``."""
        call = PlayedCall(extension, number, name, self._clock())
        self.write(self.rings(call))
        return call

    def answer(self, call: PlayedCall) -> None:
        """Let the extension take the call."""
        call.answered_at = self._clock()
        self.write(self.answers(call))

    def end_call(self, call: PlayedCall) -> None:
        """Let the call end."""
        call.ended_at = self._clock()
        self.write(self.ends(call))

    def write(self, line: str | None) -> None:
        """Print ``line``."""
        if line is None:
            return
        with self._output.changed:
            self._add(line.encode("latin-1") + self.end)
            if self.behaviour.fail == "headers" and self._output.count % 3 == 0:
                for each in ("", *self.header):
                    self._add(each.encode("latin-1") + self.end)
            self._output.changed.notify_all()

    def _add(self, data: bytes) -> None:
        self._output.count += 1
        self._output.lines.append((self._output.count, data))

    # how it is read

    @property
    def port(self) -> int:
        """The port, once started."""
        raise NotImplementedError

    @property
    def address(self) -> str:
        """Where it is reached."""
        return f"{self._where[0]}:{self.port}"

    @property
    def credentials(self) -> tuple[str, str]:
        """The user and the password that it wants."""
        wanted = self.behaviour
        return (wanted.username, wanted.password) if wanted.password else self.login

    def source(self) -> dict[str, Any]:
        """Return the gateway's settings of a source that reads it."""
        raise NotImplementedError

    def start(self) -> Self:
        """Begin. Raises ``OSError`` when the port is taken."""
        if self._calls_every_s:
            self._spawn(self._play)
        return self

    def stop(self) -> None:
        """End all threads and connections."""
        self.stopping.set()
        with self._output.changed:
            self._output.changed.notify_all()
        for thread in self._threads:
            thread.join(5)

    def _spawn(self, work: Callable[[], None]) -> None:
        thread = Thread(target=work, daemon=True)
        thread.start()
        self._threads.append(thread)

    def _play(self) -> None:
        count = 0
        while not self.stopping.wait(self._calls_every_s):
            count += 1
            call = self.ring(number=f"11{33330000 + count}")
            self.stopping.wait(max(1.0, self.behaviour.ring_s))
            if count % 3:
                self.answer(call)
                self.stopping.wait(2.0)
            self.end_call(call)

    def talk(self, connection: socket.socket) -> None:
        """Send lines to whoever reads them, until the connection ends. Raises ``OSError``."""
        place = max(0, self._read - REPEATED) if self.behaviour.fail == "repeats" else self._read
        for number, data in self._coming(place):
            self._send(connection, number, data)
            self._read = max(self._read, number)

    def _coming(self, place: int) -> Iterator[tuple[int, bytes]]:
        while not self.stopping.is_set():
            with self._output.changed:
                new = [line for line in self._output.lines if line[0] > place]
                if not new:
                    self._output.changed.wait(0.2)
            for number, data in new:
                yield number, data
                place = number

    def _send(self, connection: socket.socket, number: int, data: bytes) -> None:
        fail = self.behaviour.fail
        if fail == "noise":
            data = b"\x00" + data.replace(b" ", b" \x07", 1) + b"\x00\x00"
        half = len(data) // 2
        if fail == "cut" and number % 5 == 0 and number not in self._was_cut:
            self._was_cut.add(number)
            connection.sendall(data[:half])
            raise ConnectionAbortedError
        if fail == "halves":
            connection.sendall(data[:half])
            self.stopping.wait(1.0)
            data = data[half:]
        connection.sendall(data)


class ListeningExchange(SimulatedLineExchange):
    """An exchange that is connected to."""

    def start(self) -> Self:
        """Listen. Raises ``OSError`` when the port is taken."""
        self._server = _LineServer(self._where, self)
        self._spawn(lambda: self._server.serve_forever(POLL_S))
        return super().start()

    def stop(self) -> None:
        """End all threads and connections."""
        self.stopping.set()
        self._server.shutdown()
        self._server.close_all()
        super().stop()

    @property
    def port(self) -> int:
        """The port, once started."""
        return int(self._server.server_address[1])

    def source(self) -> dict[str, Any]:
        """Return the gateway's settings of a source that reads it."""
        return {"kind": "lines", "preset": self.name, "host": self._where[0], "port": self.port}

    def greet(self, connection: socket.socket) -> bool:
        """Have the conversation before lines flow; return whether they may. Raises ``OSError``."""
        return True


class _LineServer(Closable):
    """Serves those who read lines. Raises ``OSError`` when the port is taken."""

    allow_reuse_address = True

    def __init__(self, where: tuple[str, int], exchange: ListeningExchange) -> None:
        self.exchange = exchange
        super().__init__(where, _LineHandler)


class _LineHandler(BaseRequestHandler):
    """One who reads lines."""

    server: _LineServer

    def handle(self) -> None:
        if self.server.exchange.greet(self.request):
            self.server.exchange.talk(self.request)
