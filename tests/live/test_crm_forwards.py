"""A real gateway tells simulated CRMs of a call: its end finds what its start brought about, a restart later."""

import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import tomli_w

from gateway.simulators import CRMS, Behaviour
from gateway.simulators.crms import SimulatedCrm
from tests.live.conftest import LiveGateway, start_gateway
from tests.live.processes import until

PEM = Path(__file__).parents[1] / "adapters" / "localhost.pem"
START = "ConsultaRamal.php?ramal=3501&telefone=4732100123&id_ligacao=a-1"
END = "FinalizaLigacao.php?ramal=3501&telefone=4732100123&id_ligacao=a-1&resultado=ANSWER&duracao=61"
INTERNAL = "ConsultaRamal.php?ramal=3502&telefone=3501"
WITHHELD = "ConsultaRamal.php?ramal=3501&telefone=anonymous"


@pytest.fixture
def crms() -> Iterator[dict[str, SimulatedCrm]]:
    running = {name: cls(certificate=PEM if name == "crm-bitrix24" else None).start() for name, cls in CRMS.items()}
    yield running
    for crm in running.values():
        crm.stop()


def config(path: Path, crms: dict[str, SimulatedCrm]) -> Path:
    tenant: dict[str, Any] = {"area_code": "47", "extensions": ["3500-3599"]}
    # However long a restart takes on a busy machine, the start is still worth telling.
    lives = {"expires": {"call_started": "1h"}}
    tenant["forwards"] = {name: crm.forward() | lives for name, crm in crms.items()}
    path.write_text(tomli_w.dumps({"tenants": {"default": tenant}}))
    return path


def send(gateway: LiveGateway, event: str) -> None:
    with urllib.request.urlopen(f"{gateway.url}/wconnect/WConnect_WSDL_{event}", timeout=10) as taken:
        assert taken.status == 200


def told(crm: SimulatedCrm) -> list[tuple[str, str]]:
    """What the CRM was told, each with the call's id there."""
    return [(call_id, each["event"]) for call_id, events in crm.calls.items() for each in events]


def test_the_end_of_a_call_finds_what_its_start_brought_about_after_a_restart(
    tmp_path: Path, crms: dict[str, SimulatedCrm]
) -> None:
    bitrix, zammad, wconnect = crms["crm-bitrix24"], crms["crm-zammad"], crms["crm-wconnect"]
    zammad.behaviour = Behaviour(fail="busy")
    file = config(tmp_path / "gateway.toml", crms)
    gateway = start_gateway(tmp_path / "data", config=file)
    for event in (INTERNAL, WITHHELD, START):
        send(gateway, event)
    until(lambda: bool(told(bitrix) and told(wconnect) and zammad.seen), "the start of the call", timeout_s=30)
    gateway.stop()

    zammad.behaviour = Behaviour()
    gateway = start_gateway(tmp_path / "data", config=file)
    send(gateway, END)
    until(lambda: len(told(bitrix)) == len(told(wconnect)) == 2, "the end of the call", timeout_s=30)
    until(
        lambda: ("default-3", "hangup") in told(zammad), "the end, where the start had to be told again", timeout_s=30
    )
    gateway.stop()

    ((call_id, first), (same, second)) = told(bitrix)
    assert (first, second) == ("register", "finish")
    assert call_id == same
    assert bitrix.calls[call_id][1]["STATUS_CODE"] == "200"
    assert told(wconnect) == [("3501 4732100123", "ConsultaRamal"), ("3501 4732100123", "FinalizaLigacao")]
    assert [event for call, event in told(zammad) if call == "default-3"] == ["newCall", "hangup"]
