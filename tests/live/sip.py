"""A real Kamailio with SIPp phones, each on a free port of this machine."""

import contextlib
import socket
import subprocess
import xmlrpc.client
from dataclasses import dataclass, field
from pathlib import Path

from tests.live.groups import kill_group
from tests.live.processes import spawn, until
from tests.peers import need, need_file

SCENARIOS = Path(__file__).with_name("servers") / "kamailio"


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
    """An exchange where extension 3501 is registered at ``phone_port``; other numbers go out to ``carrier_port``.

    ``command`` runs it; empty: the one that is installed.
    """

    folder: Path
    command: list[str] = field(default_factory=list)
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
        self.command = self.command or installed()
        # -DD: the processes stay in one group, which can be killed whole; -Y: sockets and files of its own.
        arguments = ["-DD", "-E", "-Y", str(self.folder), "-P", str(self.folder / "pid"), "-f", "kamailio.cfg"]
        self.process = spawn([*self.command, *arguments], self.folder, "kamailio.log")
        until(self._answers, "Kamailio answers")
        self.phone("phone_registers").ends()

    def stop(self) -> None:
        """Nothing of it is left, not even after a crash."""
        if self.process:
            kill_group(self.process)
            self.process = None

    def phone(self, scenario: str) -> "Sipp":
        """The phone of extension 3501, doing what ``scenario`` says."""
        return Sipp.run(self, "phone", scenario, self.phone_port, "-s", "3501")

    def carrier(self, scenario: str, *more: str) -> "Sipp":
        """The world outside."""
        return Sipp.run(self, "carrier", scenario, self.carrier_port, *more)

    def _answers(self) -> bool:
        with contextlib.suppress(OSError, xmlrpc.client.Error):
            xmlrpc.client.ServerProxy(self.url).core.version()
            return True
        if self.process is None or self.process.poll() is not None:
            raise AssertionError("Kamailio did not start")
        return False


def installed() -> list[str]:
    """The command of the Kamailio of this machine, or a skip (a failure in CI)."""
    need_file("/usr/lib/*/kamailio/modules/xmlrpc.so", package="kamailio-xml-modules")
    need_file("/usr/lib/*/kamailio/modules/http_client.so", package="kamailio-utils-modules")
    return [need("kamailio", package="kamailio")]


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
        arguments += ["-p", str(port), "-m", "1", "-nostdin", "-timeout", "60", "-timeout_error"]
        arguments += ["-trace_msg", "-message_file", messages, "-trace_err", "-error_file", errors]
        process = spawn(["sipp", *arguments, *more], exchange.folder, f"{name}.log")
        until(lambda: process.poll() is not None or taken(port), f"{name} listens")
        return cls(name, process)

    def ends(self) -> None:
        """The scenario was played to its end, every message of it."""
        code = self.process.wait(70)
        assert code == 0, f"SIPp {self.name} ended with {code}: its scenario did not happen"


def taken(port: int) -> bool:
    """Whether somebody has the UDP port."""
    with socket.socket(type=socket.SOCK_DGRAM) as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
        return False
