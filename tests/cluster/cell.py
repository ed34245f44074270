"""A cell: PostgreSQL servers, nodes, an appliance, clients and their history; what happened is checked at the end."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from gateway.clock import milliseconds
from gateway.logins.passwords import hash_password
from gateway.store.database import open_database
from gateway.store.directory import Agent, Directory
from gateway.store.writing.journal import Journal
from tests.cluster.appliance import Pbx
from tests.cluster.checker import Findings, check
from tests.cluster.clients import Clicker, Client, Exchange, Screen
from tests.cluster.history import History, LoggedRow, OrderRow, Stored, seq_of
from tests.cluster.nodes import Node, start_all
from tests.cluster.servers import Cluster, cluster

LOGIN, PASSWORD = "ana", "segredo-da-ana"
CATCH_UP_S = 40


@dataclass
class Cell:
    """Everything that runs; ``clients`` are those that were started."""

    folder: Path
    database: Cluster
    nodes: Sequence[Node]
    tenants: Sequence[str]
    pbx: Pbx
    history: History
    clients: list[Client] = field(default_factory=list)

    def add_agents(self) -> None:
        """Let Ana log in at each company, at extension 3501."""
        hashed = hash_password(PASSWORD)
        with closing(open_database(self.folder / "agents", self.database.url())) as database:
            journal = Journal(database)
            journal.start()
            directory = Directory(database.engine, journal)
            for tenant in self.tenants:
                directory.save_agent(Agent(0, tenant, LOGIN, "Ana", "3501"), hashed, milliseconds())
            journal.stop()

    def open_screens(self, count: int) -> None:
        """Open screens of all companies in turn, each at another node, and wait until they are open."""
        screens = [
            Screen(self.history, self.nodes, self.tenants[i % len(self.tenants)], i, login=LOGIN, password=PASSWORD)
            for i in range(count)
        ]
        self.begin(screens)
        for screen in screens:
            assert screen.is_open.wait(30), f"{screen.name} was not opened: {self.logs()}"

    def send(self, *, per_s: float, clickers: int = 0, tenants: Sequence[str] = ()) -> None:
        """Let an exchange of each company send ``per_s`` events a second, and some CRMs two orders a second.

        ``tenants``: those whose exchanges are to send, where not all of them are. None may begin twice.
        """
        chosen = tenants or self.tenants
        self.begin([Exchange(self.history, self.nodes, name, i, per_s=per_s) for i, name in enumerate(chosen)])
        self.begin(
            [
                Clicker(self.history, self.nodes, self.tenants[i], i, per_s=2)
                for i in range(min(clickers, len(self.tenants)))
            ]
        )

    def begin(self, clients: Sequence[Client]) -> None:
        """Start ``clients``, which are ended with the others."""
        for client in clients:
            client.start()
        self.clients += clients

    def until_acknowledged(self, count: int, within_s: float = 60) -> None:
        """Wait until ``count`` events in all have been acknowledged."""
        deadline = time.monotonic() + within_s
        while len(self.history.acknowledged()) < count:
            assert time.monotonic() < deadline, f"{len(self.history.acknowledged())} of {count}: {self.logs()}"
            time.sleep(0.05)

    def quiet(self) -> None:
        """End exchanges and CRMs."""
        for client in self.clients:
            client.going = client.going and isinstance(client, Screen)
        for client in self.clients:
            if not isinstance(client, Screen):
                client.end()

    def finish(self) -> Findings:
        """End exchanges and CRMs, let screens catch up, end them, and return what was wrong. Raises ``AssertionError``
        when a node took no part: then it was not tested at all.
        """
        self.quiet()
        idle = {node.name for node in self.nodes} - self.history.nodes()
        assert not idle, f"{idle} acknowledged nothing\n{self.logs()}"
        wait_for(self._have_caught_up, CATCH_UP_S)
        for client in self.clients:
            client.end()
        self.clients.clear()
        return check(self.history, self.stored())

    def _have_caught_up(self) -> bool:
        newest: dict[tuple[str, str], int] = {}
        for row in self.stored().events:
            newest[row.tenant, row.extension] = max(newest.get((row.tenant, row.extension), 0), row.seq)
        return all(
            seq_of(screen.position or "0") >= newest.get((screen.tenant, screen.extension), 0)
            for screen in self.history.screens
        )

    def stored(self) -> Stored:
        query = self.database.writable.query
        events = query(
            "SELECT tenant, seq, kind, extension, call_id, coalesce(payload::json->>'number', '') FROM events"
        )
        orders = query("SELECT tenant, request_key, digits, outcome FROM orders")
        heads = query("SELECT tenant, seq FROM heads")
        return Stored([LoggedRow(*row) for row in events], [OrderRow(*row) for row in orders], heads=dict(heads))

    def logs(self) -> str:
        return "\n".join(f"--- {node.name}\n{node.told()}" for node in self.nodes)


@contextmanager
def cell(
    folder: Path,
    *,
    nodes: int = 3,
    tenants: int = 12,
    workers: int = 1,
    server: str = "",
    limits: str = "",
    delay_s: float = 0.0,
    standby: bool = True,
    synchronous: bool = True,
    environment: dict[str, str] | None = None,
    pbx_takes_s: float = 0.0,
    on: AbstractContextManager[Cluster] | None = None,
) -> Iterator[Cell]:
    """A running cell in ``folder``; ``server`` has more lines for ``[server]``. Its logs stay there.

    ``on``: the servers, where they are not to be made here.
    """
    history = History()
    names = [f"t{number:02d}" for number in range(1, tenants + 1)]
    with ExitStack() as stack:
        pbx = stack.enter_context(Pbx(history, takes_s=pbx_takes_s).serving())
        servers = on or cluster(folder, delay_s=delay_s, standby=standby, synchronous=synchronous)
        database = stack.enter_context(servers)
        found = Cell(
            folder, database, [Node(folder, f"n{i + 1}", environment) for i in range(nodes)], names, pbx, history
        )
        stack.callback(_end, found)
        for node in found.nodes:
            lines = f'database = "{database.url()}"\nnode = "{node.name}"\n{server}'
            node.configure(server=lines, workers=workers, tenants=names, appliance=pbx.port, limits=limits)
        start_all(found.nodes)
        found.add_agents()
        yield found


def _end(cell: Cell) -> None:
    for client in cell.clients:
        client.going = False
    for node in cell.nodes:
        node.kill()


def wait_for(condition: Callable[[], bool], within_s: float, *, every_s: float = 0.2) -> bool:
    """Return whether ``condition`` came true within ``within_s`` seconds, looked at each ``every_s``."""
    deadline = time.monotonic() + within_s
    while not (met := condition()) and time.monotonic() < deadline:
        time.sleep(every_s)
    return met
