"""Free fields of a call, however peers write them, and parameters that nobody knows."""

import json
import xmlrpc.client
from collections.abc import Mapping
from typing import Any

import pytest
from structlog.testing import capture_logs

from gateway.domain.calls.free_fields import MOST_FIELDS
from gateway.domain.messages import CallNoted, CallStarted, PlaceCall
from gateway.wire.free_fields import MOST, FieldCollector
from gateway.wire.soap.contract_encoded import PATH
from tests.wire.envelopes import encoded
from tests.wire.peers import Peer
from tests.wire.test_listeners import START

BOTH = {"ramal": "3501", "telefone": "4732100123"}
QUERY = "ramal=3501&telefone=4732100123"
KEEPING = {"tenants": {"default": {"listener": {"keep_unknown": True}}}}


@pytest.fixture
def peer() -> Peer:
    return Peer()


def fields_of(peer: Peer) -> Mapping[str, str] | None:
    (message,) = peer.core.messages
    assert isinstance(message, CallStarted | CallNoted)
    return message.fields


@pytest.mark.parametrize(
    ("query", "fields"),
    [
        ("campos[cpf]=123&campos[protocolo]=7", {"cpf": "123", "protocolo": "7"}),
        ("campos%5Bcpf%5D=123", {"cpf": "123"}),
        ("CAMPOS.cpf=123&amp;campos.nome+da+m%E3e=Ana", {"cpf": "123", "nome da mãe": "Ana"}),
        ("campos=cpf%3D123%3Bprotocolo%3D7", {"cpf": "123", "protocolo": "7"}),
        ("campos=cpf=123;protocolo=7", {"cpf": "123", "protocolo": "7"}),
        ("campos=cpf:123|protocolo:7", {"cpf": "123", "protocolo": "7"}),
        (
            "campos=%7B%22cpf%22%3A+12345678901234567890%2C+%22vip%22%3A+true%7D",
            {"cpf": "12345678901234567890", "vip": "true"},
        ),
        (
            "campos=%7B%22cliente%22%3A+%7B%22id%22%3A+7%2C+%22tags%22%3A+%5B%22a%22%5D%7D%7D",
            {"cliente.id": "7", "cliente.tags.0": "a"},
        ),
        ("campos=cpf=1&campos[cpf]=2&campos[x]=3", {"cpf": "1", "x": "3"}),
        ("campos[]=1&campos[cpf]=&campos=", None),
        ("x=1&uniqueid=17.1", None),
    ],
)
def test_fields_in_a_query(peer: Peer, query: str, fields: dict[str, str] | None) -> None:
    assert peer.get(START, query_string=f"{QUERY}&{query}").text == "OK 1\n"
    assert fields_of(peer) == fields


@pytest.mark.parametrize("text", ["Ana", "{", '{"a": ' + "[" * 9_000, "[1]"])
def test_a_text_without_fields_is_left_out_and_the_event_is_kept(peer: Peer, text: str) -> None:
    with capture_logs() as logs:
        assert peer.post(START, data=BOTH | {"campos": text}).text == "OK 1\n"
    assert fields_of(peer) is None
    assert {"event": "extra_ignored", "parameter": "campos", "log_level": "warning"} in logs


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "multipart/form-data"])
def test_fields_in_a_form(peer: Peer, kind: str) -> None:
    assert peer.post(START, data=BOTH | {"campos[cpf]": "123", "campos.a": "1"}, content_type=kind).text == "OK 1\n"
    assert fields_of(peer) == {"cpf": "123", "a": "1"}


@pytest.mark.parametrize(
    ("members", "fields"),
    [
        ({"campos": {"cpf": 123, "vip": True, "nada": None}}, {"cpf": "123", "vip": "true"}),
        ({"campos": "cpf=123"}, {"cpf": "123"}),
        ({"campos[cpf]": "123"}, {"cpf": "123"}),
        ({"campos": {"a": {"b": {"c": 1.50}}}}, {"a.b.c": "1.5"}),
        ({"campos": {}}, None),
    ],
)
def test_fields_in_json(peer: Peer, members: dict[str, Any], fields: dict[str, str] | None) -> None:
    assert peer.post(START, json=BOTH | members).text == "OK 1\n"
    assert fields_of(peer) == fields


@pytest.mark.parametrize(
    "campos", [{"cpf": "123", "n": 7}, "cpf=123;n=7", '{"cpf": "123", "n": 7}'], ids=["struct", "pairs", "json"]
)
def test_fields_in_xmlrpc(peer: Peer, campos: Any) -> None:
    body = xmlrpc.client.dumps((BOTH | {"campos": campos},), "ConsultaRamal")
    peer.post("/xmlrpc", data=body.encode(), content_type="text/xml")
    assert fields_of(peer) == {"cpf": "123", "n": "7"}


def test_fields_behind_positions_in_xmlrpc(peer: Peer) -> None:
    body = xmlrpc.client.dumps(("3501", "4732100123", {"campos": {"cpf": "123"}}), "ConsultaRamal")
    peer.post("/xmlrpc", data=body.encode(), content_type="text/xml")
    assert fields_of(peer) == {"cpf": "123"}


@pytest.mark.parametrize("path", [PATH, "/soap"])
@pytest.mark.parametrize(
    "inner",
    [
        "<campos>cpf=123;n=7</campos>",
        '<campos>{"cpf": "123", "n": 7}</campos>',
        "<campos><cpf>123</cpf><n>7</n></campos>",
        "<campos.cpf>123</campos.cpf><campos.n>7</campos.n>",
        "<campos><item><key>cpf</key><value>123</value></item><item><key>n</key><value>7</value></item></campos>",
    ],
)
def test_fields_in_soap(peer: Peer, path: str, inner: str) -> None:
    body = encoded("ConsultaRamal", BOTH).replace("</n:ConsultaRamal>", f"{inner}</n:ConsultaRamal>")
    peer.post(path, data=body.encode(), content_type="text/xml")
    assert fields_of(peer) == {"cpf": "123", "n": "7"}


UNKNOWN = {"contrato": "99", "senha": "1234", "api_key": "k", "X-Auth": "a", "_": "17", "contrato_vip": "sim"}
KEPT = {"contrato": "99", "contrato_vip": "sim"}


def test_parameters_that_nobody_knows_are_kept_where_the_company_wants_them() -> None:
    peer = Peer(KEEPING)
    assert peer.get(START, query_string=BOTH | UNKNOWN | {"campos[cpf]": "1"}).text == "OK 1\n"
    assert fields_of(peer) == KEPT | {"cpf": "1"}


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "multipart/form-data", "application/json"])
def test_and_those_in_bodies(kind: str) -> None:
    peer = Peer(KEEPING)
    body: Any = (
        json.dumps(BOTH | UNKNOWN | {"campos": {"cpf": 1}}) if "json" in kind else BOTH | UNKNOWN | {"campos": "cpf=1"}
    )
    assert peer.post(START, data=body, content_type=kind).text == "OK 1\n"
    assert fields_of(peer) == KEPT | {"cpf": "1"}


def test_an_object_that_nobody_knows_is_taken_apart_without_its_secrets() -> None:
    peer = Peer(KEEPING)
    peer.post(START, json=BOTH | {"agente": {"id": 7, "token": "abre", "lista": ["a", {"senha": "b"}]}})
    assert fields_of(peer) == {"agente.id": "7", "agente.lista.0": "a"}


@pytest.mark.parametrize("path", [PATH, "/soap"])
def test_and_those_in_soap(path: str) -> None:
    peer = Peer(KEEPING)
    login = {"UsuarioLogin": "ana", "UsuarioSenha": "s", "arg7": "x"}
    peer.post(path, data=encoded("ConsultaRamal", BOTH | {"contrato": "99", "senha": "1"} | login).encode())
    assert fields_of(peer) == {"contrato": "99"}


def test_and_those_in_xmlrpc() -> None:
    peer = Peer(KEEPING)
    body = xmlrpc.client.dumps((BOTH | {"contrato": "99", "senha": "1", "UsuarioSenha": "s"},), "ConsultaRamal")
    peer.post("/xmlrpc", data=body.encode(), content_type="text/xml")
    assert fields_of(peer) == {"contrato": "99"}


def test_an_address_that_was_not_encoded_keeps_what_nobody_knows() -> None:
    peer = Peer(KEEPING)
    end = START.replace("ConsultaRamal", "AnotaLigacao")
    peer.get(end, query_string=f"{QUERY}&contrato=1&url_audio=http://pbx/rec?id=10&fmt=wav&custo=1&campos[a]=1")
    (message,) = peer.core.messages
    assert isinstance(message, CallNoted)
    assert message.recording_url == "http://pbx/rec?id=10&fmt=wav&custo=1&campos[a]=1"
    assert (message.fields, message.cost) == ({"contrato": "1"}, None)


def test_a_request_of_very_many_fields_is_bounded_and_those_that_were_named_come_first() -> None:
    peer = Peer(KEEPING)
    peer.get(START, query_string=QUERY + "".join(f"&a{n}=1&campos[b{n}]=1" for n in range(400)))
    assert set(fields_of(peer) or {}) == {f"b{n}" for n in range(100)}


def test_fields_that_are_too_long_leave_room_for_others(peer: Peer) -> None:
    peer.post(START, data=BOTH | {"campos[a]": "1", "campos[b]": "x" * 9_000, "campos[c]": "2"})
    assert fields_of(peer) == {"a": "1", "c": "2"}


@pytest.mark.parametrize("text", ['{"a\\ud800": "b\\udfff\\u0000c"}', '{"a\\u0001": "b c"}'])
def test_what_no_text_can_hold_becomes_a_space(peer: Peer, text: str) -> None:
    peer.post(START, data=BOTH | {"campos": text})
    ((name, said),) = (fields_of(peer) or {}).items()
    assert (name, " ".join(said.split())) == ("a", "b c")
    assert (name + said).encode()


def test_a_field_that_the_exchange_did_not_fill_in_is_left_out(peer: Peer) -> None:
    peer.get(START, query_string=QUERY + "&campos[cpf]=${CPF}&campos[nome]=[Nome]&campos[x]=ramal")
    assert fields_of(peer) == {"x": "ramal"}


def test_an_order_has_no_free_fields() -> None:
    peer = Peer(KEEPING | {"tenants": {"default": {"click_to_call": {"token": "disca"}}}})
    peer.get("/click-to-call", query_string="origem=3501&destino=4732100123&token=disca&contrato=1&campos[cpf]=1")
    (message,) = peer.core.messages
    assert isinstance(message, PlaceCall)


def test_no_more_free_fields_of_a_request_are_collected_than_anybody_needs() -> None:
    """The rule book keeps 20 of them; more than those are collected only so that it sees that some found no room."""
    collector = FieldCollector({"campos": "campos"}, keep_unknown=True)
    for number in range(3 * MOST):
        collector.add(f"campo{number}", "x")
        collector.add(f"campos[outro{number}]", "x")
    texts: dict[str, str] = {}
    collector.put_into(texts)
    assert len(json.loads(texts["campos"])) == MOST > MOST_FIELDS
