"""What a gateway on site brings of its exchanges' events: each is written once, in order, whoever dies when.

Its spool numbers what it holds by turns that it never gives out twice. How far this database has come with a spool is
moved on by the transaction that writes the events themselves; what comes again is known by its turn.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import structlog
from sqlalchemy import Connection, select, update

from gateway.domain.calls.heard import kept_back
from gateway.domain.messages import Origin, SourceMark
from gateway.errors import BusyError, GatewayError, UnknownTenant
from gateway.store.onsite.sites import OnsiteSite
from gateway.store.spool.draining import LATE_MS
from gateway.store.spool.messages import Told, unpacked
from gateway.store.tables import onsite_spools as table
from gateway.store.writing.drafts import AgentStateDraft, EventDraft
from gateway.store.writing.journal import Journal, apply

log = structlog.get_logger()

CLOCKS_AGREE_MS = 2_000
"""Clocks that differ by less are taken for the same: the request itself took some time."""
WITHIN_S = 20.0
LONGEST_PEER = 100
MakeDraft = Callable[[Told], EventDraft | AgentStateDraft]


@dataclass(frozen=True, slots=True)
class Arrival:
    """An event as a site sent it: its turn, when the site got it by its own clock, the message as a text."""

    turn: int
    at: int
    message: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """An event that can never be written down, and why."""

    turn: int
    reason: str


@dataclass(frozen=True, slots=True)
class TakenEvents:
    """What came of a site's events: all up to ``turn`` are in the database, but for those refused."""

    turn: int
    refused: Sequence[Refusal] = ()


class OnsiteArrivals:
    """Writes sites' events down; ``make_draft`` says what a message means here."""

    def __init__(self, journal: Journal, make_draft: MakeDraft, clock: Callable[[], int]) -> None:
        self._journal = journal
        self._make_draft = make_draft
        self._clock = clock

    def take(self, site: OnsiteSite, spool: str, arrivals: Sequence[Arrival], ahead_ms: int) -> TakenEvents:
        """Write down what is not in the database yet; ``ahead_ms`` is by how much the site's clock is ahead of ours.

        Raises ``BusyError``, and ``UnknownTenant`` where the configuration has the company no more: in both cases the
        site keeps them and sends them again.
        """
        drafts: list[tuple[int, EventDraft | AgentStateDraft]] = []
        refused: list[Refusal] = []
        for each in arrivals:
            try:
                drafts.append((each.turn, self._draft(site, each, ahead_ms)))
            except UnknownTenant:
                raise
            except (ValueError, GatewayError) as error:
                refused.append(_refusal(site, each.turn, error))
        last = max((each.turn for each in arrivals), default=0)
        turn = self._written(site, spool, drafts, last, refused)
        return TakenEvents(turn, refused)

    def _written(
        self,
        site: OnsiteSite,
        spool: str,
        drafts: Sequence[tuple[int, EventDraft | AgentStateDraft]],
        last: int,
        refused: list[Refusal],
    ) -> int:
        """Write ``drafts``, all at once; one by one where that fails, to find those that cannot be written."""
        try:
            return self._run(site, spool, drafts, last)
        except BusyError:
            raise
        except Exception as error:
            log.warning("onsite_events_one_by_one", tenant=site.tenant, site=site.name, error=type(error).__name__)
        turn = 0
        for number, draft in drafts:
            try:
                turn = self._run(site, spool, [(number, draft)], number)
            except BusyError:
                raise
            except Exception as error:  # also a defect of ours: one event must not keep all others
                refused.append(_refusal(site, number, error))
        return max(turn, self._run(site, spool, (), last))

    def _run(
        self, site: OnsiteSite, spool: str, drafts: Sequence[tuple[int, EventDraft | AgentStateDraft]], last: int
    ) -> int:
        def work(connection: Connection) -> int:
            done = _held(connection, site, spool, self._clock())
            # How late they are is seen here: this transaction may have waited for long.
            missing = [self._dated(draft) for turn, draft in drafts if turn > done]
            apply(connection, missing, self._journal.language_of, self._journal.owner)
            if last > done:
                connection.execute(update(table).where(*_this(site, spool)).values(turn=last, at=self._clock()))
            return max(last, done)

        found: int = self._journal.run(work, tenant=site.tenant, news=bool(drafts), timeout_s=WITHIN_S)
        return found

    def _draft(self, site: OnsiteSite, arrival: Arrival, ahead_ms: int) -> EventDraft | AgentStateDraft:
        """Return what is to be written of an event. Raises ``ValueError`` and ``GatewayError`` where nobody can."""
        message = in_our_time(as_of_site(unpacked(arrival.message), site), ahead_ms, self._clock())
        return self._make_draft(message)

    def _dated(self, draft: EventDraft | AgentStateDraft) -> EventDraft | AgentStateDraft:
        """Return ``draft`` as one that is listed and pops up on no screen, where it is too late for that."""
        if isinstance(draft, EventDraft) and self._clock() - draft.message.received_at > LATE_MS:
            return replace(draft, event=kept_back(draft.event), late=True)
        return draft


def as_of_site(message: Told, site: OnsiteSite) -> Told:
    """Return a message as one of the site's company, whatever it says itself, with ids of calls in the site's name."""
    origin = message.origin
    mark = origin.mark and in_site(origin.mark, site.name)
    told = Origin(origin.wire, f"{site.name}: {origin.client}"[:LONGEST_PEER], mark=mark)
    return replace(message, tenant=site.tenant, origin=told)


def in_site(mark: SourceMark, site: str) -> SourceMark:
    """Return a mark whose ids are the site's own; those of the plain listeners stay everybody's."""
    return replace(mark, source=f"{site}/{mark.source}") if mark.source else mark


def in_our_time(message: Told, ahead_ms: int, now: int) -> Told:
    """Return a message with the moments of the site's clock as our clock has them, none of them after ``now``.

    What the exchange says of time moves along only where its clock and the site's go together.
    """
    if abs(ahead_ms) < CLOCKS_AGREE_MS:
        return replace(message, received_at=min(message.received_at, now))
    received_at = min(message.received_at - ahead_ms, now)
    occurred = message.occurred_at
    goes_along = occurred is not None and abs(occurred - message.received_at) <= abs(ahead_ms) / 2
    names = ("occurred_at", "started_at", "answered_at") if goes_along else ()
    moments = {name: at - ahead_ms for name in names if (at := getattr(message, name, None)) is not None}
    return replace(message, received_at=received_at, **moments)


def _refusal(site: OnsiteSite, turn: int, error: Exception) -> Refusal:
    reason = str(error) if isinstance(error, ValueError | GatewayError) else type(error).__name__
    log.error("onsite_event_refused", tenant=site.tenant, site=site.name, turn=turn, error=reason[:500])
    return Refusal(turn, reason[:500])


def _this(site: OnsiteSite, spool: str) -> tuple[Any, ...]:
    return table.c.tenant == site.tenant, table.c.site == site.name, table.c.spool == spool


def _held(connection: Connection, site: OnsiteSite, spool: str, now: int) -> int:
    """Return how far the spool's events are in the database; nobody else moves that on in this transaction.

    The journal lets nobody else write of the company meanwhile.
    """
    found: int | None = connection.execute(select(table.c.turn).where(*_this(site, spool))).scalar()
    if found is not None:
        return found
    row: Mapping[str, Any] = {"tenant": site.tenant, "site": site.name, "spool": spool, "turn": 0, "at": now}
    connection.execute(table.insert().values(row))
    return 0
