"""Agents' passwords: argon2, with bounds on how much guessing costs us."""

import hashlib
import hmac
import os
import secrets
import time
from dataclasses import dataclass

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from prometheus_client import Counter

from gateway.errors import LoginsBusy, TooManyAttempts
from gateway.logins.attempts import Attempts, Limit, digest, place_of
from gateway.logins.turns import Alike, LoginTurns, Pace
from gateway.logins.weak import weakness
from gateway.store.directory import Agent, Directory
from gateway.store.shared.contract import SharedCounts
from gateway.texts.text import Text

SHORTEST = 8
LONGEST = 256
LOGIN_AT_ADDRESS = Limit("login_at_address", most=10, window_s=60)
ADDRESS = Limit("address", most=100, window_s=15 * 60)
LOGIN = Limit("login", most=1000, window_s=15 * 60)
"""More than ten addresses can give while they are let, so that it takes many strangers to reach it."""
REMEMBER_S = 12 * 3600
"""As long as a session: a password that was changed, or an agent that was removed, ends it at once."""
REMEMBER_ADDRESS_S = 30 * 24 * 3600
LEAST_S = 0.1
KEY = "CTI_GATEWAY_LOGIN_KEY"
REASONS = ("wrong", LOGIN_AT_ADDRESS.name, ADDRESS.name, LOGIN.name, "busy")
REFUSED = Counter(
    "cti_logins_refused_total",
    "Logins refused: wrong, after too many wrong ones (of a login at an address, of an address, of a login), too busy",
    ["reason"],
)
for _reason in REASONS:
    REFUSED.labels(_reason)
_hasher = PasswordHasher()


class WeakPassword(ValueError):
    """A password that may not be chosen; ``text`` says why, and never holds the password."""

    def __init__(self, text: Text) -> None:
        super().__init__(str(text))
        self.text = text


def hash_password(password: str, *, login: str = "") -> str:
    """Return the argon2id hash to store.

    Raises ``WeakPassword`` when the password is too short, too long, or one of those that are guessed first.
    """
    if not SHORTEST <= len(password) <= LONGEST:
        text = Text(
            "a password needs {least} to {most} characters; this one has {count}",
            least=SHORTEST,
            most=LONGEST,
            count=len(password),
        )
        raise WeakPassword(text)
    if reason := weakness(password, login):
        raise WeakPassword(
            Text("this password is guessed too easily: {reason}; choose another, such as four words", reason=reason)
        )
    return _hasher.hash(password)


def shared_key() -> bytes:
    """Return the key of remembered passwords, the same in all processes of one gateway, made when it starts; never on
    disk.
    """
    return bytes.fromhex(os.environ.setdefault(KEY, secrets.token_hex(32)))


class Verifier:
    """Verifies logins, and bounds what guessing costs us and brings others.

    A CRM sends the password with every click, so a good one is remembered (as a keyed hash), and passes whatever
    strangers do. Wrong ones are counted by login and address, more widely by address and by login; who gave a good
    password from an address before is held back there only by wrong ones of the same login and address.
    """

    def __init__(self, directory: Directory, attempts: Attempts, *, turns: LoginTurns, pace: Pace) -> None:
        self._directory = directory
        self._attempts = attempts
        self._turns = turns
        self._pace = pace
        self._alike = Alike()
        self._key = shared_key()

    def verify(self, tenant: str, login: str, password: str, address: str = "") -> Agent | None:
        """Return the agent, or None when login or password is wrong; ``address`` is the client's.

        Raises ``TooManyAttempts``, ``LoginsBusy``.
        """
        found = self._directory.agent_with_hash(tenant, login)
        if found and self._is_remembered(found, password):
            return found[0]
        who = Try(tenant, login, place_of(address))
        with self._alike.after_first(digest(repr(who), self._keyed(password).hex())):
            if found and self._is_remembered(found, password):
                return found[0]
            return self._try_counted(who, found, password[:LONGEST])

    def close(self) -> None:
        self._attempts.close()

    def _is_remembered(self, found: tuple[Agent, str], password: str) -> bool:
        return self._attempts.knows(self._mark(found, password))

    def _try_counted(self, who: "Try", found: tuple[Agent, str] | None, password: str) -> Agent | None:
        try:
            agent = self._try(who, found, password)
        except LoginsBusy:
            REFUSED.labels("busy").inc()
            raise
        if agent is None:
            REFUSED.labels("wrong").inc()
        return agent

    def _try(self, who: "Try", found: tuple[Agent, str] | None, password: str) -> Agent | None:
        known = self._attempts.knows(who.mark)
        self._check_limits(who, known=known)
        with self._turns.of(who.address, known=known):
            # Others of this address may have failed, or succeeded, while this one waited.
            if found and self._is_remembered(found, password):
                return found[0]
            self._check_limits(who, known=known)
            began = time.monotonic()
            if self._is_good(found, password) and found:
                self._attempts.remember(self._mark(found, password), REMEMBER_S)
                self._attempts.remember(who.mark, REMEMBER_ADDRESS_S)
                return found[0]
            self._count(who, password)
            self._pace.refuse(began)
            return None

    def _count(self, who: "Try", password: str) -> None:
        """Count a wrong password; one that a program repeats is no guess, and so no matter of the wider limits."""
        mark = digest("wrong", repr(who), self._keyed(password).hex())
        repeated = self._attempts.knows(mark)
        for limit, counted in who.counted():
            if limit is LOGIN_AT_ADDRESS or not repeated:
                self._attempts.count(limit, *counted)
        self._attempts.remember(mark, ADDRESS.window_s)

    def _is_good(self, found: tuple[Agent, str] | None, password: str) -> bool:
        """Return whether the password is the agent's; an unknown login waits for its turn as well, but
        hashes nothing.
        """
        with self._turns.hashing():
            if found is None:
                return False
            with self._pace.measured():
                return _verified(found[1], password)

    def _check_limits(self, who: "Try", *, known: bool) -> None:
        for limit, counted in who.counted():
            wait_s = self._attempts.wait_s(limit, *counted) if limit is LOGIN_AT_ADDRESS or not known else 0
            if wait_s:
                REFUSED.labels(limit.name).inc()
                raise TooManyAttempts(max(1, round(wait_s)))

    def _mark(self, found: tuple[Agent, str], password: str) -> bytes:
        """Return the mark by which an agent's good password is remembered; a new hash in the directory makes it
        worthless.
        """
        agent, stored = found
        return digest("password", agent.tenant, agent.login, stored, self._keyed(password).hex())

    def _keyed(self, password: str) -> bytes:
        return hmac.digest(self._key, password.encode("utf-8", "surrogatepass"), hashlib.sha256)


@dataclass(frozen=True, slots=True)
class Try:
    """Who tries: a login of a company at an address."""

    tenant: str
    login: str
    address: str

    @property
    def mark(self) -> bytes:
        """What is remembered of a good one."""
        return digest("good", self.tenant, self.login, self.address)

    def counted(self) -> tuple[tuple[Limit, tuple[str, ...]], ...]:
        """Return the limits by which a wrong password counts, and as whose."""
        login = (self.tenant, self.login)
        return (LOGIN_AT_ADDRESS, (*login, self.address)), (ADDRESS, (self.address,)), (LOGIN, login)


def verifier(directory: Directory, counts: SharedCounts | None, *, least_s: float = LEAST_S) -> Verifier:
    """Return the verifier of logins of ``directory``, which counts with all processes that share ``counts``."""
    return Verifier(directory, Attempts(counts), turns=LoginTurns(), pace=Pace(least_s=least_s))


def _verified(stored: str, password: str) -> bool:
    try:
        return _hasher.verify(stored, password)
    except (VerificationError, InvalidHashError):
        return False
