"""An exchange's manager interface that tells of calls at a given rate: a process of its own, beside the load.

Run with ``python -m bench.ami_exchange --port PORT RECORDING``. It plays the recording of one call again and again,
each time with other ids and another caller, each event at its time, as many calls side by side as the rate asks for. A
line on standard input begins or ends the calls: the number of events in a second.
"""

import argparse
import heapq
import re
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

MARK = re.compile(r"^; \+(\d+) ms\n", re.MULTILINE)
"""What stands before each block of a recording: when it came, in milliseconds."""
NUMBER = "47999990016"
"""The caller of the recordings."""


@dataclass(frozen=True)
class RecordedCall:
    """The events of one call, with the seconds after its first at which they come."""

    events: tuple[tuple[float, str], ...]

    @classmethod
    def read(cls, path: Path) -> "RecordedCall":
        parts = MARK.split(path.read_text(encoding="utf-8"))[1:]
        pairs = [(int(at), text.strip()) for at, text in zip(parts[::2], parts[1::2], strict=True)]
        first = pairs[0][0]
        return cls(tuple(((at - first) / 1000, text) for at, text in pairs))

    def again(self, count: int) -> Iterator[tuple[float, bytes]]:
        """Yield the events of another such call."""
        for after_s, text in self.events:
            other = re.sub(r"(\d{10})\.(\d+)", rf"\1.{count}\2", text).replace(NUMBER, f"4797{count:07}")
            other = re.sub(r"(?m)^(BridgeUniqueid: .*)$", rf"\1-{count}", other)
            other = re.sub(r"^(.*Channel: .*-)[0-9a-f]+$", lambda found: _channel(found, count), other, flags=re.M)
            yield after_s, other.replace("\n", "\r\n").encode() + b"\r\n\r\n"


def _channel(found: "re.Match[str]", count: int) -> str:
    """Return the line of a channel whose number is another in each call and the same within one."""
    return f"{found[1]}{int(found[0].rpartition('-')[2], 16) + 1000 * count:08x}"


class AmiExchange:
    """Serves one connection at a time."""

    def __init__(self, call: RecordedCall, port: int) -> None:
        self._call = call
        self._listening = socket.create_server(("127.0.0.1", port))
        self.per_s = 0.0
        self.sent, self.calls = 0, 0
        self._connection: socket.socket | None = None

    def serve(self) -> None:
        """Take connections for ever."""
        while True:
            connection, _ = self._listening.accept()
            with suppress(OSError):
                connection.sendall(b"Asterisk Call Manager/11.0.0\r\n")
                self._talk(connection)

    def _talk(self, connection: socket.socket) -> None:
        rest = b""
        while data := connection.recv(65536):
            *whole, rest = (rest + data).split(b"\r\n\r\n")
            for block in whole:
                action = dict(line.partition(": ")[::2] for line in block.decode().split("\r\n"))
                connection.sendall(self._answer(action))
                if action["Action"] == "Login":
                    self._connection = connection

    def _answer(self, action: dict[str, str]) -> bytes:
        own = f"ActionID: {action['ActionID']}\r\n" if "ActionID" in action else ""
        name = action["Action"]
        said = f"Response: Success\r\nChallenge: 176956002\r\nPing: Pong\r\n{own}\r\n"
        if name == "Login":
            said += "Event: FullyBooted\r\nStatus: Fully Booted\r\n\r\n"
        if name in ("CoreShowChannels", "QueueStatus", "ParkedCalls"):
            said += f"Event: {name}Complete\r\n{own}EventList: Complete\r\nListItems: 0\r\n\r\n"
        return said.encode()

    def play(self) -> None:
        """Tell of calls for ever, as many as ``per_s`` says."""
        due: list[tuple[float, int, bytes]] = []
        begin_at, order = time.perf_counter(), 0
        while True:
            now = time.perf_counter()
            if not self.per_s:
                begin_at = now
            while self.per_s and begin_at <= now:
                self.calls += 1
                for after_s, block in self._call.again(self.calls):
                    order += 1
                    heapq.heappush(due, (begin_at + after_s, order, block))
                begin_at += len(self._call.events) / self.per_s
            self._say(due, now)
            time.sleep(0.002)

    def _say(self, due: list[tuple[float, int, bytes]], now: float) -> None:
        blocks: list[bytes] = []
        while due and due[0][0] <= now:
            blocks.append(heapq.heappop(due)[2])
        if blocks and self._connection:
            with suppress(OSError):
                self._connection.sendall(b"".join(blocks))
                self.sent += len(blocks)


def main() -> None:
    """Serve until standard input ends; each line there is a rate, answered with what was told so far."""
    parser = argparse.ArgumentParser(prog="python -m bench.ami_exchange", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("recording", type=Path)
    options = parser.parse_args()
    exchange = AmiExchange(RecordedCall.read(options.recording), options.port)
    for work in (exchange.serve, exchange.play):
        threading.Thread(target=work, daemon=True).start()
    print("ready", flush=True)
    for line in sys.stdin:
        exchange.per_s = float(line)
        print(exchange.sent, exchange.calls, flush=True)


if __name__ == "__main__":
    main()
