"""Two PostgreSQL servers under Patroni, which agree by etcd: deploy/patroni as it is but for addresses."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import yaml

from tests.cluster.ports import fixed_port
from tests.cluster.servers import Cluster, ClusterServer, children, owned_folder, owner
from tests.live.groups import kill_group
from tests.peers import need
from tests.waiting import until

SAMPLE = Path(__file__).parents[2] / "deploy/patroni/patroni.yml"
PASSWORD = "CHANGE-ME-1"
WITHIN_S = 90


class PatroniServer(ClusterServer):
    """A server that Patroni makes, starts and promotes."""

    def begin(self, etcd: int, key: Path) -> None:
        """Start Patroni, and do not wait."""
        told = self.place / f"{self.name}.yml"
        told.write_text(yaml.safe_dump(self._configured(etcd, key)), encoding="utf-8")
        told.chmod(0o644)
        with (self.place / f"{self.name}.patroni").open("ab") as log:
            self.process = subprocess.Popen(
                [need("patroni", package="patroni"), told],
                stdout=log,
                stderr=log,
                cwd=self.place,
                env={"PATH": os.environ["PATH"], "HOME": str(self.place), "LANG": "C.UTF-8"},
                start_new_session=True,
                **owner(),
            )

    def _configured(self, etcd: int, key: Path) -> Any:
        """Return the sample with this server's name, and addresses and folders of the tests."""
        text = SAMPLE.read_text(encoding="utf-8").replace("10.0.0.0/24", "127.0.0.0/8")
        found: dict[str, Any] = yaml.safe_load(text)
        rest = f"127.0.0.1:{fixed_port()}"
        found["name"] = self.name
        found["restapi"] = {"listen": rest, "connect_address": rest}
        found["etcd3"] = {"hosts": [f"127.0.0.1:{etcd}"]}
        ours = found["postgresql"]
        ours |= {"listen": f"127.0.0.1:{self.port}", "connect_address": f"127.0.0.1:{self.port}"}
        ours |= {"data_dir": str(self.data), "pgpass": str(self.place / f"{self.name}.pgpass")}
        ours["parameters"] = {"unix_socket_directories": str(self.place), "shared_buffers": "32MB"}
        common = found["bootstrap"]["dcs"]["postgresql"]["parameters"]
        common |= {"ssl_cert_file": str(key.with_suffix(".pem")), "ssl_key_file": str(key), "archive_command": "true"}
        return found

    def is_primary(self) -> bool:
        """Return whether it takes writes."""
        with suppress(Exception):
            return self.as_postgres("SELECT pg_is_in_recovery()") == "f"
        return False

    def as_postgres(self, statements: str) -> str:
        """Return what psql says as the system's user postgres."""
        done = subprocess.run(
            ["psql", "-X", "-At", "-h", self.place, "-p", str(self.port), "-U", "postgres", "-v", "ON_ERROR_STOP=1"],
            input=statements,
            capture_output=True,
            text=True,
            timeout=30,
            cwd=self.place,
            env=os.environ | {"PGOPTIONS": "-c synchronous_commit=local"},
            check=True,
            **owner(),
        )
        return done.stdout.strip()

    def log(self) -> str:
        return (self.place / f"{self.name}.patroni").read_text(errors="replace")[-6000:]

    def _all(self) -> list[int]:
        """Patroni first, then the postmaster, which it has started, and what that has."""
        found = [self.process.pid] if self.process else []
        with suppress(OSError, ValueError):
            postmaster = int((self.data / "postmaster.pid").read_text().split()[0])
            os.kill(postmaster, 0)
            found += [postmaster, *children(postmaster)]
        return found


class PatroniCluster(Cluster):
    """Two servers of which Patroni says who is the primary; ``primary`` is the one that began."""

    def __init__(self, place: Path, logs: Path) -> None:
        super().__init__(place, logs)
        self.place = place
        self._etcd_port = fixed_port()
        self.primary = self._begun = PatroniServer(place, logs, "pg1")
        self.standby = self._second = PatroniServer(place, logs, "pg2")
        self.writable = self.primary
        self.key = place / "server.key"
        self._etcd: subprocess.Popen[bytes] | None = None

    def start(self, **_: bool) -> None:
        self._start_etcd()
        self._make_certificate()
        self._begun.begin(self._etcd_port, self.key)
        until(self._begun.is_primary, WITHIN_S)
        self._second.begin(self._etcd_port, self.key)
        until(lambda: self._followers() == "sync", WITHIN_S)
        self._begun.as_postgres(f"CREATE ROLE cti LOGIN PASSWORD '{PASSWORD}'; GRANT pg_monitor TO cti")
        self._begun.as_postgres("CREATE DATABASE cti OWNER cti ENCODING 'UTF8' TEMPLATE template0")

    def bring_back(self, server: ClusterServer) -> None:
        """Start the machine of ``server`` again."""
        assert isinstance(server, PatroniServer)
        server.begin(self._etcd_port, self.key)

    def _followers(self) -> str:
        return self._begun.as_postgres("SELECT sync_state FROM pg_stat_replication WHERE state = 'streaming'")

    def _start_etcd(self) -> None:
        client, peer = (f"http://127.0.0.1:{port}" for port in (self._etcd_port, fixed_port()))
        told = ["--listen-client-urls", client, "--advertise-client-urls", client, "--listen-peer-urls", peer]
        told += ["--initial-advertise-peer-urls", peer, "--initial-cluster", f"default={peer}", "--unsafe-no-fsync"]
        with (self.place / "etcd.log").open("wb") as log:
            self._etcd = subprocess.Popen(
                [need("etcd", package="etcd-server"), "--data-dir", self.place / "etcd", *told],
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def _make_certificate(self) -> None:
        made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", "-days", "2"]
        made += ["-keyout", self.key, "-out", self.key.with_suffix(".pem")]  # type: ignore[list-item]
        subprocess.run(made, check=True, capture_output=True, timeout=60, cwd=self.place, **owner())

    def url(self) -> str:
        """Return the page's address for the nodes, with the ports of these servers."""
        both = f"host=127.0.0.1,127.0.0.1&port={self.primary.port},{self.standby.port}"
        return f"postgresql://cti@/cti?{both}&target_session_attrs=read-write&connect_timeout=2&sslmode=require"

    def stop(self) -> None:
        self.standby.kill()
        self.primary.kill()
        if self._etcd:
            kill_group(self._etcd)


@contextmanager
def patroni(logs: Path) -> Iterator[Cluster]:
    """Run two servers under Patroni for the length of a block."""
    for program, package in (("patroni", "patroni"), ("etcd", "etcd-server"), ("openssl", "openssl")):
        need(program, package=package)
    with owned_folder() as place:
        found = PatroniCluster(place, logs)
        try:
            found.start()
            yield found
        finally:
            found.stop()
