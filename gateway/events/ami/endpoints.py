"""What a channel's name says: whose phone it is, a trunk, or an inner part of Asterisk that is no party of a call.

``PJSIP/3501-0000001a`` is a channel of the endpoint ``3501``. ``Local/3501@from-internal-00000006;1`` is one half of a
wire between two bridges. Older technologies (``SIP``, ``IAX2``, ``DAHDI/i1/4799-1``, ``SCCP``) were only read of.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

_INNER = (
    "local message surrogate announcer recorder cbann cbrec confbridgerecorder multicastrtp unicastrtp snoop bridge"
    " parked asyncgoto voicemail test audiosocket"
)
INNER = frozenset(_INNER.split())
"""Technologies, in small letters, whose channels are no party of a call."""
_INSTANCE = re.compile(r"-[0-9A-Za-z]+(?:;[12])?$")
_EXTENSION = re.compile(r"[0-9]{2,6}")
LONGEST_NAME = 255


class ChannelKind(StrEnum):
    """What a channel is: a phone of ours, a way outside, or an inner part such as ``Local``."""

    PHONE = "phone"
    TRUNK = "trunk"
    INNER = "inner"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """What is at the end of a channel: a phone has an ``extension``, half of a Local channel the ``wire``'s name."""

    kind: ChannelKind
    extension: str = ""
    wire: str = ""


def looks_like_extension(name: str) -> bool:
    """Return whether ``name`` has the form of an extension: two to six digits."""
    return _EXTENSION.fullmatch(name) is not None


@dataclass(frozen=True, slots=True)
class EndpointRules:
    """Tells phones from trunks by the names of their endpoints.

    ``pattern``, where there is one, must match the whole name of a phone's endpoint, its first group is the extension;
    ``endpoints`` gives single ones theirs; ``trunks`` are never phones, whatever they are called. ``is_extension``
    decides of all others.
    """

    pattern: re.Pattern[str] | None = None
    endpoints: Mapping[str, str] = field(default_factory=dict)
    trunks: frozenset[str] = frozenset()
    is_extension: Callable[[str], bool] = looks_like_extension

    def read(self, channel: str) -> Endpoint:
        """Return what is at the end of the channel called ``channel``."""
        technology, _, rest = channel[:LONGEST_NAME].partition("/")
        if technology.lower() in INNER or not rest:
            return Endpoint(ChannelKind.INNER, wire=wire_of(channel))
        name = _INSTANCE.sub("", rest)
        extension = self._extension(name, f"{technology}/{name}")
        return Endpoint(ChannelKind.PHONE, extension) if extension else Endpoint(ChannelKind.TRUNK)

    def interface(self, name: str) -> str:
        """Return the extension of a queue member's interface, such as ``Local/3501@from-queue/n``; "" for none."""
        technology, _, rest = name.partition("/")
        endpoint = re.split(r"[@/]", rest, maxsplit=1)[0]
        return self._extension(endpoint, f"{technology}/{endpoint}")

    def _extension(self, name: str, with_technology: str) -> str:
        known = self.endpoints.get(with_technology) or self.endpoints.get(name)
        if known or name in self.trunks or with_technology in self.trunks:
            return known or ""
        if self.pattern is not None:
            found = self.pattern.fullmatch(name)
            return (found.group(1) if found.re.groups else found.group()) or "" if found else ""
        return name if self.is_extension(name) else ""


def wire_of(channel: str) -> str:
    """Return the name that both halves of a Local channel share; empty for others."""
    return channel[:-2] if channel[-2:] in (";1", ";2") else ""


def half_of(channel: str) -> str:
    """Return which half of a Local channel ``channel`` is: ``1``, ``2``, or nothing."""
    return channel[-1] if wire_of(channel) else ""
