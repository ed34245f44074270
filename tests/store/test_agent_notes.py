"""What agents write of calls: nobody's text is lost, what is finished is told once, follow-ups are done by a call."""

import json
from typing import Any

import pytest
from sqlalchemy import select

from gateway.domain.numbering.numbers import NumberPlan
from gateway.domain.tenant import Tenant
from gateway.errors import BadParameter, NoteChanged
from gateway.store import tables
from gateway.store.agent_notes import AgentNotes
from gateway.store.directory import Account
from gateway.store.untold_notes import UntoldNotes
from gateway.store.writing.drafts import Choice, FollowUpDone, NoteDraft, Recorded, UntoldNote
from tests.store.conftest import OUTGOING, T0, Store
from tests.store.plans import assert_is_found_by

ANA, CARLOS = "4733334444", "47999998888"
MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000


def call(store: Store, number: str = ANA, at: int = T0, **more: Any) -> int:
    """A call that was answered and has ended; its id."""
    store.start("3501", number, at, **more)
    store.answer("3501", number, at + 1000, **more)
    return store.end("3501", number, at + MINUTE, **more).call_id


def write(store: Store, call_id: int, words: str, *, base: int = 0, by: str = "ana", **more: Any) -> Recorded:
    said = {"outcome": None, "follow_up_at": None, "at": T0 + 2 * MINUTE} | more
    return store.journal.write(NoteDraft("acme", call_id, words, base=base, by=by, name=by.title(), **said))


def note(store: Store, call_id: int) -> tuple[str, int, str]:
    found = AgentNotes(store.engine).get("acme", call_id)
    assert found
    return found.text, found.revision, found.author


def told(store: Store) -> list[dict[str, Any]]:
    """The notes that the log tells of."""
    return [event.told["note"] for event in store.events.after(0) if event.kind == "call_noted"]


def letters(store: Store) -> list[dict[str, str]]:
    with store.engine.connect() as connection:
        return [json.loads(row.body) for row in connection.execute(select(tables.outbox))]


def test_a_note_is_saved_while_it_is_typed_and_told_when_it_is_finished(store: Store) -> None:
    call_id = call(store)
    write(store, call_id, "Pediu")
    write(store, call_id, "Pediu orçamento", base=1)
    assert (note(store, call_id), told(store)) == (("Pediu orçamento", 2, "ana"), [])
    recorded = write(store, call_id, "Pediu orçamento", base=2, finished=True)
    assert recorded.seq == store.events.newest("acme").seq
    (said,) = told(store)
    assert said == {"text": "Pediu orçamento", "author": "ana", "author_name": "Ana", "revision": 2}
    write(store, call_id, "Pediu orçamento", base=2, finished=True)
    assert len(told(store)) == 1, "it is told once"


def test_who_has_an_older_revision_is_told_and_overwrites_nothing(store: Store) -> None:
    call_id = call(store)
    write(store, call_id, "texto da Ana")
    with pytest.raises(NoteChanged) as refused:
        write(store, call_id, "texto do Bruno", by="bruno")
    changed = refused.value
    assert (changed.content, changed.by, changed.revision) == ("texto da Ana", "Ana", 1)
    write(store, call_id, "texto da Ana\n\ntexto do Bruno", base=1, by="bruno")
    assert note(store, call_id) == ("texto da Ana\n\ntexto do Bruno", 2, "bruno")


def test_a_note_that_is_sent_again_since_the_answer_was_lost_is_taken(store: Store) -> None:
    call_id = call(store)
    write(store, call_id, "oi")
    assert write(store, call_id, "oi").repeated
    assert note(store, call_id)[1] == 1


def test_nothing_is_kept_of_a_note_in_which_nothing_is_written(store: Store) -> None:
    call_id = call(store)
    assert write(store, call_id, "").repeated
    assert AgentNotes(store.engine).get("acme", call_id) is None


def test_a_note_that_was_emptied_is_told_too(store: Store) -> None:
    call_id = call(store)
    write(store, call_id, "errado", finished=True)
    write(store, call_id, "", base=1, finished=True)
    assert [said["text"] for said in told(store)] == ["errado", ""]


def test_a_call_of_another_company_takes_no_note(store: Store) -> None:
    theirs = call(store, tenant="rival")
    with pytest.raises(BadParameter):
        write(store, theirs, "oi")
    with pytest.raises(BadParameter):
        write(store, 999, "oi")


def test_forwards_are_told_with_author_outcome_and_follow_up(store: Store) -> None:
    store.directory.load_accounts("acme", [Account("17", "Silva", ((ANA, "Carlos"),))], T0)
    call_id = call(store)
    write(store, call_id, "liga amanhã", outcome="retorno", follow_up_at=T0 + DAY, forwards=("crm",), finished=True)
    (fields,) = letters(store)
    assert (fields["author"], fields["author_name"], fields["text"]) == ("ana", "Ana", "liga amanhã")
    assert (fields["outcome"], fields["account"], fields["telefone"]) == ("retorno", "Silva", ANA)
    assert fields["follow_up"].startswith("20")
    assert fields["call_id"] == str(call_id)


def untold(store: Store, *, before: int) -> int:
    forwards = {"call_noted": ("crm",)}
    tenants = {"acme": Tenant("acme", NumberPlan("47"), forwards=forwards)}
    return UntoldNotes(store.engine, store.journal, tenants).tell(at=before, before=before)


def test_a_note_that_is_left_alone_is_told_once_as_it_is(store: Store) -> None:
    call_id = call(store)
    write(store, call_id, "meia frase", at=T0)
    assert untold(store, before=T0 - 1) == 0
    assert untold(store, before=T0) == 1
    assert ([said["text"] for said in told(store)], len(letters(store))) == (["meia frase"], 1)
    assert untold(store, before=T0 + DAY) == 0
    write(store, call_id, "meia frase e a outra", base=1, at=T0 + MINUTE)
    assert untold(store, before=T0 + DAY) == 1


def test_a_note_that_is_changed_while_it_is_looked_for_waits(store: Store) -> None:
    call_id = call(store)
    write(store, call_id, "a", at=T0)
    write(store, call_id, "ab", base=1, at=T0 + MINUTE)
    assert store.journal.write(UntoldNote("acme", call_id, T0, T0)).repeated
    assert told(store) == []


def test_the_last_notes_are_those_of_the_account_or_of_the_number(store: Store) -> None:
    notes = AgentNotes(store.engine)
    first, second = call(store), call(store, at=T0 + HOUR)
    write(store, first, "da primeira")
    assert [each.text for each in notes.before(logged(store, second))] == ["da primeira"]
    store.directory.load_accounts("acme", [Account("17", "Silva", ((ANA, ""), (CARLOS, "")))], T0)
    third = call(store, CARLOS, T0 + 2 * HOUR)
    assert notes.before(logged(store, third)) == []
    account_id = logged(store, third).account_id
    assert account_id
    store.journal.write(Choice("acme", first, account_id, "", ANA, "ana", T0))
    assert [each.text for each in notes.before(logged(store, third))] == ["da primeira"]
    assert [each.text for each in notes.of_account("acme", account_id)] == ["da primeira"]


def logged(store: Store, call_id: int) -> Any:
    return store.calls.get("acme", call_id)


def test_callers_without_a_number_have_no_notes_of_each_other(store: Store) -> None:
    first, second = call(store, "anonymous"), call(store, "anonymous", T0 + HOUR)
    write(store, first, "segredo")
    assert AgentNotes(store.engine).before(logged(store, second)) == []


def due(store: Store, *, at: int = T0 + 2 * DAY) -> list[int]:
    return [each.note.call_id for each in AgentNotes(store.engine).due("acme", until=at)]


def test_a_follow_up_is_done_by_a_call_when_its_time_has_come(store: Store) -> None:
    call_id = call(store)
    write(store, call_id, "amanhã", follow_up_at=T0 + DAY)
    assert (due(store, at=T0 + HOUR), due(store)) == ([], [call_id])
    call(store, at=T0 + HOUR)
    assert due(store) == [call_id], "a call long before its time is another matter"
    store.start("3502", ANA, T0 + DAY - HOUR, direction=OUTGOING)
    assert due(store) == [call_id], "nobody has spoken yet"
    again = store.answer("3502", ANA, T0 + DAY - HOUR, direction=OUTGOING).call_id
    assert due(store) == []
    with store.engine.connect() as connection:
        row = connection.execute(select(tables.agent_notes)).one()
    assert (row.follow_up_done_in, row.follow_up_done_by) == (again, None)


def test_a_follow_up_is_done_by_a_call_on_another_number_of_the_account(store: Store) -> None:
    store.directory.load_accounts("acme", [Account("17", "Silva", ((ANA, ""), (CARLOS, "")))], T0)
    call_id = call(store)
    write(store, call_id, "amanhã", follow_up_at=T0 + DAY)
    call(store, CARLOS, T0 + DAY)
    assert due(store) == []


def test_a_follow_up_is_done_by_hand_once_and_comes_back_with_a_new_date(store: Store) -> None:
    call_id = call(store)
    write(store, call_id, "amanhã", follow_up_at=T0 + DAY)
    done = FollowUpDone("acme", call_id, "bruno", T0 + HOUR)
    assert not store.journal.write(done).repeated
    assert store.journal.write(done).repeated
    assert due(store) == []
    write(store, call_id, "amanhã mesmo", base=1, follow_up_at=T0 + DAY)
    assert due(store) == [], "another word changes nothing of it"
    write(store, call_id, "depois", base=2, follow_up_at=T0 + DAY + HOUR)
    assert due(store) == [call_id]


def test_screens_hear_of_follow_ups(store: Store) -> None:
    call_id = call(store)
    write(store, call_id, "amanhã", follow_up_at=T0 + DAY)
    store.journal.write(FollowUpDone("acme", call_id, "ana", T0 + HOUR))
    changes = [event.told["change"] for event in store.events.after(0) if event.kind == "missed_changed"]
    assert changes == ["follow_up", "follow_up_done"]


def test_the_call_log_has_the_note(store: Store) -> None:
    call_id = call(store)
    write(store, call_id, "oi", outcome="venda", follow_up_at=T0 + DAY)
    plain = logged(store, call_id).as_json()
    assert (plain["note"], plain["note_outcome"], plain["note_by"]) == ("oi", "venda", "ana")
    assert plain["noted_at"].endswith("Z")
    assert plain["follow_up_at"] > plain["noted_at"]
    assert plain["follow_up_done_at"] is None


def test_notes_are_found_by_index(store: Store) -> None:
    queries = {
        "SELECT * FROM agent_notes WHERE tenant = 'a' AND follow_up_at < 1 AND follow_up_at IS NOT NULL "
        "AND follow_up_done_at IS NULL": "ix_agent_notes_due",
        "SELECT * FROM agent_notes WHERE revision > told_revision AND updated_at <= 1": "ix_agent_notes_untold",
        "SELECT * FROM agent_notes WHERE tenant = 'a' AND account_id = 1": "ix_agent_notes_account",
        "SELECT * FROM agent_notes WHERE tenant = 'a' AND number IN ('1', '2')": "ix_agent_notes_tenant_number_call_id",
    }
    with store.engine.connect() as connection:
        for query, index in queries.items():
            assert_is_found_by(connection, query, index)
