"""What became of letters: looked at, sent again, given up, moved, let go of."""

from collections.abc import Mapping

import pytest
from sqlalchemy import insert, select, update

from gateway.store import tables
from gateway.store.letters.kept import LetterFilter, LetterStanding
from gateway.store.letters.lifetimes import Lifetimes
from gateway.store.letters.log import LetterLog, SentAgain
from gateway.store.letters.outbox import Outbox
from gateway.store.letters.retention import ORPHANED_MS, LetterRetention
from gateway.texts.rendering import render
from tests.relay.letters import claim_one
from tests.store.conftest import T0, Store, open_store, store

__all__ = ["open_store", "store"]

DAY = 86_400_000
LIFETIMES = {("acme", "crm"): Lifetimes({"call_started": 20_000}), ("rival", "crm"): Lifetimes()}
DEAD = {
    "state": "dead",
    "reason": "refused",
    "settled_at": T0 + 5,
    "outcome": "refused",
    "detail": "não",
    "attempts": 1,
}


def add(store: Store, *letters: Mapping[str, object]) -> None:
    """Write letters; what is not said is a call's end that waits."""
    usual = {"tenant": "acme", "target": "crm", "kind": "call_ended", "created_at": T0, "due_at": T0, "waits_since": T0}

    def write(connection: object) -> None:
        for each in letters:
            call = str(each.get("order_key", "1"))
            row = {**usual, "order_key": call, "body": f'{{"call_id":"{call}","ramal":"3501"}}', **each}
            connection.execute(insert(tables.outbox).values(**row))  # type: ignore[attr-defined]

    store.journal.run(write)


@pytest.fixture
def letters(store: Store) -> LetterLog:
    return LetterLog(store.engine, store.journal, LIFETIMES)


def standings(letters: LetterLog, tenant: str = "acme") -> list[str]:
    return [letter.standing.value for letter in reversed(letters.search(tenant, LetterFilter(), limit=100))]


def test_each_letter_is_shown_with_what_became_of_it(store: Store, letters: LetterLog) -> None:
    add(store, DEAD | {"request": "GET /x", "answer": "HTTP/1.1 400"}, {"order_key": "7"}, {"tenant": "rival"})
    waiting, dead = letters.search("acme", LetterFilter(), limit=10)
    assert (waiting.standing, waiting.call_id) == (LetterStanding.WAITING, 7)
    plain = dead.as_json()
    wanted = {"state": "dead", "reason": "refused", "detail": "não", "request": "GET /x", "answer": "HTTP/1.1 400"}
    assert plain | wanted | {"call_id": 1, "extension": "3501", "due_at": None} == plain
    assert letters.get("rival", dead.id) is None, "it is another company's"


def test_letters_that_version_0_1_0_settled_are_shown_too(store: Store, letters: LetterLog) -> None:
    settled = {"settled_at": T0, "order_key": None, "waits_since": None}
    add(store, settled | {"outcome": "accepted"}, settled | {"outcome": "refused"})
    assert standings(letters) == ["delivered", "dead"]
    assert len(letters.search("acme", LetterFilter(standings=[LetterStanding.DEAD]), limit=9)) == 1


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (LetterFilter(target="crm"), 3),
        (LetterFilter(target="other"), 0),
        (LetterFilter(call_id=7), 1),
        (LetterFilter(since=T0 + 1), 1),
        (LetterFilter(until=T0 + 1), 2),
        (LetterFilter(before_id=2), 1),
        (LetterFilter(standings=(LetterStanding.WAITING, LetterStanding.DEAD)), 3),
        (LetterFilter(standings=(LetterStanding.DELIVERED,)), 0),
    ],
)
def test_letters_are_found(store: Store, letters: LetterLog, wanted: LetterFilter, found: int) -> None:
    add(store, DEAD, {"order_key": "7"}, {"created_at": T0 + 5})
    assert len(letters.search("acme", wanted, limit=10)) == found


def test_dead_letters_of_a_target_are_sent_again_in_the_order_of_their_call(store: Store, letters: LetterLog) -> None:
    add(store, DEAD, DEAD, DEAD | {"target": "other"}, DEAD | {"tenant": "rival"})
    assert letters.send_again("acme", LetterFilter(target="crm"), T0 + DAY) == SentAgain(2)
    assert standings(letters) == ["waiting", "waiting", "dead"]
    assert standings(letters, "rival") == ["dead"]
    outbox = Outbox(store.engine, store.journal)
    first = claim_one(outbox, "acme", "crm", T0 + DAY)
    assert first is not None
    assert (first.id, first.attempts, first.waits_since) == (1, 0, T0 + DAY)
    assert claim_one(outbox, "acme", "crm", T0 + DAY) is None, "the second is of the same call"


def test_a_window_of_time_is_sent_again(store: Store, letters: LetterLog) -> None:
    add(store, *(DEAD | {"created_at": T0 + day * DAY} for day in range(5)))
    window = LetterFilter(since=T0 + DAY, until=T0 + 3 * DAY)
    assert letters.send_again("acme", window, T0 + 9 * DAY) == SentAgain(2)
    assert standings(letters) == ["dead", "waiting", "waiting", "dead", "dead"]


def test_starts_that_are_no_news_any_more_are_sent_again_only_by_name(store: Store, letters: LetterLog) -> None:
    add(store, DEAD | {"kind": "call_started"}, DEAD | {"kind": "call_started", "created_at": T0 + DAY - 5}, DEAD)
    assert letters.send_again("acme", LetterFilter(target="crm"), T0 + DAY) == SentAgain(2, stale=1)
    assert letters.send_again("acme", LetterFilter(ids=[1]), T0 + DAY) == SentAgain(1)


def test_what_was_delivered_is_sent_again_only_where_that_is_said(store: Store, letters: LetterLog) -> None:
    add(store, {"state": "delivered", "settled_at": T0, "outcome": "accepted"})
    assert letters.send_again("acme", LetterFilter(ids=[1]), T0) == SentAgain(0)
    delivered = LetterFilter(ids=[1], standings=[LetterStanding.DELIVERED])
    assert letters.send_again("acme", delivered, T0) == SentAgain(1)


def test_letters_are_given_up_by_hand_and_those_behind_them_go_on(store: Store, letters: LetterLog) -> None:
    add(store, {}, {"blocked_by": 1}, DEAD, {"claimed_by": "somebody", "order_key": "9"})
    assert letters.drop("acme", LetterFilter(ids=[1, 3, 4]), T0 + 7, "Ana") == 2
    assert standings(letters) == ["dropped", "waiting", "dropped", "sending"]
    dropped = letters.get("acme", 1)
    assert dropped is not None
    assert (dropped.detail, render(dropped.told, "en")) == ("Ana desistiu dele.", "Given up by Ana.")
    with store.engine.connect() as connection:
        assert connection.execute(select(tables.outbox.c.blocked_by).where(tables.outbox.c.id == 2)).scalar() is None


def test_the_letters_of_a_renamed_target_are_moved(store: Store, letters: LetterLog) -> None:
    old = {"target": "old"}
    add(store, old, DEAD | old, old | {"kind": "call_started"}, old | {"state": "delivered", "settled_at": T0}, {})
    assert letters.move("acme", "old", "crm", T0 + DAY) == 3
    moved = letters.search("acme", LetterFilter(target="crm"), limit=9)
    assert [letter.standing.value for letter in moved] == ["waiting"] * 4
    moves = select(tables.outbox.c.kind, tables.outbox.c.waits_since)
    with store.engine.connect() as connection:
        since = connection.execute(moves.order_by(tables.outbox.c.id)).all()
    assert [tuple(row) for row in since[:3]] == [
        ("call_ended", T0 + DAY),
        ("call_ended", T0 + DAY),
        ("call_started", T0),
    ]


def test_what_each_target_has_is_counted_also_of_one_that_is_not_configured(store: Store, letters: LetterLog) -> None:
    add(store, {"created_at": T0 - 5}, {}, DEAD, {"target": "old"})
    counts = letters.counts()
    assert (counts["acme", "crm"].waiting, counts["acme", "crm"].dead) == (2, 1)
    assert (counts["acme", "crm"].oldest_at, counts["rival", "crm"].waiting) == (T0 - 5, 0)
    assert (counts["acme", "old"].waiting, letters.is_known(("acme", "old"))) == (1, False)
    assert letters.expire_in_ms(("acme", "crm"), counts["acme", "crm"], T0 + DAY) == 2 * DAY
    assert letters.expire_in_ms(("rival", "crm"), counts["rival", "crm"], T0) is None


def test_what_was_settled_long_ago_is_let_go_of_but_never_the_newest(store: Store, letters: LetterLog) -> None:
    lifetimes = LIFETIMES | {("acme", "other"): Lifetimes(keep_ms=90 * DAY)}
    retention = LetterRetention(store.engine, store.journal, letters, lifetimes)
    add(store, DEAD, {}, DEAD | {"target": "other"}, DEAD)
    assert retention.forget(T0 + 29 * DAY) == 0
    assert retention.forget(T0 + 31 * DAY) == 1
    assert [letter.id for letter in letters.search("acme", LetterFilter(), limit=9)] == [4, 3, 2]


def test_what_no_forward_takes_any_more_is_given_up_and_kept(store: Store, letters: LetterLog) -> None:
    retention = LetterRetention(store.engine, store.journal, letters, LIFETIMES)
    add(store, {"target": "old"}, {})
    assert retention.forget(T0 + ORPHANED_MS) == 0
    assert retention.forget(T0 + ORPHANED_MS + 1) == 1
    lost = letters.get("acme", 1)
    assert lost is not None
    assert (lost.standing, lost.reason) == (LetterStanding.DEAD, "no_forward")


def test_many_letters_are_changed_in_slices(store: Store, letters: LetterLog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.store.letters.slices.SLICE", 2)
    add(store, *[DEAD] * 5)
    store.journal.run(lambda connection: connection.execute(update(tables.outbox).values(state="dead")) and None)
    assert letters.send_again("acme", LetterFilter(), T0) == SentAgain(5)
