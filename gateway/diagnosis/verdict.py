"""The one sentence: what came up where, or the first thing on the way that did not hold."""

from collections.abc import Sequence

from gateway.diagnosis.links import nobody
from gateway.diagnosis.screens import Screens
from gateway.diagnosis.words import Clock, Said
from gateway.store.calls import LoggedCall
from gateway.store.delivery_receipts import DeliveryReceipt, ReceiptKind
from gateway.store.log import LoggedEvent


def verdict_of(
    call: LoggedCall,
    events: Sequence[LoggedEvent],
    screens: Screens,
    seen: Sequence[DeliveryReceipt],
    clock: Clock,
) -> tuple[bool | None, Said]:
    """Whether the call came up (None: not known), and the sentence that says so or why not."""
    shown = [item for item in seen if item.kind == ReceiptKind.SHOWN]
    if shown:
        return True, _popped(shown[0], call, clock)
    if not screens.known:
        return None, Said(
            "Não se sabe: o registro de telas está desligado ([traffic] record = false).",
            "Not known: screens are not written down ([traffic] record = false).",
        )
    return False, _reason(call, events, screens, seen, clock)


def _popped(first: DeliveryReceipt, call: LoggedCall, clock: Clock) -> Said:
    late = first.at - call.logged_at
    after = f"{late} ms" if late < 10_000 else f"{late / 1000:.0f} s"
    return Said(
        f"Apareceu na tela de {first.login} às {clock(first.at)}, {after} depois de chegar.",
        f"It came up on {first.login}'s screen at {clock(first.at)}, {after} after it was received.",
    )


def _reason(
    call: LoggedCall,
    events: Sequence[LoggedEvent],
    screens: Screens,
    seen: Sequence[DeliveryReceipt],
    clock: Clock,
) -> Said:
    """Why nothing came up: the first thing on the way that did not hold."""
    if not any(event.kind in ("call_started", "order_placed") for event in events):
        return Said(
            "Não apareceu: a central só avisou o fim desta ligação, nunca o início.",
            "It did not come up: the exchange only told of this call's end, never of its start.",
        )
    if call.paired_by == "late" and call.status == "ended":
        return Said(
            "Não apareceu: quando o início chegou, o fim já tinha chegado.",
            "It did not come up: when its start was received, its end had been received already.",
        )
    if not screens.agents:
        return Said(
            f"Não apareceu: nenhum usuário tem o ramal {call.extension}. Cadastre um com 'cti-gateway agent add'.",
            f"It did not come up: no agent has extension {call.extension}. Add one with 'cti-gateway agent add'.",
        )
    if any(item.kind == ReceiptKind.DELIVERED for item in seen):
        login = next(item.login for item in seen if item.kind == ReceiptKind.DELIVERED)
        return Said(
            f"Foi entregue à tela de {login}, mas o navegador não a mostrou: aba em segundo plano ou suspensa.",
            f"It was delivered to {login}'s screen, but the browser did not show it: its tab was hidden or suspended.",
        )
    if not screens.open_logins:
        why = nobody(call, screens, clock)
        return Said(f"Não apareceu: {why.pt}.", f"It did not come up: {why.en}.")
    return Said(
        "Não apareceu, embora houvesse uma tela aberta: ela estava reconectando. Veja a rede até o navegador.",
        "It did not come up although a screen was open: it was connecting anew. Look at the network in between.",
    )
