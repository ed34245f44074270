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

# Asterisk's DIALSTATUS, QUEUESTATUS, events of queue_log and CDR(disposition) (facts/ami.md, smdr.md;
# docs.asterisk.org, Queue); FreeSWITCH's table of causes (its reference, "hangup-causes": LOSE_RACE is answered
# elsewhere), Q.850's names and SIP's phrases (RFC 3261); Cisco IOS, 3CX, DXP and Norstar (facts/smdr.md); sipgate,
# Zammad, Placetel, Twilio, Telnyx, Zadarma, Zoom, Binotel, Nvoip, RD Station, 3C Plus, Bitrix, TotalVoice
# (facts/webhooks.md); Parlay X (facts/appliances.md); 2N (wiki.2n.com, CTI_IE_CAUSE). Compared without case, accents,
# spaces and signs.
_WORDS: Mapping[Result, str] = {
    Result.ANSWERED: "answered answer completed complete connected accepted ok success successful sucesso finished"
    " established atendida atendido concluida concluido completada encerrada finalizada conversa contestada"
    " callconnected answeredcall normal encerramentonormal completeagent completecaller timelimit",
    Result.MISSED: "noanswer noans na missed missedcall unanswered notanswered noreply noresponse timeout"
    " naoatendida naoatendido naoatendeu perdida perdido semresposta rna ringnoanswer nouserresponse"
    " calledpartynoanswer callingpartynoanswer allottedtimeout recoveryontimerexpire progresstimeout subscriberabsent"
    " nocontesta nocontestada incomingnoanswer temporarilyunavailable requesttimeout ringtimeout queuetimeout"
    " exitwithtimeout exitempty joinempty leaveempty joinunavail leaveunavail nouserresponding notresponding"
    " noanswerfromuser nocontesto noatendida noatendido",
    Result.BUSY: "busy userbusy ocupado ocupada linebusy busyhere busyeverywhere calledpartybusy callingpartybusy"
    " lineaocupada",
    Result.REJECTED: "rejected reject declined decline callrejected dontcall torture recusada recusado rejeitada"
    " rejeitado blocked bloqueada barred forbidden unwanted rechazada rechazado",
    Result.FAILED: "failed failure fail error erro congestion chanunavail unavailable invalidargs notfound"
    " invalidnumber unallocatednumber invalidnumberformat numberchanged networkoutoforder normaltemporaryfailure"
    " destinationoutoforder normalcircuitcongestion switchcongestion noroutedestination usernotregistered"
    " incompatibledestination serviceunavailable congestionamento falha falhou indisponivel inexistente naocompletada"
    " calledpartynotreachable callingpartynotreachable callaborted nouser limit noroute noroutetransitnet"
    " exchangeroutingerror facilityrejected nomoney nolimit nodaylimit linelimit nomoneynolimit gatewaydown crash"
    " interworking preempted notacceptable notacceptablehere doesnotexistanywhere addressincomplete serverinternalerror"
    " servicenotimplemented mandatoryiemissing nocircuit disableddest unknowndest",
    Result.CANCELLED: "cancel cancelled canceled originatorcancel cancelada cancelado desistiu requestterminated",
    Result.VOICEMAIL: "voicemail caixapostal correiodevoz correodevoz leftvoicemail mailbox secretaria amd callwasamd"
    " buzondevoz",
    Result.ABANDONED: "abandoned abandon abandonada abandonado drop dropped queueabandon",
    Result.FORWARDED: "forwarded forward transferred transfer diverted redirected blindtransfer attendedtransfer"
    " transferida transferido encaminhada desviada calltransfer loserace pickedoff redirectiontonewdestination"
    " nonselecteduserclearing unselected",
    # What stopped a conversation or an attempt, nobody can say which.
    Result.UNKNOWN: "unknown desconhecido mediatimeout",
}
WORDS: Mapping[str, Result] = {word: result for result, words in _WORDS.items() for word in words.split()}

_CLEARED = (
    "normalclearing normalcallclearing callhangup hangup hungup 16 31 normalunspecified callreleased released"
    " disconnected terminated callterminated desligada terminatedbysrc terminatedbydst srcparticipantterminated"
    " dstparticipantterminated callerhungup calleehungup"
)
CLEARED = frozenset(_CLEARED.split())
"""Hung up in good order: after a conversation as a rule, but also where nobody spoke."""

# ITU-T Q.850, and what Asterisk made of a carrier's final answer (facts/ami.md, 2.8). Below 128.
CAUSES: Mapping[int, Result] = {
    **dict.fromkeys((1, 2, 3, 5, 6, 22, 25, 27, 28, 29, 30, 34, 38, 41, 42, 43, 44, 47), Result.FAILED),
    **dict.fromkeys((45, 50, 55, 57, 58, 63, 65, 66, 69, 79, 81, 88, 95, 96, 97, 98, 99, 100, 101, 103), Result.FAILED),
    **dict.fromkeys((111, 127), Result.FAILED),
    **dict.fromkeys((17,), Result.BUSY),
    **dict.fromkeys((18, 19, 20, 102), Result.MISSED),
    **dict.fromkeys((21, 52, 54), Result.REJECTED),
    **dict.fromkeys((23, 26), Result.FORWARDED),
}
# RFC 3261, 8197 (607), 8688 (608), 5079 (433) and the same table of facts/ami.md; 304 is Bitrix's. From 200 on.
SIP: Mapping[int, Result] = {
    **dict.fromkeys((200, 202), Result.ANSWERED),
    **dict.fromkeys((301, 302, 305), Result.FORWARDED),
    **dict.fromkeys((304, 408, 480), Result.MISSED),
    **dict.fromkeys((486, 600), Result.BUSY),
    **dict.fromkeys((403, 433, 603, 607, 608), Result.REJECTED),
    **dict.fromkeys((487,), Result.CANCELLED),
}

# Sentences ("o ramal nao atendeu") hold one of these; what denies comes before what it denies.
_FRAGMENTS: Sequence[tuple[Result, str]] = (
    (Result.FORWARDED, "elsewhere outroramal"),
    (Result.MISSED, "naoatend noanswer noansw notanswer unanswer semresposta sematend perdid missed"),
    (Result.BUSY, "ocupad busy"),
    (Result.REJECTED, "recusad rejeitad reject rechaz declin barred"),
    (Result.ABANDONED, "abandon"),
    (Result.CANCELLED, "cancel desist"),
    (Result.VOICEMAIL, "caixapostal voicemail correiodevoz secretariaeletronica buzon"),
    (
        Result.FAILED,
        "congest falh fail fallid unavail indisponi naocomplet incomplet inexist invalid bearercap unreachable",
    ),
    (Result.FAILED, "notreachable foradearea foradaarea"),
    (Result.FORWARDED, "transfer desviad encaminhad forward redirect"),
    (Result.MISSED, "timeout"),
    (Result.ANSWERED, "atendid answered contestad completad complete"),
)
FRAGMENTS = tuple((fragment, result) for result, words in _FRAGMENTS for fragment in words.split())
# "SIP/2.0 486 Busy Here", "Q.850;cause=17", "sip_486", "480 Temporarily Unavailable".
_NAMED_CODE = re.compile(
    r"(?:cause|causa|sip(?:/2\.0)?|q\.?850)[\W_]{0,3}(\d{1,3})\b(?!\.\d)|^\W*(\d{3})\b", re.IGNORECASE
)
_BARE_CODE = re.compile(r"^\W*(\d{1,2})\b|\((\d{1,3})\)\s*$")
"""A small number in front, or behind in brackets (Cisco IOS), may also be the exchange's own (``3 - atendida``) or
seconds, so the words are read first."""


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
        or _by_code(_BARE_CODE, text, duration_s)
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
    code = int(next(filter(None, found.groups())))
    if str(code) in CLEARED:
        return _cleared(duration_s)
    if 400 <= code < 700:
        return SIP.get(code, Result.FAILED)
    return SIP.get(code) or CAUSES.get(code)


def _by_fragment(word: str) -> Result | None:
    return next((result for fragment, result in FRAGMENTS if fragment in word), None)
