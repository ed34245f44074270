"""Events of Asterisk 11 and before, as those of today: read of in its UPGRADE-12.txt, none was run.

They name bridges by pairs, dialled channels by other fields, and give no Linkedid: calls are joined by who dials whom.
Channels that take each other's place are understood in ``masquerades.py``.
"""

from collections.abc import Callable, Iterable, Mapping

from gateway.events.ami.stream import AmiBlock, block_of

NAMES = {"Join": "QueueCallerJoin", "Leave": "QueueCallerLeave", "QueueMemberPaused": "QueueMemberPause"}
STATES = {"Down": "0", "Ring": "4", "Ringing": "5", "Up": "6", "Busy": "7"}
"""The states of channels as 1.4 names them, as numbers."""


def modern(block: AmiBlock) -> Iterable[AmiBlock]:
    """Return ``block`` as the events that a newer Asterisk would have sent; as it is, where it is one of these."""
    translate = TRANSLATIONS.get(block.event)
    return (block,) if translate is None else translate(block)


def _dial(block: AmiBlock) -> Iterable[AmiBlock]:
    """Return that a channel dials another (1.4 has no *SubEvent*); of the end only the hang-up says which it is."""
    if block.get("SubEvent") not in ("Begin", ""):
        return ()
    lines = [("Event", "DialBegin"), ("Channel", block.get("Channel") or block.get("Source"))]
    lines += [("Uniqueid", block.get("UniqueID") or block.get("SrcUniqueID"))]
    lines += [("CallerIDNum", block.get("CallerIDNum")), ("CallerIDName", block.get("CallerIDName"))]
    lines += [("DestChannel", block.get("Destination")), ("DestUniqueid", block.get("DestUniqueID"))]
    return (block_of(*lines, ("DialString", block.get("Dialstring"))),)


def _stated(block: AmiBlock) -> Iterable[AmiBlock]:
    state = STATES.get(block.get("State"), "")
    return (AmiBlock({**block.lines, "channelstate": [state]}) if state and not block.get("ChannelState") else block,)


def _bridge(block: AmiBlock) -> Iterable[AmiBlock]:
    first, second = block.get("Uniqueid1"), block.get("Uniqueid2")
    joins = block.event == "Link" or block.get("Bridgestate") == "Link"
    event, bridge = "BridgeEnter" if joins else "BridgeLeave", f"{first}+{second}"
    for place, uniqueid in (("1", first), ("2", second)):
        yield block_of(
            ("Event", event),
            ("BridgeUniqueid", bridge),
            ("Channel", block.get(f"Channel{place}")),
            ("Uniqueid", uniqueid),
            ("CallerIDNum", block.get(f"CallerID{place}")),
        )


def _hold(block: AmiBlock) -> Iterable[AmiBlock]:
    if block.get("Status") == "Off":
        return (renamed(block, "Unhold"),)
    return (block,)


def _renamed(block: AmiBlock) -> Iterable[AmiBlock]:
    return (renamed(block, NAMES[block.event]),)


def _parked(block: AmiBlock) -> Iterable[AmiBlock]:
    if block.get("ParkeeChannel"):
        return (block,)
    parker = block.get("From").rsplit("-", 1)[0]
    lines = (("ParkeeChannel", block.get("Channel")), ("ParkeeUniqueid", block.get("Uniqueid")))
    return (block_of(("Event", block.event), *lines, ("ParkerDialString", parker)),)


def renamed(block: AmiBlock, event: str) -> AmiBlock:
    """Return ``block`` under the name ``event``."""
    return AmiBlock({**block.lines, "event": [event]})


TRANSLATIONS: Mapping[str, Callable[[AmiBlock], Iterable[AmiBlock]]] = {
    "Dial": _dial,
    "Newchannel": _stated,
    "Newstate": _stated,
    "Bridge": _bridge,
    "Link": _bridge,
    "Unlink": _bridge,
    "Hold": _hold,
    "ParkedCall": _parked,
    **dict.fromkeys(NAMES, _renamed),
}
