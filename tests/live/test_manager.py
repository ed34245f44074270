"""Click-to-call over Asterisk's manager interface on TCP, from the CRM's click to the hang-up, in a running gateway."""

import json
import re
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
import tomli_w

from gateway.simulators import FAMILIES
from tests.live.conftest import LiveGateway, start_gateway
from tests.live.office import PASSWORD, agent_ana
from tests.live.processes import until
from tests.live.screen import basic


@pytest.fixture(scope="module")
def manager() -> Iterator[Any]:
    appliance = FAMILIES["asterisk-manager"]().start()
    yield appliance
    appliance.stop()


@pytest.fixture(scope="module")
def gateway(manager: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveGateway]:
    folder = tmp_path_factory.mktemp("manager")
    config = folder / "gateway.toml"
    tenant = {"area_code": "47", "extensions": ["3500-3599"], "appliances": manager.tables()}
    config.write_text(tomli_w.dumps({"tenants": {"acme": tenant}}))
    started = start_gateway(folder / "data", config=config)
    agent_ana(started)
    yield started
    started.stop()


def posted(gateway: LiveGateway, path: str, fields: dict[str, str]) -> dict[str, Any]:
    headers = {**basic("ana", PASSWORD), "Content-Type": "application/json"}
    request = urllib.request.Request(f"{gateway.url}{path}", json.dumps(fields).encode(), headers)
    with urllib.request.urlopen(request, timeout=20) as answer:
        found: dict[str, Any] = json.load(answer)
    return found


def test_a_click_is_a_call_of_the_order_s_id_that_can_be_hung_up(gateway: LiveGateway, manager: Any) -> None:
    order = posted(gateway, "/api/dial", {"number": "4732100123"})
    assert order["outcome"] == "accepted"
    (received,) = manager.received
    assert (received.extension, received.number) == ("3501", "4732100123")
    assert re.fullmatch(r"gw-acme-\d+", received.call_id)
    assert posted(gateway, f"/api/calls/{order['call_id']}/hangup", {})["outcome"] == "accepted"
    assert not manager._calls.alive(received.call_id)


def test_the_wire_log_has_every_action_without_the_secret(gateway: LiveGateway) -> None:
    posted(gateway, "/api/dial", {"number": "4732100124"})
    listed: list[dict[str, Any]] = []

    def written() -> bool:
        lines = gateway.cli("traffic", "--client", "asterisk-manager", "--format", "json").splitlines()
        listed[:] = [json.loads(line) for line in lines]
        return "4732100124" in str(listed)

    until(written, "the order is in the wire log")
    assert "Action: Originate" in str(listed)
    assert "Key: ****" in str(listed)
    assert {one["status"] for one in listed} == {"Success"}
