"""A logged call, as far as the rule book looks at it and changes it."""

from typing import NamedTuple

from gateway.domain.calls.states import STATES, State
from gateway.domain.messages import ATTACHED, Direction

NOTHING_ATTACHED: tuple[str | None, ...] = (None,) * len(ATTACHED)


class Call(NamedTuple):
    """One version of a call: nobody changes it, the rule book makes the next one of it.

    Times are milliseconds since 1970 UTC. ``logged_at`` is when we first heard of the call; ``start_heard_at``,
    ``answer_heard_at`` and ``end_heard_at`` are when its start, answer and end were received. ``answered_by`` is the
    extension that took it, which is another where it was taken elsewhere, and ``answered_agent`` who sat there then.
    ``missed`` says that its caller reached nobody (``missed.py``).
    The store has a column of the same name for each; ``attached`` stands last and holds one for each field of
    ``AttachedData``, in their order.
    """

    id: int
    direction: str
    extension: str
    number: str
    number_as_sent: str
    logged_at: int
    status: str
    started_at: int | None = None
    ended_at: int | None = None
    duration_s: int | None = None
    recording_url: str | None = None
    call_ref: str | None = None
    order_id: int | None = None
    start_heard_at: int | None = None
    end_heard_at: int | None = None
    paired_by: str | None = None
    group_id: int | None = None
    transferred_to: str | None = None
    result: str | None = None
    result_text: str | None = None
    over_by: str | None = None
    over_at: int | None = None
    answered_at: int | None = None
    answer_heard_at: int | None = None
    answered_by: str | None = None
    answered_agent: str | None = None
    ring_s: int | None = None
    talk_s: int | None = None
    missed: bool | None = None
    attached: tuple[str | None, ...] = NOTHING_ATTACHED

    @property
    def state(self) -> State:
        """What is known of the call, by its status."""
        return STATES[self.status]

    @property
    def internal(self) -> bool:
        return self.direction == Direction.INTERNAL
