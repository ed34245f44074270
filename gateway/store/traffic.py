"""The traffic log: what came in and what was answered, what was sent and what came back, as raw bytes."""

import json
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from operator import attrgetter
from typing import Any, NamedTuple

from sqlalchemy import Column, Index, Integer, LargeBinary, Row, Select, Table, func, select, text

from gateway.domain.records import record
from gateway.store.bulk import written
from gateway.store.diagnostic_log import DiagnosticLog, metadata
from gateway.store.fitting import FittedString, FittedText
from gateway.store.shared.exchange_index import ExchangeIndex, IndexedExchange

IN, OUT = "in", "out"

entries = Table(
    "exchanges",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("at", Integer, nullable=False),
    Column("took_us", Integer, nullable=False),
    Column("way", FittedString(3), nullable=False),
    Column("tenant", FittedString(63), nullable=False),
    Column("peer", FittedString(255), nullable=False),
    Column("wire", FittedString(16), nullable=False),
    Column("operation", FittedString(32), nullable=False),
    Column("call_id", Integer),
    Column("status", FittedString(80), nullable=False),
    Column("note", FittedText, nullable=False),
    Column("request", LargeBinary, nullable=False),
    Column("answer", LargeBinary, nullable=False),
    Column("remarks", FittedText),
    Index("ix_exchanges_at", "at"),
    Index("ix_exchanges_peer", "tenant", "peer"),
    Index("ix_exchanges_call", "call_id", sqlite_where=text("call_id IS NOT NULL")),
)


class RemarkCode(StrEnum):
    """What there is to say of an entry; ``gateway.traffic.remarks`` has the sentences."""

    ADDRESS = "address"
    REPAIRED = "repaired"
    REPLAYED = "replayed"
    UNPACKED = "unpacked"
    CONVERTED = "converted"
    CUT = "cut"
    BODY_CUT = "body_cut"
    UNPACKED_CUT = "unpacked_cut"
    BODY_HIDDEN = "body_hidden"
    TEXTS_HIDDEN = "texts_hidden"
    ANSWER_CUT = "answer_cut"
    # Why a request did not prove that its source sent it: gateway/mapping/doubts.py has the same codes.
    SECRET_MISSING = "secret_missing"  # noqa: S105
    SECRET_WRONG = "secret_wrong"  # noqa: S105
    SIGNATURE_MISSING = "signature_missing"
    SIGNATURE_WRONG = "signature_wrong"
    TIMESTAMP_MISSING = "timestamp_missing"
    TIMESTAMP_OFF = "timestamp_off"
    NOT_COVERED = "not_covered"
    EVENT_UNKNOWN = "event_unknown"
    TOKEN_WRONG = "token_wrong"  # noqa: S105
    BODY_CHANGED = "body_changed"
    TOO_MANY_GUESSES = "too_many_guesses"
    NOT_MAPPED = "not_mapped"


NOT_WHOLE = frozenset(
    (
        RemarkCode.CUT,
        RemarkCode.BODY_CUT,
        RemarkCode.UNPACKED_CUT,
        RemarkCode.BODY_HIDDEN,
        RemarkCode.TEXTS_HIDDEN,
    )
)
"""What leaves a request in the log that is not the one that came."""
NOT_WHOLE_BEFORE = "cortado"
"""How the note of an entry of version 0.1.0, which has no remarks, says the same."""


class Remark(NamedTuple):
    """A code, and the facts of its sentence, such as ``size`` and ``kept`` in bytes."""

    code: RemarkCode
    facts: Mapping[str, str | int]


@record(frozen=True, slots=True)
class TrafficEntry:
    """One request and its answer.

    ``way`` is ``in`` or ``out``; ``at`` is milliseconds since 1970 UTC; ``peer`` the client's address, or the name of
    the appliance or forward; ``status`` the answer's first line without the version, or why there is none; ``note``
    what was repaired, cut or replayed, in Portuguese; ``remarks`` the same in codes, None where an earlier version
    wrote the entry. ``request`` and ``answer`` hold head and body, secrets masked.
    """

    at: int
    took_us: int
    way: str
    tenant: str
    peer: str
    wire: str
    operation: str
    call_id: int | None
    status: str
    note: str
    request: bytes
    answer: bytes
    id: int = 0
    remarks: tuple[Remark, ...] | None = None

    @property
    def whole(self) -> bool:
        """Whether the request was kept as it came, but for masked secrets."""
        if self.remarks is None:
            return NOT_WHOLE_BEFORE not in self.note
        return not any(remark.code in NOT_WHOLE for remark in self.remarks)

    @property
    def address(self) -> str:
        """Where a request that we sent went to, such as ``pbx:443``."""
        if self.remarks is None:
            return self.note.partition(";")[0].strip()
        return next((str(each.facts["address"]) for each in self.remarks if each.code is RemarkCode.ADDRESS), "")


@record(frozen=True, slots=True)
class TrafficFilter:
    """What to look for; None means any. Times are milliseconds, ``text`` is looked for in request and answer."""

    way: str | None = None
    peer: str | None = None
    call_id: int | None = None
    since: int | None = None
    until: int | None = None
    text: str | None = None
    failed: bool = False
    before_id: int | None = None
    operation: str | None = None


ANY = TrafficFilter()
WRITTEN = written(entries)
_values_of = attrgetter(*WRITTEN)
# One encoder for all: json.dumps makes a new one at each call that wants letters as they are.
_encode = json.JSONEncoder(ensure_ascii=False).encode
Draft = Callable[[], TrafficEntry]
"""Makes the entry when its turn to be written comes, so that no client waits for it."""


class TrafficLog:
    """Entries into the diagnostic log of this node, and found again; ``index`` tells other nodes of them."""

    def __init__(self, log: DiagnosticLog, index: ExchangeIndex | None = None) -> None:
        self._log = log
        self._index = index

    def add(self, draft: Draft, size: int) -> None:
        """Have ``draft()``, of about ``size`` bytes, written soon. Never waits and never raises."""
        if self._index:
            self._log.add(lambda: (entries, _row(self._indexed(draft()))), size)
        else:
            self._log.add(lambda: (entries, _row(draft())), size)

    def elsewhere(self, tenant: str | None, call_id: int) -> Sequence[IndexedExchange]:
        """Return what other nodes' logs have of a call, oldest first; ``tenant`` None means any."""
        return self._index.elsewhere(tenant, call_id) if self._index else ()

    def _indexed(self, made: TrafficEntry) -> TrafficEntry:
        if self._index and made.call_id is not None:
            named = ("at", "tenant", "call_id", "way", "peer", "operation", "status")
            self._index.add(**{name: getattr(made, name) for name in named})
        return made

    def search(self, tenant: str | None, wanted: TrafficFilter = ANY, *, limit: int = 50) -> Sequence[TrafficEntry]:
        """Return entries, the newest first; ``tenant`` None means any, also requests whose company was not known."""
        query = _narrowed(select(entries), tenant, wanted).order_by(entries.c.id.desc()).limit(limit)
        return [_entry(row) for row in self._log.read(query)]

    def get(self, tenant: str | None, entry_id: int) -> TrafficEntry | None:
        """Return one entry of the tenant."""
        query = select(entries).where(entries.c.id == entry_id)
        query = query.where(entries.c.tenant == tenant) if tenant is not None else query
        return next((_entry(row) for row in self._log.read(query)), None)


def _row(made: TrafficEntry) -> dict[str, Any]:
    row = dict(zip(WRITTEN, _values_of(made), strict=True))
    if made.remarks is not None:
        row["remarks"] = _encode(made.remarks) if made.remarks else "[]"
    return row


def _narrowed(query: Select[Any], tenant: str | None, wanted: TrafficFilter) -> Select[Any]:
    columns = entries.c
    equal = {
        columns.tenant: tenant,
        columns.way: wanted.way,
        columns.peer: wanted.peer,
        columns.call_id: wanted.call_id,
        columns.operation: wanted.operation,
    }
    query = query.where(*(column == value for column, value in equal.items() if value is not None))
    if wanted.since is not None:
        query = query.where(columns.at >= wanted.since)
    if wanted.until is not None:
        query = query.where(columns.at < wanted.until)
    if wanted.text:
        needle = wanted.text.encode()
        query = query.where((func.instr(columns.request, needle) > 0) | (func.instr(columns.answer, needle) > 0))
    if wanted.failed:
        query = query.where(~columns.status.startswith("2"))
    return query.where(columns.id < wanted.before_id) if wanted.before_id else query


def _entry(row: Row[Any]) -> TrafficEntry:
    found = dict(row._mapping)
    if found["remarks"] is not None:
        found["remarks"] = tuple(Remark(RemarkCode(code), facts) for code, facts in json.loads(found["remarks"]))
    return TrafficEntry(**found)


def cut(raw: bytes, most: int, code: RemarkCode = RemarkCode.CUT) -> tuple[bytes, tuple[Remark, ...]]:
    """Return ``raw``, or its first ``most`` bytes and the remark ``code`` that says so."""
    if len(raw) <= most:
        return raw, ()
    return raw[:most], (Remark(code, {"size": len(raw), "kept": most}),)
