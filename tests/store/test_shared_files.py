"""One process at a time holds a lease on a data folder, whatever becomes of the one before."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from gateway.store.shared.files import LEASES, SharedFiles
from tests.relay.trials import trials
from tests.store.conftest import T0

HOLD = """
import sys
from pathlib import Path
from gateway.store.shared.files import SharedFiles
lease = SharedFiles(Path(sys.argv[1])).lease("source/acme/pbx")
print(lease.token if lease else None, flush=True)
sys.stdin.read()
"""


@pytest.fixture
def shared(tmp_path: Path) -> Iterator[SharedFiles]:
    with closing(SharedFiles(tmp_path)) as made:
        yield made


def holder(data: Path) -> "tuple[subprocess.Popen[str], str]":
    """A process that takes the lease, and what it says of it."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(data)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout
    return process, process.stdout.readline().strip()


def test_one_process_holds_a_lease_and_the_next_gets_a_greater_token_when_it_dies(
    shared: SharedFiles, tmp_path: Path
) -> None:
    process, said = holder(tmp_path)
    try:
        first = int(said)
        assert shared.lease("source/acme/pbx") is None
        other = shared.lease("source/acme/other")
        assert other is not None
    finally:
        process.kill()
        process.communicate()
    mine = shared.lease("source/acme/pbx")
    assert mine is not None
    assert (mine.token, mine.held()) == (first + 1, True)
    process, said = holder(tmp_path)
    process.communicate()
    assert said == "None"


def test_a_lease_that_was_given_back_is_not_held_and_may_be_taken_again(shared: SharedFiles) -> None:
    first = shared.lease("maintenance")
    assert first is not None
    assert shared.lease("maintenance") is None, "nor twice by one process"
    first.release()
    first.release()
    assert not first.held()
    second = shared.lease("maintenance")
    assert second is not None
    assert second.token == first.token + 1
    shared.close()
    assert not second.held()


def test_a_lease_whose_folder_was_replaced_is_lost(shared: SharedFiles, tmp_path: Path) -> None:
    """Another process could take it by now."""
    lease = shared.lease("maintenance")
    assert lease is not None
    (tmp_path / LEASES).rename(tmp_path / "gone")
    assert not lease.held()


def test_a_token_that_a_power_cut_garbled_is_followed_by_a_greater_one(shared: SharedFiles, tmp_path: Path) -> None:
    for written, least in ((b"", 10**15), (b"17\n", 18), (b"\0\0", 10**15)):
        (tmp_path / LEASES).mkdir(exist_ok=True)
        (tmp_path / LEASES / "maintenance").write_bytes(written)
        lease = shared.lease("maintenance")
        assert lease is not None
        assert least <= lease.token < 10 * max(least, 10**18)
        lease.release()


def test_no_lease_is_given_where_its_file_cannot_be_had(
    shared: SharedFiles, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / LEASES).write_text("a file where the folder should be")
    assert shared.lease("maintenance") is None
    assert "lease_not_taken" in capsys.readouterr().out


def test_of_many_processes_one_tries_a_forward_that_did_not_answer(tmp_path: Path) -> None:
    assert sorted(trials([SharedFiles(tmp_path) for _ in range(8)], T0)) == [False] * 7 + [True]


def test_each_of_processes_that_share_nothing_tries_it() -> None:
    """The control of the test above: it would fail."""
    assert trials([None] * 3, T0) == [True] * 3
