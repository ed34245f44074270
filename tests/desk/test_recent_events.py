"""What is remembered of the last events, and what not."""

from dataclasses import replace

from gateway.desk.recent_events import RecentEvent, RecentEvents
from gateway.store.reading.log import LoggedEvent
from gateway.store.reading.positions import Position


def event(seq: int, tenant: str = "acme", epoch: int = 0) -> LoggedEvent:
    return LoggedEvent(seq, tenant, "call_started", 1, "3501", seq, "{}", epoch)


def seqs(recent: RecentEvents, last: int, tenant: str = "acme") -> list[int] | None:
    found = recent.behind(tenant, Position(0, last), None, most=100)
    return None if found is None else [each.seq for each in found]


def test_what_came_since_it_began_is_known_and_nothing_older() -> None:
    recent = RecentEvents()
    recent.begin("acme", Position(0, 3))
    for seq in (4, 6, 7):
        recent.add(event(seq))
    assert (seqs(recent, 3), seqs(recent, 5), seqs(recent, 7)) == ([4, 6, 7], [6, 7], [])
    assert seqs(recent, 2) is None
    assert recent.behind("acme", Position(1, 5), None, most=100) is None
    assert seqs(recent, 5, "rival") is None


def test_an_event_that_is_given_again_is_kept_once() -> None:
    recent = RecentEvents()
    recent.begin("acme", Position(0, 0))
    for seq in (1, 2, 1, 2, 3):
        recent.add(event(seq))
    assert seqs(recent, 0) == [1, 2, 3]


def test_what_was_read_of_the_log_reaches_further_back() -> None:
    recent = RecentEvents()
    recent.begin("acme", Position(0, 5))
    recent.add(event(6))
    recent.extend("acme", Position(0, 2), [RecentEvent(event(seq)) for seq in (3, 5, 6)], read_to=Position(0, 6))
    assert (seqs(recent, 2), seqs(recent, 4)) == ([3, 5, 6], [5, 6])


def test_what_was_read_before_it_began_anew_leaves_no_gap() -> None:
    recent = RecentEvents()
    recent.begin("acme", Position(0, 5))
    recent.extend("acme", Position(0, 2), [RecentEvent(event(3)), RecentEvent(event(4))], read_to=Position(0, 4))
    assert (seqs(recent, 2), seqs(recent, 5)) == (None, [])


def test_the_oldest_are_forgotten_first_and_it_is_known_that_they_are() -> None:
    recent = RecentEvents(most=4)
    for tenant in ("acme", "rival"):
        recent.begin(tenant, Position(0, 0))
    for seq in range(1, 5):
        recent.add(event(seq))
    recent.add(event(5, "rival"))
    recent.add(event(6, "rival"))
    assert (seqs(recent, 1), seqs(recent, 2), seqs(recent, 0, "rival")) == (None, [3, 4], [5, 6])


def test_nothing_is_remembered_across_an_epoch() -> None:
    recent = RecentEvents()
    recent.begin("acme", Position(0, 0))
    recent.add(event(1))
    recent.add(event(1, epoch=1))
    assert seqs(recent, 0) is None


def test_a_company_that_is_forgotten_leaves_room() -> None:
    recent = RecentEvents(most=2)
    for tenant in ("acme", "rival"):
        recent.begin(tenant, Position(0, 0))
        recent.add(event(1, tenant))
    recent.forget("acme")
    recent.add(event(2, "rival"))
    assert (seqs(recent, 0), seqs(recent, 0, "rival")) == (None, [1, 2])


def of_extension(recent: RecentEvents, last: int, *extensions: str, most: int = 100) -> list[int]:
    found = recent.behind("acme", Position(0, last), extensions, most=most)
    assert found is not None
    return [each.seq for each in found]


def test_those_of_an_extension_are_found_among_all_by_their_order() -> None:
    recent = RecentEvents(most=6)
    recent.begin("acme", Position(0, 0))
    for seq in range(1, 9):
        recent.add(replace(event(seq), extension=("3501", "3502", "3503")[seq % 3]))
    assert (of_extension(recent, 2, "3501"), of_extension(recent, 3, "3501")) == ([3, 6], [6])
    assert of_extension(recent, 2, "3502", "3503") == [4, 5, 7, 8]
    assert of_extension(recent, 2, "3502", "3503", most=1) == [7, 8]
    assert of_extension(recent, 2, "3599") == []


def test_both_ends_of_an_internal_call_are_told_of_older_events_too() -> None:
    recent = RecentEvents()
    recent.begin("acme", Position(0, 5))
    inside = replace(event(4), payload='{"direction":"internal","number":"3502"}')
    recent.extend("acme", Position(0, 3), [RecentEvent(inside), RecentEvent(event(5))], read_to=Position(0, 5))
    assert (of_extension(recent, 3, "3502"), of_extension(recent, 3, "3501")) == ([4], [4, 5])
    recent.forget("acme")
    recent.begin("acme", Position(0, 0))
    assert of_extension(recent, 0, "3501") == []


def test_an_event_is_rendered_once_for_all_that_missed_it() -> None:
    recent = RecentEvents()
    recent.begin("acme", Position(0, 0))
    recent.add(event(1))
    first, second = (recent.behind("acme", Position(0, 0), ["3501"], most=9) for _ in range(2))
    assert first
    assert second
    assert first[0].shown is second[0].shown


def test_what_is_forgotten_of_a_company_is_forgotten_of_its_extensions() -> None:
    recent = RecentEvents(most=3)
    recent.begin("acme", Position(0, 0))
    for seq in range(1, 10):
        recent.add(event(seq))
    (kept,) = recent._tails["acme"].by_end.values()
    assert [found.seq for found in kept] == [7, 8, 9]
