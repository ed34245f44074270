"""A request for orders of a gateway on site, which is held open until there is one."""

import json
import secrets
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import structlog

from gateway.errors import GatewayError
from gateway.store.onsite.arrivals import OnsiteArrivals
from gateway.store.onsite.orders import OnsiteOrders
from gateway.store.onsite.sites import OnsiteSite, OnsiteSites

log = structlog.get_logger()

HOLD_S = 20.0
"""How long it is held open while there is none: less than any proxy or NAT forgets a connection."""
LOOK_EVERY_S = 0.25
ASK_EVERY_S = 2.0
"""How often it is looked whether its key still holds."""


@dataclass(frozen=True, slots=True)
class OnsiteStore:
    """What the endpoint works with: all of it in the database."""

    sites: OnsiteSites
    orders: OnsiteOrders
    arrivals: OnsiteArrivals


class OnsitePoll:
    """A request for orders that is held open. It is sent blanks meanwhile, which JSON passes over, so that whoever
    stands in between sees a connection in use.
    """

    def __init__(
        self,
        site: OnsiteSite,
        instance: str,
        store: OnsiteStore,
        clock: Callable[[], int],
        *,
        forget: Callable[["OnsitePoll"], None],
    ) -> None:
        """Take ``instance``, by which several who have the site's key are told apart; empty: it does not say."""
        self.site = site
        self.instance = instance
        self.name = secrets.token_hex(8)
        self._store, self._clock, self._forget = store, clock, forget
        self._ending = threading.Event()
        self._is_answered = False
        self._stream = self._bytes()

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        return next(self._stream)

    def is_of_another(self, poll: "OnsitePoll") -> bool:
        """Return whether it waits for another gateway on site than ``poll``, and goes on."""
        is_known = bool(self.instance and poll.instance)
        return is_known and self.instance != poll.instance and not self._ending.is_set()

    def end(self) -> None:
        """Answer at once."""
        self._ending.set()
        self._store.orders.ring()

    def close(self) -> None:
        """Let go; where nobody was answered, nobody waits any more. Safe to call again, never waits."""
        self._forget(self)
        if not self._is_answered:
            self._is_answered = True
            threading.Thread(target=self._leave, name="onsite-left", daemon=True).start()

    def _leave(self) -> None:
        with suppress(GatewayError):
            self._store.sites.left(self.site, self.name)

    def _bytes(self) -> Iterator[bytes]:
        yield b" "
        ends = time.monotonic() + HOLD_S
        asked_at, beat_at = time.monotonic(), time.monotonic()
        orders = self._waiting()
        while not orders and not self._ending.is_set() and (now := time.monotonic()) < ends:
            if now - asked_at > ASK_EVERY_S:
                asked_at = now
                if not self._is_welcome():
                    break
            if now - beat_at > HOLD_S / 4:
                beat_at = now
                yield b" "
            self._store.orders.wait(LOOK_EVERY_S)
            orders = self._waiting()
        self._ending.set()  # whoever got this may ask again before it is closed
        yield encoded({"now": self._clock(), "orders": orders})
        self._is_answered = True

    def _waiting(self) -> list[Mapping[str, Any]]:
        """Return the orders that wait; none where that cannot be looked up just now."""
        try:
            found = self._store.orders.waiting(self.site, self._clock())
        except Exception as error:
            log.warning("onsite_orders_not_read", site=self.site.name, error=type(error).__name__)
            return []
        return [
            {"id": each.id, "appliance": each.appliance, "kind": each.kind, "fields": dict(each.fields)}
            for each in found
        ]

    def _is_welcome(self) -> bool:
        """Return whether the key with which this was asked still holds, as far as that can be looked up."""
        try:
            site = self._store.sites.of(self.site.tenant, self.site.name)
        except Exception:
            return True
        return site is not None and not site.is_revoked and site.made_at == self.site.made_at


def encoded(document: Mapping[str, Any]) -> bytes:
    """Return an answer's body."""
    return json.dumps(document, ensure_ascii=False).encode()
