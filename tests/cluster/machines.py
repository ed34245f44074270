"""Machines as docs/cluster.md has them: addresses, processes and files of their own, with no virtual machine.

Each is a set of namespaces of the kernel over this machine's file system: what it writes is in memory and gone with it.
Only root can make them. systemd does not run in them: ``systemctl`` is a stand-in (``files/systemctl``).
"""

import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tests.cluster.servers import children
from tests.live.groups import kill_group
from tests.peers import absent, need

FILES = Path(__file__).parent / "files"
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
DIES_WITH_US = ("setpriv", "--pdeathsig", "KILL")
"""So that nothing runs on where the tests are killed."""
FIRST = """
mount --make-rprivate /
mount -t tmpfs machine "$1"
mkdir "$1/upper" "$1/work" "$1/root"
mount -t overlay machine -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" "$1/root"
mount -t proc proc "$1/root/proc"
mount --rbind /dev "$1/root/dev"
mount -t tmpfs run "$1/root/run"
mkdir -m 1777 "$1/root/run/lock" "$1/root/run/shm"
hostname "$2"
ip link set lo up
echo made
exec python3 -c 'import signal; signal.signal(signal.SIGCHLD, signal.SIG_IGN); [signal.pause() for _ in iter(int, 1)]'
"""
"""Makes the file system, and waits; takes the ends of processes whose parents have ended."""
BLOCK = re.compile(r"^<!-- (?P<name>[^\n]*?) -->\n```\w+\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Said:
    """What a command printed, and how it ended."""

    status: int
    text: str


class Machine:
    """One machine, reached by the others at ``address``; ``folder`` is an empty one of its own."""

    def __init__(self, name: str, address: str, folder: Path) -> None:
        self.name, self.address = name, address
        self.folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Make it. Raises ``AssertionError`` with what was said."""
        made = [*DIES_WITH_US, "unshare", "--net", "--mount", "--pid", "--uts", "--ipc", "--fork", "--kill-child=KILL"]
        self._process = subprocess.Popen(
            [*made, "bash", "-euc", FIRST, "machine", self.folder, self.name],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        assert self._process.stdout
        assert self._process.stdout.readline() == b"made\n", self._process.stdout.read().decode()
        (self.first,) = children(self._process.pid)
        for program in FILES.iterdir():
            shutil.copy(program, self.path(f"/usr/local/bin/{program.name}"))

    def path(self, inside: str) -> Path:
        """Return where its file ``inside`` is seen from here."""
        return Path(f"/proc/{self.first}/root{self.folder}/root{inside}")

    def run(self, script: str, *, folder: str = "/", outside: bool = False, within_s: float = 120) -> str:
        """Return what the shell says to ``script``, which root runs in ``folder``. Raises ``AssertionError``.

        With ``outside`` it has this machine's network.
        """
        said = self.try_run(script, folder=folder, outside=outside, within_s=within_s)
        assert said.status == 0, f"{self.name}: {script}\n{said.text}"
        return said.text

    def try_run(self, script: str, *, folder: str = "/", outside: bool = False, within_s: float = 120) -> Said:
        into = ["nsenter", "-t", str(self.first), "--mount", "--pid", "--uts", "--ipc", *([] if outside else ["--net"])]
        shell = ["chroot", f"{self.folder}/root", "bash", "-euo", "pipefail", "-c", f"cd {folder}\n{script}"]
        output = self.folder.with_suffix(".said")
        with output.open("w+b") as file:  # not a pipe: what a script leaves running would keep it open
            done = subprocess.run(
                [*into, *shell],
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                timeout=within_s,
                env=_environment(),
                check=False,
            )
            file.seek(0)
            return Said(done.returncode, file.read().decode(errors="replace"))

    def query(self, statement: str, database: str = "cti") -> str:
        """Return what its PostgreSQL answers to its own user ``postgres``: lines of values, ``|`` between them."""
        return self.run(f"runuser -u postgres -- psql -X -At -d {database} <<'SQL'\n{statement}\nSQL").strip()

    def power_off(self) -> None:
        """End all that runs on it at once; its files are gone."""
        if self._process:
            kill_group(self._process)
            self._process.stdout.close()  # type: ignore[union-attr]
            self._process = None


def _environment() -> Mapping[str, str]:
    kept = {name: value for name, value in os.environ.items() if name.startswith("PIP_") or name.endswith("_PROXY")}
    return {"PATH": PATH, "HOME": "/root", "LANG": "C.UTF-8"} | kept


@contextmanager
def machines(folder: Path, **addresses: str) -> Iterator[Mapping[str, Machine]]:
    """Machines by name, on one wire that nobody else is on, for the length of a block. Skips where we may not."""
    _need()
    found = {name: Machine(name, address, _made(folder / name)) for name, address in addresses.items()}
    wire = subprocess.Popen([*DIES_WITH_US, "unshare", "--net", "sleep", "infinity"], start_new_session=True)
    try:
        _until(lambda: os.readlink(f"/proc/{wire.pid}/ns/net") != os.readlink("/proc/self/ns/net"))
        _ip(wire.pid, "link", "add", "wire", "type", "bridge")
        _ip(wire.pid, "link", "set", "wire", "up")
        for machine in found.values():
            machine.start()
            _plug_in(machine, wire.pid)
        yield found
    finally:
        for machine in found.values():
            machine.power_off()
        kill_group(wire)


def _plug_in(machine: Machine, wire: int) -> None:
    name = machine.name
    _ip(wire, "link", "add", name, "type", "veth", "peer", "name", "eth0", "netns", str(machine.first))
    _ip(wire, "link", "set", name, "master", "wire", "up")
    _ip(machine.first, "address", "add", f"{machine.address}/24", "dev", "eth0")
    _ip(machine.first, "link", "set", "eth0", "up")


def _ip(pid: int, *command: str) -> None:
    subprocess.run(["nsenter", "-t", str(pid), "--net", "ip", *command], check=True, timeout=20)


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True)
    return folder


def _need() -> None:
    if os.geteuid():
        absent("machines with files and addresses of their own need root")
    for program, package in (("unshare", "util-linux"), ("ip", "iproute2"), ("pg_ctlcluster", "postgresql-common")):
        need(program, package=package)


def _until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not _holds(condition):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def _holds(condition: Callable[[], bool]) -> bool:
    with suppress(OSError):
        return condition()
    return False


def blocks(page: Path) -> Mapping[str, Sequence[str]]:
    """Return the texts of the code blocks of ``page`` by the names in the comments that stand above them."""
    found: dict[str, list[str]] = {}
    for block in BLOCK.finditer(page.read_text(encoding="utf-8")):
        found.setdefault(block["name"], []).append(block["text"])
    return found
