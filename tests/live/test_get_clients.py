"""curl against the listeners of a real gateway, as exchanges run it from their dial plans."""

import subprocess

import pytest

from tests.live.calls import fresh_number, the_call
from tests.live.conftest import LiveGateway
from tests.peers import need

START = "/wconnect/WConnect_WSDL_ConsultaRamal.php"
END = "/wconnect/WConnect_WSDL_FinalizaLigacao.php"


def curl(gateway: LiveGateway, path: str, *options: str) -> str:
    """What curl prints: the body and, on a last line, the status."""
    command = [need("curl", package="curl"), "-sS", "-w", "%{http_code}", *options, gateway.url + path]
    return subprocess.run(command, capture_output=True, text=True, timeout=30, check=True).stdout


@pytest.mark.parametrize("options", [(), ("--http1.0",), ("--http1.0", "-H", "Host:"), ("-A", "")])
def test_a_get_is_logged_and_answered_with_the_calls_id(gateway: LiveGateway, options: tuple[str, ...]) -> None:
    number = fresh_number()
    printed = curl(gateway, f"{START}?ramal=3501&telefone={number}", *options)
    call = the_call(gateway, number)
    assert printed == f"OK {call['id']}\n200"
    assert (call["tenant"], call["extension"], call["direction"]) == ("default", "3501", "incoming")
    assert call["ended_at"] is None


@pytest.mark.parametrize("how", ["--data-urlencode", "--form"])
def test_a_posted_form_starts_and_ends_one_call(gateway: LiveGateway, how: str) -> None:
    number = fresh_number()
    fields = [how, "ramal=3502", how, f"telefone={number}"]
    curl(gateway, START, *fields)
    printed = curl(gateway, END, *fields, how, "url_audio=http://pbx/rec?id=10&fmt=wav", how, "duracao=75")
    call = the_call(gateway, number)
    assert printed == f"OK {call['id']}\n200"
    assert call["recording_url"] == "http://pbx/rec?id=10&fmt=wav"
    assert call["ended_at"] is not None


def test_a_recordings_address_that_was_not_encoded_survives(gateway: LiveGateway) -> None:
    number = fresh_number()
    curl(gateway, f"{END}?ramal=3501&telefone={number}&url_audio=http://pbx/rec?id=10&fmt=wav")
    assert the_call(gateway, number)["recording_url"] == "http://pbx/rec?id=10&fmt=wav"


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("http://pbx/José+1.wav", "http://pbx/José+1.wav"),
        ("http://pbx/José%201.wav", "http://pbx/José%201.wav"),
        ("http://pbx/Jos%E9+1.wav", "http://pbx/José+1.wav"),
        ("http%3A%2F%2Fpbx%2F%4Aosé+1.wav", "http://pbx/José 1.wav"),
        ("http%3A%2F%2Fpbx%2FJos%E9%201.wav", "http://pbx/José 1.wav"),
    ],
)
def test_raw_utf_8_and_escaped_latin_1_in_the_query_are_read_rightly(
    gateway: LiveGateway, written: str, kept: str
) -> None:
    number = fresh_number()
    curl(gateway, f"{END}?ramal=3501&telefone={number}&url_audio={written}")
    assert the_call(gateway, number)["recording_url"] == kept


def test_a_chunked_form_is_read(gateway: LiveGateway) -> None:
    number = fresh_number()
    curl(gateway, START, "-H", "Transfer-Encoding: chunked", "-d", f"ramal=3501&telefone={number}")
    assert the_call(gateway, number)["extension"] == "3501"


def test_a_missing_parameter_is_told_by_status_and_name(gateway: LiveGateway) -> None:
    printed = curl(gateway, f"{START}?ramal=3501")
    assert printed.endswith("\n400")
    assert "telefone" in printed


def test_other_methods_get_405(gateway: LiveGateway) -> None:
    assert curl(gateway, START, "-X", "DELETE").endswith("405")


def test_the_tenant_may_stand_in_the_path(gateway: LiveGateway) -> None:
    number = fresh_number()
    assert curl(gateway, f"/t/default{START}?ramal=3501&telefone={number}").endswith("200")
    assert the_call(gateway, number)["tenant"] == "default"
    assert curl(gateway, f"/t/nobody{START}?ramal=3501&telefone={number}").endswith("404")
