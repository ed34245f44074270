"""What may block is not done by the event loop's thread, and what need not is done at once."""

import asyncio
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from gateway.domain.messages import CallStarted, HangUp, Message, Origin, PlaceCall
from gateway.handlers import Core, Reply
from gateway.logins.guesses import SourceGuesses
from gateway.server.blocking import GuessesOffLoop, OrdersOffLoop, lookups_off_loop, passwords_off_loop
from tests.server.test_loop_runs import Pool, done

HERE = Origin("get", "::1")
ORDERS: list[Message] = [PlaceCall("acme", "3501", "4733334444", HERE, 1), HangUp("acme", 1, HERE, "ana")]
EVENT = CallStarted("acme", "3501", "4733334444", HERE, 1)


@dataclass(frozen=True)
class NotedCore(Core):
    """Handlers that note on which threads they are called, and within which time they answer."""

    threads: list[int] = field(default_factory=list)
    within_s: float | None = None

    def handle(self, message: Message) -> Reply:
        self.threads.append(threading.get_ident())
        return Reply(True, f"{type(message).__name__} within {self.within_s}", 7)

    def within(self, seconds: float) -> Core:
        return replace(self, within_s=seconds)


class NotedGuesses(SourceGuesses):
    """Counts nothing; notes what it is asked, and on which threads."""

    def __init__(self, *, proven: bool) -> None:
        self.proven = proven
        self.asked: list[str] = []
        self.threads: list[int] = []

    def _note(self, what: str) -> None:
        self.asked.append(what)
        self.threads.append(threading.get_ident())

    def has_proven(self, tenant: str, source: str, address: str) -> bool:
        return self.proven

    def check(self, tenant: str, source: str, address: str) -> None:
        self._note("check")

    def right(self, tenant: str, source: str, address: str) -> None:
        self._note("right")

    def wrong(self, tenant: str, source: str, address: str, guess: str) -> None:
        self._note(f"wrong {guess}")


def on_loop(work: Callable[[], Any]) -> Any:
    """Return what comes of ``work`` on the thread of an event loop, which is this one."""

    async def run() -> list[Any]:
        return await done(Pool().runs(), work)

    (found,) = asyncio.run(run())
    return found


@pytest.mark.parametrize("message", ORDERS, ids=lambda message: type(message).__name__)
def test_orders_are_handled_on_a_thread_of_the_pool(message: Message) -> None:
    core = NotedCore({}, None, None)  # type: ignore[arg-type]
    reply = on_loop(lambda: OrdersOffLoop(core).handle(message))
    assert reply.message == f"{type(message).__name__} within None"
    assert core.threads != [threading.get_ident()]
    reply = on_loop(lambda: OrdersOffLoop(core).within(2.5).handle(message))
    assert reply.message == f"{type(message).__name__} within 2.5"
    assert threading.get_ident() not in core.threads


def test_what_exchanges_tell_is_handled_on_the_loop_within_its_time() -> None:
    core = NotedCore({}, None, None)  # type: ignore[arg-type]
    reply = on_loop(lambda: OrdersOffLoop(core).within(2.5).handle(EVENT))
    assert (reply.message, core.threads) == ("CallStarted within 2.5", [threading.get_ident()])


def test_secrets_are_counted_on_a_thread_of_the_pool() -> None:
    guesses = NotedGuesses(proven=False)
    counted = GuessesOffLoop(guesses)
    on_loop(lambda: counted.check("acme", "crm", "192.0.2.7"))
    on_loop(lambda: counted.right("acme", "crm", "192.0.2.7"))
    on_loop(lambda: counted.wrong("acme", "crm", "192.0.2.7", "guess"))
    assert guesses.asked == ["check", "right", "wrong guess"]
    assert threading.get_ident() not in guesses.threads


def test_nobody_is_asked_about_who_has_proved_a_secret_lately_but_wrong_ones_count() -> None:
    guesses = NotedGuesses(proven=True)
    counted = GuessesOffLoop(guesses)
    on_loop(lambda: counted.check("acme", "crm", "192.0.2.7"))
    on_loop(lambda: counted.right("acme", "crm", "192.0.2.7"))
    on_loop(lambda: counted.wrong("acme", "crm", "192.0.2.7", "guess"))
    assert guesses.asked == ["wrong guess"]


def test_passwords_and_the_directory_are_looked_at_on_a_thread_of_the_pool() -> None:
    threads: list[int] = []

    def verify(*given: str) -> str:
        threads.append(threading.get_ident())
        return " ".join(given)

    def look_up(*given: str) -> dict[str, str]:
        threads.append(threading.get_ident())
        return {"given": " ".join(given)}

    assert on_loop(lambda: passwords_off_loop(verify)("acme", "ana", "senha", "::1")) == "acme ana senha ::1"
    assert on_loop(lambda: lookups_off_loop(look_up)("acme", "4733334444")) == {"given": "acme 4733334444"}
    assert len(threads) == 2
    assert threading.get_ident() not in threads
