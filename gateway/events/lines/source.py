"""The source of events that reads lines: settings, the way that lines come, and what is made of them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Protocol

from gateway.adapter import Probe
from gateway.event_source import Report, SourcePlace, Stop
from gateway.events.lines.description import LineDescription
from gateway.events.lines.interpreting import LineInterpreter
from gateway.events.lines.reading import LineReading
from gateway.events.lines.settings import LineSourceConfig, config_for
from gateway.events.lines.transports.connecting import Connecting
from gateway.events.lines.transports.datagrams import Datagrams
from gateway.events.lines.transports.files import GrowingFile
from gateway.events.lines.transports.folders import FolderOfFiles
from gateway.events.lines.transports.listening import Listening
from gateway.mapping.facts import MappingSource


class LineWay(Protocol):
    """A way that lines come."""

    @property
    def peer(self) -> str: ...

    def probe(self) -> Probe: ...

    def run(self, reading: LineReading, report: Report, stop: Stop) -> None: ...


class LineSource:
    """Reads the lines of one exchange."""

    Config: ClassVar[type[Any]] = LineSourceConfig

    def __init__(self, config: LineSourceConfig, place: SourcePlace) -> None:
        self._config, self._place = config, place
        self._description = config.described()
        self._way = _way(config, self._description)

    @staticmethod
    def config_for(settings: Mapping[str, Any], folder: Path | None) -> type[Any]:
        """Return the class of its settings; ``folder`` has the user's own presets."""
        return config_for(folder)

    @property
    def tells_at_once(self) -> bool:
        """Whether a line comes when it is written: nobody knows when files are brought."""
        return not isinstance(self._way, GrowingFile | FolderOfFiles)

    @property
    def peer(self) -> str:
        """Whom it listens to."""
        return self._way.peer

    def probe(self) -> Probe:
        """Check whether lines can come. Never raises for what the peer does."""
        return self._way.probe()

    def run(self, report: Report, stop: Stop) -> None:
        """Read lines until ``stop`` or the end of the connection. Raises ``EventSourceError``."""
        facts = MappingSource(self._place.zone, self._config.extensions)
        interpreter = LineInterpreter(self._description, facts, self._config.date_order)
        self._way.run(LineReading(self._description, interpreter, self._place, report), report, stop)


def _way(config: LineSourceConfig, description: LineDescription) -> LineWay:
    transport, way = description.transport, config.way_of(description)
    if way == "connect":
        return Connecting(config, transport, config.port or transport.port or 0)
    if way == "file":
        return GrowingFile(Path(config.path), from_start=bool(config.from_start))
    if way == "folder":
        files = config.files or transport.files
        return FolderOfFiles(Path(config.path), files, transport.unfinished, from_start=config.from_start is not False)
    address = _address(config.listen or "")
    return Datagrams(config, address) if way == "syslog" else Listening(config, transport, address)


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    return host.strip("[]"), int(port)
