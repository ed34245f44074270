"""A source takes every event of its sender at one address, and answers once the events are durable."""

import json
from typing import Any

import pytest
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from gateway.domain.messages import (
    AgentState,
    AgentStateChanged,
    CallAnswered,
    CallEnded,
    CallHeld,
    CallNoted,
    CallResumed,
    CallStarted,
    CallTransferred,
    Direction,
    QueueEntered,
    QueueLeft,
    SourceMark,
)
from gateway.errors import StoreUnavailable
from gateway.mapping.schema import KINDS
from gateway.wire.counts import REQUESTS
from gateway.wire.traffic import Recorder
from tests.wire.peers import NOW, OUTSIDE, Peer

MAPPING = {
    "event": "type",
    "kinds": {"ring": "started", "up": "answered", "moved": "transferred", "gone": "ended", "ping": "ignore"},
    "values": {
        "id": "id", "at": "at", "direction": "way", "extension": "ext", "number": "from", "line": "did",
        "queue": "queue", "caller_name": "name", "to": "to", "result": "cause", "duration": "talk",
        "recording": "rec", "hung_up_by": "by",
    },
}  # fmt: skip
CONFIG = {
    "tenants": {
        "acme": {
            "hosts": ["cti.acme.example"],
            "sources": {
                "cloud": {"kind": "webhook", "mapping": MAPPING, "extensions": {"ana": "201"}},
                "new": {"kind": "webhook"},
            },
        },
        "beta": {"sources": {"cloud": {"kind": "webhook", "mapping": {"other": "ended", "values": {"id": "id"}}}}},
    }
}
RING = {"type": "ring", "id": 7, "at": 1772715802, "way": "in", "ext": "Ana", "from": "+554733334444",
        "did": "4730", "queue": "Vendas", "name": "Zé"}  # fmt: skip


@pytest.fixture
def peer() -> Peer:
    return Peer(CONFIG)


def send(peer: Peer, body: Any, path: str = "/t/acme/in/cloud", **options: Any) -> Any:
    return peer.post(path, data=json.dumps(body), content_type="application/json", **options)


def test_an_event_becomes_the_message_that_it_is(peer: Peer) -> None:
    got = send(peer, RING)
    assert (got.status, got.text) == ("200 OK", '{"calls": [1]}\n')
    assert got.headers["Content-Type"] == "application/json; charset=utf-8"
    (message,) = peer.core.messages
    assert isinstance(message, CallStarted)
    assert (message.tenant, message.ramal, message.telefone) == ("acme", "201", "+554733334444")
    assert (message.call_ref, message.occurred_at, message.received_at) == ("7", 1772715802000, int(NOW * 1000))
    assert message.direction is Direction.INCOMING
    assert (message.origin.wire, message.origin.client) == ("webhook", "10.0.0.7")
    assert message.attached == {"queue": "Vendas", "line": "4730", "caller_name": "Zé"}


def test_the_source_says_which_event_it_is_and_where_it_stands() -> None:
    values = {"id": "id", "event_id": "uid", "sequence": "n", "sequence_of": "leg", "also_known_as": "other"}
    mapping = {"other": "ended", "values": values}
    peer = Peer({"tenants": {"acme": {"sources": {"cloud": {"kind": "webhook", "mapping": mapping}}}}})
    send(peer, {"id": 7, "uid": "e-1", "n": 3, "leg": "l-1", "other": ["8", "9"]}, "/in/cloud")
    send(peer, {"id": 7}, "/in/cloud")
    first, second = peer.core.messages
    assert first.origin.mark == SourceMark("cloud", "e-1", 3, "l-1", ("8", "9"))  # type: ignore[union-attr]
    assert second.origin.mark == SourceMark("cloud")  # type: ignore[union-attr]


def test_every_kind_has_its_message(peer: Peer) -> None:
    send(peer, {"type": "up", "id": 7, "ext": "201"})
    send(peer, {"type": "moved", "id": 7, "ext": "201", "to": "202"})
    send(peer, {"type": "gone", "id": 7, "talk": "75", "cause": "normal", "rec": "https://x/a.wav", "by": "caller"})
    answered, transferred, ended = peer.core.messages
    assert isinstance(answered, CallAnswered)
    assert isinstance(transferred, CallTransferred)
    assert transferred.to == "202"
    assert isinstance(ended, CallEnded)
    assert (ended.duration_s, ended.result, ended.recording_url, ended.hung_up_by) == (
        75, "normal", "https://x/a.wav", "caller",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("path", "host", "tenant"),
    [("/t/beta/in/cloud", "x", "beta"), ("/in/cloud", "cti.acme.example", "acme"), ("/in/CLOUD", "beta.x", "beta")],
)
def test_path_or_host_says_whose_source_it_is(peer: Peer, path: str, host: str, tenant: str) -> None:
    assert send(peer, {**RING}, path, headers={"Host": host}).status_code == 200
    assert [message.tenant for message in peer.core.messages] == [tenant]  # type: ignore[union-attr]


def test_a_company_whose_crm_dials_at_such_an_address_keeps_it() -> None:
    """As it could be set before there were sources; another company's source has the same name."""
    dials = {"click_to_call": {"path": "/in/cloud", "open_loopback": False}}
    peer = Peer({"tenants": {"acme": CONFIG["tenants"]["acme"], "dialler": dials}})
    assert send(peer, RING).json == {"calls": [1]}
    assert send(peer, RING, "/t/dialler/in/cloud").status_code == 401


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH"])
def test_senders_choose_the_method(peer: Peer, method: str) -> None:
    query = "type=ring&id=7&from=4733334444"
    assert peer.send(method, "/t/acme/in/cloud", query_string=query).status_code == 200
    assert len(peer.core.messages) == 1


def test_a_look_at_the_address_is_no_event(peer: Peer) -> None:
    assert peer.send("HEAD", "/t/acme/in/cloud").status_code == 200
    assert peer.send("DELETE", "/t/acme/in/cloud").status_code == 405
    assert peer.core.messages == []


def test_what_is_no_event_for_us_is_answered_well(peer: Peer) -> None:
    got = send(peer, {"type": "ping"})
    assert (got.status_code, got.json) == (200, {"calls": []})


def counted(operation: str, result: str) -> float:
    REQUESTS.add_up()
    labels = {"wire": "webhook", "operation": operation, "result": result}
    return REGISTRY.get_sample_value("cti_events_total", labels) or 0


def test_what_a_mapping_does_not_understand_is_answered_well_told_and_counted(peer: Peer) -> None:
    before = counted("-", "refused")
    with capture_logs() as logs:
        got = send(peer, {"type": "fax", "id": 7})
    assert got.status_code == 200
    assert got.json == {"calls": [], "problems": ["o mapeamento não conhece o evento 'fax'"]}
    assert [(each["event"], each["source"]) for each in logs] == [("webhook_not_mapped", "cloud")]
    assert counted("-", "refused") == before + 1


def test_a_source_without_a_mapping_has_its_sender_keep_what_nobody_else_would(peer: Peer) -> None:
    """The traffic log is off here: a sender that is answered 200 would never send it again."""
    got = send(peer, RING, path="/t/acme/in/new")
    assert (got.status_code, got.headers["Retry-After"]) == (503, "60")
    assert got.text == (
        "ERRO 480: a fonte 'new' não tem mapeamento, e nenhum registro de tráfego guarda suas requisições. "
        "Nada foi gravado. Dê a ela uma predefinição ou um mapeamento, ou defina traffic.record como true.\n"
    )


def test_events_are_counted_as_those_of_other_wires(peer: Peer) -> None:
    before = counted("ConsultaRamal", "ok")
    send(peer, RING)
    assert counted("ConsultaRamal", "ok") == before + 1


def test_a_source_without_a_mapping_takes_everything_and_makes_nothing_of_it() -> None:
    peer = Peer(CONFIG, recorder=Recorder(lambda _draft, _size: None, lambda _tenant: (), 4096))
    got = peer.post("/t/acme/in/new", data=b"\x00\xff{", content_type="application/json")
    assert got.status_code == 200
    assert got.json == {"calls": [], "problems": ["a fonte ainda não tem mapeamento: a requisição foi guardada"]}


def test_a_body_that_cannot_be_read_is_refused(peer: Peer) -> None:
    got = peer.post("/t/acme/in/cloud", data=b"{broken", content_type="application/json")
    assert got.status_code == 400
    assert got.text == "ERRO 240: o corpo não é JSON (linha 1): '{broken'\n"


def test_a_source_that_is_not_there_is_named_with_the_nearest(peer: Peer) -> None:
    got = send(peer, RING, "/t/acme/in/clowd")
    assert got.status_code == 404
    assert got.text == "ERRO 275: não há fonte de eventos {!r}. Você quis dizer {!r}?\n".format("clowd", "cloud")


def test_a_stranger_is_refused_and_learns_no_name(peer: Peer) -> None:
    for path in ("/t/acme/in/cloud", "/t/acme/in/none"):
        got = send(peer, RING, path, environ={"REMOTE_ADDR": OUTSIDE})
        assert got.status_code == 403
        assert got.text.startswith("ERRO 310")


@pytest.mark.parametrize("way", ["query", "header"])
def test_the_token_for_events_lets_any_address_send(way: str) -> None:
    config = {"tenants": {"acme": {**CONFIG["tenants"]["acme"], "events": {"allow": [], "token": "s3nh4-l0nga"}}}}
    peer = Peer(config)
    given: dict[str, Any] = (
        {"query_string": "token=s3nh4-l0nga"}
        if way == "query"
        else {"headers": {"Authorization": "Bearer s3nh4-l0nga"}}
    )
    assert send(peer, RING, "/in/cloud", environ={"REMOTE_ADDR": OUTSIDE}, **given).status_code == 200
    assert send(peer, RING, "/in/cloud", environ={"REMOTE_ADDR": OUTSIDE}).status_code == 403


def test_nothing_is_acknowledged_that_was_not_stored(peer: Peer) -> None:
    peer.core.fail_with = StoreUnavailable()
    got = send(peer, RING)
    assert got.status_code == 503
    assert int(got.headers["Retry-After"]) > 0


def test_a_list_of_events_is_handled_in_its_order() -> None:
    mapping = {**MAPPING, "for_each": "events"}
    peer = Peer({"tenants": {"acme": {"sources": {"cloud": {"kind": "webhook", "mapping": mapping}}}}})
    got = send(peer, {"events": [RING, {"type": "up", "id": 7, "ext": "201"}, {"type": "?"}]}, "/in/cloud")
    assert [type(message) for message in peer.core.messages] == [CallStarted, CallAnswered]
    assert got.json["calls"] == [1, 2]
    assert len(got.json["problems"]) == 1


LIFE = {
    "event": "type",
    "kinds": {kind: kind for kind in KINDS},
    "values": {
        "id": "id", "number": "from", "rang": "rang", "extension": "ext", "to": "to", "attended": "att", "queue": "q",
        "waited": "w", "abandoned": "ab", "answered_at": "ans", "cause": "cause", "recording": "rec", "cost": "cost",
        "transcript": "text", "agent": "who", "state": "state", "reason": "why",
        "joined_to": "into",
    },
    "fields": {"cpf": "cpf"},
}  # fmt: skip


def test_every_event_of_a_call_s_life_is_told() -> None:
    peer = Peer({"tenants": {"acme": {"sources": {"cloud": {"kind": "webhook", "mapping": LIFE}}}}})
    for body in (
        {"type": "queue_entered", "id": 7, "q": "Vendas", "from": "4733334444"},
        {"type": "queue_left", "id": 7, "q": "Vendas", "w": 12, "ab": "true"},
        {"type": "started", "id": 7, "rang": ["201", "202", "203"], "from": "4733334444", "cpf": "1"},
        {"type": "held", "id": 7, "ext": "201"},
        {"type": "resumed", "id": 7, "ext": "201"},
        {"type": "transferred", "id": 7, "to": "203", "att": True},
        {"type": "ended", "id": 7, "ans": 1772715802, "cause": "16"},
        {"type": "noted", "id": 7, "rec": "https://x/1.wav", "cost": 0.32, "text": "Alô"},
        {"type": "agent_state", "who": "ana", "state": "pause", "why": "Almoço"},
    ):
        assert send(peer, body, "/in/cloud").json["calls"] or body["type"] == "agent_state"
    entered, left, started, held, resumed, transferred, ended, noted, agent = peer.core.messages
    assert isinstance(entered, QueueEntered)
    assert (entered.queue, entered.ramal, entered.telefone) == ("Vendas", "", "4733334444")
    assert isinstance(left, QueueLeft)
    assert (left.waited_s, left.abandoned) == (12, True)
    assert isinstance(started, CallStarted)
    assert (started.ramal, started.also_rings, started.fields) == ("201", ("202", "203"), {"cpf": "1"})
    assert isinstance(held, CallHeld)
    assert isinstance(resumed, CallResumed)
    assert isinstance(transferred, CallTransferred)
    assert transferred.attended is True
    assert isinstance(ended, CallEnded)
    assert (ended.answered_at, ended.cause) == (1772715802000, "16")
    assert isinstance(noted, CallNoted)
    assert (noted.recording_url, noted.cost, noted.transcript) == ("https://x/1.wav", "0.32", "Alô")
    assert isinstance(agent, AgentStateChanged)
    assert (agent.agent, agent.state, agent.reason) == ("ana", AgentState.PAUSE, "Almoço")


@pytest.mark.parametrize(("told", "goes_on", "joined_to"), [({}, None, None), ({"into": 7}, False, "7")])
def test_the_end_of_a_consultation_says_which_call_it_was_for(
    told: dict[str, int], goes_on: bool | None, joined_to: str | None
) -> None:
    peer = Peer({"tenants": {"acme": {"sources": {"cloud": {"kind": "webhook", "mapping": LIFE}}}}})
    send(peer, {"type": "ended", "id": 8, "ext": "202", **told}, "/in/cloud")
    (ended,) = peer.core.messages
    assert isinstance(ended, CallEnded)
    assert (ended.goes_on, ended.joined_to) == (goes_on, joined_to)


def test_the_ids_of_a_source_s_calls_are_told_in_its_exchange_s_name() -> None:
    sources = {name: {"kind": "webhook", "mapping": MAPPING} for name in ("cloud", "queue")}
    sources["queue"]["same_exchange_as"] = "cloud"
    peer = Peer({"tenants": {"acme": {"sources": sources}}})
    for name in sources:
        send(peer, RING, path=f"/t/acme/in/{name}")
    assert [message.origin.mark.source for message in peer.core.messages] == ["cloud", "cloud"]  # type: ignore[union-attr]
