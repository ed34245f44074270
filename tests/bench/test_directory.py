"""The benchmark of the register runs, and finds what it imported."""

import subprocess
import sys
from pathlib import Path

from bench.directory import make_sheet
from tests.peers import need_php


def test_each_account_comes_once_and_in_no_order(tmp_path: Path) -> None:
    make_sheet(tmp_path / "contas.csv", 1000)
    lines = (tmp_path / "contas.csv").read_text(encoding="cp1252").splitlines()[1:]
    codes = [int(line.partition(";")[0]) for line in lines]
    assert sorted(codes) == list(range(1000))
    assert codes != sorted(codes)


def test_a_small_register_is_imported_beside_php_and_every_number_is_found(tmp_path: Path) -> None:
    need_php("pdo_sqlite", package="php-sqlite3")
    command = [sys.executable, "-m", "bench.directory", "--accounts", "500", "--lookups", "50", "--rate", "250"]
    done = subprocess.run(
        [*command, "--folder", str(tmp_path)], capture_output=True, text=True, timeout=110, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    for part in ("gateway, first time", "gateway, again", "PHP, PDO", "LIKE", "peak MB", "during: gateway"):
        assert part in done.stdout
