"""What is told of a call: the domain's messages, with all that is known of the call at that moment."""

from typing import Any

from gateway.domain.messages import (
    AgentState,
    AgentStateChanged,
    CallAnswered,
    CallEnded,
    CallHeld,
    CallMessage,
    CallResumed,
    CallStarted,
    CallTransferred,
    Direction,
    QueueEntered,
    QueueLeft,
)
from gateway.events.ami.endings import ABANDON, ANSWER, CANCEL, VOICEMAIL
from gateway.events.ami.settings import InterpreterSettings
from gateway.events.ami.state import AmiCall, AmiLeg, LegEnding

WITHHELD = "anonymous"
ENDED_UNHEARD = "ended while disconnected"
"""The cause of a call that was over when the exchange was heard again; when it ended nobody knows."""
HUNG_UP = (ANSWER, CANCEL, ABANDON, VOICEMAIL)
"""Results of calls that one of both sides ended; of others Asterisk names a side as well, which has done nothing."""
Told = CallMessage | AgentStateChanged


class Teller:
    """Makes messages and keeps them, in their order, until they are taken."""

    def __init__(self, settings: InterpreterSettings) -> None:
        self._settings = settings
        self._origin = settings.origin
        self._told: list[Told] = []
        self.at = 0
        """When what is being told was heard, in milliseconds since 1970 UTC."""

    def take(self) -> list[Told]:
        """Return what was told since this was asked last."""
        told, self._told = self._told, []
        return told

    def starts(self, call: AmiCall, leg: AmiLeg, moment: int, *, anew: bool = True) -> None:
        """Tell that the call rings at a leg."""
        self._add(call, CallStarted(**self._facts(call, leg.extension, moment), rings_anew=anew))
        leg.told = True

    def answers(self, call: AmiCall, leg: AmiLeg, moment: int) -> None:
        """Tell that somebody speaks at a leg: those that rang beside it ring no more."""
        self._add(call, CallAnswered(**self._facts(call, leg.extension, moment)))
        leg.told = leg.answered = call.answered = True

    def holds(self, call: AmiCall, leg: AmiLeg, moment: int) -> None:
        kind = CallHeld if leg.held else CallResumed
        self._add(call, kind(**self._facts(call, leg.extension, moment)))

    def hands_on(self, call: AmiCall, extension: str, to: str, moment: int, *, attended: bool) -> None:
        """Tell that the call goes on at ``to``, an extension or a number outside."""
        facts = self._facts(call, extension, moment)
        self._add(call, CallTransferred(**facts, to=to, attended=attended))

    def enters_queue(self, call: AmiCall, moment: int) -> None:
        self._add(call, QueueEntered(**self._facts(call, "", moment)))

    def leaves_queue(self, call: AmiCall, moment: int, *, abandoned: bool) -> None:
        self._add(call, QueueLeft(**self._facts(call, "", moment), abandoned=abandoned))

    def leg_ends(self, call: AmiCall, leg: AmiLeg, ending: LegEnding) -> None:
        """Tell that the call is over at a leg and goes on otherwise."""
        facts = self._facts(call, leg.extension, ending.moment)
        told = CallEnded(**facts, result=ending.result, cause=ending.cause or None, goes_on=True)
        self._add(call, told)

    def ends(
        self, call: AmiCall, extension: str, moment: int, result: str | None, cause: str, *, joined_to: str | None
    ) -> None:
        """Tell that the whole call is over, or became a part of the one with the id ``joined_to``."""
        recording = self._settings.recording_address(call.recording, call.ref)
        began_at = None if call.told else call.began_at
        hung_up_by = call.hung_up_by if result in HUNG_UP else ""
        facts = self._facts(call, extension, moment) | {"hung_up_by": hung_up_by or None}
        told = CallEnded(
            **facts,
            result=result,
            cause=cause or None,
            recording_url=recording,
            started_at=began_at,
            goes_on=False,
            joined_to=joined_to,
        )
        self._add(call, told)

    def agent(self, extension: str, name: str, state: AgentState, queue: str, reason: str, moment: int) -> None:
        """Tell what the exchange says of an agent."""
        settings = self._settings
        message = AgentStateChanged(
            settings.tenant, extension, name, state, self._origin, self.at, moment, reason or None, queue or None
        )
        self._told.append(message)

    def _add(self, call: AmiCall, message: CallMessage) -> None:
        """Keep what is told of a call, unless it is another company's."""
        if call.is_own:
            self._told.append(message)

    def _facts(self, call: AmiCall, extension: str, moment: int) -> dict[str, Any]:
        call.told = call.told or call.is_own
        number = call.owner if call.direction is Direction.INTERNAL else call.number
        return {
            "tenant": self._settings.tenant,
            "ramal": extension,
            "telefone": number or WITHHELD,
            "origin": self._origin,
            "received_at": self.at,
            "call_ref": call.ref,
            "occurred_at": moment,
            "direction": call.direction,
            "queue": self._settings.queue_names.get(call.queue, call.queue) or None,
            "line": call.line or None,
            "caller_name": call.caller_name or None,
        }
