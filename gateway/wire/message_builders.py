"""The message that an operation's parameters mean."""

from typing import Any, TypedDict

from gateway.domain.messages import (
    ATTACHED,
    CallAnswered,
    CallEnded,
    CallStarted,
    CallTransferred,
    Direction,
    Origin,
    PlaceCall,
)
from gateway.errors import MissingParameter
from gateway.wire.parameters import LOGIN, Sender, Texts
from gateway.wire.values import (
    TEXT_LIMIT,
    checked,
    extra,
    read_direction,
    read_duration,
    read_moment,
    read_text,
    read_words,
    recording_url,
    required,
)


class OfEveryCall(TypedDict):
    """The fields that all messages of calls have."""

    tenant: str
    ramal: str
    telefone: str
    origin: Origin
    received_at: int
    call_ref: str | None
    occurred_at: int | None
    direction: Direction | None


def call_started(texts: Texts, sender: Sender) -> CallStarted:
    """Make the message of ``ConsultaRamal``. Raises ``MissingParameter``, ``BadParameter``."""
    return CallStarted(**of_every_call(texts, sender), **attached(texts, sender))


def call_answered(texts: Texts, sender: Sender) -> CallAnswered:
    """Make the message of ``AtendeLigacao``. Raises ``MissingParameter``, ``BadParameter``."""
    return CallAnswered(**of_every_call(texts, sender), **attached(texts, sender))


def call_transferred(texts: Texts, sender: Sender) -> CallTransferred:
    """Make the message of ``TransfereLigacao``. Raises ``MissingParameter``, ``BadParameter``."""
    common = of_every_call(texts, sender)
    return CallTransferred(to=required(texts, sender, "ramal_destino", "3502"), **common, **attached(texts, sender))


def call_ended(texts: Texts, sender: Sender) -> CallEnded:
    """Make the message of ``FinalizaLigacao``. Raises ``MissingParameter``, ``BadParameter``."""
    return CallEnded(
        recording_url=recording_url(texts, sender),
        duration_s=extra(texts, sender, "duracao", read_duration),
        result=extra(texts, sender, "resultado", read_words),
        **of_every_call(texts, sender),
        **attached(texts, sender),
    )


def of_every_call(texts: Texts, sender: Sender) -> OfEveryCall:
    """Return the fields that all messages of calls have. Raises ``MissingParameter``, ``BadParameter``."""
    return {
        "tenant": sender.tenant,
        "ramal": required(texts, sender, "ramal", "3501"),
        "telefone": required(texts, sender, "telefone", "4732100123"),
        "origin": sender.origin,
        "received_at": sender.received_at,
        "call_ref": extra(texts, sender, "id_ligacao", read_text),
        "occurred_at": extra(texts, sender, "data_hora", lambda text: read_moment(text, sender.zone)),
        "direction": extra(texts, sender, "direcao", read_direction),
    }


def attached(texts: Texts, sender: Sender) -> dict[str, Any]:
    """Return what an exchange tells of a call in words of its own, by the message's fields."""
    return {name: extra(texts, sender, parameter, read_words) for name, parameter in ATTACHED.items()}


def place_call(texts: Texts, sender: Sender) -> PlaceCall:
    """Make the message of ``ClickToCall``. Raises ``MissingParameter``, ``BadParameter``."""
    appliance, key = (texts.get(name, "").strip() for name in ("central", "id_pedido"))
    return PlaceCall(
        tenant=sender.tenant,
        extension=required(texts, sender, "ramal", "3501"),
        number=required(texts, sender, "telefone", "4732100123"),
        origin=sender.origin,
        received_at=sender.received_at,
        appliance=checked(appliance, "central", TEXT_LIMIT) if appliance else None,
        requested_by=sender.login,
        # Never left out like other extras: without it the call might be dialled twice.
        request_key=checked(key, "id_pedido", TEXT_LIMIT) if key else None,
    )


def login_test(texts: Texts, sender: Sender) -> None:
    """Return no message; the login is checked by whoever performs ``setTeste``. Raises ``MissingParameter``."""
    for name in LOGIN:
        if not texts.get(name, "").strip():
            raise MissingParameter(name)


def nothing(texts: Texts, sender: Sender) -> None:
    """Return no message: ``Teste`` leaves no trace."""
