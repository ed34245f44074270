"""What a node does and says while its PostgreSQL fails it (the table in docs/cluster.md), and that it comes back."""

import datetime
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import psycopg
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.cluster.cell import Cell, cell, wait_for
from tests.cluster.servers import ClusterServer
from tests.peers import absent

pytestmark = [pytest.mark.cluster, pytest.mark.slow, pytest.mark.timeout(300)]
RING = "/t/t01/wconnect/WConnect_WSDL_ConsultaRamal.php?ramal=3501&telefone=4733{number:06d}"
ROOM_MB = 96
CUT_OFF = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'cti'"


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cell]:
    """One node on one server."""
    folder = tmp_path_factory.mktemp("faults")
    with cell(folder, nodes=1, tenants=2, standby=False, synchronous=False, server="accept_loss = true") as found:
        yield found


class Told:
    """Events of a test: which were acknowledged."""

    def __init__(self, alone: Cell) -> None:
        self._alone = alone
        self._node = alone.nodes[0]
        self._next = alone.database.primary.query("SELECT count(*) FROM events")[0][0] * 1000
        self.acknowledged: list[str] = []

    def send(self) -> int:
        """Send an event, and return the status of its answer."""
        self._next += 1
        path = RING.format(number=self._next)
        status, text = self._node.get(path, timeout_s=30)
        if status == 200 and text.startswith("OK"):
            self.acknowledged.append(path.rpartition("=")[2])
        return status

    def lost(self) -> set[str]:
        numbers = self._alone.database.primary.query("SELECT number FROM calls")
        return set(self.acknowledged) - {number for (number,) in numbers}


def _fails_and_comes_back(
    alone: Cell, begin: Callable[[], object], end: Callable[[], object], *, says: Sequence[str], logs: str
) -> None:
    """Have a fault ``begin`` and ``end``; check what is said of it, and that nothing that was acknowledged is gone."""
    node, told = alone.nodes[0], Told(alone)
    assert told.send() == 200
    begin()
    assert wait_for(lambda: told.send() == 503, 60)
    assert wait_for(lambda: node.readiness()[0] == 503, 30)
    assert not all(node.readiness()[1].values())
    checked = node.try_cli("check")
    print(checked.stdout, checked.stderr, node.readiness(), node.told()[-1500:])
    assert checked.returncode == 1
    assert any(words in checked.stdout + checked.stderr for words in says), checked.stdout + checked.stderr
    assert node.said(logs)
    end()
    assert wait_for(lambda: node.readiness()[0] == 200, 60), node.told()
    assert told.send() == 200
    assert told.lost() == set()


def test_no_connection_is_left(alone: Cell) -> None:
    server = alone.database.primary
    server.query("CREATE ROLE other SUPERUSER LOGIN")

    def limit() -> None:
        """Have the node get no connection any more, and lose those that it has."""
        as_other(server, "ALTER ROLE cti NOSUPERUSER CONNECTION LIMIT 0")
        as_other(server, CUT_OFF)

    def lift() -> None:
        as_other(server, "ALTER ROLE cti SUPERUSER CONNECTION LIMIT -1")

    _fails_and_comes_back(alone, limit, lift, says=["takes no more connections"], logs="database_not_readable")


def as_other(server: ClusterServer, statement: str) -> None:
    address = server.address("postgres").replace("user=cti", "user=other")
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(statement)  # type: ignore[call-overload]


@contextmanager
def _rules(server: ClusterServer, line: str) -> Iterator[None]:
    """Have ``line`` stand first among the rules of who may connect, and end all connections."""
    rules = server.data / "pg_hba.conf"
    before = rules.read_text()
    rules.write_text(line + before)
    server.query("SELECT pg_reload_conf()", database="postgres")
    try:
        yield
    finally:
        rules.write_text(before)
        server.query("SELECT pg_reload_conf()", database="postgres")


def test_the_password_is_wrong(alone: Cell) -> None:
    server = alone.database.primary
    with ExitStack() as held:

        def change() -> None:
            held.enter_context(_rules(server, "host cti cti 127.0.0.1/32 scram-sha-256\n"))
            with psycopg.connect(server.address("postgres"), autocommit=True) as connection:
                connection.execute(CUT_OFF)

        _fails_and_comes_back(
            alone, change, held.close, says=["refuses the user or its password"], logs="database_not_readable"
        )


def test_the_disk_of_the_log_is_full(alone: Cell) -> None:
    """The server gives up (PANIC) and cannot start before there is room: it does not go on with half of it."""
    server, room = alone.database.primary, alone.database.primary.place / "room"
    room.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={ROOM_MB}m", "room", room], check=False).returncode:
        absent("a small file system cannot be mounted")
    try:
        _move_log(server, room)

        def fill() -> None:
            free = shutil.disk_usage(room).free
            (room / "ballast").write_bytes(b"\0" * (free - 100_000))
            with suppress(psycopg.Error):
                server.query(
                    "CREATE TABLE IF NOT EXISTS filler AS SELECT repeat('x', 2000) FROM generate_series(1, 20000)"
                )

        def make_room() -> None:
            (room / "ballast").unlink()
            if not server.is_running():
                server.start()

        _fails_and_comes_back(
            alone,
            fill,
            make_room,
            says=["cannot be reached", "its disk is full", "starting"],
            logs="database_not_readable",
        )
        _move_log(server, None)
    finally:
        subprocess.run(["umount", "-l", room], check=True)


def _move_log(server: ClusterServer, room: Path | None) -> None:
    server.stop()
    log = server.data / "pg_wal"
    if room:
        shutil.copytree(log, room / "pg_wal")
        subprocess.run(["chown", "-R", f"--reference={log}", room], check=True)
        shutil.rmtree(log)
        log.symlink_to(room / "pg_wal")
    else:
        kept = log.resolve()
        log.unlink()
        shutil.copytree(kept, log)
        subprocess.run(["chown", "-R", f"--reference={kept}", log], check=True)
    server.start()


def test_the_server_s_certificate_is_too_old(alone: Cell, tmp_path: Path) -> None:
    """``check`` says so; running nodes go on with the connections that they have, and lose them one by one."""
    server, node = alone.database.primary, alone.nodes[0]
    authority = _certificate(server.data)
    server.set(ssl="on")
    plain = node.config.read_text()
    try:
        assert wait_for(lambda: server.query("SHOW ssl") == [("on",)], 20)
        (tmp_path / "authority.pem").write_bytes(authority)
        verified = f"connect_timeout=2&sslmode=verify-full&sslrootcert={tmp_path / 'authority.pem'}"
        node.config.write_text(plain.replace("connect_timeout=2", verified))
        checked = node.try_cli("check")
        assert checked.returncode == 1
        assert "the server's certificate is not believed" in checked.stdout, checked.stdout
    finally:
        node.config.write_text(plain)
        server.set(ssl="off")


def _certificate(folder: Path) -> bytes:
    """Give the server in ``folder`` a certificate of 127.0.0.1 that was good until yesterday; return it."""
    key, name = (
        ec.generate_private_key(ec.SECP256R1()),
        x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "pg1")]),
    )
    now, day = datetime.datetime.now(datetime.UTC), datetime.timedelta(days=1)
    host = x509.SubjectAlternativeName([x509.DNSName("127.0.0.1")])
    made = x509.CertificateBuilder(name, name, key.public_key(), 1, now - 3 * day, now - day, [])
    made = made.add_extension(host, critical=False)
    made = made.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    certificate = made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    for file, content in (("server.crt", certificate), ("server.key", private)):
        (folder / file).write_bytes(content)
        (folder / file).chmod(0o600)
        shutil.chown(folder / file, folder.owner(), folder.group())
    return certificate
