"""An office that nobody reaches, and a main gateway in a cloud: the site connects out, and all works."""

import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.live.conftest import LiveGateway, command, wait_ready
from tests.live.networks import CLOUD, OFFICE, ROUTER_INSIDE, Networks, in_network, networks
from tests.live.onsite_office import MAIN, OnsiteOffice, Wire, dialling_server, ended_with_logs, exchange_of
from tests.live.processes import spawn

PORT = 8080


@pytest.fixture(scope="module")
def parted() -> Iterator[Networks]:
    with networks() as made:
        yield made


def start_main(folder: Path, network: str) -> LiveGateway:
    config, data = folder / "gateway.toml", folder / "data"
    config.write_text(MAIN.format(workers=1, timeout_s=12, server=""))
    serve = [*command(), "serve", "--listen", f"{CLOUD}:{PORT}", "--config", str(config), "--data", str(data)]
    process = spawn(["ip", "netns", "exec", network, *serve], folder, "main.log")
    gateway = LiveGateway(process, PORT, data, config, folder / "main.log", host=CLOUD)
    with in_network(network):
        wait_ready(gateway, 60)
    return gateway


@pytest.fixture(scope="module")
def office(parted: Networks, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OnsiteOffice]:
    folder = tmp_path_factory.mktemp("networks")
    main = start_main(folder, parted.cloud)
    with in_network(parted.router):
        wire = Wire(PORT, to=CLOUD, host=ROUTER_INSIDE)
    with in_network(parted.office), exchange_of() as (ami, ami_port, appliance), dialling_server(appliance) as port:
        made = OnsiteOffice(main, folder, ami, appliance, (ami_port, port))
        made.url, made.more = f"http://{ROUTER_INSIDE}:{wire.port}", "allow_http = true\n"
        made.prefix = ("ip", "netns", "exec", parted.office)
        with closing(wire), ended_with_logs(made):
            made.add_site()
            made.start_site()
            made.wait_heard()
            made.wait_connected()
            yield made


def reaches(network: str, address: str, port: int) -> bool:
    with in_network(network):
        try:
            socket.create_connection((address, port), timeout=2).close()
        except OSError:
            return False
        return True


def test_nobody_outside_reaches_the_office(parted: Networks, office: OnsiteOffice) -> None:
    for port in (*office.ports, PORT, 22):
        assert not reaches(parted.cloud, OFFICE, port)
    assert not reaches(parted.office, CLOUD, PORT)  # nor does the office reach more than its router
    assert reaches(parted.office, "127.0.0.1", office.ports[0])


def test_its_calls_are_logged_in_the_cloud_and_its_exchange_dials(office: OnsiteOffice) -> None:
    office.ring(20)
    office.wait_logged()
    assert office.logged() == office.told
    ordered = office.dial("4732100001")
    assert (office.outcome(ordered), ordered.returncode)[1] == 0
    assert office.appliance.numbers() == ["4732100001"]
