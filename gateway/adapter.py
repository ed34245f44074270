"""What an adapter is: the one seam between the gateway and an appliance's protocol.

An adapter is one class in one file, found by its name in the entry-point group ``cti_gateway.adapters``. It only
speaks its protocol: timing of retries, logging and bookkeeping belong to ``relay/outbox_worker.py``.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from copy import copy
from dataclasses import dataclass, field
from difflib import get_close_matches
from enum import StrEnum
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from traceback import extract_tb
from typing import Any, ClassVar, Protocol, TypeGuard

from gateway.domain.event_fields import FIELDS
from gateway.errors import UnknownAdapter, UnknownPreset
from gateway.texts.languages import DEFAULT
from gateway.texts.rendering import render
from gateway.texts.text import Text, verbatim

GROUP = "cti_gateway.adapters"
PRESET = "preset"
"""The adapter that dials by presets."""
ONSITE = "onsite"
"""The adapter that has a gateway on site dial; also the setting that names it."""


class Outcome(StrEnum):
    """How one attempt ended. After *unknown* nothing is ever dialled again by itself: people hate double calls."""

    ACCEPTED = "accepted"
    """The peer said yes."""
    REFUSED = "refused"
    """The peer said no."""
    UNREACHABLE = "unreachable"
    """The request surely did not reach the peer."""
    UNKNOWN = "unknown"
    """Sent, but no clear answer came back."""


EVENT_FIELDS = frozenset(FIELDS)
"""The fields of events, which ``domain/event_fields.py`` describes."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One thing to tell a peer: its ``kind``, our id, text fields.

    ``kind`` is ``dial``, ``hangup``, or an event: ``call_started``, ``call_answered``, ``call_held``, ``call_resumed``,
    ``queue_entered``, ``queue_left``, ``call_noted``, ``call_ended``, ``call_transferred`` (with the fields of the call
    that goes on), or ``agent_state_changed``.

    A ``dial`` has the fields ``extension``, ``number`` (the digits to dial, dial plan applied), ``order_id``,
    ``call_id`` and ``tenant``; a ``hangup`` has those of the order that it ends and ``peer_ref``, the peer's own id
    of the call, empty where the order's answer gave none. The events have the fields of ``domain/event_fields.py``,
    empty where nothing was said of it. Adapters put the fields into their templates, escaped for where they go.
    """

    kind: str
    id: str
    fields: Mapping[str, str]


@dataclass(frozen=True, slots=True, init=False)
class Delivery:
    """What came of one attempt: the outcome, one sentence for people, and the peer's own id if it gave one.

    ``retry_after_s`` is set where the peer said that it cannot now: the seconds that it asked for, 0 if it named none.
    ``kept`` is what the peer said of a call for the call's later events, by names of the adapter's own.
    """

    outcome: Outcome
    text: Text
    peer_ref: str | None
    retry_after_s: float | None
    kept: Mapping[str, str]

    def __init__(
        self,
        outcome: Outcome,
        detail: Text | str,
        peer_ref: str | None = None,
        retry_after_s: float | None = None,
        *,
        kept: Mapping[str, str] | None = None,
    ) -> None:
        """Keep a ``detail`` that is a plain string as it is: nobody can translate it."""
        _set(self, outcome=outcome, text=_sentence(detail), peer_ref=peer_ref)
        _set(self, retry_after_s=retry_after_s, kept=kept or {})

    def keeping(self, kept: Mapping[str, str]) -> "Delivery":
        """Return the same with what is to be ``kept`` of the call."""
        made = copy(self)
        _set(made, kept=kept)
        return made

    @property
    def detail(self) -> str:
        """The sentence in the default language."""
        return render(self.text, DEFAULT)


@dataclass(frozen=True, slots=True, init=False)
class Probe:
    """Whether the peer looks usable, found out without ringing anyone, and one sentence an administrator can act on.

    ``note`` is what else is good to know of how the peer is described (repairs of a WSDL), ``notes`` all of it.
    """

    ok: bool
    text: Text
    note: Text | str
    notes: Sequence[Text | str]

    def __init__(self, ok: bool, detail: Text | str, note: Text | str = "", notes: Sequence[Text | str] = ()) -> None:
        """Keep a ``detail`` that is a plain string as it is: nobody can translate it."""
        _set(self, ok=ok, text=_sentence(detail), note=note, notes=notes)

    @property
    def detail(self) -> str:
        """The sentence in the default language."""
        return render(self.text, DEFAULT)


def _sentence(detail: Text | str) -> Text:
    return detail if isinstance(detail, Text) else verbatim(detail)


def _set(made: Delivery | Probe, **values: Any) -> None:
    for name, value in values.items():
        object.__setattr__(made, name, value)


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a kind of appliance is known to stand. None: nothing is known, so only the configuration limits it."""

    max_orders: int | None = None
    """Orders under way at once."""
    orders_per_s: float | None = None
    """Orders begun in one second, such as 3 of Cisco's WebDialer."""


@dataclass(frozen=True, slots=True)
class WireRequest:
    """The exact bytes that would go to ``peer`` (``host:port``). ``secrets`` are the texts to mask when shown."""

    peer: str
    data: bytes
    secrets: Sequence[str] = field(default=(), repr=False)
    note: Text | str = ""
    """Which of several requests it is, and what in it is not known yet."""

    def shown(self) -> str:
        """Return the request as text for people, with its secrets masked."""
        text = self.data.decode("utf-8", "backslashreplace")
        for secret in self.secrets:
            text = text.replace(secret, "****") if secret else text
        return text


@dataclass(frozen=True, slots=True)
class WireExchange:
    """One request that went out to a peer. ``answer`` has head and body, and is empty where ``problem`` says why."""

    request: WireRequest
    answer: bytes
    problem: Text | str
    took_us: int


Overheard = Callable[[WireExchange], None]
_listener: ContextVar[Overheard | None] = ContextVar("overheard", default=None)


@contextmanager
def overheard(listener: Overheard | None) -> Iterator[None]:
    """Have ``listener`` told of every request that adapters send in this block, by this thread."""
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)


def defect_of(error: BaseException) -> str:
    """Return kind and place of an error that nobody expected, without its own words, which may hold a secret."""
    frames = extract_tb(error.__traceback__)
    place = f", {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}{place}"


def overhearing() -> Overheard | None:
    """Return the listener that wants to be told of requests, or None: adapters ask before they go to the trouble of
    keeping bytes.
    """
    return _listener.get()


class Adapter(Protocol):
    """Life cycle: made from its validated config, probed, asked to preview or deliver (from many threads), closed."""

    Config: ClassVar[type[Any]]
    """A frozen dataclass with help texts in ``metadata["help"]``; secrets are ``pydantic.SecretStr``."""

    def __init__(self, config: Any, *, name: str) -> None: ...

    def probe(self) -> Probe:
        """Check whether the peer can be used, without ringing anybody. Never raises for what the peer does."""

    def preview(self, message: Outgoing) -> Sequence[WireRequest]:
        """Return the exact requests that ``deliver`` would send, without sending them.

        Raises ``gateway.errors.AdapterError`` when the requests cannot be built (a template asks for an unknown
        field, the peer's WSDL cannot be loaded).
        """

    def deliver(self, message: Outgoing) -> Delivery:
        """Make one attempt within the configured timeouts. Never raises for what the peer does."""

    def close(self) -> None:
        """Release connections. The adapter is not used afterwards."""


class HangsUp(Adapter, Protocol):
    """An adapter that may also end a call that it placed, while it rings. Ask ``can_hang_up`` which one does.

    It takes an ``Outgoing`` of the kind ``hangup``, whose request ``preview`` shows like any other.
    """

    can_hang_up: bool
    """Whether this appliance, as it is configured, can: one class may serve those that can and those that cannot."""

    def hangup(self, message: Outgoing) -> Delivery:
        """Ask once that the call be ended. Never raises for what the peer does.

        *Accepted* says that the peer took the order to hang up, *refused* that it did not or knows of no such call.
        """


def can_hang_up(adapter: Adapter) -> TypeGuard[HangsUp]:
    """Return whether ``adapter`` can end a call that it placed."""
    return bool(getattr(adapter, "can_hang_up", False))


def kept_by(adapter: Adapter) -> Collection[str]:
    """Return the names of what ``adapter`` keeps of a call, by its optional attribute ``keeps``; none: nothing.

    It gets those values among the fields of the call's later events, empty where they are not known.
    """
    found: Collection[str] = getattr(adapter, "keeps", ())
    return found


def limits_of(adapter: Adapter) -> Limits:
    """Return what ``adapter`` knows of its appliance's limits, by its optional attribute ``limits``."""
    found: Limits = getattr(adapter, "limits", None) or Limits()
    return found


def longest_of(adapter: Adapter) -> float | None:
    """Return the seconds within which ``deliver`` returns whatever its peer does, by its optional attribute
    ``longest_s``.

    None: it promises nothing, so it is called on a thread that nobody has to wait for.
    """
    found: float | None = getattr(adapter, "longest_s", None)
    return found


def is_idempotent(adapter: Adapter) -> bool:
    """Return whether an event that comes twice does the adapter's peer no harm, by its optional attribute
    ``idempotent``: each letter's id goes with it, and the peer knows it again.
    """
    return bool(getattr(adapter, "idempotent", False))


def carries_time(adapter: Adapter) -> bool:
    """Return whether the adapter's peer is told when an event happened, by its optional attribute ``carries_time``."""
    return bool(getattr(adapter, "carries_time", False))


def unwanted(adapter: Adapter, message: Outgoing) -> Text | None:
    """Return why the adapter's peer is not told of ``message``, by its optional method ``unwanted``; None: it is."""
    asked = getattr(adapter, "unwanted", None)
    found: Text | None = asked(message) if asked else None
    return found


def names() -> list[str]:
    """Return the names of all installed adapters, sorted; nothing is imported."""
    return sorted({found.name for found in entry_points(group=GROUP)})


def load(name: str) -> type[Adapter]:
    """Return the adapter class called ``name``. Raises ``UnknownAdapter`` when there is none, or more than one."""
    found: list[EntryPoint] = list(entry_points(group=GROUP, name=name))
    if len({point.value for point in found}) != 1:
        near = get_close_matches(name, names(), n=1)
        raise UnknownAdapter(name, known=names(), nearest=near[0] if near else None, duplicates=len(found))
    loaded: type[Adapter] = found[0].load()
    return loaded


def only_dials(name: str) -> bool:
    """Return whether the adapter ``name`` places calls and cannot tell a CRM of events, by its attribute
    ``only_dials``.

    False for a name that no adapter has: ``load`` says what is wrong with it.
    """
    return name in names() and bool(getattr(load(name), "only_dials", False))


def webhook_of(preset: str, folder: Path | None = None) -> Any:
    """Return how the preset of this name reads webhooks; ``folder`` holds the user's own presets.

    Raises ``UnknownPreset`` for one that is not there or reads none, and ``ConfigError`` for one that is wrong.
    """
    shelf: Any = load(PRESET)
    found = shelf.catalogue(folder).preset(preset).webhook
    if found is None:
        raise UnknownPreset(preset, text=Text("the preset {name!r} reads no webhooks.", name=preset))
    return found


def forward_of(preset: str, folder: Path | None = None) -> Any:
    """Return how the preset of this name is told of events; ``folder`` holds the user's own presets.

    Raises ``UnknownPreset`` for one that is not there or is told of none, and ``ConfigError`` for one that is wrong.
    """
    shelf: Any = load(PRESET)
    return shelf.forward_of(preset, folder)


def check_dials(preset: str, folder: Path | None = None) -> None:
    """Raise ``UnknownPreset`` where the preset of this name is not there or does not dial. Raises ``ConfigError``."""
    shelf: Any = load(PRESET)
    shelf.check_dials(preset, folder)


def config_class(name: str, settings: Mapping[str, Any], folder: Path | None = None) -> type[Any]:
    """Return the dataclass of the settings of the adapter ``name``.

    An adapter whose settings depend on one of them has a class method ``config_for(settings, folder)`` that makes it;
    ``folder`` holds the user's own presets. Raises ``UnknownAdapter`` and ``ConfigError``.
    """
    found: Any = load(name)
    made: type[Any] = found.config_for(settings, folder) if hasattr(found, "config_for") else found.Config
    return made
