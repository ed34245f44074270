"""A call as it stands at one extension, which may be over there while it goes on elsewhere; or as a whole."""

from dataclasses import dataclass
from functools import cached_property

from gateway.domain.calls.legs import Leg
from gateway.store.calls import LoggedCall

OVER = ("ended", "over")
SEVERAL = 2
NOT_PLACED = ("refused", "unreachable", "elsewhere")


@dataclass(frozen=True)
class CallView:
    """``call`` as ``extension`` sees it; as a whole where that is None. Times are milliseconds since 1970 UTC."""

    call: LoggedCall
    extension: str | None = None

    @cached_property
    def leg(self) -> Leg | None:
        """The call's leg here: the one that goes on, else the last. None for a call as a whole, or with one leg."""
        if self.extension is None or len(self.call.legs) < SEVERAL:
            return None
        here = [leg for leg in self.call.legs if leg.extension == self.extension]
        return next((leg for leg in here if leg.goes_on), here[-1] if here else None)

    @property
    def status(self) -> str:
        """How it stands here."""
        return self.call.status if self.extension is None else self.call.seen_from(self.extension)

    @property
    def ended_at(self) -> int | None:
        """When it ended here."""
        return self.leg.ended_at if self.leg else self.call.ended_at

    @property
    def is_over(self) -> bool:
        """Whether it was connected, or rang, and does so no more."""
        return self.status in OVER or (self.ended_at is not None and self.status not in NOT_PLACED)

    @property
    def is_held(self) -> bool:
        """Whether the caller is on hold now."""
        return self.status == "talking" and self.call.held_at is not None

    @property
    def since(self) -> int:
        """Since when it is as it is: on hold, spoken in, ringing."""
        call, leg = self.call, self.leg
        if self.is_held and call.held_at is not None:
            return call.held_at
        answered_at = leg.answered_at if leg else call.answered_at
        if self.status == "talking" and answered_at is not None:
            return answered_at
        return (leg.rang_at if leg else None) or call.started_at or call.logged_at

    @property
    def taken_by(self) -> str | None:
        """The other extension that took it; None where it was this one, or nobody has said."""
        if self.leg is None:
            return self.call.taken_by if len(self.call.legs) < SEVERAL else None
        return self.call.answered_by if self.status == "elsewhere" else None

    @property
    def went_to(self) -> str | None:
        """Where it was transferred to from here, where that is known."""
        if len(self.call.legs) < SEVERAL:
            return self.call.went_to
        return (self.leg or self.call.legs[-1]).transferred_to

    @property
    def result(self) -> str | None:
        """How it ended here, as a code of the call log."""
        return self.leg.result if self.leg and self.leg.ended_at is not None else self.call.result

    @property
    def spoken_s(self) -> int | None:
        """Seconds of the conversation here; None while unknown, and where nobody answered."""
        leg = self.leg
        if leg is None:
            return self.call.spoken_s
        if leg.answered_at is None or leg.ended_at is None:
            return None
        return max(0, round((leg.ended_at - leg.answered_at) / 1000))


@dataclass(frozen=True, slots=True)
class TransferOrigin:
    """Who transferred a call: the ``extension`` where it was, the login of who spoke there, and the call it was there
    where that is another one.
    """

    extension: str
    agent: str | None
    call_id: int | None = None


def origin_in_legs(call: LoggedCall, extension: str) -> TransferOrigin | None:
    """Return who transferred ``call`` to ``extension``, as its legs tell."""
    found = [leg for leg in call.legs if leg.transferred_to == extension and leg.extension != extension]
    return TransferOrigin(found[-1].extension, found[-1].agent) if found else None
