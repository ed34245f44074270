"""Group commit: many producers, one transaction."""

import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue

import pytest
from sqlalchemy import Connection, Engine, create_engine, text

from gateway.errors import BadParameter, InternalError, QueueFull, Stopping, StoreUnavailable, StoreUnclear
from gateway.store.sqlite.engine import FileLock, open_engine
from gateway.store.writing import writer as writer_module
from gateway.store.writing.tickets import Ticket
from gateway.store.writing.transactions import LocalTransactions
from gateway.store.writing.writer import GroupCommit


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = open_engine(tmp_path)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE notes (value TEXT NOT NULL UNIQUE)"))
    yield engine
    engine.dispose()


class Notes:
    """Applies notes; can be held up, and remembers how large its batches were."""

    def __init__(self) -> None:
        self.batches: list[int] = []
        self.gate = threading.Event()
        self.gate.set()
        self.entered = threading.Event()

    def apply(self, connection: Connection, notes: Sequence[str]) -> list[str]:
        self.entered.set()
        assert self.gate.wait(20)
        self.batches.append(len(notes))
        for note in notes:
            if note == "refused":
                raise BadParameter("note", note, expected="another")
            if note == "defect":
                raise ZeroDivisionError("secret detail")
            connection.execute(text("INSERT INTO notes VALUES (:note)"), {"note": note})
        return [note.upper() for note in notes]


@pytest.fixture
def notes() -> Notes:
    return Notes()


def running(engine: Engine, notes: Notes, **options: object) -> GroupCommit[str, str]:
    writer: GroupCommit[str, str] = GroupCommit(engine, notes.apply, **options)  # type: ignore[arg-type]
    writer.start()
    return writer


def stored(engine: Engine) -> set[str]:
    with engine.connect() as connection:
        return set(connection.execute(text("SELECT value FROM notes")).scalars())


def test_everyone_gets_the_result_of_the_own_job(engine: Engine, notes: Notes) -> None:
    writer = running(engine, notes)
    with ThreadPoolExecutor(16) as pool:
        results = list(pool.map(writer.write, [f"n{i}" for i in range(400)]))
    writer.stop()
    assert results == [f"N{i}" for i in range(400)]
    assert stored(engine) == {f"n{i}" for i in range(400)}


def test_jobs_that_wait_together_are_written_in_one_transaction(engine: Engine, notes: Notes) -> None:
    notes.gate.clear()
    writer = running(engine, notes)
    first = writer.submit("first")
    assert notes.entered.wait(5)
    rest = [writer.submit(f"n{i}") for i in range(50)]
    notes.gate.set()
    for future in (first, *rest):
        future.result(10)
    writer.stop()
    assert notes.batches == [1, 50]


def test_what_comes_while_the_writer_rests_joins_what_came_while_it_wrote(engine: Engine, notes: Notes) -> None:
    rests: list[float] = []
    tickets = []

    def rest(seconds: float) -> None:
        rests.append(seconds)
        tickets.append(writer.submit("while it rests"))

    notes.gate.clear()
    writer = running(engine, notes, rest=rest)
    tickets.append(writer.submit("first"))
    assert notes.entered.wait(5)
    tickets.append(writer.submit("while it writes"))
    time.sleep(2 * writer_module.LONGEST_REST_S)
    notes.gate.set()
    for ticket in list(tickets):
        ticket.result(10)
    writer.stop()
    assert notes.batches == [1, 2]
    assert rests == [writer_module.LONGEST_REST_S]


class FarTransactions(LocalTransactions):
    """As of a database of another machine, whose answers take long enough for more to come."""

    leads = False


@pytest.mark.parametrize(("far", "batch_limit"), [(False, 5), (True, 256)], ids=["whole batches", "far database"])
def test_the_writer_does_not_rest_where_enough_comes_without_it(
    engine: Engine, notes: Notes, far: bool, batch_limit: int
) -> None:
    rests: list[float] = []
    notes.gate.clear()
    transactions = FarTransactions(engine) if far else None
    writer = running(engine, notes, rest=rests.append, batch_limit=batch_limit, transactions=transactions)
    first = writer.submit("first")
    assert notes.entered.wait(5)
    more = [writer.submit(f"n{number}") for number in range(5)]
    notes.gate.set()
    for ticket in (first, *more):
        ticket.result(10)
    assert writer.submit("alone").result(10) == "ALONE"
    writer.stop()
    assert notes.batches == [1, 5, 1]
    assert rests == []


@pytest.mark.parametrize(
    ("bad", "error"), [("refused", BadParameter), ("defect", InternalError), ("twice", InternalError)]
)
def test_an_error_in_one_job_hurts_only_that_one(
    engine: Engine, notes: Notes, bad: str, error: type[Exception]
) -> None:
    writer = running(engine, notes)
    writer.write("twice")
    notes.gate.clear()
    notes.entered.clear()
    writer.submit("hold")
    assert notes.entered.wait(5)
    good = [writer.submit(f"a{i}") for i in range(5)]
    hurt = writer.submit(bad)
    good += [writer.submit(f"b{i}") for i in range(5)]
    notes.gate.set()
    with pytest.raises(error) as told:
        hurt.result(10)
    assert "secret" not in str(told.value)
    assert [future.result(10)[0] for future in good] == ["A"] * 5 + ["B"] * 5
    writer.stop()
    assert len(stored(engine)) == 12


def test_a_full_queue_is_said_at_once_and_stores_nothing(engine: Engine, notes: Notes) -> None:
    notes.gate.clear()
    writer = running(engine, notes, queue_limit=3)
    writer.submit("under way")
    assert notes.entered.wait(5)
    for i in range(3):
        writer.submit(f"n{i}")
    with pytest.raises(QueueFull, match="3"):
        writer.submit("one too many")
    notes.gate.set()
    writer.stop()
    assert "one too many" not in stored(engine)


def test_a_stop_writes_what_waits_and_takes_no_more(engine: Engine, notes: Notes) -> None:
    notes.gate.clear()
    writer = running(engine, notes)
    futures = [writer.submit(f"n{i}") for i in range(30)]
    stopper = threading.Thread(target=writer.stop)
    stopper.start()
    notes.gate.set()
    stopper.join(10)
    assert [future.result(0) for future in futures] == [f"N{i}" for i in range(30)]
    with pytest.raises(Stopping):
        writer.submit("late")
    assert not writer.alive()
    writer.stop()


def test_whoever_gives_up_waiting_is_told_and_its_job_is_dropped_while_it_waits(engine: Engine, notes: Notes) -> None:
    notes.gate.clear()
    writer = running(engine, notes)
    writer.submit("under way")
    assert notes.entered.wait(5)
    with pytest.raises(StoreUnavailable) as told:
        writer.write("impatient", timeout_s=0.05)
    assert not isinstance(told.value, StoreUnclear)
    notes.gate.set()
    writer.stop()
    assert stored(engine) == {"under way"}


def test_of_a_producer_and_the_writer_exactly_one_decides_what_becomes_of_a_job(engine: Engine, notes: Notes) -> None:
    """What a producer was told is not stored never is; what it was not told of is unclear, or has a result."""
    writer = running(engine, notes)

    def write(place: int) -> tuple[str, type[object]]:
        note = f"n{place}"
        try:
            return note, type(writer.write(note, timeout_s=(0, 0.0005, 0.002, 30)[place % 4], lead=False))
        except StoreUnavailable as error:
            return note, type(error)

    with ThreadPoolExecutor(32) as pool:
        told = dict(pool.map(write, range(800)))
    writer.stop()
    assert {note for note, came in told.items() if came is not StoreUnavailable} == stored(engine)
    assert set(told.values()) >= {str, StoreUnavailable}


def test_a_producer_that_gives_up_on_a_job_that_was_taken_is_told_that_it_is_unclear(
    engine: Engine, notes: Notes, monkeypatch: pytest.MonkeyPatch
) -> None:
    answered = Ticket.result

    def give_up_once_taken(ticket: Ticket[str, str], timeout_s: float) -> str:
        assert notes.entered.wait(20)
        return answered(ticket, timeout_s=0)

    monkeypatch.setattr(Ticket, "result", give_up_once_taken)
    notes.gate.clear()
    writer = running(engine, notes)
    with pytest.raises(StoreUnclear):
        writer.write("taken", lead=False)
    notes.gate.set()
    writer.stop()
    assert stored(engine) == {"taken"}


def test_a_database_that_cannot_be_written_says_so_and_the_writer_lives_on(engine: Engine, notes: Notes) -> None:
    writer = running(engine, notes)
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE notes RENAME TO elsewhere"))
    with pytest.raises(InternalError):
        writer.write("lost")
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE elsewhere RENAME TO notes"))
    assert writer.write("found") == "FOUND"
    writer.stop()


def test_after_each_durable_batch_the_doorbell_rings_with_its_results(engine: Engine, notes: Notes) -> None:
    rung: list[str] = []
    writer = running(engine, notes, after_commit=lambda done: rung.extend(result for _, result in done))
    writer.write("a")
    writer.stop()
    assert rung == ["A"]


def test_a_doorbell_that_fails_neither_keeps_producers_waiting_nor_stops_the_writer(
    engine: Engine, notes: Notes
) -> None:
    def broken(_done: Sequence[object]) -> None:
        raise ZeroDivisionError

    writer = running(engine, notes, after_commit=broken)
    assert [writer.write("a", timeout_s=5), writer.write("b", timeout_s=5)] == ["A", "B"]
    writer.stop()


def test_writers_of_several_processes_take_turns_by_the_file_lock(engine: Engine, notes: Notes, tmp_path: Path) -> None:
    locks = [FileLock(tmp_path / "lock") for _ in range(2)]
    writers = [running(engine, notes, lock=lock) for lock in locks]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda i: writers[i % 2].write(f"n{i}"), range(200)))
    for writer, lock in zip(writers, locks, strict=True):
        writer.stop()
        lock.close()
    assert len(stored(engine)) == 200


def test_a_job_in_no_hurry_does_not_delay_whoever_writes_next_and_is_told_what_came_of_it(
    engine: Engine, notes: Notes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer_module, "UNHURRIED_S", 0.2)
    told: SimpleQueue[object] = SimpleQueue()
    writer = running(engine, notes)
    writer.submit_deferred("first", told.put)
    assert writer.waiting() == 1
    assert writer.write("second") == "SECOND"
    assert told.empty()
    assert told.get(timeout=5) == "FIRST"
    writer.stop()
    assert notes.batches == [1, 1]


def test_a_job_in_no_hurry_goes_with_what_the_writer_s_thread_has_to_write_anyway(
    engine: Engine, notes: Notes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer_module, "UNHURRIED_S", 20)
    told: SimpleQueue[object] = SimpleQueue()
    writer = running(engine, notes)
    writer.submit_deferred("first", told.put)
    assert writer.submit("second").result(5) == "SECOND"
    assert told.get(timeout=5) == "FIRST"
    writer.stop()
    assert notes.batches == [2]


def test_whoever_handed_in_a_job_is_told_that_it_was_not_stored(engine: Engine, notes: Notes) -> None:
    told: SimpleQueue[object] = SimpleQueue()
    writer = running(engine, notes)
    writer.submit_deferred("refused", told.put)
    assert isinstance(told.get(timeout=5), BadParameter)
    writer.stop()


def test_a_producer_that_fails_when_it_is_told_does_not_end_the_writer(engine: Engine, notes: Notes) -> None:
    def broken(_outcome: object) -> None:
        raise ZeroDivisionError

    writer = running(engine, notes)
    writer.submit_deferred("first", broken)
    assert writer.submit("second").result(5) == "SECOND"
    assert writer.submit("third").result(5) == "THIRD"
    writer.stop()
    assert stored(engine) == {"first", "second", "third"}


def test_a_stop_does_not_wait_and_writes_what_is_in_no_hurry(
    engine: Engine, notes: Notes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer_module, "UNHURRIED_S", 20)
    writer = running(engine, notes)
    writer.submit_deferred("last", lambda _: None)
    writer.stop(timeout_s=5)
    assert not writer.alive()
    assert stored(engine) == {"last"}
    with pytest.raises(Stopping):
        writer.submit_deferred("late", lambda _: None)


def test_a_producer_that_finds_nobody_writing_writes_by_itself(engine: Engine, notes: Notes) -> None:
    """Two threads fewer that have to be woken, each time an event comes alone."""
    wrote: list[int] = []
    writer = running(engine, notes, after_commit=lambda _: wrote.append(threading.get_ident()))
    assert writer.write("alone") == "ALONE"
    writer.stop()
    assert wrote == [threading.get_ident()]


def test_what_comes_while_a_producer_writes_is_written_without_it(engine: Engine, notes: Notes) -> None:
    """Nobody is kept from answering the own event by those of others."""
    wrote: list[tuple[int, int]] = []
    notes.gate.clear()
    writer = running(engine, notes, after_commit=lambda done: wrote.append((len(done), threading.get_ident())))
    with ThreadPoolExecutor(21) as pool:
        first = pool.submit(lambda: (writer.write("first"), threading.get_ident()))
        assert notes.entered.wait(5)
        rest = [pool.submit(writer.write, f"n{i}") for i in range(20)]
        while writer.waiting() < 20:
            pass
        notes.gate.set()
        assert [future.result(10) for future in rest] == [f"N{i}" for i in range(20)]
        leader = first.result(10)[1]
    writer.stop()
    assert wrote[0] == (1, leader)
    assert leader not in {thread for _, thread in wrote[1:]}


def test_a_producer_does_not_wait_for_another_process_longer_than_it_has_time(
    engine: Engine, notes: Notes, tmp_path: Path
) -> None:
    lock, other = FileLock(tmp_path / "lock"), FileLock(tmp_path / "lock")
    writer = running(engine, notes, lock=lock)
    with other:
        with pytest.raises(StoreUnavailable):
            writer.write("impatient", timeout_s=0.05)
        patient = writer.submit("patient")
    assert patient.result(10) == "PATIENT"
    writer.stop()
    assert stored(engine) == {"patient"}


def test_a_producer_that_is_interrupted_leaves_the_turn_to_the_others(
    engine: Engine, notes: Notes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C in a command must not keep the next one from writing."""
    writer = running(engine, notes)
    with monkeypatch.context() as patched:
        patched.setattr(writer, "_apply", interrupted)
        with pytest.raises(KeyboardInterrupt):
            writer.write("interrupted")
    assert writer.write("next", timeout_s=5) == "NEXT"
    writer.stop()
    assert stored(engine) == {"next"}


def interrupted(_connection: Connection, _notes: Sequence[str]) -> list[str]:
    raise KeyboardInterrupt


def test_a_lock_that_cannot_be_taken_is_told_to_those_who_wait_and_the_writer_lives_on(
    engine: Engine, notes: Notes
) -> None:
    class Broken:
        def __init__(self) -> None:
            self.broken = True

        def take(self, *, wait: bool) -> bool:
            if self.broken:
                raise OSError("no space left on device")
            return True

        def give_back(self) -> None: ...

    lock = Broken()
    writer = running(engine, notes, lock=lock)
    with pytest.raises(StoreUnavailable):
        writer.write("led")
    with pytest.raises(StoreUnavailable):
        writer.submit("handed in").result(5)
    lock.broken = False
    assert writer.write("later", timeout_s=5) == "LATER"
    writer.stop()
    assert stored(engine) == {"later"}


def test_what_the_driver_alone_wrote_is_undone_with_its_job_and_keeps_nobody_out(engine: Engine) -> None:
    def apply(connection: Connection, notes: Sequence[str]) -> list[str]:
        for note in notes:
            connection.connection.cursor().execute("INSERT INTO notes VALUES (?)", [note])
            if note == "refused":
                raise BadParameter("note", note, expected="another")
        return list(notes)

    writer: GroupCommit[str, str] = GroupCommit(engine, apply)
    writer.start()
    with pytest.raises(BadParameter):
        writer.write("refused")
    with engine.execution_options(begin="IMMEDIATE").begin() as other:
        other.execute(text("INSERT INTO notes VALUES ('another')"))
    assert writer.write("good", timeout_s=5) == "good"
    writer.stop()
    assert stored(engine) == {"another", "good"}


def test_a_producer_with_little_time_is_not_held_up_by_a_slow_disk(engine: Engine, notes: Notes) -> None:
    """Who does not lead is told in time, though the transaction that holds its work is still being written."""
    writer = running(engine, notes)
    notes.gate.clear()
    began = time.monotonic()
    with pytest.raises(StoreUnavailable):
        writer.write("late", timeout_s=0.05, lead=False)
    assert time.monotonic() - began < 2
    notes.gate.set()
    assert writer.write("next", lead=False) == "NEXT"
    writer.stop()
    assert "next" in stored(engine)


def test_the_writer_is_woken_once_for_all_that_comes_while_it_writes(tmp_path: Path) -> None:
    taken, release = threading.Event(), threading.Event()

    def apply(connection: Connection, jobs: Sequence[str]) -> list[str]:
        taken.set()
        assert release.wait(60)
        return list(jobs)

    writer: GroupCommit[str, str] = GroupCommit(create_engine(f"sqlite:///{tmp_path}/x.db"), apply)
    writer.start()
    writer.submit("first")
    assert taken.wait(60)
    tickets = [writer.submit(str(number)) for number in range(20)]
    assert writer._bell.qsize() == 1
    release.set()
    assert [ticket.result(60) for ticket in tickets] == [str(number) for number in range(20)]
    assert writer.stop()
