"""The message that an operation's parameters mean. All raise ``MissingParameter`` and ``BadParameter``."""

from collections.abc import Callable, Mapping
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
from gateway.wire.free_fields import CAMPOS
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


def moment(text: str, sender: Sender) -> int:
    """Return the moment in ``text``: milliseconds since 1970. Raises ``ValueError``, ``OverflowError``."""
    return read_moment(text, sender.zone)


EXTRAS: Mapping[str, tuple[str, Callable[[str, Sender], Any]]] = {
    **{parameter: (field, lambda text, _: read_words(text)) for field, parameter in ATTACHED.items()},
    "id_ligacao": ("call_ref", lambda text, _: read_text(text)),
    "data_hora": ("occurred_at", moment),
    "direcao": ("direction", lambda text, _: read_direction(text)),
    "espera": ("waited_s", lambda text, _: read_duration(text)),
    "atendida_em": ("answered_at", moment),
}
"""What any call's message may have besides: the field of each parameter, and how it is read."""


def told(texts: Texts, sender: Sender, name: str) -> Any:
    """Return what the extra ``name`` says, where it can be read."""
    _, read = EXTRAS[name]
    return extra(texts, sender, name, lambda text: read(text, sender))


def of_every_call(texts: Texts, sender: Sender) -> Fields:
    """Return the fields that all messages of calls have, but for the numbers; what is not said is left out."""
    found: Fields = {"tenant": sender.tenant, "origin": sender.origin, "received_at": sender.received_at}
    for name in texts:
        if name in EXTRAS:
            found[EXTRAS[name][0]] = told(texts, sender, name)
    if CAMPOS in texts:
        found["fields"] = fields_of(texts, sender)
    return found


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
        occurred_at=extra(texts, sender, "data_hora", lambda text: moment(text, sender)),
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
