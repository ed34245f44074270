"""The doorbell between the nodes of one PostgreSQL database."""

import os
import signal
import threading
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest
from structlog.testing import capture_logs

from gateway.store.postgresql import doorbell as postgresql_doorbell
from gateway.store.postgresql.doorbell import HEARD_LOOK_S, UNHEARD_LOOK_S, PostgresqlDoorbell
from gateway.store.postgresql.following import PostgresqlFollower
from gateway.store.reading.log import LoggedEvent
from tests.pgbouncer import PORT, pooler
from tests.postgresql_log import WrittenLog, until, written_log

pytestmark = pytest.mark.postgresql

Open = Callable[[], PostgresqlDoorbell]


@pytest.fixture
def log(tmp_path: Path) -> Iterator[WrittenLog]:
    with written_log(tmp_path) as log:
        yield log


@pytest.fixture
def open_bell(log: WrittenLog) -> Iterator[Open]:
    """Opens the doorbells of processes, which hear each other then."""
    bells: list[PostgresqlDoorbell] = []

    def start() -> PostgresqlDoorbell:
        bell = PostgresqlDoorbell(log.connect)
        bell.start()
        bells.append(bell)
        until(lambda: bell.is_heard)
        return bell

    yield start
    for bell in bells:
        bell.close()


class Heard:
    """What a process was told of."""

    def __init__(self, bell: PostgresqlDoorbell) -> None:
        self.rings: list[list[str]] = []
        bell.on_ring(self.take)

    def take(self, tenants: Collection[str]) -> None:
        self.rings.append(sorted(tenants))


def test_other_processes_hear_for_whom_there_is_news(open_bell: Open) -> None:
    one, two, three = open_bell(), open_bell(), open_bell()
    heard, also, own = Heard(two), Heard(three), Heard(one)
    one.ring(["acme"])
    until(lambda: heard.rings == [["acme"]] == also.rings)
    two.ring(["rival", "acme"])
    until(lambda: own.rings == [["acme", "rival"]])
    assert heard.rings == [["acme"]], "a process does not hear itself"


def test_rings_that_come_together_are_one(open_bell: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    one, heard = open_bell(), Heard(open_bell())
    many = [f"tenant-{n:03}" for n in range(300)]
    for tenant in many:
        one.ring([tenant])
    one.ring(["last"])
    until(lambda: [] in heard.rings or sum(len(rung) for rung in heard.rings) == 301)
    assert len(heard.rings) < 100


@pytest.mark.parametrize("tenants", [[""], [f"tenant-{n:03}" for n in range(200)]], ids=["everybody", "many"])
def test_of_too_many_none_is_named(open_bell: Open, tenants: list[str]) -> None:
    one, heard = open_bell(), Heard(open_bell())
    one.ring(tenants)
    until(lambda: heard.rings == [[]])


@pytest.mark.parametrize("what", ["LISTEN", "pg_notify"])
def test_a_connection_that_was_cut_is_made_anew_and_everybody_is_looked_after(
    log: WrittenLog, open_bell: Open, what: str
) -> None:
    one, two = open_bell(), open_bell()
    heard = Heard(two)
    with capture_logs() as logs:
        for pid in log.backends(what):
            log.run("SELECT pg_terminate_backend(%s)", pid)
        if what == "LISTEN":
            until(lambda: [] in heard.rings)
        one.ring(["acme"])
        until(lambda: ["acme"] in heard.rings)
        until(lambda: one.is_heard and two.is_heard)
    assert f"doorbell_{'lost' if what == 'LISTEN' else 'not_rung'}" in [each["event"] for each in logs]


def test_a_server_process_that_hangs_is_given_up(
    log: WrittenLog, open_bell: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its system still acknowledges what is sent, so that only silence tells."""
    monkeypatch.setattr(postgresql_doorbell, "PROBE_EVERY_S", 0.3)
    monkeypatch.setattr(postgresql_doorbell, "PROBE_WITHIN_S", 0.3)
    one, two = open_bell(), open_bell()
    heard = Heard(two)
    stopped = [*log.backends("LISTEN"), *log.backends("pg_notify")]
    assert len(stopped) == 4
    for pid in stopped:
        os.kill(pid, signal.SIGSTOP)
    try:
        until(lambda: not two.is_heard)
        assert two.look_every_s == UNHEARD_LOOK_S
        until(lambda: one.is_heard and two.is_heard)
        one.ring(["acme"])
        until(lambda: ["acme"] in heard.rings)
    finally:
        for pid in stopped:
            os.kill(pid, signal.SIGCONT)


def test_who_hears_itself_looks_seldom(open_bell: Open) -> None:
    assert open_bell().look_every_s == HEARD_LOOK_S


def test_what_swallows_rings_is_told_once(log: WrittenLog, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pooler in transaction mode gives the connection that listens to somebody else."""
    monkeypatch.setattr(postgresql_doorbell, "PROBE_WITHIN_S", 0.2)
    bell = PostgresqlDoorbell(log.connect)
    sent = threading.Event()
    monkeypatch.setattr(bell, "_notify", lambda _connection, _payload: sent.set())
    with capture_logs() as logs:
        bell.start()
        until(lambda: any(each["event"] == "doorbell_not_heard" for each in logs))
        assert sent.wait(5)
        assert bell.look_every_s == UNHEARD_LOOK_S
    bell.close()
    assert [each["event"] for each in logs].count("doorbell_not_heard") == 1


def test_probes_that_are_sent_just_before_each_look_are_found_unheard_too(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(postgresql_doorbell, "time", SimpleNamespace(monotonic=lambda: now))
    bell = PostgresqlDoorbell(lambda: None)  # type: ignore[arg-type, return-value]
    monkeypatch.setattr(bell, "_notify", lambda _connection, _payload: None)
    with capture_logs() as logs:
        for _ in range(4):
            bell._send_probe(None)  # type: ignore[arg-type]
            bell._look_at_probe()
            now += postgresql_doorbell.PROBE_WITHIN_S
    assert [each["event"] for each in logs] == ["doorbell_not_heard"]


@pytest.mark.acceptance(9)
def test_behind_a_pooler_in_transaction_mode_it_is_not_heard_and_events_come_by_looking(log: WrittenLog) -> None:
    with pooler() as folder, capture_logs() as logs:

        def connect() -> Any:
            return psycopg.connect(f"host={folder} port={PORT} user=cti dbname={log.fresh.name}", autocommit=True)

        bell = PostgresqlDoorbell(connect)
        follower = PostgresqlFollower(connect, log.events, bell)
        bell.start()
        until(lambda: "doorbell_not_heard" in [each["event"] for each in logs])
        assert bell.look_every_s == UNHEARD_LOOK_S
        follower.watch("acme")
        for seq in range(1, 9):  # so often that a connection of our own would have prepared the statement
            log.commit()
            until(lambda: follower.wait())
            assert [each.seq for each in follower.news() if isinstance(each, LoggedEvent)] == [seq]
        bell.close()
        follower.close()
