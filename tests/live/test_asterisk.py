"""Click-to-call by a real Asterisk: orders over HTTP, and the dialplan that tells of start and end.

Debian 12 has no Asterisk: where none is installed, the one of Debian sid runs (``tests/live/sid.py``).
"""

import re
import shutil
import subprocess
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from adapters.presets.files import Catalogue
from tests.live.calls import fresh_number
from tests.live.conftest import LiveGateway, free_port, start_gateway
from tests.live.groups import kill_group
from tests.live.office import PASSWORD, Office, agent_ana, pasted
from tests.live.processes import asterisk_ready, logs_told, spawn, until
from tests.live.screen import screen_of
from tests.live.sid import in_sid

SETTINGS = Path(__file__).with_name("servers") / "asterisk"
CONFIG = """
[tenants.acme]
area_code = "47"
extensions = ["3500-3599"]
dial_plan = { prefix = "0" }
"""
APPLIANCE = """
[tenants.acme.appliances.{preset}]
preset = "{preset}"
host = "127.0.0.1"
port = {port}
{user} = "crm"
{password} = "segredo"
context = "outbound"
channel_rule = "Local/{{{{ extension }}}}@phones"
"""
PRESETS = {
    "asterisk-ami": ("login", "secret"),
    "asterisk-ami-login": ("login", "secret"),
    "asterisk-ari": ("username", "password"),
}
BUSY = "4733330099"


@dataclass
class Asterisk:
    """An exchange with phones and a carrier that are extensions of its own dialplan."""

    command: list[str]
    folder: Path
    http_port: int
    process: subprocess.Popen[bytes] | None = None

    def configure(self, events: str) -> None:
        """``events`` is what an administrator pastes to have start and end of calls told."""
        filled = {"FOLDER": str(self.folder), "HTTP_PORT": str(self.http_port), "AMI_PORT": str(free_port())}
        for source in SETTINGS.iterdir():
            text = source.read_text()
            for name, value in filled.items():
                text = text.replace(name, value)
            (self.folder / source.name).write_text(text)
        (self.folder / "cti-events.conf").write_text(events)

    def start(self) -> None:
        arguments = ["-C", str(self.folder / "asterisk.conf"), "-f", "-n", "-v", "-v", "-v"]
        self.process = spawn([*self.command, *arguments], self.folder, "asterisk.log")
        until(self._answers, "Asterisk answers")

    def stop(self) -> None:
        if self.process:
            kill_group(self.process)
            self.process = None

    def call_in(self, number: str, extension: str = "3501", *, talk_s: int = 1) -> None:
        """``number`` calls ``extension`` from outside, and hangs up ``talk_s`` after somebody answered."""
        (self.folder / "call").write_text(
            f"Channel: Local/{extension}@inbound/n\nCallerID: <{number}>\nMaxRetries: 0\n"
            f"Application: Wait\nData: {talk_s}\n"
        )
        (self.folder / "outgoing").mkdir(exist_ok=True)
        (self.folder / "call").rename(self.folder / "outgoing" / "call")

    def transfer(self, phone: str, extension: str) -> None:
        """The phone at ``phone`` transfers its call blindly to ``extension``."""
        channel = re.search(rf"^Channel: (Local/{phone}@phones-\w+;1)", self._manager("status"), re.MULTILINE)
        assert channel, "the phone has no call"
        named = urllib.parse.quote(channel[1])
        told = self._manager(f"blindtransfer&channel={named}&context=inbound&exten={extension}")
        assert "Success" in told, told

    def _manager(self, action: str) -> str:
        """Take one action of the manager interface, and return its answer."""
        browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
        address = f"http://127.0.0.1:{self.http_port}/rawman?action="
        browser.open(f"{address}login&username=crm&secret=segredo", timeout=5).close()
        return str(browser.open(address + action, timeout=5).read().decode().replace("\r", ""))

    def _answers(self) -> bool:
        if self.process is None or self.process.poll() is not None:
            raise AssertionError("Asterisk did not start")
        if not asterisk_ready(self.folder):
            return False
        with suppress(OSError):
            address = f"http://127.0.0.1:{self.http_port}/rawman?action=ping"
            return b"denied" in urllib.request.urlopen(address, timeout=2).read()
        return False


@pytest.fixture(scope="module")
def asterisk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asterisk]:
    program = shutil.which("asterisk") or shutil.which("asterisk", path="/usr/sbin:/usr/local/sbin")
    command = [program] if program else in_sid("/usr/sbin/asterisk")
    exchange = Asterisk(command, tmp_path_factory.mktemp("asterisk"), free_port())
    yield exchange
    exchange.stop()


@pytest.fixture(scope="module")
def office(asterisk: Asterisk, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    gateway = configured_gateway(tmp_path_factory.mktemp("office"), asterisk)
    hooks = Catalogue().preset("freepbx").events[2].text
    asterisk.configure(pasted(gateway, "asterisk-ami") + hooks)
    try:
        with logs_told(asterisk.folder):
            asterisk.start()
        with screen_of(gateway, "ana", PASSWORD) as screen:
            yield Office(gateway, screen)
    finally:
        gateway.stop()


def configured_gateway(folder: Path, asterisk: Asterisk) -> LiveGateway:
    config = folder / "gateway.toml"
    text = CONFIG
    for preset, (user, password) in PRESETS.items():
        text += APPLIANCE.format(preset=preset, port=asterisk.http_port, user=user, password=password)
    config.write_text(text)
    gateway = start_gateway(folder / "data", config=config)
    agent_ana(gateway)
    return gateway


@pytest.mark.parametrize("preset", PRESETS)
def test_a_click_is_one_call_in_the_log_from_start_to_end(office: Office, asterisk: Asterisk, preset: str) -> None:
    number = fresh_number()
    with logs_told(asterisk.folder):
        status, order = office.click(number, appliance=preset)
        assert (status, order["outcome"]) == (200, "accepted")
        for kind in ("call_started", "call_answered", "call_ended"):
            assert office.told(kind, number)["call_id"] == order["id"]
        (call,) = office.calls(number)
        assert (call["id"], call["extension"], call["number"]) == (order["id"], "3501", number)
        assert (call["direction"], call["status"], call["appliance"]) == ("outgoing", "ended", preset)
        assert 1 <= call["duration_s"] <= 3
        assert (call["result"], call["answered_by"]) == ("answered", None)
        assert call["answered_at"] is not None


def test_a_number_that_is_busy_ends_the_call_in_the_log(office: Office, asterisk: Asterisk) -> None:
    with logs_told(asterisk.folder):
        _, order = office.click(BUSY, appliance="asterisk-ami")
        assert office.told("call_ended", BUSY)["call_id"] == order["id"]
        (call,) = office.calls(BUSY)
        assert (call["status"], call["duration_s"], call["result"]) == ("ended", 0, "busy")


def test_a_call_from_outside_pops_up_while_it_rings(office: Office, asterisk: Asterisk) -> None:
    number = fresh_number()
    with logs_told(asterisk.folder):
        asterisk.call_in(f"0{number}")
        popped = office.told("call_started", number)
        assert (popped["direction"], popped["status"]) == ("incoming", "ringing")
        assert office.told("call_ended", number)["call_id"] == popped["call_id"]
        (call,) = office.calls(number)
        assert (call["result"], call["answered_by"], call["missed"]) == ("answered", "3501", False)
        assert re.fullmatch(r"http://pbx\.example\.com/rec\?id=[\d.]+&fmt=wav", call["recording_url"])


def test_a_group_that_one_extension_takes_is_missed_by_nobody(office: Office, asterisk: Asterisk) -> None:
    number = fresh_number()
    with logs_told(asterisk.folder):
        asterisk.call_in(f"0{number}", "600")
        office.told("call_ended", number)
        calls = office.calls(number)
        assert {call["answered_by"] for call in calls} == {"3501"}
        assert not any(call["missed"] for call in calls)


def test_a_blind_transfer_is_told_with_where_it_goes(office: Office, asterisk: Asterisk) -> None:
    number = fresh_number()
    with logs_told(asterisk.folder):
        asterisk.call_in(f"0{number}", talk_s=4)
        office.told("call_answered", number)
        asterisk.transfer("3501", "3504")
        moved = office.told("call_transferred", number)
        assert (moved["extension"], moved["transferred_to"]) == ("3501", "3504")
        until(lambda: all(call["status"] == "ended" for call in office.calls(number)), "the call is over")
        (call,) = office.calls(number)
        assert (call["answered_by"], call["transferred_to"], call["result"]) == ("3501", "3504", "answered")
        assert [(leg["extension"], leg["transfer"]) for leg in call["legs"]] == [("3501", "blind"), ("3504", None)]


@pytest.mark.parametrize("dialled", ["700", "701", "702"])
def test_freepbx_s_hooks_tell_of_groups_that_ring_and_hunt(office: Office, asterisk: Asterisk, dialled: str) -> None:
    """FreePBX itself is not here: its dialplan's variables and its way to the hooks are."""
    number = fresh_number()
    with logs_told(asterisk.folder):
        asterisk.call_in(f"0{number}", dialled)
        office.told("call_ended", number)
        until(lambda: all(call["status"] in ("ended", "elsewhere") for call in office.calls(number)), "all is over")
        calls = office.calls(number)
        assert {call["line"] for call in calls} == {"4733330000"}
        assert {call["extension"] for call in calls if call["result"] == "answered"} == {"3501"}
        assert not any(call["missed"] for call in calls)
