"""Nothing is acknowledged on a database that is not at its place any more."""

import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError

from gateway.errors import InternalError, StoreReplaced
from gateway.store.readiness import WriteProbe
from tests.store.conftest import T0, Store

OF_A_FILE = pytest.mark.sqlite("its database is a file, which may be lost under it")


def delete(path: Path) -> None:
    path.unlink()


def replace(path: Path) -> None:
    shutil.copy(path, path.with_suffix(".copy"))
    path.with_suffix(".copy").replace(path)


@OF_A_FILE
@pytest.mark.parametrize("name", ["gateway.db", "gateway.db-wal"])
@pytest.mark.parametrize("how", [delete, replace])
def test_an_event_is_not_acknowledged_when_the_file_was_lost(
    store: Store, name: str, how: Callable[[Path], None]
) -> None:
    store.start("3501", "4732100123")
    kept = store.data / "kept"
    kept.hardlink_to(store.data / name)
    how(store.data / name)
    for _ in range(2):
        with pytest.raises(StoreReplaced, match=rf"{name} foi apagado ou trocado"):
            store.start("3501", "4732100124")
    kept.replace(store.data / name)
    assert store.start("3501", "4732100125", T0 + 1).call_id


@OF_A_FILE
def test_a_transaction_that_failed_is_no_sign_of_it(store: Store) -> None:
    """Though the journal drops its connection, the only one that is open here."""

    def fails(_connection: object) -> None:
        raise KeyError

    store.start("3501", "4732100123")
    store.engine.dispose()
    with (store.data / "gateway.db-wal").open("rb"):  # or a new one might have its inode again
        with pytest.raises(InternalError):
            store.journal.run(fails, tenant="acme")
        assert store.start("3501", "4732100124").call_id


@OF_A_FILE
def test_it_is_noticed_before_the_first_event_too(store: Store) -> None:
    replace(store.data / "gateway.db")
    with pytest.raises(StoreReplaced):
        store.start("3501", "4732100123")


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def writes(store: Store, monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """What the probe has the journal write."""
    made: list[object] = []
    run = store.journal.run

    def counted(work: Callable[..., object], **options: float) -> object:
        made.append(work)
        return run(work, **options)

    monkeypatch.setattr(store.journal, "run", counted)
    return made


def test_many_probes_cost_one_write_in_two_seconds(store: Store, writes: list[object]) -> None:
    clock = Clock()
    probe = WriteProbe(store.journal, clock=clock)
    assert [probe.good() for _ in range(5)] == [True] * 5
    assert len(writes) == 1
    clock.now += 2.1
    assert probe.good()
    assert len(writes) == 2


def test_an_event_that_was_just_written_is_proof_enough(store: Store, writes: list[object]) -> None:
    probe = WriteProbe(store.journal)
    store.start("3501", "4732100123")
    assert probe.good()
    assert writes == []


@pytest.mark.sqlite("its commit is the one that is broken; PostgreSQL's is in test_postgresql")
def test_a_database_that_takes_no_writes_is_not_ready_until_it_does_again(store: Store) -> None:
    clock = Clock()
    probe = WriteProbe(store.journal, clock=clock)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("gateway.store.writing.transactions.commit", refuse)
        assert not probe.good()
    assert not probe.good(), "it has not looked again yet"
    clock.now += 2.1
    assert probe.good()


def refuse(_connection: object) -> None:
    raise OperationalError("COMMIT", None, sqlite3.OperationalError("database or disk is full"))


@OF_A_FILE
def test_the_write_of_the_probe_reaches_the_disk(store: Store) -> None:
    wal = store.data / "gateway.db-wal"
    before = wal.read_bytes() if wal.exists() else b""  # it is there from the first write on
    assert WriteProbe(store.journal).good()
    assert len(wal.read_bytes()) > len(before)
