"""Writers take turns: an import never keeps an event waiting for long."""

import fcntl
import threading
import time
from pathlib import Path

from gateway.store.sqlite.engine import LOCK, LONGEST_PATIENCE_S, FileLock


def test_a_patient_writer_lets_those_who_wait_pass_first(tmp_path: Path) -> None:
    """Both want the lock again and again; without patience the kernel gives it to the greedy one for long times."""
    waits: list[float] = []
    stop = threading.Event()

    def greedy() -> None:
        lock = FileLock(tmp_path / LOCK, patient=True)
        while not stop.is_set():
            with lock:
                time.sleep(0.02)
        lock.close()

    holder = threading.Thread(target=greedy)
    holder.start()
    quick = FileLock(tmp_path / LOCK)
    for _ in range(20):
        began = time.monotonic()
        with quick:
            waits.append(time.monotonic() - began)
        time.sleep(0.005)
    stop.set()
    holder.join()
    quick.close()
    assert sorted(waits)[len(waits) // 2] < 0.25


def test_patience_has_an_end(tmp_path: Path) -> None:
    patient = FileLock(tmp_path / LOCK, patient=True)
    with (tmp_path / "gateway.waiting").open() as waiting:
        fcntl.flock(waiting, fcntl.LOCK_SH)  # somebody waits for ever
        began = time.monotonic()
        with patient:
            took = time.monotonic() - began
    patient.close()
    assert LONGEST_PATIENCE_S <= took < 20
