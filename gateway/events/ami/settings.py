"""What the interpreter has to be told of an exchange."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

from gateway.domain.messages import Origin, SourceMark
from gateway.events.ami.endpoints import EndpointRules

RING_WAIT_MS = 300
"""How long a ring waits that is undecided: a forward, a refusal or a busy signal follows within milliseconds, and a
phone that sends 183 never says that it rings (recorded)."""
SETTLE_MS = 250
"""How long the end of a leg waits for what it means: an answer elsewhere, a transfer, the end of the whole call."""
HANDOFF_MS = 2_000
"""How long a blind transfer waits to be seen where it goes on."""
IDLE_MS = 2 * 3600 * 1000
"""A call of which nothing was heard for so long is asked for."""
LONGEST_CALL_MS = 24 * 3600 * 1000
"""A call of which nothing was heard for so long is over, if the exchange cannot be asked."""
MOST_CHANNELS = 20_000


@dataclass(frozen=True, slots=True)
class InterpreterSettings:
    """``tenant``, ``source`` (the name in which ids are kept) and ``client`` stand in every message.

    ``recording_url`` is the address of a recording, in which ``{{ path }}``, ``{{ name }}`` and ``{{ id }}`` stand for
    the file's path below ``recording_folder``, its name and the call's id; empty: no address is told.

    Of an exchange of several companies, calls that reach none of this one's phones are its own where they begin in one
    of its ``contexts`` or at one of its ``lines``; with neither, all are.
    """

    tenant: str
    source: str
    client: str
    rules: EndpointRules = field(default_factory=EndpointRules)
    wire: str = "ami"
    queue_names: Mapping[str, str] = field(default_factory=dict)
    recording_url: str = ""
    recording_folder: str = ""
    ring_wait_ms: int = RING_WAIT_MS
    settle_ms: int = SETTLE_MS
    most_channels: int = MOST_CHANNELS
    idle_ms: int = IDLE_MS
    longest_call_ms: int = LONGEST_CALL_MS
    contexts: frozenset[str] = frozenset()
    lines: re.Pattern[str] | None = None

    @property
    def is_shared(self) -> bool:
        """Whether the exchange is other companies' as well."""
        return bool(self.contexts) or self.lines is not None

    def is_own(self, context: str, line: str) -> bool:
        """Return whether a call is the company's that began in ``context`` and called the number ``line``."""
        return context in self.contexts or (self.lines is not None and self.lines.fullmatch(line) is not None)

    @property
    def origin(self) -> Origin:
        """Where every message comes from."""
        return Origin(self.wire, self.client, mark=SourceMark(self.source))

    @property
    def order_prefix(self) -> str:
        """What the ids of channels begin with that were ordered by click-to-call."""
        return f"gw-{self.tenant}-"

    def recording_address(self, path: str, call_ref: str) -> str | None:
        """Return where the recording in the file ``path`` can be fetched; None where nobody said."""
        if not self.recording_url or not path:
            return None
        folder = self.recording_folder.rstrip("/") + "/"
        below = path[len(folder) :] if len(folder) > 1 and path.startswith(folder) else path.lstrip("/")
        facts = {"path": quote(below), "name": quote(path.rsplit("/", 1)[-1], ""), "id": quote(call_ref, "")}
        return re.sub(r"\{\{\s*(path|name|id)\s*\}\}", lambda found: facts[found[1]], self.recording_url)
