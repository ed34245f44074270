"""One contract for every wire: the same call means the same message and gets the same answer."""

import json
import xmlrpc.client
from collections.abc import Mapping
from dataclasses import dataclass, replace

import pytest

from gateway import errors
from gateway.adapter import Outcome
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
from gateway.wire.soap.contract_encoded import PATH
from gateway.wire.soap.envelopes import MEDIA_TYPES, SOAP_11, SOAP_12
from tests.wire.envelopes import (
    CONTENT_TYPES,
    encoded,
    envelope,
    read_answer,
    read_any_fault,
    read_encoded,
    read_fault,
)
from tests.wire.peers import NOW, OFFICE, OUTSIDE, Peer

ADDRESSES = {
    "ConsultaRamal": "/wconnect/WConnect_WSDL_ConsultaRamal.php",
    "AtendeLigacao": "/wconnect/WConnect_WSDL_AtendeLigacao.php",
    "TransfereLigacao": "/wconnect/WConnect_WSDL_TransfereLigacao.php",
    "FinalizaLigacao": "/wconnect/WConnect_WSDL_FinalizaLigacao.php",
    "ClickToCall": "/click-to-call",
}


@dataclass
class Told:
    """What a client learns on any wire; ``number`` is our call id, or our error's code."""

    ok: bool
    sentence: str
    number: int
    status: int
    raw: bytes


class ByUrl:
    wire = "get"

    def __init__(self, method: str) -> None:
        self.method = method

    def call(self, peer: Peer, operation: str, fields: Mapping[str, str]) -> Told:
        where = "query_string" if self.method == "GET" else "data"
        got = peer.send(self.method, ADDRESSES[operation], **{where: fields})
        word, rest = got.text.rstrip("\n").split(" ", 1)
        number, _, sentence = rest.partition(": ")
        return Told(word == "OK", sentence, int(number), got.status_code, got.data)


class BySoap:
    wire = "soap"

    def __init__(self, version: str) -> None:
        self.version = version

    def call(self, peer: Peer, operation: str, fields: Mapping[str, str]) -> Told:
        body = envelope(operation, fields, self.version)
        got = peer.post("/soap", data=body, content_type=CONTENT_TYPES[self.version])
        assert got.content_type == CONTENT_TYPES[self.version]
        if b"Fault" in got.data:
            fault = read_fault(got.data, self.version)
            return Told(False, fault.sentence, fault.number, got.status_code, got.data)
        answer = read_answer(got.data, self.version)
        number = int(answer["id"])
        return Told(answer["status"] == "OK", answer["mensagem"], number, got.status_code, got.data)


class ByEncodedSoap:
    wire = "soap"

    def __init__(self, version: str, charset: str) -> None:
        self.version, self.charset = version, charset

    def call(self, peer: Peer, operation: str, fields: Mapping[str, str]) -> Told:
        body = encoded(operation, fields, self.version).encode(self.charset)
        kind = f"{MEDIA_TYPES[self.version]}; charset={self.charset}"
        got = peer.post(PATH, data=body, content_type=kind)
        assert got.content_type == kind
        if b"Fault" in got.data:
            fault = read_any_fault(got.data, self.version)
            return Told(False, fault.sentence, fault.number, got.status_code, got.data)
        answer = read_encoded(got.data, self.version)
        return Told(answer["status"] == "OK", answer["mensagem"], int(answer["id"]), got.status_code, got.data)


class ByXmlRpc:
    wire = "xmlrpc"

    def call(self, peer: Peer, operation: str, fields: Mapping[str, str]) -> Told:
        body = xmlrpc.client.dumps((dict(fields),), operation)
        got = peer.post("/xmlrpc", data=body.encode(), content_type="text/xml")
        try:
            ((answer,), _) = xmlrpc.client.loads(got.data)
        except xmlrpc.client.Fault as fault:
            return Told(False, fault.faultString, fault.faultCode, got.status_code, got.data)
        return Told(answer["status"] == "OK", answer["mensagem"], answer["id"], got.status_code, got.data)


WIRES = {
    "get": ByUrl("GET"),
    "form": ByUrl("POST"),
    "soap11": BySoap(SOAP_11),
    "soap12": BySoap(SOAP_12),
    "encoded11": ByEncodedSoap(SOAP_11, "ISO-8859-1"),
    "encoded12": ByEncodedSoap(SOAP_12, "utf-8"),
    "xmlrpc": ByXmlRpc(),
}
Wire = ByUrl | BySoap | ByEncodedSoap | ByXmlRpc


@pytest.fixture(params=WIRES.values(), ids=list(WIRES))
def wire(request: pytest.FixtureRequest) -> Wire:
    found: Wire = request.param
    return found


@pytest.fixture
def peer() -> Peer:
    return Peer()


START = {"ramal": "3501", "telefone": "4732100123"}
STARTED = CallStarted("default", "3501", "4732100123", Origin("get", OFFICE), int(NOW * 1000))


def test_a_call_start_means_the_same_on_every_wire(wire: Wire, peer: Peer) -> None:
    told = wire.call(peer, "ConsultaRamal", START)
    assert (told.ok, told.number, told.status) == (True, 1, 200)
    assert peer.core.messages == [replace(STARTED, origin=Origin(wire.wire, OFFICE))]


def test_an_answer_means_the_same_on_every_wire_with_all_its_extras(wire: Wire, peer: Peer) -> None:
    extras = {"id_ligacao": "1772619300.17", "data_hora": "2026-03-04 07:15:00", "direcao": "entrada"}
    told = wire.call(peer, "AtendeLigacao", START | extras)
    assert (told.ok, told.number, told.status) == (True, 1, 200)
    assert peer.core.messages == [
        CallAnswered(
            "default",
            "3501",
            "4732100123",
            Origin(wire.wire, OFFICE),
            int(NOW * 1000),
            call_ref="1772619300.17",
            occurred_at=1_772_619_300_000,
            direction=Direction.INCOMING,
        )
    ]


def test_a_transfer_means_the_same_on_every_wire(wire: Wire, peer: Peer) -> None:
    told = wire.call(peer, "TransfereLigacao", START | {"ramal_destino": "3502", "id_ligacao": "17", "fila": "Vendas"})
    assert (told.ok, told.number, told.status) == (True, 1, 200)
    origin = Origin(wire.wire, OFFICE)
    assert peer.core.messages == [
        CallTransferred("default", "3501", "4732100123", "3502", origin, int(NOW * 1000), call_ref="17", queue="Vendas")
    ]
    refused = wire.call(peer, "TransfereLigacao", START)
    assert (refused.ok, refused.number) == (False, 210)


def test_a_call_end_means_the_same_on_every_wire_with_all_its_extras(wire: Wire, peer: Peer) -> None:
    extras = {
        "url_audio": "http://pbx/rec?id=10&fmt=wav",
        "id_ligacao": "1772619300.17",
        "data_hora": "2026-03-04 07:15:00",
        "direcao": "entrada",
        "duracao": "00:01:15",
        "resultado": "atendida pela recepção",
    }
    told = wire.call(peer, "FinalizaLigacao", START | extras)
    assert (told.ok, told.number) == (True, 1)
    assert peer.core.messages == [
        CallEnded(
            "default",
            "3501",
            "4732100123",
            Origin(wire.wire, OFFICE),
            int(NOW * 1000),
            recording_url="http://pbx/rec?id=10&fmt=wav",
            call_ref="1772619300.17",
            occurred_at=1_772_619_300_000,
            direction=Direction.INCOMING,
            duration_s=75,
            result="atendida pela recepção",
        )
    ]


def test_a_click_to_call_means_the_same_on_every_wire(wire: Wire, peer: Peer) -> None:
    peer.address = "127.0.0.1"
    told = wire.call(peer, "ClickToCall", START | {"central": "matriz"})
    assert (told.ok, told.sentence, told.number) == (True, "a central respondeu", 1)
    origin = Origin(wire.wire, "127.0.0.1")
    assert peer.core.messages == [
        PlaceCall("default", "3501", "4732100123", origin, int(NOW * 1000), appliance="matriz")
    ]


def test_a_refused_click_to_call_is_told_with_the_id_of_its_log_entry(wire: Wire, peer: Peer) -> None:
    peer.address = "127.0.0.1"
    peer.core.outcome = Outcome.REFUSED
    told = wire.call(peer, "ClickToCall", START)
    assert (told.ok, told.sentence, told.number) == (False, "a central respondeu", 1)


@pytest.mark.parametrize("operation", ["ConsultaRamal", "AtendeLigacao", "FinalizaLigacao"])
@pytest.mark.parametrize("name", ["ramal", "telefone"])
@pytest.mark.parametrize("value", [None, "", "  "])
def test_a_missing_parameter_is_named(wire: Wire, peer: Peer, operation: str, name: str, value: str | None) -> None:
    fields = {key: item for key, item in START.items() if key != name}
    told = wire.call(peer, operation, fields if value is None else fields | {name: value})
    assert (told.ok, told.number) == (False, 210)
    assert f"parâmetro obrigatório ausente ou vazio: {name}." in told.sentence
    assert not peer.core.messages


def test_a_parameter_that_is_too_long_is_refused(wire: Wire, peer: Peer) -> None:
    told = wire.call(peer, "ConsultaRamal", START | {"telefone": "4" * 256})
    assert (told.ok, told.number) == (False, 220)
    assert not peer.core.messages


def test_an_event_is_not_lost_for_an_extra_that_cannot_be_read(wire: Wire, peer: Peer) -> None:
    odd = {"data_hora": "ontem", "direcao": "?", "id_ligacao": "9" * 300}
    told = wire.call(peer, "ConsultaRamal", START | odd)
    assert told.ok
    assert peer.core.messages == [replace(STARTED, origin=Origin(wire.wire, OFFICE))]


def test_an_address_outside_may_not_send_events(wire: Wire, peer: Peer) -> None:
    peer.address = OUTSIDE
    told = wire.call(peer, "ConsultaRamal", START)
    assert (told.ok, told.number) == (False, 310)
    assert OUTSIDE in told.sentence
    assert told.status == (200 if wire.wire == "xmlrpc" else 403)
    assert not peer.core.messages


def test_a_click_to_call_without_credentials_is_challenged(wire: Wire, peer: Peer) -> None:
    told = wire.call(peer, "ClickToCall", START)
    assert (told.ok, told.number, told.status) == (False, 320, 401)
    assert not peer.core.messages


def test_a_full_queue_is_told_so_that_the_exchange_sends_again(wire: Wire, peer: Peer) -> None:
    peer.core.fail_with = errors.QueueFull(4096)
    told = wire.call(peer, "ConsultaRamal", START)
    assert (told.ok, told.number) == (False, 410)
    assert "Nada foi gravado" in told.sentence
    assert told.status == {"get": 503, "soap": 500, "xmlrpc": 200}[wire.wire]


def test_a_defect_of_ours_shows_an_incident_and_nothing_else(wire: Wire, peer: Peer) -> None:
    peer.core.fail_with = RuntimeError("secret-xyz")
    told = wire.call(peer, "ConsultaRamal", START)
    assert (told.ok, told.number) == (False, 900)
    assert "incidente-" in told.sentence
    for inside in (b"secret-xyz", b"RuntimeError", b"Traceback", b".py"):
        assert inside not in told.raw


@pytest.mark.parametrize("wire_name", ["soap11", "soap12", "xmlrpc"])
def test_the_connection_test_answers_with_the_version_and_leaves_no_trace(wire_name: str, peer: Peer) -> None:
    told = WIRES[wire_name].call(peer, "Teste", {})
    assert (told.ok, told.number) == (True, 0)
    assert told.sentence.startswith("cti-gateway ")
    assert not peer.core.messages


@pytest.mark.parametrize("wire_name", ["soap11", "soap12", "xmlrpc"])
def test_an_unknown_operation_is_told_which_there_are(wire_name: str, peer: Peer) -> None:
    told = WIRES[wire_name].call(peer, "Transfere", START)
    assert (told.ok, told.number) == (False, 230)
    assert "ConsultaRamal, FinalizaLigacao, ClickToCall, Teste" in told.sentence


def test_json_tells_the_same_as_text(peer: Peer) -> None:
    got = peer.get("/click-to-call", query_string=START, address="127.0.0.1", headers={"Accept": "application/json"})
    assert json.loads(got.data) == {
        "status": "OK",
        "outcome": "accepted",
        "mensagem": "a central respondeu",
        "id": 1,
    }


ERRORS: list[errors.GatewayError] = [
    errors.MissingParameter("ramal", expected="3501"),
    errors.BadParameter("ramal", "\x00<&>", expected="um ramal"),
    errors.UnknownOperation("<x>", known=["Teste"]),
    errors.MalformedRequest("não é XML\nnem texto"),
    errors.TooLarge(1024),
    errors.WrongMethod("PUT", allowed=("GET", "POST")),
    errors.WrongContentType("formato não aceito."),
    errors.UnknownTenant("acme"),
    errors.AddressNotAllowed(OUTSIDE),
    errors.CredentialsNeeded(),
    errors.BadCredentials(),
    errors.TooManyAttempts(30),
    errors.QueueFull(4096),
    errors.StoreUnavailable(),
    errors.Stopping(),
    errors.TooManyScreens(1000),
    errors.NoAppliance("acme"),
    errors.UnknownAppliance("x", known=["matriz"]),
    errors.NotDiallable("abc"),
    errors.InternalError("incidente-1"),
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_every_error_reaches_its_client_with_code_and_sentence(
    wire: Wire, peer: Peer, error: errors.GatewayError
) -> None:
    peer.core.fail_with = error
    told = wire.call(peer, "ConsultaRamal", START)
    assert (told.ok, told.number) == (False, error.code)
    assert " ".join(told.sentence.split()) == " ".join(str(error).replace("\x00", "?").split())
    if wire.wire == "get":
        assert told.status == error.http_status


@pytest.mark.parametrize("operation", ["ConsultaRamal", "FinalizaLigacao"])
def test_what_is_attached_to_a_call_means_the_same_on_every_wire(wire: Wire, peer: Peer, operation: str) -> None:
    attached = {parameter: f"Posição {parameter}" for parameter in ATTACHED.values()}
    assert wire.call(peer, operation, START | attached).ok
    (message,) = peer.core.messages
    assert isinstance(message, CallStarted | CallEnded)
    assert {ATTACHED[name]: text for name, text in message.attached.items()} == attached
