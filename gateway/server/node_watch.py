"""Keeps an eye on what only several nodes on one database can have wrong: clocks that differ, configurations that
differ, and a database that may lose what it acknowledged.
"""

import hashlib
import json
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

import structlog

from gateway import __version__
from gateway.config.display import shown
from gateway.config.tables import Config
from gateway.store.database import Database
from gateway.store.durability import Risk, risks
from gateway.store.nodes import Node, Nodes

log = structlog.get_logger()

LOOK_EVERY_S = 10.0
WARN_FROM_MS = 500
NOT_READY_FROM_MS = 2_000
"""Rules that decide which events are one call look at 2 seconds and more (docs/pairing.md)."""
OWN = ("server", "log", "traffic")
"""Tables of the configuration in which nodes may differ."""


def warn_of_losses(database: Database, config: Config) -> None:
    """Log how ``database`` may lose what it acknowledged, and that this was accepted; for each start."""
    if database.kind != "postgresql":
        return
    if config.server.accept_loss:
        hint = "Without it, 'cti-gateway check' refuses a database that may lose what was acknowledged."
        log.warning("loss_accepted", setting="server.accept_loss", hint=hint)
    found = risks(database)
    if found:
        told = [str(risk.text) for risk in found]
        log.warning("database_may_lose", what=[risk.code for risk in found], because=told)


def configuration_digest(config: Config) -> str:
    """Return a digest of what all nodes must have alike; secrets are not part of it."""
    alike = {name: table for name, table in shown(config).items() if name not in OWN}
    return hashlib.sha256(json.dumps(alike, sort_keys=True).encode()).hexdigest()[:16]


def is_alone_wrong(skew_ms: float, running: Sequence[Node], name: str) -> bool:
    """Return whether it is the clock of the node ``name`` that is wrong, ``skew_ms`` before the database's.

    It is the database's where most nodes agree with us: then all see events in the same order, and would go at once.
    """
    others = [node for node in running if node.name != name]
    agree = sum(abs(node.clock_skew_ms - skew_ms) < NOT_READY_FROM_MS for node in others)
    return not others or (agree + 1) * 2 <= len(others) + 1


class NodeWatch:
    """Looks every 10 s on a thread of its own, once it is started; on SQLite there is nothing to look at.

    ``look`` does so at once. What was seen last stays true while the database cannot be asked.
    """

    def __init__(
        self,
        database: Database,
        config: Config,
        *,
        nodes: Nodes | None = None,
        look_for_risks: Callable[[Database], Sequence[Risk]] = risks,
        every_s: float = LOOK_EVERY_S,
    ) -> None:
        self._database = database
        self._is_watched = database.kind == "postgresql"
        self._nodes = nodes
        self._name = config.server.node_name()
        self.digest = configuration_digest(config)
        self._risks = look_for_risks
        self._every_s = every_s
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="node-watch", daemon=True)
        self._told_at = 0
        self._said: dict[str, object] = {}
        self.skew_ms = 0
        """Our clock less the database's."""
        self.others: Sequence[Node] = ()
        """Nodes that run and have another configuration or version."""
        self.found: Sequence[Risk] = ()
        """How the database may lose what it acknowledged."""
        self.is_clock_right = True

    def start(self) -> None:
        if self._is_watched:
            self._thread.start()

    def stop(self) -> None:
        """Tell the others that this node leaves, and end the thread. Safe to call again."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(2)

    def checks(self) -> Mapping[str, bool]:
        """Return what ``/readyz`` asks, by name of the check; nothing on SQLite."""
        return {"clock": self.is_clock_right} if self._is_watched else {}

    def gauges(self) -> Mapping[str, tuple[str, Callable[[], float]]]:
        """Return what ``/metrics`` shows of it; nothing on SQLite."""
        if not self._is_watched:
            return {}
        return {
            "cti_clock_skew_seconds": ("This node's clock less the database's", lambda: self.skew_ms / 1000),
            "cti_nodes_different": (
                "Nodes on the same database that have another configuration or version",
                lambda: len(self.others),
            ),
            "cti_database_risks": (
                "Ways in which the database may lose what it acknowledged: settings, or no synchronous standby",
                lambda: len(self.found),
            ),
        }

    def look(self, *, tell: bool = True) -> Sequence[Node]:
        """Look at clocks, configurations and risks now; return the nodes that run. Raises what the driver raises.

        With ``tell`` the others are told of us, as of a node that serves.
        """
        nodes = self._nodes = self._nodes or Nodes(self._database.engine)
        skew_ms = nodes.skew_ms()
        if skew_ms is not None:
            self.skew_ms = skew_ms
        if tell:
            self._told_at = nodes.tell(Node(self._name, __version__, self.digest, self.skew_ms))
        running = nodes.running()
        self._judge_clock(running)
        self._judge_configurations(running)
        self._judge_database(self._risks(self._database))
        return running

    def _judge_clock(self, running: Sequence[Node]) -> None:
        is_off = abs(self.skew_ms) > NOT_READY_FROM_MS
        self.is_clock_right = not is_off or not is_alone_wrong(self.skew_ms, running, self._name)
        how = "wrong" if not self.is_clock_right else "database's" if is_off else "skewed"
        hint = "Have all nodes and the database's servers keep time by NTP (chrony, systemd-timesyncd)."
        self._say("clock_skewed", how if abs(self.skew_ms) > WARN_FROM_MS else "", skew_ms=self.skew_ms, hint=hint)

    def _judge_configurations(self, running: Sequence[Node]) -> None:
        ours = (__version__, self.digest)
        self.others = [node for node in running if (node.version, node.configuration) != ours]
        differ = sorted(node.name for node in self.others if node.configuration != self.digest)
        hint = "All tables but [server], [log] and [traffic] must be the same on all nodes."
        self._say("configuration_differs", differ, hint=hint)

    def _judge_database(self, found: Sequence[Risk]) -> None:
        codes = [risk.code for risk in found]
        self._said.setdefault("database_may_lose", codes)  # 'serve' says at the start what is so then
        self.found = found
        self._say("database_may_lose", codes, because=[str(risk.text) for risk in found])

    def _say(self, event: str, what: object, **more: Any) -> None:
        """Log ``event`` when ``what`` is another than before, and its end."""
        if what == self._said.get(event, type(what)()):
            return
        self._said[event] = what
        if what:
            log.warning(event, what=what, **more)
        else:
            log.info(f"{event}_no_more")

    def _run(self) -> None:
        pause_s = 0.0
        while not self._stop.wait(pause_s):
            pause_s = self._every_s
            try:
                self.look()
            except Exception as error:
                log.warning("nodes_not_seen", error=type(error).__name__)
        self._leave()

    def _leave(self) -> None:
        """Be gone at once for the others. Where the database is away they notice after a minute."""
        if self._nodes and self._told_at:
            with suppress(Exception):
                self._nodes.leave(self._name, self._told_at)
