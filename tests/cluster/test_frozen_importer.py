"""A node freezes in the middle of an import for so long that another begins: the old one writes nothing more."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from gateway.store.imports.runs import DEAD_AFTER_MS
from tests.cluster.cell import wait_for
from tests.cluster.kill import CONTROLS
from tests.cluster.nodes import Node
from tests.cluster.servers import Cluster, cluster

pytestmark = [pytest.mark.cluster, pytest.mark.slow, pytest.mark.timeout(400)]
ACCOUNTS = 40_000
FROZEN_S = 130
SOURCE = """
[tenants.acme]
area_code = "47"
extensions = ["3501-3599"]
[tenants.acme.directory.erp]
source = "csv"
path = "contas.csv"
every = "10s"
"""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two nodes with a source of one name, which says something else at each."""

    database: Cluster
    nodes: list[Node]

    def names(self) -> dict[str, int]:
        """Return how many accounts have which node's name."""
        query = "SELECT left(name, 2), count(*) FROM accounts GROUP BY 1"
        return dict(self.database.primary.query(query))

    def states(self) -> list[str]:
        return [state for (state,) in self.database.primary.query("SELECT state FROM imports ORDER BY id")]


@contextmanager
def pair(folder: Path, environment: dict[str, str]) -> Iterator[Pair]:
    with cluster(folder, standby=False) as database:
        found = Pair(database, [Node(folder, name, environment) for name in ("n1", "n2")])
        try:
            for node in found.nodes:
                lines = f'database = "{database.url()}"\nnode = "{node.name}"'
                node.configure(server=lines, more=SOURCE)
                (node.folder / "contas.csv").write_text(accounts(node.name))
            yield found
        finally:
            for node in found.nodes:
                node.kill()


def accounts(name: str) -> str:
    """Return a file of accounts that are all called so."""
    rows = (f"{number};{name} {number};47{3_000_0000 + number:08d}" for number in range(ACCOUNTS))
    return "codigo;nome;telefone\n" + "\n".join(rows)


def freeze_in_the_middle(found: Pair) -> None:
    """Let the first node begin, freeze it with its import, and let the second one take over and come to its end."""
    first, second = found.nodes
    first.begin()
    first.wait()
    assert wait_for(lambda: found.names().get("n1", 0) > 0, 60), first.told()
    first.freeze()
    frozen_at = time.monotonic()
    assert found.names()["n1"] < ACCOUNTS, "it was over before it was frozen"
    # What it imports once it goes on says the same as the second one's: only the import that was frozen says "n1".
    (first.folder / "new.csv").write_text(accounts("n2"))
    (first.folder / "new.csv").replace(first.folder / "contas.csv")
    second.begin()
    second.wait()
    assert wait_for(lambda: "done" in found.states(), FROZEN_S + 120), (found.states(), second.told())
    assert time.monotonic() - frozen_at > DEAD_AFTER_MS / 1000
    time.sleep(max(0.0, frozen_at + FROZEN_S - time.monotonic()))
    assert found.names() == {"n2": ACCOUNTS}
    first.thaw()


@pytest.mark.acceptance(15)
def test_an_importer_that_was_frozen_writes_nothing_over_its_successor_s(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    with pair(tmp_path, {}) as found:
        freeze_in_the_middle(found)
        assert wait_for(lambda: bool(found.nodes[0].said("import_failed")), 60), found.nodes[0].told()
        record_property("figure", f"{found.names()}, runs {found.states()}")
        assert found.names() == {"n2": ACCOUNTS}
        assert found.states()[0] == "failed"


@pytest.mark.control(15)
def test_without_the_fence_it_would(tmp_path: Path) -> None:
    with pair(tmp_path, {"PYTHONPATH": str(CONTROLS / "no_import_fence")}) as found:
        freeze_in_the_middle(found)
        assert wait_for(lambda: found.names().get("n1", 0) > 0, 60), found.nodes[0].told()
