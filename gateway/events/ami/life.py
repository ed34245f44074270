"""The life of calls: what rings, who talks, where a call goes on, when it is over; told as soon as it is sure.

Asterisk's events say what channels do. What that means for a call is often only clear a moment later: a ring that a
forward takes back, a cancelled leg that was answered elsewhere, a hang-up that was a transfer. So rings and the ends of
legs wait for some hundred milliseconds (``settings.py``), unless what comes decides them.
"""

import re

from gateway.domain.messages import Direction
from gateway.events.ami.endings import ANSWER, BLIND_TRANSFER, CANCEL, JOINED, NO_ANSWER, ending_of, result_of
from gateway.events.ami.outcomes import is_worth_telling, last_leg, outcome_of, place_of
from gateway.events.ami.settings import HANDOFF_MS, InterpreterSettings
from gateway.events.ami.state import AmiCall, AmiChannel, AmiLeg, Handoff, Switchboard
from gateway.events.ami.telling import ENDED_UNHEARD, Teller

_NUMBER = re.compile(r"[+*#]?[0-9*#]{2,}")


class CallLife:
    """What is known of an exchange's calls, and what others have been told of them."""

    def __init__(self, settings: InterpreterSettings) -> None:
        self.settings = settings
        self.board = Switchboard(is_shared=settings.is_shared)
        self.tell = Teller(settings)
        self.waiting: dict[int, AmiCall] = {}
        """Calls of which something may be due, by identity."""
        self.memory_changed = False

    # rings

    def rings(self, channel: AmiChannel, moment: int, at: int) -> None:
        """Note that a phone is called; it is told when the phone says so, or when nothing has decided otherwise."""
        call = channel.call
        leg = call.leg(channel.extension)
        if channel.uniqueid in leg.ringing or channel.uniqueid in leg.up:
            return
        self.settle(call, channel)
        self._goes_on_at_same(call, leg)
        leg.ringing.add(channel.uniqueid)
        call.up_after_ring = False
        if not leg.told and leg.due is None:
            leg.due, leg.rang_at = at + self.settings.ring_wait_ms, moment
        self.waits(call)

    def _goes_on_at_same(self, call: AmiCall, leg: AmiLeg) -> None:
        """Tell that the last visit at an extension is over, where the call comes to it anew."""
        if call.handoff and call.handoff.extension == leg.extension:
            self.drop_handoff(call)
        if leg.ending:
            self.flush(call, leg)

    def tell_ring(self, call: AmiCall, leg: AmiLeg) -> None:
        """Tell that a leg rings: of a transferred call, that it goes on there."""
        moment, leg.due = leg.rang_at or self.tell.at, None
        if call.handoff is not None:
            self._hand_on(call, call.handoff.extension, leg, call.handoff.moment)
        elif (left := self._left_for(call)) is not None and left.ending is not None:
            self._hand_on(call, left.extension, leg, left.ending.moment)
        else:
            self.tell.starts(call, leg, moment)
        self.memory_changed = True

    def _left_for(self, call: AmiCall) -> AmiLeg | None:
        """Return a leg that was talked in until a moment ago, where no other is: a redirected call has no event of its
        own (recorded).
        """
        if any(leg.answered and leg.up for leg in call.legs.values()):
            return None
        return next((leg for leg in call.legs.values() if leg.answered and leg.ending), None)

    def _hand_on(self, call: AmiCall, extension: str, leg: AmiLeg, moment: int) -> None:
        self.tell.hands_on(call, extension, leg.extension, moment, attended=False)
        call.handoff = None
        call.leg(extension).close()
        leg.told = True

    def dials_out(self, channel: AmiChannel, moment: int) -> None:
        """Note that a number outside is called: by an extension of ours, or because the call goes on there."""
        call = channel.call
        if call.direction is None:
            self.settle(call, channel)
            if call.owner:
                self._starts_of_owner(call, moment)
        elif call.handoff is not None:
            self.hands_outside(call, call.handoff.extension, channel, call.handoff.moment)
        self.waits(call)

    def _starts_of_owner(self, call: AmiCall, moment: int) -> None:
        leg = call.leg(call.owner)
        leg.up |= {each.uniqueid for each in call.channels.values() if each.extension == call.owner}
        self.tell.starts(call, leg, moment)
        self.memory_changed = True

    def hands_outside(self, call: AmiCall, extension: str, channel: AmiChannel, moment: int) -> None:
        """Tell that the call goes on outside, at the number that ``channel`` was called by."""
        to = channel.dialled or channel.number
        if to:
            self.tell.hands_on(call, extension, to, moment, attended=channel.bridge is not None)
        call.handoff = None
        call.leg(extension).close()

    def settle(self, call: AmiCall, called: AmiChannel) -> None:
        """Decide the direction by who is ``called``, if nothing has decided it yet."""
        if call.direction is not None:
            return
        if called.is_phone:
            call.direction = Direction.INTERNAL if call.owner else Direction.INCOMING
            return
        call.direction = Direction.OUTGOING
        dialled = [each.exten for each in call.channels.values() if each.extension == call.owner and call.owner]
        call.number = next(filter(_NUMBER.fullmatch, dialled), called.dialled or called.number)

    # ends of legs

    def ring_is_over(self, channel: AmiChannel, cause: str, moment: int, at: int) -> None:
        """Note that a channel rings or talks no more; that its leg is over is told a moment later."""
        leg = channel.call.legs.get(channel.extension)
        if leg is None or not ({channel.uniqueid} & (leg.ringing | leg.up)):
            self._say_why(channel, leg, cause, at)
            return
        leg.ringing.discard(channel.uniqueid)
        leg.up.discard(channel.uniqueid)
        if leg.is_open:
            return
        leg.last = channel.uniqueid
        self._leg_is_over(channel, leg, cause, moment, at)

    def _leg_is_over(self, channel: AmiChannel, leg: AmiLeg, cause: str, moment: int, at: int) -> None:
        call, talked = channel.call, leg.answered
        result = ANSWER if talked else self._result(channel, cause)
        leg.due = None
        if not talked and call.direction is Direction.OUTGOING and leg.extension == call.owner:
            return  # how the call ended says the other side, or that it was cancelled
        if not talked:
            call.result, call.cause = result, cause
        if leg.told:
            leg.ending = ending_of(result, "" if talked else cause, moment, at + self.settings.settle_ms)
        self.waits(call)

    def _say_why(self, channel: AmiChannel, leg: AmiLeg | None, cause: str, at: int) -> None:
        """Let the cause of a hang-up say more of a leg that DialEnd has ended a moment ago."""
        if leg is None or leg.last != channel.uniqueid or leg.answered or leg.extension == channel.call.owner:
            return
        result = self._result(channel, cause)
        channel.call.result, channel.call.cause = result, cause
        if leg.ending is not None:
            leg.ending = ending_of(result, cause, leg.ending.moment, leg.ending.due)

    def _result(self, channel: AmiChannel, cause: str) -> str:
        return result_of(channel.result, cause, forwarded=channel.forwarded, picked_up=channel.picked_up)

    def flush(self, call: AmiCall, leg: AmiLeg, *, goes_on: bool = True) -> None:
        """Tell the end of a leg; of one that was cancelled while the call goes on, that nobody answered."""
        ending = leg.ending
        if ending is not None and leg.told:
            if goes_on and ending.result == CANCEL:
                ending.result = NO_ANSWER
            self.tell.leg_ends(call, leg, ending)
            self.memory_changed = True
        leg.close()

    def drop_handoff(self, call: AmiCall, result: str = BLIND_TRANSFER) -> None:
        """Tell that a leg is over whose transfer went to no extension: to a queue, a parking place."""
        handoff, call.handoff = call.handoff, None
        if handoff is None:
            return
        leg = call.leg(handoff.extension)
        leg.ending = leg.ending or ending_of(result, "", handoff.moment, handoff.due)
        self.flush(call, leg)

    def hands_on(self, channel: AmiChannel, moment: int, at: int) -> None:
        """Note that the party of ``channel`` transferred the call, without knowing yet where it goes on."""
        call, extension = channel.call, channel.extension
        self.leaves(channel)
        leg = call.legs.get(extension)
        if leg is not None and leg.told:
            call.handoff = Handoff(extension, moment, at + HANDOFF_MS)
            self.waits(call)

    def leaves(self, channel: AmiChannel) -> None:
        """Note that the party of ``channel`` has left its call, however long the channel still lives."""
        channel.handed_on = True
        leg = channel.call.legs.get(channel.extension)
        if leg is not None:
            leg.ringing.discard(channel.uniqueid)
            leg.up.discard(channel.uniqueid)

    # talking

    def joined(self, channel: AmiChannel, moment: int) -> None:
        """Note who speaks with whom, now that ``channel`` came into a bridge."""
        parties = self.board.parties(channel)
        if len(parties) < 2:
            return
        for other in parties[1:]:
            self.join(other.call, parties[0].call, moment)
        call = parties[0].call
        self._settle_talk(call, parties)
        phones = [each for each in parties if each.is_phone]
        for phone in phones:
            self._talks(call, phone, moment)
        if not phones:
            self._talks_outside(call, parties, moment)

    def _settle_talk(self, call: AmiCall, parties: list[AmiChannel]) -> None:
        """Decide the direction of a call whose dialling was not heard."""
        if call.direction is not None:
            return
        trunk = next((each for each in parties if each.is_trunk), None)
        call.owner = call.owner or ("" if trunk else next((each.extension for each in parties), ""))
        called = trunk or next((each for each in parties if each.extension != call.owner), parties[0])
        if trunk is not None and not call.owner:
            call.direction, call.number = Direction.INCOMING, call.number or trunk.number
        else:
            self.settle(call, called)

    def _talks(self, call: AmiCall, phone: AmiChannel, moment: int) -> None:
        if call.direction is Direction.INTERNAL and phone.extension == call.owner:
            return
        leg = call.leg(phone.extension)
        leg.ringing.discard(phone.uniqueid)
        leg.up.add(phone.uniqueid)
        if call.handoff and call.handoff.extension == leg.extension:
            self.drop_handoff(call)
        if not leg.answered:
            self._answers(call, leg, moment)

    def _answers(self, call: AmiCall, leg: AmiLeg, moment: int) -> None:
        if leg.due is not None:
            self.tell_ring(call, leg)
        if call.handoff is not None:
            self._hand_on(call, call.handoff.extension, leg, call.handoff.moment)
        leg.ending = None
        self._rest_is_elsewhere(call, leg)
        self.tell.answers(call, leg, moment)
        self.memory_changed = True

    def _rest_is_elsewhere(self, call: AmiCall, taken: AmiLeg) -> None:
        """Close the legs that rang beside the one that was taken: the rule book knows that by the answer."""
        for leg in call.legs.values():
            if leg is taken or (leg.answered and leg.ending is None):
                continue
            if leg.ending is not None and (leg.ending.refused or leg.answered):
                self.flush(call, leg)
            elif leg.told:
                leg.close()

    def _talks_outside(self, call: AmiCall, parties: list[AmiChannel], moment: int) -> None:
        """Note that a call from outside was taken outside: a mobile that rang with an extension."""
        called = next((each for each in parties if each.was_called and (each.dialled or each.number)), None)
        if call.answered or called is None or call.direction is not Direction.INCOMING:
            return
        self._answers(call, call.leg(called.dialled or called.number), moment)

    # joining and ending calls

    def join(self, gone: AmiCall, into: AmiCall, moment: int) -> None:
        """Let what was two calls be one: that with an outside party, else ``into``."""
        if gone is into:
            return
        if into.direction in (None, Direction.INTERNAL) and gone.direction not in (None, Direction.INTERNAL):
            gone, into = into, gone
        if gone.told:
            self._end(gone, moment, joined_to=into.ref)
        self.board.merge(gone, into, self.tell.at)
        self.waiting.pop(id(gone), None)
        self.waits(into)

    def finish(self, call: AmiCall, moment: int, *, lost: bool = False) -> None:
        """Tell that a call is over of which no channel is left, or of which nobody knows what became of it."""
        if call.ref.startswith(self.settings.order_prefix):
            call.direction = call.direction or Direction.OUTGOING
            call.is_order = True
        if call.told or is_worth_telling(call):
            self._end(call, moment, lost=lost)
        self.board.forget(call)
        self.waiting.pop(id(call), None)

    def _end(self, call: AmiCall, moment: int, *, lost: bool = False, joined_to: str | None = None) -> None:
        if call.handoff is not None and not lost:
            self.drop_handoff(call)
        last = last_leg(call)
        for leg in call.legs.values():
            if leg is not last and leg.ending is not None:
                self.flush(call, leg, goes_on=False)
        if joined_to is not None:
            result, cause = JOINED, ""
        else:
            result, cause = (ANSWER if call.answered else "", ENDED_UNHEARD) if lost else outcome_of(call, last)
        self.tell.ends(call, place_of(call, last), moment, result or None, cause, joined_to=joined_to)
        self.memory_changed = True

    # what is due

    def waits(self, call: AmiCall) -> None:
        self.waiting[id(call)] = call

    def next_due(self) -> int | None:
        """Return when something is to be told at the latest."""
        dues = {key: call.due() for key, call in self.waiting.items()}
        self.waiting = {key: self.waiting[key] for key, due in dues.items() if due is not None}
        return min((due for due in dues.values() if due is not None), default=None)

    def tell_due(self, at: int) -> None:
        """Tell what is due at ``at``."""
        for call in list(self.waiting.values()):
            self._tell_due_of(call, at)

    def _tell_due_of(self, call: AmiCall, at: int) -> None:
        for leg in list(call.legs.values()):
            if leg.due is not None and leg.due <= at:
                self.tell_ring(call, leg)
        if call.handoff is not None and call.handoff.due <= at and not call.is_undecided:
            self.drop_handoff(call)
        if call.gave_up_due is not None and call.gave_up_due <= at:
            self.queue_is_left(call, call.left_queue_at, abandoned=False)
        for leg in list(call.legs.values()):
            if leg.ending is not None and leg.ending.due <= at and not call.is_undecided:
                self.flush(call, leg)

    # queues

    def queue_is_left(self, call: AmiCall, moment: int, *, abandoned: bool) -> None:
        """Tell that the caller waits no more: of one who gave up, that the call is over."""
        call.gave_up_due = None
        if not call.is_queued:
            return
        call.is_queued, call.abandoned = False, abandoned
        if abandoned:
            for leg in call.legs.values():
                leg.close()
        self.tell.leaves_queue(call, moment, abandoned=abandoned)
