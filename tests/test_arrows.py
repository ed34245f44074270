"""The import arrows of the design hold."""

import subprocess
import sys
from pathlib import Path


def test_the_import_arrows_point_inward() -> None:
    # In a process of its own: import-linter sets logging up, which disables the loggers of tests that run later.
    lint = "from importlinter.cli import lint_imports_command as lint; lint()"
    command = [sys.executable, "-c", lint, "--config", "setup.cfg", "--no-cache"]
    done = subprocess.run(command, cwd=Path(__file__).parents[1], capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 broken" in done.stdout
