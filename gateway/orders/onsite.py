"""An appliance behind a gateway on site: its orders wait in the database for that gateway, which dials by its own
adapter and answers.

What the site has not taken surely was not dialled: *unreachable*. What it took and did not answer is *unknown*.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from gateway.adapter import Delivery, Outcome, Outgoing, Probe, WireRequest
from gateway.clock import milliseconds
from gateway.errors import GatewayError, StoreUnclear
from gateway.store.onsite.answers import delivery_of
from gateway.store.onsite.orders import OnsiteOrders, OnsiteOrderState
from gateway.store.onsite.sites import OnsiteSite, OnsiteSites
from gateway.texts.text import Text

FETCH_WITHIN_S = 5.0
"""An order that the site has not taken by then does not reach it: its connection may be dead without anybody knowing.
"""
LEEWAY_S = 2.0
"""After this an order is given up in whatever state it is."""
LOOK_EVERY_S = 0.05
NO_SITE = Text("There is no gateway on site {name!r}: cti-gateway onsite add {name}.")
REVOKED = Text("The key of the gateway on site {name!r} is revoked.")
NOT_CONNECTED = Text("The gateway on site {name!r} is not connected and nothing was sent.")
NOT_FETCHED = Text("The gateway on site {name!r} did not fetch the order and nothing was dialled.")
NOT_WRITTEN = Text("The order for the gateway on site {name!r} could not be written down and nothing was dialled.")
UNCLEAR = Text(
    "It is unclear whether the order for the gateway on site {name!r} was written down; it will not be dialled again."
)
NO_ANSWER = Text("The gateway on site {name!r} took the order and did not answer; it will not be dialled again.")


@dataclass(frozen=True, slots=True)
class OnsiteConfig:
    """The settings of an appliance behind a gateway on site."""

    onsite: str = field(metadata={"help": "name of the gateway on site that dials, see 'cti-gateway onsite list'"})
    there: str = field(default="", metadata={"help": "name of the appliance in its configuration, if it is another"})
    timeout_s: float = field(default=12.0, metadata={"help": "seconds to the site's answer, at most 15"})

    def __post_init__(self) -> None:
        """Raise ``ValueError`` for a time that is longer than anybody waits."""
        if not 1 <= self.timeout_s <= 15:
            raise ValueError(
                Text("timeout_s: expected 1 to 15 seconds, came {value}", value=format(self.timeout_s, "g"))
            )


@dataclass(frozen=True, slots=True)
class OnsiteRoad:
    """How orders come to gateways on site, for a company's appliances."""

    tenant: str
    sites: OnsiteSites
    orders: OnsiteOrders
    clock: Callable[[], int] = milliseconds


class OnsiteAppliance:
    """Hands orders to a gateway on site. Without ``connect`` it reaches none."""

    Config: ClassVar[type[Any]] = OnsiteConfig
    only_dials = True

    def __init__(self, config: OnsiteConfig, *, name: str) -> None:
        self._config = config
        self._there = config.there or name
        self._road: OnsiteRoad | None = None

    def connect(self, road: OnsiteRoad) -> None:
        """Take the road by which orders go."""
        self._road = road

    @property
    def can_hang_up(self) -> bool:
        """Whether the site says that its appliance ends calls by command."""
        site = self._site()
        appliances = site.status.get("appliances") if site else None
        there = appliances.get(self._there) if isinstance(appliances, Mapping) else None
        return isinstance(there, Mapping) and bool(there.get("hangs_up"))

    def probe(self) -> Probe:
        """Have the site probe its appliance."""
        delivery = self._send("probe", {})
        return Probe(delivery.outcome is Outcome.ACCEPTED, delivery.text)

    def preview(self, message: Outgoing) -> Sequence[WireRequest]:
        """Return what the site is told; its own adapter makes the appliance's request of it."""
        lines = [f"{message.kind} {self._there}", *(f"{name}: {value}" for name, value in message.fields.items())]
        note = Text("The gateway on site {name!r} makes the appliance's request of this.", name=self._config.onsite)
        return [WireRequest(f"onsite {self._config.onsite}", "\n".join(lines).encode(), note=note)]

    def deliver(self, message: Outgoing) -> Delivery:
        """Have the site dial once."""
        return self._send(message.kind, message.fields)

    def hangup(self, message: Outgoing) -> Delivery:
        """Have the site end a call."""
        return self._send(message.kind, message.fields)

    def close(self) -> None:
        """Do nothing: no connection is held."""

    def _site(self) -> OnsiteSite | None:
        return self._road.sites.of(self._road.tenant, self._config.onsite) if self._road else None

    def _send(self, kind: str, fields: Mapping[str, str]) -> Delivery:
        road = self._road
        try:
            site = self._site()
            if road is None or site is None:
                return self._unreachable(NO_SITE)
            if not site.is_connected(road.clock()):
                return self._unreachable(REVOKED if site.is_revoked else NOT_CONNECTED)
            began = time.monotonic()
            order = self._put(road, kind, fields)
        except StoreUnclear:  # it may be there, and be dialled: so nobody else may dial it
            return Delivery(Outcome.UNKNOWN, self._said(UNCLEAR))
        except GatewayError:
            return self._unreachable(NOT_WRITTEN)
        return self._answer(road, order, began)

    def _put(self, road: OnsiteRoad, kind: str, fields: Mapping[str, str]) -> str:
        now = road.clock()
        expires_at = now + round(self._config.timeout_s * 1000)
        return road.orders.put(
            road.tenant, self._config.onsite, self._there, kind, fields, now=now, expires_at=expires_at
        )

    def _answer(self, road: OnsiteRoad, order: str, began: float) -> Delivery:
        """Wait for what comes of an order; withdraw it where the site does not fetch it."""
        while True:
            waited_s = time.monotonic() - began
            try:
                found = self._looked_up(road, order, waited_s)
            except GatewayError:  # the database is away; the site may dial all the same
                found = self._given_up_waiting() if waited_s > self._config.timeout_s + LEEWAY_S else None
            if found:
                return found
            road.orders.wait(LOOK_EVERY_S)

    def _looked_up(self, road: OnsiteRoad, order: str, waited_s: float) -> Delivery | None:
        """Return what came of an order, None while that is not known. Raises ``GatewayError``."""
        found = road.orders.of(road.tenant, order)
        if found and found.state is OnsiteOrderState.ANSWERED:
            return delivery_of(found.answer or {})
        return self._ended(road, order, found.state if found else None, waited_s)

    def _given_up_waiting(self) -> Delivery:
        return Delivery(Outcome.UNKNOWN, self._said(NO_ANSWER))

    def _ended(self, road: OnsiteRoad, order: str, state: OnsiteOrderState | None, waited_s: float) -> Delivery | None:
        """Return what is said of an order that has not been answered for too long; None while it may be."""
        longest_s = self._config.timeout_s
        if state is OnsiteOrderState.GIVEN and waited_s > longest_s:
            return self._given_up(road, order)
        if state is None or waited_s > longest_s + LEEWAY_S:
            return self._given_up_waiting()
        if state is OnsiteOrderState.WAITING and waited_s > min(FETCH_WITHIN_S, longest_s):
            return self._withdrawn(road, order)
        return None

    def _withdrawn(self, road: OnsiteRoad, order: str) -> Delivery | None:
        """Give an order up; None where the site took it at the last moment."""
        try:
            return self._unreachable(NOT_FETCHED) if road.orders.withdraw(road.tenant, order) else None
        except GatewayError:  # the site may yet take it
            return self._given_up_waiting()

    def _given_up(self, road: OnsiteRoad, order: str) -> Delivery | None:
        """Wait no more for the answer; None where it came at the last moment."""
        try:
            return self._given_up_waiting() if road.orders.give_up(road.tenant, order) else None
        except GatewayError:  # its answer is late once the order is settled
            return self._given_up_waiting()

    def _unreachable(self, why: Text) -> Delivery:
        return Delivery(Outcome.UNREACHABLE, self._said(why))

    def _said(self, why: Text) -> Text:
        return Text(why.id, name=self._config.onsite)
