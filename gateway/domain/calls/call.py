"""A logged call, as far as the rule book looks at it and changes it."""

from typing import NamedTuple

from gateway.domain.calls.legs import Leg
from gateway.domain.calls.states import STATES, State
from gateway.domain.messages import ATTACHED, Direction

NOTHING_ATTACHED: tuple[str | None, ...] = (None,) * len(ATTACHED)


class Call(NamedTuple):
    """One version of a call: nobody changes it, the rule book makes the next one of it.

    Times are milliseconds since 1970 UTC. ``logged_at`` is when we first heard of the call; ``start_heard_at``,
    ``answer_heard_at`` and ``end_heard_at`` are when its start, answer and end were received. ``answered_by`` is the
    extension that took it, which is another where it was taken elsewhere, and ``answered_agent`` who sat there then.
    ``missed`` says that its caller reached nobody (``missed.py``). ``line_name`` is the configured name of ``line``.
    The caller waited in a queue from ``queued_at`` to ``queue_left_at``, ``waited_s`` seconds as far as is known; it is
    on hold since ``held_at``. ``transfer`` says how it was last handed on: ``blind`` or ``attended``. ``fields`` are
    its free fields as JSON (``free_fields.py``), ``fields_cut`` that some found no room. ``note_count`` is how many
    notes are kept of it. ``ref_space`` says whose ``call_ref`` is: a source's name, empty for the plain listeners; None
    where nobody knows. ``consultation_for`` is the call that it was the consultation for (``consultations.py``).
    The store has a column of the same name for each; the last two are kept otherwise: ``attached`` holds one for each
    field of ``AttachedData``, in their order, and ``legs`` rows of their own, where there are several (``legs.py``).
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
    line_name: str | None = None
    waited_s: int | None = None
    queued_at: int | None = None
    queue_left_at: int | None = None
    held_at: int | None = None
    transfer: str | None = None
    cause: str | None = None
    fields: str | None = None
    fields_cut: bool | None = None
    note_count: int | None = None
    ref_space: str | None = None
    consultation_for: int | None = None
    attached: tuple[str | None, ...] = NOTHING_ATTACHED
    legs: tuple[Leg, ...] = ()

    @property
    def state(self) -> State:
        """What is known of the call, by its status."""
        return STATES[self.status]

    @property
    def is_queued(self) -> bool:
        """Whether its caller waits in a queue, as far as anybody said."""
        return self.queued_at is not None and (self.queue_left_at is None or self.queue_left_at < self.queued_at)

    @property
    def internal(self) -> bool:
        return self.direction == Direction.INTERNAL
