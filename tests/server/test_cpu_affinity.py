"""A busy worker keeps to one processor, a calm one to none."""

import errno
import json
import subprocess
import sys

import pytest

from gateway.server.cpu_affinity import Keeper, can_move, is_busy, share


@pytest.mark.parametrize(
    ("loads", "busy"),
    [
        ([0.0], False),
        ([0.4], False),
        ([0.5], True),
        ([1.9, 0.3], True),
        ([1.9, 0.24], False),
        ([0.9, 0.1, 0.4], False),
    ],
)
def test_a_worker_is_busy_until_it_is_calm(loads, busy):
    state = False
    for load in loads:
        state = is_busy(load, state)
    assert state is busy


def test_workers_share_the_processors_that_they_may_use():
    assert [share(number, {2, 5, 7}) for number in (1, 2, 3, 4)] == [2, 5, 7, 2]


WORKER = """
import json, os, threading
from gateway.server.cpu_affinity import Keeper, move

used, seen = 0.0, []
keeper = Keeper(2, used_s=lambda: used)
stay = threading.Event()
threading.Thread(target=stay.wait, daemon=True).start()

def where():
    threads = [os.sched_getaffinity(int(each)) for each in os.listdir("/proc/self/task")]
    assert len(threads) == 2 and threads[0] == threads[1]
    return sorted(threads[0])

for more in (0, 1000, 1000, 0):
    used += more
    keeper.look()
    seen.append(where())
move({4096})
print(json.dumps([sorted(keeper._all), *seen]))
"""


@pytest.mark.skipif(not can_move(), reason="this system does not let a process choose its processors")
def test_all_threads_move_when_a_worker_gets_busy_and_when_it_gets_calm():
    done = subprocess.run([sys.executable, "-c", WORKER], capture_output=True, text=True, timeout=60, check=True)
    allowed, *seen = json.loads(done.stdout)
    own = [allowed[1 % len(allowed)]]
    assert seen == [allowed, own, own, allowed]


def test_a_move_that_failed_is_tried_again(monkeypatch):
    loads = iter([0.0, 1000.0, 2000.0])
    keeper = Keeper(1, used_s=lambda: next(loads))
    moved = []

    def move(processors):
        moved.append(processors)
        if len(moved) == 1:
            raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr("gateway.server.cpu_affinity.move", move)
    with pytest.raises(OSError, match="Too many"):
        keeper.look()
    keeper.look()
    assert moved == [moved[0], moved[0]]
