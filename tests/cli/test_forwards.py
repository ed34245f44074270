"""``forwards``: what waits and what was given up, in a terminal; sent again, given up, moved."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gateway.cli.main import cli
from gateway.config import loader
from gateway.server.bootstrap import build
from gateway.server.gateway import Gateway
from tests.store.test_letter_log import DEAD, T0, add

Run = Callable[..., Result]
CONFIG = """
[tenants.acme]
language = "en"
[tenants.acme.forwards.crm]
adapter = "url"
url = "http://127.0.0.1:1/?r={{ ramal }}"
success = "."
"""


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Gateway]:
    path = tmp_path / "gateway.toml"
    path.write_text(CONFIG, encoding="utf-8")
    with build(loader.load(path), tmp_path / "data") as made:
        yield made


@pytest.fixture
def run(tmp_path: Path, gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("LANGUAGE", "en")
    place = ["--config", str(tmp_path / "gateway.toml"), "--data", str(tmp_path / "data")]
    return lambda *arguments: CliRunner().invoke(cli, ["forwards", *arguments, *place])


def fine(result: Result) -> str:
    assert result.exit_code == 0, result.output
    return result.output


def listed(run: Run, *arguments: str) -> list[tuple[int, str]]:
    lines = fine(run("list", "--format", "json", *arguments)).splitlines()
    return [(plain["id"], plain["state"]) for plain in map(json.loads, lines)]


def test_what_was_not_delivered_is_listed_with_its_reason(gateway: Gateway, run: Run) -> None:
    delivered = {"state": "delivered", "settled_at": T0, "outcome": "accepted"}
    add(gateway, DEAD | {"answer": "HTTP/1.1 400"}, {"order_key": "7"}, delivered)  # type: ignore[arg-type]
    assert listed(run) == [(2, "waiting"), (1, "dead")]
    assert listed(run, "--state", "delivered") == [(3, "delivered")]
    assert listed(run, "--call", "7") == [(2, "waiting")]
    assert listed(run, "--id", "1") == [(1, "dead")]
    assert "dead (refused)" in fine(run("list"))
    (plain,) = map(json.loads, fine(run("list", "--id", "1", "--format", "json")).splitlines())
    assert (plain["reason"], plain["answer"]) == ("refused", "HTTP/1.1 400")


def test_what_each_forward_has(gateway: Gateway, run: Run) -> None:
    add(gateway, DEAD, {}, {"target": "old"})  # type: ignore[arg-type]
    found = [json.loads(line) for line in fine(run("status", "--format", "json")).splitlines()]
    assert [(each["target"], each["waiting"], each["dead"], each["known"]) for each in found] == [
        ("crm", 1, 1, True),
        ("old", 1, 0, False),
    ]
    assert "crm" in fine(run("status"))


def test_one_is_sent_again_all_of_a_target_or_a_window(gateway: Gateway, run: Run) -> None:
    add(gateway, *[DEAD] * 4, DEAD | {"created_at": T0 + 86_400_000 * 30})  # type: ignore[arg-type]
    fine(run("retry", "--id", "1"))
    assert listed(run, "--state", "waiting") == [(1, "waiting")]
    fine(run("retry", "--since", "2100-01-01"))
    assert listed(run, "--state", "waiting") == [(1, "waiting")]
    fine(run("retry", "--target", "crm"))
    assert len(listed(run, "--state", "waiting")) == 5


def test_what_is_not_chosen_is_not_all(gateway: Gateway, run: Run) -> None:
    add(gateway, DEAD)  # type: ignore[arg-type]
    for command in ("retry", "drop"):
        assert run(command).exit_code == 2
    assert listed(run) == [(1, "dead")]
    fine(run("retry", "--all"))
    assert listed(run) == [(1, "waiting")]


def test_letters_are_given_up(gateway: Gateway, run: Run) -> None:
    add(gateway, DEAD, {})  # type: ignore[arg-type]
    fine(run("drop", "--id", "2"))
    assert listed(run) == [(1, "dead")]
    assert listed(run, "--state", "dropped") == [(2, "dropped")]


def test_the_letters_of_a_renamed_forward_are_moved(gateway: Gateway, run: Run) -> None:
    add(gateway, {"target": "old"})  # type: ignore[arg-type]
    wrong = run("move", "old", "crn")
    assert wrong.exit_code != 0
    assert "crm" in str(wrong.exception or wrong.output)
    assert run("move", "olt", "crm").exit_code != 0
    assert run("move", "crm", "crm").exit_code == 2
    fine(run("move", "old", "crm"))
    assert listed(run, "--target", "crm") == [(1, "waiting")]
