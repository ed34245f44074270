"""What an open screen is told, and when."""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, insert

from gateway.desk import frames, resuming, screens, session_checks
from gateway.desk import hub as hub_module
from gateway.desk.hub import Hub
from gateway.desk.screens import Screen
from gateway.errors import Stopping, TooManyScreens
from gateway.store import tables
from gateway.store.postgresql.database import PostgresqlDatabase
from gateway.store.reading.following import NewEpoch, News, PeopleChanged, SqliteFollower
from gateway.store.reading.log import EventLog
from gateway.store.reading.positions import Position
from gateway.store.removing import Aged, remove_events
from tests.desk.conftest import ANA, Office

ROOT = Path(__file__).parents[2]
OpenHub = Callable[..., Hub]


def told(screen: Screen, *, timeout_s: float = 5) -> Iterator[dict[str, Any]]:
    """The events of ``screen`` as dicts with their ``seq`` and ``event``, without heart-beats."""
    deadline = time.monotonic() + timeout_s
    for block in screen:
        assert time.monotonic() < deadline, "nothing came"
        lines = dict(line.split(": ", 1) for line in block.decode().splitlines() if ": " in line)
        if lines.get("event") not in (None, "pulse"):
            position = Position.read(lines["id"])
            assert position
            yield {"seq": position.seq, "event": lines["event"]} | json.loads(lines["data"])


def test_a_call_on_my_extension_reaches_my_screen(office: Office, open_hub: OpenHub) -> None:
    office.know("Metalúrgica Silva", ANA, "Ana")
    screen = open_hub().subscribe("acme", "3501")
    call_id = office.ring()
    event = next(told(screen))
    assert (event["event"], event["call_id"], event["account_name"]) == (
        "call_started",
        call_id,
        "Metalúrgica Silva",
    )


def test_a_screen_is_not_told_where_an_event_came_from(office: Office, open_hub: OpenHub) -> None:
    screen = open_hub().subscribe("acme", "3501")
    office.ring()
    assert "received" not in next(told(screen))


def test_calls_of_other_extensions_and_other_companies_stay_theirs(office: Office, open_hub: OpenHub) -> None:
    screen = open_hub().subscribe("acme", "3501")
    office.ring(ramal="3502")
    office.ring(tenant="rival")
    mine = office.ring(telefone="4733334444")
    assert next(told(screen))["call_id"] == mine


def test_the_call_log_hears_of_every_call_of_its_company_and_of_no_other(office: Office, open_hub: OpenHub) -> None:
    screen = open_hub().subscribe("acme", "3501", whole_tenant=True)
    office.ring(tenant="rival")
    other, mine = office.ring(ramal="3502"), office.ring()
    stream = told(screen)
    # Its number is 2 where all companies share one log, 1 where each has its own.
    assert next(stream) | {"seq": 0} == {"seq": 0, "event": "log", "call_id": other, "kind": "call_started"}
    assert (event := next(stream))["event"] == "call_started"
    assert event["call_id"] == mine


def test_both_ends_of_an_internal_call_see_it(office: Office, open_hub: OpenHub) -> None:
    hub = open_hub()
    screens = [hub.subscribe("acme", "3501"), hub.subscribe("acme", "3502")]
    call_id = office.ring(telefone="3502", ramal="3501")
    assert [next(told(screen))["call_id"] for screen in screens] == [call_id, call_id]


def test_an_event_committed_without_a_ring_is_noticed_within_moments(office: Office, open_hub: OpenHub) -> None:
    screen = open_hub(heartbeat_s=10).subscribe("acme", "3501")
    before = time.monotonic()
    office.ring()
    next(told(screen))
    assert time.monotonic() - before < 5


def test_a_ring_wakes_the_screen_long_before_the_next_look(office: Office, open_hub: OpenHub) -> None:
    hub = open_hub(heartbeat_s=10, look_every_s=5)
    screen = hub.subscribe("acme", "3501")
    office.ring()
    hub.ring()
    before = time.monotonic()
    next(told(screen))
    assert time.monotonic() - before < 4


OTHER_PROCESS = """
import sys, time
from pathlib import Path
from gateway.domain.messages import CallStarted, Origin
from gateway.domain.numbering.numbers import NumberPlan
from gateway.domain.tenant import Tenant
from gateway.handlers import Core
from gateway.store.database import open_database
from gateway.store.writing.journal import Journal
journal = Journal(open_database(Path(sys.argv[1]), sys.argv[2] or None))
journal.start()
core = Core({"acme": Tenant("acme", NumberPlan())}, journal, None)
core.handle(CallStarted("acme", "3501", "47999998888", Origin("get", "::1"), 1))
journal.stop()
"""


def test_a_call_taken_by_another_process_reaches_the_screen(office: Office, open_hub: OpenHub, tmp_path: Path) -> None:
    screen = open_hub().subscribe("acme", "3501")
    url = office.database.shown if isinstance(office.database, PostgresqlDatabase) else ""
    command = [sys.executable, "-c", OTHER_PROCESS, str(tmp_path), url]
    subprocess.run(command, check=True, timeout=60, cwd=ROOT)
    assert next(told(screen))["number"] == ANA


def test_a_screen_that_comes_back_gets_what_it_missed(office: Office, open_hub: OpenHub) -> None:
    hub = open_hub()
    ids = [office.ring(telefone=f"473333000{n}") for n in range(5)]
    stream = told(hub.subscribe("acme", "3501", Position(0, 2)))
    assert [next(stream)["call_id"] for _ in range(3)] == ids[2:]
    live = office.ring()
    assert next(stream)["call_id"] == live


def test_nothing_is_missed_or_told_twice_however_often_screens_reconnect_while_calls_arrive(
    office: Office, open_hub: OpenHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resuming, "RESUME_LIMIT", 1000)  # on a busy machine one may fall behind by as many as there are
    hub = open_hub()
    total = 4 * 60

    def exchange(number: int) -> None:
        for n in range(60):
            office.ring(telefone=f"47{number}333{n:04}")

    def agent(seen: list[int]) -> None:
        last = 0
        while len(seen) < total:
            screen = hub.subscribe("acme", "3501", Position(0, last))
            for event, _ in zip(told(screen, timeout_s=60), range(17), strict=False):
                last = event["seq"]
                seen.append(last)
                if len(seen) == total:
                    break
            screen.close()

    seen: list[list[int]] = [[] for _ in range(4)]
    threads = [threading.Thread(target=exchange, args=(n,)) for n in range(4)]
    threads += [threading.Thread(target=agent, args=(mine,)) for mine in seen]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert seen == [list(range(1, total + 1))] * 4
    assert hub.open_screens() == 0


def test_a_screen_that_missed_too_much_is_told_to_start_afresh(
    office: Office, open_hub: OpenHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resuming, "RESUME_LIMIT", 3)
    for n in range(5):
        office.ring(telefone=f"473333000{n}")
    stream = told(open_hub().subscribe("acme", "3501", Position(0, 0)))
    assert next(stream) == {"seq": 5, "event": "reset"}
    office.ring()
    assert next(stream)["seq"] == 6


def test_of_many_that_missed_too_much_one_looks_into_the_log(
    office: Office, open_hub: OpenHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resuming, "READ_LIMIT", 3)
    for n in range(8):
        office.ring(telefone=f"473333000{n}")
    hub, looks = open_hub(), list[int]()
    read = EventLog.after_for

    def note(log: EventLog, *arguments: Any, **named: Any) -> Any:
        looks.append(arguments[2].seq)
        return read(log, *arguments, **named)

    monkeypatch.setattr(EventLog, "after_for", note)
    found = [next(told(hub.subscribe("acme", "3501", Position(0, last)))) for last in (1, 2, 1, 0, 6, 5, 2)]
    assert [each["event"] for each in found] == [*["reset"] * 4, *["call_started"] * 2, "reset"]
    assert looks == [1, 2, 6, 5]


def test_a_screen_that_is_ahead_of_the_log_starts_afresh(office: Office, open_hub: OpenHub) -> None:
    """The database was put back from a copy, or the page was open on another gateway."""
    stream = told(open_hub().subscribe("acme", "3501", Position(0, 900)))
    assert next(stream) == {"seq": 0, "event": "reset"}
    office.ring()
    assert next(stream)["seq"] == 1


def test_a_screen_whose_missed_events_were_removed_by_age_starts_afresh_once(office: Office, open_hub: OpenHub) -> None:
    for n in range(3):
        office.ring(telefone=f"473333000{n}")
    aged = Aged([1, 2], 2)
    office.journal.run(lambda connection: remove_events(connection, "acme", aged), tenant="acme")
    hub = open_hub()
    assert next(told(hub.subscribe("acme", "3501", Position(0, 1)))) == {"seq": 3, "event": "reset"}
    assert next(told(hub.subscribe("acme", "3501", Position(0, 2))))["seq"] == 3
    office.ring(tenant="rival")
    assert next(told(hub.subscribe("rival", "3501", Position(0, 0))))["seq"] == office.log.newest("rival").seq


def begin_epoch(office: Office, epoch: int) -> None:
    with office.engine.execution_options(begin="IMMEDIATE").begin() as connection:
        connection.execute(delete(tables.counters).where(tables.counters.c.name == "epoch"))
        connection.execute(insert(tables.counters).values(name="epoch", value=epoch))


def test_a_screen_of_an_earlier_epoch_starts_afresh_once(office: Office, open_hub: OpenHub) -> None:
    """The number of what it saw last was given to another event meanwhile."""
    for n in range(3):
        office.ring(telefone=f"473333000{n}")
    begin_epoch(office, 2)
    hub = open_hub()
    screen = hub.subscribe("acme", "3501", Position(0, 2))
    assert next(screen) == frames.RETRY
    assert next(screen) == b"id: 2.3\nevent: reset\ndata: {}\n\n"
    office.ring()
    assert next(told(screen))["seq"] == 4
    assert [each["seq"] for each in islice(told(hub.subscribe("acme", "3501", Position(2, 2))), 2)] == [3, 4]


@dataclass
class Scripted:
    """A follower that gives what a test says, and then nothing."""

    log: EventLog
    script: list[list[News]]
    ready: threading.Event = field(default_factory=threading.Event)

    def watch(self, tenant: str) -> None: ...

    def unwatch(self, tenant: str) -> None: ...

    def position(self, tenant: str) -> Position | None: ...

    def ring(self, tenants: object = ()) -> None: ...

    def close(self) -> None: ...

    def wait(self) -> bool:
        return self.ready.wait(0.02) and bool(self.script)

    def news(self) -> Iterator[News]:
        yield from self.script.pop(0)


def test_what_was_told_already_is_not_told_again(office: Office) -> None:
    for n in range(3):
        office.ring(telefone=f"473333000{n}")
    first, second, third = office.log.after(0)
    follower = Scripted(office.log, [[first, second, first, second, third]])
    hub = Hub(office.log, follower, max_screens=5, heartbeat_s=10)
    hub.start()
    screen = hub.subscribe("acme", "3501", Position(0, 3))
    screen.resume([], sent=Position(0, 0))
    follower.ready.set()
    assert [each["seq"] for each in islice(told(screen), 3)] == [1, 2, 3]
    hub.stop()


def test_who_may_not_stay_is_told_nothing_of_a_change_of_people_however_many_screens_there_are(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub_module, "ASKED_AT_ONCE", 0)
    office.ring()
    follower = Scripted(office.log, [[PeopleChanged("acme"), *office.log.after(0)]])
    hub = Hub(office.log, follower, max_screens=5, heartbeat_s=60)
    hub.start()
    screen = hub.subscribe("acme", "3501", Position(0, 1), may_stay=lambda: False)
    screen.resume([], sent=Position(0, 0))
    follower.ready.set()
    assert list(told(screen)) == []
    hub.stop()


def test_open_screens_start_afresh_once_when_an_epoch_begins(office: Office) -> None:
    """One has been opened when the new epoch was known already: it has nothing to start afresh from."""
    for n in range(3):
        office.ring(telefone=f"473333000{n}")
    after = [replace(each, epoch=1) for each in office.log.after(0)]
    follower = Scripted(office.log, [[NewEpoch({"acme": Position(1, 1)})], [*after[1:]]])
    hub = Hub(office.log, follower, max_screens=5, heartbeat_s=10)
    hub.start()
    before = hub.subscribe("acme", "3501", Position(0, 3))
    begin_epoch(office, 1)
    since = hub.subscribe("acme", "3501", Position(1, 1))
    follower.ready.set()
    assert [(each["event"], each["seq"]) for each in islice(told(before), 3)] == [
        ("reset", 1),
        ("call_started", 2),
        ("call_started", 3),
    ]
    assert [(each["event"], each["seq"]) for each in islice(told(since), 2)] == [
        ("call_started", 2),
        ("call_started", 3),
    ]
    hub.stop()


def test_a_screen_that_does_not_keep_up_is_let_go_and_misses_nothing_when_it_returns(
    office: Office, open_hub: OpenHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(screens, "QUEUE_LIMIT", 3)
    hub = open_hub()
    screen = hub.subscribe("acme", "3501")
    for n in range(8):
        office.ring(telefone=f"473333000{n}")
    wait_until(lambda: hub.position("acme") in (Position(0, 8), None))  # None where only what is watched is followed
    first = [event["seq"] for event in told(screen)]
    assert hub.open_screens() == 0
    stream = told(hub.subscribe("acme", "3501", Position(0, first[-1])))
    assert first + [next(stream)["seq"] for _ in range(8 - len(first))] == list(range(1, 9))


def test_one_screen_too_many_is_told_to_come_back_later(open_hub: OpenHub) -> None:
    hub = open_hub(max_screens=1)
    first = hub.subscribe("acme", "3501")
    with pytest.raises(TooManyScreens) as refused:
        hub.subscribe("acme", "3502")
    assert (refused.value.http_status, refused.value.retry_after_s) == (503, 30)
    first.close()
    hub.subscribe("acme", "3502").close()


class Leaving:
    """A page that is let go of by another thread while it ends, as the event loop does it."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self.was_let_go = False

    def is_behind(self) -> bool:
        return False

    def send(self, data: bytes) -> None: ...

    def end(self) -> None:
        lets_go = threading.Thread(target=self._screen.close, daemon=True)
        lets_go.start()
        lets_go.join(5)
        self.was_let_go = not lets_go.is_alive()


def test_nobody_who_lets_go_of_a_screen_waits_until_all_have_ended(open_hub: OpenHub) -> None:
    hub = open_hub()
    screens = [hub.subscribe("acme", "3501") for _ in range(3)]
    pages = [Leaving(screen) for screen in screens]
    for screen, page in zip(screens, pages, strict=True):
        screen.attach(page)
    hub.stop()
    assert [page.was_let_go for page in pages] == [True] * 3
    assert hub.open_screens() == 0


def test_stopping_ends_every_stream_at_once(open_hub: OpenHub) -> None:
    hub = open_hub(heartbeat_s=60)
    screens = [hub.subscribe("acme", "3501") for _ in range(20)]
    threads = [threading.Thread(target=list, args=(screen,)) for screen in screens]
    for thread in threads:
        thread.start()
    before = time.monotonic()
    hub.stop()
    for thread in threads:
        thread.join(5)
    assert time.monotonic() - before < 10
    assert not hub.alive()
    assert hub.open_screens() == 0
    with pytest.raises(Stopping):
        hub.subscribe("acme", "3501")


def test_a_quiet_stream_sends_heart_beats_that_move_the_page_on(office: Office, open_hub: OpenHub) -> None:
    hub = open_hub(heartbeat_s=0.05)
    office.ring(ramal="3502")
    wait_until(lambda: hub.position("acme") in (Position(0, 1), None))  # None where only what is watched is followed
    screen = hub.subscribe("acme", "3501")
    assert next(screen) == b"retry: 1000\n\n"
    assert next(screen) == b": pulse\nid: 1\nevent: pulse\ndata: {}\n\n"


def test_heart_beats_go_on_while_nobody_can_say_whether_a_screen_may_stay(
    office: Office, open_hub: OpenHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database does not answer; once it does, the screen's session is known to be over."""
    monkeypatch.setattr(screens, "ASK_EVERY_S", 0)
    monkeypatch.setattr(session_checks, "ANSWER_WITHIN_S", 0.05)
    answered, asked = threading.Event(), list[int]()

    def look_up() -> bool:
        asked.append(1)
        return not answered.wait(60)

    screen = open_hub(heartbeat_s=0.02).subscribe("acme", "3501", may_stay=look_up)
    ends = time.monotonic() + 30
    while not asked:
        next(screen)
    assert b"pulse" in [next(screen) for _ in range(20)][-1]
    assert len(asked) <= 2, "it is asked with every heart-beat"  # once more for the hub's first look at people
    answered.set()
    for _ in screen:
        assert time.monotonic() < ends, "it goes on"


def test_who_is_not_doubted_is_looked_up_with_others_and_not_at_each_heart_beat(
    open_hub: OpenHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(screens, "ASK_EVERY_S", 0)
    monkeypatch.setattr(hub_module, "GATHER_S", 600)
    asked = list[int]()

    def look_up() -> bool:
        asked.append(1)
        return True

    screen = open_hub(heartbeat_s=0.02).subscribe("acme", "3501", may_stay=look_up)
    assert b"pulse" in [next(screen) for _ in range(20)][-1]
    assert len(asked) <= 2  # for the hub's first look at people


@pytest.mark.parametrize("is_known", [True, False])
def test_a_heart_beat_ends_who_may_not_stay_any_more(
    office: Office, open_hub: OpenHub, monkeypatch: pytest.MonkeyPatch, is_known: bool
) -> None:
    """It is known that people changed, of whom too many have screens to ask for all at once; or it is time to look."""
    monkeypatch.setattr(hub_module, "GATHER_S", 0)
    monkeypatch.setattr(hub_module, "ASKED_AT_ONCE", 0)
    if not is_known:
        monkeypatch.setattr(screens, "ASK_EVERY_S", 0)
    may_stay, asked = [True], list[int]()

    def look_up() -> bool:
        asked.append(1)
        return bool(may_stay)

    hub = open_hub(heartbeat_s=0.02)
    screen = hub.subscribe("acme", "3501", may_stay=look_up)
    while not asked:
        next(screen)
    may_stay.clear()
    if is_known:
        office.directory.remove_agent("acme", "bruno")
        hub.ring()
    ends = time.monotonic() + screens.ASK_EVERY_S / 2 + 10
    for _ in screen:
        assert time.monotonic() < ends, "it goes on"


def test_a_stream_ends_after_a_while_so_that_access_is_checked_again(open_hub: OpenHub) -> None:
    hub = open_hub(screen_age_s=0.1)
    assert len(list(hub.subscribe("acme", "3501"))) >= 1
    assert hub.open_screens() == 0


@pytest.mark.parametrize("watched", [False, True])
def test_a_call_that_comes_while_a_screen_opens_is_not_missed(
    office: Office, open_hub: OpenHub, monkeypatch: pytest.MonkeyPatch, watched: bool
) -> None:
    """Where nobody watches yet, nothing is read before."""
    hub = open_hub()
    office.ring(ramal="3502")
    if watched:
        hub.subscribe("acme", "3502")
    newest, calls = office.log.newest, list[int]()

    def ring_meanwhile(tenant: str) -> Position:
        found = newest(tenant)
        calls.append(office.ring())
        return found

    monkeypatch.setattr(office.log, "newest", ring_meanwhile)
    screen = hub.subscribe("acme", "3501", Position(0, 0))
    assert calls
    assert [each["call_id"] for each in islice(told(screen), len(calls))] == calls


@pytest.mark.sqlite("its follower reads the log; PostgreSQL's has a connection of its own, whose loss it survives")
def test_the_hub_goes_on_after_the_database_failed_once(
    office: Office, open_hub: OpenHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub = open_hub()
    screen = hub.subscribe("acme", "3501")
    read, failed = SqliteFollower.read, threading.Event()

    def fail_once(self: SqliteFollower) -> Any:
        if failed.is_set():
            return read(self)
        failed.set()
        raise OSError("disk I/O error")

    monkeypatch.setattr(SqliteFollower, "read", fail_once)
    office.ring()
    assert next(told(screen))["seq"] == 1
    assert failed.is_set()


def wait_until(done: Callable[[], bool], *, timeout_s: float = 5) -> None:
    deadline = time.monotonic() + timeout_s
    while not done():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.01)
