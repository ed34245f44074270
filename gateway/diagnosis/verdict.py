"""The one sentence: what came up where, or the first thing on the way that did not hold."""

from collections.abc import Sequence

from gateway.diagnosis.links import nobody
from gateway.diagnosis.screens import Screens
from gateway.diagnosis.words import Clock
from gateway.store.calls import LoggedCall
from gateway.store.delivery_receipts import DeliveryReceipt, ReceiptKind
from gateway.store.reading.log import LoggedEvent
from gateway.texts.text import Text

STARTS = ("call_started", "call_answered", "call_held", "call_resumed", "order_placed")
"""What makes a card come up."""


def verdict_of(
    call: LoggedCall,
    events: Sequence[LoggedEvent],
    screens: Screens,
    seen: Sequence[DeliveryReceipt],
    clock: Clock,
) -> tuple[bool | None, Text]:
    """Return whether the call came up (None: not known), and the sentence that says so or why not."""
    shown = [item for item in seen if item.kind == ReceiptKind.SHOWN]
    if shown:
        return True, _popped(shown[0], call, clock)
    if not screens.known and screens.known_since is not None:
        if reason := _reason_before_screens(call, events, screens):
            return False, reason
        return None, Text(
            "Not known: what reached screens is written down only since {at}.", at=clock(screens.known_since)
        )
    if not screens.known:
        return None, Text("Not known: screens are not written down ([traffic] record = false).")
    return False, _reason(call, events, screens, seen, clock)


def _popped(first: DeliveryReceipt, call: LoggedCall, clock: Clock) -> Text:
    late = first.at - call.logged_at
    return Text(
        "It came up on {login}'s screen at {at}, {after} after it was received.",
        login=first.login,
        at=clock(first.at),
        after=f"{late} ms" if late < 10_000 else f"{late / 1000:.0f} s",
    )


def _nowhere(call: LoggedCall) -> Text:
    """Say why a call was at no extension."""
    if call.queued_at is None and call.queue_left_at is None:
        return Text("It did not come up: nothing was received that names an extension.")
    return Text("It did not come up: its caller waited in a queue, and it rang at no extension.")


def _reason_before_screens(call: LoggedCall, events: Sequence[LoggedEvent], screens: Screens) -> Text | None:
    """Say why nothing came up where that is known without what screens got; None where it was up to them."""
    if not call.extension:
        return _nowhere(call)
    if not any(event.kind in STARTS for event in events):
        return Text("It did not come up: the exchange only told of this call's end, never of its start.")
    if call.paired_by == "late" and call.status == "ended":
        return Text("It did not come up: when its start was received, its end had been received already.")
    if not screens.agents:
        return Text(
            "It did not come up: no agent has extension {extension}. Add one with 'cti-gateway agent add'.",
            extension=call.extension,
        )
    return None


def _reason(
    call: LoggedCall,
    events: Sequence[LoggedEvent],
    screens: Screens,
    seen: Sequence[DeliveryReceipt],
    clock: Clock,
) -> Text:
    """Say why nothing came up: the first thing on the way that did not hold."""
    if reason := _reason_before_screens(call, events, screens):
        return reason
    login = next((item.login for item in seen if item.kind == ReceiptKind.DELIVERED), None)
    if login is not None:
        return Text(
            "It was delivered to {login}'s screen, but the browser did not show it: its tab was hidden or suspended.",
            login=login,
        )
    if not screens.open_logins:
        return Text("It did not come up: {why}.", why=nobody(call, screens, clock))
    return Text(
        "It did not come up although a screen was open: it was connecting anew. Look at the network in between."
    )
