"""The settings of Asterisk's manager interface as a source of events."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

from pydantic import Field

from adapters.ami.settings import AmiLoginConfig
from gateway.event_source import SourcePlace
from gateway.events.ami.endpoints import EndpointRules
from gateway.events.ami.settings import InterpreterSettings
from gateway.texts.text import Text

EVENT_CLASSES = "system,call,agent,user"
"""The classes of events in which all stand that mean anything to us; the rest is more than half of the traffic."""


def _setting(default: Any, text: str) -> Any:
    return field(default=default, metadata={"help": text})


@dataclass(frozen=True, kw_only=True)
class AmiSourceConfig(AmiLoginConfig):
    """Where the manager interface is, and what its names of channels mean."""

    username: str = field(
        metadata={"help": "User of manager.conf, with read=system,call,agent,user and write=reporting."}
    )
    phones: str = _setting(
        "",
        "Regular expression of the whole name of a phone's endpoint (PJSIP/NAME); its first group is the extension. "
        "Empty: a name that is one of the company's extensions.",
    )
    endpoints: Mapping[str, str] = field(
        default_factory=dict,
        metadata={"help": 'Extensions of single endpoints that are called otherwise (ramal-sala = "3501").'},
    )
    trunks: Annotated[tuple[str, ...], Field(strict=False)] = _setting(
        (), "Endpoints that lead outside although they look like extensions."
    )
    contexts: Annotated[tuple[str, ...], Field(strict=False)] = _setting(
        (),
        "An exchange of several companies: contexts of the dialplan in which this one's calls begin. With contexts or "
        "lines, calls of others that reach none of its phones are left out.",
    )
    lines: str = _setting(
        "", "The same by the number that was called: a regular expression of the whole number (551133330[0-4]\\d\\d)."
    )
    queues: Mapping[str, str] = field(
        default_factory=dict, metadata={"help": 'Names of queues for people, by the exchange\'s (400 = "Vendas").'}
    )
    recording_url: str = _setting(
        "", "Address of a recording: {{ path }} is its file below recording_folder, {{ name }} the file's name alone."
    )
    recording_folder: str = _setting("", "Folder of the recordings on the exchange, which is no part of {{ path }}.")
    ring_wait_ms: Annotated[int, Field(ge=0, le=5000)] = _setting(
        300, "Milliseconds that a ring waits before it is told, in which a forward or a refusal follows."
    )
    filter_events: bool = _setting(
        True, "Have the exchange send only the events that are needed, where the user has write=system."
    )
    ping_every_s: Annotated[float, Field(ge=0.1, le=300)] = _setting(
        20.0, "Seconds without any event after which the exchange is asked whether it is there."
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        for name, pattern in (("phones", self.phones), ("lines", self.lines)):
            _check_pattern(name, pattern)

    @property
    def events(self) -> str:
        """Return the classes of events that are needed."""
        return EVENT_CLASSES

    def interpreter_settings(self, place: SourcePlace) -> InterpreterSettings:
        """Return what has to be known to understand the exchange's events."""
        rules = EndpointRules(
            re.compile(self.phones) if self.phones else None,
            self.endpoints,
            frozenset(self.trunks),
            place.is_extension,
        )
        return InterpreterSettings(
            tenant=place.tenant,
            source=place.exchange,
            client=self.peer,
            rules=rules,
            wire=place.kind,
            queue_names=self.queues,
            recording_url=self.recording_url,
            recording_folder=self.recording_folder,
            ring_wait_ms=self.ring_wait_ms,
            contexts=frozenset(self.contexts),
            lines=re.compile(self.lines) if self.lines else None,
        )


def _check_pattern(name: str, pattern: str) -> None:
    """Refuse what is no regular expression. Raises ``ValueError``."""
    try:
        re.compile(pattern)
    except re.error as error:
        facts = {"name": name, "pattern": pattern, "why": str(error)}
        raise ValueError(Text("{name} = {pattern!r} is no regular expression: {why}", **facts)) from None
