"""Gateways on site from the shell: a key is made, shown once, listed and revoked; one of them is checked."""

import json
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gateway.cli import onsite
from gateway.cli.main import cli
from gateway.onsite.settings import load

CONFIG = '[tenants.acme]\narea_code = "47"\nextensions = ["3500-3599"]\n'
Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("CTI_LANGUAGE", "en")
    (tmp_path / "gateway.toml").write_text(CONFIG)
    where = ("--config", str(tmp_path / "gateway.toml"), "--data", str(tmp_path / "data"))
    return lambda *arguments: CliRunner().invoke(cli, [*arguments, *where])


def test_a_key_is_made_with_a_configuration_that_is_accepted(run: Run, tmp_path: Path) -> None:
    made = run("onsite", "add", "escritorio", "--url", "https://cti.acme.example")
    assert made.exit_code == 0, made.output
    path = tmp_path / "onsite.toml"
    path.write_text(made.stdout)
    settings = load(path)
    assert settings.main.url == "https://cti.acme.example"
    assert (settings.area_code, settings.extensions) == ("47", ("3500-3599",))
    key = settings.main.key.get_secret_value()
    for shown in (run("onsite", "list").output, run("onsite", "list", "--json").output):
        assert "escritorio" in shown
        assert key not in shown


def test_a_key_that_is_there_is_replaced_only_when_that_is_asked_for(run: Run) -> None:
    first = run("onsite", "add", "escritorio")
    again = run("onsite", "add", "escritorio")
    assert (again.exit_code, "--renew" in again.output) == (1, True)
    renewed = run("onsite", "add", "escritorio", "--renew")
    keys = [tomllib.loads(made.stdout)["main"]["key"] for made in (first, renewed)]
    assert keys[0] != keys[1]


def test_a_key_is_revoked_once(run: Run) -> None:
    run("onsite", "add", "escritorio")
    assert run("onsite", "revoke", "escritorio").exit_code == 0
    assert run("onsite", "revoke", "escritorio").exit_code == 1
    found = json.loads(run("onsite", "list", "--json").output)
    assert (found["revoked"], found["connected"], found["seen_at"]) == (True, False, None)
    assert "key revoked" in run("onsite", "list").output
    assert run("onsite", "add", "escritorio").exit_code == 0


def test_the_audit_log_has_who_made_replaced_and_revoked_a_key(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onsite, "getuser", lambda: "root")
    made = [run("onsite", "add", "escritorio"), run("onsite", "add", "escritorio", "--renew")]
    for _ in range(2):
        run("onsite", "revoke", "escritorio")
    run("onsite", "add", "escritorio")
    found = run("audit", "--format", "json").output
    told = [json.loads(line) for line in found.splitlines()]
    actions = [line["action"].removeprefix("onsite_key_") for line in told]
    assert actions == ["added", "renewed", "revoked", "added"]
    assert {(line["tenant"], line["login"], line["client"], line["subject"]) for line in told} == {
        ("acme", "root", "cti-gateway", "escritorio")
    }
    assert not any(tomllib.loads(each.stdout)["main"]["key"] in found for each in made)


def test_a_name_that_is_none_is_refused(run: Run) -> None:
    refused = run("onsite", "add", "Escritório 1")
    assert (refused.exit_code, "small letters" in refused.output) == (1, True)


def test_it_does_not_run_without_a_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CTI_GATEWAY_CONFIG", raising=False)
    found = CliRunner().invoke(cli, ["onsite"])
    assert "needs its configuration" in str(found.exception)


@pytest.mark.parametrize("command", [("check",), ("onsite", "check")])
def test_a_site_that_reaches_nobody_is_told_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    monkeypatch.setenv("CTI_LANGUAGE", "en")
    path = tmp_path / "onsite.toml"
    path.write_text(
        '[main]\nurl = "http://127.0.0.1:9"\nkey = "ctis_k"\n'
        '[appliances.pabx]\nadapter = "url"\nurl = "http://127.0.0.1:9/{{ number }}"\nsuccess = "OK"\n'
    )
    found = CliRunner().invoke(cli, [*command, "--config", str(path)])
    assert found.exit_code == 1
    lines = [line.split()[0:2] for line in found.output.splitlines()]
    assert lines == [["ok", "configuration"], ["FAIL", "http://127.0.0.1:9"], ["FAIL", "pabx"]]
    assert "ctis_k" not in found.output


def test_a_configuration_of_a_site_that_is_wrong_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CTI_LANGUAGE", "en")
    path = tmp_path / "onsite.toml"
    path.write_text('[main]\nurl = "http://cti.example.com"\nkey = "ctis_k"\n')
    found = CliRunner().invoke(cli, ["check", "--config", str(path)])
    assert (found.exit_code, "use https://" in found.output, "ctis_k" in found.output) == (1, True, False)
