"""Programs we did not write, which some tests need.

On a user's machine a missing one skips the test with the reason; under ``CI=true`` the same absence fails it.
"""

import os
import shutil
import subprocess
from pathlib import Path

import pytest


def need(program: str, *, package: str) -> str:
    """The path of ``program``, or a skip (a failure in CI) that says which Debian ``package`` brings it."""
    # Servers lie in /usr/sbin, which is not in everybody's PATH.
    found = shutil.which(program) or shutil.which(program, path="/usr/sbin")
    if not found:
        absent(f"{program} is not installed (Debian: apt-get install {package})")
    return found or ""


def need_file(pattern: str, *, package: str) -> Path:
    """The first file that matches ``pattern`` (from the root), or a skip (a failure in CI)."""
    found = sorted(Path("/").glob(pattern.lstrip("/")))
    if not found:
        absent(f"there is no {pattern} (Debian: apt-get install {package})")
    return found[0]


def need_php(extension: str, *, package: str) -> str:
    """The path of PHP with ``extension`` loaded."""
    php = need("php", package="php-cli")
    loaded = subprocess.run([php, "-m"], capture_output=True, text=True, timeout=30, check=False).stdout.split()
    if extension not in loaded:
        absent(f"PHP has no {extension} extension (Debian: apt-get install {package})")
    return php


def absent(reason: str) -> None:
    """Skip here, fail in CI."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"CI must have this peer: {reason}")
    pytest.skip(reason)


def need_answer(command: list[str], *, package: str) -> None:
    """``command`` works, or a skip (a failure in CI) that says which ``package`` is missing."""
    need(command[0], package=package)
    done = subprocess.run(command, capture_output=True, timeout=30, check=False)
    if done.returncode:
        absent(f"'{' '.join(command)}' fails (missing: {package})")
