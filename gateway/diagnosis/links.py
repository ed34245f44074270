"""The links of the chain, in their order: received, company, extension, agent, screens, number, account, shown.

Each says whether it held; None where it says nothing against it.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from gateway.diagnosis.screens import Screens
from gateway.diagnosis.words import Clock, Link, Said
from gateway.domain.calls.matching import RankReason
from gateway.domain.dialplan.undialling import sides_of
from gateway.domain.messages import Direction
from gateway.domain.numbering.numbers import NumberKind, Reading, read
from gateway.domain.tenant import Tenant
from gateway.store.calls import LoggedCall
from gateway.store.delivery_receipts import DeliveryReceipt, ReceiptKind
from gateway.store.log import LoggedEvent
from gateway.store.traffic import IN, TrafficEntry
from gateway.texts.rendering import render


def chain_of(
    call: LoggedCall,
    events: Sequence[LoggedEvent],
    traffic: Sequence[TrafficEntry],
    screens: Screens,
    seen: Sequence[DeliveryReceipt],
    tenant: Tenant,
    clock: Clock,
) -> tuple[Link, ...]:
    """The whole chain of ``call``."""
    return (
        *_received(call, events, traffic, clock),
        _of_tenant(tenant.name),
        _of_extension(call),
        _of_agents(call, screens),
        _of_screens(call, screens, clock),
        *_of_number(call, events, tenant),
        _of_account(call, events),
        *_of_receipts(call, seen, screens.known, clock),
    )


def _received(
    call: LoggedCall, events: Sequence[LoggedEvent], traffic: Sequence[TrafficEntry], clock: Clock
) -> Iterable[Link]:
    for event in events:
        came = event.told.get("received")
        if came:
            yield _of_event(event, came, _raw_of(event, traffic), clock)
    if call.appliance and not any(event.kind == "call_started" for event in events):
        said = Said("foi um pedido de discagem (click-to-call)", "it was asked for as a click-to-call")
        yield Link("ordered", None, said, {"appliance": call.appliance})


WORDS = {"call_started": ("início", "start"), "call_ended": ("fim", "end")}


def _of_event(event: LoggedEvent, came: Mapping[str, Any], raw: TrafficEntry | None, clock: Clock) -> Link:
    pt, en = WORDS.get(event.kind, (event.kind, event.kind))
    values = f"ramal={came['ramal']} telefone={came['telefone']}"
    said = Said(
        f"{clock(event.at)} {pt} recebido por {came['wire']} de {came['client']}: {values}",
        f"{clock(event.at)} {en} received by {came['wire']} from {came['client']}: {values}",
    )
    if event.told.get("repeat"):
        said = Said(f"{said.pt} (repetido pela central)", f"{said.en} (repeated by the exchange)")
    if came.get("replay_of"):
        said = Said(
            f"{said.pt} (reenvio do registro {came['replay_of']})", f"{said.en} (replay of {came['replay_of']})"
        )
    return Link("received", True, said, {"at": event.at, "exchange": raw.id if raw else None, **came})


def _raw_of(event: LoggedEvent, traffic: Sequence[TrafficEntry]) -> TrafficEntry | None:
    """The request of an event: the one that came in nearest to it."""
    came = [item for item in traffic if item.way == IN]
    return min(came, key=lambda item: abs(item.at - event.at), default=None)


def _of_tenant(tenant: str) -> Link:
    return Link("tenant", True, Said(f"empresa {tenant}", f"company {tenant}"), {"tenant": tenant})


DIRECTIONS = {
    Direction.INCOMING: ("recebida no ramal {}", "received at extension {}"),
    Direction.OUTGOING: ("feita pelo ramal {}", "made by extension {}"),
    Direction.INTERNAL: ("interna, no ramal {}", "internal, at extension {}"),
}


def _of_extension(call: LoggedCall) -> Link:
    pt, en = (words.format(call.extension) for words in DIRECTIONS[Direction(call.direction)])
    return Link("extension", True, Said(pt, en), {"extension": call.extension, "direction": call.direction})


def _of_agents(call: LoggedCall, screens: Screens) -> Link:
    names = [agent.name for agent in screens.agents]
    if not names:
        return Link(
            "agent",
            False,
            Said(f"nenhum usuário tem o ramal {call.extension}", f"no agent has extension {call.extension}"),
            {"agents": []},
        )
    said = Said(f"usuário do ramal: {', '.join(names)}", f"agent at it: {', '.join(names)}")
    return Link("agent", True, said, {"agents": [agent.login for agent in screens.agents]})


def _of_screens(call: LoggedCall, screens: Screens, clock: Clock) -> Link:
    facts = {"open": list(screens.open_logins)}
    if not screens.known:
        return Link("screens", None, Said("telas não são registradas", "screens are not written down"), facts)
    if screens.open_logins:
        names = ", ".join(screens.open_logins)
        said = Said(f"tela aberta naquele momento: {names}", f"screen open at that moment: {names}")
        return Link("screens", True, said, facts)
    return Link("screens", False, nobody(call, screens, clock), facts)


def nobody(call: LoggedCall, screens: Screens, clock: Clock) -> Said:
    """That no screen was open, and since when."""
    at = clock(call.logged_at)
    if screens.last_closed is None:
        return Said(
            f"nenhuma tela do ramal {call.extension} estava aberta às {at}, nem nas 24 horas antes",
            f"no screen of extension {call.extension} was open at {at}, nor in the 24 hours before",
        )
    closed, login = clock(screens.last_closed.at), screens.last_closed.login
    return Said(
        f"nenhuma tela do ramal {call.extension} estava aberta às {at}; a última ({login}) fechou às {closed}",
        f"no screen of extension {call.extension} was open at {at}; the last one ({login}) closed at {closed}",
    )


def _of_number(call: LoggedCall, events: Sequence[LoggedEvent], tenant: Tenant) -> Iterable[Link]:
    reading = _reading(call, events, tenant)
    steps_pt = "; ".join(render(step.sentence, "pt-BR") for step in reading.steps)
    steps_en = "; ".join(step.text for step in reading.steps)
    shown = call.number or "-"
    said = Said(
        f"número {reading.input!r} lido como {shown} ({KINDS[reading.kind]}): {steps_pt}",
        f"number {reading.input!r} read as {shown} ({reading.kind.value}): {steps_en}",
    )
    facts = {"kind": reading.kind.value, "national": call.number, "candidates": list(reading.candidates)}
    yield Link(
        "number", reading.kind is not NumberKind.UNKNOWN, said, facts | {"rules": [s.rule for s in reading.steps]}
    )
    if reading.national and reading.national != call.number and call.direction != Direction.INTERNAL:
        changed = Said(
            f"hoje seria lido como {reading.national}: a configuração mudou desde então",
            f"it would be read as {reading.national} today: the configuration has changed since",
        )
        yield Link("number-now", None, changed, {"national_now": reading.national})


KINDS = {
    NumberKind.EXTENSION: "ramal",
    NumberKind.MOBILE: "celular",
    NumberKind.FIXED: "telefone fixo",
    NumberKind.SPECIAL: "número especial",
    NumberKind.SHORT: "serviço público",
    NumberKind.FOREIGN: "do exterior",
    NumberKind.WITHHELD: "não identificado",
    NumberKind.UNKNOWN: "desconhecido",
}


def _reading(call: LoggedCall, events: Sequence[LoggedEvent], tenant: Tenant) -> Reading:
    """The other party's number, read again as it was sent."""
    came = next((event.told["received"] for event in events if event.told.get("received")), None)
    if came is None:
        return read(call.number, tenant.numbers)
    plan = tenant.numbers_for(came["ramal"], came["telefone"])
    other = sides_of(came["ramal"], came["telefone"], tenant).other
    readings = [other, *(read(came[name], plan) for name in ("telefone", "ramal"))]
    return next((reading for reading in readings if reading.national == call.number), readings[0])


def _of_account(call: LoggedCall, events: Sequence[LoggedEvent]) -> Link:
    if call.direction == Direction.INTERNAL:
        said = Said("ligação interna: nada a procurar no cadastro", "an internal call: nothing to look up")
        return Link("account", None, said)
    if not call.number:
        said = Said("sem número, nada a procurar no cadastro", "without a number there is nothing to look up")
        return Link("account", None, said)
    if call.account is None and (by := _chosen_by(events)):
        said = Said(f"{by} disse que não é de nenhuma conta", f"{by} said that it is no account's")
        return Link("account", False, said, {"account": None})
    if call.account is None:
        said = Said(
            f"nenhuma conta tinha o número {call.number}: a tela mostra 'número desconhecido'",
            f"no account had the number {call.number}: the screen shows an unknown number",
        )
        return Link("account", False, said, {"account": None})
    pt, en = _chosen_because(events)
    said = Said(f"conta {call.account}{pt}", f"account {call.account}{en}")
    return Link("account", True, said, {"account": call.account, "contact": call.contact})


REASONS = {
    RankReason.ONLY: ("a única com este número", "the only one with this number"),
    RankReason.CHOSEN: ("escolhida antes para este número", "chosen before for this number"),
    RankReason.EXACT: ("tem exatamente este número", "it has exactly this number"),
    RankReason.OWNER: ("é da carteira deste ramal", "it is looked after at this extension"),
    RankReason.LAST_CONTACT: ("foi o contato mais recente", "it was the last contact"),
    RankReason.EQUAL: ("nada a distingue das outras", "nothing tells it from the others"),
    RankReason.NEWEST: ("é o cadastro mais recente", "it was changed last"),
}


def _chosen_by(events: Sequence[LoggedEvent]) -> str | None:
    """Who said last whose the call is."""
    return next((event.told["by"] for event in reversed(events) if event.kind == "account_chosen"), None)


def _chosen_because(events: Sequence[LoggedEvent]) -> tuple[str, str]:
    by = _chosen_by(events)
    if by:
        return f", escolhida por {by}", f", chosen by {by}"
    matched = next((event.told["matched"] for event in events if "matched" in event.told), None)
    if matched is None:
        return "", ""
    pt, en = REASONS[RankReason(matched["by"])]
    among = (
        ("", "") if matched["of"] == 1 else (f"; {matched['of']} contas o têm", f"; {matched['of']} accounts have it")
    )
    return f": {pt}{among[0]}", f": {en}{among[1]}"


def _of_receipts(call: LoggedCall, seen: Sequence[DeliveryReceipt], known: bool, clock: Clock) -> Iterable[Link]:
    delivered = {item.login: item for item in reversed(seen) if item.kind == ReceiptKind.DELIVERED}
    shown = {item.login: item for item in reversed(seen) if item.kind == ReceiptKind.SHOWN}
    for login, item in sorted(delivered.items()):
        said = Said(f"{clock(item.at)} entregue à tela de {login}", f"{clock(item.at)} delivered to {login}'s screen")
        yield Link("delivered", True, said, {"login": login, "at": item.at, "after_ms": item.at - call.logged_at})
    for login, item in sorted(shown.items()):
        said = Said(f"{clock(item.at)} mostrada na tela de {login}", f"{clock(item.at)} shown on {login}'s screen")
        yield Link("shown", True, said, {"login": login, "at": item.at, "after_ms": item.at - call.logged_at})
    if known and not delivered:
        yield Link("delivered", False, Said("não foi entregue a nenhuma tela", "it was delivered to no screen"))
    elif delivered and not shown:
        said = Said("nenhum navegador confirmou que mostrou", "no browser said that it showed it")
        yield Link("shown", False, said)
