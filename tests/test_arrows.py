"""The import arrows of the design hold."""

from pathlib import Path

from importlinter.cli import EXIT_STATUS_SUCCESS, lint_imports


def test_the_import_arrows_point_inward(monkeypatch) -> None:
    monkeypatch.chdir(Path(__file__).parents[1])
    assert lint_imports(config_filename="setup.cfg", no_cache=True) == EXIT_STATUS_SUCCESS
