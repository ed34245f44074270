"""Records: what a source says of a call when it is over, such as a row of a table or a line of text.

A record is an end that says when its call began. It may come hours later, of a call that others told of as it went on.
Of what two of them say, each fact has one who is believed:

- extension, number, direction, start, answer, end, result: who told of the call as it went on; the record fills in what
  nobody said, such as an answer;
- what only the exchange's accounts know (recording, line, queue, names, free fields): the first who says it;
- all of a call that only records tell of: the newest of them, for rows are changed, and further rows come.
"""

from collections.abc import Iterable, Sequence

from gateway.domain.calls.call import Call
from gateway.domain.calls.heard import HeardEvent
from gateway.domain.calls.legs import is_at
from gateway.domain.calls.states import OPEN, State
from gateway.domain.calls.windows import CLOCK_MS, GROUP_MS, LONGEST_RECORD_MS, LONGEST_RING_MS, OVERTAKEN_MS

OVER = (State.ENDED, State.LOST, State.ELSEWHERE, State.OVER)


def is_record(heard: HeardEvent) -> bool:
    """Return whether ``heard`` was told when its call was over, with its beginning."""
    return heard.started_at is not None


def looks_back_to(heard: HeardEvent) -> int:
    """Return since when calls may have ended that ``heard`` is about, in milliseconds since 1970."""
    if heard.started_at is None:
        return heard.at
    return max(min(heard.at, heard.started_at), heard.at - LONGEST_RECORD_MS)


def is_known_by_records(call: Call) -> bool:
    """Return whether nobody told of ``call`` while it went on."""
    told_of_answer = call.answer_heard_at not in (None, call.end_heard_at)
    return not (call.start_heard_at is not None or told_of_answer or call.order_id is not None or call.legs)


def on_clock_of(call: Call, heard: HeardEvent) -> HeardEvent:
    """Return a record with its answer on the clock by which ``call`` ended, so that its seconds of talk stay."""
    if heard.started_at is None or heard.answered_at is None or call.ended_at is None:
        return heard
    ahead = heard.moment - call.ended_at
    if abs(ahead) > CLOCK_MS:
        return heard  # it is of a part of the call
    answered_at = heard.answered_at - ahead
    return heard._replace(answered_at=answered_at if call.started_at is None else max(answered_at, call.started_at))


def recorded(heard: HeardEvent, calls: Sequence[Call]) -> Call | None:
    """Return the call of the pair that a record is of, by its beginning or its end, whenever the record comes."""
    if heard.started_at is None:
        return None
    mine = (call for call in calls if _may_be(heard, call))
    near = [(gap, -call.id, call) for call in mine if (gap := _apart(heard, call)) is not None]
    return min(near)[2] if near else None


def recorded_open(heard: HeardEvent, calls: Sequence[Call]) -> Call | None:
    """Return the call that a record is of, where its end is still waited for."""
    return _in(OPEN, recorded(heard, calls))


def recorded_again(heard: HeardEvent, calls: Sequence[Call]) -> Call | None:
    """Return the ended call that a record is of."""
    return _in((State.ENDED,), recorded(heard, calls))


def recorded_late(heard: HeardEvent, calls: Sequence[Call]) -> Call | None:
    """Return the call that a record is of, where its end was waited for no more."""
    return _in(OVER, recorded(heard, calls))


def began_too_early(heard: HeardEvent, call: Call) -> bool:
    """Return whether ``call`` began before the one that a record is of could ring."""
    if heard.started_at is None or call.started_at is None:
        return False
    return call.started_at < heard.started_at - CLOCK_MS - LONGEST_RING_MS


def _in(states: Iterable[State], call: Call | None) -> Call | None:
    return call if call is not None and call.state in states else None


def _may_be(heard: HeardEvent, call: Call) -> bool:
    """Return whether ``call`` is one of the record's pair, and not another one of the exchange by its id."""
    if heard.call_ref and call.call_ref:
        return False
    return call.state in (*OPEN, *OVER) and _same_pair(heard, call)


def _same_pair(heard: HeardEvent, call: Call) -> bool:
    if heard.internal != call.internal:
        return False
    if not heard.extension:
        return heard.known and call.number == heard.number
    if call.number == heard.number and is_at(call, heard.extension):
        return True
    return heard.internal and (call.extension, call.number) == (heard.number, heard.extension)


def _apart(heard: HeardEvent, call: Call) -> int | None:
    """Return how far the moments of a record and of ``call`` are apart (milliseconds), None where they are two calls'.

    One of the two ends has to be the same; or both are shifted alike, for the clock that made the record may differ.
    What other records told was of the same clock: there somebody called again.
    """
    began, ended = heard.started_at or 0, heard.moment
    if call.started_at is None and call.ended_at is None:
        return None
    if call.ended_at is None:
        since = call.started_at or 0
        return abs(since - began) if began - CLOCK_MS <= since <= ended + CLOCK_MS else None
    at_end = ended - call.ended_at
    if call.started_at is None:
        return abs(at_end) if abs(at_end) <= OVERTAKEN_MS else None
    at_start = began - call.started_at
    nearest = min(abs(at_start), abs(at_end))
    if is_known_by_records(call):
        return nearest if nearest <= GROUP_MS else None
    is_same = nearest <= OVERTAKEN_MS
    is_shifted = max(abs(at_start), abs(at_end)) <= CLOCK_MS and abs(at_start - at_end) <= OVERTAKEN_MS
    return abs(at_start) + abs(at_end) if is_same or is_shifted else None
