"""Names that exchanges give to channels (Asterisk, FreeSWITCH), and the line or number that stands in them.

Sources: Asterisk's channel drivers (``chan_pjsip``, ``chan_iax2``, ``chan_dahdi``, ``chan_mobile`` and others made for
it such as Khomp's and Dongle), FreeSWITCH's endpoints (sofia, verto, loopback, FreeTDM).
"""

import re

# The name of a device, then the number of the call in hexadecimal digits: SIP/3501-0000002a.
_DEVICE = re.compile(
    r"(?:SIP|PJSIP|Agent|user|sofia|verto(?:\.rtc)?|WebSocket)/(?:[^/]*/)*([^/]*?)(?:-[0-9a-f]{6,16})?(?:;[12])?",
    re.IGNORECASE,
)
# The same with a short number of the call: IAX2/3501-5412, OOH323/3501-7.
_PEER = re.compile(
    r"(?:IAX2?|SCCP|Skinny|Unistim|USTM|OOH323|OH323|H323|Local|loopback|XMPP|Motif)"
    r"/(?:[^/]*/)*([^/]*?)(?:-[0-9a-z]{1,16})?(?:;[12])?",
    re.IGNORECASE,
)
# Boards and modems: the line is that of the board, and a number stands only behind a further stroke.
_BOARD = re.compile(
    r"(?:DAHDI|Zap|Khomp|Khomp_SMS|mISDN|CAPI|VPB|Dongle|Quectel|Mobile|Datacard|DGV|FreeTDM|OpenZap|Woomera|Phone)/"
    r"(?:(?P<group>.+)/)?(?P<line>[^/]*?)(?P<call>-[0-9a-z.]{1,12})?",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"\+?[0-9*#]+")
_HOST = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}")
# Boards have fewer channels than that; so many digits are an extension which is called like its port.
_A_LINE = 4


def line_of(text: str) -> str | None:
    """Return the line or number in the name of a channel, ``""`` where it names none; None when ``text`` is no channel.

    >>> line_of("IAX2/3501-5412"), line_of("DAHDI/i1/47999998888-1a"), line_of("Khomp/B0C1-0.0"), line_of("3501")
    ('3501', '47999998888', '', None)
    """
    if "/" not in text:
        return None
    if found := _DEVICE.fullmatch(text) or _PEER.fullmatch(text):
        return "" if _HOST.fullmatch(found[1]) else found[1]
    board = _BOARD.fullmatch(text)
    return _line_of_board(board) if board else None


def _line_of_board(board: re.Match[str]) -> str:
    line = board["line"]
    if not _NUMBER.fullmatch(line):
        return ""
    return line if board["group"] or not board["call"] or len(line) >= _A_LINE else ""
