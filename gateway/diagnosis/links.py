"""The links of the chain, in their order: received, company, extension, agent, screens, number, account, shown.

Each says whether it held; None where it says nothing against it.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from gateway.diagnosis.screens import Screens
from gateway.diagnosis.words import Clock, Link
from gateway.domain.calls.matching import RankReason
from gateway.domain.dialplan.undialling import sides_of
from gateway.domain.messages import Direction
from gateway.domain.numbering.numbers import NumberKind, Reading, read
from gateway.domain.tenant import Tenant
from gateway.store.calls import LoggedCall
from gateway.store.delivery_receipts import DeliveryReceipt, ReceiptKind
from gateway.store.reading.log import LoggedEvent
from gateway.store.shared.exchange_index import IndexedExchange
from gateway.store.traffic import IN, TrafficEntry
from gateway.texts.text import Listing, Text

Raw = TrafficEntry | IndexedExchange
"""A request as this node keeps it, or that another node does."""


def chain_of(
    call: LoggedCall,
    events: Sequence[LoggedEvent],
    traffic: Sequence[Raw],
    screens: Screens,
    seen: Sequence[DeliveryReceipt],
    tenant: Tenant,
    clock: Clock,
) -> tuple[Link, ...]:
    """Return the whole chain of ``call``."""
    return (
        *_received(call, events, traffic, clock),
        _of_tenant(tenant.name),
        *_of_extension(call),
        _of_agents(call, screens),
        _of_screens(call, screens, clock),
        *_of_number(call, events, tenant),
        _of_account(call, events),
        *_of_receipts(call, seen, screens.known, clock),
    )


def _received(call: LoggedCall, events: Sequence[LoggedEvent], traffic: Sequence[Raw], clock: Clock) -> Iterable[Link]:
    for event in events:
        came = event.told.get("received")
        if came:
            yield _of_event(event, came, _raw_of(event, traffic), clock)
    if call.appliance and not any(event.kind == "call_started" for event in events):
        yield Link("ordered", None, Text("it was asked for as a click-to-call"), {"appliance": call.appliance})


WORDS: Mapping[str, Text] = {
    "call_started": Text("start"),
    "call_answered": Text("answer"),
    "call_held": Text("hold"),
    "call_resumed": Text("end of hold"),
    "queue_entered": Text("entry into a queue"),
    "queue_left": Text("exit from a queue"),
    "call_noted": Text("note"),
    "call_transferred": Text("transfer"),
    "call_ended": Text("end"),
}


VALUES = ("ramal", "telefone", "ramal_destino", "fila")


def _kind_of(event: LoggedEvent, came: Mapping[str, Any]) -> str:
    """Return what the exchange told of: a transfer starts a call where it goes on."""
    return "call_transferred" if "ramal_destino" in came else event.kind


def _of_event(event: LoggedEvent, came: Mapping[str, Any], raw: Raw | None, clock: Clock) -> Link:
    said = Text(
        "{at} {what}, by {wire}, from {client}: {values}",
        at=clock(event.at),
        what=WORDS.get(_kind_of(event, came), event.kind),
        wire=came["wire"],
        client=came["client"],
        values=" ".join(f"{name}={came[name]}" for name in VALUES if came.get(name)),
    )
    if event.told.get("overtaken"):
        said = Text("{said} (it came late: the exchange had told of something newer, so it changed nothing)", said=said)
    elif event.told.get("repeat"):
        said = Text("{said} (repeated by the exchange)", said=said)
    if came.get("replay_of"):
        said = Text("{said} (replay of {entry})", said=said, entry=came["replay_of"])
    return Link("received", True, said, {"at": event.at, **_place_of(raw), **came})


def _place_of(raw: Raw | None) -> Mapping[str, Any]:
    """Return where a request is kept: its number in this node's traffic log, or the node that has it."""
    if isinstance(raw, IndexedExchange):
        address = f"{raw.url}/trafego?ligacao={raw.call_id}" if raw.url else None
        return {"exchange": None, "node": raw.node, "node_url": address}
    return {"exchange": raw.id if raw else None}


def _raw_of(event: LoggedEvent, traffic: Sequence[Raw]) -> Raw | None:
    """Return the request of an event: the one that came in nearest to it, at whichever node."""
    came = [item for item in traffic if item.way == IN]
    return min(came, key=lambda item: abs(item.at - event.at), default=None)


def _of_tenant(tenant: str) -> Link:
    return Link("tenant", True, Text("company {tenant}", tenant=tenant), {"tenant": tenant})


def _of_extension(call: LoggedCall) -> Iterable[Link]:
    facts = {"extension": call.extension, "direction": call.direction}
    if not call.extension:
        yield Link("extension", None, Text("it was at no extension"), facts)
        return
    yield Link("extension", True, _direction(Direction(call.direction), call.extension), facts)
    if len(call.legs) > 1:
        where = [leg.extension for leg in call.legs]
        said = Text("one call, at several extensions: {extensions}", extensions=", ".join(where))
        yield Link("legs", True, said, {"legs": where})


def _direction(direction: Direction, extension: str) -> Text:
    match direction:
        case Direction.INCOMING:
            return Text("received at extension {extension}", extension=extension)
        case Direction.OUTGOING:
            return Text("made by extension {extension}", extension=extension)
        case Direction.INTERNAL:
            return Text("internal, at extension {extension}", extension=extension)


def _of_agents(call: LoggedCall, screens: Screens) -> Link:
    names = [agent.name for agent in screens.agents]
    if not names:
        said = Text("no agent has extension {extension}", extension=call.extension)
        return Link("agent", False, said, {"agents": []})
    said = Text("agent at it: {names}", names=", ".join(names))
    return Link("agent", True, said, {"agents": [agent.login for agent in screens.agents]})


def _of_screens(call: LoggedCall, screens: Screens, clock: Clock) -> Link:
    facts = {"open": list(screens.open_logins)}
    if not screens.known and screens.known_since is not None:
        since = Text("screens are written down only since {at}", at=clock(screens.known_since))
        return Link("screens", None, since, facts)
    if not screens.known:
        return Link("screens", None, Text("screens are not written down"), facts)
    if screens.open_logins:
        names = ", ".join(screens.open_logins)
        return Link("screens", True, Text("screen open at that moment: {names}", names=names), facts)
    return Link("screens", False, nobody(call, screens, clock), facts)


def nobody(call: LoggedCall, screens: Screens, clock: Clock) -> Text:
    """Say that no screen was open, and since when."""
    at, last = clock(call.logged_at), screens.last_closed
    if last is None:
        return Text(
            "no screen of extension {extension} was open at {at}, nor in the 24 hours before",
            extension=call.extension,
            at=at,
        )
    return Text(
        "no screen of extension {extension} was open at {at}; the last one ({login}) closed at {closed}",
        extension=call.extension,
        at=at,
        login=last.login,
        closed=clock(last.at),
    )


def _of_number(call: LoggedCall, events: Sequence[LoggedEvent], tenant: Tenant) -> Iterable[Link]:
    reading = _reading(call, events, tenant)
    said = Text(
        "number {written!r} read as {shown} ({kind}): {steps}",
        written=reading.input,
        shown=call.number or "-",
        kind=KINDS[reading.kind],
        steps=Listing(tuple(step.sentence for step in reading.steps), joined_by="clauses"),
    )
    facts = {"kind": reading.kind.value, "national": call.number, "candidates": list(reading.candidates)}
    yield Link(
        "number", reading.kind is not NumberKind.UNKNOWN, said, facts | {"rules": [s.rule for s in reading.steps]}
    )
    if reading.national and reading.national != call.number and call.direction != Direction.INTERNAL:
        changed = Text(
            "it would be read as {number} today: the configuration has changed since", number=reading.national
        )
        yield Link("number-now", None, changed, {"national_now": reading.national})


KINDS: Mapping[NumberKind, Text] = {
    NumberKind.EXTENSION: Text("extension"),
    NumberKind.MOBILE: Text("mobile"),
    NumberKind.FIXED: Text("fixed"),
    NumberKind.SPECIAL: Text("special"),
    NumberKind.SHORT: Text("short"),
    NumberKind.FOREIGN: Text("foreign"),
    NumberKind.WITHHELD: Text("withheld"),
    NumberKind.UNKNOWN: Text("unknown"),
}


def _reading(call: LoggedCall, events: Sequence[LoggedEvent], tenant: Tenant) -> Reading:
    """Return the other party's number, read again as it was sent."""
    heard = [event.told["received"] for event in events if event.told.get("received")]
    came = next((each for each in heard if each.get("telefone")), None)
    if came is None:
        return read(call.number, tenant.numbers)
    plan = tenant.numbers_for(came["ramal"], came["telefone"])
    other = sides_of(came["ramal"], came["telefone"], tenant).other
    readings = [other, *(read(came[name], plan) for name in ("telefone", "ramal"))]
    return next((reading for reading in readings if reading.national == call.number), readings[0])


def _of_account(call: LoggedCall, events: Sequence[LoggedEvent]) -> Link:
    if call.direction == Direction.INTERNAL:
        return Link("account", None, Text("an internal call: nothing to look up"))
    if call.account is None and (rivals := _identified(events)) > 1:
        several = Text("{count} accounts are named by what the exchange sent: none was chosen", count=rivals)
        return Link("account", False, several, {"account": None})
    if not call.number and call.account is None:
        return Link("account", None, Text("without a number there is nothing to look up"))
    if call.account is None:
        return Link("account", False, _nobody_s(call, _chosen_by(events)), {"account": None})
    facts = {"account": call.account, "contact": call.contact}
    return Link("account", True, _account(call.account, events), facts)


def _nobody_s(call: LoggedCall, by: str | None) -> Text:
    if by:
        return Text("{by} said that it is no account's", by=by)
    return Text("no account had the number {number}: the screen shows an unknown number", number=call.number)


REASONS: Mapping[RankReason, Text] = {
    RankReason.ONLY: Text("the only one with this number"),
    RankReason.CHOSEN: Text("chosen before for this number"),
    RankReason.EXACT: Text("it has exactly this number"),
    RankReason.OWNER: Text("it is looked after at this extension"),
    RankReason.LAST_CONTACT: Text("it was the last contact"),
    RankReason.EQUAL: Text("nothing tells it from the others"),
    RankReason.NEWEST: Text("it was changed last"),
    RankReason.IDENTIFIER: Text("nobody has the number, and what the exchange sent names it"),
}


def _chosen_by(events: Sequence[LoggedEvent]) -> str | None:
    """Return the agent who last chose the call's account."""
    return next((event.told["by"] for event in reversed(events) if event.kind == "account_chosen"), None)


def _identified(events: Sequence[LoggedEvent]) -> int:
    """Return how many accounts the call's fields named."""
    told = (event.told["matched"] for event in events if "matched" in event.told)
    return next((each["of"] for each in told if each["by"] == RankReason.IDENTIFIER), 0)


def _account(account: str, events: Sequence[LoggedEvent]) -> Text:
    """Say whose the call is, and why."""
    if by := _chosen_by(events):
        return Text("account {account}, chosen by {by}", account=account, by=by)
    matched = next((event.told["matched"] for event in events if "matched" in event.told), None)
    if matched is None:
        return Text("account {account}", account=account)
    said = Text("account {account}: {reason}", account=account, reason=REASONS[RankReason(matched["by"])])
    if matched["of"] == 1:
        return said
    return Text("{said}; {count} accounts have it", said=said, count=matched["of"])


def _of_receipts(call: LoggedCall, seen: Sequence[DeliveryReceipt], known: bool, clock: Clock) -> Iterable[Link]:
    delivered = {item.login: item for item in reversed(seen) if item.kind == ReceiptKind.DELIVERED}
    shown = {item.login: item for item in reversed(seen) if item.kind == ReceiptKind.SHOWN}
    for login, item in sorted(delivered.items()):
        said = Text("{at} delivered to {login}'s screen", at=clock(item.at), login=login)
        yield Link("delivered", True, said, {"login": login, "at": item.at, "after_ms": item.at - call.logged_at})
    for login, item in sorted(shown.items()):
        said = Text("{at} shown on {login}'s screen", at=clock(item.at), login=login)
        yield Link("shown", True, said, {"login": login, "at": item.at, "after_ms": item.at - call.logged_at})
    if known and not delivered:
        yield Link("delivered", False, Text("it was delivered to no screen"))
    elif delivered and not shown:
        yield Link("shown", False, Text("no browser said that it showed it"))
