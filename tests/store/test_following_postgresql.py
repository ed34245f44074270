"""What follows the event log learns of, on PostgreSQL, and what screens are told on several nodes."""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

import pytest

from gateway.desk.hub import Hub
from gateway.desk.screens import Screen
from gateway.store.postgresql import following as postgresql_following
from gateway.store.postgresql.doorbell import PostgresqlDoorbell
from gateway.store.postgresql.following import PostgresqlFollower
from gateway.store.reading.doorbell import NoDoorbell
from gateway.store.reading.epochs import current_epoch
from gateway.store.reading.following import NewEpoch, News, PeopleChanged
from gateway.store.reading.log import LoggedEvent
from gateway.store.reading.positions import Position
from tests.postgresql_log import WrittenLog, until, written_log

pytestmark = pytest.mark.postgresql


class Silent(NoDoorbell):
    look_every_s = 1000.0


OpenFollower = Callable[[], PostgresqlFollower]
OpenHub = Callable[[], Hub]


@pytest.fixture
def log(tmp_path: Path) -> Iterator[WrittenLog]:
    with written_log(tmp_path) as log:
        yield log


@pytest.fixture
def follow(log: WrittenLog) -> Iterator[OpenFollower]:
    """Opens the followers of processes, which hear no doorbell, and look only when they are rung for."""
    opened: list[PostgresqlFollower] = []

    def start() -> PostgresqlFollower:
        opened.append(PostgresqlFollower(log.connect, log.events, Silent()))
        return opened[-1]

    yield start
    for follower in opened:
        follower.close()


@pytest.fixture
def open_hub(log: WrittenLog) -> Iterator[OpenHub]:
    """Starts the hubs of nodes, whose doorbells hear each other."""
    bells: list[PostgresqlDoorbell] = []
    hubs: list[Hub] = []

    def start() -> Hub:
        bell = PostgresqlDoorbell(log.connect)
        hub = Hub(log.events, PostgresqlFollower(log.connect, log.events, bell), max_screens=100, heartbeat_s=0.2)
        bells.append(bell)
        hubs.append(hub)
        bell.start()
        hub.start()
        return hub

    yield start
    for hub in hubs:
        hub.stop()
    for bell in bells:
        bell.close()


def news(follower: PostgresqlFollower) -> list[News]:
    """What a look at all companies gives, but for that people changed."""
    follower.ring()
    follower.wait()
    return [each for each in follower.news() if not isinstance(each, PeopleChanged)]


def told(follower: PostgresqlFollower) -> list[tuple[str, int]]:
    """The events that a look at all companies gives."""
    return [(each.tenant, each.seq) for each in news(follower) if isinstance(each, LoggedEvent)]


def test_events_of_watched_companies_come_once_and_in_their_order(log: WrittenLog, follow: OpenFollower) -> None:
    follower = follow()
    log.commit("acme")
    follower.watch("acme")
    follower.watch("rival")
    for tenant in ("acme", "other", "rival", "acme"):
        log.commit(tenant)
    assert told(follower) == [("acme", 2), ("acme", 3), ("rival", 1)]
    assert (follower.position("acme"), follower.position("rival")) == (Position(0, 3), Position(0, 1))
    assert told(follower) == []
    follower.unwatch("acme")
    assert (log.commit("acme"), told(follower), follower.position("acme")) == (4, [], None)


def test_a_ring_has_only_those_looked_at_whom_it_names(log: WrittenLog, follow: OpenFollower) -> None:
    follower = follow()
    for tenant in ("acme", "rival"):
        follower.watch(tenant)
    assert news(follower) == news(follower) == []
    for tenant in ("acme", "rival"):
        log.commit(tenant)
    follower.ring(["rival", "other"])
    assert follower.wait()
    assert [each.tenant for each in follower.news() if isinstance(each, LoggedEvent)] == ["rival"]
    assert told(follower) == [("acme", 1)]


def test_what_was_not_dealt_with_comes_again(log: WrittenLog, follow: OpenFollower) -> None:
    follower = follow()
    follower.watch("acme")
    for _ in range(3):
        log.commit()
    follower.wait()
    given = follower.news()
    assert isinstance(next(given), PeopleChanged)
    assert next(given).seq == 1  # type: ignore[union-attr]
    assert next(given).seq == 2  # type: ignore[union-attr]
    given.close()
    assert told(follower) == [("acme", 2), ("acme", 3)]


def test_more_events_than_are_read_at_once_come_all(
    log: WrittenLog, follow: OpenFollower, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgresql_following, "AT_ONCE", 10)
    monkeypatch.setattr(postgresql_following, "NEWS", postgresql_following.NEWS.replace("LIMIT 200", "LIMIT 10"))
    follower = follow()
    follower.watch("acme")
    for _ in range(25):
        log.commit()
    assert told(follower) == [("acme", seq) for seq in range(1, 26)]


def test_a_change_of_people_comes_before_events_and_is_told_of_its_company(
    log: WrittenLog, follow: OpenFollower
) -> None:
    follower = follow()
    for tenant in ("acme", "rival"):
        log.commit(tenant)
        follower.watch(tenant)
    assert looked(follower) == ["acme changed", "rival changed"], "what was before it watched is not known"
    assert looked(follower) == []
    log.people_changed("rival")
    log.people_changed("unwatched")
    assert looked(follower) == ["rival changed"]
    log.people_changed("acme")
    log.commit("acme")
    log.commit("rival")
    assert looked(follower) == ["acme changed", "acme 2", "rival 2"]


def looked(follower: PostgresqlFollower) -> list[str]:
    """What a look at all companies gives."""
    follower.ring()
    follower.wait()
    given = [*follower.news()]
    return [
        f"{each.tenant} changed" if isinstance(each, PeopleChanged) else f"{each.tenant} {each.seq}"
        for each in given
        if isinstance(each, PeopleChanged | LoggedEvent)
    ]


def test_a_new_timeline_begins_an_epoch_once_for_all_nodes(log: WrittenLog, follow: OpenFollower) -> None:
    one, two = follow(), follow()
    for follower in (one, two):
        follower.watch("acme")
        follower.watch("rival")
    log.commit()
    assert told(one) == told(two) == [("acme", 1)]
    log.take_over()
    for follower in (one, two):
        assert news(follower) == [NewEpoch({"acme": Position(1, 1), "rival": Position(1, 0)})]
        assert news(follower) == []
    log.commit("rival")
    assert told(one) == told(two) == [("rival", 1)]
    assert one.position("rival") == Position(1, 1)


def test_an_epoch_is_raised_once_however_many_see_it(log: WrittenLog) -> None:
    with log.connect() as connection:
        assert current_epoch(connection) == 0
    for epoch in (1, 2):
        log.take_over()
        found: list[int] = []

        def see(found: list[int] = found) -> None:
            with log.connect() as connection:
                found.append(current_epoch(connection))

        threads = [threading.Thread(target=see) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert found == [epoch] * 8


def test_who_watches_first_on_a_new_timeline_begins_the_epoch(log: WrittenLog, follow: OpenFollower) -> None:
    log.commit()
    follow().watch("acme")
    log.take_over()
    follower = follow()
    follower.watch("acme")
    assert follower.position("acme") == Position(1, 1) == log.events.newest("acme")


def test_a_server_that_hangs_is_left_for_a_new_connection(
    log: WrittenLog, follow: OpenFollower, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgresql_following, "WITHIN_S", 0.3)
    follower = follow()
    follower.watch("acme")
    news(follower)
    (hanging,) = log.backends("AS watched (tenant")
    os.kill(hanging, signal.SIGSTOP)
    try:
        log.commit()
        with pytest.raises(Exception, match="connection"):
            news(follower)
        assert told(follower) == [("acme", 1)]
    finally:
        os.kill(hanging, signal.SIGCONT)


def seen(screen: Screen) -> Iterator[tuple[str, Position]]:
    """What a page is sent, but for heart-beats: kind and position."""
    for block in screen:
        lines = dict(line.split(": ", 1) for line in block.decode().splitlines() if ": " in line)
        if lines.get("event") not in (None, "pulse"):
            position = Position.read(lines["id"])
            assert position
            yield lines["event"], position


def test_an_event_reaches_the_screens_of_other_nodes(log: WrittenLog, open_hub: OpenHub) -> None:
    screens = [open_hub().subscribe("acme", "3501") for _ in range(3)]
    assert log.commit() == 1
    assert [next(seen(screen)) for screen in screens] == [("call_started", Position(0, 1))] * 3


def test_screens_start_afresh_once_after_a_database_took_over(log: WrittenLog, open_hub: OpenHub) -> None:
    """One is open, one comes back with what it saw before, one opens afterwards."""
    for _ in range(3):
        log.commit()
    hub, other = open_hub(), open_hub()
    stays = seen(hub.subscribe("acme", "3501"))
    leaves = hub.subscribe("acme", "3501")
    log.commit()
    assert next(stays) == next(seen(leaves)) == ("call_started", Position(0, 4))
    leaves.close()
    log.run("UPDATE heads SET seq = 2 WHERE tenant = 'acme'")  # two events are lost, and their numbers given out again
    log.run("DELETE FROM events WHERE seq > 2")
    log.take_over()
    back = seen(other.subscribe("acme", "3501", Position(0, 4)))
    first = next(stays), next(back)
    log.commit()
    log.commit()
    opened = seen(other.subscribe("acme", "3501"))
    assert [kind for kind, _ in first] == ["reset", "reset"]
    assert (
        [*islice(stays, 2)]
        == [*islice(back, 2)]
        == [("call_started", Position(1, 3)), ("call_started", Position(1, 4))]
    )
    log.commit()
    assert next(stays) == next(back) == next(opened) == ("call_started", Position(1, 5))


def test_screens_go_on_where_a_database_that_took_over_lacks_nothing(log: WrittenLog, open_hub: OpenHub) -> None:
    for _ in range(3):
        log.commit()
    hub = open_hub()
    stays = seen(hub.subscribe("acme", "3501"))
    log.commit()
    assert next(stays) == ("call_started", Position(0, 4))
    log.take_over()
    back = seen(open_hub().subscribe("acme", "3501", Position(0, 2)))
    assert [*islice(back, 2)] == [("call_started", Position(1, 3)), ("call_started", Position(1, 4))]
    log.take_over()
    old = seen(open_hub().subscribe("acme", "3501", Position(0, 4)))
    log.commit()
    assert next(stays) == next(back) == next(old) == ("call_started", Position(2, 5))


@pytest.mark.slow
def test_screens_that_wander_between_nodes_see_each_event_once_and_in_order(log: WrittenLog, open_hub: OpenHub) -> None:
    """Four writers of two companies, three nodes, of which one is stopped and another takes its place."""
    hubs = [open_hub() for _ in range(3)]
    each, tenants = 100, ("acme", "rival")
    writers = [threading.Thread(target=write, args=(log, tenant, each)) for tenant in tenants for _ in range(2)]
    found: list[list[tuple[str, Position]]] = [[] for _ in range(12)]

    def agent(number: int) -> None:
        mine, last, place = found[number], Position(0, 0), number
        while len(mine) < 2 * each:
            place += 1
            try:
                screen = hubs[place % 3].subscribe(tenants[number % 2], "3501", last)
            except Exception:  # the node is stopping
                continue
            for event in islice(seen(screen), 1 + number * 3):
                mine.append(event)
                last = event[1]
                if len(mine) == 2 * each:
                    break
            screen.close()

    agents = [threading.Thread(target=agent, args=(number,)) for number in range(12)]
    for thread in (*writers, *agents):
        thread.start()
    hubs[0].stop()
    hubs[0] = open_hub()
    for thread in (*writers, *agents):
        thread.join(60)
    for mine in found:
        assert [position.seq for _, position in mine] == list(range(1, 2 * each + 1))
    assert {kind for mine in found for kind, _ in mine} == {"call_started"}


def write(log: WrittenLog, tenant: str, count: int) -> None:
    with log.connect() as connection:
        for _ in range(count):
            log.commit(tenant, connection=connection)


def test_what_is_numbered_before_the_commit_would_be_missed(log: WrittenLog, follow: OpenFollower) -> None:
    """The control: a sequence gives out 1 and 2, and 2 is durable first. With the head's row held, it waits for 1."""
    follower = follow()
    follower.watch("acme")
    insert = "INSERT INTO events VALUES (%s, 'acme', 'call_started', 1, '3501', 1, '{}')"
    with log.connect() as slow, slow.transaction():
        slow.execute(insert, (1,))
        log.run(insert, 2)
        log.run("INSERT INTO heads (tenant, seq) VALUES ('acme', 2)")
        assert told(follower) == [("acme", 2)]
    assert told(follower) == [], "event 1 is missed for good"


def test_the_follower_goes_on_after_its_connection_was_cut(log: WrittenLog, open_hub: OpenHub) -> None:
    screen = seen(open_hub().subscribe("acme", "3501"))
    log.commit()
    assert next(screen)[1] == Position(0, 1)
    for pid in log.backends("AS watched (tenant"):
        log.run("SELECT pg_terminate_backend(%s)", pid)
    log.commit()
    assert next(screen)[1] == Position(0, 2)


def test_the_bell_of_another_node_wakes_the_hub(log: WrittenLog, follow: OpenFollower) -> None:
    """Without it the follower would look no sooner than after its second."""
    bell = PostgresqlDoorbell(log.connect)
    heard = PostgresqlDoorbell(log.connect)
    follower = PostgresqlFollower(log.connect, log.events, heard)
    rung = threading.Event()
    heard.on_ring(lambda tenants: rung.set() if "acme" in tenants else None)
    bell.start()
    heard.start()
    until(lambda: bell.is_heard and heard.is_heard)
    follower.watch("acme")
    news(follower)
    log.commit()
    bell.ring(["acme"])
    assert rung.wait(20)
    assert follower.wait()
    assert [each.seq for each in follower.news() if isinstance(each, LoggedEvent)] == [1]
    follower.close()
    bell.close()
    heard.close()
