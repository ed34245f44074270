"""What may block, as the wires are given it: on the event loop it is handed to a thread of the pool.

The wires wait for the journal in a way of their own (``loop_runs.py``). All else that they call and that may wait for
a disk, a database, an appliance or a turn is listed here; docs/how-it-works.md says why nothing else is.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from gateway.domain.messages import HangUp, Message, PlaceCall
from gateway.domain.patterns import do_long_matches
from gateway.handlers import Core, Reply
from gateway.logins.guesses import SourceGuesses
from gateway.server.loop_runs import off_loop
from gateway.wire.intake import VerifyAgent
from gateway.wire.webhooks.lookups import LookUpNumber

ORDERS = frozenset({PlaceCall, HangUp})


@dataclass(frozen=True, slots=True)
class OrdersOffLoop:
    """The handlers; those that wait for an appliance run on one thread from the order's admission to its answer."""

    core: Core

    def handle(self, message: Message) -> Reply:
        """Do what ``message`` says. Raises what ``Core.handle`` raises."""
        if type(message) in ORDERS:
            return off_loop(partial(self.core.handle, message))
        return self.core.handle(message)

    def within(self, seconds: float) -> "OrdersOffLoop":
        """Return these handlers for one request that is answered within so many seconds."""
        return OrdersOffLoop(self.core.within(seconds))


@dataclass(frozen=True, slots=True)
class GuessesOffLoop:
    """Wrong secrets, counted in a file or a database that all processes share."""

    guesses: SourceGuesses

    def check(self, tenant: str, source: str, address: str) -> None:
        """Raise ``TooManyAttempts``; who has proved a secret lately is not asked about."""
        if not self.guesses.has_proven(tenant, source, address):
            off_loop(partial(self.guesses.check, tenant, source, address))

    def right(self, tenant: str, source: str, address: str) -> None:
        """Remember who gave a right one."""
        if not self.guesses.has_proven(tenant, source, address):
            off_loop(partial(self.guesses.right, tenant, source, address))

    def wrong(self, tenant: str, source: str, address: str, guess: str) -> None:
        """Count a wrong one."""
        off_loop(partial(self.guesses.wrong, tenant, source, address, guess))


def long_matches_off_loop() -> None:
    """Have regular expressions of extensions and dial plans that take long for a text matched on a thread."""
    do_long_matches(off_loop)


def passwords_off_loop(verify: VerifyAgent) -> VerifyAgent:
    """Return ``verify``, which hashes and waits for its turn."""
    return lambda tenant, login, password, address: off_loop(partial(verify, tenant, login, password, address))


def lookups_off_loop(look_up: LookUpNumber) -> LookUpNumber:
    """Return ``look_up``, which reads the directory."""

    def looked_up(tenant: str, number: str) -> Mapping[str, str]:
        return off_loop(partial(look_up, tenant, number))

    return looked_up
