"""The simulated exchanges that write lines: a Panasonic, a HiPath, a Mitel and an IP Office."""

import socket
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any, ClassVar, Self

from gateway.simulators.line_exchanges import FAILURES, ListeningExchange, PlayedCall, SimulatedLineExchange
from gateway.texts.text import Text

DRAIN_S = 2.0
RETRY_S = 1.0


class PanasonicSmdr(ListeningExchange):
    """SMDR over LAN with its login (``-``, ``SMDR``, ``Enter Password:``), which is echoed in capitals, the password as
    stars. Lines at the ring (RC), at the answer (AN) and at the end, pattern A."""

    name = "panasonic-smdr"
    title = "Panasonic KX-TDA (SMDR)"
    evidence = Text("a public emulator and the maker's manuals, not held against a real one")
    login = ("SMDR", "PCCSMDR")
    failures: ClassVar[Mapping[str, Text]] = {"auth": Text("the password is refused"), **FAILURES}
    header = (
        "  Date     Time    Ext CO        Dial Number          Ring Duration  Acc code  CD",
        "-" * 80,
    )

    def source(self) -> dict[str, Any]:
        """Return the gateway's settings of a source that reads it."""
        return {**super().source(), "password": self.credentials[1]}

    def greet(self, connection: socket.socket) -> bool:
        """Ask for user and password. Raises ``OSError``."""
        connection.sendall(b"-")
        user = _line_from(connection)
        connection.sendall(user.upper() + b"\r\nEnter Password:")
        password = _line_from(connection)
        connection.sendall(b"*" * len(password) + b"\r\n")
        wanted = self.credentials[1].casefold()
        is_right = user.upper() == b"SMDR" and password.decode("latin-1").casefold() == wanted
        if is_right and self.behaviour.fail != "auth":
            return True
        connection.sendall(b"Incorrect password\r\n")
        _drain(connection)
        return False

    def rings(self, call: PlayedCall) -> str:
        return self._printed(call, call.rang_at, "", "", "RC")

    def answers(self, call: PlayedCall) -> str:
        return self._printed(call, call.answered_at or call.rang_at, _minutes(call.ring_s), "", "AN")

    def ends(self, call: PlayedCall) -> str:
        code = "" if call.answered_at else "NA"
        hours, rest = divmod(call.talk_s, 3600)
        talk = f"{hours:02}:{rest // 60:02}'{rest % 60:02}"
        return self._printed(call, call.ended_at or call.rang_at, _minutes(call.ring_s), talk, code)

    @staticmethod
    def _printed(call: PlayedCall, at: datetime, ring: str, talk: str, code: str) -> str:
        clock = f"{at:%d/%m/%y} {at:%I:%M}{'AM' if at.hour < 12 else 'PM'}"
        dialled = f"<I>{call.number} {call.name}"[:25]
        return f"{clock} {call.extension:<5} 03 {dialled:<25} {ring:>4} {talk:>8} {'':10} {code:<3}".rstrip()


class HipathLines(ListeningExchange):
    """Call data lines, compressed, as a bridge from serial to TCP hands them on: at the ring and at the end."""

    name = "hipath"
    title = "Siemens HiPath 3000"
    header = ("Datum    Time     Trk Stn    Call  Duration Ext number           Amount      I", "")

    def rings(self, call: PlayedCall) -> str:
        return self._printed(call, call.rang_at, "", "", "0")

    def ends(self, call: PlayedCall) -> str:
        talk = _clock(call.talk_s) if call.answered_at else ""
        ring = f"{call.ring_s // 60:02}:{call.ring_s % 60:02}"
        return self._printed(call, call.ended_at or call.rang_at, ring, talk, "1")

    @staticmethod
    def _printed(call: PlayedCall, at: datetime, ring: str, talk: str, info: str) -> str:
        first = f"{at:%d.%m.%y}{at:%H:%M:%S}{'1':>3}{call.extension:>6}{ring:5}{talk:8}{call.number:25}"
        return f"{first}{'':11}{info:>2}"


class MitelLines(ListeningExchange):
    """SMDR of a Mitel 3300, standard layout with ANI, at the end of a call."""

    name = "mitel-3300"
    title = "Mitel 3300 (SMDR)"

    def ends(self, call: PlayedCall) -> str:
        taken = f"{call.ring_s:03}" if call.answered_at else "*?*"
        length = _clock(call.talk_s if call.answered_at else call.ring_s)
        first = f" {call.rang_at:%m/%d} {call.rang_at:%H:%M}   {length} T003 {taken}{'':28}"
        second = f"A {call.extension:<4}" if call.answered_at else f"  {call.extension:<4}"
        return f"{first}{second}{'':25}{call.number:>10} {'33330000':>10}"


class IpOfficeLines(SimulatedLineExchange):
    """SMDR of an Avaya IP Office, which connects to the gateway, at the end of a call."""

    name = "ip-office"
    title = "Avaya IP Office (SMDR)"
    _calls = 1000

    def start(self) -> Self:
        """Connect to the gateway, again and again until it is there. Raises ``ValueError`` without a port."""
        if not self._where[1]:
            raise ValueError(Text("{name} connects to the gateway: give the port there, --port 9000", name=self.name))
        self._spawn(self._connect)
        return super().start()

    @property
    def port(self) -> int:
        """The port that it connects to."""
        return self._where[1]

    def source(self) -> dict[str, Any]:
        """Return the gateway's settings of a source that it connects to."""
        return {"kind": "lines", "preset": "avaya-ip-office", "listen": self.address}

    def ends(self, call: PlayedCall) -> str:
        self._calls += 1
        first = f"{call.rang_at:%Y/%m/%d %H:%M:%S},{_clock(call.talk_s)},{call.ring_s},{call.number},I,{call.extension}"
        return f"{first},33330000,,0,{self._calls},0,E{call.extension},{call.name},T9001,Line 1.1,0,0,,,,,,,,,,,,"

    def _connect(self) -> None:
        while not self.stopping.is_set():
            try:
                with socket.create_connection(self._where, timeout=2) as connection:
                    self.talk(connection)
            except OSError:
                self.stopping.wait(RETRY_S)


LINE_EXCHANGES: tuple[type[SimulatedLineExchange], ...] = (PanasonicSmdr, HipathLines, MitelLines, IpOfficeLines)


def _line_from(connection: socket.socket) -> bytes:
    """Return the next line that a client sends. Raises ``OSError``."""
    line = b""
    while not line.endswith((b"\r", b"\n")) and len(line) < 200:
        piece = connection.recv(1)
        if not piece:
            raise ConnectionAbortedError
        line = (line + piece).lstrip(b"\r\n") if not line else line + piece
    return line.strip()


def _drain(connection: socket.socket) -> None:
    """Take what the client still says: closing before would take from it what it was told. Raises ``OSError``."""
    connection.shutdown(socket.SHUT_WR)
    connection.settimeout(DRAIN_S)
    with suppress(TimeoutError):
        while connection.recv(1000):
            pass


def _minutes(seconds: int) -> str:
    return f"{seconds // 60}'{seconds % 60:02}"


def _clock(seconds: int) -> str:
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
