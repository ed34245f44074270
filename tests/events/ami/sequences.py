"""Builds streams of AMI from notes of what was recorded: ``sequences.txt``."""

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from gateway.events.ami.stream import AmiBlock, block_of

SEQUENCES = Path(__file__).with_name("sequences.txt")
PHONES = {"A": "3501", "B": "3502", "C": "3503", "D": "3504"}
STATES = {"Down": "0", "Ring": "4", "Ringing": "5", "Up": "6", "Busy": "7"}
NUMBER = "47999990016"
Lines = list[tuple[str, str]]


def sequences() -> dict[str, list[str]]:
    """The lines of each sequence, by its name."""
    found: dict[str, list[str]] = {}
    for line in SEQUENCES.read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            found[line[3:].split(":")[0]] = lines = []
        elif line.startswith("+"):
            lines.append(line)
    return found


class Builder:
    """Makes events of notes; a channel keeps what it was called by when it began."""

    def __init__(self) -> None:
        self._channels: dict[str, dict[str, str]] = {}

    def built(self, lines: Sequence[str]) -> list[tuple[int, AmiBlock]]:
        """Return the events of ``lines``, each with its milliseconds."""
        events = []
        for line in lines:
            after_ms, _, notes = line.partition(" ")
            events += [
                (int(after_ms), block) for note in notes.split(" · ") if (block := self._event(note)) is not None
            ]
        return events

    def _event(self, note: str) -> AmiBlock | None:
        for pattern, make in MAKERS.items():
            if found := re.fullmatch(pattern, note):
                return block_of(*make(self, *found.groups()))
        assert note.startswith(LEFT_OUT), note
        return None

    def begin(self, name: str, uniqueid: str, linkedid: str, state: str, rest: str) -> Lines:
        facts = dict(word.split("=", 1) for word in rest.split() if "=" in word)
        number = facts["num"].replace("N", NUMBER) if facts["num"] == "N" else facts["num"]
        place = rest.split()[-1] if rest.split()[-1].startswith("Local/") else ""
        self._channels[name] = {
            "Channel": f"{place}-{name[:2]};{name[-1]}" if place else f"PJSIP/{endpoint_of(name)}-{uniqueid}",
            "Uniqueid": uniqueid,
            "Linkedid": linkedid,
            "ChannelState": STATES[state],
            "CallerIDNum": number,
            "Exten": facts["exten"].replace("0N", f"0{NUMBER}"),
        }
        return [("Event", "Newchannel"), *self.channel(name)]

    def channel(self, name: str, prefix: str = "", **others: str) -> Lines:
        return [(f"{prefix}{field}", value) for field, value in (self._channels[name] | others).items()]

    def dial(self, source: str, called: str, number: str) -> Lines:
        caller = [] if source == "-" else self.channel(source)
        dialled = number.replace("0N", f"0{NUMBER}")
        return [("Event", "DialBegin"), *caller, *self.channel(called, "Dest", CallerIDNum=dialled)]

    def dial_end(self, source: str, called: str, status: str) -> Lines:
        caller = [] if source == "-" else self.channel(source)
        return [("Event", "DialEnd"), *caller, *self.channel(called, "Dest"), ("DialStatus", status)]

    def state(self, state: str, name: str) -> Lines:
        self._channels[name]["ChannelState"] = STATES[state]
        return [("Event", "Newstate"), *self.channel(name)]

    def bridge(self, way: str, bridge: str, name: str, swap: str | None) -> Lines:
        swapped = [("SwapUniqueid", swap)] if swap else []
        event = "BridgeEnter" if way == "In" else "BridgeLeave"
        lines = [("Event", event), ("BridgeUniqueid", bridge), ("BridgeType", "basic")]
        return [*lines, *self.channel(name), *swapped]

    def hangup(self, name: str, cause: str, linkedid: str | None) -> Lines:
        now = {"Linkedid": linkedid} if linkedid else {}
        return [("Event", "Hangup"), *self.channel(name, **now), ("Cause", cause)]

    def queue(self, event: str, name: str, queue: str) -> Lines:
        return [("Event", event), *self.channel(name), ("Queue", queue)]

    def hold(self, event: str, name: str) -> Lines:
        return [("Event", event), *self.channel(name)]

    def blind(self, transferer: str, transferee: str, to: str) -> Lines:
        sides = self.channel(transferer, "Transferer") + self.channel(transferee, "Transferee")
        return [("Event", "BlindTransfer"), ("Result", "Success"), *sides, ("Extension", to)]

    def attended(self, first: str, second: str, transferee: str, target: str) -> Lines:
        lines = self.channel(first, "OrigTransferer") + self.channel(second, "SecondTransferer")
        lines += self.channel(transferee, "Transferee") + self.channel(target, "TransferTarget")
        return [("Event", "AttendedTransfer"), ("Result", "Success"), *lines]

    def pickup(self, picker: str, target: str) -> Lines:
        return [("Event", "Pickup"), *self.channel(picker), *self.channel(target, "Target")]


def endpoint_of(name: str) -> str:
    return PHONES.get(name[0], "trunk")


LEFT_OUT = ("Cdr[", "AgentC", "AgentR", "«", "BridgeMerge", "LocalOpt")
"""Notes of events that mean nothing."""
_X = r"([A-Z]\d?(?:;[12])?)"
MAKERS: Mapping[str, Callable[..., Lines]] = {
    rf"New {_X}\((\S+)/(\S+)\) (\w+) (.*)": Builder.begin,
    rf"Dial (?:{_X}|-)→{_X} dest=(\S+)": lambda self, source, *rest: self.dial(source or "-", *rest),
    rf"DialEnd (?:{_X}|-)→{_X} (\w+)(?: \(again\))?": lambda self, source, *rest: self.dial_end(source or "-", *rest),
    rf"(Ringing|Up|Busy) {_X}": Builder.state,
    rf"(In|Out) (b\d):{_X}(?: swap=(\S+))?": Builder.bridge,
    rf"Hangup {_X} (\d+)(?: L=(\S+))?": Builder.hangup,
    rf"(QueueCaller\w+) {_X} q=(\d+).*": Builder.queue,
    rf"(Hold|Unhold) {_X}": Builder.hold,
    rf"BlindTransfer by {_X} of {_X} to (\d+)@.*": Builder.blind,
    rf"AttendedTransfer Success orig={_X} second={_X} transferee={_X} target={_X} .*": Builder.attended,
    rf"Pickup by {_X} of {_X}": Builder.pickup,
}
"""What each note is made into, by its form."""
