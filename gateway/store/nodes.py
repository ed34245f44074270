"""The machines that share a PostgreSQL database: what each says of itself, and how far their clocks are apart."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, delete, select, text
from sqlalchemy.dialects.postgresql import insert

from gateway.clock import milliseconds
from gateway.store import tables

nodes = tables.nodes
GONE_AFTER_MS = 60_000
"""A node that has said nothing for so long does not run."""
FORGOTTEN_AFTER_MS = 7 * 86_400_000
LONGEST_LOOK_MS = 1_000
"""An answer that took longer says too little of the other clock."""
NOW = "(extract(epoch FROM clock_timestamp()) * 1000)::bigint"


@dataclass(frozen=True, slots=True)
class Node:
    """What a node said of itself last. ``clock_skew_ms``: its clock less the database's."""

    name: str
    version: str
    configuration: str
    clock_skew_ms: int
    seen_at: int = 0


class Nodes:
    """The nodes of the PostgreSQL database of ``engine``. Everything raises what the driver raises."""

    def __init__(
        self,
        engine: Engine,
        *,
        wall: Callable[[], int] = milliseconds,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        # Several processes of a node write its row: who comes second waits for the first, and is no error.
        self._engine = engine.execution_options(isolation_level="READ COMMITTED")
        self._wall, self._steady = wall, steady

    def skew_ms(self) -> int | None:
        """Return our clock less the database's; None where the answer took too long to tell."""
        with self._engine.connect() as connection:
            connection.execute(text("SELECT 1"))  # so that connecting is not measured
            began, ours = self._steady(), self._wall()
            theirs = self._now(connection)
            took_ms = (self._steady() - began) * 1000
        return None if took_ms > LONGEST_LOOK_MS else round(ours + took_ms / 2 - theirs)

    def tell(self, node: Node) -> int:
        """Write down what ``node`` says of itself, and remove nodes that have not run for a week; return when.

        A failover may undo it: the next time comes soon.
        """
        facts = {name: getattr(node, name) for name in ("name", "version", "configuration", "clock_skew_ms")}
        with self._engine.begin() as connection:
            # Never wait for a standby: who reads this does not depend on it.
            connection.execute(text("SET LOCAL synchronous_commit = off"))
            wanted = insert(nodes).values(seen_at=text(NOW), **facts)
            told = wanted.on_conflict_do_update(index_elements=["name"], set_=dict(wanted.excluded))
            at: int = connection.execute(told.returning(nodes.c.seen_at)).scalar_one()
            connection.execute(delete(nodes).where(nodes.c.seen_at < at - FORGOTTEN_AFTER_MS))
            return at

    def leave(self, name: str, told_at: int) -> None:
        """Have the node ``name`` be gone at once, unless another process of it has told of it after ``told_at``."""
        with self._engine.begin() as connection:
            connection.execute(text("SET LOCAL synchronous_commit = off"))
            connection.execute(delete(nodes).where(nodes.c.name == name, nodes.c.seen_at <= told_at))

    def running(self) -> Sequence[Node]:
        """Return the nodes that have told of themselves within the last minute and have not left, by name."""
        with self._engine.connect() as connection:
            since = self._now(connection) - GONE_AFTER_MS
            query = select(nodes).where(nodes.c.seen_at >= since).order_by(nodes.c.name)
            return [Node(*row) for row in connection.execute(query)]

    def _now(self, connection: Connection) -> int:
        return int(connection.execute(text(f"SELECT {NOW}")).scalar_one())
