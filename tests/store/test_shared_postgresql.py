"""What nodes share on PostgreSQL: each process here is one that a node may be."""

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import pytest
from structlog.testing import capture_logs

from gateway.store.shared import leases as shared_leases
from gateway.store.shared import row_counts as shared_row_counts
from gateway.store.shared import row_presence as shared_presence
from gateway.store.shared import session as shared_session
from gateway.store.shared import tables as shared_tables
from gateway.store.shared import values as shared_values
from gateway.store.shared.postgresql import SharedPostgresql
from gateway.store.shared.session import SharedSession, SharedUnavailable
from tests.postgresql import FreshDatabase
from tests.relay.trials import trials
from tests.store.conftest import T0
from tests.waiting import until

pytestmark = pytest.mark.postgresql


@dataclass(frozen=True)
class Amount:
    """A small shared value."""

    CALLED: ClassVar[str] = "amount"

    count: int = 0


class Cell:
    """A database, and the nodes that share it. ``cut`` lets none of them connect, and ends what is connected."""

    def __init__(self, data: Path, nodes: ExitStack) -> None:
        self.fresh = FreshDatabase()
        nodes.callback(self.fresh.give_back)
        self.database = nodes.enter_context(closing(self.fresh.open(data)))
        shared_tables.metadata.create_all(self.database.engine)
        self._nodes = nodes
        self._is_cut = False

    def node(self) -> SharedPostgresql:
        return self._nodes.enter_context(closing(SharedPostgresql(self.connect)))

    def connect(self) -> Any:
        if self._is_cut:
            raise ConnectionError
        return self.database.direct_connection()

    def run(self, statement: str) -> Any:
        with closing(self.database.direct_connection()) as connection:
            cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else None

    @contextmanager
    def cut(self) -> Iterator[None]:
        self._is_cut = True
        self.run(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        yield
        self._is_cut = False


@pytest.fixture(scope="module")
def shared_cell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cell]:
    """One database for all tests: making one takes longer than most of them."""
    with ExitStack() as nodes:
        yield Cell(tmp_path_factory.mktemp("node"), nodes)


@pytest.fixture
def cell(shared_cell: Cell, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cell]:
    """The database, empty as after a failover, and nodes of the test's own."""
    monkeypatch.setattr(shared_session, "AGAIN_AFTER_S", 0.05)
    names = ", ".join(shared_tables.metadata.tables)
    shared_cell.run(f"TRUNCATE {names}")
    with ExitStack() as nodes:
        shared_cell._nodes = nodes
        yield shared_cell


def beat(node: SharedPostgresql) -> None:
    node._keeper.beat()


def age(cell: Cell, name: str = "%") -> None:
    """Let the leases called so be those of a node of which nothing was heard for a while."""
    cell.run(f"UPDATE leases SET until = clock_timestamp() - interval '3 s' WHERE name LIKE '{name}'")


# leases


def test_one_node_holds_a_lease_and_the_next_gets_a_greater_token(cell: Cell) -> None:
    one, other = cell.node(), cell.node()
    first = one.lease("source/acme/pbx")
    assert first is not None
    assert first.held()
    assert [other.lease("source/acme/pbx"), one.lease("source/acme/pbx")] == [None, None]
    assert other.lease("source/acme/other")
    first.release()
    first.release()
    second = other.lease("source/acme/pbx")
    assert second is not None
    assert (second.token > first.token, second.held(), first.held()) == (True, True, False)
    first.release()
    assert one.lease("source/acme/pbx") is None, "who released it twice released nobody else's"


def test_a_lease_is_kept_by_a_beat_and_lost_by_who_hangs(cell: Cell, monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = cell.node(), cell.node()
    monkeypatch.setattr(shared_leases, "BEAT_EVERY_S", 3600)
    lease = one.lease("import")
    assert lease is not None
    kept_at = lease.kept_at
    beat(one)
    assert lease.kept_at > kept_at
    assert cell.run("SELECT until > clock_timestamp() + interval '3 s' FROM leases") == [(True,)]
    age(cell)
    taken = other.lease("import")
    assert taken is not None
    assert taken.token > lease.token
    assert lease.held(), "nothing told it yet, and its time is not over"
    with capture_logs() as logs:
        beat(one)
    assert not lease.held()
    assert [line["event"] for line in logs] == ["lease_lost"]
    beat(other)
    assert taken.held()


def test_who_hung_knows_by_its_own_clock_that_its_lease_is_lost(cell: Cell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared_leases, "BEAT_EVERY_S", 3600)
    lease = cell.node().lease("import")
    assert lease is not None
    lease.kept_at -= shared_leases.HELD_S - shared_leases.MARGIN_S
    assert not lease.held()


def test_a_token_is_greater_also_when_a_failover_emptied_the_table(cell: Cell) -> None:
    first = cell.node().lease("import")
    cell.run("TRUNCATE leases")
    second = cell.node().lease("import")
    assert first is not None
    assert second is not None
    assert second.token > first.token


HOLD = """
import sys
import psycopg
from gateway.store.shared.postgresql import SharedPostgresql
shared = SharedPostgresql(lambda: psycopg.connect(sys.argv[1], autocommit=True))
print(shared.presence().name(), flush=True)
give_back = shared.slots("acme", sys.argv[2], 1).take(0)
print(give_back is not None and shared.lease("import/" + sys.argv[2]).held(), flush=True)
sys.stdin.read()
"""


@pytest.mark.acceptance(13)
def test_what_a_node_holds_is_free_within_five_seconds_of_its_death_or_of_its_hanging(
    cell: Cell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared_presence, "UNKNOWN_AFTER_S", 1)
    node = cell.node()
    presence = node.presence()
    others: dict[str, tuple[subprocess.Popen[str], str]] = {}
    with ExitStack() as ended:
        for how in ("KILL", "STOP"):
            command = [sys.executable, "-c", HOLD, cell.fresh.url, how]
            other = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            ended.callback(other.communicate)
            ended.callback(other.kill)
            assert other.stdout
            others[how] = (other, other.stdout.readline().strip())
            assert other.stdout.readline().strip() == "True"
        assert [node.slots("acme", how, 1).take(0) for how in others] == [None, None]
        assert [presence.alive(name) for _, name in others.values()] == [True, True]
        for how, (other, _) in others.items():
            other.send_signal(getattr(signal, f"SIG{how}"))
        for how, (_, name) in others.items():
            until(partial(takes_place, node, how), timeout_s=20)
            until(partial(node.lease, f"import/{how}"), timeout_s=20)
            until(lambda name=name: not presence.alive(name), timeout_s=20)  # type: ignore[misc]
    assert shared_leases.HELD_S < 5


def takes_place(node: SharedPostgresql, appliance: str) -> bool:
    return node.slots("acme", appliance, 1).take(0) is not None


def test_no_lease_is_given_while_the_database_is_away_and_none_is_held_for_long(cell: Cell) -> None:
    node = cell.node()
    lease = node.lease("import")
    assert lease is not None
    with cell.cut(), capture_logs() as logs:
        until(lambda: node.lease("other") is None, timeout_s=20)
        lease.kept_at = time.monotonic() - shared_leases.HELD_S
        assert not lease.held()
        lease.release()
    assert "lease_not_taken" in [line["event"] for line in logs]
    until(lambda: node.lease("other") is not None, timeout_s=20)


# places


def test_a_limit_binds_all_nodes_together(cell: Cell) -> None:
    one, other = (cell.node().slots("acme", "pbx", 3) for _ in range(2))
    taken = [one.take(0), other.take(0), one.take(0)]
    assert None not in taken
    assert [one.take(0), other.take(0)] == [None, None]
    give_back = taken[1]
    assert give_back
    give_back()
    assert one.take(0) is not None
    assert other.take(0) is None
    assert cell.node().slots("acme", "cloud", 3).take(0) is not None


def test_an_order_goes_out_by_its_own_process_s_limit_while_the_database_is_away(cell: Cell) -> None:
    slots = cell.node().slots("acme", "pbx", 2)
    with cell.cut(), capture_logs() as logs:
        taken = [slots.take(0) for _ in range(3)]
        assert [place is not None for place in taken] == [True, True, False]
        for give_back in taken:
            if give_back:
                give_back()
    assert [line["event"] for line in logs] == ["appliance_limit_not_shared"]

    def takes_common_place() -> Any:
        give_back = slots.take(0)
        assert give_back
        found = cell.run("SELECT name FROM leases WHERE until > clock_timestamp()")
        give_back()
        return found

    until(takes_common_place, timeout_s=20)


# values


def add_one(value: Amount) -> tuple[Amount, int]:
    return replace(value, count=value.count + 1), value.count + 1


def test_of_changes_by_many_nodes_none_is_lost(cell: Cell) -> None:
    records = [cell.node().record(Amount, "acme", "pbx") for _ in range(3)]

    def count(number: int) -> None:
        for _ in range(50):
            records[number].change(add_one)

    threads = [threading.Thread(target=count, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert cell.node().record(Amount, "acme", "pbx").read().count == 150
    assert cell.node().record(Amount, "acme", "cloud").read().count == 0


def test_one_of_two_that_see_the_same_changes_it(cell: Cell) -> None:
    """A half-open breaker has one trial in the whole cell, though both looked when it was free."""
    one, other = (cell.node().record(Amount, "acme", "pbx") for _ in range(2))
    won: list[str] = []

    def claim(name: str, meanwhile: Callable[[], object]) -> Callable[[Amount], tuple[Amount, str]]:
        def work(value: Amount) -> tuple[Amount, str]:
            meanwhile()
            return (replace(value, count=1), name) if value.count == 0 else (value, "nobody")

        return work

    def other_comes_between() -> None:
        if not won:
            won.append("")
            won[0] = other.change(claim("other", lambda: None))

    assert one.change(claim("one", other_comes_between)) == "nobody"
    assert won == ["other"]


def test_of_many_nodes_one_tries_a_forward_that_did_not_answer(cell: Cell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared_values, "FRESH_S", 0)
    assert sorted(trials([cell.node() for _ in range(8)], T0)) == [False] * 7 + [True]


def test_a_value_is_looked_at_without_asking_again_and_again(cell: Cell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared_values, "FRESH_S", 3600)
    node = cell.node()
    record = node.record(Amount, "acme", "pbx")
    record.change(add_one)
    asked: list[str] = []
    run = node._session.run
    monkeypatch.setattr(
        node._session, "run", lambda statement, **values: asked.append(statement) or run(statement, **values)
    )
    assert record.read().count == 1
    assert asked == []
    monkeypatch.setattr(shared_values, "FRESH_S", 0)
    assert record.read().count == 1
    assert len(asked) == 1


def test_whoever_looks_at_many_values_asks_once(cell: Cell, monkeypatch: pytest.MonkeyPatch) -> None:
    one, node = cell.node(), cell.node()
    for name, count in (("pbx", 1), ("cloud", 2)):
        for _ in range(count):
            one.record(Amount, "acme", name).change(add_one)
    records = {name: node.record(Amount, "acme", name) for name in ("pbx", "cloud", "other")}
    asked: list[str] = []
    run = node._session.run
    monkeypatch.setattr(node._session, "run", lambda said, **values: asked.append(said) or run(said, **values))
    monkeypatch.setattr(shared_values, "FRESH_S", 3600)
    assert {name: record.read().count for name, record in records.items()} == {"pbx": 1, "cloud": 2, "other": 0}
    assert len(asked) == 1
    records["other"].change(add_one)
    assert records["other"].read().count == 1
    assert node.record(Amount, "acme", "pbx").read().count == 1
    monkeypatch.setattr(shared_values, "FRESH_S", 0)
    one.record(Amount, "acme", "pbx").change(add_one)
    assert records["pbx"].read().count == 2


def test_a_process_goes_on_with_what_it_knew_while_the_database_is_away(cell: Cell) -> None:
    record = cell.node().record(Amount, "acme", "pbx")
    record.change(add_one)
    with cell.cut(), capture_logs() as logs:
        assert [record.change(add_one) for _ in range(2)] == [2, 3]
    assert [line["event"] for line in logs] == ["amount_not_shared"]
    until(lambda: record.read().count == 1, timeout_s=20)


def test_a_value_of_another_version_is_none(cell: Cell) -> None:
    record = cell.node().record(Amount, "acme", "pbx")
    record.change(add_one)
    cell.run('UPDATE shared_values SET value = \'{"count": "many"}\', version = version + 1')
    assert cell.node().record(Amount, "acme", "pbx").change(add_one) == 1


# presence


def test_a_node_is_alive_until_it_ends_and_some_time_where_there_is_no_word_of_it(
    cell: Cell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared_presence, "LOOK_EVERY_S", 0)
    monkeypatch.setattr(shared_leases, "BEAT_EVERY_S", 3600)
    one, other = cell.node(), cell.node()
    here, there = one.presence(), other.presence()
    name = here.name()
    assert name
    assert len(name) <= 32
    assert here.alive(name)
    assert there.alive(name)
    cell.run("TRUNCATE leases")
    assert there.alive(name), "after a failover it takes its name again"
    beat(one)
    assert cell.run("SELECT name FROM leases") == [(f"process/{name}",)]
    assert there.alive("nobody"), "there may just be no word of it yet"
    age(cell)
    assert there.alive(name), "it may be taking its name again, after an outage"
    beat(other)
    monkeypatch.setattr(shared_presence, "UNKNOWN_AFTER_S", 0)
    assert not there.alive("nobody")
    assert not there.alive(name)
    beat(one)
    assert there.alive(name), "it hung, and is there again"
    one.close()
    assert not there.alive(name)


def test_after_an_outage_all_have_time_to_take_their_names_again(cell: Cell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared_presence, "LOOK_EVERY_S", 0)
    monkeypatch.setattr(shared_leases, "BEAT_EVERY_S", 3600)
    monkeypatch.setattr(shared_presence, "GRACE_S", 0)
    node, lost = cell.node(), cell.node()
    there, name = node.presence(), lost.presence().name() or ""
    there.name()
    beat(node)
    monkeypatch.setattr(shared_presence, "UNKNOWN_AFTER_S", 0.3)
    until(lambda: node._keeper.steady_s() > 0.3)
    age(cell, f"process/{name}")
    assert not there.alive(name), "no outage: it is dead"
    node._keeper._beat_at -= shared_leases.HELD_S  # the database was away so long
    beat(node)
    assert there.alive(name)
    until(lambda: not there.alive(name))


def test_nobody_is_declared_dead_while_that_cannot_be_told(cell: Cell) -> None:
    presence = cell.node().presence()
    with cell.cut():
        assert presence.alive("nobody")
        assert cell.node().presence().name() is None


# counts


def test_wrong_passwords_are_counted_by_all_nodes_together_until_the_window_is_over(cell: Cell) -> None:
    with closing(cell.node().counts()) as one, closing(cell.node().counts()) as other:
        for _ in range(2):
            one.count(b"ana", 60)
            other.count(b"ana", 60)
        count, left_s = one.counted(b"ana")
        assert (count, 50 < left_s <= 60) == (4, True)
        assert other.counted(b"bia") == (0, 0.0)
        cell.run("UPDATE attempt_counts SET ends = ends - 61")
        assert other.counted(b"ana") == (0, 0.0)
        other.count(b"ana", 60)
        assert one.counted(b"ana")[0] == 1
        cell.run("UPDATE attempt_counts SET ends = ends + 500")
        other.count(b"ana", 60)
        assert one.counted(b"ana")[0] == 1, "the clock was set back"


def test_a_program_that_sends_many_requests_asks_four_times_a_second(
    cell: Cell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared_row_counts, "FRESH_S", 3600)
    node = cell.node()
    with closing(node.counts()) as one, closing(cell.node().counts()) as other:
        assert one.counted(b"ana") == (0, 0.0)
        other.count(b"ana", 60)
        assert one.counted(b"ana") == (0, 0.0), "it need not know yet"
        one.count(b"ana", 60)
        assert one.counted(b"ana")[0] == 2
        monkeypatch.setattr(shared_row_counts, "MOST_KEPT", 1)
        assert [one.counted(who)[0] for who in (b"bia", b"cai", b"bia")] == [0, 0, 0]
        assert len(one._unknown) == 1


def test_what_one_node_remembers_all_know_for_its_time(cell: Cell) -> None:
    with closing(cell.node().counts()) as one, closing(cell.node().counts()) as other:
        one.remember(b"mark", 60)
        assert other.knows(b"mark")
        assert not other.knows(b"another")
        cell.run("UPDATE attempt_marks SET ends = ends - 61")
        assert not other.knows(b"mark")


def test_each_node_counts_by_itself_while_the_database_is_away(cell: Cell) -> None:
    with closing(cell.node().counts()) as counts:
        counts.count(b"ana", 60)
        with cell.cut(), capture_logs() as logs:
            counts.count(b"ana", 60)
            counts.remember(b"mark", 60)
            assert counts.counted(b"ana")[0] == 2, "what it counted itself before counts, too"
            assert counts.knows(b"mark")
        assert [line["event"] for line in logs] == ["logins_not_shared"]


def test_rows_that_are_over_or_too_many_go(cell: Cell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared_row_counts, "MOST_ROWS", 2)
    with closing(cell.node().counts()) as counts:
        for number in range(4):
            counts.count(bytes([number]), 60 + number)
        counts.tidy()
        assert cell.run("SELECT who FROM attempt_counts ORDER BY who") == [(b"\x02",), (b"\x03",)]


# the session


def test_nobody_waits_for_a_database_that_does_not_answer(cell: Cell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared_session, "NO_WAITING", "SET statement_timeout = 100")
    monkeypatch.setattr(shared_session, "AGAIN_AFTER_S", 3600)
    session = cell.node()._session
    with pytest.raises(SharedUnavailable, match="QueryCanceled"):
        session.run("SELECT pg_sleep(60)")
    with pytest.raises(SharedUnavailable, match="a moment ago"):
        session.run("SELECT 1")


def test_a_server_that_hangs_is_broken_off(cell: Cell, monkeypatch: pytest.MonkeyPatch) -> None:
    """It answers nobody, and its system says that it has heard."""
    monkeypatch.setattr(shared_session, "NO_WAITING", "SET statement_timeout = 0")
    monkeypatch.setattr(shared_session, "PATIENCE_S", 0.2)
    session = cell.node()._session
    with ThreadPoolExecutor(1) as other:
        hanging = other.submit(session.run, "SELECT pg_sleep(30)")
        until(lambda: cell.run("SELECT pid FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%'"))
        with pytest.raises(SharedUnavailable, match="does not answer"):
            session.run("SELECT 1")
        with pytest.raises(SharedUnavailable):
            hanging.result(10)
    until(lambda: answers(session))


def answers(session: SharedSession) -> bool:
    try:
        return session.run("SELECT 1") == [(1,)]
    except SharedUnavailable:
        return False


def test_the_database_s_clock_is_everybody_s(cell: Cell, monkeypatch: pytest.MonkeyPatch) -> None:
    node = cell.node()
    real = time.time
    monkeypatch.setattr(shared_session.time, "time", lambda: real() - 500)
    node._session.compare_clocks()
    assert abs(node.now() - real()) < 5
