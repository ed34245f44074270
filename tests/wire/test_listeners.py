"""The WConnect listeners take what real exchanges send."""

import io
import time

import pytest
from structlog.testing import capture_logs

from gateway.domain.messages import CallEnded, CallStarted
from tests.wire.peers import OFFICE, OUTSIDE, Peer

START = "/wconnect/WConnect_WSDL_ConsultaRamal.php"
END = "/wconnect/WConnect_WSDL_FinalizaLigacao.php"


@pytest.fixture
def peer() -> Peer:
    return Peer()


def the_start(peer: Peer) -> CallStarted:
    (message,) = peer.core.messages
    assert isinstance(message, CallStarted)
    return message


def the_end(peer: Peer) -> CallEnded:
    (message,) = peer.core.messages
    assert isinstance(message, CallEnded)
    return message


def test_an_accepted_event_is_answered_with_ok_and_our_call_id(peer: Peer) -> None:
    got = peer.get(START, query_string="ramal=3501&telefone=4732100123")
    assert (got.status, got.text) == ("200 OK", "OK 1\n")
    assert got.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert got.headers["Content-Length"] == "5"


def test_a_refused_event_is_answered_with_one_line_that_names_the_parameter(peer: Peer) -> None:
    got = peer.get(START, query_string="ramal=3501")
    assert got.status_code == 400
    assert got.text == ("ERRO 210: parâmetro obrigatório ausente ou vazio: telefone. Informe telefone=4732100123.\n")


@pytest.mark.parametrize(
    ("query", "ramal", "telefone"),
    [
        ("RAMAL=3501&Telefone=4732100123", "3501", "4732100123"),
        ("ramal=3501&amp;telefone=4732100123", "3501", "4732100123"),
        ("ramal=3501&amp%3Btelefone=4732100123", "3501", "4732100123"),
        ("ramal=3501&telefone=+554732100123", "3501", "554732100123"),
        ("ramal=3501&telefone=%2B554732100123", "3501", "+554732100123"),
        ("ramal=&ramal=3501&telefone=4732100123&telefone=1", "3501", "4732100123"),
        ("ramal=3501&telefone=4732100123&ramal=", "3501", "4732100123"),
        ("x=1&&ramal=3501&y&telefone=4732100123&", "3501", "4732100123"),
        ("ramal=recep%E7%E3o&telefone=4732100123", "recepção", "4732100123"),
        ("ramal=recep%C3%A7%C3%A3o&telefone=4732100123", "recepção", "4732100123"),
        ("ramal=(47)+3210-0123&telefone=3501", "(47) 3210-0123", "3501"),
    ],
)
def test_a_query_is_understood_the_way_exchanges_write_it(peer: Peer, query: str, ramal: str, telefone: str) -> None:
    assert peer.get(START, query_string=query).status_code == 200
    message = the_start(peer)
    assert (message.ramal, message.telefone) == (ramal, telefone)


@pytest.mark.parametrize(
    "raw",
    [
        "José".encode().decode("latin-1"),  # raw UTF-8, as WSGI hands it over
        "José".encode().decode("latin-1").encode().decode("latin-1"),  # the same behind Granian
        "José".encode("latin-1").decode("latin-1"),  # raw Latin-1
    ],
)
def test_raw_accents_in_a_query_are_read_in_whatever_charset(peer: Peer, raw: str) -> None:
    peer.get(START, environ={"QUERY_STRING": f"ramal={raw}&telefone=4732100123"})
    assert the_start(peer).ramal == "José"


@pytest.mark.parametrize(
    ("query", "url"),
    [
        ("url_audio=http://pbx/rec?id=10&fmt=wav", "http://pbx/rec?id=10&fmt=wav"),
        ("url_audio=http://pbx/rec?id=10&amp;fmt=wav", "http://pbx/rec?id=10&fmt=wav"),
        ("url_audio=http%3A%2F%2Fpbx%2Frec%3Fid%3D10%26fmt%3Dwav&x=1", "http://pbx/rec?id=10&fmt=wav"),
        ("url_audio=http://pbx/10.wav&uniqueid=17.1", "http://pbx/10.wav"),
        ("url_audio=http://pbx/rec?id=10&fmt=wav&resultado=ok", "http://pbx/rec?id=10&fmt=wav"),
        ("url_audio=http://pbx/rec?id=10&token=abc&b=", "http://pbx/rec?id=10&token=abc&b="),
        ("url_audio=http://pbx/grava%E7%E3o.wav", "http://pbx/gravação.wav"),
        ("url_audio=http://pbx/in-4733-+5547999998888-x.wav", "http://pbx/in-4733-+5547999998888-x.wav"),
        ("url_audio=http://pbx/a%40b%20c%2Bd.wav?x=1+2", "http://pbx/a%40b%20c%2Bd.wav?x=1+2"),
        ("url_audio=http://pbx/rec?n=+55&m=%26", "http://pbx/rec?n=+55&m=%26"),
        ("url_audio=http%3A%2F%2Fpbx%2Fin-%2B55+a%2540.wav", "http://pbx/in-+55 a%40.wav"),
        ("url_audio=%2Fin-%2B55+a.wav", "/in-+55 a.wav"),
        ("url_audio=http://pbx/rec?id%3D10%26n%3D+55", "http://pbx/rec?id=10&n=+55"),
        ("url_audio=http://pbx/rec?n=a%3Db", "http://pbx/rec?n=a%3Db"),
        ("url_audio=", None),
        ("x=1", None),
    ],
)
def test_the_address_of_a_recording_survives_missing_encoding(peer: Peer, query: str, url: str | None) -> None:
    peer.get(END, query_string=f"ramal=3501&telefone=4732100123&{query}")
    assert the_end(peer).recording_url == url


def test_a_recording_s_address_that_was_not_encoded_stays_as_it_is_in_a_form_too(peer: Peer) -> None:
    body = b"ramal=3501&telefone=47&url_audio=http://pbx/in-+55%40x.wav"
    peer.post(END, input_stream=io.BytesIO(body), content_length=len(body))
    assert the_end(peer).recording_url == "http://pbx/in-+55%40x.wav"


def test_a_recordings_address_may_stand_before_other_parameters(peer: Peer) -> None:
    peer.get(END, query_string="url_audio=http://pbx/rec?id=10&fmt=wav&ramal=3501&telefone=4732100123")
    message = the_end(peer)
    assert (message.recording_url, message.ramal) == ("http://pbx/rec?id=10&fmt=wav", "3501")


def test_where_the_tenant_has_a_token_it_ends_the_address_of_a_recording() -> None:
    peer = Peer({"tenants": {"default": {"events": {"token": "abc"}}}}, address=OUTSIDE)
    query = "ramal=3501&telefone=4732100123&url_audio=http://pbx/rec?id=10&fmt=wav&token=abc"
    assert peer.get(END, query_string=query).status_code == 200
    assert the_end(peer).recording_url == "http://pbx/rec?id=10&fmt=wav"


@pytest.mark.parametrize(
    ("query", "repeated"),
    [
        ("ramal=3501&telefone=47&ramal=3502", ["ramal"]),
        ("ramal=3501&telefone=47&ramal=3502&ramal=3503&telefone=48", ["ramal", "telefone"]),
        ("ramal=3501&RAMAL=3501&telefone=47&telefone=", None),
    ],
)
def test_a_parameter_with_two_values_is_named_in_the_log(peer: Peer, query: str, repeated: list[str] | None) -> None:
    with capture_logs() as logs:
        peer.get(START, query_string=query)
    told = [entry for entry in logs if entry["event"] == "parameter_given_twice"]
    facts = {"log_level": "warning", "tenant": "default", "client": OFFICE, "event": "parameter_given_twice"}
    assert told == ([facts | {"parameters": repeated}] if repeated else [])
    assert the_start(peer).ramal == "3501"


def test_a_body_that_contradicts_the_address_is_named_in_the_log(peer: Peer) -> None:
    with capture_logs() as logs:
        peer.post(START, query_string="ramal=1&telefone=47", data={"ramal": "3501", "telefone": "47"})
    assert [entry["parameters"] for entry in logs if entry["event"] == "parameter_given_twice"] == [["ramal"]]


def test_a_posted_form_counts_before_the_address(peer: Peer) -> None:
    peer.post(START, query_string="ramal=1&telefone=4732100123", data={"ramal": "3501"})
    message = the_start(peer)
    assert (message.ramal, message.telefone) == ("3501", "4732100123")


def test_a_form_without_content_type_and_in_latin_1_is_read(peer: Peer) -> None:
    peer.post(START, input_stream=io.BytesIO(b"ramal=Jos%E9&telefone=4732100123\r\n"), content_length=34)
    assert the_start(peer).ramal == "José"


def test_a_multipart_form_is_read(peer: Peer) -> None:
    fields = {"Ramal": "3501", "telefone": "4732100123"}
    got = peer.post(START, data=fields, content_type="multipart/form-data")
    assert got.status_code == 200
    assert the_start(peer).ramal == "3501"


def test_a_form_beyond_the_limit_is_refused() -> None:
    peer = Peer({"server": {"max_body_bytes": 1024}})
    for kind in ("application/x-www-form-urlencoded", "multipart/form-data"):
        assert peer.post(START, data={"ramal": "3" * 2000}, content_type=kind).status_code == 413


def test_a_broken_multipart_form_is_refused(peer: Peer) -> None:
    got = peer.post(START, data=b"ramal=1", content_type="multipart/form-data")
    assert got.status_code == 400


def test_a_body_in_another_format_is_refused(peer: Peer) -> None:
    got = peer.post(START, data=b"<ramal>3501</ramal>", content_type="application/xml")
    assert got.status_code == 415
    assert "application/x-www-form-urlencoded, multipart/form-data, application/json" in got.text


@pytest.mark.parametrize("method", ["HEAD", "PUT", "DELETE", "OPTIONS"])
def test_other_methods_are_told_which_are_served(peer: Peer, method: str) -> None:
    got = peer.send(method, START, query_string="ramal=3501&telefone=4732100123")
    assert (got.status_code, got.headers["Allow"]) == (405, "GET, POST")
    assert not peer.core.messages


def test_a_method_in_small_letters_is_served(peer: Peer) -> None:
    got = peer.get(START, environ={"REQUEST_METHOD": "get", "QUERY_STRING": "ramal=3501&telefone=4732100123"})
    assert got.status_code == 200


def test_a_request_of_http_1_0_without_host_is_served(peer: Peer) -> None:
    environ = {"SERVER_PROTOCOL": "HTTP/1.0", "HTTP_HOST": ""}
    assert peer.get(START, query_string="ramal=3501&telefone=4732100123", environ=environ).status_code == 200


def test_control_characters_are_refused(peer: Peer) -> None:
    got = peer.get(START, query_string="ramal=3501&telefone=47%00321%0d%0aX:%20y")
    assert got.status_code == 400
    assert got.text.count("\n") == 1


def test_a_form_that_was_cut_short_is_not_taken_for_a_shorter_number(peer: Peer) -> None:
    stream = io.BytesIO(b"ramal=3501&telefone=4732")
    got = peer.post(START, environ={"wsgi.input": stream, "CONTENT_LENGTH": "32"})
    assert got.status_code == 400
    assert not peer.core.messages


def test_a_form_of_very_many_parameters_costs_no_time(peer: Peer) -> None:
    began = time.monotonic()
    body = "ramal=3501&telefone=47&url_audio=http://pbx/?a" + "&b" * 500_000
    peer.post(END, data=body, content_type="application/x-www-form-urlencoded")
    assert time.monotonic() - began < 2


PART = "--x\r\nContent-Disposition: form-data{0}\r\n\r\n{1}\r\n"
NAMELESS = (
    PART.format("", "1") + PART.format('; name="ramal"', "3501") + PART.format('; name="telefone"', "47") + "--x--\r\n"
)


def test_a_part_of_a_form_without_a_name_is_left_out(peer: Peer) -> None:
    got = peer.post(START, data=NAMELESS.encode(), content_type="multipart/form-data; boundary=x")
    assert got.text == "OK 1\n"


def test_a_form_that_ends_before_its_length_is_the_clients_fault(peer: Peer) -> None:
    environ = {"CONTENT_LENGTH": "500"}
    got = peer.post(START, data=b"--x", content_type="multipart/form-data; boundary=x", environ=environ)
    assert (got.status_code, got.text) == (400, "ERRO 240: o formulário multipart não pôde ser lido.\n")
