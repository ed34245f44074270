"""Imports on a schedule."""

import threading
import time
from pathlib import Path

from gateway.config import loader as config_file
from gateway.config.tables import Config
from gateway.directory.schedule import LONGEST_WAIT_S, Schedule, failures_of, wait_s
from gateway.store.database import Database
from gateway.store.imports.runs import Counts, ImportRun, Imports
from gateway.store.postgresql.database import PostgresqlDatabase
from gateway.texts.text import verbatim
from tests.directory.conftest import T0, Office

HEADER = "codigo;nome;telefone\n"


def configured(path: Path, database: Database, every: str = "15m") -> Config:
    erp = {"source": "csv", "path": str(path), "every": every}
    server = {"database": database.shown} if isinstance(database, PostgresqlDatabase) else {}
    raw = {"server": server, "tenants": {"acme": {"directory": {"erp": erp}}}}
    return config_file.parse(raw, source="gateway.toml")


def test_a_source_that_fails_is_tried_less_and_less_often() -> None:
    assert [wait_s(900, failures) for failures in (0, 1, 2, 10)] == [900, 1800, 3600, LONGEST_WAIT_S]
    assert wait_s(86_400, 5) == 86_400


def run(state: str) -> ImportRun:
    return ImportRun(1, "acme", "erp", "csv", state, T0, None, Counts(), "", [], verbatim(""))


def test_failures_are_counted_up_to_the_last_good_run() -> None:
    assert failures_of([run("failed"), run("failed"), run("done"), run("failed")]) == 2
    assert failures_of([run("running"), run("failed")]) == 0
    assert failures_of([]) == 0


def test_one_of_many_workers_takes_a_run_that_is_due(office: Office) -> None:
    imports = office.importer.imports
    not_after = T0 - 900_000
    first = imports.claim_due("acme", "erp", "csv", T0, not_after=not_after, most=9)
    assert first is not None
    assert imports.claim_due("acme", "erp", "csv", T0 + 1, not_after=not_after + 1, most=9) is None
    imports.end(first, "done", Counts(), T0 + 5, message="", refused=[])
    assert imports.claim_due("acme", "erp", "csv", T0 + 10, not_after=not_after + 10, most=9) is None
    assert imports.claim_due("acme", "erp", "csv", T0 + 900_001, not_after=T0 + 1, most=9) is not None


def test_an_import_does_not_wait_for_a_clock_that_was_set_back(office: Office) -> None:
    imports = office.importer.imports
    day = 86_400_000
    first = imports.claim_due("acme", "erp", "csv", T0, not_after=T0 - 900_000, most=9)
    assert first is not None
    imports.end(first, "done", Counts(), T0 + 5, message="", refused=[])
    now = T0 - day
    again = imports.claim_due("acme", "erp", "csv", now, not_after=now - 900_000, most=9)
    assert again is not None
    imports.end(again, "done", Counts(), now + 5, message="", refused=[])
    assert imports.claim_due("acme", "erp", "csv", now + 5000, not_after=now - 895_000, most=9) is None, (
        "once is enough"
    )
    assert imports.last_success("acme", "erp") == now, "changes since then are asked for, not since tomorrow"


def test_a_run_that_died_before_the_clock_was_set_back_holds_up_no_other(office: Office) -> None:
    imports = office.importer.imports
    assert imports.claim_due("acme", "erp", "csv", T0, not_after=T0 - 900_000, most=9) is not None
    assert imports.begin("acme", "erp", "csv", T0 - 86_400_000)


def wait_for_end(imports: Imports) -> ImportRun:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        runs = imports.last("acme", "erp")
        if runs and runs[0].state != "running":
            return runs[0]
        time.sleep(0.05)
    raise AssertionError("the import did not end")


def test_a_due_import_runs_in_a_process_of_its_own_and_once(office: Office, tmp_path: Path) -> None:
    (tmp_path / "contas.csv").write_text(HEADER + "1;A;4732100123\n")
    imports = office.importer.imports
    schedule = Schedule(configured(tmp_path / "contas.csv", office.store.database), office.store.data, imports)
    try:
        schedule.look()
        schedule.look()
        ended = wait_for_end(imports)
    finally:
        schedule.stop()
    assert (ended.state, ended.counts.added) == ("done", 1)
    assert len(imports.last("acme")) == 1
    assert set(office.accounts()) == {"1"}


def test_a_failing_source_says_why_and_hurts_nobody(office: Office, tmp_path: Path) -> None:
    imports = office.importer.imports
    schedule = Schedule(configured(tmp_path / "none.csv", office.store.database), office.store.data, imports)
    try:
        schedule.look()
        ended = wait_for_end(imports)
    finally:
        schedule.stop()
    assert ended.state == "failed"
    assert "none.csv não pode ser lido (No such file or directory)" in ended.message


def test_an_import_whose_gateway_stops_is_written_down_as_broken_off(office: Office, tmp_path: Path) -> None:
    import os

    fifo = tmp_path / "contas.csv"
    os.mkfifo(fifo)  # opening it waits for ever
    imports = office.importer.imports
    schedule = Schedule(configured(fifo, office.store.database), office.store.data, imports)
    schedule.look()
    schedule.stop()
    (ended,) = imports.last("acme")
    assert (ended.state, "parou no meio" in ended.message) == ("failed", True)


def test_without_a_schedule_nothing_is_started(office: Office) -> None:
    schedule = Schedule(Config(), office.store.data, office.importer.imports)
    before = threading.active_count()
    schedule.start()
    assert threading.active_count() == before
    schedule.stop()
