"""A whole gateway on PostgreSQL: two workers, the wires, the desk, forwards, imports and commands.

Other live tests run on it with ``--database postgresql``; this one runs always.
"""

import json
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import tomli_w

from gateway.simulators import CRMS
from gateway.simulators.crms import SimulatedCrm
from tests.live.conftest import free_port, start_gateway
from tests.live.office import PASSWORD, Office, agent_ana
from tests.live.processes import logs_told, until
from tests.live.screen import basic, screen_of
from tests.postgresql import FreshDatabase

pytestmark = pytest.mark.postgresql
KNOWN = "4732100123"
LISTENER = "/wconnect/WConnect_WSDL_{name}.php?ramal=3501&telefone={number}"


@pytest.fixture(scope="module")
def crm() -> Iterator[SimulatedCrm]:
    running = CRMS["crm-zammad"]().start()
    yield running
    running.stop()


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory, crm: SimulatedCrm) -> Iterator[Office]:
    folder, port, fresh = tmp_path_factory.mktemp("postgresql"), free_port(), FreshDatabase()
    (folder / "contas.csv").write_text(f"codigo;nome;telefone\n1;Padaria Pão Quente;{KNOWN}\n")
    config = configured(folder / "gateway.toml", fresh.guarded_url, port, crm)
    gateway = start_gateway(folder / "data", config=config, port=port)
    agent_ana(gateway)
    with screen_of(gateway, "ana", PASSWORD) as screen, logs_told(folder):
        yield Office(gateway, screen)
    gateway.stop()
    fresh.give_back()


def configured(path: Path, url: str, port: int, crm: SimulatedCrm) -> Path:
    path.with_name("password").write_text(f"{FreshDatabase.PASSWORD}\n")
    server = {"database": url, "database_password": "file:password", "workers": 2}
    echo = f"http://127.0.0.1:{port}/healthz?from={{{{ extension }}}}&to={{{{ number }}}}"
    tenant: dict[str, Any] = {"area_code": "47", "extensions": ["3500-3599"]}
    tenant["appliances"] = {"pbx": {"adapter": "url", "url": echo, "success": "ok"}}
    tenant["forwards"] = {"crm": crm.forward()}
    tenant["directory"] = {"erp": {"source": "csv", "path": "contas.csv", "every": "10s"}}
    path.write_text(tomli_w.dumps({"server": server, "tenants": {"default": tenant}}))
    return path


def tell(office: Office, name: str, number: str) -> str:
    with urllib.request.urlopen(office.gateway.url + LISTENER.format(name=name, number=number), timeout=20) as answer:
        said: str = answer.read().decode()
        return said


def test_a_source_is_imported_by_one_of_the_workers_and_its_account_is_known(office: Office) -> None:
    until(lambda: "1 accounts added" in office.gateway.cli("import", "list"), "the import", timeout_s=60)
    assert "Padaria Pão Quente" in office.gateway.cli("number", KNOWN)


def test_a_call_comes_up_and_is_logged_and_told_to_the_crm(office: Office, crm: SimulatedCrm) -> None:
    until(lambda: "Padaria" in office.gateway.cli("number", KNOWN), "the account", timeout_s=60)
    assert tell(office, "ConsultaRamal", KNOWN).startswith("OK ")
    card = office.told("call_started", KNOWN)
    assert card["account_name"] == "Padaria Pão Quente"
    tell(office, "FinalizaLigacao", KNOWN)
    office.told("call_ended", KNOWN)
    (call,) = office.calls(KNOWN)
    assert (call["status"], call["account"]) == ("ended", "Padaria Pão Quente")
    until(lambda: bool(crm.calls), "the event at the CRM", timeout_s=30)
    assert "3501" in office.gateway.cli("calls", "--why", str(call["id"]))


def test_an_order_is_dialled_once_and_its_call_is_found_by_search(office: Office) -> None:
    status, said = office.click("4733330000")
    assert (status, said["status"]) == (200, "OK")
    assert office.told("order_placed", "4733330000")["call_id"] == said["id"]

    def is_found() -> bool:
        request = urllib.request.Request(
            f"{office.gateway.url}/api/calls?busca=4733330000", headers=basic("ana", PASSWORD)
        )
        with urllib.request.urlopen(request, timeout=20) as answer:
            return [call["id"] for call in json.load(answer)["calls"]] == [said["id"]]

    until(is_found, "the call by search", timeout_s=30)


def test_commands_work_on_it(office: Office) -> None:
    cli = office.gateway.cli
    assert "postgresql://" in cli("db", "upgrade")
    assert FreshDatabase.PASSWORD not in cli("config")
    assert "Ana Martins" in cli("agent", "list")
    assert "crm" in cli("forwards", "status")
    assert "crm" in cli("forwards", "list", "--tenant", "default", "--state", "delivered")
