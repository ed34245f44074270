"""The floor of an event: every step is measured and summed once."""

from pathlib import Path

import pytest

from bench import floor
from bench.floor import Step
from bench.soap_path import ENVELOPE, get, post


def test_what_is_only_shown_beside_is_in_no_sum():
    steps = [Step("Granian", 20.0, ours=False), Step("wire", 30.0, ours=True), Step("handler", 7.0, ours=True)]
    shown = floor.report([*steps, Step("a body", 60.0, ours=False, beside=True)])
    assert "Others' code: 20 µs. Ours, without the journal's own work: 37 µs." in shown
    assert all(text in shown for text in ("Granian", "20.0", "wire", "30.0", "7.0", "a body", "60.0"))


def test_each_step_in_this_process_takes_something(tmp_path: Path):
    request = get(floor.PATH, floor.FakeScope.query_string)
    parts = [floor.environ_us(20), floor.wire_us(request, 20), floor.handler_us(20)]
    parts += [floor.run_us(22, 11), floor.task_us(22, 11)]
    parts += [floor.wire_us(post("/soap", ENVELOPE), 20), floor.body_us(20)]
    parts += [floor.wake_us(20), floor.insert_us(tmp_path, 20, 1), floor.insert_us(tmp_path, 22, 11)]
    assert min(parts) > 0


@pytest.mark.parametrize("is_written", [False, True])
def test_rows_of_the_traffic_log_are_written_where_that_is_measured(tmp_path: Path, is_written: bool):
    assert floor.row_us(tmp_path, 10, is_written=is_written) > 0
    with floor.plain_table(tmp_path / "traffic.db") as database:
        found = database.execute("SELECT count(*) FROM exchanges").fetchone()
    assert found == (10 * floor.ROUNDS if is_written else 0,)
