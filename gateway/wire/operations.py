"""The operations, defined once: SOAP's types, XML-RPC's signatures and the documentation come from here."""

from collections.abc import Mapping
from dataclasses import fields

from gateway.domain.messages import AttachedData
from gateway.texts.text import Text
from gateway.wire.free_fields import CAMPOS
from gateway.wire.message_builders import (
    agent_state_changed,
    call_answered,
    call_ended,
    call_held,
    call_noted,
    call_resumed,
    call_started,
    call_transferred,
    login_test,
    nothing,
    place_call,
    queue_entered,
    queue_left,
)
from gateway.wire.parameters import Operation, Parameter

RAMAL = Parameter("ramal", Text("destination number: the extension that rings"), "extension", required=True)
TELEFONE = Parameter("telefone", Text("origin number: area code and number"), "number", required=True)
ID_LIGACAO = Parameter("id_ligacao", Text("the call's identification at the exchange"), "call_ref")
MOMENT = Text("when it happened: ISO 8601, YYYY-MM-DD HH:MM:SS or seconds since 1970")
DIRECAO = Parameter("direcao", Text("entrada (incoming), saida (outgoing) or interna (internal)"), "direction")


def by_name(name: str, help: Text, field: str) -> Parameter:
    """Return an optional parameter that came later, and is never read by position."""
    return Parameter(name, help, field, later=True, by_name=True)


OF_EVERY_CALL = (
    *(by_name(each.metadata["parameter"], each.metadata["text"], each.name) for each in fields(AttachedData)),
    by_name(CAMPOS, Text("free fields: cpf=123;protocolo=7, or a JSON object"), "fields"),
)
ESPERA = by_name("espera", Text("how long the caller waited in the queue: seconds or HH:MM:SS"), "waited_s")
ATENDIDA_EM = by_name("atendida_em", Text("when somebody took the call, written as data_hora"), "answered_at")

CONSULTA_RAMAL = Operation(
    "ConsultaRamal",
    Text("A call starts: writes the call down and opens the caller's account on the extension's screen."),
    (
        RAMAL,
        TELEFONE,
        ID_LIGACAO,
        Parameter("data_hora", MOMENT, "started_at"),
        DIRECAO,
        *OF_EVERY_CALL,
        by_name("ramais", Text("further extensions that ring: 3502,3503"), "rang"),
    ),
    call_started,
)
ATENDE_LIGACAO = Operation(
    "AtendeLigacao",
    Text("A call is answered: writes down who took it and when; it stops ringing on the screens of its group."),
    (
        Parameter("ramal", Text("destination number: the extension that answered"), "answered_by", required=True),
        TELEFONE,
        ID_LIGACAO,
        Parameter("data_hora", MOMENT, "answered_at"),
        DIRECAO,
        *OF_EVERY_CALL,
        ESPERA,
        ATENDIDA_EM,
    ),
    call_answered,
)
TRANSFERE_LIGACAO = Operation(
    "TransfereLigacao",
    Text("A call is transferred: it ends at the extension and goes on at another, with what is known of it."),
    (
        Parameter("ramal", Text("destination number: the extension that transfers"), "extension", required=True),
        TELEFONE,
        Parameter("ramal_destino", Text("where the call goes on: an extension"), "transferred_to", required=True),
        ID_LIGACAO,
        Parameter("data_hora", MOMENT, "ended_at"),
        DIRECAO,
        *OF_EVERY_CALL,
        by_name("tipo", Text("cega (blind) or assistida (attended, after speaking with the other)"), "transfer"),
    ),
    call_transferred,
)
FINALIZA_LIGACAO = Operation(
    "FinalizaLigacao",
    Text("A call ends: closes the call's record, with the address of the recording."),
    (
        RAMAL,
        TELEFONE,
        Parameter("url_audio", Text("address of the call's audio"), "recording_url"),
        ID_LIGACAO,
        Parameter("data_hora", MOMENT, "ended_at"),
        DIRECAO,
        Parameter("duracao", Text("seconds or HH:MM:SS"), "duration_s"),
        Parameter("resultado", Text("how the call ended, in free text"), "result_text"),
        *OF_EVERY_CALL,
        ESPERA,
        ATENDIDA_EM,
        by_name("causa", Text("why it ended: a cause of Q.850 or a status of SIP"), "cause"),
    ),
    call_ended,
)
CLICK_TO_CALL = Operation(
    "ClickToCall",
    Text("Click-to-call: has the extension call the number through the company's appliance."),
    (
        Parameter("ramal", Text("extension that will call"), "extension", required=True),
        Parameter("telefone", Text("number to dial: area code and number, or an extension"), "number", required=True),
        Parameter("central", Text("name of the appliance, if not the default one"), "appliance"),
        Parameter(
            "id_pedido",
            Text("the asker's own identification of this order; repeated, it does not dial again"),
            "request_id",
            later=True,
        ),
    ),
    place_call,
    dials=True,
    takes_login=True,
)
TESTE = Operation(
    "Teste",
    Text("Test of the connection: answers OK with the gateway's version; checks user name and password, if they come."),
    (),
    nothing,
    takes_login=True,
)

ESPERA_LIGACAO = Operation(
    "EsperaLigacao",
    Text("A call is put on hold."),
    (
        Parameter("ramal", Text("the extension that put it on hold"), "extension", required=True),
        TELEFONE,
        ID_LIGACAO,
        Parameter("data_hora", MOMENT, "held_at"),
        DIRECAO,
        *OF_EVERY_CALL,
    ),
    call_held,
)
RETOMA_LIGACAO = Operation(
    "RetomaLigacao",
    Text("A call that was on hold goes on."),
    (
        Parameter("ramal", Text("the extension that speaks again"), "extension", required=True),
        TELEFONE,
        ID_LIGACAO,
        Parameter("data_hora", MOMENT, ""),
        DIRECAO,
        *OF_EVERY_CALL,
    ),
    call_resumed,
)
FILA = Parameter("fila", Text("the queue or group, as the exchange calls it"), "queue", required=True)
IN_QUEUE = tuple(each for each in OF_EVERY_CALL if each.name != FILA.name)
OF_QUEUE = Parameter("ramal", Text("the queue's own number, where it has one"), "")
ENTRA_FILA = Operation(
    "EntraFila",
    Text("A caller waits in a queue."),
    (FILA, TELEFONE, ID_LIGACAO, Parameter("data_hora", MOMENT, "queued_at"), OF_QUEUE, *IN_QUEUE),
    queue_entered,
)
SAI_FILA = Operation(
    "SaiFila",
    Text("A caller waits in a queue no more: somebody takes the call, or the caller gave up."),
    (
        FILA,
        TELEFONE,
        ID_LIGACAO,
        Parameter("data_hora", MOMENT, "queue_left_at"),
        OF_QUEUE,
        *IN_QUEUE,
        ESPERA,
        by_name("abandonada", Text("sim where the caller gave up"), "result"),
    ),
    queue_left,
)
ANOTA_LIGACAO = Operation(
    "AnotaLigacao",
    Text("Something to keep with a call, also after its end: a recording, its cost, what was said, free fields."),
    (
        Parameter("ramal", Text("the call's extension; not needed where id_ligacao names the call"), "extension"),
        Parameter("telefone", Text("the call's number; not needed where id_ligacao names the call"), "number"),
        ID_LIGACAO,
        Parameter("url_audio", Text("address of the call's audio"), "recording_url"),
        Parameter("data_hora", MOMENT, ""),
        DIRECAO,
        *OF_EVERY_CALL,
        ESPERA,
        by_name("custo", Text("what the call cost, in free text"), "notes"),
        by_name("transcricao", Text("what was said"), "notes"),
    ),
    call_noted,
)
ESTADO_AGENTE = Operation(
    "EstadoAgente",
    Text("An agent logs in at the exchange or out, pauses, or is ready again; it is kept and shown."),
    (
        Parameter("estado", Text("login, logout, pausa or pronto (ready)"), "state", required=True),
        Parameter("ramal", Text("the agent's extension; this or agente is needed"), "extension"),
        Parameter("agente", Text("the agent's name or code at the exchange"), "agent"),
        Parameter("motivo", Text("why the agent pauses"), "reason"),
        Parameter("fila", Text("the queue, where it is about one only"), "queue"),
        Parameter("data_hora", MOMENT, "occurred_at"),
    ),
    agent_state_changed,
)

SET_TESTE = Operation(
    "setTeste",
    Text("The classic WConnect's test of the connection: checks user name and password, both required."),
    (),
    login_test,
    takes_login=True,
)
"""Published only where the classic WConnect has it (rpc/encoded), and understood everywhere."""

ADDED = (
    ATENDE_LIGACAO,
    TRANSFERE_LIGACAO,
    ESPERA_LIGACAO,
    RETOMA_LIGACAO,
    ENTRA_FILA,
    SAI_FILA,
    ANOTA_LIGACAO,
    ESTADO_AGENTE,
)
"""What the contracts did not have at first stands behind what they had."""
OPERATIONS: Mapping[str, Operation] = {
    operation.name: operation for operation in (CONSULTA_RAMAL, FINALIZA_LIGACAO, CLICK_TO_CALL, TESTE, *ADDED)
}
EVENTS = tuple(operation for operation in OPERATIONS.values() if not operation.takes_login)
"""What an exchange tells; each has an address of its own for GET and POST."""
UNDERSTOOD: Mapping[str, Operation] = {**OPERATIONS, SET_TESTE.name: SET_TESTE}
SPELLINGS = {name.lower(): operation for name, operation in UNDERSTOOD.items()}


def find(name: str) -> Operation | None:
    """Return the operation called ``name``, in whatever letter case."""
    return UNDERSTOOD.get(name) or SPELLINGS.get(name.lower())
