"""What an import does to the directory: only what changed, and nothing behind anybody's back."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from sqlalchemy import update

from gateway.directory.accounts import ORDINARY, phone_of
from gateway.domain.numbering.numbers import NumberPlan
from gateway.errors import ImportRunning, ImportSuperseded, SourceError
from gateway.source import Entry, Refused
from gateway.store import tables
from gateway.store.corrections import Corrections
from gateway.store.imports.loading import LoadedAccount, Loader, Phone
from gateway.store.imports.runs import DEAD_AFTER_MS, Counts
from tests.directory.conftest import PLAN, T0, Office, Said
from tests.domain.cases import table

HEADER = "codigo;nome;telefone\n"


def entry(code: str, name: str = "A", *phones: str) -> Entry:
    return Entry(code, name, tuple((phone, "") for phone in phones), f"test:{code}")


def test_a_run_tells_what_was_added_changed_and_left_alone(office: Office) -> None:
    office.sheet(HEADER + "1;A;4732100123\n2;B;4732100124\n3;C;4732100125\n")
    run = office.sheet(HEADER + "1;A;4732100123\n2;Novo;4732100124\n3;C;4732100126\n4;D;4732100127\n")
    assert run.counts == Counts(entries=4, added=1, changed=2, unchanged=1, removed=0, refused=0)
    assert office.accounts()["3"] == ("C", {"4732100126": ""})


def test_what_did_not_change_is_not_written_again(office: Office) -> None:
    office.sheet(HEADER + "1;A;4732100123\n")
    before = office.phones()
    assert office.sheet(HEADER + "1;A;4732100123\n").counts.unchanged == 1
    assert office.phones() == before


def test_numbers_are_read_again_when_the_company_s_area_code_changes(office: Office) -> None:
    office.sheet(HEADER + "1;A;3210-0123\n")
    assert office.sheet(HEADER + "1;A;3210-0123\n", plan=NumberPlan("11")).counts.changed == 1
    assert set(office.accounts()["1"][1]) == {"1132100123"}


def test_nothing_is_removed_unless_asked_for(office: Office) -> None:
    office.sheet(HEADER + "1;A;4732100123\n2;B;4732100124\n")
    assert office.sheet(HEADER + "1;A;4732100123\n").counts.removed == 0
    assert set(office.accounts()) == {"1", "2"}
    assert office.sheet(HEADER + "1;A;4732100123\n", full=True).counts.removed == 1
    assert set(office.accounts()) == {"1"}
    assert len(office.phones()) == 1


def test_a_source_removes_only_its_own_accounts_and_only_of_its_company(office: Office) -> None:
    office.sheet(HEADER + "1;A;4732100123\n")
    office.take(Said([entry("2", "B", "4732100124")]), "erp")
    office.sheet(HEADER + "1;A;4732100123\n", tenant="beta")
    office.take(Said([entry("3", "C")]), "erp", full=True)
    assert set(office.accounts()) == {"1", "3"}
    assert set(office.accounts("beta")) == {"1"}


def test_a_source_that_lost_most_of_its_accounts_removes_none_until_told_twice(office: Office) -> None:
    many = [entry(str(i), "X", f"47321{i:05}") for i in range(60)]
    office.take(Said(many), "erp")
    run = office.take(Said(many[:20]), "erp", full=True)
    assert run.counts.removed == 0
    assert "40 de 60 contas já não estão na origem" in run.message
    assert office.take(Said(many[:20]), "erp", full=True, force=True).counts.removed == 40


def test_a_source_that_breaks_off_changes_nothing_and_says_why(office: Office) -> None:
    office.take(Said([entry("1"), entry("2")]), "erp")
    source = Said([entry("3")], error=SourceError("a conexão foi cortada."))
    with pytest.raises(SourceError):
        office.take(source, "erp", full=True)
    run = office.importer.imports.last("acme")[0]
    assert (run.state, run.message) == ("failed", "a conexão foi cortada.")
    assert set(office.accounts()) == {"1", "2"}
    assert source.closed


def test_the_same_source_is_imported_once_at_a_time_until_its_process_has_died(office: Office) -> None:
    imports = office.importer.imports
    first = imports.begin("acme", "erp", "sql", T0)
    with pytest.raises(ImportRunning):
        imports.begin("acme", "erp", "sql", T0 + 1)
    assert imports.begin("acme", "other", "sql", T0 + 1)
    imports.alive(first, T0 + DEAD_AFTER_MS)
    with pytest.raises(ImportRunning):
        imports.begin("acme", "erp", "sql", T0 + DEAD_AFTER_MS + 1)
    assert imports.begin("acme", "erp", "sql", T0 + 3 * DEAD_AFTER_MS)
    died = imports.get("acme", first)
    assert died is not None
    assert (died.state, "parou no meio" in died.message) == ("failed", True)


@dataclass
class Freezing(Said):
    """A source in the middle of which its importer hangs, until long after it was given up."""

    meanwhile: Callable[[], object] = lambda: None

    def entries(self, since: int | None) -> Iterator[Entry | Refused]:
        yield from super().entries(since)
        self.meanwhile()


def test_an_importer_that_hung_until_another_began_writes_nothing_more(office: Office) -> None:
    office.take(Said([entry("1", "Antes"), entry("9")]), "erp")

    def be_succeeded() -> None:
        office.now += DEAD_AFTER_MS + 10_000
        office.take(Said([entry("1", "Nova"), entry("2")]), "erp", full=True)

    frozen = Freezing([entry("1", "Velha"), entry("3"), entry("9")], meanwhile=be_succeeded)
    with pytest.raises(ImportSuperseded):
        office.take(frozen, "erp", full=True)
    assert {code: name for code, (name, _) in office.accounts().items()} == {"1": "Nova", "2": "A"}
    newest, old, _ = office.importer.imports.last("acme", "erp")
    assert (newest.state, old.state, "parou no meio" in old.message) == ("done", "failed", True)


def test_a_run_that_was_given_up_is_not_alive_again(office: Office) -> None:
    imports = office.importer.imports
    run = imports.begin("acme", "erp", "sql", T0)
    imports.bury(run, T0 + 1)
    with pytest.raises(ImportSuperseded):
        imports.alive(run, T0 + 2)
    with pytest.raises(ImportSuperseded):
        imports.end(run, "done", Counts(), T0 + 2, message="", refused=())
    assert [each.state for each in imports.last("acme")] == ["failed"]


def test_of_each_source_the_last_runs_are_remembered(office: Office) -> None:
    for _ in range(60):
        office.take(Said([]), "erp")
    assert len(office.importer.imports.last("acme", "erp", limit=200)) == 50


def test_two_accounts_may_share_a_number_and_both_are_found(office: Office) -> None:
    office.sheet(HEADER + "1;A;4732100123\n2;B;47 3210-0123\n")
    owners = office.store.directory.owners("acme", ["4732100123"])
    assert {owner.code for owner in owners} == {"1", "2"}


def test_a_phone_keeps_the_source_s_own_words_and_what_was_wrong_with_them(office: Office) -> None:
    office.sheet(HEADER + "1;A;3210-0123 / (47) 8888-7777 / 4732100124 / sem telefone\n")
    found = {row.as_written: (row.number, row.no_area, row.old_mobile) for row in office.phones()}
    assert found == {
        "3210-0123": ("4732100123", True, False),
        "(47) 8888-7777": ("47988887777", False, True),
        "4732100124": ("4732100124", False, False),
        "sem telefone": (None, False, False),
    }


def test_the_short_cut_for_ordinary_numbers_reads_like_the_long_way() -> None:
    texts = [row[0] for row in table("numbers.tsv", columns=8)]
    texts += ["(47) 3210-0123", "47 99999-8888", "(47)99998888", "1199998888", "55 3210-0123", "(55) 9999-8888"]
    ordinary = [text for text in texts if ORDINARY.fullmatch(text)]
    assert len(ordinary) > 10
    from gateway.domain.numbering.numbers import read

    for plan in (PLAN, NumberPlan(), NumberPlan("55")):
        for text in ordinary:
            assert phone_of(text, "", plan).number in (read(text, plan).national, None), text


def account(code: str, *phones: Phone) -> LoadedAccount:
    return LoadedAccount(code, "A", phones)


def written(number: str, text: str | None = None) -> Phone:
    return Phone(number, "", text or number)


def edit(office: Office, as_written: str, number: str | None) -> None:
    statement = update(tables.phones).where(tables.phones.c.as_written == as_written)
    with office.store.engine.begin() as connection:
        connection.execute(statement.values(number=number, edited_at=T0, edited_by="ana"))


def load(office: Office, *accounts: LoadedAccount) -> None:
    loader = Loader(office.store.database)
    loader.write("acme", "csv", accounts, T0)
    loader.close()


def test_a_number_put_right_at_the_desk_survives_imports_until_the_source_says_something_else(office: Office) -> None:
    load(office, account("1", written("4732100123"), written("4732100124")))
    edit(office, "4732100123", "4732100199")
    load(office, account("1", written("4732100123"), written("4732100125")))
    assert set(office.accounts()["1"][1]) == {"4732100199", "4732100125"}
    load(office, account("1", written("4732100177")))
    assert set(office.accounts()["1"][1]) == {"4732100177"}


def test_an_account_with_a_number_from_the_desk_is_not_removed_but_becomes_the_desk_s(office: Office) -> None:
    corrections = Corrections(office.store.engine, office.store.journal)
    office.sheet(HEADER + "1;A;4732100123\n2;B;4732100124\n")
    account_id = corrections.account_id("acme", "2")
    assert account_id is not None
    corrections.add("acme", account_id, "47999998888", "Bia", by="ana", at=T0)
    assert office.sheet(HEADER + "1;A;4732100123\n", full=True).counts.removed == 0
    assert office.accounts()["2"] == ("B", {"47999998888": "Bia"})


def test_a_number_taken_off_at_the_desk_does_not_come_back(office: Office) -> None:
    load(office, account("1", written("4732100123"), written("4732100124")))
    edit(office, "4732100123", None)
    load(office, account("1", written("4732100123"), written("4732100125")))
    assert set(office.accounts()["1"][1]) == {None, "4732100125"}


def test_several_numbers_in_one_text_are_found_whatever_source_says_them(office: Office) -> None:
    run = office.take(Said([entry("1", "A", "4732100123 ou (11) 98765-4321")]), "crm")
    assert set(office.accounts()["1"][1]) == {"4732100123", "11987654321"}
    assert run.message == ""
