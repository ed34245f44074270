"""Wrong secrets of sources are held back by address, without holding a provider's right ones back."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from gateway.errors import TooManyAttempts
from gateway.logins import guesses as module
from gateway.logins.attempts import Attempts
from gateway.logins.guesses import GUESSES, SourceGuesses
from gateway.store.shared.file_counts import FileCounts


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def guesses(tmp_path: Path, clock: Clock) -> Iterator[SourceGuesses]:
    with closing(SourceGuesses(Attempts(FileCounts(tmp_path / "logins.db", clock=clock)), clock=clock)) as made:
        yield made


def guess(guesses: SourceGuesses, times: int, *, address: str = "203.0.113.9", source: str = "cloud") -> None:
    for number in range(times):
        guesses.check("acme", source, address)
        guesses.wrong("acme", source, address, f"guess {number}")


def test_after_so_many_wrong_ones_an_address_waits(guesses: SourceGuesses, clock: Clock) -> None:
    guess(guesses, GUESSES.most)
    with pytest.raises(TooManyAttempts):
        guesses.check("acme", "cloud", "203.0.113.9")
    guesses.check("acme", "cloud", "203.0.113.10")
    guesses.check("acme", "other", "203.0.113.9")
    guesses.check("other", "cloud", "203.0.113.9")
    clock.now += GUESSES.window_s
    guesses.check("acme", "cloud", "203.0.113.9")


def test_the_same_wrong_one_again_is_no_guess(guesses: SourceGuesses) -> None:
    """A provider that still sends the old secret is not locked out when it is given the new one."""
    for _ in range(GUESSES.most * 2):
        guesses.wrong("acme", "cloud", "203.0.113.9", "the old secret")
    guesses.check("acme", "cloud", "203.0.113.9")


def test_who_gave_a_right_one_is_not_held_back_by_a_strangers(guesses: SourceGuesses) -> None:
    guesses.right("acme", "cloud", "203.0.113.9")
    guess(guesses, GUESSES.most * 2)
    guesses.check("acme", "cloud", "203.0.113.9")


def test_all_addresses_of_a_strangers_ipv6_network_count_as_one(guesses: SourceGuesses) -> None:
    for number in range(GUESSES.most):
        guesses.wrong("acme", "cloud", f"2001:db8::{number + 1:x}", str(number))
    with pytest.raises(TooManyAttempts):
        guesses.check("acme", "cloud", "2001:db8::ffff")


def test_processes_count_together_and_keep_no_secret(tmp_path: Path, clock: Clock) -> None:
    path = tmp_path / "logins.db"
    with (
        closing(SourceGuesses(Attempts(FileCounts(path, clock=clock)))) as one,
        closing(SourceGuesses(Attempts(FileCounts(path, clock=clock)))) as other,
    ):
        guess(one, GUESSES.most)
        with pytest.raises(TooManyAttempts):
            other.check("acme", "cloud", "203.0.113.9")
    assert all(b"guess 1" not in file.read_bytes() for file in tmp_path.iterdir())


def test_addresses_that_were_right_are_bounded(
    guesses: SourceGuesses, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_KEPT", 3)
    tidied: list[int] = []
    monkeypatch.setattr(guesses._attempts, "tidy", lambda: tidied.append(1))
    for number in range(5):
        guesses.right("acme", "cloud", f"198.51.100.{number}")
    assert len(tidied) == 1
    assert len(guesses._remembered) <= 3
