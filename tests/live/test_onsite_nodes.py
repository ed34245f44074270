"""A gateway on site whose main gateway is two nodes on one PostgreSQL: any of them takes events and gives orders."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass

import pytest

from tests.live.conftest import DATABASES, LiveGateway, start_gateway
from tests.live.groups import kill_group
from tests.live.onsite_office import WAIT_S, OnsiteOffice, Wire, onsite_office
from tests.live.processes import until
from tests.postgresql import FreshDatabase

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]


@dataclass
class TwoNodes:
    """Both nodes; the site reaches them by ``balancer``, which gives each connection to the next of them."""

    office: OnsiteOffice
    other: LiveGateway
    balancer: Wire

    @property
    def nodes(self) -> tuple[LiveGateway, LiveGateway]:
        return self.office.main, self.other


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TwoNodes]:
    folder = tmp_path_factory.mktemp("onsite-nodes")
    database = DATABASES[folder / "data"] = FreshDatabase()
    server = f'database = "{database.url}"\naccept_loss = true'
    with onsite_office(folder, timeout_s=8, server=server) as office:
        other = start_gateway(folder / "other-data", config=office.main.config)
        with closing(Wire(office.main.port, other.port)) as balancer:
            made = TwoNodes(office, other, balancer)
            try:
                office.url = f"http://127.0.0.1:{balancer.port}"
                office.add_site()
                office.start_site()
                office.wait_heard()
                office.wait_connected()
                yield made
            finally:
                kill_group(made.other.process)


def test_events_and_orders_go_by_either_node(two: TwoNodes) -> None:
    office = two.office
    office.ring(30)
    office.wait_logged()
    assert office.logged() == office.told
    numbers = [f"473210{place:04}" for place in range(6)]
    for place, number in enumerate(numbers):
        told = office.click(number, at=two.nodes[place % 2])[1]
        assert told["outcome"] == "accepted", told
    assert office.appliance.numbers() == numbers
    assert all(two.balancer.reached[node.port] for node in two.nodes)


def test_a_node_that_is_killed_loses_no_event_and_the_other_dials_on(two: TwoNodes) -> None:
    office = two.office
    office.ring(10)
    kill_group(two.other.process)
    office.ring(10)
    office.wait_logged()
    assert office.logged() == office.told
    until(office.is_brought, "nothing waits at the site", timeout_s=WAIT_S)
    office.wait_connected()
    office.appliance.asked.clear()
    until(lambda: office.click("4732119999")[1]["outcome"] == "accepted", "it dials", timeout_s=WAIT_S)
    two.other = start_gateway(two.other.data, config=office.main.config, port=two.other.port)
    assert office.click("4732119998", at=two.other)[1]["outcome"] == "accepted"
    assert office.appliance.numbers() == ["4732119999", "4732119998"]
