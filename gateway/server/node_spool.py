"""What a node does with events while its database is away: refuse them, or keep them until it is back."""

from collections.abc import Callable, Mapping
from pathlib import Path

import structlog

from gateway.clock import milliseconds
from gateway.config.tables import Config
from gateway.errors import ConfigError, DatabaseNotReached
from gateway.handlers import Core
from gateway.server.loop_runs import wait_of
from gateway.store.database import Database
from gateway.store.spool.draining import SpoolDrain
from gateway.store.spool.file import Spool, SpoolRoom, is_there
from gateway.store.spool.spooling import SpoolingWriter
from gateway.store.writing.journal import Journal
from gateway.texts.text import Text

log = structlog.get_logger()

HOUR_MS = 3_600_000
MEBIBYTE = 1024 * 1024


def bring_up_to_date(database: Database, *, may_wait: bool) -> bool:
    """Bring the schema of ``database`` to this version; return whether it was there. With ``may_wait`` one that is not
    reached is gone on without. Raises ``DataUnusable``.
    """
    try:
        database.upgrade()
    except DatabaseNotReached as error:
        if not may_wait:
            raise
        log.error("started_without_database", reason=error.message, hint="Events are kept; all else gets 503.")
        database.upgrade_later()
        return False
    return True


class NodeSpool:
    """The spool of this node, if it has one: with ``server.spool``, and while an earlier start has left something."""

    def __init__(self, config: Config, database: Database, data: Path, journal: Journal) -> None:
        """Raise ``ConfigError`` where there is nothing that a spool could be for."""
        server = config.server
        self._is_wanted = server.spool
        self.spool: Spool | None = None
        if server.spool and database.kind != "postgresql":
            raise ConfigError(
                Text("server.spool is for a PostgreSQL database, and server.database names none."),
                hint=Text("Remove server.spool: SQLite is on this machine and takes every event itself."),
            )
        if database.kind == "postgresql" and (server.spool or is_there(data)):
            room = SpoolRoom(round(server.spool_mb * MEBIBYTE), round(server.spool_hours * HOUR_MS))
            self.spool = Spool(data, server.node_name(), room, wait_of=wait_of)
        self.writer = SpoolingWriter(journal, self.spool) if self.spool and server.spool else None
        self._journal = journal
        self._data = data
        self._drain: SpoolDrain | None = None

    def start(self, core: Core) -> None:
        """Begin to drain what waits."""
        if self.spool:
            is_quiet: Callable[[], bool] = self.writer.is_quiet if self.writer else lambda: True
            self._drain = SpoolDrain(self._journal, self.spool, self._data, core.draft_of, is_quiet=is_quiet)
            self._drain.start()

    def stop_draining(self) -> None:
        """End to drain, before the journal does. Safe to call again."""
        if self._drain:
            self._drain.stop()

    def close(self) -> None:
        """Close the file, once nothing more may come into it. Safe to call again."""
        if self.spool:
            self.spool.close()

    def takes_events(self) -> bool:
        """Return whether events are taken whatever the database does."""
        return self._is_wanted and self.spool is not None and self.spool.has_room(milliseconds())

    def gauges(self) -> Mapping[str, tuple[str, Callable[[], float]]]:
        """Return the metrics of the spool; zeros where there is none."""
        spool = self.spool
        waiting, refused = (spool.waiting, spool.refused) if spool else (_none, _none)
        return {
            "cti_spooled": ("Events kept on this node until the database is back", waiting),
            "cti_spool_refused": ("Events in this node's spool that the database refused", refused),
        }


def _none() -> int:
    return 0
