"""Transactions of the journal on PostgreSQL whose COMMIT goes wrong: nothing is lost, doubled or guessed about."""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from gateway.errors import StoreUnavailable, StoreUnclear
from gateway.store.database import Database, open_database
from gateway.store.postgresql import database as postgresql
from gateway.store.postgresql.transactions import LaneTransactions
from gateway.store.writing.drafts import Recorded
from gateway.store.writing.journal import Journal
from gateway.store.writing.transactions import NotStored
from tests.cluster.ports import fixed_port
from tests.cluster.proxy import Proxy
from tests.cluster.servers import DATABASE, USER, ClusterServer, cluster, owned_folder
from tests.store.conftest import T0, start_draft
from tests.waiting import until

pytestmark = pytest.mark.cluster
TENANTS = ("acme", "beta", "gama")
Written = tuple[str, str, Recorded]
"""Tenant and number of an event, and what its producer was told."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClusterServer]:
    with owned_folder() as place:
        found = ClusterServer(place, tmp_path_factory.mktemp("logs"), "alone")
        try:
            found.make()
            found.start(fsync="off")
            yield found
        finally:
            found.kill()


@pytest.fixture
def name(server: ClusterServer, request: pytest.FixtureRequest) -> str:
    """A database of the test's own, with the schema."""
    made = f"cti_{abs(hash(request.node.name))}"
    server.query(f"CREATE DATABASE {made} TEMPLATE {DATABASE}", database="postgres")
    return made


def open_at(port: int, data: Path, name: str = DATABASE) -> Database:
    return open_database(data, f"postgresql://{USER}@127.0.0.1:{port}/{name}")


@contextmanager
def node(port: int, data: Path, name: str = DATABASE, *, patience_s: float = 60) -> Iterator[Journal]:
    """A journal, as a node of its own has it, whose producers wait for so long."""
    database = open_at(port, data, name)
    database.patience_s = patience_s  # type: ignore[misc]
    journal = Journal(database)
    journal.start()
    try:
        yield journal
    finally:
        journal.stop()
        database.close()


def write(journal: Journal, tenant: str, number: str, at: int = T0) -> Written:
    return tenant, number, journal.write(start_draft("3501", number, at, tenant=tenant))


def write_at_last(journal: Journal, tenant: str, number: str) -> Written:
    """Write an event, again as long as it is told that it is surely not stored."""
    while True:
        try:
            return write(journal, tenant, number)
        except StoreUnclear:
            raise
        except StoreUnavailable:
            continue


def check(server: ClusterServer, name: str, written: Sequence[Written]) -> None:
    """Each event is there once, where its producer was told, and no number is left out."""
    query = "SELECT e.tenant, c.number_as_sent, e.seq, e.call_id FROM events e JOIN calls c ON c.id = e.call_id"
    found = server.query(query, database=name)
    told = [(tenant, number, recorded.seq, recorded.call_id) for tenant, number, recorded in written]
    assert Counter(found) == Counter(told)
    heads = dict(server.query("SELECT tenant, seq FROM heads", database=name))
    for tenant in {tenant for tenant, _, _ in written}:
        seqs = sorted(recorded.seq for of, _, recorded in written if of == tenant)
        assert seqs == list(range(1, len(seqs) + 1)), tenant
        assert heads[tenant] == len(seqs)


class CutsCommits:
    """Cuts two of three connections behind their COMMIT; counts."""

    def __init__(self) -> None:
        self._chance = random.Random(7)
        self.done = 0

    def __call__(self, data: bytes) -> bool:
        cuts = b"COMMIT\0" in data and self._chance.random() < 0.67
        self.done += cuts
        return cuts


@pytest.mark.acceptance(5)
def test_an_event_whose_commit_got_no_answer_is_there_once_and_its_answer_is_right(
    server: ClusterServer, name: str, tmp_path: Path
) -> None:
    cuts = CutsCommits()
    proxy = Proxy(fixed_port(), server.port, cut_behind=cuts)
    proxy.start()

    def write_some(first: int) -> list[Written]:
        written = []
        while cuts.done < 200:
            written.append(write(journal, TENANTS[first % 3], f"47{first}{len(written):07d}"))
        return written

    try:
        with node(proxy.port, tmp_path, name) as journal, ThreadPoolExecutor(6) as pool:
            written = [each for some in pool.map(write_some, range(6)) for each in some]
    finally:
        proxy.stop()
    assert cuts.done >= 200
    check(server, name, written)


@pytest.mark.control(5)
def test_the_check_finds_an_event_that_was_written_again_without_a_look(
    server: ClusterServer, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: whoever takes each lost answer for a COMMIT that did not happen has events twice."""
    monkeypatch.setattr(LaneTransactions, "_clear_up", _never_happened)
    proxy = Proxy(fixed_port(), server.port, cut_behind=CutsCommits())
    proxy.start()
    try:
        with node(proxy.port, tmp_path, name) as journal:
            written = [write(journal, "acme", f"4732{number:06d}") for number in range(10)]
    finally:
        proxy.stop()
    with pytest.raises(AssertionError):
        check(server, name, written)


def _never_happened(self: LaneTransactions, error: Exception | None) -> None:
    self.close()
    raise NotStored


@pytest.mark.acceptance(5)
def test_connections_that_are_cut_anywhere_lose_and_double_nothing(
    server: ClusterServer, name: str, tmp_path: Path
) -> None:
    proxy = Proxy(fixed_port(), server.port)
    proxy.start()
    over = threading.Event()
    written: list[Written] = []
    cuts = []

    def cut_often() -> None:
        """Cut soon after each event: at any moment of those that are under way."""
        chance = random.Random(3)
        while not over.wait(chance.uniform(0, 0.03)):
            cuts.append(before := len(written))
            proxy.cut()
            proxy.mend()
            until(lambda: len(written) > before or over.is_set(), timeout_s=60)

    cutting = threading.Thread(target=cut_often)
    try:
        with node(proxy.port, tmp_path, name) as journal, ThreadPoolExecutor(4) as pool:
            cutting.start()
            for _ in pool.map(
                lambda i: written.append(write_at_last(journal, TENANTS[i % 3], f"4733{i:06d}")), range(120)
            ):
                pass
    finally:
        over.set()
        cutting.join()
        proxy.stop()
    assert len(cuts) > 10
    check(server, name, written)


def test_a_producer_gives_up_in_time_and_knows_whether_that_was_surely_not_stored(
    server: ClusterServer, name: str, tmp_path: Path
) -> None:
    """While the database is away nothing is taken, so nothing is unclear; what is taken when it freezes is."""
    proxy = Proxy(fixed_port(), server.port)
    proxy.start()
    try:
        with node(proxy.port, tmp_path, name, patience_s=1.0) as journal:
            written = [write(journal, "acme", "4732100001")]
            proxy.cut()
            began = time.monotonic()
            with pytest.raises(StoreUnavailable) as away:
                write(journal, "acme", "4732100002")
            assert time.monotonic() - began < 5
            proxy.mend()
            written.append(write_at_last(journal, "acme", "4732100003"))
            proxy.freeze()
            with pytest.raises(StoreUnclear):
                write(journal, "acme", "4732100004")
            proxy.thaw()
            written.append(write(journal, "acme", "4732100005"))
    finally:
        proxy.stop()
    assert type(away.value) is StoreUnavailable
    numbers = [number for (number,) in server.query("SELECT number_as_sent FROM calls ORDER BY id", database=name)]
    assert numbers == ["4732100001", "4732100003", "4732100004", "4732100005"]


@pytest.mark.parametrize(
    ("held_at_most_ms", "least_s", "most_s"),
    [
        pytest.param(1500, 0.0, 2.5, id="as it is", marks=pytest.mark.acceptance(8)),
        pytest.param(0, 5.0, 30.0, id="control", marks=pytest.mark.control(8)),
    ],
)
def test_a_node_that_hangs_inside_a_transaction_holds_up_the_others_for_a_moment_only(
    server: ClusterServer,
    name: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    record_property: Callable[[str, object], None],
    held_at_most_ms: int,
    least_s: float,
    most_s: float,
) -> None:
    monkeypatch.setattr(postgresql, "HELD_AT_MOST_MS", held_at_most_ms)
    inside = threading.Event()

    def hang(_connection: object) -> str:
        if not inside.is_set():
            inside.set()
            time.sleep(6)
        return "done"

    with node(server.port, tmp_path / "a", name) as hanging, node(server.port, tmp_path / "b", name) as other:
        written = [write(other, "acme", "4732100001")]
        with ThreadPoolExecutor(1) as pool:
            hung = pool.submit(hanging.run, hang, tenant="acme")
            assert inside.wait(20)
            began = time.monotonic()
            written.append(write(other, "acme", "4732100002"))
            took = time.monotonic() - began
            assert hung.result(30) == "done", "what was undone is done again"
    record_property("figure", f"the others waited {took:.1f} s")
    assert least_s <= took < most_s
    check(server, name, written)


@pytest.mark.parametrize(
    "is_heeded",
    [
        pytest.param(True, id="as it is", marks=pytest.mark.acceptance(4)),
        pytest.param(False, id="control", marks=pytest.mark.control(4)),
    ],
)
def test_a_commit_whose_wait_for_the_standby_was_cancelled_is_acknowledged_once_the_standby_has_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_heeded: bool
) -> None:
    if not is_heeded:
        monkeypatch.setattr(LaneTransactions, "_hear", lambda self, notice: None)
    with cluster(tmp_path) as found, node(found.primary.port, tmp_path / "data") as journal:
        written = [write(journal, "acme", "4732100001")]
        found.standby.freeze()
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(write, journal, "acme", "4732100002")
            until(lambda: cancelled(found.primary))
            was_acknowledged = acknowledged(waiting, within_s=1.0)
            found.standby.thaw()
            written.append(waiting.result(30))
        assert was_acknowledged is not is_heeded
        check(found.primary, DATABASE, written)


def cancelled(server: ClusterServer) -> bool:
    """Cancel the transaction that waits for the standby, as an administrator might; whether there was one."""
    waiting = "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND query = 'COMMIT'"
    return bool(server.query(waiting))


def acknowledged(waiting: "Future[Written]", *, within_s: float) -> bool:
    try:
        waiting.result(within_s)
    except TimeoutError:
        return False
    return True
