"""docs/webhooks.md as a stranger follows it, with a real gateway: from an exchange that nobody knows to its calls."""

import json
import re
import tomllib
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.live.conftest import LiveGateway, start_gateway
from tests.live.processes import until
from tests.mapping.test_docs import block

RING = json.loads(block("ring.json"))
UP = {"type": "call.up", "uid": "e-2", "ts": 1772715812000, "call": RING["call"] | {"seq": 2}}
GONE = {"type": "call.gone", "uid": "e-3", "ts": 1772715975000, "call": RING["call"] | {"seq": 3}}


def send(gateway: LiveGateway, body: Mapping[str, Any]) -> Any:
    request = urllib.request.Request(f"{gateway.url}/in/cloud", json.dumps(body).encode())
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)


def first_block() -> str:
    page = (Path(__file__).parents[2] / "docs" / "webhooks.md").read_text(encoding="utf-8")
    found = re.search(r"```toml\n(.*?)```", page, re.DOTALL)
    assert found
    return re.sub(r"(?m)^   ", "", found[1])


def test_an_exchange_that_nobody_knows_tells_of_its_calls(tmp_path: Path) -> None:
    config, data = tmp_path / "gateway.toml", tmp_path / "data"
    config.write_text(first_block())
    gateway = start_gateway(data, config=config)
    for body in (RING, UP, GONE):
        assert send(gateway, body)["calls"] == []
    guessed = ""

    def is_guessed() -> bool:
        nonlocal guessed
        guessed = gateway.cli("sources", "test", "cloud")
        return '"call.gone" = "ended"' in guessed

    until(is_guessed, "a mapping guessed from all three requests")
    assert tomllib.loads(guessed)["tenants"]["default"]["sources"]["cloud"]["mapping"]["values"]["id"] == "call.id"
    gateway.stop()

    config.write_text(block("mapping"))
    gateway = start_gateway(data, config=config)
    calls = [call for body in (RING, UP, RING, GONE) for call in send(gateway, body)["calls"]]
    assert len(set(calls)) == 1
    (call,) = map(json.loads, gateway.cli("calls", "--format", "json").splitlines())
    wanted = {
        "extension": "201",
        "number": "4733334444",
        "answered_by": "201",
        "result": "answered",
        "line": "+554730000000",
        "fields": {"cpf": "123.456.789-09"},
        "ring_s": 10,
        "talk_s": 163,
    }
    assert {name: call[name] for name in wanted} == wanted
    gateway.stop()
