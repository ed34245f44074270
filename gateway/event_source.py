"""What an event source is: whoever goes and gets call events, from an exchange that pushes none.

A source is one class, found by its kind in the entry-point group ``cti_gateway.event_sources``, as an adapter is in its
own. It only reads and understands: who of several processes runs it, the pauses between its attempts, writing its
events down, the traffic log and what people are shown of it belong to ``gateway.events.runner``.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from difflib import get_close_matches
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any, ClassVar, Protocol
from zoneinfo import ZoneInfo

from pydantic import ConfigDict, SecretStr

from gateway.adapter import Probe
from gateway.clock import milliseconds
from gateway.domain.messages import AgentStateChanged, CallMessage, Origin, SourceMark
from gateway.errors import UnknownSourceKind
from gateway.source import setting as setting
from gateway.texts.text import Text

GROUP = "cti_gateway.event_sources"
WEBHOOK = "webhook"
"""The kind of source that sends by itself, which is none of this group."""
CONFIG = ConfigDict(extra="forbid", frozen=True)
"""The ``__pydantic_config__`` of a source's ``Config``: unknown keys are refused."""
PATH = "path"
"""What marks, in the metadata of a field of ``Config``, a path that is seen from the configuration file."""
Heard = CallMessage | AgentStateChanged
"""What a source may tell."""


def _nobody(_text: str) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class SourcePlace:
    """Whose events a source tells, and under which names.

    ``exchange`` is the name in which its ids of calls are kept, ``zone`` that of its times that name none.
    ``is_extension`` says whether a text is an extension of the company, ``clock`` the moment in milliseconds since
    1970 UTC, ``clock_ahead_ms`` by how much an administrator says that its clock is ahead (None: nobody says). A source
    tells moments as its exchange has them; they are put on the gateway's clock by who runs it.
    """

    tenant: str
    name: str
    kind: str
    exchange: str
    zone: ZoneInfo
    is_extension: Callable[[str], bool] = _nobody
    clock: Callable[[], int] = milliseconds
    clock_ahead_ms: int | None = None

    def origin(self, peer: str, mark: SourceMark | None = None) -> Origin:
        """Return where a message comes from that ``peer`` told, such as ``10.0.0.5:5038``."""
        return Origin(self.kind, peer, mark=mark or SourceMark(self.exchange))


class Stop(Protocol):
    """Whether a source is to end: a ``threading.Event``."""

    def is_set(self) -> bool: ...

    def wait(self, timeout: float | None = None) -> bool: ...


class Report(Protocol):
    """What a source tells while it runs, all of it from the thread that runs it."""

    @property
    def memory(self) -> Mapping[str, Any]:
        """What ``remember`` was last given, in this process or in another before it; empty at first."""

    def connected(self, *, nothing_missed: bool = False) -> None:
        """Say that events can be heard now, so that the next attempt begins after a short pause again.

        What happened since the source was last heard may be missing, which people are told; unless
        ``nothing_missed``, where the source begins again where it stopped.
        """

    def message(self, message: Heard) -> None:
        """Have ``message`` written down, in the order in which messages are told, without waiting for the disk.

        Waits while many are not durable yet, so the source does not read on. Raises ``SourceStopped`` when it is
        to end meanwhile.
        """

    def heard(self, data: bytes) -> None:
        """Keep what came in the traffic log, and let other threads have a turn where much is coming."""

    def said(self, data: bytes, secrets: tuple[str, ...] = ()) -> None:
        """Keep what was sent in the traffic log; the source's configured secrets and ``secrets`` are masked."""

    def problem(self, problem: Text, data: bytes = b"") -> None:
        """Say that something which came could not be understood; the source goes on."""

    def remember(self, memory: Mapping[str, Any]) -> None:
        """Keep ``memory`` (small, as JSON) once every message told before is durable: never earlier, a moment later."""


class SourceStopped(Exception):
    """The source is to end, while it waited to tell something. Sources let it pass."""


class EventSource(Protocol):
    """Life cycle: made from its validated config, probed (by any thread), or run (by one thread, many times).

    One with an attribute ``tells_at_once`` that is false tells of calls long after they were: a table, a file.
    """

    Config: ClassVar[type[Any]]
    """A frozen dataclass with help texts in ``metadata["help"]``, ``__pydantic_config__ = CONFIG``, and secrets as
    ``pydantic.SecretStr``. A class method ``config_for(settings, folder)`` may return another one, as an adapter's may.
    """

    def __init__(self, config: Any, place: SourcePlace) -> None:
        """Keep the config. Raises ``ConfigError`` where it cannot be used; connects to nothing."""

    @property
    def peer(self) -> str:
        """Whom it listens to, for people, such as ``10.0.0.5:5038``; never with a secret."""

    def probe(self) -> Probe:
        """Check whether it can be heard, within seconds. Never raises for what the peer does."""

    def run(self, report: Report, stop: Stop) -> None:
        """Make one attempt: connect, say ``report.connected()``, tell what is heard until the connection ends.

        Returns within two seconds of ``stop``. Returns, or raises ``EventSourceError`` that says why, when the
        connection ended or could not be had: it is called again after a pause.
        """


def names() -> list[str]:
    """Return the kinds of all installed event sources, sorted; nothing is imported."""
    return sorted({found.name for found in entry_points(group=GROUP)})


def load(kind: str) -> type[EventSource]:
    """Return the class of sources of ``kind``. Raises ``UnknownSourceKind`` when there is none, or more than one."""
    found: list[EntryPoint] = list(entry_points(group=GROUP, name=kind))
    if len({point.value for point in found}) != 1:
        known = sorted([*names(), WEBHOOK])
        near = get_close_matches(kind, known, n=1)
        raise UnknownSourceKind(kind, known=known, nearest=near[0] if near else None, duplicates=len(found))
    loaded: type[EventSource] = found[0].load()
    return loaded


def config_class(kind: str, settings: Mapping[str, Any], folder: Path | None = None) -> type[Any]:
    """Return the dataclass of the settings of a source of ``kind``; ``folder`` holds the user's own presets.

    Raises ``UnknownSourceKind`` and ``ConfigError``.
    """
    found: Any = load(kind)
    made: type[Any] = found.config_for(settings, folder) if hasattr(found, "config_for") else found.Config
    return made


def path_setting(default: Any, text: str) -> Any:
    """Return a field of a source's ``Config`` that is a path: a relative one is seen from the configuration file."""
    return field(default=default, metadata={"help": text, PATH: True})


def secrets_in(config: Any) -> Iterator[str]:
    """Yield the secrets in a source's config, however deep."""
    if isinstance(config, SecretStr):
        yield config.get_secret_value()
    elif is_dataclass(config):
        for each in fields(config):
            yield from secrets_in(getattr(config, each.name))
    elif isinstance(config, Mapping):
        for value in config.values():
            yield from secrets_in(value)
    elif isinstance(config, list | tuple):
        for value in config:
            yield from secrets_in(value)
