"""The file in which a node keeps events while the database is away."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from gateway.errors import StoreUnavailable
from gateway.store.spool.file import Kept, Spool, SpoolRoom

ROOM = SpoolRoom(most_bytes=10_000_000, most_ms=60_000)
T0 = 1_700_000_000_000


@contextmanager
def spool(data: Path, room: SpoolRoom = ROOM, node: str = "n1") -> Iterator[Spool]:
    data.mkdir(exist_ok=True)
    found = Spool(data, node, room)
    try:
        yield found
    finally:
        found.close()


def kept(place: int, message: str = "m", at: int = T0) -> Kept:
    return Kept(place, at, f"{message}{place}")


def texts(found: Spool, count: int = 100) -> list[str]:
    return [each.message for each in found.next(count)]


def test_what_is_kept_comes_out_in_the_order_of_its_coming_and_waits_until_it_is_forgotten(tmp_path: Path) -> None:
    with spool(tmp_path) as one, spool(tmp_path) as other:
        assert not one.is_occupied()
        one.keep([kept(30), kept(40)])
        other.keep([kept(10)])
        assert other.waiting() == one.waiting() == 3
        assert texts(one, 2) == ["m10", "m30"]
        other.keep([kept(5)])
        assert texts(one) == ["m10", "m30"]  # these have their turns: what comes now is behind
        one.forget(one.next(2)[-1].turn)
        assert texts(other) == ["m5", "m40"]
        assert [each.turn for each in other.next(9)] == [3, 4]
        other.forget(4)
        assert not one.is_occupied()


def test_turns_and_the_name_outlive_the_process_and_turns_are_never_given_out_again(tmp_path: Path) -> None:
    with spool(tmp_path) as first:
        first.keep([kept(1), kept(2)])
        first.forget(first.next(9)[-1].turn)
        name = first.name
    with spool(tmp_path) as again:
        again.keep([kept(3)])
        assert ([each.turn for each in again.next(9)], again.name) == ([3], name)
    with spool(tmp_path, node="n2") as elsewhere:
        assert elsewhere.name != name
        assert elsewhere.name.startswith("n2/spool-")


def test_a_full_spool_takes_nothing_and_keeps_what_it_has(tmp_path: Path) -> None:
    with spool(tmp_path, SpoolRoom(200_000, 60_000)) as found:
        taken = 0
        while found.has_room(T0):
            found.keep([kept(taken, "x" * 2000)])
            taken += 1
        assert 20 < taken < 100
        with pytest.raises(StoreUnavailable):
            found.keep([kept(taken)])
        assert not found.has_room(T0)
        assert found.waiting() == taken
        found.forget(found.next(taken)[-1].turn)
        assert found.has_room(T0)


def test_a_spool_whose_oldest_event_is_too_old_takes_no_more(tmp_path: Path) -> None:
    with spool(tmp_path) as found:
        found.keep([kept(1)])
        found.keep([kept(2, at=T0 + 60_000)])
        assert not found.has_room(T0 + 60_001)
        with pytest.raises(StoreUnavailable):
            found.keep([kept(3, at=T0 + 60_001)])
        assert found.waiting() == 2


def test_what_cannot_be_taken_is_put_aside_with_the_reason(tmp_path: Path) -> None:
    with spool(tmp_path) as found:
        found.keep([kept(1), kept(2)])
        found.refuse(found.next(1)[0], "no such company")
        assert (texts(found), found.refused()) == (["m2"], 1)


def test_many_threads_keep_at_once(tmp_path: Path) -> None:
    with spool(tmp_path) as found, ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda place: found.keep([kept(place)]), range(200)))
        assert texts(found, 999) == [f"m{place}" for place in range(200)]


def test_a_spool_that_cannot_be_written_refuses(tmp_path: Path) -> None:
    with spool(tmp_path) as found, found._engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE spooled")
        connection.commit()
        with pytest.raises(StoreUnavailable):
            found.keep([kept(1)])
