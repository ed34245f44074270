"""The legs of a call: at which extensions it rang, who talked when, and how each ended.

A call at one extension is its only leg, which is read off the call itself; legs of their own are kept from the second
extension on. Then ``legs`` holds all of them, in the order in which they began.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from gateway.domain.calls.results import Result
from gateway.domain.calls.states import GOING_ON, State
from gateway.domain.messages import Direction

if TYPE_CHECKING:
    from gateway.domain.calls.call import Call

BLIND, ATTENDED = "blind", "attended"
"""How a call was handed on: to an extension that rings then, or to one that was spoken with before."""
ELSEWHERE, LOST = "elsewhere", "lost"
"""How a leg ended that rang until another one was taken, and one whose end never came; all others end with a result
(``results.py``).
"""


class Leg(NamedTuple):
    """A call at one extension. Times are milliseconds since 1970 UTC.

    ``agent`` is the login of who sat there when it was answered, ``result`` how it ended (``result_text``: in the
    exchange's words). A leg that was transferred says where to, and whether that was ``attended``: spoken of before.
    """

    extension: str
    rang_at: int | None = None
    answered_at: int | None = None
    ended_at: int | None = None
    result: str | None = None
    agent: str | None = None
    result_text: str | None = None
    transferred_to: str | None = None
    attended: bool | None = None

    @property
    def goes_on(self) -> bool:
        return self.ended_at is None

    @property
    def rings(self) -> bool:
        return self.goes_on and self.answered_at is None

    @property
    def talks(self) -> bool:
        return self.goes_on and self.answered_at is not None

    @property
    def transfer(self) -> str | None:
        """How it was transferred; None where it was not, or nobody says how."""
        if self.transferred_to is None or self.attended is None:
            return None
        return ATTENDED if self.attended else BLIND


def legs_of(call: "Call") -> tuple[Leg, ...]:
    """Return the legs of ``call``: one where none are kept, none where it is at no extension yet."""
    if call.legs or not call.extension:
        return call.legs
    return (
        only_leg(
            call.extension,
            started_at=call.started_at,
            answered_at=call.answered_at,
            ended_at=call.ended_at,
            state=call.state,
            result=call.result,
            agent=call.answered_agent,
            result_text=call.result_text,
            transferred_to=call.transferred_to,
            transfer=call.transfer,
        ),
    )


def only_leg(
    extension: str,
    *,
    started_at: int | None,
    answered_at: int | None,
    ended_at: int | None,
    state: State,
    result: str | None,
    agent: str | None,
    result_text: str | None,
    transferred_to: str | None,
    transfer: str | None,
) -> Leg:
    """Return the leg of a call that was at one extension only, which is as the call is; see there what each means."""
    here = state is not State.ELSEWHERE
    return Leg(
        extension,
        started_at,
        answered_at if here else None,
        ended_at,
        result if here else ELSEWHERE,
        agent if here else None,
        result_text,
        transferred_to,
        None if transfer is None else transfer == ATTENDED,
    )


def leg_at(call: "Call", extension: str) -> Leg | None:
    """Return the leg at ``extension`` that goes on, else its last one there; None where it was never there."""
    return _last_at(legs_of(call), extension)


def _last_at(legs: Sequence[Leg], extension: str) -> Leg | None:
    there = [leg for leg in legs if leg.extension == extension]
    return next((leg for leg in there if leg.goes_on), there[-1] if there else None)


def is_at(call: "Call", extension: str) -> bool:
    """Return whether ``call`` is or was at ``extension``."""
    return call.extension == extension or (bool(call.legs) and any(leg.extension == extension for leg in call.legs))


def seen_from(call: "Call", extension: str) -> str:
    """Return the status of ``call`` as ``extension`` sees it: where its own leg is over, it is over there."""
    return status_at(call.legs, call.state, call.status, extension)


def status_at(legs: Sequence[Leg], state: State, status: str, extension: str) -> str:
    """Return the status of a call, in ``state``, as ``extension`` sees it; ``legs`` are those that are kept of it."""
    leg = _last_at(legs, extension)
    if leg is None or (leg.goes_on and state not in GOING_ON):
        return status
    if leg.goes_on:
        return (State.TALKING if leg.talks else State.RINGING).value
    if leg.result == ELSEWHERE:
        return State.ELSEWHERE.value
    return State.ENDED.value if state in GOING_ON else status


def changed_at(before: "Call | None", now: "Call") -> tuple[str, ...]:
    """Return the extensions among the legs of ``now`` that see it otherwise than ``before``."""
    known = {leg.extension for leg in legs_of(before)} if before else set()
    extensions = dict.fromkeys(leg.extension for leg in now.legs)
    return tuple(
        extension
        for extension in extensions
        if extension not in known or before is None or seen_from(before, extension) != seen_from(now, extension)
    )


def rang(call: "Call") -> tuple[str, ...]:
    """Return the extensions at which ``call`` rang, each once; of a call that we made only those where it went on."""
    return rang_at(legs_of(call), call.direction)


def rang_at(legs: Sequence[Leg], direction: str) -> tuple[str, ...]:
    """Return the extensions among ``legs`` of a call of ``direction`` at which it rang."""
    ringing = legs[1 if direction == Direction.OUTGOING else 0 :]
    return tuple(dict.fromkeys(leg.extension for leg in ringing if leg.rang_at is not None))


def with_legs(call: "Call", legs: tuple[Leg, ...]) -> "Call":
    """Return ``call`` with ``legs``; it is at the extension that answered first, else at the one that rang first."""
    return call._replace(legs=legs, extension=min(legs, key=_rank).extension)


def _rank(leg: Leg) -> tuple[int, int]:
    """Return how surely a call was taken at ``leg``; smaller is surer, and of equal ones the first counts."""
    if leg.answered_at is not None:
        return 0, leg.answered_at
    return (1, 0) if leg.result == Result.ANSWERED else (3, 0) if leg.result == ELSEWHERE else (2, 0)
