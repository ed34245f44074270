"""Searching the call log: what is found, whatever the index has of it, and that the index is made behind the events."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some
from sqlalchemy import event, update

from gateway.domain.calls.search_terms import Field, Term, term_of
from gateway.store import calls as reading
from gateway.store import filling, tables
from gateway.store.calls import CallFilter, CallLog
from gateway.store.directory import Account
from gateway.store.search import index as search_index
from gateway.store.search import indexing, search, searchable, segments
from gateway.store.search.index import DATABASE, Clauses, Progress, SearchIndex
from gateway.store.search.indexing import Indexer
from gateway.store.search.search import CallFinder
from gateway.store.search.sets import BLOCK, packed, unpacked
from gateway.store.writing.drafts import Choice, NoteDraft
from tests.store.conftest import T0, Store
from tests.waiting import until

counters = tables.counters
SILVA, SOUZA = "4732100123", "4799998888"


class Finding:
    """A finder and an indexer over one index."""

    def __init__(self, store: Store) -> None:
        self.index = SearchIndex(store.data)
        self.indexer = Indexer(store.database, self.index)
        self.finder = CallFinder(store.engine, self.index)

    def ids(self, text: str = "", field: Field = Field.ANY, tenant: str = "acme", **more: Any) -> list[int]:
        terms = tuple(found for word in text.split() if (found := term_of(field, word)))
        return [call.id for call in self.finder.find(tenant, CallFilter(terms=terms, **more)).calls]

    def catch_up(self) -> None:
        while self.indexer.index_once():
            pass


@pytest.fixture
def finding(store: Store) -> Iterator[Finding]:
    found = Finding(store)
    yield found
    found.finder.close()


def three_calls(store: Store) -> tuple[int, int, int]:
    """One of Silva that was taken, one of Souza that was missed, one of another company."""
    accounts = [
        Account("C1", "Oficina Silva & Filhos", ((SILVA, "Dona Inês"),)),
        Account("C2", "Souza", ((SOUZA, ""),)),
    ]
    store.directory.load_accounts("acme", accounts, T0)
    first = store.start("3501", SILVA, queue="Vendas").call_id
    store.end("3501", SILVA, result="ANSWER", fields={"protocolo": "2026-0017"})
    second = store.start("3502", SOUZA, T0 + 90_000).call_id
    store.end("3502", SOUZA, T0 + 100_000, result="NOANSWER")
    third = store.start("3501", SILVA, T0 + 200_000, tenant="rival").call_id
    return first, second, third


States = [
    pytest.param(lambda _: None, id="no index"),
    pytest.param(lambda finding: finding.indexer.index_once(), id="begun"),
    pytest.param(Finding.catch_up, id="whole"),
]


@pytest.mark.parametrize("prepare", States)
def test_an_extension_without_new_calls_is_found_like_any_other(
    store: Store, finding: Finding, prepare: Callable[[Finding], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "NEAR", 2)
    seldom = [store.start("3501", SILVA, T0).call_id, store.start("3501", SOUZA, T0 + 1).call_id]
    often = [store.start("3502", f"473333000{n}", T0 + 60_000 + n).call_id for n in range(5)]
    store.start("3501", SILVA, T0 + 70_000, tenant="rival")
    prepare(finding)
    assert finding.ids(extension="3501") == seldom[::-1]
    assert finding.ids(extension="3501", before_id=seldom[1]) == seldom[:1]
    assert finding.ids(extension="3502") == often[::-1]
    assert finding.ids(extension="3503") == []


def test_calls_of_an_extension_are_not_looked_for_in_the_whole_log(
    store: Store, finding: Finding, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On SQLite no index of the log has an extension's calls together: the newest are looked through, then the search
    index is asked.
    """
    monkeypatch.setattr(reading, "NEAR", 2)
    found = store.start("3501", SILVA, T0).call_id
    often = [store.start("3502", f"473333000{n}", T0 + 60_000 + n).call_id for n in range(5)]
    finding.catch_up()
    monkeypatch.setattr(CallLog, "recent", lambda *_, **__: pytest.fail("the log is looked through"))
    assert finding.ids(extension="3501") == [found]
    assert finding.ids(extension="3502") == often[::-1]
    monkeypatch.setattr(CallFinder, "_find", lambda *_: pytest.fail("the index is asked for the newest"))
    newest = finding.finder.find("acme", CallFilter(extension="3502"), limit=2)
    assert ([call.id for call in newest.calls], newest.next_before) == (often[:2:-1], often[3])


@pytest.mark.parametrize("prepare", States)
def test_calls_are_found_by_what_is_known_of_them(
    store: Store, finding: Finding, prepare: Callable[[Finding], object]
) -> None:
    first, second, third = three_calls(store)
    prepare(finding)
    assert finding.ids("silva") == [first]
    assert finding.ids("ines oficina") == [first]
    assert finding.ids("32100") == [first]
    assert finding.ids("8888", Field.ENDING) == [second]
    assert finding.ids("C2", Field.CODE) == [second]
    assert finding.ids("2026-0017") == [first]
    assert finding.ids("vendas", Field.QUEUE) == [first]
    assert finding.ids("3502", Field.WHO) == [second]
    assert finding.ids(results=("missed",)) == [second]
    assert finding.ids(missed=True) == [second]
    assert finding.ids(statuses=("missed",)) == [second]
    assert finding.ids(statuses=("ended",), direction="incoming") == [second, first]
    assert finding.ids("3210", extension="3501", since=T0, until=T0 + 1) == [first]
    assert finding.ids("3210", since=T0 + 1) == []
    assert finding.ids("3210", tenant="rival") == [third]
    assert finding.ids("nobody") == []
    assert finding.ids("4", before_id=second) == [first]


def test_what_happened_since_is_found_at_once(store: Store, finding: Finding) -> None:
    three_calls(store)
    finding.catch_up()
    fourth = store.start("3503", "1133334444", T0 + 300_000, caller_name="Quitanda Nova").call_id
    assert finding.ids("quitanda") == [fourth]
    assert finding.finder.find("acme", CallFilter(terms=(Term(Field.ANY, "quitanda"),))).behind is False
    finding.catch_up()
    assert finding.ids("quitanda") == [fourth]


def test_a_call_that_another_account_gets_later_is_found_by_that(store: Store, finding: Finding) -> None:
    first, *_ = three_calls(store)
    finding.catch_up()
    (souza,) = store.directory.search("acme", "Souza")
    store.journal.write(Choice("acme", first, souza.id, "", SILVA, "ana", T0))
    for _ in range(2):
        assert first in finding.ids("souza")
        assert finding.ids("oficina") == []  # the index has it still, the call has not
        finding.catch_up()


def test_the_first_call_of_a_group_is_found_as_missed_when_the_last_one_ends(store: Store, finding: Finding) -> None:
    first = store.start("3501", SILVA).call_id
    store.start("3502", SILVA, T0 + 1)
    store.end("3501", SILVA, T0 + 20_000, result="NOANSWER")
    finding.catch_up()
    store.end("3502", SILVA, T0 + 30_000, result="NOANSWER")
    finding.catch_up()
    assert [call.id for call in store.calls.recent("acme", CallFilter(missed=True))] == [first]
    assert finding.ids(missed=True) == [first]


def test_after_a_rush_the_newest_calls_are_looked_through(
    store: Store, finding: Finding, monkeypatch: pytest.MonkeyPatch
) -> None:
    three_calls(store)
    finding.catch_up()
    monkeypatch.setattr(search, "TAIL", 2)
    ids = [store.start("3501", f"113333{n:04}", T0 + n * 1000, caller_name="Pressa").call_id for n in range(6)]
    assert finding.ids("pressa") == ids[::-1]
    assert finding.finder.find("acme", CallFilter(terms=(Term(Field.ANY, "pressa"),))).behind


def test_a_search_that_looks_at_too_much_says_where_to_go_on(
    store: Store, finding: Finding, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = [store.start("3501", f"113333{n:04}", T0 + n * 1000).call_id for n in range(6)]
    wanted = CallFilter(terms=(Term(Field.ANY, "3330000"),))
    monkeypatch.setattr(search, "MOST_LOOKED_AT", 2)
    monkeypatch.setattr(search, "FIRST_LOOK", 2)
    first = finding.finder.find("acme", wanted)
    assert (first.calls, first.unfinished) == ([], True)
    assert [call.id for call in finding.finder.every("acme", wanted)] == ids[:1]


@pytest.mark.parametrize("blocks_of_a_segment", [2, 16])
def test_an_index_is_read_by_blocks(
    store: Store, finding: Finding, monkeypatch: pytest.MonkeyPatch, blocks_of_a_segment: int
) -> None:
    for module in (indexing, search, search_index, segments):
        monkeypatch.setattr(module, "BLOCK", 4)
    for module in (search, segments):
        monkeypatch.setattr(module, "BLOCKS", blocks_of_a_segment)
    monkeypatch.setattr(indexing, "PIECE", 3)
    ids = [store.start(f"350{n % 2}", f"11333{n % 3}{n:04}", T0 + n * 1000).call_id for n in range(23)]
    finding.catch_up()
    assert len(merged_segments(finding)) == (2 if blocks_of_a_segment == 2 else 0)
    assert finding.ids("1133310") == [each for n, each in enumerate(ids) if n % 3 == 1][::-1]
    assert finding.ids("1133310", extension="3500") == [each for n, each in enumerate(ids) if n % 6 == 4][::-1]


def merged_segments(finding: Finding) -> frozenset[int]:
    with finding.index._connection() as connection:
        return segments.merged(connection)


def test_pages_go_on_where_the_one_before_ended(store: Store, finding: Finding) -> None:
    ids = [store.start("3501", f"113333{n:04}", T0 + n * 1000).call_id for n in range(7)]
    finding.catch_up()
    wanted = CallFilter(terms=(Term(Field.ANY, "3333"),))
    assert [call.id for call in finding.finder.every("acme", wanted, size=3)] == ids[::-1]
    assert [call.id for call in finding.finder.every("acme", CallFilter(), size=3)] == ids[::-1]


def test_a_search_reads_the_mark_of_its_company_only(finding: Finding) -> None:
    progress = Progress(7, 8, -1, 1, 2, {"acme": 3, "rival": 4})
    finding.index.begin(progress)
    assert finding.index.progress() == progress
    assert finding.finder._progress("acme") == progress._replace(marks={"acme": 3})
    assert finding.finder._progress("third") == progress._replace(marks={})


def test_an_index_of_another_database_is_made_anew(store: Store, finding: Finding) -> None:
    three_calls(store)
    finding.catch_up()
    progress = finding.index.progress()
    assert progress
    finding.index.begin(progress._replace(at=progress.at + 1, cluster=77))
    assert finding.ids("silva") == []
    finding.catch_up()
    assert len(finding.ids("silva")) == 1


def test_a_file_that_cannot_be_read_is_made_anew(store: Store, finding: Finding, tmp_path: Path) -> None:
    three_calls(store)
    path = store.data / DATABASE
    path.write_bytes(b"SQLite format 3\0" + b"nonsense" * 1000)
    assert len(finding.ids("silva")) == 1
    finding.index.discard()
    finding.catch_up()
    assert len(finding.ids("silva")) == 1
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_thread_mends_its_file_and_catches_up(
    store: Store, finding: Finding, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AGAIN_AFTER_S", "LOOK_EVERY_S", "OLD_MS"):
        monkeypatch.setattr(indexing, name, 0.01)
    three_calls(store)
    (store.data / DATABASE).write_bytes(b"nonsense" * 1000)
    finding.indexer.start()
    try:
        until(lambda: (found := _progress(finding)) is not None and found.left < 0)
    finally:
        finding.indexer.stop()
    assert len(finding.ids("silva")) == 1


def _progress(finding: Finding) -> Progress | None:
    return finding.finder._progress("acme")


def test_another_process_that_was_ahead_is_not_written_over(store: Store, finding: Finding) -> None:
    three_calls(store)
    finding.catch_up()
    progress = finding.index.progress()
    assert progress
    late = progress._replace(seq=progress.seq - 1)
    assert finding.index.add({0: {1: [1]}}, late, progress) is False
    assert finding.index.found(Clauses([[1]]), [0]) == {0: []}


def test_older_calls_wait_until_what_was_dropped_is_filled_in(store: Store, finding: Finding) -> None:
    three_calls(store)
    with store.engine.begin() as connection:
        connection.execute(update(counters).where(counters.c.name == filling.COUNTER).values(value=5))
    finding.catch_up()
    progress = finding.index.progress()
    assert progress
    assert progress.left == 0


def test_younger_events_until_they_are_worth_it(store: Store, finding: Finding) -> None:
    finding.catch_up()
    store.start("3501", SILVA, indexing.Clock()())
    assert finding.indexer.index_once(all_events=False) is False
    store.start("3502", SILVA, T0)  # of a while ago
    assert finding.indexer.index_once(all_events=True) is True


@given(some.sets(some.integers(0, BLOCK - 1), max_size=40) | some.just(set(range(0, BLOCK, 3))))
def test_sets_are_kept_as_they_are(offsets: set[int]) -> None:
    assert unpacked(packed(offsets)) == sorted(offsets)


def test_what_an_agent_wrote_is_found(store: Store, finding: Finding) -> None:
    first, *_ = three_calls(store)
    finding.catch_up()
    note = NoteDraft("acme", first, "Pediu o orçamento até sexta", "venda", None, 0, "ana", "Ana", T0, finished=True)
    store.journal.write(note)
    for _ in range(2):
        assert finding.ids("orcamento", Field.NOTE) == [first]
        assert finding.ids("sexta venda") == [first]
        finding.catch_up()


@pytest.mark.parametrize(
    ("field", "text", "read"),
    [
        (Field.NAME, "silva", {"calls"}),
        (Field.WHO, "3501", {"calls", "legs"}),
        (Field.NOTE, "sexta", {"calls", "notes", "agent_notes"}),
        (Field.ANY, "silva", {"calls", "legs", "notes", "agent_notes"}),
    ],
)
def test_of_calls_that_are_looked_at_only_what_the_field_needs_is_read(
    store: Store, finding: Finding, monkeypatch: pytest.MonkeyPatch, field: Field, text: str, read: set[str]
) -> None:
    first, *_ = three_calls(store)
    with store.engine.begin() as connection:
        connection.execute(update(tables.calls).values(leg_count=1, note_count=1))
    note = NoteDraft("acme", first, "Pediu até sexta", "venda", None, 0, "ana", "Ana", T0, finished=True)
    store.journal.write(note)
    finding.catch_up()
    asked: list[str] = []
    monkeypatch.setattr(search, "read_calls", lambda *_: [])
    event.listen(store.engine, "before_cursor_execute", lambda *told: asked.append(told[2]))
    assert finding.ids(text, field) == []
    looks = [each for each in asked if "max(calls.id)" not in each and "FROM events" not in each]
    assert {table for each in looks for table in re.findall(r"FROM (\w+)", each)} - {"removals"} == read


@pytest.mark.parametrize("noted", [False, True])
def test_no_lines_are_made_of_candidates_that_surely_lack_a_word(
    store: Store, finding: Finding, monkeypatch: pytest.MonkeyPatch, noted: bool
) -> None:
    first, *_ = three_calls(store)
    if noted:
        note = NoteDraft("acme", first, "x de xerox", "venda", None, 0, "ana", "Ana", T0, finished=True)
        store.journal.write(note)
    finding.catch_up()
    made: list[str | None] = []
    real = searchable.line_of
    monkeypatch.setattr(searchable, "line_of", lambda field, text: made.append(text) or real(field, text))
    assert finding.ids("oficina silva x") == ([first] if noted else [])
    assert bool(made) is noted


def test_a_candidate_fails_by_its_short_words_first(
    store: Store, finding: Finding, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Short words have no tokens: by the others the index has found it already."""
    first, *_ = three_calls(store)
    note = NoteDraft("acme", first, "Pediu desconto", "venda", None, 0, "ana", "Ana", T0, finished=True)
    store.journal.write(note)  # so that lines are made at all
    finding.catch_up()
    tried: list[str] = []
    made = search.matcher
    monkeypatch.setattr(search, "matcher", lambda term: lambda lines: tried.append(term.text) or made(term)(lines))
    assert finding.ids("oficina silva x") == []
    assert tried == ["x"]
