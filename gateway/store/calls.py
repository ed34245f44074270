"""The call log, read."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    Row,
    Select,
    String,
    Table,
    false,
    func,
    literal,
    or_,
    select,
)

from gateway.domain.calls.certainty import CERTAINTY, PairingRule
from gateway.domain.calls.free_fields import read_fields
from gateway.domain.calls.legs import Leg, only_leg, rang_at, status_at
from gateway.domain.calls.results import NOT_ANSWERED
from gateway.domain.calls.scope import EVERYTHING, CallScope
from gateway.domain.calls.search_terms import Term
from gateway.domain.calls.states import STATES
from gateway.domain.calls.windows import LONGEST_CALL_MS
from gateway.domain.links import safe_link
from gateway.domain.messages import AttachedData, Direction
from gateway.domain.records import record
from gateway.store import tables
from gateway.store.among import among
from gateway.store.call_fields import LOG_FIELDS, column_of, is_moment
from gateway.store.call_scope import visible
from gateway.store.writing.candidates import leg_of
from gateway.texts.packing import unpack
from gateway.texts.text import Text

calls, orders, legs, notes = tables.calls, tables.orders, tables.legs, tables.notes
agent_notes = tables.agent_notes
ROWS_OF_THEIR_OWN = ("legs", "notes")
AT_ONCE = 500
"""Calls whose legs or notes one statement reads."""


class CallNote(NamedTuple):
    """What an exchange told of a call besides, heard ``at`` (milliseconds since 1970 UTC)."""

    at: int
    recording_url: str | None
    cost: str | None
    transcript: str | None


@record(frozen=True, slots=True)
class LoggedCall(AttachedData):
    """One line of the call log. Times are milliseconds since 1970 UTC, or None while unknown.

    ``status``: ringing, talking (somebody took it), ended, lost (no end was received), elsewhere (another extension of
    its group took it), over (``over_by`` marked it as over), ordered (being dialled), or an order's outcome: accepted,
    refused, unreachable, unknown. ``paired_by`` is the rule by which its events found each other
    (``domain/calls/pairing.py``), ``group_id`` the first call of a group that rang at once.
    ``appliance`` is who dialled, or is about to; ``detail`` is the sentence that came with an order's outcome,
    in the company's language, ``told`` the same for readers of any.
    ``answered_by`` is the extension that took it, ``answered_agent`` the login of who sat there then and
    ``answered_agent_name`` the name; ``ring_s`` and
    ``talk_s`` are the seconds until the answer and from it on.
    ``legs`` are where it rang and who talked, in their order; ``seen_from`` says how it stands at one extension.
    ``waited_s`` are the seconds that its caller waited in a queue, from ``queued_at`` on; it is on hold since
    ``held_at``. ``fields`` are free fields, of which some found no room where they are ``fields_cut``; ``notes`` is
    what was told of it besides. A missed call was returned at ``returned_at``, by the call ``returned_by``;
    ``cleared_by`` took it off the list of missed calls at ``cleared_at``. ``note`` is what the agent ``note_by`` wrote
    last, at ``noted_at``, as ``note_revision``, and ``note_outcome`` the outcome that was chosen.
    ``consultation_for`` is the call that it was the consultation for, before an attended transfer.
    ``result`` says how it ended (``domain/calls/results.py``), read from ``result_text``, the exchange's own words.
    ``call_ref`` is the exchange's own id of the call, ``request_id`` the asker's own id of an order.
    """

    id: int
    tenant: str
    direction: str
    extension: str
    number: str
    account_id: int | None
    account: str | None
    contact: str | None
    logged_at: int
    started_at: int | None
    ended_at: int | None
    duration_s: int | None
    recording_url: str | None
    status: str
    paired_by: str | None = None
    group_id: int | None = None
    transferred_to: str | None = None
    appliance: str | None = None
    detail: str | None = None
    result: str | None = None
    result_text: str | None = None
    over_by: str | None = None
    over_at: int | None = None
    call_ref: str | None = None
    request_id: str | None = None
    answered_at: int | None = None
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
    fields: Mapping[str, str] = field(default_factory=dict)
    fields_cut: bool | None = None
    returned_at: int | None = None
    returned_by: int | None = None
    account_code: str | None = None
    answered_agent_name: str | None = None
    cleared_at: int | None = None
    cleared_by: str | None = None
    note: str | None = None
    note_outcome: str | None = None
    note_by: str | None = None
    note_author_name: str | None = None
    noted_at: int | None = None
    follow_up_at: int | None = None
    follow_up_done_at: int | None = None
    note_revision: int | None = None
    consultation_for: int | None = None
    note_count: int | None = None
    leg_count: int | None = None
    sentence: str | None = None
    legs: tuple[Leg, ...] = ()
    notes: tuple[CallNote, ...] = ()

    @property
    def told(self) -> Text | None:
        """What came of its order, None while there is nothing to say."""
        return unpack(self.sentence, words=self.detail) if self.detail else None

    @property
    def rang(self) -> tuple[str, ...]:
        """The extensions at which it rang; of a call that we made only those where it went on."""
        return rang_at(self.legs, self.direction)

    def seen_from(self, extension: str) -> str:
        """Return its status as ``extension`` sees it, where it may be over already."""
        return status_at(self.legs if self.leg_count else (), STATES[self.status], self.status, extension)

    @property
    def certainty(self) -> str | None:
        """How sure it is that its events belong together: certain, likely or guess; None while there is only one."""
        return CERTAINTY[PairingRule(self.paired_by)].value if self.paired_by else None

    @property
    def spoken_s(self) -> int | None:
        """Seconds of the conversation; None while unknown, and where nobody answered: it only rang then."""
        if self.status != "ended" or self.result in NOT_ANSWERED:
            return None
        return self.duration_s if self.talk_s is None else self.talk_s

    @property
    def taken_by(self) -> str | None:
        """The other extension that took it; None where it was this one, or nobody has said."""
        return self.answered_by if self.answered_by != self.extension else None

    @property
    def went_to(self) -> str | None:
        """Where it was transferred to, where that is known; not where it seems so by its number alone."""
        return self.transferred_to if self.paired_by != PairingRule.TRANSFER else None

    @property
    def may_be_marked_over(self) -> bool:
        """Whether it still goes on as far as anybody heard."""
        return self.status in GOING_ON

    def as_json(self) -> dict[str, Any]:
        """Return the call as scripts get it: times as ISO 8601 in UTC."""
        return {name: as_told(getattr(self, name)) for name, as_told in TOLD.items()}


def iso(at: int | None) -> str | None:
    """Return milliseconds since 1970 as ISO 8601 in UTC, such as ``2026-03-05T17:20:31.123Z``."""
    if at is None:
        return None
    return datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _as_it_is(value: Any) -> Any:
    return value


def _told_legs(legs: Sequence[Leg]) -> list[dict[str, Any]]:
    return [
        {name: iso(value) if is_moment(name) else value for name, value in leg._asdict().items() if name != "attended"}
        | {"transfer": leg.transfer}
        for leg in legs
    ]


def _told_notes(notes: Sequence[CallNote]) -> list[dict[str, Any]]:
    return [
        {"at": iso(note.at), "recording_url": safe_link(note.recording_url)}
        | {"cost": note.cost, "transcript": note.transcript}
        for note in notes
    ]


_SAID: Mapping[str, Callable[[Any], Any]] = {
    "recording_url": safe_link,
    "missed": bool,
    "fields": dict,
    "fields_cut": bool,
    "rang": list,
    "legs": _told_legs,
    "notes": _told_notes,
}
TOLD: Mapping[str, Callable[[Any], Any]] = {
    name: iso if is_moment(name) else _SAID.get(name, _as_it_is) for name in LOG_FIELDS
}
"""What scripts get of a call, and how each value is told."""
GOING_ON = ("waiting", "ringing", "talking", "ordered", "accepted", "unknown")
STATUSES = tuple(STATES)
MISSED = "missed"


@dataclass(frozen=True, slots=True)
class CallFilter:
    """What to look for; None means any. ``number`` matches from its beginning, times are milliseconds.

    ``statuses`` are any of ``STATUSES``, and ``MISSED`` for incoming calls that ended and that nobody took; ``results``
    are any of ``domain/calls/results.py``. ``scope`` is which calls whoever asks may see; with ``whole_number``
    only the whole ``number`` matches. Consultations among extensions are a part of another call: they are left out
    unless ``consultations`` is set. ``terms`` are words that have to stand in a call: only ``store/search/search.py``
    looks at them.
    """

    extension: str | None = None
    number: str | None = None
    direction: str | None = None
    account_id: int | None = None
    since: int | None = None
    until: int | None = None
    before_id: int | None = None
    statuses: tuple[str, ...] = ()
    missed: bool | None = None
    results: tuple[str, ...] = ()
    scope: CallScope = EVERYTHING
    whole_number: bool = False
    terms: tuple[Term, ...] = ()
    consultations: bool = False


ANY = CallFilter()
COLUMN_NAMES = tuple(each.name for each in fields(LoggedCall) if each.name not in ROWS_OF_THEIR_OWN)
COLUMNS = tuple(map(column_of, COLUMN_NAMES))


def next_logged(connection: Connection, *, tenant: str, since: int, before: int) -> int:
    """Return when the first call from ``since`` on was logged, ``before`` where there is none until then."""
    between = (calls.c.tenant == tenant, calls.c.logged_at >= since, calls.c.logged_at < before)
    found: int | None = connection.execute(select(func.min(calls.c.logged_at)).where(*between)).scalar()
    return before if found is None else found


NEAR = 20_000
"""Calls that are looked through before indexes are asked, in some 20 ms; most questions are answered by the newest."""
NEWEST = 50
"""Among how many of the newest calls the last thing heard is looked for."""


class CallLog:
    """Reads the call log; safe for many threads."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def last_heard(self, tenant: str) -> int:
        """Return when an exchange last told of one of the tenant's newest calls; 0 where none has."""
        newest = select(calls.c.start_heard_at, calls.c.end_heard_at).where(calls.c.tenant == tenant)
        newest_calls = newest.order_by(calls.c.logged_at.desc()).limit(NEWEST).subquery()
        query = select(func.max(newest_calls.c.start_heard_at), func.max(newest_calls.c.end_heard_at))
        with self._engine.connect() as connection:
            return max(at or 0 for at in connection.execute(query).one())

    def recent(self, tenant: str | None, wanted: CallFilter = ANY, *, limit: int = 50) -> Sequence[LoggedCall]:
        """Return calls, the newest first; ``tenant`` None reads all tenants (for the command line)."""
        with self._engine.connect() as connection:
            asked = _Asked(tenant, wanted, _has_legs(connection, tenant, wanted.extension))
            first = _first_near(connection, wanted)
            rows = _newest(connection, asked, limit, first) if first is not None else []
            if len(rows) < limit and (first is None or first > 0):
                rows = _newest(connection, asked, limit)
            return _logged(connection, rows)

    def near(self, tenant: str, wanted: CallFilter, *, limit: int) -> Sequence[LoggedCall]:
        """Return the same as far as the ``NEAR`` newest calls have them."""
        with self._engine.connect() as connection:
            asked = _Asked(tenant, wanted, _has_legs(connection, tenant, wanted.extension))
            first = _first_near(connection, wanted)
            return _logged(connection, _newest(connection, asked, limit, first) if first is not None else [])

    def pages(self, tenant: str | None, wanted: CallFilter = ANY, *, size: int = 1000) -> "CallPages":
        """Return all matching calls, oldest first, without holding them all."""
        return CallPages(self._engine, tenant, wanted, size)

    def get(self, tenant: str, call_id: int, scope: CallScope = EVERYTHING) -> LoggedCall | None:
        """Return one call of the tenant, None where ``scope`` does not admit it."""
        query = _select().where(calls.c.tenant == tenant, calls.c.id == call_id, visible(scope))
        with self._engine.connect() as connection:
            found = _logged(connection, connection.execute(query).all())
        return found[0] if found else None

    def transferred_here(self, call: LoggedCall) -> LoggedCall | None:
        """Return the call that went on as ``call``, None where nobody transferred it to its extension."""
        if call.group_id in (None, call.id):
            return None
        group = or_(calls.c.id == call.group_id, calls.c.group_id == call.group_id)
        between = (calls.c.logged_at <= call.logged_at, calls.c.logged_at >= call.logged_at - LONGEST_CALL_MS)
        same = (calls.c.tenant == call.tenant, calls.c.number == call.number, *between)
        query = _select().where(*same, group, calls.c.id < call.id, calls.c.transferred_to == call.extension)
        with self._engine.connect() as connection:
            rows = connection.execute(query.order_by(calls.c.id.desc()).limit(1)).all()
            found = _logged(connection, rows)
        return found[0] if found and found[0].went_to else None

    def consultations(self, call: LoggedCall) -> Sequence[LoggedCall]:
        """Return the consultations for ``call``, in their order: each was at one of its extensions."""
        there = {call.extension, *(leg.extension for leg in call.legs)}
        until = (call.ended_at or call.logged_at) + LONGEST_CALL_MS
        between = (calls.c.logged_at >= call.logged_at - LONGEST_CALL_MS, calls.c.logged_at <= until)
        mine = (
            calls.c.tenant == call.tenant,
            calls.c.extension.in_(sorted(there)),
            calls.c.consultation_for == call.id,
        )
        with self._engine.connect() as connection:
            return _logged(connection, connection.execute(_select().where(*mine, *between).order_by(calls.c.id)).all())


@dataclass(frozen=True, slots=True)
class CallPages:
    """Iterates over calls by id, a page at a time."""

    engine: Engine
    tenant: str | None
    wanted: CallFilter
    size: int

    def __iter__(self) -> Any:
        last = 0
        while True:
            with self.engine.connect() as connection:
                asked = _Asked(self.tenant, self.wanted, _has_legs(connection, self.tenant, self.wanted.extension))
                query = _narrowed(_select(), asked, along_ids=_is_of_any_time(self.wanted)).where(calls.c.id > last)
                rows = connection.execute(query.order_by(calls.c.id).limit(self.size)).all()
                found = _logged(connection, rows)
            yield from found
            if len(rows) < self.size:
                return
            last = rows[-1].id


def select_narrowed(
    columns: Sequence[ColumnElement[Any]], connection: Connection, tenant: str, wanted: CallFilter, ids: Sequence[int]
) -> Select[Any]:
    """Return a query of ``columns`` of those calls with ``ids`` that ``wanted`` matches, its terms left aside."""
    asked = _Asked(tenant, wanted, _has_legs(connection, tenant, wanted.extension))
    query = select(*columns).join_from(calls, orders, orders.c.id == calls.c.order_id, isouter=True)
    return _narrowed(query, asked, along_ids=True).where(among(connection, calls.c.id, ids))


def read_calls(connection: Connection, ids: Sequence[int]) -> list[LoggedCall]:
    """Return the calls with ``ids``, the newest first."""
    found: list[LoggedCall] = []
    for start in range(0, len(ids), AT_ONCE):
        chosen = among(connection, calls.c.id, ids[start : start + AT_ONCE])
        found += _logged(connection, connection.execute(_select().where(chosen)).all())
    return sorted(found, key=lambda call: call.id, reverse=True)


def _first_near(connection: Connection, wanted: CallFilter) -> int | None:
    """Return the id from which on calls are looked through one by one, before indexes are asked for older ones.

    None where ``since`` leaves fewer than those, which an index finds at once, and where ``until`` leaves none of them.
    """
    newest = connection.execute(select(func.max(calls.c.id))).scalar() or 0
    first = min(newest, wanted.before_id or newest) - NEAR
    if wanted.since is None and wanted.until is None:
        return first
    query = select(calls.c.logged_at).where(calls.c.id >= first).order_by(calls.c.id).limit(1)
    oldest = connection.execute(query).scalar() or 0
    return first if oldest >= (wanted.since or 0) and (wanted.until is None or oldest < wanted.until) else None


def _is_of_any_time(wanted: CallFilter) -> bool:
    """Return whether calls are best gone through in the order of their ids: no index finds a small part of them."""
    return wanted.since is None and wanted.until is None and not wanted.number


class _Asked(NamedTuple):
    """What calls are looked for; ``with_legs``: those too that were at the wanted extension by a leg of their own."""

    tenant: str | None
    wanted: CallFilter
    with_legs: bool


def _has_legs(connection: Connection, tenant: str | None, extension: str | None) -> bool:
    """Return whether legs are kept of any call at ``extension``; to look for them in each call would cost."""
    if extension is None:
        return False
    return connection.execute(_legs_at(tenant, extension).limit(1)).first() is not None


def _legs_at(tenant: str | None, extension: str) -> Select[Any]:
    there = select(legs.c.call_id).where(legs.c.extension == extension)
    return there if tenant is None else there.where(legs.c.tenant == tenant)


def _newest(connection: Connection, asked: _Asked, limit: int, first: int | None = None) -> Sequence[Row[Any]]:
    """Return the newest calls by an index; with ``first`` those from this id on, one by one."""
    if first is not None:
        # PostgreSQL goes along ids by itself where it knows how many calls a company has. Of a condition that it cannot
        # see through it expects few, and sorts all of them.
        along_ids = connection.dialect.name == "sqlite"
        query = _narrowed(_select(), asked, along_ids=along_ids).where(calls.c.id >= first)
    else:
        # What an index finds is sorted by ids alone: of a day that may be tens of thousands, each a wide row.
        found = _narrowed(_joined(select(calls.c.id)), asked).order_by(_order(connection, asked.wanted)).limit(limit)
        query = _select().where(calls.c.id.in_(found))
    return connection.execute(query.order_by(calls.c.id.desc()).limit(limit)).all()


def _order(connection: Connection, wanted: CallFilter) -> ColumnElement[Any]:
    """Return the order of calls, the newest first.

    Of a period PostgreSQL has to sort what an index finds: it expects to come upon a day's calls soon when it goes
    through all of them in the order of their ids, and does so for seconds.
    """
    if connection.dialect.name == "postgresql" and wanted.since is not None and wanted.until is not None:
        return (calls.c.id + 0).desc()
    return calls.c.id.desc()


def _joined(query: Select[Any]) -> Select[Any]:
    """Return ``query`` of calls with their orders, by which scopes are told."""
    return query.join_from(calls, orders, orders.c.id == calls.c.order_id, isouter=True)


def _select() -> Select[Any]:
    query = _joined(select(*COLUMNS))
    return query.join(agent_notes, agent_notes.c.call_id == calls.c.id, isouter=True)


def _narrowed(query: Select[Any], asked: _Asked, *, along_ids: bool = False) -> Select[Any]:
    tenant, wanted, with_legs = asked
    # Every index begins with the tenant's column, and none is in the order of ids: sorting what one finds costs as much
    # as the log is long.
    of_tenant = func.coalesce(calls.c.tenant, "") if along_ids else calls.c.tenant
    conditions = {
        of_tenant: tenant,
        calls.c.direction: wanted.direction,
        calls.c.account_id: wanted.account_id,
    }
    query = query.where(*(column == value for column, value in conditions.items() if value is not None))
    if wanted.extension is not None:
        here = calls.c.extension == wanted.extension
        query = query.where(or_(here, calls.c.id.in_(_legs_at(tenant, wanted.extension))) if with_legs else here)
    if wanted.number and wanted.whole_number:
        query = query.where(calls.c.number == wanted.number)
    elif wanted.number:
        query = query.where(calls.c.number.startswith(wanted.number, autoescape=True))
        if wanted.number.isdigit():
            # LIKE takes letters of either case for the same, so that it uses no index.
            query = query.where(
                calls.c.number >= wanted.number, calls.c.number < literal(wanted.number + "~", String())
            )
    if wanted.missed is not None:
        query = query.where(func.coalesce(calls.c.missed, false()) == wanted.missed)
    if wanted.statuses:
        query = query.where(or_(*_status(wanted.statuses)))
    if wanted.results:
        query = query.where(calls.c.result.in_(wanted.results))
    if wanted.since is not None:
        query = query.where(calls.c.logged_at >= wanted.since)
    if wanted.until is not None:
        query = query.where(calls.c.logged_at < wanted.until)
    if not wanted.consultations:
        query = query.where(_STANDS_ALONE)
    query = query if wanted.scope.everything else query.where(visible(wanted.scope))
    return query.where(calls.c.id < wanted.before_id) if wanted.before_id else query


_STANDS_ALONE = or_(calls.c.consultation_for.is_(None), calls.c.direction != Direction.INTERNAL.value)
"""A consultation with somebody outside is in the log as well: it costs, and belongs to whom was called."""


def _status(wanted: Sequence[str]) -> Iterator[ColumnElement[bool]]:
    yield calls.c.status.in_([status for status in wanted if status != MISSED])
    if MISSED in wanted:
        yield calls.c.missed.is_(True)


def _logged(connection: Connection, rows: Sequence[Row[Any]]) -> list[LoggedCall]:
    """Return the calls of ``rows``, with what is kept of them in rows of their own."""
    several = _rows_of(connection, legs, [row.id for row in rows if row.leg_count], legs.c.place)
    noted = _rows_of(connection, notes, [row.id for row in rows if row.note_count], notes.c.at)
    return [_call(row, several.get(row.id, ()), noted.get(row.id, ())) for row in rows]


def _rows_of(
    connection: Connection, table: Table, call_ids: Sequence[int], order: ColumnElement[Any]
) -> Mapping[int, Sequence[Row[Any]]]:
    found: dict[int, list[Row[Any]]] = defaultdict(list)
    for start in range(0, len(call_ids), AT_ONCE):
        query = select(table).where(table.c.call_id.in_(call_ids[start : start + AT_ONCE])).order_by(order)
        for row in connection.execute(query):
            found[row.call_id].append(row)
    return found


def _call(row: Row[Any], several: Sequence[Row[Any]], noted: Sequence[Row[Any]]) -> LoggedCall:
    values = dict(zip(COLUMN_NAMES, row, strict=True))
    values["fields"] = read_fields(row.fields)
    at = tuple(leg_of(tuple(leg)[3:]) for leg in several)
    told = tuple(CallNote(note.at, note.recording_url, note.cost, note.transcript) for note in noted)
    return LoggedCall(**values, legs=at or ((_only_leg(row),) if row.extension else ()), notes=told)


def _only_leg(row: Row[Any]) -> Leg:
    return only_leg(
        row.extension,
        started_at=row.started_at,
        answered_at=row.answered_at,
        ended_at=row.ended_at,
        state=STATES[row.status],
        result=row.result,
        agent=row.answered_agent,
        result_text=row.result_text,
        transferred_to=row.transferred_to,
        transfer=row.transfer,
    )
