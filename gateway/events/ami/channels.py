"""Which channel an event is about: found by its id, or met for the first time, with the call that it belongs to."""

from gateway.domain.messages import Direction
from gateway.events.ami.endpoints import ChannelKind
from gateway.events.ami.life import CallLife
from gateway.events.ami.settings import InterpreterSettings
from gateway.events.ami.state import AmiCall, AmiChannel
from gateway.events.ami.stream import AmiBlock

UNKNOWN = ("<unknown>", "unknown", "")
NO_NUMBER_CALLED = ("", "s", "i", "t", "h", "o")
"""Extensions of the dialplan that are no number that anybody dialled."""
RING = "4"
"""A channel that calls, before it is answered: its extension is still the number that was dialled."""
CALLED_STATES = ("0", "5")
"""A channel that is *Down* or *Ringing* when it is first seen is being called; who calls is *Ring* or *Up*."""


class Channels:
    """Finds the channels of events in what is known of the exchange, and adds those that are new."""

    def __init__(self, life: CallLife) -> None:
        self._life = life
        self._board = life.board
        self.forgotten = 0
        """How many channels were forgotten because there were too many."""

    def known(self, block: AmiBlock, prefix: str = "") -> AmiChannel | None:
        """Return the channel that ``block`` names, if it is known."""
        uniqueid = block.get(f"{prefix}Uniqueid")
        found = self._board.channels.get(uniqueid) if uniqueid else None
        return found or self._board.by_name.get(block.get(f"{prefix}Channel"))

    def get(self, block: AmiBlock, prefix: str, moment: int, at: int) -> AmiChannel | None:
        """Return the channel in the fields of ``block`` that begin with ``prefix``; None where they name none, or one
        that was hung up.
        """
        uniqueid = block.get(f"{prefix}Uniqueid")
        if uniqueid in self._board.gone:
            return None
        channel = self.known(block, prefix)
        if channel is None:
            return self._new(block, prefix, moment, at) if uniqueid and block.get(f"{prefix}Channel") else None
        self._put_with(channel, block.get(f"{prefix}Linkedid"), moment)
        channel.call.heard_at = at
        return channel

    def _put_with(self, channel: AmiChannel, linkedid: str, moment: int) -> None:
        """Join the channel's call with that of the id which it has now."""
        call = channel.call
        if not linkedid or linkedid in call.ids:
            return
        other = self._board.calls.get(linkedid)
        if other is not None:
            self._life.join(call, other, moment)
            return
        call.ids.add(linkedid)
        self._board.calls[linkedid] = call

    def _new(self, block: AmiBlock, prefix: str, moment: int, at: int) -> AmiChannel:
        self._make_room(at)
        uniqueid, name = block.get(f"{prefix}Uniqueid"), block.get(f"{prefix}Channel")
        call = self._call(block.get(f"{prefix}Linkedid"), uniqueid, name, moment)
        channel = AmiChannel(
            uniqueid,
            name,
            self._life.settings.rules.read(name),
            call,
            at,
            number_in(block, prefix),
            name_in(block, prefix),
            block.get(f"{prefix}Exten"),
            block.get(f"{prefix}Context"),
            block.get(f"{prefix}ChannelState"),
        )
        self._board.add(channel)
        call.heard_at = at
        if uniqueid in call.ids:
            begins(call, channel)
            called_at(call, variables_in(block, prefix).get("FROM_DID", ""), self._life.settings)
            call.is_own = call.is_own or channel.context in self._life.settings.contexts
        call.is_own = call.is_own or channel.is_phone
        return channel

    def _call(self, linkedid: str, uniqueid: str, name: str, moment: int) -> AmiCall:
        """Return the call of a new channel; without Linkedid (Asterisk 11) that of the other half of its wire."""
        other = None if linkedid else self._board.other_half(name)
        return other.call if other is not None else self._board.call_of(linkedid or uniqueid, moment)

    def _make_room(self, at: int) -> None:
        """Forget the call that was silent for longest where there are too many channels: their ends were lost."""
        if len(self._board.channels) < self._life.settings.most_channels:
            return
        oldest = min(self._board.open_calls(), key=lambda call: call.heard_at)
        self.forgotten += len(oldest.channels)
        self._life.finish(oldest, at, lost=True)


def begins(call: AmiCall, channel: AmiChannel) -> None:
    """Note who made a call, by its first channel; one that is being called was ordered by a program."""
    if channel.state in CALLED_STATES:
        call.originated = True
        return
    if channel.endpoint.kind is ChannelKind.PHONE:
        call.owner = channel.extension
        call.caller_name = channel.caller_name
    elif channel.endpoint.kind is ChannelKind.TRUNK:
        call.direction, call.number, call.caller_name = Direction.INCOMING, channel.number, channel.caller_name
        called_now = channel.state == RING and channel.exten not in NO_NUMBER_CALLED
        call.line = channel.exten if called_now else ""


def calls_now(channel: AmiChannel, settings: InterpreterSettings) -> None:
    """Note that a channel calls which was *Down* when it was first seen: in Asterisk 11 each one is."""
    call = channel.call
    if channel.was_called or call.told or call.direction is not None or channel.uniqueid not in call.ids:
        return
    call.originated, channel.state = False, RING
    begins(call, channel)
    called_at(call, "", settings)


def called_at(call: AmiCall, line: str, settings: InterpreterSettings) -> None:
    """Note which of the company's numbers was called, if the exchange says so: ``line`` is empty else."""
    call.line = line or call.line
    call.is_own = call.is_own or settings.is_own("", call.line)


def number_in(block: AmiBlock, prefix: str = "") -> str:
    """Return the number of a channel's party; empty where the exchange does not know it."""
    number = block.get(f"{prefix}CallerIDNum")
    return "" if number in UNKNOWN else number


def name_in(block: AmiBlock, prefix: str = "") -> str:
    name = block.get(f"{prefix}CallerIDName")
    return "" if name in UNKNOWN else name


def variables_in(block: AmiBlock, prefix: str = "") -> dict[str, str]:
    """Return the channel variables that the exchange was told to show (``channelvars`` in manager.conf)."""
    pairs = (line.partition("=") for line in block.all(f"{prefix}ChanVariable"))
    return {name.strip(): value for name, _, value in pairs if value}
