"""Parameters become messages; what is odd and optional is left out, what is odd and required is refused."""

from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest
from structlog.testing import capture_logs

from gateway.domain.messages import CallEnded, CallStarted, Direction, Origin, PlaceCall
from gateway.errors import BadParameter, MissingParameter
from gateway.wire.operations import (
    CLICK_TO_CALL,
    CONSULTA_RAMAL,
    FINALIZA_LIGACAO,
    OPERATIONS,
    TESTE,
    find,
)
from gateway.wire.parameters import Sender
from gateway.wire.values import read_direction, read_duration, read_moment

SENDER = Sender("acme", ZoneInfo("America/Sao_Paulo"), Origin("get", "10.0.0.7"), 1000)
BOTH = {"ramal": "3501", "telefone": "4732100123"}


def test_the_shortest_event_has_two_parameters() -> None:
    assert CONSULTA_RAMAL.build(BOTH, SENDER) == CallStarted("acme", "3501", "4732100123", SENDER.origin, 1000)
    assert FINALIZA_LIGACAO.build(BOTH, SENDER) == CallEnded("acme", "3501", "4732100123", SENDER.origin, 1000)


def test_a_click_to_call_knows_who_asked_for_it() -> None:
    message = CLICK_TO_CALL.build(BOTH, replace(SENDER, login="ana"))
    assert message == PlaceCall("acme", "3501", "4732100123", SENDER.origin, 1000, requested_by="ana")


def test_the_connection_test_has_no_message() -> None:
    assert TESTE.build({}, SENDER) is None


def test_values_are_trimmed() -> None:
    message = CONSULTA_RAMAL.build({"ramal": " 3501\n", "telefone": " 554732100123 "}, SENDER)
    assert isinstance(message, CallStarted)
    assert (message.ramal, message.telefone) == ("3501", "554732100123")


def test_a_missing_parameter_comes_with_an_example() -> None:
    with pytest.raises(MissingParameter) as raised:
        CONSULTA_RAMAL.build({"ramal": "3501"}, SENDER)
    assert str(raised.value) == ("parâmetro obrigatório ausente ou vazio: telefone. Informe telefone=4732100123.")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ramal", "3" * 256),
        ("telefone", "47\x003210"),
        ("telefone", "47\r\nX"),
        ("url_audio", "http://pbx/" + "a" * 2000),
        ("url_audio", "http://pbx/\x07"),
    ],
)
def test_required_values_and_the_recording_must_be_clean_and_of_sane_length(name: str, value: str) -> None:
    with pytest.raises(BadParameter) as raised:
        FINALIZA_LIGACAO.build(BOTH | {name: value}, SENDER)
    assert raised.value.name == name


def test_a_recording_address_may_have_2000_characters() -> None:
    url = "http://pbx/" + "a" * 1989
    message = FINALIZA_LIGACAO.build(BOTH | {"url_audio": url}, SENDER)
    assert isinstance(message, CallEnded)
    assert message.recording_url == url


@pytest.mark.parametrize("name", ["id_ligacao", "data_hora", "direcao", "duracao"])
def test_an_extra_that_cannot_be_read_is_left_out_and_logged_by_name_only(name: str) -> None:
    with capture_logs() as logs:
        message = FINALIZA_LIGACAO.build(BOTH | {name: "segredo\x00" * 99}, SENDER)
    assert message == FINALIZA_LIGACAO.build(BOTH, SENDER)
    assert logs == [{"event": "extra_ignored", "parameter": name, "log_level": "warning"}]


@pytest.mark.parametrize(
    ("said", "kept"),
    [("NO ANSWER\r\n", "NO ANSWER"), ("não\x00atendida", "não atendida"), ("ocupado " * 99, ("ocupado " * 99)[:255])],
)
def test_how_a_call_ended_is_kept_however_long_or_odd_its_words_are(said: str, kept: str) -> None:
    message = FINALIZA_LIGACAO.build(BOTH | {"resultado": said}, SENDER)
    assert isinstance(message, CallEnded)
    assert message.result == kept


@pytest.mark.parametrize(
    "value",
    [
        "${CALLERID}",
        "${CALLERID(num)}",
        "[Number]",
        "{numero}",
        "{{ number }}",
        "%CALLERID%",
        "%n",
        "$EXTEN",
        "@src@",
        "TELEFONE",
    ],
)
def test_a_placeholder_that_the_exchange_did_not_fill_is_taken_but_warned_of(value: str) -> None:
    with capture_logs() as logs:
        message = CONSULTA_RAMAL.build(BOTH | {"telefone": value}, SENDER)
    assert isinstance(message, CallStarted)
    assert message.telefone == value
    (entry,) = logs
    assert entry["event"] == "placeholder_not_filled"
    assert (entry["parameter"], entry["value"], entry["tenant"]) == ("telefone", value, "acme")


@pytest.mark.parametrize("name", ["id_ligacao", "data_hora", "direcao", "duracao", "resultado", "url_audio"])
def test_an_extra_that_was_not_filled_says_nothing_and_pairs_no_calls(name: str) -> None:
    with capture_logs() as logs:
        message = FINALIZA_LIGACAO.build(BOTH | {name: "${UNIQUEID}"}, SENDER)
    assert message == FINALIZA_LIGACAO.build(BOTH, SENDER)
    assert [(entry["event"], entry["parameter"]) for entry in logs] == [("placeholder_not_filled", name)]


@pytest.mark.parametrize("value", ["*21#", "#21#", "<unknown>", "anonymous", "+5547", "3501", "sip:3501@pbx", "R$ 10"])
def test_what_an_exchange_sends_on_purpose_is_no_placeholder(value: str) -> None:
    with capture_logs() as logs:
        CONSULTA_RAMAL.build(BOTH | {"telefone": value}, SENDER)
    assert logs == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-03-04 07:15:00", 1_772_619_300_000),  # no zone: the tenant's
        ("2026-03-04T07:15:00", 1_772_619_300_000),
        ("2026-03-04T07:15", 1_772_619_300_000),
        ("2026-03-04T10:15:00Z", 1_772_619_300_000),
        ("2026-03-04T12:15:00+02:00", 1_772_619_300_000),
        ("2026-03-04 07:15:00.250", 1_772_619_300_250),
        ("20260304T10:15:00Z", 1_772_619_300_000),  # XML-RPC's dateTime.iso8601
        ("1772619300", 1_772_619_300_000),
        ("1772619300.25", 1_772_619_300_250),
        ("1772619300250", 1_772_619_300_250),
    ],
)
def test_a_moment_is_read_from_iso_text_and_from_seconds(text: str, expected: int) -> None:
    assert read_moment(text, SENDER.zone) == expected


@pytest.mark.parametrize("text", ["ontem", "2026-03-04", "20260304", "0000-00-00 00:00:00", "07:15", "12"])
def test_what_names_no_moment_is_not_guessed(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        read_moment(text, SENDER.zone)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("entrada", Direction.INCOMING),
        ("IN", Direction.INCOMING),
        ("incoming", Direction.INCOMING),
        ("saida", Direction.OUTGOING),
        ("Saída", Direction.OUTGOING),
        ("outgoing", Direction.OUTGOING),
        ("out", Direction.OUTGOING),
        ("interna", Direction.INTERNAL),
        ("internal", Direction.INTERNAL),
    ],
)
def test_a_direction_is_read_in_portuguese_and_english(text: str, expected: Direction) -> None:
    assert read_direction(text) is expected


@pytest.mark.parametrize(
    ("text", "expected"), [("75", 75), ("0", 0), ("75.9", 75), ("00:01:15", 75), ("1:00:00", 3600)]
)
def test_a_duration_is_read_from_seconds_and_from_a_clock(text: str, expected: int) -> None:
    assert read_duration(text) == expected


@pytest.mark.parametrize("text", ["-5", "1:15", "00:99:00", "²", "1e3", "99999999"])
def test_other_durations_are_not_guessed(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        read_duration(text)


def test_operations_are_found_in_any_letter_case() -> None:
    assert find("consultaramal") is CONSULTA_RAMAL
    assert find("Nenhuma") is None


def test_required_parameters_come_before_extras_everywhere() -> None:
    for operation in OPERATIONS.values():
        flags = [parameter.required for parameter in operation.parameters]
        assert flags == sorted(flags, reverse=True)
