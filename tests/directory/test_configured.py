"""Sources as the configuration names them."""

import json
import re
import tomllib
from importlib.resources import files
from pathlib import Path

import pytest

from gateway.config import display as config_shown
from gateway.config import loader as config_file
from gateway.errors import ConfigError


def directory(**table: object) -> dict:
    return {"tenants": {"acme": {"directory": {"erp": table}}}}


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({}, "acme.directory.erp.source: is required and missing."),
        ({"source": "cvs"}, "erp.source: there is no source 'cvs'; installed: csv, sql, wconnect"),
        ({"source": "csv"}, "erp.path: is required and missing."),
        ({"source": "csv", "path": "x", "evry": "1h"}, "erp.evry: unknown key. Did you mean 'every'?"),
        ({"source": "csv", "path": "x", "every": "1 h"}, "came '1 h'; expected a time of at least ten seconds"),
        ({"source": "csv", "path": "x", "every": "5s"}, "expected a time of at least ten seconds"),
        ({"source": "csv", "path": "x", "columns": {"A": "nome"}}, "the column 'A' is mapped to 'nome'; known: code,"),
        ({"source": "csv", "path": "x", "encoding": "klingon"}, "there is no encoding 'klingon'"),
    ],
)
def test_a_mistake_is_named_with_file_key_and_remedy(table: dict, said: str) -> None:
    with pytest.raises(ConfigError) as error:
        config_file.parse(directory(**table), source="gateway.toml")
    assert said in str(error.value)


def test_a_path_is_relative_to_the_configuration() -> None:
    raw = directory(source="csv", path="contas.csv", every="15m")
    erp = config_file.parse(raw, source="/etc/cti/gateway.toml").tenants["acme"].directory["erp"]
    assert erp.settings.path == Path("/etc/cti/contas.csv")
    assert erp.every_s == 900


def test_the_examples_in_the_written_configuration_are_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ERP_URL", "WCONNECT_PASSWORD"):
        monkeypatch.setenv(name, "sqlite://")
    text = files("gateway").joinpath("gateway.toml").read_text(encoding="utf-8")
    lines = [re.sub(r"^#   (?=\[|[a-z_]+ = )", "", line) for line in text.splitlines()]
    parsed = config_file.parse(tomllib.loads("\n".join(lines)), source="gateway.toml")
    assert set(parsed.tenants["acme"].directory) == {"erp", "crm", "wconnect"}


def test_the_sources_in_force_are_shown_without_their_secrets() -> None:
    erp = {"source": "csv", "path": "contas.csv", "every": "1h"}
    crm = {"source": "sql", "url": "postgresql://u:s3cret@h/b", "query": "SELECT id AS codigo, fone FROM x"}
    wconnect = {"source": "wconnect", "wsdl": "http://h/?wsdl", "username": "gw", "password": "s3cret"}
    raw = {"tenants": {"acme": {"directory": {"erp": erp, "crm": crm, "wconnect": wconnect}}}}
    shown = json.dumps(config_shown.shown(config_file.parse(raw, source="/etc/gateway.toml")))
    assert "/etc/contas.csv" in shown
    assert "SELECT id AS codigo" in shown
    assert "s3cret" not in shown
