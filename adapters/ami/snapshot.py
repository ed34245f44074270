"""Asking an exchange what goes on, while its events come in between."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from adapters.ami.session import written
from gateway.events.ami.resync import Snapshot
from gateway.events.ami.stream import AmiBlock

ACTIONS = ("CoreShowChannels", "QueueStatus", "ParkedCalls")
LISTED = {"CoreShowChannel": "channels", "QueueEntry": "queue_entries", "ParkedCall": "parked"}
"""The events that lists are made of, by what they are here."""


@dataclass
class SnapshotAnswers:
    """The answers to one such question, as they come; ``number`` tells it from others on the same connection."""

    number: int
    asked_at: int
    channels: list[AmiBlock] = field(default_factory=list)
    queue_entries: list[AmiBlock] = field(default_factory=list)
    parked: list[AmiBlock] = field(default_factory=list)
    refusal: str = ""
    """Why the exchange does not say which channels there are."""
    _open: set[str] = field(default_factory=lambda: set(ACTIONS))

    def actions(self) -> Iterator[bytes]:
        """Yield what is to be sent."""
        return (written(("Action", action), ("ActionID", self._id_of(action))) for action in ACTIONS)

    def is_mine(self, block: AmiBlock) -> bool:
        """Return whether ``block`` belongs to an answer, and keep it then."""
        action = next((each for each in ACTIONS if block.action_id == self._id_of(each)), None)
        if action is None:
            return False
        if block.is_response:
            self._responds(action, block)
        elif block.get("EventList").lower() == "complete" or block.event.endswith("Complete"):
            self._open.discard(action)
        elif block.event in LISTED:
            getattr(self, LISTED[block.event]).append(block)
        return True

    def is_complete(self) -> bool:
        """Return whether nothing more comes."""
        return not self._open

    def snapshot(self) -> Snapshot:
        """Return what came."""
        return Snapshot(self.channels, self.queue_entries, self.parked, self.asked_at)

    def _id_of(self, action: str) -> str:
        return f"gw-snapshot-{self.number}-{action}"

    def _responds(self, action: str, block: AmiBlock) -> None:
        """Note a refusal: an exchange without the module of queues or parking has none of them."""
        if block.get("Response") != "Success":
            self._open.discard(action)
            if action == ACTIONS[0]:
                self.refusal = block.get("Message") or block.get("Response")
