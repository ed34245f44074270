"""docs/cluster.md is followed word for word by somebody who knows nothing else: two nodes, a standby, a balancer."""

import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.cluster.machines import Machine, blocks, machines
from tests.waiting import until

pytestmark = [pytest.mark.cluster, pytest.mark.slow, pytest.mark.timeout(900)]
ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/cluster.md"
SOURCE = "/usr/src/cti-gateway"
DEBIAN = """
make-ssl-cert generate-default-snakeoil
pg_dropcluster --stop 15 main
pg_createcluster --start 15 main
"""
"""What the packages postgresql and ssl-cert do when they are installed."""
JOURNAL = "/var/log/cti-gateway.journal"
WITHIN_S = 120
NONE: Mapping[str, str] = {}


@dataclass(frozen=True)
class Site:
    """All machines, and what the page says."""

    machines: Mapping[str, Machine]
    told: Mapping[str, str]

    def do(self, block: str, *names: str, outside: bool = False, words: Mapping[str, str] = NONE) -> str:
        """Do what a block says on the machines ``names``; return what the last one printed.

        ``words``: those of the page that its reader has to replace by others.
        """
        text, said = self.told[block], ""
        for theirs, ours in words.items():
            assert theirs in text, f"{block}: the page does not say {theirs}"
            text = text.replace(theirs, ours)
        for name in names:
            said = self.machines[name].run(text, outside=outside, within_s=600)
        return said

    def event(self, number: str) -> str:
        """Send the page's event with ``number`` through the balancer."""
        return self.machines["lb"].run(self.told["by hand: event"].replace("4732100123", number)).splitlines()[-1]

    def keep_events(self, node: str) -> None:
        """Have ``node`` keep events while the database is away, as the page says."""
        file = self.machines[node].path("/etc/cti-gateway/gateway.toml")
        file.write_text(file.read_text().replace("[server]\n", self.told["by hand: spool"]))
        self.machines[node].run("systemctl restart cti-gateway")

    def event_at(self, node: str, number: str) -> str:
        """Send the page's event with ``number`` to one node, past the balancer."""
        text = self.told["by hand: event"].replace("4732100123", number).replace("10.0.0.10", "{0}:8080")
        machine = self.machines[node]
        return machine.run(text.format(machine.address)).splitlines()[-1]

    def requests(self, node: str, call: str) -> str:
        """Return the requests that the node's traffic log has of the call with the number ``call``."""
        command = self.told["by hand: seen"].replace(" calls ", f" traffic --format json --call {call} ")
        return self.machines[node].run(command)

    def seen(self, node: str) -> str:
        return self.do("by hand: seen", node)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    told = {name: texts[0] for name, texts in blocks(PAGE).items()}
    addresses = {"pg1": "10.0.0.21", "pg2": "10.0.0.22", "n1": "10.0.0.11", "n2": "10.0.0.12", "lb": "10.0.0.10"}
    with machines(tmp_path_factory.mktemp("machines"), **addresses) as found:
        made = Site(found, told)
        for machine in found.values():
            _bring_source(machine)
        _set_up_database(made)
        for name in ("n1", "n2"):
            _set_up_node(made, name)
        made.do("by hand: haproxy", "lb")
        until(lambda: _takes_events(made), WITHIN_S)
        yield made


def _bring_source(machine: Machine) -> None:
    left_out = shutil.ignore_patterns(".*", "tests", "build", "*.egg-info", "__pycache__", "node_modules")
    shutil.copytree(ROOT, machine.path(SOURCE), ignore=left_out)
    # Containers may open too few files for the sample's 20,000 connections.
    machine.run(f"sed -i 's/maxconn 20000/maxconn 300/' {SOURCE}/deploy/haproxy/haproxy.cfg")


def _set_up_database(made: Site) -> None:
    for name in ("pg1", "pg2"):
        made.machines[name].run(DEBIAN)
        made.do("by hand: pg1, pg2", name)
    made.do("by hand: pg1", "pg1")
    made.do("by hand: pg2", "pg2")
    until(lambda: made.do("by hand: look", "pg1").strip() == "pg2 | streaming | quorum", WITHIN_S)


def _set_up_node(made: Site, name: str) -> None:
    machine = made.machines[name]
    if name != "n1":  # the packages are there already then, and need not be fetched once more
        shutil.copytree(made.machines["n1"].path("/opt/cti-gateway"), machine.path("/opt/cti-gateway"), symlinks=True)
    made.do("by hand: n1, n2", name, outside=True)
    text = made.told["by hand: gateway.toml"].replace('"n1"', f'"{name}"').replace("10.0.0.11:", f"{machine.address}:")
    machine.path("/etc/cti-gateway/gateway.toml").write_text(text)
    checked = made.do("by hand: start", name)
    assert "FAIL" not in checked
    assert "a synchronous standby has what is acknowledged" in checked


def _takes_events(made: Site) -> bool:
    """Return whether the balancer has a node that is ready."""
    said = made.machines["lb"].try_run("curl -sf http://10.0.0.10/readyz")
    return said.status == 0


def test_an_event_sent_to_the_balancer_is_seen_on_both_nodes(site: Site) -> None:
    assert site.event("4732100123") == "OK 1"
    assert "4732100123" in site.seen("n1")
    assert "4732100123" in site.seen("n2")


def test_a_node_reads_through_pgbouncer(site: Site) -> None:
    """With TLS, which the sample's ``pg_hba.conf`` asks for, and the password of the page's list."""
    n1 = site.machines["n1"]
    site.do("by hand: pgbouncer", "n1")
    file = n1.path("/etc/cti-gateway/gateway.toml")
    line = next(line for line in file.read_text().splitlines() if line.startswith("database = "))
    pooled = 'database = "postgresql://cti@127.0.0.1:6432/cti"'
    n1.path("/etc/cti-gateway/pooled.toml").write_text(file.read_text().replace(line, pooled))
    command = site.told["by hand: start"].splitlines()[0].replace("gateway.toml", "pooled.toml")
    until(lambda: n1.try_run(command).status == 0, WITHIN_S)
    assert "127.0.0.1:6432" in n1.run(command)


def test_it_goes_back_to_a_moment(site: Site) -> None:
    """The base backup is the standby's: it says that it is a standby's. What n1 kept while the primary was gone is
    written when it starts; what its traffic log had of a lost call is not another's that gets its number.
    """
    site.keep_events("n1")
    pg1, pg2 = site.machines["pg1"], site.machines["pg2"]
    site.do("restore: backup", "pg2")
    day = pg2.run("ls /var/backups/cti-base").strip()
    site.event("4732100200")
    moment = pg1.query("SELECT clock_timestamp()")
    lost = site.event_at("n1", "4732100300").split()[1]
    until(lambda: "4732100300" in site.requests("n1", lost), WITHIN_S)
    pg1.run("pg_ctlcluster -m immediate 15 main stop")
    until(lambda: site.event_at("n1", "4732100350") == "OK 0", WITHIN_S)
    site.do("restore: nodes", "n1", "n2")
    site.do("restore: stop", "pg1", "pg2")
    # The page's network disk.
    shutil.copytree(pg2.path("/var/backups/cti-base"), pg1.path("/var/backups/cti-base"), dirs_exist_ok=True)
    pg1.run("chown -R postgres: /var/backups/cti-base")
    site.do("restore: restore", "pg1", words={"2026-11-30 17:25:00-03": moment, "base/2026-11-30": f"base/{day}"})
    site.do("restore: settle", "pg1")
    site.do("by hand: pg2", "pg2")
    site.do("restore: wait", "pg1", "pg2")
    until(lambda: site.do("by hand: look", "pg1").strip() == "pg2 | streaming | quorum", WITHIN_S)
    for name in ("n1", "n2"):
        site.machines[name].run("systemctl start cti-gateway")
    until(lambda: _takes_events(site), WITHIN_S)
    until(lambda: "4732100350" in site.seen("n2"), WITHIN_S)
    calls = site.seen("n2")
    assert calls.count("4732100350") == 1
    assert "4732100200" in calls
    assert "4732100300" not in calls
    assert pg1.query("SELECT value FROM counters WHERE name = 'epoch'") == "1"
    assert site.event_at("n1", "4732100400").startswith("OK")
    assert "4732100400" in site.seen("n1")
    assert "4732100300" not in site.requests("n1", lost), "it is another call's number now"
    assert pg2.query("SHOW synchronous_standby_names") != ""


def test_the_standby_takes_over_and_the_old_primary_follows_it(site: Site) -> None:
    pg1 = site.machines["pg1"]
    before = site.event("4732100500")
    pg1.run("pg_ctlcluster -m immediate 15 main stop")
    site.do("by hand: promote", "pg2")
    site.do("by hand: exchanged, pg2", "pg2")
    site.do("by hand: exchanged, pg1", "pg1")
    until(lambda: site.do("by hand: look", "pg2").strip() == "pg1 | streaming | quorum", WITHIN_S)
    until(lambda: _takes_events(site), WITHIN_S)
    after = site.event("4732100600")
    assert after.startswith("OK")
    assert int(after.split()[1]) > int(before.split()[1])
    assert all(number in site.seen("n1") for number in ("4732100500", "4732100600"))


def test_pg2_goes_on_alone_when_it_is_told_to(site: Site) -> None:
    site.machines["pg1"].run("systemctl stop postgresql")
    site.do("by hand: alone", "pg2")
    until(lambda: site.event("4732100700").startswith("OK"), WITHIN_S)
    checked = site.machines["n1"].try_run(site.told["by hand: start"].splitlines()[0])
    assert checked.status == 1
    assert "synchronous_standby_names is empty" in checked.text
