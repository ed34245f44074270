"""A running gateway keeps the directory up to date by itself."""

import time
from pathlib import Path

from tests.live.conftest import start_gateway


def test_a_source_with_every_is_imported_while_the_gateway_runs(tmp_path: Path) -> None:
    (tmp_path / "contas.csv").write_text("codigo;nome;telefone\n1;Padaria;4732100123\n")
    config = tmp_path / "gateway.toml"
    config.write_text('[tenants.acme.directory.erp]\nsource = "csv"\npath = "contas.csv"\nevery = "10s"\n')
    gateway = start_gateway(tmp_path / "data", config=config)
    try:
        deadline = time.monotonic() + 60
        while "done" not in (listed := gateway.cli("import", "list")):
            assert time.monotonic() < deadline, gateway.log.read_text()
            time.sleep(0.2)
        assert "erp  done  1 accounts added" in listed
        assert "Padaria" in gateway.cli("number", "4732100123")
    finally:
        gateway.stop()
