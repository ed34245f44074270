"""Spyne imports on every Python we support, quietly."""

import logging
import logging.config
import os
import shutil
import subprocess
import sys
from pathlib import Path

from gateway.wire.soap import spyne_compat


def test_spyne_uses_the_moves_of_the_installed_six() -> None:
    assert sys.modules["spyne.util.six.moves.urllib.parse"].quote("a b") == "a%20b"


def test_replacing_them_again_changes_nothing() -> None:
    before = {name: module for name, module in sys.modules.items() if name.startswith("spyne")}
    spyne_compat.replace_vendored_moves()
    assert {name: module for name, module in sys.modules.items() if name.startswith("spyne")} == before


def test_spyne_stays_silent_when_a_server_sets_logging_up() -> None:
    logging.config.dictConfig({"version": 1, "disable_existing_loggers": False})
    test_spyne_writes_neither_bodies_nor_headers_to_the_log()


def test_spyne_writes_neither_bodies_nor_headers_to_the_log() -> None:
    assert not logging.getLogger("spyne.server.wsgi").isEnabledFor(logging.DEBUG)
    for name in spyne_compat.LEAKING_LOGGERS:
        assert not logging.getLogger(name).isEnabledFor(logging.CRITICAL)


def test_a_fresh_interpreter_with_warnings_as_errors_imports_and_even_compiles_spyne(tmp_path: Path) -> None:
    import spyne

    shutil.copytree(Path(spyne.__file__).parent, tmp_path / "spyne", ignore=shutil.ignore_patterns("__pycache__"))
    root = Path(spyne_compat.__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", "import gateway.wire.soap.spyne_compat as s; print(s.Application)"],
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(tmp_path), str(root)]), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "spyne.application.Application" in done.stdout
