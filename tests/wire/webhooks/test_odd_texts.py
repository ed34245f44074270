"""Texts that no sender means are stored or told, and never end in an error of ours."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from werkzeug.test import Client

from gateway.config import loader as config_file
from gateway.mapping.schema import CallValues
from gateway.server import bootstrap
from gateway.server.application import Application

NAMES = [name for name in CallValues.model_fields if name not in ("direction", "state", "to")]
MAPPING = {
    "event": "type",
    "kinds": {"*": "started", "gone": "ended", "note": "noted", "agent": "agent_state", "moved": "transferred"},
    "values": {name: name for name in NAMES} | {"state": {"value": "ready"}, "to": "id"},
    "fields": {"cpf": "id"},
}
ODD = [
    "\ud800",
    "\udcff",
    "\x00",
    "a\x00b",
    "\u202e",
    "\uffff",
    "x" * 5000,
    "'; DROP TABLE calls; --",
    "💥" * 300,
    "9" * 400,
]


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    raw = {"tenants": {"acme": {"sources": {"cloud": {"kind": "webhook", "mapping": MAPPING}}}}}
    folder: Path = tmp_path_factory.mktemp("odd")
    application = Application(bootstrap.build(config_file.parse(raw, source="test"), folder))
    yield Client(application.wsgi)
    application.close()


@pytest.mark.parametrize("kind", ["ring", "gone", "note", "agent", "moved"])
@pytest.mark.parametrize("odd", ODD, ids=range(len(ODD)))
def test_an_odd_text_in_every_value_is_no_error_of_ours(web: Client, odd: str, kind: str) -> None:
    body = json.dumps({"type": kind} | dict.fromkeys(NAMES, odd))
    for _ in range(2):
        got = web.post("/in/cloud", data=body, environ_base={"REMOTE_ADDR": "127.0.0.1"})
        assert got.status_code == 200, got.text
