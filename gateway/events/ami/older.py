"""Events of Asterisk 11 and before, as those of today: read of in its UPGRADE-12.txt, none was run.

They name bridges by pairs, dialled channels by other fields, and give no Linkedid: calls are joined by who dials whom.
"""

from collections.abc import Callable, Iterable, Mapping

from gateway.events.ami.stream import AmiBlock, block_of

NAMES = {"Join": "QueueCallerJoin", "Leave": "QueueCallerLeave", "QueueMemberPaused": "QueueMemberPause"}


def modern(block: AmiBlock) -> Iterable[AmiBlock]:
    """Return ``block`` as the events that a newer Asterisk would have sent; as it is, where it is one of these."""
    translate = TRANSLATIONS.get(block.event)
    return (block,) if translate is None else translate(block)


def _dial(block: AmiBlock) -> Iterable[AmiBlock]:
    begins = block.get("SubEvent") == "Begin"
    uniqueid = block.get("UniqueID")
    lines = [("Event", "DialBegin" if begins else "DialEnd"), ("Channel", block.get("Channel")), ("Uniqueid", uniqueid)]
    lines += [("CallerIDNum", block.get("CallerIDNum")), ("CallerIDName", block.get("CallerIDName"))]
    if begins:
        lines += [("DestChannel", block.get("Destination")), ("DestUniqueid", block.get("DestUniqueID"))]
        lines += [("DestLinkedid", uniqueid), ("DialString", block.get("Dialstring"))]
    return (block_of(*lines),) if begins else ()


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
    "Bridge": _bridge,
    "Link": _bridge,
    "Unlink": _bridge,
    "Hold": _hold,
    "ParkedCall": _parked,
    **dict.fromkeys(NAMES, _renamed),
}
