"""A real Kamailio with SIPp phones, each on a free port of this machine."""

import contextlib
import os
import signal
import socket
import subprocess
import time
import xmlrpc.client
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.live.conftest import STARTED
from tests.peers import need, need_file

SCENARIOS = Path(__file__).with_name("servers") / "kamailio"
LOG_END = 6_000
"""How much of each log a failed test shows."""


def free_sip_port() -> int:
    """A port that is free by UDP and by TCP."""
    while True:
        with socket.socket() as tcp, socket.socket(type=socket.SOCK_DGRAM) as udp:
            tcp.bind(("127.0.0.1", 0))
            port: int = tcp.getsockname()[1]
            with contextlib.suppress(OSError):
                udp.bind(("127.0.0.1", port))
                return port


@dataclass
class Kamailio:
    """An exchange where extension 3501 is registered at ``phone_port``; other numbers go out to ``carrier_port``."""

    folder: Path
    port: int = field(default_factory=free_sip_port)
    phone_port: int = field(default_factory=free_sip_port)
    carrier_port: int = field(default_factory=free_sip_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/RPC2"

    def configure(self, events: str) -> None:
        """``events`` is what an administrator pastes to have start and end of calls told."""
        text = (SCENARIOS / "kamailio.cfg").read_text().replace("SIP_PORT", str(self.port))
        (self.folder / "kamailio.cfg").write_text(text.replace("CARRIER_PORT", str(self.carrier_port)))
        (self.folder / "cti-events.cfg").write_text(events)

    def start(self) -> None:
        """Run until the exchange answers and the phone is registered."""
        need("sipp", package="sip-tester")
        need_file("/usr/lib/*/kamailio/modules/xmlrpc.so", package="kamailio-xml-modules")
        need_file("/usr/lib/*/kamailio/modules/http_client.so", package="kamailio-utils-modules")
        kamailio = need("kamailio", package="kamailio")
        # -DD: the processes stay in one group, which can be killed whole; -Y: sockets and files of its own.
        arguments = ["-DD", "-E", "-Y", str(self.folder), "-P", str(self.folder / "pid"), "-f", "kamailio.cfg"]
        self.process = spawn([kamailio, *arguments], self.folder, "kamailio.log")
        until(self._answers, "Kamailio answers")
        self.phone("phone_registers").ends()

    def stop(self) -> None:
        """Nothing of it is left, not even after a crash."""
        if self.process:
            kill(self.process)
            self.process = None

    def phone(self, scenario: str) -> "Sipp":
        """The phone of extension 3501, doing what ``scenario`` says."""
        return Sipp.run(self, "phone", scenario, self.phone_port, "-s", "3501")

    def carrier(self, scenario: str, *more: str) -> "Sipp":
        """The world outside."""
        return Sipp.run(self, "carrier", scenario, self.carrier_port, *more)

    def logs(self) -> str:
        """What Kamailio and each SIPp said, and which messages went over the wire."""
        return "\n".join(
            f"--- {path.name}\n{path.read_text(errors='replace')[-LOG_END:]}"
            for path in sorted(self.folder.glob("*.log"))
        )

    def _answers(self) -> bool:
        with contextlib.suppress(OSError, xmlrpc.client.Error):
            xmlrpc.client.ServerProxy(self.url).core.version()
            return True
        if self.process is None or self.process.poll() is not None:
            raise AssertionError("Kamailio did not start")
        return False


@dataclass
class Sipp:
    """One SIPp, which plays its scenario once."""

    name: str
    process: subprocess.Popen[bytes]

    @classmethod
    def run(cls, exchange: Kamailio, who: str, scenario: str, port: int, *more: str) -> "Sipp":
        name = f"{who}-{scenario}"
        messages, errors = f"{name}.messages.log", f"{name}.errors.log"
        arguments = [f"127.0.0.1:{exchange.port}", "-sf", str(SCENARIOS / f"{scenario}.xml"), "-i", "127.0.0.1"]
        arguments += ["-p", str(port), "-m", "1", "-nostdin", "-timeout", "15", "-timeout_error"]
        arguments += ["-trace_msg", "-message_file", messages, "-trace_err", "-error_file", errors]
        process = spawn(["sipp", *arguments, *more], exchange.folder, f"{name}.log")
        until(lambda: process.poll() is not None or taken(port), f"{name} listens")
        return cls(name, process)

    def ends(self) -> None:
        """The scenario was played to its end, every message of it."""
        code = self.process.wait(20)
        assert code == 0, f"SIPp {self.name} ended with {code}: its scenario did not happen"


def spawn(command: list[str], folder: Path, log: str) -> subprocess.Popen[bytes]:
    with (folder / log).open("ab") as output:
        process = subprocess.Popen(
            command,
            cwd=folder,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=os.environ | {"TERM": "dumb"},
            start_new_session=True,
        )
    STARTED.append(process)
    return process


def kill(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(10)


def taken(port: int) -> bool:
    """Whether somebody has the UDP port."""
    with socket.socket(type=socket.SOCK_DGRAM) as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
        return False


def until(done: Callable[[], bool], what: str, *, timeout_s: float = 15) -> None:
    deadline = time.monotonic() + timeout_s
    while not done():
        assert time.monotonic() < deadline, f"not within {timeout_s} s: {what}"
        time.sleep(0.03)


@contextlib.contextmanager
def logs_told(exchange: Kamailio) -> Iterator[None]:
    """A failure inside carries what Kamailio and SIPp said."""
    try:
        yield
    except BaseException as error:
        error.add_note(exchange.logs())
        raise
