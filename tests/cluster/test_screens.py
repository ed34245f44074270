"""What screens are told while databases are lost, hang and take over."""

import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from gateway.desk import screens
from gateway.errors import BusyError, DatabaseAway
from gateway.store.directory import Agent, Directory
from gateway.store.postgresql import database as postgresql
from gateway.store.postgresql import following as postgresql_following
from gateway.store.postgresql.doorbell import CHANNEL, PostgresqlDoorbell
from gateway.store.postgresql.log import PostgresqlEventLog
from gateway.store.reading.epochs import IS_SAME
from gateway.store.reading.positions import Position
from tests.cluster.bare_nodes import BareNode, Page, node, now_ms, two_nodes, wait
from tests.cluster.ports import fixed_port
from tests.cluster.proxy import Proxy
from tests.cluster.servers import Cluster, cluster

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(240)]


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
        cookies = log_in_twice(one)
        leaves, stays = screens_of(two, cookies)
        asked: list[None] = []
        rival = Page(two.hub.subscribe("rival", "3501", may_stay=lambda: asked.append(None) is None))
        wait(lambda: leaves.pulses and stays.pulses and rival.pulses and asked)  # each is asked once, soon
        before = len(asked)
        one.directory.close_session(cookies[0])
        wait(lambda: leaves.is_over)
        one.ring(1)
        wait(lambda: stays.seqs == [1])
        assert len(asked) == before, "another company's"


def test_a_node_that_was_cut_off_shows_nothing_to_who_was_logged_out_meanwhile(tmp_path: Path) -> None:
    """It hears of the logout with the first event, and asks before it shows that."""
    with ExitStack() as stack:
        found = stack.enter_context(cluster(tmp_path, standby=False))
        cable = Proxy(fixed_port(), found.primary.port)
        cable.start()
        stack.callback(cable.stop)
        one = stack.enter_context(node(found.url(), tmp_path / "one"))
        two = stack.enter_context(node(f"postgresql://cti@127.0.0.1:{cable.port}/cti", tmp_path / "two"))
        cookies = log_in_twice(one)
        leaves, stays = screens_of(two, cookies)
        wait(lambda: leaves.pulses and stays.pulses)
        one.ring(1)
        wait(lambda: leaves.seqs == stays.seqs == [1])
        assert all(is_open(two.directory, cookie) for cookie in cookies), "it knows them from now on"
        cable.cut()
        wait(lambda: is_away(two))
        one.directory.close_session(cookies[0])
        one.ring(2)
        assert is_open(two.directory, cookies[0]), "it cannot know better"
        before = leaves.pulses
        wait(lambda: leaves.pulses > before + 10)
        cable.mend()
        wait(lambda: stays.seqs == [1, 2])
        wait(lambda: leaves.is_over)
        assert leaves.seqs == [1]


def is_away(node: BareNode) -> bool:
    """Return whether whoever reads is refused at once."""
    try:
        node.directory.agents("acme")
    except DatabaseAway:
        return True
    return False


def log_in_twice(node: BareNode) -> list[str]:
    """Return the cookies of two sessions of acme's Ana."""
    node.directory.save_agent(Agent(0, "acme", "ana", "Ana", "3501"), "hash", now_ms())
    ana = node.directory.agents("acme")[0]
    return [node.directory.open_session(ana, now_ms(), lifetime_ms=1_000_000) for _ in range(2)]


def screens_of(node: BareNode, cookies: list[str]) -> list[Page]:
    """Return a screen of extension 3501 for each session."""
    may_stay = [partial(is_open, node.directory, cookie) for cookie in cookies]
    return [Page(node.hub.subscribe("acme", "3501", may_stay=each)) for each in may_stay]


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
