"""The files in deploy/ are what the programs that they are for take, and say what the gateway needs."""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml

from tests.cluster.ports import fixed_port
from tests.cluster.servers import DATABASE, USER, ClusterServer, owned_folder, owner
from tests.live.groups import kill_group
from tests.peers import need
from tests.waiting import until

pytestmark = pytest.mark.cluster
DEPLOY = Path(__file__).parents[2] / "deploy"
ELSEWHERE = ("archive_mode", "archive_command", "synchronous_standby_names", "listen_addresses", "ssl")
"""Settings of the sample that need other machines, or what is made for them."""


def said(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_haproxy_takes_its_configuration() -> None:
    haproxy = need("haproxy", package="haproxy")
    told = said([haproxy, "-c", "-f", str(DEPLOY / "haproxy/haproxy.cfg")])
    assert "WARNING" not in told, told


def test_systemd_takes_the_unit(tmp_path: Path) -> None:
    analyze = need("systemd-analyze", package="systemd")
    text = (DEPLOY / "systemd/cti-gateway.service").read_text()
    text = text.replace("ExecStart=/opt/cti-gateway/bin/cti-gateway", "ExecStart=/bin/true")
    unit = tmp_path / "cti-gateway.service"
    unit.write_text(text.replace("User=cti", "User=root"))
    done = subprocess.run([analyze, "verify", str(unit)], capture_output=True, text=True, timeout=60, check=False)
    assert [line for line in done.stderr.splitlines() if "cti-gateway.service" in line] == []


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClusterServer]:
    """A server with our sample's settings, as far as they need no other machine."""
    with owned_folder() as place:
        found = ClusterServer(place, tmp_path_factory.mktemp("deploy"), "alone")
        found.make()
        lines = (DEPLOY / "postgresql/cti.conf").read_text().splitlines()
        kept = [line for line in lines if not line.startswith(ELSEWHERE)]
        with (found.data / "postgresql.conf").open("a") as file:
            file.write("\n".join(kept) + "\n")
        found.start()
        yield found
        found.kill()


def test_postgresql_takes_every_setting(server: ClusterServer) -> None:
    text = (DEPLOY / "postgresql/cti.conf").read_text()
    ours = {line.split(" = ")[0] for line in text.splitlines() if " = " in line and not line.startswith("#")}
    wrong = server.query("SELECT name, error FROM pg_file_settings WHERE error IS NOT NULL")
    assert [(name, error) for name, error in wrong if name in ours] == []
    assert server.query("SHOW client_connection_check_interval") == [("2s",)]
    assert ours >= set(ELSEWHERE)


def test_the_sample_waits_for_a_standby_by_a_name_that_exists(server: ClusterServer) -> None:
    (line,) = [
        line
        for line in (DEPLOY / "postgresql/cti.conf").read_text().splitlines()
        if line.startswith("synchronous_standby_names")
    ]
    value = line.partition("=")[2].strip().strip("'")
    server.query(f"ALTER SYSTEM SET synchronous_standby_names = '{value}'")
    server.query("ALTER SYSTEM RESET synchronous_standby_names")


def test_postgresql_takes_who_may_connect(server: ClusterServer) -> None:
    own = Path(server.query("SHOW hba_file")[0][0])
    before = own.read_text()
    own.write_text(f"host all {USER} 127.0.0.1/32 trust\n" + (DEPLOY / "postgresql/pg_hba.conf").read_text())
    server.query("SELECT pg_reload_conf()")
    try:
        rules = server.query("SELECT error FROM pg_hba_file_rules")
        assert len(rules) == 6
        assert {error for (error,) in rules} <= {None, "hostssl record cannot match because SSL is disabled"}
    finally:
        own.write_text(before)
        server.query("SELECT pg_reload_conf()")


def test_patroni_is_told_to_wait_for_a_standby(server: ClusterServer) -> None:
    told: dict[str, Any] = yaml.safe_load((DEPLOY / "patroni/patroni.yml").read_text())
    dcs = told["bootstrap"]["dcs"]
    assert (dcs["synchronous_mode"], dcs["synchronous_mode_strict"]) == (True, True)
    known = {name for (name,) in server.query("SELECT name FROM pg_settings")}
    assert dcs["postgresql"]["parameters"].keys() <= known
    for name in ("fsync", "full_page_writes", "synchronous_commit"):
        assert dcs["postgresql"]["parameters"][name] == "on"


def test_pgbouncer_passes_on_what_the_gateway_needs(server: ClusterServer, tmp_path: Path) -> None:
    """Notifications and session locks come through, as they do with session pooling only."""
    pgbouncer, port = need("pgbouncer", package="pgbouncer"), fixed_port()
    text = (DEPLOY / "pgbouncer/pgbouncer.ini").read_text()
    for sample, here in (
        ("host=10.0.0.21 port=5432", f"host=127.0.0.1 port={server.port} user={USER}"),
        ("listen_port = 6432", f"listen_port = {port}"),
        ("auth_type = scram-sha-256", "auth_type = any"),
        ("auth_file = /etc/pgbouncer/userlist.txt", ""),
        ("server_tls_sslmode = require", "server_tls_sslmode = disable"),
    ):
        assert sample in text
        text = text.replace(sample, here)
    with owned_folder() as place:
        configuration = place / "pgbouncer.ini"
        configuration.write_text(text)
        with (tmp_path / "pgbouncer.log").open("wb") as log:
            process = subprocess.Popen(
                [pgbouncer, configuration], stdout=log, stderr=log, start_new_session=True, **owner()
            )
        try:
            address = f"host=127.0.0.1 port={port} user={USER} dbname={DATABASE} connect_timeout=2"
            until(lambda: _answers(address))
            with psycopg.connect(address, autocommit=True) as connection:
                connection.execute("LISTEN bell")
                connection.execute("NOTIFY bell, 'rung'")
                assert [note.payload for note in connection.notifies(timeout=5, stop_after=1)] == ["rung"]
            assert "pool_mode = session" in text
        finally:
            kill_group(process)


def _answers(address: str) -> bool:
    try:
        psycopg.connect(address).close()
    except psycopg.OperationalError:
        return False
    return True
