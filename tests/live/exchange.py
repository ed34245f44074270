"""A real Asterisk with SIP phones and a carrier, each a SIPp on a free port of this machine."""

import contextlib
import shutil
import socket
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from tests.live.groups import kill_group
from tests.live.nginx import make_certificate
from tests.live.processes import asterisk_ready, spawn, until
from tests.live.sid import in_sid
from tests.live.sip import free_sip_port, taken
from tests.peers import need

SETTINGS = Path(__file__).with_name("servers") / "asterisk_sip"
PHONES = ("3501", "3502", "3503")


@dataclass
class SippPhone:
    """One SIPp, which plays its scenario once."""

    name: str
    process: subprocess.Popen[bytes]

    def ends(self) -> None:
        """The scenario was played to its end, every message of it."""
        code = self.process.wait(70)
        assert code == 0, f"SIPp {self.name} ended with {code}: its scenario did not happen"


@dataclass
class SipExchange:
    """An exchange where phones ring at ``phone_ports`` and calls come from ``carrier_port``."""

    folder: Path
    ami_port: int = field(default_factory=free_sip_port)
    tls_port: int = field(default_factory=free_sip_port)
    sip_port: int = field(default_factory=free_sip_port)
    carrier_port: int = field(default_factory=free_sip_port)
    phone_ports: dict[str, int] = field(default_factory=lambda: {phone: free_sip_port() for phone in PHONES})
    process: subprocess.Popen[bytes] | None = None

    def configure(self, manager_user: str) -> None:
        """``manager_user`` is what an administrator pastes for the gateway."""
        ports = {"AMI_PORT": self.ami_port, "AMI_TLS": self.tls_port, "SIP_PORT": self.sip_port}
        ports |= {f"PHONE_{phone}": port for phone, port in self.phone_ports.items()}
        for source in SETTINGS.glob("*.conf"):
            text = source.read_text().replace("FOLDER", str(self.folder))
            for name, port in ports.items():
                text = text.replace(name, str(port))
            (self.folder / source.name).write_text(text)
        (self.folder / "cti-user.conf").write_text(manager_user)
        make_certificate(self.folder)
        pair = (self.folder / "cert.pem").read_text() + (self.folder / "key.pem").read_text()
        (self.folder / "own.pem").write_text(pair)

    def start(self) -> None:
        """Run until the manager interface answers."""
        need("sipp", package="sip-tester")
        program = shutil.which("asterisk") or shutil.which("asterisk", path="/usr/sbin:/usr/local/sbin")
        command = [program] if program else in_sid("/usr/sbin/asterisk")
        arguments = ["-C", str(self.folder / "asterisk.conf"), "-f", "-n", "-v", "-v", "-v"]
        self.process = spawn([*command, *arguments], self.folder, "asterisk.log")
        until(self._answers, "Asterisk answers")

    def stop(self) -> None:
        """Nothing of it is left, not even after a crash."""
        if self.process:
            kill_group(self.process)
            self.process = None

    def phone(self, extension: str, scenario: str, *, to: str = "") -> SippPhone:
        """The phone of ``extension``, doing what ``scenario`` says with the next call; ``to`` is where one that refers
        it sends it.
        """
        more = ["-key", "to", to] if to else []
        return self._sipp(f"phone-{extension}", scenario, self.phone_ports[extension], *more)

    def call_in(self, number: str, line: str, *, scenario: str = "calls", pause_ms: int = 1000) -> SippPhone:
        """Let ``number``, outside, call our number ``line``."""
        more = ["-s", line, "-set", "number", number, "-d", str(pause_ms)]
        return self._sipp("caller", scenario, self.carrier_port, *more)

    def transfer(self, extension: str, to: str) -> None:
        """Have the call at ``extension`` go on at ``to``, without asking there first."""
        with socket.create_connection(("127.0.0.1", self.ami_port), timeout=5) as manager:
            said = _ask(manager, "Action: Login\r\nUsername: carrier\r\nSecret: outro-segredo\r\nEvents: off")
            assert "Success" in said, said
            # The channel's name has a number that only Asterisk knows: any of the endpoint's will do.
            status = _ask(manager, "Action: Status\r\nActionID: status", until_text="StatusComplete")
            (channel,) = {line[9:] for line in status.split("\r\n") if line.startswith(f"Channel: PJSIP/{extension}-")}
            asked = f"Action: BlindTransfer\r\nChannel: {channel}\r\nContext: from-internal\r\nExten: {to}"
            said = _ask(manager, asked)
            assert "Success" in said, said

    def _sipp(self, who: str, scenario: str, port: int, *more: str) -> SippPhone:
        name = f"{who}-{scenario}"
        arguments = [f"127.0.0.1:{self.sip_port}", "-sf", str(SETTINGS / f"{scenario}.xml"), "-i", "127.0.0.1"]
        arguments += ["-p", str(port), "-m", "1", "-nostdin", "-timeout", "60", "-timeout_error"]
        arguments += ["-trace_msg", "-message_file", f"{name}.messages.log", "-trace_err"]
        arguments += ["-error_file", f"{name}.errors.log", *more]
        process = spawn(["sipp", *arguments], self.folder, f"{name}.log")
        until(lambda: process.poll() is not None or taken(port), f"{name} listens")
        return SippPhone(name, process)

    def _answers(self) -> bool:
        if self.process is None or self.process.poll() is not None:
            raise AssertionError("Asterisk did not start")
        if not asterisk_ready(self.folder):
            return False
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.ami_port), timeout=2) as manager:
            return b"Asterisk Call Manager" in manager.recv(100)
        return False


def _ask(manager: socket.socket, action: str, *, until_text: str = "\r\n\r\n") -> str:
    manager.settimeout(10)
    manager.sendall(f"{action}\r\n\r\n".encode())
    said = ""
    while until_text not in said or not said.endswith("\r\n\r\n"):
        data = manager.recv(65536)
        assert data, f"the manager closed: {said}"
        said += data.decode("utf-8", "replace")
    return said
