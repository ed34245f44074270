"""What is known of an exchange at a moment: its channels, the calls that they are parts of, who is in which bridge.

A call is what shares a Linkedid. Calls are joined where Asterisk joins them: a consultation, a pickup or a retrieved
call has an id of its own until it enters the other's bridge. Times are milliseconds since 1970 UTC.
"""

from collections import OrderedDict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from gateway.domain.messages import Direction
from gateway.events.ami.endpoints import ChannelKind, Endpoint, half_of, wire_of

MOST_GONE = 5_000
"""Ids of channels that were hung up: what still comes of them is no new call."""
OF_THE_PARTY = (
    *("name", "endpoint", "number", "caller_name", "exten", "context", "state", "dialled", "was_called", "result"),
    *("forwarded", "hangup_asked", "picked_up", "handed_on"),
)
"""What goes with a party that gets another channel; the id, the call and the bridge are the channel's."""


@dataclass(slots=True)
class LegEnding:
    """The end of a leg that is told when ``due``, unless what comes says that it means something else."""

    due: int
    moment: int
    result: str
    cause: str = ""
    refused: bool = False
    """Whether the extension itself ended it: that stays so, whoever takes the call then."""


@dataclass(slots=True)
class Handoff:
    """A blind transfer by ``extension``, until it is seen where the call goes on."""

    extension: str
    moment: int
    due: int


@dataclass(slots=True, eq=False)
class AmiLeg:
    """A call at one extension, by whichever of its channels: a phone may have several."""

    extension: str
    ringing: set[str] = field(default_factory=set)
    up: set[str] = field(default_factory=set)
    rang_at: int | None = None
    due: int | None = None
    """When a ring is told that nothing has decided until then."""
    told: bool = False
    """Whether others know that it goes on."""
    answered: bool = False
    held: bool = False
    ending: LegEnding | None = None
    last: str = ""
    """The channel that was the last to leave it."""

    @property
    def is_open(self) -> bool:
        return bool(self.ringing or self.up)

    def close(self) -> None:
        """Note that nobody is told of it any more: its end was told, or is by what others were told."""
        self.told = self.answered = self.held = False
        self.due = self.ending = None


@dataclass(slots=True, eq=False)
class AmiCall:
    """A call as the exchange has it. ``owner`` is the extension that made it, ``number`` the other party."""

    ref: str
    began_at: int
    heard_at: int
    ids: set[str] = field(default_factory=set)
    """The Linkedids that it has, or had before it was joined with another."""
    channels: "dict[str, AmiChannel]" = field(default_factory=dict)
    legs: dict[str, AmiLeg] = field(default_factory=dict)
    direction: Direction | None = None
    owner: str = ""
    number: str = ""
    caller_name: str = ""
    line: str = ""
    queue: str = ""
    originated: bool = False
    is_order: bool = False
    is_own: bool = True
    """Whether it is known to be the company's: others may share the exchange."""
    told: bool = False
    answered: bool = False
    is_queued: bool = False
    gave_up_due: int | None = None
    """Until when it is undecided whether its caller gave up, or the queue did."""
    left_queue_at: int = 0
    abandoned: bool = False
    handoff: Handoff | None = None
    result: str = ""
    cause: str = ""
    up_after_ring: bool = False
    hung_up_by: str = ""
    hung_up_at: int = 0
    recording: str = ""
    application: str = ""

    def leg(self, extension: str) -> AmiLeg:
        """Return the leg at ``extension``, made if there is none."""
        return self.legs.setdefault(extension, AmiLeg(extension))

    @property
    def is_undecided(self) -> bool:
        """Whether a ring waits to be told."""
        return any(leg.due is not None for leg in self.legs.values())

    def due(self) -> int | None:
        """Return when something is to be told of it at the latest, if nothing comes before."""
        dues = [self.gave_up_due, *(leg.due for leg in self.legs.values())]
        if not self.is_undecided:  # ends wait for a ring that may be what they mean
            dues += [leg.ending.due for leg in self.legs.values() if leg.ending]
            dues += [self.handoff.due if self.handoff else None]
        return min((due for due in dues if due is not None), default=None)


@dataclass(slots=True, eq=False)
class AmiChannel:
    """One party's line: what it was called when it was first seen, and what is known of it now."""

    uniqueid: str
    name: str
    endpoint: Endpoint
    call: AmiCall
    seen_at: int
    number: str = ""
    caller_name: str = ""
    exten: str = ""
    context: str = ""
    state: str = ""
    bridge: str | None = None
    dialled: str = ""
    was_called: bool = False
    result: str = ""
    forwarded: bool = False
    hangup_asked: bool = False
    picked_up: bool = False
    handed_on: bool = False
    """Whether its party transferred the call: what still comes of it means nothing."""

    @property
    def is_phone(self) -> bool:
        return self.endpoint.kind is ChannelKind.PHONE

    @property
    def is_trunk(self) -> bool:
        return self.endpoint.kind is ChannelKind.TRUNK

    @property
    def is_party(self) -> bool:
        return self.endpoint.kind is not ChannelKind.INNER

    @property
    def extension(self) -> str:
        return self.endpoint.extension


@dataclass(slots=True)
class AmiBridge:
    """Who is in a bridge, and its type: only in a ``basic`` one two parties speak."""

    kind: str = "basic"
    members: dict[str, AmiChannel] = field(default_factory=dict)


class Recent:
    """The last ids of a kind, so many at most."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._ids: OrderedDict[str, None] = OrderedDict()

    def add(self, name: str) -> None:
        self._ids[name] = None
        self._ids.move_to_end(name)
        if len(self._ids) > self._most:
            self._ids.popitem(last=False)

    def __contains__(self, name: object) -> bool:
        return name in self._ids


class Switchboard:
    """Channels by id and name, calls by id, bridges, and the wires that Local channels are."""

    def __init__(self, *, is_shared: bool = False) -> None:
        """Take ``is_shared``: calls are other companies' until something shows that they are not."""
        self._is_shared = is_shared
        self.channels: dict[str, AmiChannel] = {}
        self.by_name: dict[str, AmiChannel] = {}
        self.calls: dict[str, AmiCall] = {}
        """By each Linkedid that a call has, or had before it was joined."""
        self.bridges: dict[str, AmiBridge] = {}
        self.wires: dict[str, dict[str, AmiChannel]] = {}
        self.gone = Recent(MOST_GONE)
        self.over = Recent(MOST_GONE)
        """Ids of calls that are over."""

    def open_calls(self) -> Iterable[AmiCall]:
        """Yield each call once."""
        return {id(call): call for call in self.calls.values()}.values()

    def call_of(self, linkedid: str, at: int) -> AmiCall:
        """Return the call with this Linkedid, made if there is none."""
        call = self.calls.get(linkedid)
        if call is None:
            call = self.calls[linkedid] = AmiCall(linkedid, at, at, {linkedid}, is_own=not self._is_shared)
        return call

    def add(self, channel: AmiChannel) -> None:
        self.channels[channel.uniqueid] = channel
        self.by_name[channel.name] = channel
        channel.call.channels[channel.uniqueid] = channel
        if channel.endpoint.wire:
            self.wires.setdefault(channel.endpoint.wire, {})[half_of(channel.name)] = channel

    def other_half(self, name: str) -> AmiChannel | None:
        """Return the other half of the Local channel called ``name``, if it is known."""
        halves = self.wires.get(wire_of(name), {})
        return next((each for half, each in halves.items() if half != half_of(name)), None)

    def remove(self, channel: AmiChannel) -> None:
        """Forget a channel that was hung up; what still comes of it is about nobody."""
        self.leave(channel)
        self.channels.pop(channel.uniqueid, None)
        channel.call.channels.pop(channel.uniqueid, None)
        self._forget_name(channel)
        self.gone.add(channel.uniqueid)

    def _forget_name(self, channel: AmiChannel) -> None:
        if self.by_name.get(channel.name) is channel:
            del self.by_name[channel.name]
        halves = self.wires.get(channel.endpoint.wire, {})
        halves.pop(half_of(channel.name), None)
        if not halves:
            self.wires.pop(channel.endpoint.wire, None)

    def put_in_place(self, party: AmiChannel, place: AmiChannel) -> None:
        """Let ``place`` be the channel of the party of ``party`` from now on, which is nobody's any more."""
        self._forget_name(place)
        self._forget_name(party)
        for name in OF_THE_PARTY:
            setattr(place, name, getattr(party, name))
        self.by_name[place.name] = place
        if place.endpoint.wire:
            self.wires.setdefault(place.endpoint.wire, {})[half_of(place.name)] = place
        party.name, party.endpoint, party.handed_on = "", Endpoint(ChannelKind.INNER), True

    def merge(self, gone: AmiCall, into: AmiCall, at: int) -> None:
        """Make the channels, legs and ids of ``gone`` those of ``into``; what still rings is told anew ``at`` once."""
        for channel in gone.channels.values():
            channel.call = into
            into.channels[channel.uniqueid] = channel
        for leg in gone.legs.values():
            mine = into.leg(leg.extension)
            mine.ringing |= leg.ringing
            mine.up |= leg.up
            if leg.ringing and not mine.told:
                mine.due, mine.rang_at = mine.due or at, mine.rang_at or leg.rang_at
        into.ids |= gone.ids
        self.calls.update(dict.fromkeys(gone.ids, into))
        into.is_own = into.is_own or gone.is_own
        into.recording, into.queue = into.recording or gone.recording, into.queue or gone.queue

    def forget(self, call: AmiCall) -> None:
        """Forget a call that is over, and what is left of its channels."""
        for channel in list(call.channels.values()):
            self.remove(channel)
        for linkedid in call.ids:
            self.over.add(linkedid)
            if self.calls.get(linkedid) is call:
                del self.calls[linkedid]

    def enter(self, channel: AmiChannel, bridge: str, kind: str) -> None:
        self.leave(channel)
        channel.bridge = bridge
        self.bridges.setdefault(bridge, AmiBridge(kind)).members[channel.uniqueid] = channel

    def leave(self, channel: AmiChannel) -> None:
        bridge = self.bridges.get(channel.bridge or "")
        if bridge is not None:
            bridge.members.pop(channel.uniqueid, None)
            if not bridge.members:
                del self.bridges[channel.bridge or ""]
        channel.bridge = None

    def kind_of_bridge(self, channel: AmiChannel) -> str:
        bridge = self.bridges.get(channel.bridge or "")
        return bridge.kind if bridge else ""

    def parties(self, channel: AmiChannel) -> list[AmiChannel]:
        """Return the phones and trunks that are joined with ``channel`` by bridges and wires, itself among them."""
        return [each for each in self._joined(channel) if each.is_party and not each.handed_on]

    def _joined(self, channel: AmiChannel) -> Iterator[AmiChannel]:
        seen, waiting = {channel.uniqueid}, [channel]
        while waiting:
            current = waiting.pop()
            yield current
            for other in self._next_to(current):
                if other.uniqueid not in seen:
                    seen.add(other.uniqueid)
                    waiting.append(other)

    def _next_to(self, channel: AmiChannel) -> Iterator[AmiChannel]:
        bridge = self.bridges.get(channel.bridge or "")
        if bridge is not None and bridge.kind == "basic":
            yield from bridge.members.values()
        yield from self.wires.get(channel.endpoint.wire, {}).values() if channel.endpoint.wire else ()
