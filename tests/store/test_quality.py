"""What is wrong with the directory is found without reading all of it."""

import pytest

from gateway.errors import BadParameter
from gateway.store import quality as module
from gateway.store.corrections import Corrections
from gateway.store.imports.loading import LoadedAccount, Loader, Phone
from gateway.store.quality import CONDITIONS, Flaw, Quality
from tests.store.conftest import T0, Store
from tests.store.plans import plan_of

HOUR_MS = 3_600_000


def load(store: Store, *accounts: LoadedAccount) -> None:
    loader = Loader(store.database)
    loader.write("acme", "csv", accounts, T0)
    loader.close()


def account(code: str, *phones: Phone) -> LoadedAccount:
    return LoadedAccount(code, f"Conta {code}", phones)


def written(number: str | None, as_written: str | None = None, **flaws: bool) -> Phone:
    return Phone(number, "Ana", as_written or number, **flaws)


@pytest.fixture
def flawed(store: Store) -> Store:
    load(
        store,
        account(
            "1", written("4732100123", "3210-0123", no_area=True), written("47988887777", "8888-7777", old_mobile=True)
        ),
        account("2", written(None, "sem telefone"), written("4732100124")),
    )
    return store


@pytest.mark.parametrize(
    ("flaw", "found"),
    [
        (Flaw.NO_AREA, ["3210-0123"]),
        (Flaw.OLD_MOBILE, ["8888-7777"]),
        (Flaw.UNREADABLE, ["sem telefone"]),
        (Flaw.EDITED, []),
    ],
)
def test_each_flaw_lists_its_telephones_with_their_accounts(flawed: Store, flaw: Flaw, found: list[str]) -> None:
    lines = Quality(flawed.engine).flawed("acme", flaw)
    assert [line.as_written for line in lines] == found
    assert [line.as_written for line in Quality(flawed.engine).all_flawed("acme", flaw)] == found
    assert Quality(flawed.engine).flawed("rival", flaw) == []


@pytest.mark.parametrize("flaw", list(Flaw))
def test_the_lists_follow_an_index(store: Store, flaw: Flaw) -> None:
    query = (
        f"SELECT * FROM phones WHERE phones.tenant = 'a' AND {CONDITIONS[flaw]} AND phones.id > 5 ORDER BY phones.id"
    )
    with store.engine.connect() as connection:
        plan = plan_of(connection, query)
    assert f"ix_phones_{flaw.value}" in plan
    assert "TEMP B-TREE" not in plan
    assert "Sort" not in plan


def test_numbers_of_several_accounts_are_found_wherever_the_windows_end(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared = {"4732100003": 3, "4732100004": 2, "4732100009": 4}
    accounts = []
    for code in range(4):
        numbers = [f"473210{i:04}" for i in range(code, 40, 4) if f"473210{i:04}" not in shared]
        numbers += [number for number, times in shared.items() if code < times]
        accounts.append(account(str(code), *map(written, numbers)))
    load(store, *accounts)
    for size in (3, 4, 5, 7, 1000):
        monkeypatch.setattr(module, "WINDOW", size)
        groups = list(Quality(store.engine).all_shared("acme"))
        found = {group[0].number: len(group) for group in groups}
        if size > 4:
            assert found == shared, size
        assert set(found) == set(shared), size


def test_shared_numbers_come_a_page_at_a_time(store: Store) -> None:
    numbers = [f"473210{i:04}" for i in range(30)]
    load(store, account("1", *map(written, numbers)), account("2", *map(written, numbers)))
    first = Quality(store.engine).shared("acme", limit=20)
    second = Quality(store.engine).shared("acme", limit=20, after=first.after or "")
    assert (len(first.groups), len(second.groups), second.after) == (20, 10, None)


def test_frequent_callers_without_account_are_counted_until_they_have_one(store: Store) -> None:
    load(store, account("1", written("4732100124")))
    for at in (T0, T0 + HOUR_MS, T0 + 2 * HOUR_MS):
        for number in ("4732100123", "4732100124", "anonymous", "3502"):
            store.start("3501", number, at)
    store.start("3501", "4732100199")
    (caller,) = Quality(store.engine).callers("acme", T0 + 3 * HOUR_MS)
    assert (caller.number, caller.calls, caller.last_at) == ("4732100123", 3, T0 + 2 * HOUR_MS)
    corrections = Corrections(store.engine, store.journal)
    account_id = corrections.account_id("acme", "1")
    assert account_id is not None
    corrections.add("acme", account_id, "4732100123", "Bia", by="ana", at=T0)
    assert Quality(store.engine).callers("acme", T0 + 3 * HOUR_MS) == []


def test_a_number_put_right_is_found_from_then_on_and_its_old_words_stay(flawed: Store) -> None:
    corrections, quality = Corrections(flawed.engine, flawed.journal), Quality(flawed.engine)
    (line,) = quality.flawed("acme", Flaw.UNREADABLE)
    assert corrections.put_right("acme", line.id, "4732100177", by="ana", at=T0)
    (owner,) = flawed.directory.owners("acme", ["4732100177"])
    assert owner.code == "2"
    (edited,) = quality.flawed("acme", Flaw.EDITED)
    assert (edited.as_written, edited.edited_by, edited.edited_at) == ("sem telefone", "ana", T0)
    assert quality.flawed("acme", Flaw.UNREADABLE) == []


def test_a_correction_can_be_undone(flawed: Store) -> None:
    corrections, quality = Corrections(flawed.engine, flawed.journal), Quality(flawed.engine)
    (line,) = quality.flawed("acme", Flaw.NO_AREA)
    corrections.put_right("acme", line.id, None, by="ana", at=T0)
    assert flawed.directory.owners("acme", ["4732100123"]) == []
    assert corrections.undo("acme", line.id, lambda text, contact: Phone("4732100123", contact, text, no_area=True))
    assert quality.flawed("acme", Flaw.NO_AREA) == [line]
    assert not corrections.undo("acme", line.id, lambda text, contact: Phone(None))


def test_one_company_cannot_put_right_another_s_numbers(flawed: Store) -> None:
    corrections, quality = Corrections(flawed.engine, flawed.journal), Quality(flawed.engine)
    (line,) = quality.flawed("acme", Flaw.NO_AREA)
    assert not corrections.put_right("rival", line.id, None, by="ana", at=T0)
    assert quality.phone("rival", line.id) is None
    assert quality.phone("acme", line.id) == line
    assert corrections.account_id("rival", "1") is None


def test_an_account_has_a_number_once(flawed: Store) -> None:
    corrections, quality = Corrections(flawed.engine, flawed.journal), Quality(flawed.engine)
    (line,) = quality.flawed("acme", Flaw.NO_AREA)
    with pytest.raises(BadParameter, match="um número que a conta ainda não tem"):
        corrections.put_right("acme", line.id, "47988887777", by="ana", at=T0)
    with pytest.raises(BadParameter):
        corrections.add("acme", line.account_id, "4732100123", "", by="ana", at=T0)
