"""A process that died, however it died, holds nothing any more."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.store.shared.presence import FOLDER, FilePresence

HOLD = """
import sys
from pathlib import Path
from gateway.store.shared.presence import FilePresence
print(FilePresence(Path(sys.argv[1])).name(), flush=True)
sys.stdin.read()
"""


@pytest.fixture
def other(tmp_path: Path) -> Iterator["subprocess.Popen[str]"]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    yield process
    process.kill()
    process.communicate()


def test_a_process_is_alive_until_it_is_killed(tmp_path: Path, other: "subprocess.Popen[str]") -> None:
    assert other.stdout is not None
    name = other.stdout.readline().strip()
    here = FilePresence(tmp_path)
    assert here.alive(name)
    assert here.alive(here.name() or "")
    other.kill()
    other.wait()
    assert not here.alive(name)
    assert not here.alive("never-seen")


def test_one_that_ends_is_not_alive_and_leaves_nothing(tmp_path: Path) -> None:
    one, two = FilePresence(tmp_path), FilePresence(tmp_path)
    name = one.name()
    assert name
    assert two.alive(name)
    one.close()
    one.close()
    assert not two.alive(name)
    assert list((tmp_path / FOLDER).iterdir()) == []


def test_files_of_the_dead_are_removed_and_those_of_the_living_are_not(tmp_path: Path) -> None:
    one = FilePresence(tmp_path)
    name = one.name()
    (tmp_path / FOLDER / "123-dead").touch()
    other = FilePresence(tmp_path).name()
    assert sorted(path.name for path in (tmp_path / FOLDER).iterdir()) == sorted([name, other])


def test_without_room_there_is_no_name_and_nobody_is_declared_dead(tmp_path: Path) -> None:
    (tmp_path / FOLDER).touch()
    here = FilePresence(tmp_path)
    assert here.name() is None
    assert here.alive("123-other"), "it cannot be told"
