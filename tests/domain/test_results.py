"""How a call ended, in the words of exchanges."""

import pytest

from gateway.domain.calls.results import MISSED_CALLS, NOT_ANSWERED, WORDS, Result, read_result, squeezed


@pytest.mark.parametrize(
    ("text", "result"),
    [
        # Asterisk: DIALSTATUS, CDR(disposition), Q.850 causes
        ("ANSWER", "answered"),
        ("ANSWERED", "answered"),
        ("NOANSWER", "missed"),
        ("NO ANSWER", "missed"),
        ("BUSY", "busy"),
        ("CANCEL", "cancelled"),
        ("CONGESTION", "failed"),
        ("CHANUNAVAIL", "failed"),
        ("DONTCALL", "rejected"),
        ("16", "answered"),
        ("17", "busy"),
        ("18", "missed"),
        ("19", "missed"),
        ("21", "rejected"),
        ("26", "forwarded"),
        ("34", "failed"),
        ('Q.850;cause=17;text="User busy"', "busy"),
        ("17 - User busy", "busy"),
        # FreeSWITCH
        ("NORMAL_CLEARING", "answered"),
        ("ORIGINATOR_CANCEL", "cancelled"),
        ("NO_USER_RESPONSE", "missed"),
        ("USER_BUSY", "busy"),
        ("CALL_REJECTED", "rejected"),
        # SIP
        ("480", "missed"),
        ("486", "busy"),
        ("SIP 487 Request Terminated", "cancelled"),
        ("480 Temporarily Unavailable", "missed"),
        ("404 Not Found", "failed"),
        ("503", "failed"),
        ("603 Decline", "rejected"),
        ("200 OK", "answered"),
        # Providers: sipgate and Zammad, Placetel, Twilio, Parlay X
        ("normalClearing", "answered"),
        ("noAnswer", "missed"),
        ("voicemail", "voicemail"),
        ("no-answer", "missed"),
        ("completed", "answered"),
        ("canceled", "cancelled"),
        ("CalledPartyNoAnswer", "missed"),
        # Portuguese
        ("não atendida", "missed"),
        ("NÃO ATENDIDA", "missed"),
        ("atendida", "answered"),
        ("ocupado", "busy"),
        ("Caixa Postal", "voicemail"),
        ("abandonada", "abandoned"),
        ("o ramal nao atendeu", "missed"),
        ("3 - atendida", "answered"),
        ("Atendida em outro ramal", "forwarded"),
        ("Não completada", "failed"),
        ("sem atendimento", "missed"),
        ("destino atendido", "answered"),
        ("fora da área de cobertura", "failed"),
        ("secretária eletrônica", "voicemail"),
        # Spanish
        ("no contesta", "missed"),
        ("rechazada", "rejected"),
        ("buzón de voz", "voicemail"),
        ("llamada fallida", "failed"),
        # Asterisk's queues
        ("EXITWITHTIMEOUT", "missed"),
        ("JOINEMPTY", "missed"),
        ("ABANDON", "abandoned"),
        ("COMPLETEAGENT", "answered"),
        # SIP's lines and phrases
        ("SIP/2.0 486 Busy Here", "busy"),
        ("SIP/2.0 200 OK", "answered"),
        ("sip_486", "busy"),
        ("hangup_cause_q850: 21", "rejected"),
        ("Temporarily Unavailable", "missed"),
        ("Request Timeout", "missed"),
        ("Address Incomplete", "failed"),
        ("Forbidden", "rejected"),
        # answered by another one of the group is not missed
        ("LOSE_RACE", "forwarded"),
        ("PICKED_OFF", "forwarded"),
        # FreeSWITCH, the rarer ones
        ("OUTGOING_CALL_BARRED", "rejected"),
        ("EXCHANGE_ROUTING_ERROR", "failed"),
        ("REDIRECTION_TO_NEW_DESTINATION", "forwarded"),
        ("MEDIA_TIMEOUT", "unknown"),
        # Cisco IOS, 3CX, Norstar
        ("user busy (17)", "busy"),
        ("normal call clearing (16)", "answered"),
        ("atendida (18)", "answered"),
        ("no_route", "failed"),
        ("CALL RELEASED", "answered"),
        # Zadarma, Telnyx, Zoom, 3C Plus, Bitrix
        ("no money", "failed"),
        ("time_limit", "answered"),
        ("callee_missed", "missed"),
        ("call-was-amd", "voicemail"),
        ("304", "missed"),
        # what nobody knows stays what it is
        ("SALE", "unknown"),
        ("Canal 7", "unknown"),
        ("🙂", "unknown"),
    ],
)
def test_what_exchanges_say_of_the_end(text: str, result: str) -> None:
    assert read_result(text) == result


@pytest.mark.parametrize("text", [None, "", "   "])
def test_nothing_said_is_no_result(text: str | None) -> None:
    assert read_result(text) is None


def test_a_clean_hang_up_without_a_second_of_talk_was_not_answered() -> None:
    """Asterisk's cause 16 also ends a call that only rang (facts: in_noanswer_hangup)."""
    assert [read_result("16", seconds) for seconds in (None, 0, 30)] == ["answered", "missed", "answered"]
    assert read_result("cause 16", 0) is Result.MISSED
    assert [read_result("TerminatedBySrc", seconds) for seconds in (0, 30)] == ["missed", "answered"]
    assert [read_result("src_participant_terminated", seconds) for seconds in (0, 30)] == ["missed", "answered"]
    assert read_result("normal call clearing (16)", 0) is Result.MISSED
    assert read_result("ANSWERED", 0) is Result.ANSWERED, "who says so himself is believed"


def test_the_table_has_no_word_twice_and_no_word_that_is_never_found() -> None:
    assert all(squeezed(word) == word for word in WORDS)
    assert MISSED_CALLS < NOT_ANSWERED


@pytest.mark.parametrize(
    ("codes", "result"),
    [
        ("1 2 3 5 6 22 25 27 28 29 30 34 38 41 42 43 44 45 47 50 55 57 58 63 65 66 69 79", "failed"),
        ("81 88 95 96 97 98 99 100 101 103 111 127", "failed"),
        ("17 486 600", "busy"),
        ("18 19 20 102 304 408 480", "missed"),
        ("21 52 54 403 433 603 607 608", "rejected"),
        ("23 26 301 302 305", "forwarded"),
        ("487", "cancelled"),
        ("16 31 200 202", "answered"),
        ("400 401 404 500 503 604 699", "failed"),
        ("0 4 7 24 46 48 104 128 180 201 300 306 399 700 999", "unknown"),
    ],
)
def test_each_code_of_q850_and_sip_and_its_neighbours(codes: str, result: str) -> None:
    assert {code: read_result(f"cause {code}") for code in codes.split()} == dict.fromkeys(codes.split(), result)
