"""One node is upgraded after the other: a newer version changes the schema beneath a node that serves."""

import shutil
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from gateway.store.revisions import MIGRATIONS, of_this_version
from tests.cluster.cell import Cell, cell, wait_for
from tests.cluster.history import Answer
from tests.cluster.kill import CONTROLS

pytestmark = [pytest.mark.cluster, pytest.mark.slow, pytest.mark.timeout(240)]
NEXT = '''"""What a next version might bring

Revises: {head}
"""

import sqlalchemy as sa
from alembic import op

revision = "9000"
down_revision = "{head}"


def upgrade() -> None:
    op.add_column("calls", sa.Column("of_the_next_version", sa.Text()))
    op.add_column("events", sa.Column("of_the_next_version", sa.Integer(), server_default="0", nullable=False))
    op.add_column("orders", sa.Column("of_the_next_version", sa.Integer(), server_default="0", nullable=False))
    op.add_column("agents", sa.Column("of_the_next_version", sa.Integer(), server_default="0", nullable=False))
    op.add_column("nodes", sa.Column("of_the_next_version", sa.Integer(), server_default="0", nullable=False))
    op.create_table("next_things", sa.Column("id", sa.BigInteger(), primary_key=True))
    op.create_index("ix_agents_next", "agents", ["of_the_next_version"])
'''
INDEX = "CREATE INDEX CONCURRENTLY ix_outbox_next ON outbox (settled_at, id)"


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Cell]:
    with cell(tmp_path, nodes=2, tenants=6, server="drain_s = 1") as found:
        yield found


def next_version(folder: Path) -> dict[str, str]:
    """Return the environment of a node of a version with one migration more."""
    shutil.copytree(MIGRATIONS, folder, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "versions/v9000_next.py").write_text(NEXT.format(head=of_this_version()))
    return {"PYTHONPATH": str(CONTROLS / "newer_version"), "NEWER_MIGRATIONS": str(folder)}


def revision(pair: Cell) -> str:
    return str(pair.database.writable.query("SELECT version_num FROM alembic_version")[0][0])


def test_nodes_of_two_versions_serve_beside_each_other_and_lose_nothing(pair: Cell, tmp_path: Path) -> None:
    old, upgraded = pair.nodes
    pair.open_screens(6)
    pair.send(per_s=15, clickers=2, tenants=pair.tenants[:2])
    pair.until_acknowledged(60)
    _go_by_readiness(pair)
    assert upgraded.stop() == 0
    upgraded.environment = next_version(tmp_path / "migrations")
    upgraded.begin()
    upgraded.wait()
    assert revision(pair) == "9000"
    pair.database.writable.query(INDEX)
    _both_go_on(pair, pair.tenants[2:4])
    _go_by_readiness(pair)
    # An old node that is started again: by systemd after a crash, or because the upgrade is taken back.
    assert old.stop() == 0
    old.begin()
    old.wait()
    assert {(said["found"], said["ours"]) for said in old.said("schema_newer")} == {("9000", of_this_version())}
    assert "goes on beside it" in old.cli("check")
    assert revision(pair) == "9000", "the old one left it as it was"
    _both_go_on(pair, pair.tenants[4:])
    assert wait_for(lambda: 'cti_ready{check="writer"} 1.0' in old.get("/metrics")[1], 20)
    findings = pair.finish()
    assert not findings, str(findings)
    refused = [event for event in pair.history.events if event.answer is Answer.REFUSED]
    assert refused == []


def _go_by_readiness(pair: Cell) -> None:
    for client in pair.clients:
        client.only_ready()


def _both_go_on(pair: Cell, tenants: Sequence[str]) -> None:
    """Have two more companies begin, one at each node, and wait until either node has acknowledged 20 more events."""
    since = time.monotonic()
    pair.send(per_s=15, tenants=tenants)

    def enough() -> bool:
        new = [event.node for event in pair.history.acknowledged() if event.at > since]
        return all(new.count(node.name) >= 20 for node in pair.nodes)

    assert wait_for(enough, 60), pair.logs()


def test_a_node_that_stops_is_gone_at_once_for_the_others(pair: Cell) -> None:
    def names() -> list[str]:
        return [name for (name,) in pair.database.writable.query("SELECT name FROM nodes ORDER BY name")]

    assert wait_for(lambda: names() == ["n1", "n2"], 30)
    assert pair.nodes[1].stop() == 0
    assert names() == ["n1"]
