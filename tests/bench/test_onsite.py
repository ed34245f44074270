"""The bench of a gateway on site, in small: each event is in the log once, each click is accepted."""

import subprocess
import sys

import pytest


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_what_is_brought_is_counted_and_dialled() -> None:
    command = [sys.executable, "-m", "bench.onsite", "--events", "300", "--rounds", "1", "--orders", "2"]
    done = subprocess.run([*command, "--folder", "/tmp"], capture_output=True, text=True, timeout=280, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "800 events, each once in the log" in done.stdout
    assert done.stdout.count(" ms  ") == 2
