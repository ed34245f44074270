"""A gateway as its users have it before them: the CRM that clicks, the call log, and Ana's screen at extension 3501."""

import json
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from tests.live.conftest import LiveGateway
from tests.live.processes import until
from tests.live.screen import Screen, basic

PASSWORD = "segredo-da-ana"


@dataclass
class Office:
    """A gateway that knows Ana (``agent_ana``), and her screen."""

    gateway: LiveGateway
    screen: Screen

    def click(self, number: str, *, appliance: str = "") -> tuple[int, dict[str, Any]]:
        """Status and answer of a click-to-call from extension 3501."""
        query = urlencode({"origem": "3501", "destino": number} | ({"central": appliance} if appliance else {}))
        request = urllib.request.Request(
            f"{self.gateway.url}/click-to-call?{query}", headers={"Accept": "application/json"}
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as refused:
            return refused.code, json.load(refused)

    def calls(self, number: str) -> list[dict[str, Any]]:
        """All calls with ``number`` in the log."""
        request = urllib.request.Request(f"{self.gateway.url}/api/calls", headers=basic("ana", PASSWORD))
        with urllib.request.urlopen(request, timeout=60) as answer:
            return [call for call in json.load(answer)["calls"] if number in call["number"]]

    def told(self, kind: str, number: str) -> dict[str, Any]:
        """The first event of ``kind`` about ``number`` on the screen, once it is there."""
        found: list[dict[str, Any]] = []

        def arrived() -> bool:
            found[:] = [event for event in self.screen.told if (event["kind"], event.get("number")) == (kind, number)]
            return bool(found)

        until(arrived, f"{kind} of {number} on the screen")
        return found[0]


def pasted(gateway: LiveGateway, preset: str) -> str:
    """What an administrator pastes at an appliance, so that it sends its events to ``gateway``."""
    printed = gateway.cli("presets", preset, "--events", "--address", gateway.url)
    return "\n".join(line for line in printed.splitlines() if not line.startswith(("=== ", "--- "))) + "\n"


def agent_ana(gateway: LiveGateway) -> None:
    """Let Ana log in, at extension 3501."""
    ana = ("ana", "--extension", "3501", "--name", "Ana Martins", "--role", "administrator", "--password-stdin")
    gateway.cli("agent", "add", *ana, stdin=f"{PASSWORD}\n")
