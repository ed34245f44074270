"""Who of several processes tries a letter when a target's pause is over."""

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from gateway.relay.health_book import HealthBook
from gateway.relay.target_health import FAILURES, LONG_PAUSE_MS
from gateway.store.shared.contract import Shared

KEY = ("acme", "crm")


def trials(shared: Sequence[Shared | None], now: int) -> list[bool]:
    """Let all processes find the target down, and ask all at once when its pause is over; what each is told."""
    clock = [now]
    books = [HealthBook([KEY], each, lambda: clock[0]) for each in shared]
    for each in shared:
        if each is not None:
            each.now = lambda: clock[0] / 1000  # type: ignore[method-assign]
    for book in books if shared[0] is None else books[:1]:
        for _ in range(FAILURES):
            book.note(KEY, answers=False, retry_after_s=None)
    assert [book.slots(KEY, 16) for book in books] == [0] * len(books)
    clock[0] += LONG_PAUSE_MS
    assert [book.slots(KEY, 16) for book in books] == [1] * len(books)
    together = threading.Barrier(len(books))

    def ask(book: HealthBook) -> bool:
        together.wait(30)
        return book.admit(KEY)

    with ThreadPoolExecutor(len(books)) as pool:
        found = list(pool.map(ask, books))
    for book in books:
        book.close()
    return found
