"""Which screens were open at a moment, by what was written down of their opening and closing."""

from collections.abc import Sequence
from dataclasses import dataclass

from gateway.store.delivery_receipts import DeliveryReceipt, ReceiptKind
from gateway.store.directory import Agent

SCREEN_MS = 16 * 60_000
"""A screen connects anew every quarter of an hour, so one that opened longer ago without closing died."""
BLINK_MS = 30_000
"""A screen that connects anew within this time was open all the while."""


@dataclass(frozen=True, slots=True)
class Screens:
    """Who sits at an extension, and whose screens were open; ``known`` is false where nothing was written down, or
    nothing before ``known_since`` (milliseconds since 1970 UTC).
    """

    agents: Sequence[Agent]
    open_logins: tuple[str, ...]
    last_closed: DeliveryReceipt | None
    known: bool
    known_since: int | None = None


def open_at(found: Sequence[DeliveryReceipt], at: int) -> tuple[str, ...]:
    """Return the logins whose screens were open at ``at``, or were just connecting anew; ``found`` is oldest first."""
    closed = {receipt.screen: receipt.at for receipt in found if receipt.kind == ReceiptKind.CLOSED}
    opened = [receipt for receipt in found if receipt.kind == ReceiptKind.OPENED and at - SCREEN_MS <= receipt.at]
    there = {item.login for item in opened if item.at <= at <= closed.get(item.screen, at)}
    back = {item.login for item in opened if at < item.at <= at + BLINK_MS and _left_just_before(found, item.login, at)}
    return tuple(sorted(there | back))


def _left_just_before(found: Sequence[DeliveryReceipt], login: str, at: int) -> bool:
    return any(
        item.login == login and item.kind == ReceiptKind.CLOSED and at - BLINK_MS <= item.at <= at for item in found
    )


def last_closed(found: Sequence[DeliveryReceipt], at: int) -> DeliveryReceipt | None:
    """Return the last screen that closed before ``at``."""
    closed = [item for item in found if item.kind == ReceiptKind.CLOSED and item.at <= at]
    return closed[-1] if closed else None
