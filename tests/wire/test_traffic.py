"""What the entrance writes into the wire log, and how an event of it is served again."""

import gzip
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import pytest

from gateway.domain.messages import CallEnded, CallStarted
from gateway.errors import NotReplayable
from gateway.store.traffic import OUT, Draft, Remark, RemarkCode, TrafficEntry
from gateway.traffic.masking import spellings
from gateway.wire.lenient.port import LenientPort, PortLimits
from gateway.wire.traffic import Recorder
from tests.wire.envelopes import envelope, wrap
from tests.wire.peers import OUTSIDE, Peer

CUT = Remark(RemarkCode.BODY_CUT, {"size": 9, "kept": 4})
START = "/wconnect/WConnect_WSDL_ConsultaRamal.php"
QUERY = "ramal=3501&telefone=4732100123"
TOKEN = "s3gr3d0-longo"
ACME = {"tenants": {"acme": {"events": {"token": TOKEN}}}}


@dataclass
class Kept:
    """The wire log as a list."""

    drafts: list[Draft] = field(default_factory=list)
    peer: Peer = field(init=False)

    def __post_init__(self) -> None:
        recorder = Recorder(self.add, lambda _tenant: spellings([TOKEN]), 4096)
        self.peer = Peer(ACME, recorder=recorder)

    def add(self, draft: Draft, _size: int) -> None:
        self.drafts.append(draft)

    def last(self) -> TrafficEntry:
        return replace(self.drafts[-1](), id=77)


@pytest.fixture
def kept() -> Kept:
    return Kept()


def test_a_get_is_kept_as_it_came_with_what_was_answered(kept: Kept) -> None:
    kept.peer.get(START, query_string=QUERY, headers={"User-Agent": "Asterisk/1.8"})
    found = kept.last()
    assert found.request.startswith(f"GET {START}?{QUERY} HTTP/1.1\r\n".encode())
    assert b"User-Agent: Asterisk/1.8\r\n" in found.request
    assert found.answer.endswith(b"\r\n\r\nOK 1\n")
    assert (found.way, found.tenant, found.peer, found.wire) == ("in", "acme", "10.0.0.7", "get")
    assert (found.operation, found.call_id, found.status, found.note) == ("ConsultaRamal", 1, "200 OK", "")


def test_soap_and_xml_rpc_are_kept_with_their_bodies(kept: Kept) -> None:
    body = envelope("ConsultaRamal", {"ramal": "3501", "telefone": "4732100123"})
    kept.peer.post("/soap", data=body, content_type="text/xml")
    assert kept.last().request.endswith(body)
    assert (kept.last().wire, kept.last().call_id) == ("soap", 1)
    call = b"<methodCall><methodName>Teste</methodName></methodCall>"
    kept.peer.post("/xmlrpc", data=call, content_type="text/xml")
    assert kept.last().request.endswith(call)
    assert (kept.last().wire, kept.last().operation, kept.last().call_id) == ("xmlrpc", "Teste", None)


def test_a_form_and_its_multipart_are_kept(kept: Kept) -> None:
    kept.peer.post(START, data={"ramal": "3501", "telefone": "47"})
    assert kept.last().request.endswith(b"ramal=3501&telefone=47")
    kept.peer.post(START, data={"ramal": "3501", "telefone": "48"}, content_type="multipart/form-data")
    assert b'name="telefone"\r\n\r\n48' in kept.last().request


def test_what_was_refused_is_kept_with_the_refusal(kept: Kept) -> None:
    kept.peer.get(START, query_string="ramal=3501")
    assert kept.last().status == "400 Bad Request"
    assert b"ERRO 210" in kept.last().answer
    kept.peer.get("/t/nobody" + START, query_string=QUERY)
    assert (kept.last().tenant, kept.last().status) == ("", "404 Not Found")
    kept.peer.post("/soap", data=b"no xml")
    assert (kept.last().status, kept.last().operation) == ("500 Internal Server Error", "")


def test_pages_for_people_are_not_kept(kept: Kept) -> None:
    kept.peer.get("/ligacoes")
    kept.peer.get("/healthz")
    assert kept.drafts == []


def test_passwords_and_tokens_are_never_kept(kept: Kept) -> None:
    kept.peer.get(START, query_string=f"{QUERY}&token={TOKEN}", address=OUTSIDE)
    kept.peer.get(f"{START}?{QUERY}", headers={"token_auth": TOKEN, "X-Chamada": TOKEN}, address=OUTSIDE)
    kept.peer.get("/click-to-call?origem=3501&destino=47", auth=("ana", TOKEN))
    body = envelope("Teste", {"UsuarioLogin": "ana", "UsuarioSenha": "outra-senha"})
    kept.peer.post("/soap", data=body, content_type="text/xml")
    for draft in kept.drafts:
        found = draft()
        assert TOKEN.encode() not in found.request + found.answer
        assert b"outra-senha" not in found.request
    assert len(kept.drafts) == 4


def test_of_a_long_body_the_beginning_is_kept_and_the_note_says_so(kept: Kept) -> None:
    kept.peer.post(START, data=f"{QUERY}&x={'y' * 6000}", content_type="application/x-www-form-urlencoded")
    found = kept.last()
    assert len(found.request) < 4096 + 500
    assert found.note == "cortado: corpo de 6033 bytes, guardados 4096"
    assert found.status == "200 OK", "what is served is never cut"


def test_an_event_is_served_again_from_the_log_and_marked(kept: Kept) -> None:
    kept.peer.get(f"{START}?{QUERY}&token={TOKEN}", address=OUTSIDE)
    answer = kept.peer.front.replay(kept.last(), "ana")
    assert answer.status == "200 OK"
    first, second = kept.peer.core.messages
    assert isinstance(second, CallStarted)
    assert isinstance(first, CallStarted)
    assert (first.origin.replay_of, second.origin.replay_of) == (None, 77)
    assert second.origin.client == OUTSIDE
    assert (second.ramal, second.telefone) == ("3501", "4732100123")
    assert kept.last().note == "reenvio de 77 por ana"


@pytest.mark.parametrize("zipped", [False, True])
def test_a_soap_end_is_served_again(kept: Kept, zipped: bool) -> None:
    body = envelope("FinalizaLigacao", {"ramal": "3501", "telefone": "47", "url_audio": "http://pbx/a.wav?b=1&c=2"})
    headers = {"Content-Encoding": "gzip"} if zipped else {}
    kept.peer.post("/soap", data=gzip.compress(body) if zipped else body, content_type="text/xml", headers=headers)
    kept.peer.front.replay(kept.last(), "ana")
    first, second = kept.peer.core.messages
    assert isinstance(second, CallEnded)
    assert second.recording_url == "http://pbx/a.wav?b=1&c=2"
    assert second == replace(first, origin=second.origin)  # type: ignore[type-var]


PASSWORD = "segr\u00e9do-da-ana"
BY_POSITION = "".join(f"<arg{n}>{value}</arg{n}>" for n, value in enumerate(("3501", "47", "", "ana", PASSWORD)))
MAP = "".join(
    f"<item><key>{key}</key><value>{value}</value></item>"
    for key, value in {"ramal": "3501", "telefone": "47", "UsuarioLogin": "ana", "UsuarioSenha": PASSWORD}.items()
)


@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize("charset", ["utf-8", "latin-1"])
@pytest.mark.parametrize("inside", [BY_POSITION, f"<param0>{MAP}</param0>"], ids=["by position", "a map"])
def test_a_login_s_password_is_masked_however_it_came(kept: Kept, inside: str, charset: str, zipped: bool) -> None:
    body = wrap(f"<ClickToCall>{inside}</ClickToCall>").encode(charset)
    headers = {"Content-Encoding": "gzip"} if zipped else {}
    kept.peer.post("/soap", data=gzip.compress(body) if zipped else body, content_type="text/xml", headers=headers)
    request = kept.last().request
    assert PASSWORD.encode(charset) not in request
    assert b"****" in request
    assert b"Content-Encoding" not in request


def test_a_packed_body_is_kept_unpacked_and_no_longer_than_others(kept: Kept) -> None:
    packed = gzip.compress(envelope("ConsultaRamal", {"ramal": "3501", "telefone": "47"}) + b" " * 100_000)
    kept.peer.post("/soap", data=packed, content_type="text/xml", headers={"Content-Encoding": "gzip"})
    found = kept.last()
    head, _, body = found.request.partition(b"\r\n\r\n")
    assert b"<ramal>3501</ramal>" in body
    assert len(body) == 4096
    assert b"content-encoding" not in head.lower()
    assert found.note == "corpo descompactado; cortado: guardados 4096 bytes dele"
    assert found.remarks == (Remark(RemarkCode.UNPACKED, {}), Remark(RemarkCode.UNPACKED_CUT, {"kept": 4096}))
    with pytest.raises(NotReplayable):
        kept.peer.front.replay(found, "ana")


def test_a_body_that_is_not_packed_as_it_says_is_kept_as_it_came(kept: Kept) -> None:
    kept.peer.post("/soap", data=b"<x/>", headers={"Content-Encoding": "gzip"})
    assert b"Content-Encoding: gzip\r\n" in kept.last().request
    assert kept.last().request.endswith(b"\r\n\r\n<x/>")


def test_a_company_named_in_the_path_is_kept_when_it_is_served_again(kept: Kept) -> None:
    kept.peer.get(f"/t/acme{START}?{QUERY}")
    kept.peer.front.replay(kept.last(), "ana")
    assert [message.tenant for message in kept.peer.core.messages] == ["acme", "acme"]


def test_a_click_to_call_is_never_served_again_it_would_ring(kept: Kept) -> None:
    kept.peer.get("/click-to-call?origem=3501&destino=4732100123", auth=("ana", "segrédo"))
    with pytest.raises(NotReplayable, match="77"):
        kept.peer.front.replay(kept.last(), "ana")
    assert len(kept.peer.core.messages) == 1


def test_what_was_cut_or_went_out_is_not_served_again(kept: Kept) -> None:
    kept.peer.get(f"{START}?{QUERY}")
    whole = kept.last()
    for changed in (replace(whole, remarks=(CUT,)), replace(whole, way=OUT), replace(whole, request=b"GET")):
        with pytest.raises(NotReplayable):
            kept.peer.front.replay(changed, "ana")


def test_no_client_can_pass_for_a_replay(kept: Kept) -> None:
    got = kept.peer.get(f"{START}?{QUERY}", headers={"cti.replay_of": "1", "Cti-Replay-Of": "1"}, address=OUTSIDE)
    assert got.status_code == 403
    assert kept.peer.core.messages == []


@pytest.fixture
def lenient(kept: Kept) -> Iterator[LenientPort]:
    port = LenientPort(kept.peer.front, "127.0.0.1", 0, PortLimits(max_body_bytes=1000))
    port.start()
    yield port
    port.close()


def test_behind_the_lenient_port_the_very_bytes_and_the_repairs_are_kept(kept: Kept, lenient: LenientPort) -> None:
    raw = f"get {START}?ramal=3501&telefone=(47) 3210-0123\r\nHost: x\r\nX:  a\n\tb\r\n\r\n".encode()
    with socket.create_connection(("127.0.0.1", lenient.port), 5) as client:
        client.sendall(raw)
        assert b"OK 1" in client.recv(1000)
    found = kept.last()
    assert found.request == raw
    assert found.note.startswith("consertado: ")
    assert "space" in found.note
    kept.peer.front.replay(found, "ana")
    first, second = kept.peer.core.messages
    assert (first.telefone, second.telefone) == ("(47) 3210-0123", "(47) 3210-0123")  # type: ignore[union-attr]
