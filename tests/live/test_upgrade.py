"""A data folder and a configuration of version 0.1.0 are taken over as they are."""

import base64
import json
import shutil
import sqlite3
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.live.conftest import LiveGateway, free_port, start_gateway

OLD = Path(__file__).parents[1] / "upgrade" / "v0_1_0"
SECRETS = {"ACME_EVENTS_TOKEN": "evt", "PBX_PASSWORD": "pbxpw", "PBX_KEY": "k", "WCONNECT_PASSWORD": "wc"}
MILLION = 1_000_000
LAYOUT_OF_0_1_0 = 2
"""Of the traffic log; with another one it would be begun anew."""
FILLED_WITHIN_S = 240
"""For the results of a million old calls, on the slowest machine."""
WAITING = 8
"""Events in the old folder that its forward has not taken yet."""


class Crm:
    """The CRM that was down when the old gateway was killed; ``taken`` are the events it has got, in order."""

    def __init__(self) -> None:
        self.taken: list[dict[str, str]] = []
        taken = self.taken

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                taken.append({name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()})
                self.send_response(200)
                self.end_headers()
                self.wfile.write(b"OK")

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def port(self) -> int:
        return self.server.server_address[1]


@pytest.fixture(scope="module")
def crm() -> Iterator[Crm]:
    found = Crm()
    yield found
    found.server.shutdown()


@pytest.fixture(scope="module")
def upgraded(tmp_path_factory: pytest.TempPathFactory, crm: Crm) -> Iterator[LiveGateway]:
    """The present version on what 0.1.0 left behind, with a million calls."""
    folder = tmp_path_factory.mktemp("upgrade")
    for name in ("contas.csv", "crm.token"):
        shutil.copy(OLD / name, folder)
    (folder / "presets").mkdir()
    write_database(OLD / "gateway.sql", folder / "data" / "gateway.db")
    write_database(OLD / "exchanges.sql", folder / "data" / "exchanges.db")
    add_calls(folder / "data" / "gateway.db", MILLION)
    config = folder / "gateway.toml"
    config.write_text(with_ports((OLD / "gateway.toml").read_text(encoding="utf-8"), crm.port), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in SECRETS.items():
            patch.setenv(name, value)
        running = start_gateway(folder / "data", config=config)
        yield running
        running.stop()


def with_ports(text: str, crm_port: int) -> str:
    """The old configuration with a free lenient port, and its forward pointed at the CRM of this test."""
    text = text.replace("127.0.0.1:8081", f"127.0.0.1:{free_port()}")
    wanted = text.replace("http://127.0.0.1:1/wconnect?", f"http://127.0.0.1:{crm_port}/wconnect?")
    assert wanted != text
    return wanted


def write_database(dump: Path, database: Path) -> None:
    database.parent.mkdir(exist_ok=True)
    with closing(sqlite3.connect(database)) as connection:
        connection.executescript(dump.read_text(encoding="utf-8"))
        if database.name == "exchanges.db":
            # What '.dump' leaves out, and 0.1.0 had.
            connection.execute(f"PRAGMA user_version={LAYOUT_OF_0_1_0}")


def add_calls(database: Path, count: int) -> None:
    """Copy the old folder's unanswered call and its end ``count`` times, each a second before the one before."""
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA synchronous=OFF")
        numbers = f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count})"
        for table, key in (("calls", "id"), ("events", "seq")):
            changed = {
                key: "1000 + i",
                "call_id": "1000 + i",
                "logged_at": "logged_at - i * 1000",
                "at": "at - i * 1000",
            }
            columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
            made = ", ".join(changed.get(column, column) for column in columns)
            of = "id = 2" if table == "calls" else "call_id = 2 AND kind = 'call_ended'"
            connection.execute(f"INSERT INTO {table} {numbers} SELECT {made} FROM {table}, n WHERE {of}")
        connection.execute("UPDATE counters SET value = value + 1000 + ?", (count,))
        # Imported just now, so that no scheduled import comes between those of the tests.
        now = time.time_ns() // 1_000_000
        connection.execute("UPDATE imports SET started_at = ?, seen_at = ?, finished_at = ?", (now, now, now))
        connection.commit()


def filled_to(database: Path) -> int:
    """The newest event that was not looked through yet for how its call ended; 0 when all were."""
    with closing(sqlite3.connect(database, timeout=10)) as connection:
        query = "SELECT coalesce(max(value), -1) FROM counters WHERE name = 'results_to_fill'"
        return int(connection.execute(query).fetchone()[0])


def results(database: Path) -> list[tuple[str | None, str | None, int]]:
    """How the copied calls ended, with the exchange's words, and how many of each there are."""
    with closing(sqlite3.connect(database, timeout=10)) as connection:
        query = "SELECT result, result_text, count(*) FROM calls WHERE id BETWEEN 1001 AND 1000 + ? GROUP BY 1, 2"
        return connection.execute(query, (MILLION,)).fetchall()


def wait_until(done: object, timeout_s: float = 60) -> None:
    deadline = time.monotonic() + timeout_s
    while not done():  # type: ignore[operator]
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.1)


def get(url: str, login: str = "") -> str:
    request = urllib.request.Request(url)
    if login:
        request.add_header("Authorization", "Basic " + base64.b64encode(login.encode()).decode())
    with urllib.request.urlopen(request, timeout=20) as answer:
        return answer.read().decode()


def test_events_are_taken_at_once_and_old_calls_are_still_there(upgraded: LiveGateway) -> None:
    call = get(f"{upgraded.url}/t/acme/wconnect/WConnect_WSDL_ConsultaRamal.php?dst=3507&src=4732100123")
    assert int(call.removeprefix("OK ")) > MILLION
    told = json.loads(get(f"{upgraded.url}/t/acme/api/calls/1", "ana:uma-senha-comprida"))
    assert told["account"] == "Padaria Pão Quente"
    assert (told["number"], told["duration_s"], told["status"]) == ("4732100123", 61, "ended")


def test_an_old_agent_logs_in_with_the_old_password(upgraded: LiveGateway) -> None:
    found = json.loads(get(f"{upgraded.url}/t/acme/api/calls?number=4732100999", "ana:uma-senha-comprida"))
    assert [call["status"] for call in found["calls"]] == ["unreachable"]


def test_a_screen_that_was_open_meanwhile_misses_nothing(upgraded: LiveGateway) -> None:
    """Its page was written by 0.1.0 and holds what it saw last as 0.1.0 wrote it."""
    newest = 1000 + MILLION
    request = urllib.request.Request(f"{upgraded.url}/t/acme/events?escopo=empresa")
    request.add_header("Authorization", "Basic " + base64.b64encode(b"ana:uma-senha-comprida").decode())
    request.add_header("Last-Event-ID", str(newest - 3))
    with urllib.request.urlopen(request, timeout=20) as stream:
        ids = (int(line.split()[1]) for line in stream if line.startswith(b"id: "))
        assert [next(ids) for _ in range(3)] == [newest - 2, newest - 1, newest]


def test_what_waited_for_the_crm_is_delivered_each_call_in_its_order(upgraded: LiveGateway, crm: Crm) -> None:
    waited = ["3501", "3501", "3502", "3502", "3503", "3505", "3505", "3601"]
    wait_until(lambda: len([event for event in crm.taken if event["ramal"] in waited]) >= WAITING)
    taken = [event for event in crm.taken if event["ramal"] in waited]
    assert sorted(event["ramal"] for event in taken) == waited
    recordings = [event.get("audio", "") for event in taken if event["ramal"] == "3501"]
    assert recordings == ["", "http://pbx.example/rec?id=10"], "the start goes before the end"


def test_an_old_call_can_still_be_explained(upgraded: LiveGateway) -> None:
    for command in ("traffic", "exchanges"):
        assert "ConsultaRamal.php?ramal=3501" in upgraded.cli(command, "--id", "1", "--tenant", "acme")
    assert not list(upgraded.data.glob("exchanges.db*")), "it is called traffic.db now"
    assert upgraded.cli("calls", "--why", "1", "--tenant", "acme").strip()


def test_the_first_import_after_the_upgrade_takes_the_directory_as_it_was(upgraded: LiveGateway) -> None:
    folder = upgraded.data.parent
    sheet = (OLD / "contas.csv").read_text(encoding="utf-8").replace("(41) 3210-0155", "4132100155.0 / 3210-0156")
    (folder / "contas.csv").write_text(sheet + "C4;Nova;4,79999E+10\n", encoding="utf-8")
    upgraded.cli("import", "run", "planilha", "--tenant", "acme")
    last = json.loads(get(f"{upgraded.url}/t/acme/api/imports", "ana:uma-senha-comprida"))["runs"][0]
    assert (last["added"], last["removed"], last["refused"]) == (1, 0, 1)
    with closing(sqlite3.connect(upgraded.data / "gateway.db")) as connection:
        query = "SELECT code, number FROM accounts JOIN phones ON account_id = accounts.id ORDER BY 1, 2"
        found = connection.execute(query).fetchall()
    numbers = [("C1", "4732100123"), ("C2", "47999998888"), ("C3", "4132100155"), ("C3", "4132100156"), ("C4", None)]
    assert found == [*numbers, ("E1", "4732100999")]


@pytest.mark.timeout(FILLED_WITHIN_S + 60)
def test_old_calls_get_how_they_ended_out_of_the_event_log(upgraded: LiveGateway) -> None:
    database = upgraded.data / "gateway.db"
    wait_until(lambda: filled_to(database) == 0, FILLED_WITHIN_S)
    assert results(database) == [("missed", "NOANSWER", MILLION)]
    told = json.loads(get(f"{upgraded.url}/t/acme/api/calls?status=missed&limit=1", "ana:uma-senha-comprida"))
    assert [(call["result"], call["number"]) for call in told["calls"]] == [("missed", "47999998888")]
