"""The wire log: kept by time and size, found again, and never in an event's way."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from gateway.clock import Clock
from gateway.store import diagnostic_log as module
from gateway.store import write_behind
from gateway.store.diagnostic_log import DiagnosticLog, carry_over
from gateway.store.traffic import IN, OUT, Remark, RemarkCode, TrafficEntry, TrafficFilter, TrafficLog, cut
from tests.fakes import SetTime

T0 = 1_780_000_000_000
DAY = 24 * 3600 * 1000
Add = Callable[..., None]


class OwnLog(TrafficLog):
    """A wire log with a side log of its own."""

    def __init__(self, data: Path, *, keep_days: float, keep_mb: float, **more: Any) -> None:
        self.time = SetTime(T0)
        clock = Clock(self.time.wall, self.time.steady)
        self.side = DiagnosticLog(data, keep_days=keep_days, keep_mb=keep_mb, clock=clock, **more)
        super().__init__(self.side)


def made(**changes: Any) -> TrafficEntry:
    usual: dict[str, Any] = {
        "at": T0,
        "took_us": 900,
        "way": IN,
        "tenant": "acme",
        "peer": "10.0.0.7",
        "wire": "get",
        "operation": "ConsultaRamal",
        "call_id": 1,
        "status": "200 OK",
        "note": "",
        "request": b"GET /x HTTP/1.1\r\n\r\n",
        "answer": b"HTTP/1.1 200 OK\r\n\r\nOK 1\n",
    }
    return TrafficEntry(**usual | changes)


@pytest.fixture
def log(tmp_path: Path) -> Iterator[OwnLog]:
    opened = OwnLog(tmp_path, keep_days=14, keep_mb=8)
    yield opened
    opened.side.stop()


def write(log: OwnLog, *items: TrafficEntry) -> None:
    for item in items:
        log.add(lambda item=item: item, 100)  # type: ignore[misc]
    log.side.flush()


def test_what_was_written_comes_back_byte_for_byte(log: OwnLog) -> None:
    raw = bytes(range(256))
    write(log, made(request=raw, note="consertado: space"))
    (found,) = log.search("acme")
    assert (found.request, found.note, found.call_id, found.took_us) == (raw, "consertado: space", 1, 900)
    assert log.get("acme", found.id) == found
    assert log.get("rival", found.id) is None
    assert log.get(None, found.id) == found


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (TrafficFilter(), [4, 3, 2, 1]),
        (TrafficFilter(way=OUT), [3]),
        (TrafficFilter(peer="10.0.0.8"), [2]),
        (TrafficFilter(call_id=7), [4, 3]),
        (TrafficFilter(since=T0 + 2), [4, 3]),
        (TrafficFilter(until=T0 + 2), [2, 1]),
        (TrafficFilter(text="telefone=47"), [2]),
        (TrafficFilter(text="ERRO 210"), [1]),
        (TrafficFilter(failed=True), [3, 1]),
        (TrafficFilter(before_id=3), [2, 1]),
        (TrafficFilter(way=OUT, call_id=1), []),
    ],
)
def test_exchanges_are_found_by_every_filter_newest_first(log: OwnLog, wanted: TrafficFilter, found: list[int]) -> None:
    write(
        log,
        made(call_id=None, status="400 Bad Request", answer=b"ERRO 210: x"),
        made(at=T0 + 1, peer="10.0.0.8", request=b"GET /?telefone=47"),
        made(at=T0 + 2, way=OUT, peer="pbx", call_id=7, status="sem resposta"),
        made(at=T0 + 3, call_id=7),
        made(tenant="rival"),
    )
    assert [item.id for item in log.search("acme", wanted)] == found


def test_requests_of_no_company_are_shown_only_to_whoever_asks_for_all(log: OwnLog) -> None:
    write(log, made(tenant="", status="404 Not Found"))
    assert log.search("acme") == []
    assert len(log.search(None)) == 1


def test_what_is_too_old_is_let_go(log: OwnLog) -> None:
    write(log, made(at=T0 - 15 * DAY), made(at=T0 - 13 * DAY))
    log.side.tidy()
    assert [item.at for item in log.search("acme")] == [T0 - 13 * DAY]


def test_of_a_company_that_wants_less_kept_less_is(tmp_path: Path) -> None:
    log = OwnLog(tmp_path, keep_days=14, keep_mb=8, keep_ms_of={"acme": 2 * DAY})
    write(log, *(made(at=T0 - days * DAY, tenant=tenant) for days in (3, 1) for tenant in ("acme", "rival")))
    log.side.tidy()
    assert [(item.tenant, item.at) for item in log.search(None)] == [
        ("rival", T0 - DAY), ("acme", T0 - DAY), ("rival", T0 - 3 * DAY)
    ]  # fmt: skip
    log.time.pass_by(DAY + 1)
    log.side.tidy()
    log.side.stop()
    assert [item.at for item in log.search("acme")] == []
    assert len(log.search("rival")) == 2


def test_a_clock_set_forward_by_mistake_lets_nothing_go(log: OwnLog) -> None:
    write(log, made(at=T0 - 13 * DAY), made(at=T0))
    log.time.step(365 * DAY)
    log.side.tidy()
    assert len(log.search("acme")) == 2
    log.time.pass_by(2 * DAY)
    log.side.tidy()
    assert [item.at for item in log.search("acme")] == [T0]


def test_the_file_stays_about_as_large_as_it_may_be_and_the_newest_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "TIDY_ROWS", 50)
    log = OwnLog(tmp_path, keep_days=14, keep_mb=1)
    for _ in range(4):
        write(log, *(made(request=b"x" * 10_000) for _ in range(100)))
        log.side.tidy()
    kept = log.search("acme", limit=1000)
    log.side.stop()
    assert 50 <= len(kept) <= 105
    assert kept[0].id == 400
    assert (tmp_path / "traffic.db").stat().st_size < 4 * 1024 * 1024


def test_when_the_queue_is_full_exchanges_are_counted_and_left_out(
    log: OwnLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(write_behind, "MOST_WAITING_BYTES", 5000)
    for _ in range(10):
        log.add(made, 1000)
    assert log.side.lost == 7
    log.side.flush()
    assert len(log.search("acme")) == 3
    log.add(made, 1000)
    log.side.flush()
    assert len(log.search("acme")) == 4


def test_others_have_the_interpreter_while_many_rows_are_made(log: OwnLog, monkeypatch: pytest.MonkeyPatch) -> None:
    rests: list[tuple[float, int]] = []
    count = 0

    def one() -> TrafficEntry:
        nonlocal count
        count += 1
        return made()

    monkeypatch.setattr(write_behind.time, "sleep", lambda seconds: rests.append((seconds, count)))
    for _ in range(40):
        log.add(one, 100)
    log.side.flush()
    assert rests == [(write_behind.REST_S, 16), (write_behind.REST_S, 32)]
    assert len(log.search("acme")) == 40


def test_an_exchange_that_cannot_be_made_hurts_no_other(log: OwnLog) -> None:
    def broken() -> TrafficEntry:
        raise ValueError("x")

    log.add(made, 1)
    log.add(broken, 1)
    log.add(made, 1)
    log.side.flush()
    assert len(log.search("acme")) == 2


def test_stopping_writes_what_waits(tmp_path: Path) -> None:
    log = OwnLog(tmp_path, keep_days=1, keep_mb=1)
    log.side.start()
    log.add(made, 1)
    log.side.stop()
    log.side.stop()
    again = OwnLog(tmp_path, keep_days=1, keep_mb=1)
    assert len(again.search("acme")) == 1
    again.side.stop()


def test_two_processes_may_write_the_same_file(log: OwnLog, tmp_path: Path) -> None:
    other = OwnLog(tmp_path, keep_days=1, keep_mb=1)
    for _ in range(20):
        write(log, made())
        write(other, made(peer="10.0.0.8"))
    other.side.stop()
    assert len(log.search("acme", limit=100)) == 40
    assert log.side.lost == 0


def test_a_file_of_another_layout_is_emptied(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "traffic.db") as connection:
        connection.execute("CREATE TABLE exchanges (id INTEGER PRIMARY KEY, old TEXT)")
        connection.execute("PRAGMA user_version=99")
    connection.close()
    log = OwnLog(tmp_path, keep_days=1, keep_mb=1)
    write(log, made())
    assert len(log.search("acme")) == 1
    log.side.stop()


def test_a_damaged_file_is_put_aside_and_the_gateway_serves(tmp_path: Path) -> None:
    path = tmp_path / "traffic.db"
    path.write_bytes(b"this is no database " * 500)
    log = OwnLog(tmp_path, keep_days=1, keep_mb=1)
    write(log, made())
    assert len(log.search("acme")) == 1
    log.side.stop()
    assert (tmp_path / "traffic.db.broken").read_bytes().startswith(b"this is no database")


def test_a_file_damaged_meanwhile_fails_no_page_and_no_writer(log: OwnLog, tmp_path: Path) -> None:
    write(log, made())
    log.side.engine.dispose()
    for suffix in ("-wal", "-shm"):
        (tmp_path / f"traffic.db{suffix}").unlink(missing_ok=True)
    (tmp_path / "traffic.db").write_bytes(b"this is no database " * 500)
    assert log.search("acme") == []
    assert log.get("acme", 1) is None
    write(log, made())
    log.side.tidy()
    assert log.side.lost == 1


def test_long_traffic_is_cut_and_says_so() -> None:
    assert cut(b"abc", 3) == (b"abc", ())
    assert cut(b"abcd", 3) == (b"abc", (Remark(RemarkCode.CUT, {"size": 4, "kept": 3}),))


@pytest.mark.parametrize(
    ("remarks", "whole"),
    [
        ((), True),
        ((Remark(RemarkCode.REPAIRED, {"repairs": "space"}), Remark(RemarkCode.UNPACKED, {})), True),
        ((Remark(RemarkCode.ANSWER_CUT, {"size": 4, "kept": 3}),), True),
        ((Remark(RemarkCode.UNPACKED, {}), Remark(RemarkCode.UNPACKED_CUT, {"kept": 3})), False),
        ((Remark(RemarkCode.TEXTS_HIDDEN, {}),), False),
    ],
)
def test_remarks_come_back_and_say_whether_the_request_is_whole(
    log: OwnLog, remarks: tuple[Remark, ...], whole: bool
) -> None:
    write(log, made(note="cortado, says a client", remarks=remarks))
    (found,) = log.search("acme")
    assert (found.remarks, found.whole) == (remarks, whole)


def test_a_file_of_version_0_1_0_gets_the_new_column_and_keeps_its_entries(tmp_path: Path) -> None:
    log = OwnLog(tmp_path, keep_days=1, keep_mb=1)
    write(log, made(note="cortado: corpo de 9 bytes, guardados 4"))
    log.side.stop()
    with closing(sqlite3.connect(tmp_path / "traffic.db")) as connection:
        connection.execute("ALTER TABLE exchanges DROP COLUMN remarks")
    log = OwnLog(tmp_path, keep_days=1, keep_mb=1)
    write(log, made(remarks=()))
    newest, oldest = log.search("acme")
    log.side.stop()
    assert (oldest.remarks, oldest.whole, newest.whole) == (None, False, True)


@pytest.mark.parametrize("moved", [0, 1, 2, 3])
def test_the_file_of_an_earlier_version_is_carried_over_whole(tmp_path: Path, moved: int) -> None:
    """Its end stands in the write-ahead log; whoever renamed the files before may have died after any of them."""
    with sqlite3.connect(tmp_path / "exchanges.db") as writes, sqlite3.connect(tmp_path / "exchanges.db") as reads:
        writes.execute("PRAGMA journal_mode=WAL").fetchall()
        writes.execute("CREATE TABLE kept (a)")
        reads.execute("SELECT * FROM kept").fetchall()
        writes.execute("INSERT INTO kept VALUES (1)")
        writes.commit()
        for suffix in ("-shm", "-wal", "")[:moved]:
            (tmp_path / f"exchanges.db{suffix}").rename(tmp_path / f"traffic.db{suffix}")
        carry_over(tmp_path)
    assert not list(tmp_path.glob("exchanges.db*"))
    with sqlite3.connect(tmp_path / "traffic.db") as found:
        assert found.execute("SELECT a FROM kept").fetchall() == [(1,)]


def test_a_file_that_is_there_already_is_not_replaced_by_an_older_one(tmp_path: Path) -> None:
    for name in ("traffic.db", "exchanges.db"):
        (tmp_path / name).write_text(name)
    carry_over(tmp_path)
    assert (tmp_path / "traffic.db").read_text() == "traffic.db"
    assert (tmp_path / "exchanges.db").exists()


@pytest.mark.parametrize("died_after", [1, 2])
def test_a_file_is_carried_over_whole_though_the_first_start_died(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, died_after: int
) -> None:
    for suffix in ("", "-wal", "-shm"):
        (tmp_path / f"exchanges.db{suffix}").write_text(suffix)
    rename, done = Path.rename, []

    def rename_until_death(self: Path, target: Path) -> Path:
        if len(done) == died_after:
            raise SystemExit
        done.append(target)
        return rename(self, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", rename_until_death)
        with pytest.raises(SystemExit):
            carry_over(tmp_path)
    carry_over(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"traffic.db", "traffic.db-wal", "traffic.db-shm"}
