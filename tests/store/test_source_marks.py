"""Sources say of their events which one it is, where it stands among the others, and by which ids its call goes."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy import func, select

from gateway.domain.messages import Origin, SourceMark
from gateway.store import source_marks
from gateway.store.tables import calls
from gateway.store.tables import source_marks as table
from gateway.store.writing.drafts import EventDraft, Recorded
from tests.store.conftest import T0, OpenStore, Store, answer_draft, end_draft, start_draft

Make = Callable[..., EventDraft]


def marked(draft: EventDraft, mark: SourceMark | None, *, replay_of: int | None = None) -> EventDraft:
    origin = Origin("webhook", "10.0.0.7", replay_of, mark)
    event = draft.event._replace(ref_space=mark.source if mark else "")
    return replace(draft, message=replace(draft.message, origin=origin), event=event)


def write(store: Store, draft: EventDraft, *, source: str = "cloud", **mark: object) -> Recorded:
    replay_of = mark.pop("replay_of", None)
    return store.journal.write(marked(draft, SourceMark(source, **mark), replay_of=replay_of))  # type: ignore[arg-type]


def ring(ref: str = "c-1", at: int = T0, ramal: str = "3501") -> EventDraft:
    return start_draft(ramal, "47999998888", at, call_ref=ref)


def test_an_event_that_is_seen_twice_counts_once(store: Store) -> None:
    first = write(store, ring(), event_id="e-1")
    newest = store.events.newest("acme").seq
    again = write(store, ring(at=T0 + 3_600_000), event_id="e-1")
    assert (again.call_id, again.repeated) == (first.call_id, True)
    assert store.events.newest("acme").seq == newest


@pytest.mark.parametrize(
    ("other", "source"),
    [({"event_id": "e-2"}, "cloud"), ({"event_id": "e-1"}, "another"), ({}, "cloud")],
)
def test_another_event_counts(store: Store, other: dict[str, str], source: str) -> None:
    write(store, ring(), event_id="e-1")
    newest = store.events.newest("acme").seq
    write(store, end_draft("3501", "47999998888", call_ref="c-1"), source=source, **other)
    assert store.events.newest("acme").seq > newest


def test_the_same_id_of_another_source_is_another_call_s(store: Store) -> None:
    cloud = write(store, ring("7"))
    other = write(store, ring("7", ramal="3502"), source="another")
    plain = store.start("3503", "47988887777", call_ref="7")
    assert len({cloud.call_id, other.call_id, plain.call_id}) == 3
    ends = [
        write(store, end_draft("", "47999998888", call_ref="7")).call_id,
        write(store, end_draft("", "47999998888", call_ref="7"), source="another").call_id,
        store.end("", "47988887777", call_ref="7").call_id,
    ]
    assert ends == [cloud.call_id, other.call_id, plain.call_id]
    assert [call.call_ref for call in store.calls.recent("acme")] == ["7", "7", "7"], "people see what exchanges say"


def test_the_same_pair_of_two_sources_is_two_calls_where_both_give_ids(store: Store) -> None:
    cloud = write(store, ring("7"))
    other = write(store, ring("7"), source="another")
    assert other.call_id != cloud.call_id


def test_sources_of_one_exchange_and_the_listeners_share_their_ids(store: Store) -> None:
    rung = store.start("3501", "47999998888", call_ref="7")
    ended = write(store, end_draft("3501", "47999998888", call_ref="7"), source="")
    assert ended.call_id == rung.call_id


def test_a_call_of_before_is_found_by_its_id_whoever_told_of_it(store: Store) -> None:
    """Version 0.1.0 and those after it did not say whose an id is."""
    rung = write(store, ring("7"))
    with store.engine.begin() as connection:
        connection.execute(calls.update().values(ref_space=None))
    assert write(store, end_draft("", "47999998888", call_ref="7"), source="another").call_id == rung.call_id


def test_an_id_that_comes_later_is_the_source_s_own_too(store: Store) -> None:
    rung = store.start("3501", "47999998888")
    assert write(store, answer_draft("3501", "47999998888", call_ref="7")).call_id == rung.call_id
    assert write(store, ring("7", ramal="3502"), source="another").call_id != rung.call_id


def test_further_ids_are_looked_for_among_the_source_s_own_calls(store: Store) -> None:
    write(store, ring("b"), source="another")
    first = write(store, ring("a"), also_known_as=("b",))
    found = store.calls.get("acme", first.call_id)
    assert found is not None
    assert found.call_ref == "a"


def test_another_company_s_event_counts(store: Store) -> None:
    write(store, ring(), event_id="e-1")
    beta = write(store, start_draft("3501", "47999998888", T0, call_ref="c-1", tenant="beta"), event_id="e-1")
    assert not beta.repeated


def test_two_of_one_batch_count_once(store: Store) -> None:
    mark = SourceMark("cloud", event_id="e-1")
    first, again = store.together([marked(ring(), mark), marked(ring(), mark)])
    assert (first.repeated, again.repeated, again.call_id) == (False, True, first.call_id)


def test_other_processes_and_later_starts_know_it(open_store: OpenStore) -> None:
    first = write(open_store(), ring(), event_id="e-1")
    assert write(open_store(), ring(), event_id="e-1") == Recorded(first.call_id, 0, repeated=True)


def test_what_an_agent_sends_again_counts(store: Store) -> None:
    write(store, ring(), event_id="e-1")
    assert not write(store, ring(), event_id="e-1", replay_of=7).repeated


def test_an_event_that_was_overtaken_is_kept_and_changes_nothing(store: Store) -> None:
    first = write(store, ring(), sequence=1)
    write(store, end_draft("3501", "47999998888", call_ref="c-1", result="busy"), sequence=5)
    before = store.calls.get("acme", first.call_id)
    late = write(store, answer_draft("3501", "47999998888", T0 + 90_000, call_ref="c-1"), sequence=3)
    assert late.call_id == first.call_id
    assert late.seq == store.events.newest("acme").seq
    assert store.calls.get("acme", first.call_id) == before
    event = store.events.of_call("acme", first.call_id)[-1]
    assert (event.kind, event.told["overtaken"], event.told["repeat"]) == ("call_answered", True, True)
    later = write(store, answer_draft("3501", "47999998888", T0 + 95_000, call_ref="c-1"), sequence=4)
    assert store.events.of_call("acme", later.call_id)[-1].told["overtaken"], (
        "an overtaken one does not count as the last"
    )


def test_the_same_sequence_and_a_higher_one_count(store: Store) -> None:
    first = write(store, ring(), sequence=3)
    same = write(store, ring(ramal="3502"), sequence=3)
    assert "overtaken" not in store.events.of_call("acme", same.call_id)[-1].told
    write(store, answer_draft("3501", "47999998888", call_ref="c-1"), sequence=4)
    call = store.calls.get("acme", first.call_id)
    assert call is not None
    assert call.answered_by == "3501"


def test_a_sequence_may_count_the_events_of_a_leg(store: Store) -> None:
    write(store, ring(), sequence=9, sequence_of="leg-a")
    call = write(store, answer_draft("3501", "47999998888", call_ref="c-1"), sequence=1, sequence_of="leg-b")
    found = store.calls.get("acme", call.call_id)
    assert found is not None
    assert found.answered_by == "3501"


def test_a_call_is_found_by_each_of_its_ids(store: Store) -> None:
    first = write(store, ring("c-1"))
    moved = write(store, answer_draft("3501", "47999998888", call_ref="c-2"), also_known_as=("c-1",))
    ended = write(store, end_draft("3501", "47999998888", call_ref="c-2"))
    assert (moved.call_id, ended.call_id) == (first.call_id, first.call_id)


def test_a_new_leg_that_names_the_call_first_is_that_call_too(store: Store) -> None:
    first = write(store, ring("c-1"))
    moved = write(store, ring("c-1", ramal="3502"), also_known_as=("c-2",))
    ended = write(store, end_draft("3502", "47999998888", call_ref="c-2"))
    assert (moved.call_id, ended.call_id) == (first.call_id, first.call_id)


def test_ids_that_name_each_other_are_one_call(store: Store) -> None:
    first = write(store, ring("leg-a"), also_known_as=("leg-b",))
    second = write(store, answer_draft("3501", "47999998888", call_ref="leg-b"), also_known_as=("leg-a",))
    third = write(store, end_draft("3501", "47999998888", call_ref="leg-a"))
    assert {first.call_id, second.call_id, third.call_id} == {first.call_id}


def test_long_names_are_told_apart(store: Store) -> None:
    assert not write(store, ring(), event_id="x" * 300 + "1").repeated
    assert not write(store, ring("c-2"), event_id="x" * 300 + "2").repeated
    assert write(store, ring(), event_id="x" * 300 + "1").repeated


def test_marks_are_let_go_of_by_age_and_by_number(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(6):
        write(store, ring(f"c-{number}", at=T0 + number), event_id=f"e-{number}")
    forgotten = store.journal.run(lambda each: source_marks.forget(each, T0 + source_marks.KEPT_MS + 2))
    assert forgotten == 2
    monkeypatch.setattr(source_marks, "MOST_KEPT", 2)
    store.journal.run(lambda each: source_marks.forget(each, T0))
    with store.engine.connect() as connection:
        left = connection.execute(select(func.count()).select_from(table)).scalar()
    assert left == 3
