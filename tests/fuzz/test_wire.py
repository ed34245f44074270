"""The fuzz command itself: its seeds are good, it says what it needs, and it runs."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.fuzz.entrances import PATHS, Escape, Told, check, front, knock_at
from tests.fuzz.wire import MISSING, main, seeds, wires_of

WIRES = tuple(PATHS)


def test_every_seed_gets_an_answer_that_keeps_the_promises() -> None:
    entrance = front()
    for seed in seeds():
        for wire in wires_of(seed, WIRES):
            knock_at(entrance, wire, seed)


def test_a_request_goes_to_the_entrance_of_its_path_and_anything_else_to_all() -> None:
    assert list(wires_of(b"POST /RPC2 HTTP/1.1\r\n\r\n", WIRES)) == ["xmlrpc"]
    assert list(wires_of(b"POST /soap HTTP/1.1\r\n\r\n", WIRES)) == ["soap", "encoded"]
    assert list(wires_of(b"\0", WIRES)) == list(WIRES)


@pytest.mark.parametrize(
    ("wire", "told"),
    [
        ("get", Told(502, "text/plain", b"OK 1\n", 0)),
        ("get", Told(200, "text/plain", b"OK 1\nOK 2\n", 0)),
        ("get", Told(200, "text/plain", b"OK 1\n", 5)),
        ("get", Told(400, "text/plain", b"ERRO 200: KeyError\n", 0)),
        ("soap", Told(200, "text/xml; charset=utf-8", b"<html/>", 0)),
        ("soap", Told(200, "text/xml; charset=utf-8", b"", 0)),
        ("xmlrpc", Told(200, "text/xml; charset=utf-8", b"<methodResponse/>", 0)),
    ],
)
def test_a_bad_answer_does_not_go_unnoticed(wire: str, told: Told) -> None:
    with pytest.raises(Escape):
        check(wire, told, b"", "POST")


def test_without_atheris_the_command_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "atheris", None)
    with pytest.raises(SystemExit, match="pip install"):
        main(["--seconds", "1"])
    assert "cti-gateway[fuzz]" in MISSING


def test_the_command_searches_and_reports(tmp_path: Path) -> None:
    pytest.importorskip(
        "atheris", reason="atheris is not installed (pip install 'cti-gateway[fuzz]')", exc_type=ImportError
    )
    command = [sys.executable, "-m", "tests.fuzz.wire", "--seconds", "2", "--wire", "xmlrpc", "--save", str(tmp_path)]
    root = Path(__file__).parents[2]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, cwd=root)
    assert done.returncode == 0, done.stdout + done.stderr
    assert " inputs in 2 s (" in done.stdout
    assert done.stdout.endswith("findings: 0\n")
