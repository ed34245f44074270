"""The operations, defined once: SOAP's types, XML-RPC's signatures and the documentation come from here."""

from collections.abc import Mapping
from dataclasses import fields

from gateway.domain.messages import AttachedData
from gateway.texts.text import Text
from gateway.wire.message_builders import (
    call_answered,
    call_ended,
    call_started,
    call_transferred,
    login_test,
    nothing,
    place_call,
)
from gateway.wire.parameters import Operation, Parameter

RAMAL = Parameter("ramal", Text("destination number: the extension that rings"), "extension", required=True)
TELEFONE = Parameter("telefone", Text("origin number: area code and number"), "number", required=True)
ID_LIGACAO = Parameter("id_ligacao", Text("the call's identification at the exchange"), "call_ref")
MOMENT = Text("when it happened: ISO 8601, YYYY-MM-DD HH:MM:SS or seconds since 1970")
DIRECAO = Parameter("direcao", Text("entrada (incoming), saida (outgoing) or interna (internal)"), "direction")
ATTACHED_PARAMETERS = tuple(
    Parameter(each.metadata["parameter"], each.metadata["text"], each.name, later=True, by_name=True)
    for each in fields(AttachedData)
)

CONSULTA_RAMAL = Operation(
    "ConsultaRamal",
    Text("A call starts: writes the call down and opens the caller's account on the extension's screen."),
    (RAMAL, TELEFONE, ID_LIGACAO, Parameter("data_hora", MOMENT, "started_at"), DIRECAO, *ATTACHED_PARAMETERS),
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
        *ATTACHED_PARAMETERS,
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
        *ATTACHED_PARAMETERS,
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
        *ATTACHED_PARAMETERS,
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

SET_TESTE = Operation(
    "setTeste",
    Text("The classic WConnect's test of the connection: checks user name and password, both required."),
    (),
    login_test,
    takes_login=True,
)
"""Published only where the classic WConnect has it (rpc/encoded), and understood everywhere."""

ADDED = (ATENDE_LIGACAO, TRANSFERE_LIGACAO)
"""What the contracts did not have at first stands behind what they had."""
OPERATIONS: Mapping[str, Operation] = {
    operation.name: operation for operation in (CONSULTA_RAMAL, FINALIZA_LIGACAO, CLICK_TO_CALL, TESTE, *ADDED)
}
UNDERSTOOD: Mapping[str, Operation] = {**OPERATIONS, SET_TESTE.name: SET_TESTE}
SPELLINGS = {name.lower(): operation for name, operation in UNDERSTOOD.items()}


def find(name: str) -> Operation | None:
    """Return the operation called ``name``, in whatever letter case."""
    return UNDERSTOOD.get(name) or SPELLINGS.get(name.lower())
