"""Why a call did, or did not, come up on a screen: one readable chain, and one sentence.

Everything is read after the fact: the call and its events from the store, requests and screens from the diagnostic
log, the number read again by the rules in force now.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, tzinfo

from gateway.diagnosis.links import chain_of
from gateway.diagnosis.screens import BLINK_MS, SCREEN_MS, Screens, last_closed, open_at
from gateway.diagnosis.verdict import verdict_of
from gateway.diagnosis.words import Clock, Why
from gateway.domain.tenant import Tenant
from gateway.store.calls import CallFilter, CallLog
from gateway.store.delivery_receipts import DeliveryReceiptLog
from gateway.store.directory import Directory
from gateway.store.reading.log import EventLog
from gateway.store.traffic import IN, TrafficEntry, TrafficFilter, TrafficLog

DAY_MS = 24 * 3600_000
NEAR_MS = 10 * 60_000


class Explainer:
    """Explains calls of a tenant; all parts are only read. ``traffic`` and ``receipts`` may be off."""

    def __init__(
        self,
        tenants: Mapping[str, Tenant],
        zones: Mapping[str, tzinfo],
        calls: CallLog,
        events: EventLog,
        directory: Directory,
        traffic: TrafficLog | None,
        receipts: DeliveryReceiptLog | None,
    ) -> None:
        self._tenants = tenants
        self._zones = zones
        self._calls = calls
        self._events = events
        self._directory = directory
        self._traffic = traffic
        self._receipts = receipts

    def explain(self, tenant: str, call_id: int) -> Why | None:
        """Return the chain of one call; None when the tenant has no such call."""
        call = self._calls.get(tenant, call_id)
        if call is None:
            return None
        clock = self._clock(tenant)
        events = self._events.of_call(tenant, call_id)
        traffic = self._traffic.search(tenant, TrafficFilter(call_id=call_id), limit=200) if self._traffic else ()
        seen = self._receipts.of_call(tenant, call_id) if self._receipts else ()
        screens = self.screens(tenant, call.extension, call.logged_at)
        elsewhere = self._traffic.elsewhere(tenant, call_id) if self._traffic else ()
        links = chain_of(call, events, [*traffic, *elsewhere], screens, seen, self._tenants[tenant], clock)
        popped, verdict = verdict_of(call, events, screens, seen, clock)
        return Why(call_id, popped, verdict, links)

    def screens(self, tenant: str, extension: str, at: int) -> Screens:
        """Return the agents at ``extension``, and whose screens were open at ``at``."""
        agents = [agent for agent in self._directory.agents(tenant) if agent.extension == extension]
        if self._receipts is None:
            return Screens(agents, (), None, known=False)
        found = self._receipts.around(tenant, extension, at - DAY_MS, at + BLINK_MS)
        there, since = open_at(found, at), self._receipts.since()
        # A screen that was open already says so when it connects anew.
        is_known = bool(there) or since is None or at >= since + SCREEN_MS
        return Screens(agents, there, last_closed(found, at), known=is_known, known_since=since)

    def around(self, tenant: str, extension: str, at: int, *, within_ms: int = NEAR_MS) -> Sequence[Why]:
        """Return the calls of ``extension`` near a moment, the nearest first, explained."""
        wanted = CallFilter(extension=extension, since=at - within_ms, until=at + within_ms)
        found = sorted(self._calls.recent(tenant, wanted, limit=20), key=lambda call: abs(call.logged_at - at))
        explained = (self.explain(tenant, call.id) for call in found)
        return [why for why in explained if why]

    def refused(self, tenant: str, at: int, *, within_ms: int = NEAR_MS) -> Sequence[TrafficEntry]:
        """Return requests near a moment that came in and were not taken: no call came of them."""
        if self._traffic is None:
            return ()
        wanted = TrafficFilter(way=IN, failed=True, since=at - within_ms, until=at + within_ms)
        return self._traffic.search(tenant, wanted, limit=20)

    def _clock(self, tenant: str) -> Clock:
        zone = self._zones[tenant]
        return lambda at: datetime.fromtimestamp(at / 1000, UTC).astimezone(zone).strftime("%H:%M:%S")
