"""One event, with what is needed to understand it."""

from dataclasses import dataclass

from gateway.events.ami.channels import Channels
from gateway.events.ami.life import CallLife
from gateway.events.ami.state import AmiChannel
from gateway.events.ami.stream import AmiBlock


@dataclass(frozen=True, slots=True)
class HeardBlock:
    """An event: ``moment`` is when it was by the exchange's clock, ``at`` when it was heard, in milliseconds."""

    life: CallLife
    channels: Channels
    block: AmiBlock
    moment: int
    at: int

    def get(self, name: str) -> str:
        """Return the first value of the lines called ``name``; empty when there is none."""
        return self.block.get(name)

    def channel(self, prefix: str = "") -> AmiChannel | None:
        """Return the channel in the fields that begin with ``prefix``; None for none, or one that was hung up."""
        return self.channels.get(self.block, prefix, self.moment, self.at)
