"""What ``check`` says of a PostgreSQL database: version, rights, clocks, nodes, and whether it may lose anything."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.server.node_spool import NodeSpool
from gateway.server.node_watch import NOT_READY_FROM_MS, WARN_FROM_MS
from gateway.store.durability import missing_rights, risks, server_version
from gateway.store.revisions import of_this_version
from gateway.texts.text import Text

if TYPE_CHECKING:
    from gateway.server.gateway import Gateway
    from gateway.store.database import Database


@dataclass(frozen=True, slots=True)
class DatabaseCheck:
    """One line of ``check``; ``good`` is None for a warning."""

    good: bool | None
    text: Text


def database_checks(gateway: "Gateway") -> Iterator[DatabaseCheck]:
    """Yield what is to be said of the database; nothing of SQLite. Raises what the driver raises."""
    database = gateway.database
    if database.kind != "postgresql":
        return
    yield DatabaseCheck(True, Text("PostgreSQL {version}", version=server_version(database)))
    yield from _schema(database)
    for refused in missing_rights(database):
        yield DatabaseCheck(False, refused)
    yield from servers_check(database)
    yield from _risks(gateway)
    yield from _nodes(gateway)
    yield from _spool(gateway.spool)


def servers_check(database: "Database") -> Iterator[DatabaseCheck]:
    """Yield a failure where nodes may find one server or another, each of which takes writes."""
    found = database.timelines()
    if len(found) > 1:
        told = Text(
            "several servers take writes: {servers}. Stop the one with the lower timeline, and make it the other's "
            "standby (docs/cluster.md).",
            servers=", ".join(f"{address} (timeline {timeline})" for address, timeline in found.items()),
        )
        yield DatabaseCheck(False, told)


def _schema(database: "Database") -> Iterator[DatabaseCheck]:
    """Yield a warning where a newer version has been at work, which lets this one go on."""
    found, ours = database.revision() or "", of_this_version()
    if found.isdigit() and int(found) > int(ours):
        told = Text(
            "the schema {found} is a newer version's; this one, of {ours}, goes on beside it. Finish the upgrade.",
            found=found,
            ours=ours,
        )
        yield DatabaseCheck(None, told)


def _risks(gateway: "Gateway") -> Iterator[DatabaseCheck]:
    accepted = gateway.config.server.accept_loss
    found = risks(gateway.database)
    for risk in found:
        yield DatabaseCheck(None if accepted else False, risk.text)
    if not found:
        yield DatabaseCheck(True, Text("a synchronous standby has what is acknowledged"))
    elif accepted:
        yield DatabaseCheck(None, Text("server.accept_loss = true: what was acknowledged may be lost."))


def _spool(found: NodeSpool) -> Iterator[DatabaseCheck]:
    """Yield what lies in this node's spool; nothing where it has none."""
    spool = found.spool
    if spool is None:
        return
    if found.writer and not found.takes_events():
        yield DatabaseCheck(False, Text("the spool of this node is full: events get 503 while the database is away."))
    waiting, refused = spool.waiting(), spool.refused()
    told = Text("{waiting} events wait in the spool of this node.", waiting=waiting)
    yield DatabaseCheck(None if waiting else True, told)
    if refused:
        told = Text(
            "{refused} events in the spool of this node could not be written (docs/cluster.md).", refused=refused
        )
        yield DatabaseCheck(None, told)


def _nodes(gateway: "Gateway") -> Iterator[DatabaseCheck]:
    watch = gateway.node_watch
    running = watch.look(tell=False)
    skew_s = watch.skew_ms / 1000
    told = Text("this machine's clock less the database's: {skew} s", skew=f"{skew_s:+.3f}")
    fits = abs(watch.skew_ms) <= WARN_FROM_MS
    yield DatabaseCheck(True if fits else None if abs(watch.skew_ms) <= NOT_READY_FROM_MS else False, told)
    for node in running:
        if node.configuration != watch.digest:
            yield DatabaseCheck(None, Text("node {name} runs with another configuration.", name=node.name))
