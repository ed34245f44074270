"""Which side of a mapped call is ours, and what its sender means by an extension."""

import re
from collections.abc import Mapping
from typing import NamedTuple

from gateway.domain.messages import Direction

WORDS: Mapping[str, Direction] = {
    **dict.fromkeys(
        ("in", "inbound", "incoming", "entrada", "entrante", "receptive", "receptiva", "receptivo", "recebida"),
        Direction.INCOMING,
    ),
    **dict.fromkeys(
        ("out", "outbound", "outgoing", "saida", "saída", "sainte", "saliente", "originada", "efetuada", "realizada"),
        Direction.OUTGOING,
    ),
    **dict.fromkeys(("internal", "interna", "interno", "local"), Direction.INTERNAL),
}
# sip:201@host, <sip:201@host>, "Ana" <sip:201@host>, user/201@host
_SIP = re.compile(r".{0,200}?(?:sips?:|user:)([^@;<>\s]{1,64})(?:[@;<>].*)?", re.IGNORECASE | re.DOTALL)
# PJSIP/201-0000, SIP/trunk/201-0000002a: the domain knows numbers of calls with six and more digits only.
_CHANNEL = re.compile(r"(?:PJ)?SIP/(?:[^/]{1,64}/)?([^/]{1,64}?)-[0-9a-f]{3,16}(?:;[12])?", re.IGNORECASE)
_PREFIXED = re.compile(r"(?:ext|ramal|exten|extension)[.:\s_-]{0,3}([0-9]{1,10})", re.IGNORECASE)


class TwoSides(NamedTuple):
    """Our extension, the outside party's number, and the line that was called; empty where nothing is known."""

    extension: str
    number: str
    line: str


def direction_of(text: str) -> Direction | None:
    """Return the direction that a word means, or None."""
    return WORDS.get(text.casefold())


def bare(text: str) -> str:
    """Return the user in an address or the line in a channel's name; any other text as it is."""
    for pattern in (_CHANNEL, _PREFIXED, _SIP):
        found = pattern.fullmatch(text)
        if found:
            return found[1]
    return text


def as_extension(text: str, extensions: Mapping[str, str]) -> str:
    """Return the extension that ``text`` means: by the source's table (names, ids), else what stands in it."""
    folded = text.casefold()
    return extensions.get(folded) or extensions.get(bare(text).casefold()) or bare(text)


def began_here(origin: str, extension: str) -> bool:
    """Return whether the extension is who called: the call goes out, or to another extension."""
    return bool(extension) and extension in (origin, bare(origin))


def sides_of(origin: str, destination: str, extension: str, number: str, direction: Direction | None) -> TwoSides:
    """Return the sides of a call of which a sender told who calls whom, or which is the extension, or both."""
    if direction is Direction.OUTGOING:
        return TwoSides(extension or origin, number or destination, "")
    if not number and direction is None and began_here(origin, extension):
        return TwoSides(extension, destination, "")
    line = destination if extension and destination != extension and direction is not Direction.INTERNAL else ""
    return TwoSides(extension or destination, number or origin, line)
