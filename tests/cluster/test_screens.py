"""What screens are told while databases are lost, hang and take over: nodes without HTTP, each a journal and a hub."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from gateway.desk import screens
from gateway.desk.hub import Hub
from gateway.desk.screens import Screen
from gateway.errors import BusyError
from gateway.store.database import Database, open_database
from gateway.store.directory import Agent, Directory
from gateway.store.postgresql import database as postgresql
from gateway.store.postgresql import following as postgresql_following
from gateway.store.postgresql.doorbell import CHANNEL, PostgresqlDoorbell
from gateway.store.postgresql.log import PostgresqlEventLog
from gateway.store.reading.epochs import IS_SAME
from gateway.store.reading.positions import Position
from gateway.store.writing.journal import Committed, Journal
from tests.cluster.servers import Cluster, cluster
from tests.store.conftest import start_draft
from tests.waiting import until

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(240)]


@dataclass
class BareNode:
    """One node; ``ring`` writes an event of acme's at extension 3501."""

    database: Database
    journal: Journal
    hub: Hub

    def ring(self, number: int) -> int:
        return self.journal.write(start_draft("3501", f"4732{number:06}", now_ms())).seq


@contextmanager
def node(url: str, data: Path) -> Iterator[BareNode]:
    database = open_database(data, url)
    bell = database.doorbell()
    hub = Hub(database.event_log(), database.follower(look_every_s=0.1), max_screens=99, heartbeat_s=0.2)

    def tell(committed: Committed) -> None:
        hub.ring(committed.tenants)
        bell.ring(committed.tenants)

    journal = Journal(database, on_commit=tell)
    journal.start()
    bell.start()
    hub.start()
    try:
        yield BareNode(database, journal, hub)
    finally:
        hub.stop()
        bell.close()
        journal.stop()
        database.close()


@dataclass
class Page:
    """An open page that reads its stream on a thread of its own: what it was told, and how many heart-beats it had."""

    screen: Screen
    told: list[tuple[str, Position]] = field(default_factory=list)
    pulses: int = 0
    is_over: bool = False

    def __post_init__(self) -> None:
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        for block in self.screen:
            lines = dict(line.split(": ", 1) for line in block.decode().splitlines() if ": " in line)
            if lines.get("event") == "pulse":
                self.pulses += 1
            elif position := Position.read(lines.get("id", "")):
                self.told.append((lines["event"], position))
        self.is_over = True

    @property
    def seqs(self) -> list[int]:
        return [position.seq for kind, position in self.told if kind != "reset"]

    @property
    def resets(self) -> list[Position]:
        return [position for kind, position in self.told if kind == "reset"]


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def wait(condition: Callable[[], object]) -> None:
    until(condition, timeout_s=40)


@contextmanager
def two_nodes(found: Cluster, folder: Path) -> Iterator[tuple[BareNode, BareNode]]:
    database = open_database(folder / "a", found.url())
    database.upgrade()
    database.close()
    with ExitStack() as stack:
        one, two = (stack.enter_context(node(found.url(), folder / name)) for name in ("a", "b"))
        yield one, two


KEPT, LOST = 10, 5


def lose_what_was_shown(found: Cluster, one: BareNode, pages: list[Page]) -> None:
    """Take the standby over without the last ``LOST`` events, which all pages had been told of."""
    for number in range(KEPT):
        one.ring(number)
    wait(lambda: found.standby.query("SELECT max(seq) FROM events") == [(KEPT,)])
    found.link.cut()
    for number in range(LOST):
        one.ring(100 + number)
    wait(lambda: all(page.seqs == list(range(1, KEPT + LOST + 1)) for page in pages))
    found.fail_over(after_s=0)


@pytest.mark.acceptance(6)
def test_after_a_failover_that_lost_events_each_screen_starts_afresh_once(tmp_path: Path) -> None:
    with cluster(tmp_path, synchronous=False) as found, two_nodes(found, tmp_path) as (one, two):
        pages = [Page(each.hub.subscribe("acme", "3501")) for each in (one, two, two)]
        lose_what_was_shown(found, one, pages)
        wait(lambda: all(page.resets == [Position(1, KEPT)] for page in pages))
        back = Page(one.hub.subscribe("acme", "3501", Position(0, KEPT + LOST)))
        wait(lambda: back.resets == [Position(1, KEPT)])
        for number in range(LOST):
            assert two.ring(200 + number) == KEPT + 1 + number, "the numbers are given out again"
        wait(lambda: all(page.told[-1] == ("call_started", Position(1, KEPT + LOST)) for page in (*pages, back)))
        for page in (*pages, back):
            assert page.seqs[-LOST:] == list(range(KEPT + 1, KEPT + LOST + 1))
            assert len(page.resets) == 1


@pytest.mark.acceptance(6)
def test_after_a_failover_that_lost_nothing_screens_go_on(tmp_path: Path) -> None:
    with cluster(tmp_path) as found, two_nodes(found, tmp_path) as (one, two):
        pages = [Page(each.hub.subscribe("acme", "3501")) for each in (one, two)]
        for number in range(KEPT):
            one.ring(number)
        wait(lambda: all(page.seqs == list(range(1, KEPT + 1)) for page in pages))
        found.fail_over(after_s=0)
        back = Page(two.hub.subscribe("acme", "3501", Position(0, KEPT - 2)))
        wait(lambda: rings(one, 100))
        two.ring(101)
        wait(lambda: all(page.told[-1][1] == Position(1, KEPT + 2) for page in (*pages, back)))
        assert [page.seqs for page in pages] == [list(range(1, KEPT + 3))] * 2
        assert back.seqs == list(range(KEPT - 1, KEPT + 3))
        assert [page.resets for page in (*pages, back)] == [[], [], []]


def rings(node: BareNode, number: int) -> bool:
    """Whether an event was taken: the database may be on its way."""
    try:
        return bool(node.ring(number))
    except BusyError:
        return False


@pytest.mark.control(6)
def test_without_epochs_events_of_the_new_primary_are_not_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: nobody begins an epoch, so that numbers that were shown seem to have been shown."""
    monkeypatch.setattr(postgresql_following, "NEWS", postgresql_following.NEWS.replace(IS_SAME, "true"))
    monkeypatch.setattr(PostgresqlEventLog, "is_settled", lambda _: True)
    monkeypatch.setattr(postgresql, "settle", lambda _: None)
    with cluster(tmp_path, synchronous=False) as found, two_nodes(found, tmp_path) as (one, two):
        page = Page(two.hub.subscribe("acme", "3501"))
        lose_what_was_shown(found, one, [page])
        for number in range(LOST + 1):
            two.ring(200 + number)
        wait(lambda: len(page.told) > KEPT + LOST)
        assert page.seqs[KEPT + LOST :] == [KEPT + LOST + 1], "the others were missed"


def test_screens_outlive_a_primary_that_hangs_and_catch_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody can say then whether they may stay: that must not stop their heart-beats."""
    monkeypatch.setattr(screens, "ASK_EVERY_S", 0.3)
    with cluster(tmp_path, standby=False) as found, two_nodes(found, tmp_path) as (one, two):
        engine = two.database.engine

        def is_logged_in() -> bool:
            with engine.connect() as connection:
                return connection.exec_driver_sql("SELECT true").scalar_one() is True

        pages = [Page(two.hub.subscribe("acme", "3501", may_stay=is_logged_in)) for _ in range(6)]
        one.ring(1)
        wait(lambda: all(page.seqs == [1] for page in pages))
        found.primary.freeze()
        try:
            before = [page.pulses for page in pages]
            wait(lambda: all(page.pulses >= count + 10 for page, count in zip(pages, before, strict=True)))
        finally:
            found.primary.thaw()
        one.ring(2)
        wait(lambda: all(page.seqs == [1, 2] for page in pages))


def test_a_logout_at_one_node_ends_the_screens_at_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They would be asked in a minute only: it is the bell that has them asked."""
    monkeypatch.setattr(screens, "ASK_EVERY_S", 60)
    with cluster(tmp_path, standby=False) as found, two_nodes(found, tmp_path) as (one, two):
        directory = Directory(one.database.engine, one.journal)
        directory.save_agent(Agent(0, "acme", "ana", "Ana", "3501"), "hash", now_ms())
        ana = directory.agents("acme")[0]
        cookies = [directory.open_session(ana, now_ms(), lifetime_ms=1_000_000) for _ in range(2)]
        there = Directory(two.database.engine, two.journal)
        leaves, stays = (
            Page(two.hub.subscribe("acme", "3501", may_stay=partial(is_open, there, cookie))) for cookie in cookies
        )
        rival = Page(two.hub.subscribe("rival", "3501", may_stay=lambda: False))
        wait(lambda: leaves.pulses and stays.pulses and rival.pulses)
        directory.close_session(cookies[0])
        wait(lambda: leaves.is_over)
        one.ring(1)
        wait(lambda: stays.seqs == [1])
        assert not rival.is_over


def is_open(directory: Directory, cookie: str) -> bool:
    return directory.session_agent(cookie, now_ms()) is not None


THREADS, ROUND_S, ROUNDS = 16, 1.5, 3
HEAD = "UPDATE heads SET seq = seq + 1 WHERE tenant = %s"
NOTIFY = f"SELECT pg_notify('{CHANNEL}', 'acme')"


@pytest.mark.slow
@pytest.mark.acceptance(10)
@pytest.mark.control(10)
def test_rings_outside_of_transactions_cost_the_writers_little_with_a_standby_2_ms_away(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    """With NOTIFY inside of them, which is the control, they write one after the other."""
    with cluster(tmp_path, delay_s=0.001) as found, two_nodes(found, tmp_path) as (one, _):
        bell: Any = one.database.doorbell()
        tenants = [f"tenant-{number}" for number in range(THREADS)]
        for tenant in tenants:
            found.primary.query(f"INSERT INTO heads (tenant, seq) VALUES ('{tenant}', 0)")
        best = {"none": 0, "after": 0, "inside": 0}
        for _ in range(ROUNDS):
            for how in best:
                best[how] = max(best[how], transactions(one.database, bell, tenants, how))
        record_property("figure", ", ".join(f"{how}: {count / ROUND_S:.0f}/s" for how, count in best.items()))
        assert best["after"] >= 0.8 * best["none"]
        assert best["inside"] <= 0.4 * best["none"]


def transactions(database: Any, bell: PostgresqlDoorbell, tenants: list[str], how: str) -> int:
    """How many transactions of as many writers became durable in ``ROUND_S``."""
    ends, counts = time.monotonic() + ROUND_S, dict.fromkeys(tenants, 0)

    def write(tenant: str) -> None:
        with database.direct_connection() as connection:
            while time.monotonic() < ends:
                with connection.transaction():
                    connection.execute(HEAD, (tenant,))
                    if how == "inside":
                        connection.execute(NOTIFY)
                counts[tenant] += 1
                if how == "after":
                    bell.ring([tenant])

    writers = [threading.Thread(target=write, args=(tenant,)) for tenant in tenants]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    return sum(counts.values())
