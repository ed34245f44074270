"""How a call ended, read from the words and codes that exchanges send as ``resultado``: one table for all of them.

The text is kept as it came beside the code: what reads wrongly today can be read anew tomorrow.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from enum import StrEnum


class Result(StrEnum):
    """How a call ended. ``UNKNOWN``: the exchange said something that is in no table."""

    ANSWERED = "answered"
    MISSED = "missed"
    BUSY = "busy"
    REJECTED = "rejected"
    FAILED = "failed"
    CANCELLED = "cancelled"
    VOICEMAIL = "voicemail"
    ABANDONED = "abandoned"
    FORWARDED = "forwarded"
    UNKNOWN = "unknown"


NOT_ANSWERED = frozenset(Result) - {Result.ANSWERED, Result.FORWARDED, Result.UNKNOWN}
"""Results that say that nobody spoke with the caller."""
MISSED_CALLS = NOT_ANSWERED - {Result.FAILED}
"""Results of an incoming call whose caller reached nobody, so that somebody should call back."""
ENDS_THE_WHOLE = frozenset((Result.CANCELLED, Result.ABANDONED, Result.VOICEMAIL))
"""Results that say that its caller does not wait any more, wherever it rang."""

# Asterisk's DIALSTATUS and CDR(disposition) (facts/ami.md, smdr.md); FreeSWITCH's and Q.850's names of causes
# (facts/appliances.md); sipgate, Zammad, Placetel, Twilio, Zadarma, Binotel, Nvoip, RD Station, 3CX, TotalVoice
# (facts/webhooks.md); Parlay X (facts/appliances.md). Compared without case, accents, spaces and signs.
_WORDS: Mapping[Result, str] = {
    Result.ANSWERED: "answered answer completed complete connected accepted ok success successful sucesso finished"
    " established atendida atendido concluida concluido completada encerrada finalizada conversa contestada"
    " callconnected answeredcall normal encerramentonormal",
    Result.MISSED: "noanswer noans na missed missedcall unanswered notanswered noreply noresponse timeout"
    " naoatendida naoatendido naoatendeu perdida perdido semresposta rna ringnoanswer nouserresponse"
    " calledpartynoanswer callingpartynoanswer allottedtimeout recoveryontimerexpire progresstimeout subscriberabsent"
    " nocontesta nocontestada incomingnoanswer",
    Result.BUSY: "busy userbusy ocupado ocupada linebusy busyhere calledpartybusy callingpartybusy lineaocupada",
    Result.REJECTED: "rejected reject declined decline callrejected dontcall torture recusada recusado rejeitada"
    " rejeitado blocked bloqueada barred",
    Result.FAILED: "failed failure fail error erro congestion chanunavail unavailable invalidargs notfound"
    " invalidnumber unallocatednumber invalidnumberformat numberchanged networkoutoforder normaltemporaryfailure"
    " destinationoutoforder normalcircuitcongestion switchcongestion noroutedestination usernotregistered"
    " incompatibledestination serviceunavailable congestionamento falha falhou indisponivel inexistente naocompletada"
    " calledpartynotreachable callingpartynotreachable callaborted nouser limit",
    Result.CANCELLED: "cancel cancelled canceled originatorcancel cancelada cancelado desistiu requestterminated"
    " loserace pickedoff",
    Result.VOICEMAIL: "voicemail caixapostal correiodevoz correodevoz leftvoicemail mailbox secretaria",
    Result.ABANDONED: "abandoned abandon abandonada abandonado drop dropped queueabandon",
    Result.FORWARDED: "forwarded forward transferred transfer diverted redirected blindtransfer attendedtransfer"
    " transferida transferido encaminhada desviada calltransfer",
    Result.UNKNOWN: "unknown desconhecido",
}
WORDS: Mapping[str, Result] = {word: result for result, words in _WORDS.items() for word in words.split()}

CLEARED = frozenset({"normalclearing", "normalcallclearing", "callhangup", "hangup", "16", "31", "normalunspecified"})
"""Hung up in good order: after a conversation as a rule, but also where nobody spoke."""

# ITU-T Q.850, and what Asterisk made of a carrier's final answer (facts/ami.md, 2.8). Below 128.
CAUSES: Mapping[int, Result] = {
    **dict.fromkeys((1, 2, 3, 6, 22, 27, 28, 29, 30, 34, 38, 41, 42, 43, 44, 47), Result.FAILED),
    **dict.fromkeys((50, 55, 57, 58, 63, 65, 66, 69, 79, 88, 95, 97, 98, 99, 101, 111, 127), Result.FAILED),
    **dict.fromkeys((17,), Result.BUSY),
    **dict.fromkeys((18, 19, 20, 102), Result.MISSED),
    **dict.fromkeys((21,), Result.REJECTED),
    **dict.fromkeys((23, 26), Result.FORWARDED),
}
# RFC 3261 and the same table of facts/ami.md. From 200 on.
SIP: Mapping[int, Result] = {
    **dict.fromkeys((200, 202), Result.ANSWERED),
    **dict.fromkeys((301, 302, 305), Result.FORWARDED),
    **dict.fromkeys((408, 480), Result.MISSED),
    **dict.fromkeys((486, 600), Result.BUSY),
    **dict.fromkeys((403, 603, 607), Result.REJECTED),
    **dict.fromkeys((487,), Result.CANCELLED),
}

# Sentences ("o ramal nao atendeu") hold one of these; what denies comes before what it denies.
_FRAGMENTS: Sequence[tuple[Result, str]] = (
    (Result.FORWARDED, "elsewhere outroramal"),
    (Result.MISSED, "naoatend noanswer noansw notanswer unanswer semresposta perdid"),
    (Result.BUSY, "ocupad busy"),
    (Result.REJECTED, "recusad rejeitad reject declin"),
    (Result.ABANDONED, "abandon"),
    (Result.CANCELLED, "cancel desist"),
    (Result.VOICEMAIL, "caixapostal voicemail correiodevoz"),
    (Result.FAILED, "congest falh fail unavail indisponi naocomplet inexist invalid"),
    (Result.FORWARDED, "transfer desviad encaminhad forward"),
    (Result.ANSWERED, "atendid answered completad complete"),
)
FRAGMENTS = tuple((fragment, result) for result, words in _FRAGMENTS for fragment in words.split())
_NAMED_CODE = re.compile(r"(?:cause|causa|sip|q\.?850)\W{0,3}(\d{1,3})\b|^\W*(\d{3})\b", re.IGNORECASE)
_LEADING_CODE = re.compile(r"^\W*()(\d{1,2})\b")
"""A small number in front may also be the exchange's own (``3 - atendida``), so the words are read first."""


def read_result(text: str | None, duration_s: int | None = None) -> Result | None:
    """Return how the call ended, from what the exchange says and the seconds that it says were spoken.

    None when it says nothing of the result.

    >>> read_result("NO ANSWER"), read_result("17 - User busy"), read_result("16", 0)
    (<Result.MISSED: 'missed'>, <Result.BUSY: 'busy'>, <Result.MISSED: 'missed'>)
    """
    if text is None or not text.strip():
        return None
    word = squeezed(text)
    if word in CLEARED:
        return _cleared(duration_s)
    if word in WORDS:
        return WORDS[word]
    return (
        _by_code(_NAMED_CODE, text, duration_s)
        or _by_fragment(word)
        or _by_code(_LEADING_CODE, text, duration_s)
        or Result.UNKNOWN
    )


def sure_result(text: str | None, duration_s: int | None = None) -> Result | None:
    """Return how the call ended, to decide by: None also where only the seconds spoken would tell, and they did not
    come.
    """
    if duration_s is None and read_result(text, 0) is not read_result(text, 1):
        return None
    return read_result(text, duration_s)


def squeezed(text: str) -> str:
    """Return ``text`` in small letters and digits only: ``Não Atendida`` as ``naoatendida``."""
    plain = unicodedata.normalize("NFKD", text).casefold()
    return "".join(char for char in plain if char.isalnum() and char.isascii())


def _cleared(duration_s: int | None) -> Result:
    """Return *missed* or *answered* by the seconds: the same code ends a conversation and a ringing that
    nobody took.
    """
    return Result.MISSED if duration_s == 0 else Result.ANSWERED


def _by_code(form: re.Pattern[str], text: str, duration_s: int | None) -> Result | None:
    found = form.search(text)
    if found is None:
        return None
    code = int(found[1] or found[2])
    if str(code) in CLEARED:
        return _cleared(duration_s)
    if 400 <= code < 700:
        return SIP.get(code, Result.FAILED)
    return SIP.get(code) or CAUSES.get(code)


def _by_fragment(word: str) -> Result | None:
    return next((result for fragment, result in FRAGMENTS if fragment in word), None)
