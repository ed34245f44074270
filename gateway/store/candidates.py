"""The logged calls that a batch of events may belong to, read at once and worked on in memory."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection

from gateway.domain.calls.pairing import LATE_MS, LONGEST_CALL_MS, HeardEvent
from gateway.domain.calls.results import sure_result
from gateway.domain.calls.states import State
from gateway.domain.messages import Direction
from gateway.domain.numbering.numbers import NumberKind
from gateway.store import statements
from gateway.store.bulk import Driver
from gateway.store.drafts import EndDraft, StartDraft

STATES: Mapping[str, State] = {
    "ordered": State.ORDERED,
    "accepted": State.ORDERED,
    "unknown": State.ORDERED,
    "refused": State.FAILED,
    "unreachable": State.FAILED,
    "ringing": State.RINGING,
    "ended": State.ENDED,
    "lost": State.LOST,
    "elsewhere": State.ELSEWHERE,
    "over": State.OVER,
}
"""What is known of a call, by its status in the log: an order's outcome says nothing yet of the call itself."""
NOBODY = (NumberKind.WITHHELD, NumberKind.UNKNOWN)


def _column(name: str) -> Any:
    return property(lambda call: call.row[name])


class CandidateCall:
    """A call row being worked on, as pairing sees it; ``row`` has the columns of ``calls``."""

    __slots__ = ("row",)

    def __init__(self, row: dict[str, Any]) -> None:
        self.row = row

    id = _column("id")
    extension = _column("extension")
    number = _column("number")
    call_ref = _column("call_ref")
    logged_at = _column("logged_at")
    started_at = _column("started_at")
    ended_at = _column("ended_at")
    start_heard_at = _column("start_heard_at")
    end_heard_at = _column("end_heard_at")
    duration_s = _column("duration_s")
    recording_url = _column("recording_url")

    @property
    def state(self) -> State:
        return STATES[self.row["status"]]

    @property
    def internal(self) -> bool:
        return bool(self.row["direction"] == Direction.INTERNAL)

    def change(self, **values: Any) -> None:
        self.row.update(values)


def number_of(draft: StartDraft | EndDraft) -> str:
    """The other party as the log has it."""
    other = draft.sides.other
    return (other.national or other.input)[:64]


def heard_of(draft: StartDraft | EndDraft) -> HeardEvent:
    """What pairing needs to know of an event."""
    message, sides = draft.message, draft.sides
    end = draft.message if isinstance(draft, EndDraft) else None
    return HeardEvent(
        extension=sides.extension[:32],
        number=number_of(draft),
        internal=sides.direction is Direction.INTERNAL,
        known=sides.other.kind not in NOBODY,
        at=message.received_at,
        call_ref=message.call_ref,
        occurred_at=message.occurred_at,
        duration_s=end.duration_s if end else None,
        result=sure_result(end.result, end.duration_s) if end else None,
        recording_url=end.recording_url if end else None,
    )


def perhaps_heard(draft: StartDraft | EndDraft, heard: HeardEvent) -> HeardEvent | None:
    """The same event by the other reading of its number, where it has one."""
    other = draft.sides.perhaps
    return replace(heard, number=other.national[:64]) if other is not None else None


class KnownCalls:
    """Calls by id, by the exchange's id, and by number; a new one is added as it is made."""

    def __init__(self, connection: Connection, driver: Driver) -> None:
        self._connection = connection
        self._driver = driver
        self._by_id: dict[int, CandidateCall] = {}
        self._by_ref: dict[tuple[str, str], list[CandidateCall]] = defaultdict(list)
        self._by_number: dict[tuple[str, str], list[CandidateCall]] = defaultdict(list)

    def load(self, drafts: Sequence[StartDraft | EndDraft]) -> None:
        """Read what ``drafts`` may belong to: a day's open calls and an hour's ended ones, by number and by id."""
        numbers: dict[str, set[str]] = defaultdict(set)
        refs: dict[str, set[str]] = defaultdict(set)
        for draft in drafts:
            tenant = draft.message.tenant
            numbers[tenant].add(number_of(draft))
            if draft.sides.perhaps is not None:
                numbers[tenant].add(draft.sides.perhaps.national[:64])
            if draft.sides.direction is Direction.INTERNAL:
                numbers[tenant].add(draft.sides.extension[:32])
            if draft.message.call_ref:
                refs[tenant].add(draft.message.call_ref)
        first = min((draft.message.received_at for draft in drafts), default=0)
        for tenant, wanted in numbers.items():
            before = [tenant, first - LONGEST_CALL_MS, first - LATE_MS]
            self._know_all(statements.CALLS_BY_NUMBER.run(self._driver, wanted, before))
        for tenant, wanted in refs.items():
            self._know_all(statements.CALLS_BY_REF.run(self._driver, wanted, [tenant]))

    def about(self, tenant: str, heard: HeardEvent) -> list[CandidateCall]:
        """The calls that an event may belong to, each once."""
        keys = {heard.number, heard.extension} if heard.internal else {heard.number}
        found = [call for key in keys for call in self._by_number.get((tenant, key), ())]
        if heard.call_ref:
            found += self._by_ref.get((tenant, heard.call_ref), ())
        return list({id(call): call for call in found}.values())

    def get(self, call_id: int) -> CandidateCall:
        """One call, read if need be."""
        if call_id not in self._by_id:
            self._know_all(statements.CALLS_BY_ID.run(self._driver, [call_id]))
        return self._by_id[call_id]

    def find(self, call_id: int) -> CandidateCall | None:
        """One call, read if need be; None where there is none."""
        try:
            return self.get(call_id)
        except KeyError:
            return None

    def add(self, call: CandidateCall) -> None:
        """Have later events of the batch find ``call``."""
        row = call.row
        if row["id"] in self._by_id:
            return
        self._by_id[row["id"]] = call
        self._by_number[row["tenant"], row["number"]].append(call)
        if row["call_ref"]:
            self._by_ref[row["tenant"], row["call_ref"]].append(call)

    def adopt_ref(self, call: CandidateCall, ref: str | None) -> None:
        """Let ``call`` have the exchange's id, if it has none yet."""
        if ref and not call.row["call_ref"]:
            call.change(call_ref=ref)
            self._by_ref[call.row["tenant"], ref].append(call)

    def still_ringing(self, tenant: str, since: int, before: int) -> list[CandidateCall]:
        """Calls first heard of from ``since`` on and before ``before``, of which no end was heard."""
        wanted = {"of": tenant, "since": since, "before": before}
        found = self._connection.execute(statements.STILL_RINGING, wanted).all()
        self._know_all(tuple(row) for row in found)
        calls = (self._by_id[row.id] for row in found)
        return [call for call in calls if call.state is State.RINGING]

    def _know_all(self, found: Iterable[Sequence[Any]]) -> None:
        for row in found:
            self.add(CandidateCall(dict(zip(statements.CALL_COLUMNS, row, strict=True))))
