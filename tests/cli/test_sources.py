"""``cti-gateway sources``: what an integrator sees of a webhook, and a mapping to start from."""

import json
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from werkzeug.test import Client

from gateway.cli.main import cli
from gateway.config import loader as config_file
from gateway.server import bootstrap
from gateway.server.application import Application
from tests.wire.peers import OFFICE

RING = {"type": "call.ring", "call": {"id": "c-77", "from": "4733334444", "ext": "PJSIP/201-00ab"}}
CONFIG = """
[tenants.acme.sources.new]
kind = "webhook"
title = "A nova"
[tenants.acme.sources.cloud]
kind = "webhook"
[tenants.acme.sources.cloud.mapping]
event = "type"
kinds = { "call.ring" = "started" }
values = { id = "call.id", number = "call.from", extension = "call.ext", queue = "call.queue" }
[[tenants.acme.sources.cloud.mapping.tests]]
name = "It rings"
body = '{"type": "call.ring", "call": {"id": 1}}'
events = [{ kind = "started", id = "EXPECTED" }]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "gateway.toml").write_text(CONFIG.replace("EXPECTED", "1"))
    (tmp_path / "ring.json").write_text(json.dumps(RING))
    return tmp_path


def run(folder: Path, *arguments: str, stdin: bytes = b"") -> Result:
    place = ["--config", str(folder / "gateway.toml"), "--data", str(folder / "data")]
    return CliRunner().invoke(cli, [*arguments, *place], input=stdin)


def test_the_sources_are_listed_with_their_addresses(folder: Path) -> None:
    result = run(folder, "sources")
    assert result.exit_code == 0
    rows = [line.split(maxsplit=3) for line in result.stdout.splitlines()]
    assert rows == [
        ["acme", "new", "/t/acme/in/new", "no mapping yet  A nova"],
        ["acme", "cloud", "/t/acme/in/cloud", "mapping"],
    ]


def test_without_any_source_it_says_how_to_add_one(folder: Path) -> None:
    (folder / "gateway.toml").write_text("[tenants.acme]")
    result = run(folder, "sources")
    assert "there are no sources of events. Add one: [tenants.acme.sources.cloud]" in str(result.exception)


def test_each_value_is_shown_with_where_it_came_from_and_what_is_missing(folder: Path) -> None:
    result = run(folder, "sources", "test", "cloud", str(folder / "ring.json"))
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        "started",
        "  id        c-77        call.id",
        "  extension 201         call.ext: PJSIP/201-00ab",
        "  number    4733334444  call.from",
        "  not found: queue",
    ]


def test_a_whole_request_from_standard_input_is_read_too(folder: Path) -> None:
    raw = b"POST /in/cloud?x=1 HTTP/1.1\r\nContent-Type: application/json\r\n\r\n" + json.dumps(RING).encode()
    result = run(folder, "sources", "test", "cloud", "-", "--raw", "--json", stdin=raw)
    assert json.loads(result.stdout) == {
        "events": [{"kind": "started", "id": "c-77", "extension": "201", "number": "4733334444", "missing": ["queue"]}],
        "ignored": 0,
        "problems": [],
        "notes": [],
    }


def test_a_request_of_which_nothing_is_made_says_why(folder: Path) -> None:
    result = run(folder, "sources", "test", "cloud", "-", stdin=b'{"type": "fax"}')
    assert result.exit_code == 1
    assert result.stdout == "! the mapping does not know the event 'fax'\n"


def test_a_source_without_a_mapping_gets_one_that_works(folder: Path) -> None:
    result = run(folder, "sources", "test", "new", str(folder / "ring.json"))
    assert result.exit_code == 0
    assert "# A mapping to start from" in result.stderr
    mapping = config_file.parse(tomllib.loads(result.stdout), source="guess").tenants["acme"].sources["new"].mapping
    assert mapping is not None
    assert mapping.kinds == {"call.ring": "started"}


def test_without_a_file_the_last_requests_are_looked_at(folder: Path) -> None:
    result = run(folder, "sources", "test", "cloud")
    assert "there is no gateway's data" in str(result.exception)
    application = Application(bootstrap.build(config_file.load(folder / "gateway.toml"), folder / "data"))
    try:
        for number in ("c-1", "c-2"):
            body = json.dumps(RING).replace("c-77", number)
            environ = {"REMOTE_ADDR": OFFICE}
            Client(application.wsgi).post(
                "/in/cloud", data=body, content_type="application/json", environ_overrides=environ
            )
    finally:
        application.close()
    lines = run(folder, "sources", "test", "cloud").stdout.splitlines()
    assert [line.split()[1] for line in lines if line.startswith("  id")] == ["c-1", "c-2"]
    assert "has no request to 'new'" in run(folder, "sources", "test", "new").stderr


def test_an_unknown_source_is_told_with_those_that_are_there(folder: Path) -> None:
    result = run(folder, "sources", "test", "clod", "x")
    assert "there is no source 'clod' of events; configured: new, cloud." in str(result.exception)


def test_check_warns_of_a_source_without_a_mapping(folder: Path) -> None:
    result = run(folder, "check")
    warned = [line for line in result.stdout.splitlines() if "has no mapping yet" in line]
    assert ["new" in line for line in warned] == [True]
    assert result.exit_code == 0


def test_check_warns_that_nothing_of_such_a_source_is_kept_without_a_traffic_log(folder: Path) -> None:
    (folder / "gateway.toml").write_text("[traffic]\nrecord = false\n" + CONFIG.replace("EXPECTED", "1"))
    result = run(folder, "check")
    assert "[tenants.acme.sources.new]" in result.stdout
    assert "its requests are refused, for none would be kept" in result.stdout


@pytest.mark.parametrize(("expected", "line"), [("1", "1 mapping test holds"), ("2", "It rings: event 1: id is '1'")])
def test_check_runs_the_tests_of_a_mapping(folder: Path, expected: str, line: str) -> None:
    (folder / "gateway.toml").write_text(CONFIG.replace("EXPECTED", expected))
    result = run(folder, "check")
    assert line in result.stdout
    assert result.exit_code == (0 if expected == "1" else 1)
