"""The import arrows of the design hold, and the contracts in setup.cfg notice an arrow that does not."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

FORBIDDEN = [
    ("gateway/domain/calls/direction.py", "import socket", "The domain does no I/O"),
    ("gateway/domain/calls/direction.py", "import sqlite3", "The domain does no I/O"),
    ("gateway/domain/numbering/numbers.py", "import gateway.errors", "The domain does no I/O"),
    ("gateway/store/rows.py", "import gateway.handlers", "Each room of gateway knows only those below it"),
    ("gateway/wire/forms.py", "import gateway.desk.pages", "Each room of gateway knows only those below it"),
    ("gateway/simulators/url.py", "import gateway.adapter", "Each room of gateway knows only those below it"),
    ("gateway/domain/calls/direction.py", "import gateway.texts.rendering", "The domain does no I/O"),
    ("gateway/texts/text.py", "import gateway.errors", "Each room of gateway knows only those below it"),
    ("gateway/unplaced.py", "", "Each room of gateway knows only those below it"),
    ("adapters/url.py", "import gateway.store.rows", "Adapters know only what an adapter or a source is"),
    ("gateway/store/rows.py", "import adapters.url", "Adapters are found by entry point"),
    ("gateway/desk/pages.py", "import gateway.relay", "Wires and desk go through the handlers"),
    ("gateway/wire/forms.py", "import spyne", "Spyne only in wire/soap"),
    ("gateway/handlers.py", "import sqlalchemy", "SQLAlchemy and Alembic only in store/"),
    ("adapters/url.py", "import zeep", "zeep only in adapters/soap"),
    ("gateway/store/rows.py", "import werkzeug", "werkzeug only in wire/ and desk/"),
    ("gateway/wire/forms.py", "import granian", "Granian only in server/"),
]


def lint(folder: Path) -> str:
    """Return what ``lint-imports`` prints in ``folder``.

    In a process of its own: import-linter sets logging up, which disables the loggers of tests that run later.
    """
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as lint; lint()", "--no-cache"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=100, env={"COLUMNS": "300"})
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the code and its contracts, to break."""
    folder = tmp_path_factory.mktemp("arrows")
    for name in ("gateway", "adapters"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "static", "*.toml"))
    (folder / "tests").mkdir()
    for name in ("setup.cfg", "tests/allow_list.py", "tests/__init__.py"):
        shutil.copy(ROOT / name, folder / name)
    return folder


@pytest.fixture
def broken(copied: Path, request: pytest.FixtureRequest) -> Iterator[Path]:
    """The copy with one more import in one of its files."""
    path, line, _ = request.param
    file = copied / path
    before = file.read_text(encoding="utf-8") if file.exists() else None
    file.write_text(f"{before or ''}\n{line}\n", encoding="utf-8")
    yield copied
    if before is None:
        file.unlink()
    else:
        file.write_text(before, encoding="utf-8")


def test_the_import_arrows_point_inward() -> None:
    said = lint(ROOT)
    assert "0 broken" in said, said


@pytest.mark.parametrize(
    ("broken", "contract"),
    [(case, case[2]) for case in FORBIDDEN],
    ids=[f"{path}: {line}" for path, line, _ in FORBIDDEN],
    indirect=["broken"],
)
def test_an_import_against_the_arrows_is_noticed(broken: Path, contract: str) -> None:
    said = lint(broken)
    # A contract that cannot even be checked, such as layers with a module that is in none, is told by its name as well.
    assert contract in said.partition("Broken contracts")[2] or "unplaced" in said, said
