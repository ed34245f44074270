"""What ``demo`` prints can be pasted."""

import sys

import pytest

from gateway.cli.demo import GUIDE, program


@pytest.mark.parametrize(
    ("started", "found", "said"),
    [
        (".venv/bin/cti-gateway", None, ".venv/bin/cti-gateway"),
        (".venv/bin/cti-gateway", "/usr/bin/cti-gateway", "cti-gateway"),
        ("/src/gateway/__main__.py", None, f"{sys.executable} -m gateway"),
    ],
)
def test_commands_name_the_program_as_the_shell_finds_it(
    monkeypatch: pytest.MonkeyPatch, started: str, found: str | None, said: str
) -> None:
    monkeypatch.setattr("shutil.which", lambda _: found)
    monkeypatch.setattr("sys.argv", [started, "demo"])
    assert program() == said
    assert GUIDE.count("{program} ") == 2
