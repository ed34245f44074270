"""The table of a forward: who is told of which events, at which address, and for how long it is tried."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal, get_args

from pydantic import AfterValidator, Field

from gateway.config.forward_conditions import ConditionText, ForwardExample
from gateway.config.values import SECONDS, Table
from gateway.texts.text import Text

EventKind = Literal[
    "call_started",
    "call_answered",
    "call_held",
    "call_resumed",
    "call_transferred",
    "queue_entered",
    "queue_left",
    "call_ended",
    "call_noted",
    "agent_state_changed",
]
EVENT_KINDS: tuple[EventKind, ...] = get_args(EventKind)
TOLD_OF: tuple[EventKind, ...] = ("call_started", "call_ended")
"""What a forward is told of that does not say."""
NEVER = "never"
START_EXPIRES = "20s"
"""A call that rang longer ago is no news for anybody who is only told that it rings."""
EXPIRES = "3d"
BY_KIND = ("on", "late")
"""Keys of a forward that may give each kind of event an address, or settings of the adapter, of its own."""


def _lifetime(value: str) -> str:
    if value != NEVER and not re.fullmatch(r"[1-9][0-9]{0,6}[smhd]", value):
        raise ValueError(Text("expected a time such as '20s', '15m', '2h', '3d', or 'never'"))
    return value


Lifetime = Annotated[str, AfterValidator(_lifetime)]
"""How long an event is worth delivering."""


class Forward(Table):
    """A CRM or program that is told of call events. All other keys belong to its adapter."""

    adapter: str = Field(description="the protocol: one of the installed adapters (soap, xmlrpc, url)")
    on: tuple[EventKind, ...] = Field(
        TOLD_OF,
        strict=False,
        min_length=1,
        description="the events it is told of; or a table: an address, or settings that differ, for each of them",
    )
    late: tuple[EventKind, ...] = Field(
        (),
        strict=False,
        description="the events that are delivered even when they have expired; a table as for 'on': where to",
    )
    expires: dict[EventKind, Lifetime] = Field(
        default_factory=dict,
        description="how long an event of a kind is worth delivering: '20s', '3d', 'never' "
        "(call_started 20s unless its time is sent with it, others 3d)",
    )
    parallel: int = Field(16, ge=1, le=64, description="events of different calls under way to it at once")
    patience: float = Field(
        60, ge=1, le=300, strict=False, description="seconds that its answer is waited for, unless timeout_s is set"
    )
    idempotent: bool | None = Field(
        None, description="an event that comes twice does it no harm, so one whose end is unknown is sent again"
    )
    keep_days: float = Field(
        30, gt=0, le=3650, strict=False, description="what was delivered or given up is let go of after so many days"
    )
    only: ConditionText | None = Field(None, description="a condition: of other events it is not told")
    examples: tuple[ForwardExample, ...] = Field((), strict=False, description="events that 'check' holds it against")
    settings: Any = Field(None, exclude=True, description="the adapter's own settings")
    settings_by_kind: Mapping[str, Any] = Field(
        default_factory=dict, exclude=True, description="the adapter's settings for the kinds that have their own"
    )
    late_settings: Mapping[str, Any] = Field(
        default_factory=dict, exclude=True, description="the adapter's settings for expired events"
    )

    def sends_as(self, example: ForwardExample) -> bool:
        """Return whether the forward is told of an event just when ``example`` says so."""
        return example.holds_for(self.only) if self.only else example.sent

    def expires_ms(self, kind: str, *, carries_time: bool = False) -> int | None:
        """Return how long an event of ``kind`` is worth delivering; None: always. ``carries_time`` says that the target
        is told when it happened, so that a start that comes late does no harm.
        """
        usual = NEVER if carries_time else START_EXPIRES
        lifetimes = {"call_started": usual} | {str(name): lifetime for name, lifetime in self.expires.items()}
        wanted = lifetimes.get(kind, EXPIRES)
        return None if wanted == NEVER else milliseconds(wanted)


def milliseconds(lifetime: str) -> int:
    """Return a time such as ``20s`` in milliseconds."""
    return int(lifetime[:-1]) * SECONDS[lifetime[-1]] * 1000
