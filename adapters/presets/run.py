"""The order of a preset's steps: login, before, dial, after, logout; and what the whole comes to.

Up to ``dial`` nothing is dialled: what goes wrong there is *refused* or *unreachable*, never *unknown*.
"""

import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

from adapters.http.client import HttpAnswer, Peer
from adapters.http.connection import Attempt
from adapters.http.outcomes import Failed, built, outcome_of_status
from adapters.http.retry_after import retry_after_s
from adapters.http.templates import Template
from adapters.presets.answers import AnswerReading, Judgement, captured, holds, judge
from adapters.presets.language import AnswerPlace
from adapters.presets.schema import PresetSession
from adapters.presets.sessions import Login, LoginSessions
from adapters.presets.steps import PreparedStep
from gateway.adapter import Delivery, Outcome, Outgoing, Probe
from gateway.domain.event_fields import EVENT_KINDS
from gateway.errors import AdapterError
from gateway.texts.text import Text

SENT_S = 2.0
"""How long the answer to a step is waited for that only has to be sent, as a logout has."""
_OPENINGS = {
    ("login", Outcome.REFUSED): Text("The appliance {name!r} refused the login"),
    ("login", Outcome.UNREACHABLE): Text("The appliance {name!r} did not complete the login and nothing was dialled"),
    ("before", Outcome.REFUSED): Text("The appliance {name!r} refused to prepare the call"),
    ("before", Outcome.UNREACHABLE): Text(
        "The appliance {name!r} did not complete the preparation of the call and nothing was dialled"
    ),
}
_NOTHING = Text("The appliance {name!r} is told nothing of this event")
_LOST = Text("The appliance {name!r} accepted the order, but not the step that confirms it; the call may be lost")


def first_of(calls: Mapping[str, tuple[PreparedStep, ...]]) -> PreparedStep:
    """Return the step that dials; in a preset that does not, the first of those that follow events."""
    return next(call for name in ("dial", *EVENT_KINDS) for call in calls.get(name, ()))


def wanted(call: PreparedStep, message: Outgoing) -> bool:
    """Return whether a step is taken for an event, by its condition."""
    return call.when is None or call.when.holds({**message.fields, "event": message.kind})


class Stopped(Exception):
    """A step before the dialling did not succeed."""

    def __init__(self, delivery: Delivery) -> None:
        super().__init__(str(delivery.text))
        self.delivery = delivery


class Expired(Exception):
    """The kept ``login`` is over, and nothing was done."""

    def __init__(self, login: Login) -> None:
        super().__init__("the login is over")
        self.login = login


class Runner:
    """Runs one preset at one appliance, for many threads at once."""

    def __init__(
        self, peer: Peer, calls: Mapping[str, tuple[PreparedStep, ...]], session: PresetSession | None
    ) -> None:
        self._peer = peer
        self._calls = calls
        self._sessions = LoginSessions(session)
        self._need_not_come = {session.lifetime_from} if session else set()

    @property
    def longest_s(self) -> float:
        """Seconds that an order takes at most: what follows the dialling has a time of its own."""
        after = (self._peer.timeout_s if call.step.must_answer else SENT_S for call in self._calls["after"])
        return self._peer.timeout_s + sum(after) + SENT_S

    def order(self, message: Outgoing) -> Delivery:
        """Place the call."""
        return self._twice(message, self._order)

    def hang_up(self, message: Outgoing) -> Delivery:
        """End the call ``{{ ref }}``, one of the message's fields."""
        return self._twice(message, self._hang_up)

    def tell(self, message: Outgoing) -> Delivery:
        """Take the steps that follow the event ``message``; what they captured is kept in what comes of it."""
        return self._twice(message, self._tell)

    def resume(self, captures: Mapping[str, str]) -> None:
        """Begin with a kept login that captured these values, as if an order had been placed before."""
        self._sessions.resume(captures)

    def _twice(self, message: Outgoing, act: Callable[[Outgoing, Login, Attempt], Delivery]) -> Delivery:
        """Log in and ``act``; when a kept login turns out to be over, once more with a newer one, which is not doubted:
        another order may have made it meanwhile, and two orders could end each other's logins for ever.
        """
        attempt = self._peer.attempt()
        try:
            try:
                return self._within(message, act, attempt)
            except Expired as expired:
                self._sessions.forget(expired.login)
                return self._within(message, act, attempt, again=True)
        except Stopped as stopped:
            return stopped.delivery
        except Failed as failed:
            return self._peer.delivery(failed.outcome, failed.reason)
        except AdapterError as error:
            return self._peer.unbuilt(error)

    def _within(
        self,
        message: Outgoing,
        act: Callable[[Outgoing, Login, Attempt], Delivery],
        attempt: Attempt,
        *,
        again: bool = False,
    ) -> Delivery:
        login = self._sessions.enter(lambda: self._log_in(message, attempt), attempt)
        login = replace(login, kept=login.kept and not again)
        began = time.monotonic()
        delivery = act(_told(message, login.values), login, attempt)
        if delivery.outcome in (Outcome.ACCEPTED, Outcome.REFUSED):
            self._sessions.used(began)
        return delivery

    def probe(self, message: Outgoing) -> Probe:
        """Log in, ask what harms nobody, log out. Raises ``AdapterError`` when ``message`` is too little for that."""
        attempt = self._peer.attempt()
        try:
            told = _told(message, self._log_in(message, attempt))
            for call in self._calls["probe"]:
                told = self._prepare(call, "login", told, attempt)
            self._log_out(told)
        except Stopped as stopped:
            if isinstance(stopped.__cause__, Failed):
                return self._peer.unfit(self._origin, stopped.__cause__.reason, stopped.__cause__.code)
            return Probe(False, stopped.delivery.text)
        asked = Text("the login was accepted") if self._calls["login"] else Text("the question was accepted")
        return self._peer.fit(self._origin, asked)

    @property
    def _origin(self) -> str:
        return first_of(self._calls).origin

    def close(self) -> None:
        """Log out of a kept login."""
        if login := self._sessions.kept:
            self._log_out(_told(Outgoing("logout", "", {}), login.values))

    def _order(self, message: Outgoing, login: Login, attempt: Attempt) -> Delivery:
        told = message
        try:
            for call in self._calls["before"]:
                told = self._prepare(call, "before", told, attempt, login)
            (dial,) = self._calls["dial"]
            delivery, told = self._act(dial, told, attempt, login)
            return self._after(told, delivery) if delivery.outcome is Outcome.ACCEPTED else delivery
        finally:
            self._leave(told)

    def _tell(self, message: Outgoing, login: Login, attempt: Attempt) -> Delivery:
        told, kept, delivery = message, dict[str, str](), self._peer.delivery(Outcome.ACCEPTED, opening=_NOTHING)
        try:
            for call in self._calls.get(message.kind, ()):
                if not wanted(call, told):
                    continue
                delivery, told = self._act(call, told, attempt, login)
                kept |= {name: str(told.fields[name]) for name in call.step.capture if told.fields.get(name)}
                if delivery.outcome is not Outcome.ACCEPTED:
                    break
            return delivery.keeping(kept)
        finally:
            self._leave(told)

    def _hang_up(self, message: Outgoing, login: Login, attempt: Attempt) -> Delivery:
        told, delivery = message, self._peer.delivery(Outcome.ACCEPTED)
        try:
            for call in self._calls["hangup"]:
                delivery, told = self._act(call, told, attempt, login)
                if delivery.outcome is not Outcome.ACCEPTED:
                    break
            return delivery
        finally:
            self._leave(told)

    def _ask(self, call: PreparedStep, message: Outgoing, attempt: Attempt) -> AnswerReading:
        """Take one step. What was captured before and in its answer is no more for a log than a password is."""

        def hides(answer: HttpAnswer | None) -> list[str]:
            found = captured(call.step, call.reading(answer)).values() if answer else ()
            return [*_secret(found), *_hidden(message)]

        attempt.hides = hides
        request = built(lambda: call.request(message, attempt))
        return call.reading(self._peer.exchange(request, attempt))

    def _act(self, call: PreparedStep, message: Outgoing, attempt: Attempt, login: Login) -> tuple[Delivery, Outgoing]:
        """Take a step that does something at last; what comes of it, and the message with what it captured."""
        try:
            reading = self._ask(call, message, attempt)
        except Failed as failed:
            return self._peer.delivery(failed.outcome, failed.reason), message
        if login.kept and holds(call.step.expired, reading):
            raise Expired(login)
        return self._settled(call, message, reading)

    def _settled(self, call: PreparedStep, message: Outgoing, reading: AnswerReading) -> tuple[Delivery, Outgoing]:
        judgement = judge(call.step, reading)
        if judgement.outcome is not Outcome.ACCEPTED:
            outcome, reason = self._said(judgement, reading, message)
            # What a rule says is clear; only what it leaves open may be meant for later.
            later = None if judgement.words is not None and outcome is Outcome.REFUSED else _later(reading)
            return self._peer.delivery(outcome, reason, retry_after_s=later), message
        told = _told(message, captured(call.step, reading))
        ref = _ref(call.step.ref, reading, told)
        return self._peer.delivery(Outcome.ACCEPTED, ref=ref), _told(told, {"ref": ref or ""})

    def _after(self, message: Outgoing, delivery: Delivery) -> Delivery:
        """Run the steps that follow. The call is placed already, so whatever goes wrong is *unknown*."""
        for call in self._calls["after"]:
            attempt = self._peer.attempt() if call.step.must_answer else Attempt(SENT_S)
            try:
                reading = self._ask(call, message, attempt)
            except AdapterError as error:
                return self._peer.delivery(Outcome.UNKNOWN, error.text, delivery.peer_ref, opening=_LOST)
            except Failed as failed:
                if failed.outcome is Outcome.UNKNOWN and not call.step.must_answer:
                    continue
                return self._peer.delivery(Outcome.UNKNOWN, failed.reason, delivery.peer_ref, opening=_LOST)
            judgement = judge(call.step, reading)
            if judgement.outcome is not Outcome.ACCEPTED and call.step.must_answer:
                reason = self._said(judgement, reading, message)[1]
                return self._peer.delivery(Outcome.UNKNOWN, reason, delivery.peer_ref, opening=_LOST)
            message = _told(message, captured(call.step, reading))
        return delivery

    def _prepare(
        self, call: PreparedStep, phase: str, message: Outgoing, attempt: Attempt, login: Login | None = None
    ) -> Outgoing:
        """Take a step before the dialling; the message with what it captured. Raises ``Stopped`` and ``Expired``."""
        try:
            reading = self._ask(call, message, attempt)
        except Failed as failed:
            # Nothing was dialled, whether or not this very request arrived.
            opening = _OPENINGS[phase, Outcome.UNREACHABLE] if failed.outcome is Outcome.UNKNOWN else None
            raise Stopped(self._peer.delivery(Outcome.UNREACHABLE, failed.reason, opening=opening)) from failed
        if login and login.kept and holds(call.step.expired, reading):
            raise Expired(login)
        judgement = judge(call.step, reading)
        if judgement.outcome is Outcome.ACCEPTED:
            return _told(message, captured(call.step, reading))
        outcome, reason = self._said(judgement, reading, message)
        outcome = Outcome.REFUSED if outcome is Outcome.REFUSED else Outcome.UNREACHABLE
        raise Stopped(self._peer.delivery(outcome, reason, opening=_OPENINGS[phase, outcome]))

    def _said(self, judgement: Judgement, reading: AnswerReading, message: Outgoing) -> tuple[Outcome, Text]:
        """Return the outcome of what was no success, and the reason in the peer's words, without what was captured."""
        if judgement.words is None:
            sure = judgement.outcome is not Outcome.UNKNOWN
            outcome = judgement.outcome if sure else outcome_of_status(reading.answer.status)
            return outcome, self._peer.status_reason(reading.answer)
        words = judgement.words
        for value in _hidden(message):
            words = words.replace(value, "****")
        return judgement.outcome, self._peer.quoted(words, fault=judgement.fault)

    def _log_in(self, message: Outgoing, attempt: Attempt) -> Mapping[str, str]:
        """Run the login's steps and return what they capture. Raises ``Stopped``, also where an answer that said yes
        lacks a part of it.
        """
        told, captures = message, dict[str, str]()
        for call in self._calls["login"]:
            told = self._prepare(call, "login", told, attempt)
            captures |= {name: told.fields[name] for name in call.step.capture if name in told.fields}
            if missing := sorted(call.step.capture.keys() - captures.keys() - self._need_not_come):
                reason, opening = (
                    Text("the answer has no {name!r}", name=missing[0]),
                    _OPENINGS["login", Outcome.UNREACHABLE],
                )
                raise Stopped(self._peer.delivery(Outcome.UNREACHABLE, reason, opening=opening))
        return captures

    def _leave(self, message: Outgoing) -> None:
        """Log out, unless the login is kept."""
        if not self._sessions.keeps:
            self._log_out(message)

    def _log_out(self, message: Outgoing) -> None:
        attempt = Attempt(SENT_S)
        for call in self._calls["logout"]:
            with suppress(Failed, AdapterError):
                self._ask(call, message, attempt)


def _later(reading: AnswerReading) -> float | None:
    """Return the seconds after which the peer wants to be asked again, by its status; None where it does not say so."""
    return retry_after_s(reading.answer.status, reading.answer.headers)


_HIDDEN = "(captured)"
"""The message's field with what steps captured, to be masked in sentences. No capture can have such a name."""


def _told(message: Outgoing, values: Mapping[str, str]) -> Outgoing:
    """Return ``message`` that knows ``values`` too."""
    known: Any = {**message.fields, **values}
    known[_HIDDEN] = (*message.fields.get(_HIDDEN, ()), *(name for name in values if name != "ref"))
    return replace(message, fields=known)


def _hidden(message: Outgoing) -> list[str]:
    """Return the values that steps captured and that are hidden."""
    return _secret(str(message.fields[name]) for name in message.fields.get(_HIDDEN, ()))


def _secret(values: Iterable[str]) -> list[str]:
    """Return the values that count as secrets, the longest first; what is shorter than a session can be is none and
    stays readable.
    """
    return sorted({value for value in values if len(value) > 5}, key=len, reverse=True)


def _ref(wanted: AnswerPlace | str | None, reading: AnswerReading, message: Outgoing) -> str | None:
    """Return the call's id in an answer, or None: a success without its id is a success all the same."""
    if isinstance(wanted, str):
        with suppress(AdapterError):
            return Template(wanted, secrets={}, names=message.fields.keys()).render(message)
        return None
    return reading.at(wanted) if wanted else None
