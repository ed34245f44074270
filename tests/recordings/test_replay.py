"""Every recording of a real client still means what it meant, at every address of its protocol."""

import json
from pathlib import Path
from typing import Any

import pytest

from gateway.wire.soap.contract_encoded import PATH
from tests.recordings.replay import CASES, HERE, environ_of, meaning
from tests.wire.peers import OFFICE, Peer

SAME_PROTOCOL = {
    "/soap": ("/soap", PATH),
    PATH: ("/soap", PATH),
    "/xmlrpc": ("/xmlrpc", "/RPC2"),
    "/RPC2": ("/xmlrpc", "/RPC2"),
}


def played(case: str, path: str) -> tuple[int, str, list[dict[str, Any]]]:
    """Status, media type and the messages that came of ``case`` at ``path``."""
    peer = Peer()
    environ = environ_of((HERE / case / "request").read_bytes()) | {"PATH_INFO": path}
    got = peer.send("", path, environ=environ, address=OFFICE)
    return got.status_code, got.content_type, [meaning(message) for message in peer.core.messages]


@pytest.mark.parametrize("case", CASES)
def test_a_recorded_request_means_what_its_client_meant(case: str) -> None:
    expected = json.loads((HERE / case / "expected.json").read_text(encoding="utf-8"))
    recorded_path = environ_of((HERE / case / "request").read_bytes())["PATH_INFO"]
    for path in SAME_PROTOCOL.get(recorded_path, (recorded_path,)):
        status, kind, messages = played(case, path)
        assert (status, messages) == (200, [expected["means"]]), path
        if path == recorded_path:
            assert kind == expected["answer"]


@pytest.mark.parametrize("case", CASES)
def test_a_recording_tells_how_it_was_made_and_nothing_of_where(case: str) -> None:
    assert {path.name for path in (HERE / case).iterdir()} == {"request", "expected.json", "note.md"}
    note = (HERE / case / "note.md").read_text(encoding="utf-8")
    assert any(digit in note for digit in "0123456789") or note.startswith("Not recorded")
    assert "/home/" not in note


def test_both_soap_styles_and_every_protocol_are_recorded() -> None:
    paths = {environ_of((HERE / case / "request").read_bytes())["PATH_INFO"] for case in CASES}
    assert {"/soap", PATH, "/xmlrpc", "/RPC2"} <= paths
    assert any(Path(path).name == "WConnect_WSDL_FinalizaLigacao.php" for path in paths)
