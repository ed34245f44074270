"""HAProxy with our configuration before two nodes: one may stop in good order, and no exchange notices."""

import http.client
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.cluster.clients import FAILURES
from tests.cluster.nodes import Node, start_all
from tests.cluster.ports import fixed_port
from tests.live.groups import kill_group
from tests.peers import need
from tests.waiting import until

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(120)]
SAMPLE = Path(__file__).parents[2] / "deploy/haproxy/haproxy.cfg"
RING = "/t/{tenant}/wconnect/WConnect_WSDL_ConsultaRamal.php?token=um-segredo&ramal=3501&telefone=4732{number:06d}"
TOKEN = 'events = { token = "um-segredo" }'
TENANTS = [f"t{number:02d}" for number in range(1, 9)]


@dataclass
class Balanced:
    """HAProxy at ``port``, before ``nodes``, which know nothing of each other."""

    port: int
    nodes: list[Node]

    def ask(self, path: str, **headers: str) -> tuple[int, str]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request("GET", path, headers=headers)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()


@pytest.fixture(scope="module")
def balanced(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Balanced]:
    haproxy = need("haproxy", package="haproxy")
    folder, port = tmp_path_factory.mktemp("balancer"), fixed_port()
    nodes = [Node(folder, name) for name in ("n1", "n2")]
    for node in nodes:
        node.configure(server='drain_s = 2\ntrusted_proxies = ["127.0.0.1"]', tenants=TENANTS, tenant=TOKEN)
    text = SAMPLE.read_text().replace("bind :80\n", f"bind 127.0.0.1:{port}\n").replace("inter 1s", "inter 300ms")
    text = text.replace("maxconn 20000", "maxconn 300")
    for number, node in enumerate(nodes, start=1):
        text = text.replace(f"10.0.0.1{number}:8080", f"127.0.0.1:{node.port}")
    configuration = folder / "haproxy.cfg"
    configuration.write_text(text[: text.index("# The port that mends")])
    start_all(nodes)
    with (folder / "haproxy.log").open("wb") as log:
        process = subprocess.Popen([haproxy, "-f", configuration], stdout=log, stderr=log, start_new_session=True)
    found = Balanced(port, nodes)
    try:
        until(lambda: _answers(found), timeout_s=20)
        yield found
    finally:
        kill_group(process)
        for node in nodes:
            node.kill()


def _answers(found: Balanced) -> bool:
    with suppress(*FAILURES):
        return found.ask("/readyz")[0] == 200
    return False


@dataclass
class Sender(threading.Thread):
    """Sends rings of all companies through the balancer, each once, and notes what was not answered well."""

    balanced: Balanced
    number: int
    going: bool = True
    failed: list[str] = field(default_factory=list)
    sent: int = 0

    def __post_init__(self) -> None:
        super().__init__(daemon=True)

    def __hash__(self) -> int:
        return id(self)

    def run(self) -> None:
        while self.going:
            path = RING.format(tenant=TENANTS[self.sent % len(TENANTS)], number=self.number * 10_000 + self.sent)
            self.sent += 1
            try:
                status, body = self.balanced.ask(path)
            except FAILURES as error:
                status, body = 0, repr(error)
            if status != 200 or not body.startswith("OK"):
                self.failed.append(f"{status} {body}")
            time.sleep(0.02)


def test_a_node_that_stops_in_good_order_fails_no_event(balanced: Balanced) -> None:
    senders = [Sender(balanced, number) for number in range(4)]
    for sender in senders:
        sender.start()
    until(lambda: min(sender.sent for sender in senders) > 20, timeout_s=20)
    leaving = balanced.nodes[0]
    assert leaving.stop() == 0
    sent = [sender.sent for sender in senders]
    until(lambda: all(now.sent > before + 20 for now, before in zip(senders, sent, strict=True)), timeout_s=20)
    leaving.begin()
    leaving.wait()
    until(lambda: _is_used(balanced, leaving), timeout_s=20)
    for sender in senders:
        sender.going = False
        sender.join(30)
    assert [failed for sender in senders for failed in sender.failed] == []


def _is_used(balanced: Balanced, node: Node) -> bool:
    """Return whether the balancer gives events to ``node`` (whose metrics count them)."""
    return "cti_events_total{" in node.get("/metrics")[1]


def test_both_nodes_are_used_and_a_company_stays_with_its_node(balanced: Balanced) -> None:
    until(lambda: all(node.readiness()[0] == 200 for node in balanced.nodes))
    time.sleep(1)
    before = [_events(node) for node in balanced.nodes]
    for number in range(40):
        balanced.ask(RING.format(tenant=TENANTS[number % 8], number=900_000 + number))
    got = [_events(node) - old for node, old in zip(balanced.nodes, before, strict=True)]
    assert sum(got) == 40
    assert min(got) > 0
    assert {count % 5 for count in got} == {0}, "five rings of each company, all at one node"


def _events(node: Node) -> int:
    lines = node.get("/metrics")[1].splitlines()
    return int(sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith("cti_events_total{")))


def test_the_client_s_address_is_what_the_balancer_says(balanced: Balanced) -> None:
    """Nobody gets in by writing the address of the office into a header, and this machine is no exception."""
    ring = RING.format(tenant="t01", number=999_999).replace("token=", "x=")
    status, body = balanced.ask(ring, **{"X-Forwarded-For": "192.168.0.10"})
    assert status == 403
    assert "127.0.0.1" in body
    assert "192.168.0.10" not in body


def test_metrics_are_each_node_s_own(balanced: Balanced) -> None:
    assert balanced.ask("/metrics")[0] == 403
