"""Two processes decide about the same thing at the same moment: one of them does it, and the other is told.

On SQLite one lock keeps everybody apart; on PostgreSQL rows, unique indexes and locks of a company or a name do.
"""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import func, insert, select

from gateway.domain.audit import AuditAction, AuditEntry
from gateway.domain.roles import Role
from gateway.errors import BadParameter, GatewayError, ImportRunning, LastAdministrator, MissedClaimed
from gateway.store import tables
from gateway.store.agents import Actor, AgentChanges, AgentDetails
from gateway.store.audit import AuditLog
from gateway.store.corrections import Corrections
from gateway.store.directory import Account
from gateway.store.imports.loading import LoadedAccount, Loader, Phone
from gateway.store.imports.runs import Imports
from gateway.store.letters.outbox import Outbox
from gateway.store.letters.stored import ClaimRequest
from gateway.store.saved_filters import SavedFilters
from gateway.store.writing.drafts import MissedAction, MissedDraft
from tests.store.conftest import T0, OpenStore, Store, end_draft, start_draft

TRIES = 20
Work = Callable[[Store], Any]


class Race:
    """Two processes, which do something at the same moment."""

    def __init__(self, stores: tuple[Store, Store], threads: ThreadPoolExecutor) -> None:
        self.stores = stores
        self._threads = threads

    def run(self, *works: Work) -> list[Any]:
        """Return what both did, or the errors that they got; of one ``work`` both do the same."""
        ready = threading.Barrier(2)

        def one(store: Store, work: Work) -> Any:
            ready.wait(10)
            try:
                return work(store)
            except GatewayError as error:
                return error

        pairs = zip(self.stores, works if len(works) == 2 else works * 2, strict=True)
        return [each.result(30) for each in [self._threads.submit(one, *pair) for pair in pairs]]

    def errors(self, *works: Work) -> list[type[Any]]:
        return [type(each) for each in self.run(*works) if isinstance(each, GatewayError)]


@pytest.fixture
def race(open_store: OpenStore) -> Iterator[Race]:
    with ThreadPoolExecutor(2) as threads:
        yield Race((open_store(), open_store()), threads)


def count(store: Store, table: Any) -> int:
    with store.engine.connect() as connection:
        return connection.execute(select(func.count()).select_from(table)).scalar_one()


def test_no_letter_is_claimed_twice(race: Race) -> None:
    letters = TRIES * 2
    rows = [
        {"tenant": "acme", "target": "crm", "kind": "call_started", "body": "{}", "created_at": T0, "due_at": T0}
        | {"waits_since": T0, "order_key": str(n)}
        for n in range(letters)
    ]
    with race.stores[0].engine.begin() as connection:
        connection.execute(insert(tables.outbox), rows)
    wanted = [ClaimRequest("acme", "crm", parallel=letters, most=2)]
    claimed = [
        letter.id
        for _ in range(TRIES)
        for found in race.run(lambda store: Outbox(store.engine, store.journal).turn((), wanted, T0 + 1))
        for letter in found
    ]
    assert len(claimed) == len(set(claimed)) == letters


def test_a_source_is_imported_once_at_a_time(race: Race) -> None:
    for n in range(TRIES):

        def begin(store: Store, source: str = f"erp{n}") -> int:
            return Imports(store.engine, store.journal).begin("acme", source, "csv", T0)

        assert race.errors(begin) == [ImportRunning]


def test_of_two_who_call_back_one_is_told_of_the_other(race: Race) -> None:
    store = race.stores[0]
    for n in range(TRIES):
        number, at = f"47321001{n:02}", T0 + n * 600_000
        call = store.journal.write(start_draft("3501", number, at)).call_id
        store.journal.write(end_draft("3501", number, at + 20_000, result="NO ANSWER"))

        def claim(login: str, call: int = call, at: int = at + 30_000) -> Work:
            claimed = MissedDraft("acme", MissedAction.CLAIM, (call,), login, at, login.title(), "3501", at + 60_000)
            return lambda store: store.journal.write(claimed)

        assert race.errors(claim("ana"), claim("bruno")) == [MissedClaimed]


def test_a_number_is_added_to_an_account_once(race: Race) -> None:
    store = race.stores[0]
    store.directory.load_accounts("acme", [Account("1", "Padaria", ())], T0)
    for n in range(TRIES):

        def add(store: Store, number: str = f"47321001{n:02}") -> None:
            Corrections(store.engine, store.journal).add("acme", 1, number, "", by="ana", at=T0)

        assert race.errors(add) == [BadParameter]
    assert count(store, tables.phones) == TRIES


def test_a_correction_survives_an_import_of_the_same_moment(race: Race) -> None:
    """What was put right at the desk stays as long as the source says what was wrong."""
    store = race.stores[0]
    account = LoadedAccount("1", "Padaria", (Phone("4732100000", "", "3210-0000"),), digest=0)
    loader = Loader(race.stores[1].database)
    loader.write("acme", "erp", [account], T0)
    for n in range(TRIES):
        with store.engine.connect() as connection:
            phone_id = connection.execute(select(tables.phones.c.id)).scalar_one()
        right = f"47321001{n:02}"

        def correct(store: Store, phone_id: int = phone_id, right: str = right) -> bool:
            return Corrections(store.engine, store.journal).put_right("acme", phone_id, right, by="ana", at=T0)

        def load(_store: Store, n: int = n) -> None:
            loader.write("acme", "erp", [replace(account, digest=n)], T0 + n)

        corrected, _ = race.run(correct, load)
        with store.engine.connect() as connection:
            found = connection.execute(select(tables.phones.c.number)).scalars().all()
        assert len(found) == 1
        # Where the import came first it has replaced the telephone that the page showed: then the page is told so.
        assert found == ([right] if corrected else ["4732100000"]) or found[0].startswith("47321001")
        if corrected:
            assert found == [right]
    loader.close()


def test_a_login_is_one_agent_s(race: Race) -> None:
    details = AgentDetails("Ana", "3501", Role.AGENT)
    for n in range(TRIES):

        def add(store: Store, login: str = f"ana{n}") -> None:
            changes = AgentChanges(store.engine, store.journal)
            changes.add([(login, details, "hash")], Actor("acme", "root", "127.0.0.1", T0))

        assert race.errors(add) == [BadParameter]
    assert count(race.stores[0], tables.agents) == TRIES


def test_one_administrator_is_left(race: Race) -> None:
    by, details = Actor("acme", "root", "127.0.0.1", T0), AgentDetails("Ana", "3501", Role.ADMINISTRATOR)
    store = race.stores[0]
    AgentChanges(store.engine, store.journal).add([(login, details, "hash") for login in ("a", "b")], by)
    agent = replace(details, role=Role.AGENT)

    def demote(agent_id: int) -> Work:
        return lambda store: AgentChanges(store.engine, store.journal).change(agent_id, agent, by)

    def promote_all() -> None:
        for agent_id in (1, 2):
            AgentChanges(store.engine, store.journal).change(agent_id, details, by)

    for _ in range(TRIES):
        assert race.errors(demote(1), demote(2)) == [LastAdministrator]
        promote_all()


def test_a_filter_of_one_name_is_kept_once(race: Race) -> None:
    for n in range(TRIES):

        def save(store: Store, name: str = f"f{n}") -> None:
            SavedFilters(store.engine, store.journal).save("acme", "ana", name, "a=1", T0)

        assert race.errors(save) == []
    assert count(race.stores[0], tables.saved_filters) == TRIES


def test_what_is_written_down_once_in_a_while_is_written_once(race: Race) -> None:
    for n in range(TRIES):
        entry = AuditEntry("acme", T0, "ana", "127.0.0.1", AuditAction.AGENT_ADDED, str(n), "{}")
        race.run(lambda store, entry=entry: AuditLog(store.engine, store.journal).add(entry, once_within_ms=1000))
    assert count(race.stores[0], tables.audit) == TRIES
