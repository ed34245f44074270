"""Logins: strangers are held back, and hold nobody else back."""

import statistics
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from argon2 import PasswordHasher, Type, extract_parameters
from prometheus_client import REGISTRY

from gateway.errors import LoginsBusy, TooManyAttempts
from gateway.logins import passwords
from gateway.logins.attempts import Attempts
from gateway.logins.passwords import ADDRESS, LOGIN, LOGIN_AT_ADDRESS, Verifier
from gateway.logins.turns import LoginTurns, Pace
from gateway.store.directory import Agent
from gateway.store.shared.file_counts import FileCounts

QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
GOOD = "segredo-123"
CRM, STRANGER, HOME = "192.168.0.9", "203.0.113.5", "198.51.100.7"


class Agents:
    """A directory of agents who all have one password."""

    def __init__(self, *logins: str, hashed: str = "") -> None:
        self.logins = logins
        self.hashed = hashed or QUICK.hash(GOOD)

    def agent_with_hash(self, tenant: str, login: str) -> tuple[Agent, str] | None:
        return (Agent(1, tenant, login, login, "3501"), self.hashed) if login in self.logins else None


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def agents() -> Agents:
    return Agents("ana", "bia")


@pytest.fixture
def verifier(agents: Agents, clock: Clock) -> Verifier:
    return made(agents, Attempts(FileCounts(None, clock=clock)))


def made(agents: Agents, attempts: Attempts, **turns: float) -> Verifier:
    return Verifier(agents, attempts, turns=LoginTurns(**turns), pace=Pace(least_s=0))  # type: ignore[arg-type]


def refused(reason: str) -> float:
    return REGISTRY.get_sample_value("cti_logins_refused_total", {"reason": reason}) or 0


def ok(verifier: Verifier, login: str, address: str, password: str = GOOD) -> bool:
    return verifier.verify("acme", login, password, address) is not None


def guess(verifier: Verifier, login: str, address: str, times: int) -> None:
    for number in range(times):
        assert not ok(verifier, login, address, f"errada-{number}")


def test_a_stranger_locks_nobody_out_but_himself(verifier: Verifier) -> None:
    assert ok(verifier, "ana", CRM)
    guess(verifier, "ana", STRANGER, LOGIN_AT_ADDRESS.most)
    with pytest.raises(TooManyAttempts):
        ok(verifier, "ana", STRANGER, "outra")
    assert ok(verifier, "ana", CRM), "the CRM's clicks"
    assert ok(verifier, "ana", HOME), "a fresh login from elsewhere"
    assert ok(verifier, "ana", STRANGER), "a good password that is remembered passes, wherever it comes from"


def test_a_remembered_password_passes_all_limits_until_it_is_changed(
    verifier: Verifier, agents: Agents, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ok(verifier, "ana", CRM)
    monkeypatch.setattr(passwords, "_verified", None)
    assert ok(verifier, "ana", CRM), "without hashing"
    monkeypatch.undo()
    guess(verifier, "ana", CRM, LOGIN_AT_ADDRESS.most)
    assert ok(verifier, "ana", CRM)
    agents.hashed = QUICK.hash("outra-senha-7")
    with pytest.raises(TooManyAttempts):
        ok(verifier, "ana", CRM)


def test_a_remembered_password_is_another_agent_s_nothing(verifier: Verifier, agents: Agents) -> None:
    assert ok(verifier, "ana", CRM)
    assert not ok(verifier, "carla", CRM)
    agents.logins = ("bia",)
    assert not ok(verifier, "ana", CRM)


def test_an_address_that_guesses_at_many_logins_is_stopped(verifier: Verifier, clock: Clock) -> None:
    assert ok(verifier, "ana", STRANGER)
    before = refused("address")
    for number in range(ADDRESS.most):
        assert not ok(verifier, f"inventado-{number}", STRANGER, f"errada-{number}")
    with pytest.raises(TooManyAttempts) as caught:
        ok(verifier, "bia", STRANGER)
    assert caught.value.retry_after_s == ADDRESS.window_s
    assert refused("address") == before + 1
    assert ok(verifier, "bia", CRM)
    assert ok(verifier, "ana", STRANGER)
    clock.now += ADDRESS.window_s
    assert ok(verifier, "bia", STRANGER)


def test_a_login_at_which_many_addresses_guess_is_closed_to_strangers_only(verifier: Verifier) -> None:
    assert ok(verifier, "ana", HOME)
    for number in range(LOGIN.most):
        assert not ok(verifier, "ana", f"203.0.{number // 250}.{number % 250}", f"errada-{number}")
    with pytest.raises(TooManyAttempts):
        ok(verifier, "ana", "192.0.2.200", "outra")
    assert ok(verifier, "ana", "192.0.2.200"), "remembered"
    verifier._key = b"after a restart, when no password is remembered"
    with pytest.raises(TooManyAttempts):
        ok(verifier, "ana", "192.0.2.201")
    assert ok(verifier, "ana", HOME), "who gave the good one there before"


def test_a_program_that_repeats_one_wrong_password_closes_nothing_but_its_own_login(
    verifier: Verifier, clock: Clock
) -> None:
    for _ in range(ADDRESS.most + 50):
        assert not ok(verifier, "bia", CRM, "velha-senha")
        clock.now += 7
    assert ok(verifier, "ana", CRM)


def test_refusals_are_counted_by_reason(verifier: Verifier) -> None:
    wrong, held = refused("wrong"), refused("login_at_address")
    guess(verifier, "ana", STRANGER, LOGIN_AT_ADDRESS.most)
    with pytest.raises(TooManyAttempts):
        ok(verifier, "ana", STRANGER, "outra")
    assert refused("wrong") == wrong + LOGIN_AT_ADDRESS.most
    assert refused("login_at_address") == held + 1


def test_two_processes_count_and_remember_together(agents: Agents, tmp_path: Path) -> None:
    one, two = (made(agents, Attempts(FileCounts(tmp_path / "logins.db"))) for _ in range(2))
    assert ok(one, "ana", CRM)
    for number in range(LOGIN_AT_ADDRESS.most):
        assert not ok((one, two)[number % 2], "ana", CRM, f"errada-{number}")
    for each in (one, two):
        with pytest.raises(TooManyAttempts):
            ok(each, "ana", CRM, "outra")
        assert ok(each, "ana", CRM)
        each.close()


def in_threads(work: Callable[[int], None], count: int) -> list[threading.Thread]:
    threads = [threading.Thread(target=work, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    return threads


def test_sixty_connections_with_made_up_logins_keep_nobody_waiting() -> None:
    """With argon2 as it is. They kept a fresh login waiting for 20 s."""
    verifier = passwords.verifier(Agents("ana", hashed=passwords._hasher.hash(GOOD)), None)  # type: ignore[arg-type]
    stop, busy = threading.Event(), []

    def flood(number: int) -> None:
        while not stop.is_set():
            try:
                verifier.verify("acme", f"inventado-{number}", "senha-qualquer", STRANGER)
            except (LoginsBusy, TooManyAttempts) as error:
                busy.append(error)
                stop.wait(0.05)

    threads = in_threads(flood, 60)
    try:
        time.sleep(0.5)
        began = time.monotonic()
        assert ok(verifier, "ana", HOME)
        assert time.monotonic() - began < 10
    finally:
        stop.set()
        for thread in threads:
            thread.join(20)
    assert any(isinstance(error, LoginsBusy) for error in busy)


def test_a_crm_that_sends_one_login_many_times_at_once_is_not_too_busy(clock: Clock) -> None:
    """As after a restart, when nothing is remembered yet."""
    slow = made(
        Agents("ana", hashed=PasswordHasher(time_cost=2, memory_cost=2**15).hash(GOOD)),
        Attempts(FileCounts(None, clock=clock)),
    )
    answers: list[bool] = []
    clicks = [threading.Thread(target=lambda: answers.append(ok(slow, "ana", CRM))) for _ in range(32)]
    for click in clicks:
        click.start()
    for click in clicks:
        click.join(20)
    assert answers == [True] * 32, "as many as one address has threads"


def test_alike_tries_of_a_wrong_password_are_still_counted_and_bounded(verifier: Verifier) -> None:
    outcomes: list[str] = []

    def guess_once() -> None:
        try:
            outcomes.append(str(ok(verifier, "ana", STRANGER, "errada")))
        except (TooManyAttempts, LoginsBusy) as error:
            outcomes.append(type(error).__name__)

    guesses = [threading.Thread(target=guess_once) for _ in range(40)]
    for each in guesses:
        each.start()
    for each in guesses:
        each.join(20)
    assert outcomes.count("False") <= LOGIN_AT_ADDRESS.most
    assert len(outcomes) == 40


def test_how_long_a_refusal_takes_does_not_tell_whether_the_login_exists() -> None:
    verifier = passwords.verifier(Agents("ana", hashed=passwords._hasher.hash(GOOD)), None)  # type: ignore[arg-type]

    def median_s(login: str, address: str) -> float:
        took = []
        for number in range(3):
            began = time.monotonic()
            assert not ok(verifier, login, address, f"errada-{number}")
            took.append(time.monotonic() - began)
        return statistics.median(took)

    known, unknown = median_s("ana", CRM), median_s("ninguem", STRANGER)
    assert 0.5 < known / unknown < 2


def test_the_product_hashes_as_rfc_9106_recommends(product_hasher: PasswordHasher) -> None:
    found = extract_parameters(product_hasher.hash(GOOD))
    assert (found.type, found.time_cost, found.memory_cost, found.parallelism) == (Type.ID, 3, 2**16, 4)
