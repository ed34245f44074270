"""The message that an operation's parameters mean. All raise ``MissingParameter`` and ``BadParameter``."""

from typing import Any

from gateway.domain.messages import (
    ATTACHED,
    AgentStateChanged,
    CallAnswered,
    CallEnded,
    CallHeld,
    CallNoted,
    CallResumed,
    CallStarted,
    CallTransferred,
    PlaceCall,
    QueueEntered,
    QueueLeft,
)
from gateway.errors import MissingParameter
from gateway.wire.parameters import LOGIN, Sender, Texts
from gateway.wire.values import (
    TEXT_LIMIT,
    TRANSCRIPT_LIMIT,
    checked,
    extra,
    fields_of,
    read_direction,
    read_duration,
    read_extensions,
    read_moment,
    read_text,
    read_words,
    recording_url,
    required,
)
from gateway.wire.vocabulary import read_agent_state, read_attended, read_yes

Fields = dict[str, Any]
"""What a message is made of, by its fields."""


def call_started(texts: Texts, sender: Sender) -> CallStarted:
    """Make the message of ``ConsultaRamal``."""
    others = extra(texts, sender, "ramais", read_extensions) or ()
    return CallStarted(**both_numbers(texts, sender), **of_every_call(texts, sender), also_rings=others)


def call_answered(texts: Texts, sender: Sender) -> CallAnswered:
    """Make the message of ``AtendeLigacao``."""
    return CallAnswered(**both_numbers(texts, sender), **of_every_call(texts, sender))


def call_held(texts: Texts, sender: Sender) -> CallHeld:
    """Make the message of ``EsperaLigacao``."""
    return CallHeld(**both_numbers(texts, sender), **of_every_call(texts, sender))


def call_resumed(texts: Texts, sender: Sender) -> CallResumed:
    """Make the message of ``RetomaLigacao``."""
    return CallResumed(**both_numbers(texts, sender), **of_every_call(texts, sender))


def call_transferred(texts: Texts, sender: Sender) -> CallTransferred:
    """Make the message of ``TransfereLigacao``."""
    return CallTransferred(
        **both_numbers(texts, sender),
        **of_every_call(texts, sender),
        to=required(texts, sender, "ramal_destino", "3502"),
        attended=extra(texts, sender, "tipo", read_attended),
    )


def queue_entered(texts: Texts, sender: Sender) -> QueueEntered:
    """Make the message of ``EntraFila``."""
    return QueueEntered(**in_queue(texts, sender))


def queue_left(texts: Texts, sender: Sender) -> QueueLeft:
    """Make the message of ``SaiFila``."""
    return QueueLeft(**in_queue(texts, sender), abandoned=extra(texts, sender, "abandonada", read_yes) or False)


def call_ended(texts: Texts, sender: Sender) -> CallEnded:
    """Make the message of ``FinalizaLigacao``."""
    return CallEnded(
        **both_numbers(texts, sender),
        **of_every_call(texts, sender),
        recording_url=recording_url(texts, sender),
        duration_s=extra(texts, sender, "duracao", read_duration),
        result=extra(texts, sender, "resultado", read_words),
        cause=extra(texts, sender, "causa", read_words),
    )


def call_noted(texts: Texts, sender: Sender) -> CallNoted:
    """Make the message of ``AnotaLigacao``; a call that is named needs no numbers."""
    is_named = bool(texts.get("id_ligacao", "").strip())
    return CallNoted(
        **(perhaps_numbers(texts, sender) if is_named else both_numbers(texts, sender)),
        **of_every_call(texts, sender),
        recording_url=recording_url(texts, sender),
        cost=extra(texts, sender, "custo", read_words),
        transcript=extra(texts, sender, "transcricao", lambda text: read_words(text, TRANSCRIPT_LIMIT)),
    )


def both_numbers(texts: Texts, sender: Sender) -> Fields:
    """Return the extension and the number of a call, which are required."""
    return {name: required(texts, sender, name, example) for name, example in EXAMPLES}


EXAMPLES = (("ramal", "3501"), ("telefone", "4732100123"))


def perhaps_numbers(texts: Texts, sender: Sender) -> Fields:
    """Return the extension and the number of a call, empty where they are not said."""
    return {name: extra(texts, sender, name, read_text) or "" for name, _ in EXAMPLES}


def in_queue(texts: Texts, sender: Sender) -> Fields:
    """Return what both events of a queue have: it and the caller's number are required, an extension is not."""
    return (
        of_every_call(texts, sender)
        | perhaps_numbers(texts, sender)
        | {"queue": required(texts, sender, "fila", "Vendas")}
        | {"telefone": required(texts, sender, "telefone", "4732100123")}
    )


def of_every_call(texts: Texts, sender: Sender) -> Fields:
    """Return the fields that all messages of calls have, but for the numbers."""
    found: Fields = {name: extra(texts, sender, parameter, read_words) for name, parameter in ATTACHED.items()}
    found["tenant"], found["origin"], found["received_at"] = sender.tenant, sender.origin, sender.received_at
    found["call_ref"] = extra(texts, sender, "id_ligacao", read_text)
    found["occurred_at"] = moment(texts, sender, "data_hora")
    found["direction"] = extra(texts, sender, "direcao", read_direction)
    found["waited_s"] = extra(texts, sender, "espera", read_duration)
    found["answered_at"] = moment(texts, sender, "atendida_em")
    found["fields"] = fields_of(texts, sender) or None
    return found


def moment(texts: Texts, sender: Sender, name: str) -> int | None:
    """Return the moment in the parameter ``name``, where it can be read: milliseconds since 1970."""
    return extra(texts, sender, name, lambda text: read_moment(text, sender.zone))


def agent_state_changed(texts: Texts, sender: Sender) -> AgentStateChanged:
    """Make the message of ``EstadoAgente``: of an extension, an agent, or both. Raises ``MissingParameter``,
    ``BadParameter``.
    """
    ramal, agent = (extra(texts, sender, name, read_text) or "" for name in ("ramal", "agente"))
    if not ramal and not agent:
        raise MissingParameter("ramal", expected="3501")
    return AgentStateChanged(
        tenant=sender.tenant,
        ramal=ramal,
        agent=agent,
        state=read_agent_state(required(texts, sender, "estado", "pausa")),
        origin=sender.origin,
        received_at=sender.received_at,
        occurred_at=moment(texts, sender, "data_hora"),
        reason=extra(texts, sender, "motivo", read_words),
        queue=extra(texts, sender, "fila", read_words),
    )


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
