"""Builds events as Asterisk 11 and before send them: public recordings of others have these shapes, none was run."""

from collections.abc import Iterator
from dataclasses import dataclass

from gateway.events.ami.stream import AmiBlock, block_of
from tests.events.ami.playing import Timed, play, shown

DOWN, RING, RINGING, UP = "0", "4", "5", "6"
STATES = {RING: "Ring", UP: "Up"}


@dataclass
class OldChannel:
    """A channel as it is named at a moment; it keeps its id whatever it is called."""

    name: str
    uniqueid: str
    number: str = ""

    def event(self, event: str, **lines: str) -> AmiBlock:
        about = {"Channel": self.name, "Uniqueid": self.uniqueid, "CallerIDNum": self.number}
        return block_of(("Event", event), *(about | lines).items())

    def begins(self, exten: str = "", state: str = DOWN) -> AmiBlock:
        return self.event("Newchannel", ChannelState=state, Exten=exten)

    def is_now(self, state: str) -> AmiBlock:
        return self.event("Newstate", ChannelState=state)

    def dials(self, called: "OldChannel", number: str) -> AmiBlock:
        lines = {"UniqueID": self.uniqueid, "Destination": called.name, "DestUniqueID": called.uniqueid}
        return block_of(
            ("Event", "Dial"), ("SubEvent", "Begin"), ("Channel", self.name), *lines.items(), ("Dialstring", number)
        )

    def links(self, other: "OldChannel", how: str = "Link") -> AmiBlock:
        lines = {"Channel1": self.name, "Channel2": other.name, "Uniqueid1": self.uniqueid, "Uniqueid2": other.uniqueid}
        return block_of(("Event", "Bridge"), ("Bridgestate", how), *lines.items())

    def transfers(self, kind: str, target: "OldChannel", **lines: str) -> AmiBlock:
        about = {"TargetChannel": target.name, "TargetUniqueid": target.uniqueid}
        return self.event("Transfer", TransferMethod="SIP", TransferType=kind, **about, **lines)

    def takes_over(self, clone: "OldChannel", state: str = UP) -> Iterator[AmiBlock]:
        """Get the party of ``clone``, which is a zombie then."""
        names = {"Original": self.name, "Clone": clone.name}
        yield block_of(("Event", "Masquerade"), *names.items(), ("OriginalState", STATES[state]), ("CloneState", "Up"))
        yield clone.event("Rename", Newname=f"{clone.name}<MASQ>")
        yield self.event("Rename", Newname=clone.name)
        yield block_of(("Event", "Rename"), ("Channel", f"{clone.name}<MASQ>"), ("Newname", f"{self.name}<ZOMBIE>"))
        self.name, clone.name = clone.name, f"{self.name}<ZOMBIE>"

    def hangs_up(self, cause: str = "16") -> AmiBlock:
        return self.event("Hangup", Cause=cause)


def told(*blocks: AmiBlock) -> list[str]:
    """What is told of ``blocks``, a twentieth of a second apart, without the times."""
    messages = play([Timed(block, place * 50) for place, block in enumerate(blocks)])
    return [shown(message).split(" ", 1)[1] for message in messages]
