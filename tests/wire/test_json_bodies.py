"""Call events and orders as JSON, read with the tolerance that forms have."""

import gzip
import json
from typing import Any

import pytest
from structlog.testing import capture_logs
from werkzeug.test import TestResponse

from gateway.domain.messages import CallStarted, PlaceCall
from tests.wire.peers import OFFICE, Peer
from tests.wire.test_listeners import START

BOTH = {"ramal": "3501", "telefone": "4732100123"}


@pytest.fixture
def peer() -> Peer:
    return Peer()


def sent(peer: Peer, body: str | bytes, kind: str = "application/json", **options: Any) -> TestResponse:
    return peer.post(START, data=body, content_type=kind, **options)


def the_start(peer: Peer) -> CallStarted:
    (message,) = peer.core.messages
    assert isinstance(message, CallStarted)
    return message


@pytest.mark.parametrize(
    ("body", "ramal", "telefone"),
    [
        ('{"ramal": "3501", "telefone": "4732100123"}', "3501", "4732100123"),
        ('{"Ramal": 3501, " TELEFONE ": 4732100123}', "3501", "4732100123"),
        ('{"ramal": 3501, "telefone": 100000000000000000000001}', "3501", "100000000000000000000001"),
        ('{"ramal": true, "telefone": 47.50}', "true", "47.50"),
        ('{"ramal": null, "telefone": "", "telefone": "47", "ramal": "3501"}', "3501", "47"),
        ('{"ramal": "3501", "telefone": "47", "nada": [1, {"a": 2}], "mais": {"ramal": "9"}}', "3501", "47"),
        ('{"ramal": "recep\\u00e7\\u00e3o", "telefone": "+55 47"}', "recepção", "+55 47"),
        ('{"ramal": "a\\ud83d", "telefone": "47"}', "a\ufffd", "47"),
        ('\n {"ramal": "3501\n", "telefone": "47"}\r\n', "3501", "47"),
    ],
)
def test_the_values_of_an_object_are_texts(peer: Peer, body: str, ramal: str, telefone: str) -> None:
    assert sent(peer, body).text == "OK 1\n"
    assert (the_start(peer).ramal, the_start(peer).telefone) == (ramal, telefone)


@pytest.mark.parametrize(
    "kind",
    [
        "application/json",
        "application/json; charset=utf-8",
        "Application/JSON",
        "text/json",
        "application/x-json",
        "application/vnd.pbx.event+json",
        "application/x-www-form-urlencoded",
        "text/plain",
        "",
    ],
)
def test_json_is_known_by_its_media_type_or_by_how_it_begins(peer: Peer, kind: str) -> None:
    assert sent(peer, json.dumps(BOTH), kind).text == "OK 1\n"


@pytest.mark.parametrize(
    ("charset", "kind"),
    [
        ("utf-8", "application/json"),
        ("utf-8-sig", "application/json"),
        ("utf-16", "application/json"),
        ("utf-16-le", "application/json"),
        ("utf-32", "application/json"),
        ("latin-1", "application/json"),
        ("latin-1", "application/json; charset=ISO-8859-1"),
        ("cp1252", "application/json; charset=windows-1252"),
    ],
)
def test_accents_are_read_in_whatever_charset(peer: Peer, charset: str, kind: str) -> None:
    body = json.dumps(BOTH | {"ramal": "recepção"}, ensure_ascii=False).encode(charset)
    assert sent(peer, body, kind).text == "OK 1\n"
    assert the_start(peer).ramal == "recepção"


def test_a_packed_body_is_read(peer: Peer) -> None:
    body = gzip.compress(json.dumps(BOTH).encode())
    assert sent(peer, body, headers={"Content-Encoding": "gzip"}).text == "OK 1\n"


def test_what_the_object_lacks_may_stand_in_the_address(peer: Peer) -> None:
    assert sent(peer, '{"ramal": "3501"}', query_string="telefone=47&ramal=9").text == "OK 1\n"
    assert (the_start(peer).ramal, the_start(peer).telefone) == ("3501", "47")


def test_an_empty_body_leaves_the_address_to_count(peer: Peer) -> None:
    assert sent(peer, b"", query_string="telefone=47&ramal=3501").text == "OK 1\n"


def test_other_names_are_understood_as_in_forms() -> None:
    peer = Peer({"tenants": {"default": {"listener": {"aliases": {"ramal": ["dst"], "telefone": ["src"]}}}}})
    assert sent(peer, '{"DST": 3501, "src": "47"}').text == "OK 1\n"


@pytest.mark.parametrize(
    ("body", "code", "part"),
    [
        ('{"ramal": ["3501"], "telefone": "47"}', 220, "ramal inválido: recebido 'array', esperado um texto ou número"),
        ('{"ramal": {"n": 1}, "telefone": "47"}', 220, "ramal inválido: recebido 'object'"),
        ('{"ramal": "3501"}', 210, "telefone"),
        ('{"call": {"ramal": "3501", "telefone": "47"}}', 240, "'call'"),
        ('[{"ramal": "3501"}]', 240, '{"ramal": "3501", "telefone": "4732100123"}'),
        ("3501", 240, "JSON"),
        ('{"ramal": "3501",\n "telefone": 47', 240, "(linha 2)"),
        ('{"ramal": 03501}', 240, "(linha 1)"),
        ('{"a": ' + "[" * 30_000, 240, "JSON"),
        ("{" + ", ".join(f'"a{n}": 1' for n in range(1001)) + "}", 240, "1000"),
    ],
)
def test_what_cannot_be_read_is_refused_with_a_sentence(peer: Peer, body: str, code: int, part: str) -> None:
    got = sent(peer, body)
    assert got.status_code == 400
    assert got.text.startswith(f"ERRO {code}: ")
    assert part in got.text
    assert not peer.core.messages


def test_a_body_beyond_the_limit_is_refused() -> None:
    peer = Peer({"server": {"max_body_bytes": 1024}})
    assert sent(peer, json.dumps(BOTH | {"x": "y" * 2000})).status_code == 413


def test_a_member_with_two_values_is_named_in_the_log(peer: Peer) -> None:
    with capture_logs() as logs:
        sent(peer, '{"ramal": "3501", "RAMAL": "3502", "telefone": "47"}')
    told = [(entry["parameters"], entry["client"]) for entry in logs if entry["event"] == "parameter_given_twice"]
    assert told == [(["ramal"], OFFICE)]
    assert the_start(peer).ramal == "3501"


def test_a_token_in_the_object_lets_an_event_in() -> None:
    peer = Peer({"tenants": {"default": {"events": {"token": "abre-te"}}}}, address="203.0.113.9")
    assert sent(peer, json.dumps(BOTH)).status_code == 403
    assert sent(peer, json.dumps(BOTH | {"token": "abre-te"})).text == "OK 1\n"


def test_a_call_is_placed_by_json() -> None:
    peer = Peer({"tenants": {"default": {"click_to_call": {"token": "disca"}}}})
    body = {"origem": 3501, "destino": "4732100123", "id_pedido": 17, "token": "disca"}
    assert peer.post("/click-to-call", json=body).status_code == 200
    (message,) = peer.core.messages
    assert isinstance(message, PlaceCall)
    assert (message.extension, message.number, message.request_key) == ("3501", "4732100123", "17")
