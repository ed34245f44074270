"""The command line, as people and scripts use it."""

import csv
import io
import json
import re
import sqlite3
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gateway.cli.main import cli
from gateway.config import loader as config_file
from gateway.errors import GatewayError
from gateway.simulators import FAMILIES, SIMULATORS, demo_settings
from gateway.store.shared.exchange_index import IndexedExchange
from gateway.store.traffic import TrafficLog

ROOT = Path(__file__).parents[2]

Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Runs a command on a data folder of its own."""

    def run_one(*arguments: str, stdin: str | bytes = "", data: bool = True) -> Result:
        place = ["--data", str(tmp_path / "data")] if data else []
        return CliRunner().invoke(cli, [*arguments, *place], input=stdin, catch_exceptions=True)

    return run_one


def fine(result: Result) -> str:
    assert result.exit_code == 0, (result.output, result.stderr, result.exception)
    return result.stdout


@pytest.fixture
def accounts(tmp_path: Path) -> Path:
    path = tmp_path / "contas.csv"
    path.write_bytes(
        "Código;Nome;Contato;Telefone\r\n1;Padaria São José;Ana;(47) 3210-0123\r\n2;;;1\r\n".encode("cp1252")
    )
    return path


def test_a_misspelt_command_suggests_the_nearest(run: Run) -> None:
    result = run("serv", data=False)
    assert result.exit_code == 2
    assert "Did you mean 'serve'?" in result.output


@pytest.mark.parametrize("arguments", [["version"], ["init", "--help"], ["check", "--help"], ["simulate", "--list"]])
def test_what_needs_no_gateway_does_not_load_one(arguments: list[str]) -> None:
    command = [sys.executable, "-X", "importtime", "-m", "gateway", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    loaded = {line.rpartition("|")[2].strip().partition(".")[0] for line in done.stderr.splitlines()}
    assert "gateway" in loaded
    assert loaded.isdisjoint({"sqlalchemy", "alembic", "zeep", "spyne", "granian"})


def test_init_writes_a_configuration_once(run: Run, tmp_path: Path) -> None:
    assert "cti-gateway check" in fine(run("init", str(tmp_path / "new"), data=False))
    again = run("init", str(tmp_path / "new"), data=False)
    assert again.exit_code == 1
    assert "exists already; nothing was written" in again.output


def test_what_init_writes_has_programs_on_this_machine_log_in_and_says_why(run: Run, tmp_path: Path) -> None:
    fine(run("init", str(tmp_path), data=False))
    path = tmp_path / "gateway.toml"
    assert not config_file.load(path).tenants["acme"].click_to_call.open_loopback
    assert re.search(r"# .*reverse proxy(.*\n)+open_loopback = false", path.read_text())
    assert "warn" not in fine(run("check", "--config", str(path)))


def test_check_warns_of_each_company_whose_clicks_need_no_login(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "gateway.toml"
    path.write_text("[tenants.acme]\n[tenants.beta.click_to_call]\nopen_loopback = false\n")
    said = fine(run("check", "--config", str(path)))
    assert re.search(
        r"^warn +acme +open_loopback is on.*open_loopback = false in \[tenants.acme.click_to_call\]", said, re.M
    )
    assert said.count("open_loopback is on") == 1


def test_serve_warns_of_each_company_whose_clicks_need_no_login(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    served: list[object] = []
    monkeypatch.setattr("gateway.server.serve.serve", lambda options, **_: served.append(options))
    path = tmp_path / "gateway.toml"
    path.write_text('[log]\nformat = "json"\n[tenants.acme]\n[tenants.beta.click_to_call]\nopen_loopback = false\n')
    (said,) = run("serve", "--config", str(path)).stderr.splitlines()
    entry = json.loads(said)
    assert (entry["level"], entry["event"], entry["tenant"]) == ("warning", "caution", "acme")
    assert "Set open_loopback = false in [tenants.acme.click_to_call]" in entry["advice"]
    assert len(served) == 1


def test_check_says_ok_for_defaults(run: Run) -> None:
    assert "ok" in fine(run("check"))


def test_check_names_each_mistake_of_the_configuration(run: Run, tmp_path: Path) -> None:
    (tmp_path / "gateway.toml").write_text("[server]\nlissten = 1\nworkers = 'x'\n")
    result = run("check", "--config", str(tmp_path / "gateway.toml"))
    assert result.exit_code == 1
    assert "Did you mean 'listen'?" in result.output
    assert "server.workers" in result.output


@pytest.fixture
def with_appliances(tmp_path: Path):
    """A configuration with the three simulated appliances and one that is dead."""
    import tomli_w

    running = {name: simulator() for name, simulator in SIMULATORS.items()}
    for simulator in running.values():
        simulator.start()
    appliances = {name: demo_settings(name, simulator.address) for name, simulator in running.items()}
    dead = appliances | {"dead": appliances["url"] | {"url": "http://127.0.0.1:1/?f={{ extension }}&t={{ number }}"}}
    tenant = {"extensions": ["3500-3599"], "area_code": "47", "dial_plan": {"prefix": "0"}, "appliances": dead}
    path = tmp_path / "gateway.toml"
    path.write_text(tomli_w.dumps({"tenants": {"acme": tenant}}))
    yield path, running
    for simulator in running.values():
        simulator.stop()


def test_check_probes_appliances_and_rings_nobody(run: Run, with_appliances) -> None:
    path, running = with_appliances
    result = run("check", "--config", str(path))
    assert result.exit_code == 1
    lines = {line.split()[1]: line.split()[0] for line in result.output.splitlines()}
    assert [lines[f"acme/{name}"] for name in ("soap", "xmlrpc", "url", "dead")] == ["ok", "ok", "ok", "FAIL"]
    assert not any(simulator.received for simulator in running.values())


CASES = """
[tenants.acme]
area_code = "47"
dial_plan = { prefix = "0", blocked = ["0900*"], tests = [
  { number = "47 3210-0123", dials = "04732100123" }, { number = "0900 123 4567", dials = "1" } ] }
[tenants.acme.branches.recife]
extensions = ["6xx"]
area_code = "81"
[tenants.acme.appliances.pbx]
adapter = "url"
url = "http://127.0.0.1:1/?to={{ number }}"
success = "ok"
dial_plan = { prefix = "9", tests = [
  { number = "3210-0123", extension = "601", dials = "98132100123" }, { number = "0900 123 4567", blocked = true } ] }
"""


def test_check_names_a_forward_that_could_write_no_event(run: Run, tmp_path: Path) -> None:
    """``extension`` is a field of orders; each letter with it would be tried for a day, and hold back all behind it."""
    path = tmp_path / "gateway.toml"
    url = "http://127.0.0.1:1/?r={{ %s }}"
    forward = '[tenants.acme.forwards.%s]\nadapter = "url"\nurl = "%s"\nsuccess = "^OK"\n'
    path.write_text(forward % ("dead", url % "ramal") + forward % ("wrong", url % "extension"))
    told = run("check", "--config", str(path))
    lines = {line.split()[1]: line for line in told.output.splitlines()}
    assert told.exit_code == 1
    assert "connection refused" in lines["acme/dead"]
    assert "'extension' is undefined" in lines["acme/wrong"]


def test_check_runs_the_test_cases_of_each_dial_plan_and_names_one_that_no_longer_holds(
    run: Run, tmp_path: Path
) -> None:
    path = tmp_path / "gateway.toml"
    path.write_text(CASES)
    result = run("check", "--config", str(path))
    assert result.exit_code == 1
    assert re.search(r"ok +acme/pbx dial_plan +2 dial plan tests hold", result.output)
    failure = "'0900 123 4567' gave blocked by dial_plan.blocked 0900*, expected 1"
    assert re.search(rf"FAIL +acme dial_plan +{re.escape(failure)}", result.output)


def test_number_explains_dialling_by_an_appliance_for_an_extension(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "gateway.toml"
    path.write_text(CASES)
    place = ["--appliance", "pbx", "--config", str(path)]
    shown = fine(run("number", "3210-0123", "--for-extension", "601", *place))
    for part in ("national  8132100123", "Dials the number behind the prefix 9, once.  [dial-prefix]", "98132100123"):
        assert part in shown
    assert "blocked by dial_plan.blocked 0900*" in fine(run("number", "0900 123 4567", *place))
    lines = fine(run("number", "--json", "32100123", "09001234567", "anonymous", *place)).splitlines()
    one, blocked, nobody = (json.loads(line) for line in lines)
    assert (one["appliance"], one["dialled"], one["refusal"]) == ("pbx", "94732100123", None)
    assert one["dial_steps"][-1]["rule"] == "dial-prefix"
    assert (blocked["dialled"], blocked["dial_steps"][-1]["rule"]) == (None, "dial-blocked")
    assert "não permite ligar para '09001234567' (dial_plan.blocked 0900*)" in blocked["refusal"]
    assert (nobody["dialled"], nobody["dial_steps"]) == (None, [])
    with pytest.raises(GatewayError, match="central desconhecida: 'nuvem'"):
        raise run("number", "1", "--appliance", "nuvem", "--config", str(path)).exception


@pytest.mark.parametrize("name", ["soap", "xmlrpc", "url"])
def test_dial_sends_the_order_and_logs_its_outcome(run: Run, with_appliances, name: str) -> None:
    path, running = with_appliances
    assert "accepted:" in fine(run("dial", "3501", "47999998888", "--appliance", name, "--config", str(path)))
    (received,) = running[name].received
    assert (received.extension, received.number) == ("3501", "047999998888")
    call = json.loads(fine(run("calls", "--format", "json", "--config", str(path))))
    assert (call["direction"], call["status"], call["appliance"]) == ("outgoing", "accepted", name)


def test_dial_says_when_the_appliance_is_unreachable(run: Run, with_appliances) -> None:
    path, _ = with_appliances
    result = run("dial", "3501", "47999998888", "--appliance", "dead", "--config", str(path))
    assert (result.exit_code, "unreachable:" in result.output) == (1, True)


@pytest.mark.parametrize(
    ("name", "line"), [("soap", "POST /pabx HTTP/1.1"), ("xmlrpc", "POST /RPC2 HTTP/1.1"), ("url", "GET /originate?")]
)
def test_dry_run_prints_the_exact_request_and_sends_nothing(run: Run, with_appliances, name: str, line: str) -> None:
    path, running = with_appliances
    shown = fine(run("dial", "3501", "47999998888", "--appliance", name, "--dry-run", "--config", str(path)))
    assert shown.startswith(line)
    assert "047999998888" in shown
    assert running[name].received == []
    assert run("calls", "--format", "json", "--config", str(path)).stdout == ""


def test_an_appliance_without_http_is_checked_shown_and_dialled_like_any_other(run: Run, tmp_path: Path) -> None:
    import tomli_w

    manager = FAMILIES["asterisk-manager"]().start()
    path = tmp_path / "gateway.toml"
    path.write_text(tomli_w.dumps({"tenants": {"acme": {"area_code": "47", "appliances": manager.tables()}}}))
    order = ("dial", "3501", "47999998888", "--config", str(path))
    try:
        assert "speaks AMI and accepted the login" in fine(run("check", "--config", str(path)))
        shown = fine(run(*order, "--dry-run"))
        assert manager.received == []
        assert "accepted:" in fine(run(*order))
    finally:
        manager.stop()
    assert [line for line in shown.splitlines() if line.startswith(("Action:", "Key:", "Exten:"))] == [
        *("Action: Challenge", "Action: Login", "Key: ****", "Action: Originate", "Exten: 47999998888")
    ]
    (received,) = manager.received
    assert (received.extension, received.number, received.call_id) == ("3501", "47999998888", "gw-acme-1")
    assert '"secret"' not in fine(run("config", "--config", str(path))).replace('"secret": "****"', "")


def test_config_shows_what_is_in_force_without_secrets(run: Run, with_appliances) -> None:
    path, _ = with_appliances
    shown = json.loads(fine(run("config", "--config", str(path))))
    assert shown["tenants"]["acme"]["dial_plan"]["prefix"] == "0"
    assert "wsdl" in shown["tenants"]["acme"]["appliances"]["soap"]


def test_accounts_are_imported_and_refused_lines_are_named(run: Run, accounts: Path) -> None:
    for changes in ("1 accounts added, 0 changed, 0 unchanged", "0 accounts added, 0 changed, 1 unchanged"):
        result = run("import", "accounts", str(accounts))
        assert f"2 lines read; {changes}, 0 removed, 1 lines refused; 'default' now has 1" in fine(result)
    assert f"{accounts.name}:3: '2' the name is empty" in result.stderr


def test_refused_lines_go_into_a_report_and_columns_may_be_mapped(run: Run, accounts: Path, tmp_path: Path) -> None:
    report = tmp_path / "refused.csv"
    fine(
        run("import", "accounts", str(accounts), "--map", "codigo=name", "--map", "nome=code", "--report", str(report))
    )
    assert report.exists()
    wrong = run("import", "accounts", str(accounts), "--map", "nome=nome")
    assert (wrong.exit_code, "known: code, name, contact, phone" in wrong.output) == (2, True)


def test_an_import_says_which_columns_it_did_not_use(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "contas.csv"
    path.write_text("codigo;nome;ddd;telefone;cidade\n1;A;11;32100123;B\n", encoding="utf-8")
    assert "Columns not used: cidade." in run("import", "accounts", str(path)).output
    assert "Columns not used: cidade." in run("import", "list").output


def test_number_explains_reading_matching_and_dialling(run: Run, accounts: Path) -> None:
    fine(run("import", "accounts", str(accounts)))
    shown = fine(run("number", "+55 47 3210-0123"))
    for part in ("kind      fixed", "national  4732100123", "account   Padaria São José (1) - Ana", "no appliance"):
        assert part in shown
    assert json.loads(fine(run("number", "+55 47 3210-0123", "--json")))["e164"] == "+554732100123"


def test_numbers_are_read_from_standard_input_as_json_lines_for_a_company_that_need_not_exist(run: Run) -> None:
    company = ["--area-code", "47", "--extensions", "3500-3599,2xx"]
    shown = fine(run("number", "--json", "-", "3501", *company, stdin="32100123\n250\n"))
    readings = [json.loads(line) for line in shown.splitlines()]
    assert [(one["input"], one["kind"], one["national"]) for one in readings] == [
        ("32100123", "fixed", "4732100123"),
        ("250", "extension", "250"),
        ("3501", "extension", "3501"),
    ]
    assert set(readings[0]) == {"input", "kind", "e164", "national", "candidates", "steps"}


def test_each_line_gives_one_json_object_whatever_its_bytes(run: Run) -> None:
    lines = b"\xef\xbb\xbf4732100123\r\n\nN\xe3o identificado\n\x00\xff\xfe\n" + b"9" * 100_000 + b"\n190"
    shown = [json.loads(line) for line in fine(run("number", "--json", "-", stdin=lines)).splitlines()]
    assert [(one["input"][:20], one["kind"]) for one in shown] == [
        ("4732100123", "fixed"),
        ("", "withheld"),
        ("Não identificado", "withheld"),
        ("\x00ÿþ", "unknown"),
        ("9" * 20, "unknown"),
        ("190", "short"),
    ]


def test_a_comma_in_a_regular_expression_does_not_part_a_list_of_extensions(run: Run) -> None:
    shown = fine(run("number", "--json", "312", "3125", "255", "--extensions", "/3[0-9]{1,2}/, 2xx"))
    assert [json.loads(line)["kind"] for line in shown.splitlines()] == ["extension", "unknown", "extension"]


def test_an_agent_s_language_is_kept_until_another_is_said(run: Run, tmp_path: Path) -> None:
    ana = ("agent", "add", "ana", "--extension", "3501", "--password-stdin")
    for said, kept in (("es", "es"), ("", "es"), ("en", "en")):
        fine(run(*ana, *(["--language", said] if said else []), stdin="longa-senha\n"))
        with closing(sqlite3.connect(tmp_path / "data" / "gateway.db")) as database:
            assert database.execute("SELECT language FROM agents").fetchall() == [(kept,)]
    assert "'pt-BR', 'en', 'es'" in run(*ana, "--language", "de").output


@pytest.mark.parametrize("wrong", [["--area-code", "23"], ["--extensions", "35x-"]])
def test_a_wrong_stand_in_for_a_company_is_refused(run: Run, wrong: list[str]) -> None:
    assert run("number", "1", *wrong).exit_code == 2


def test_agents_are_added_listed_and_removed(run: Run) -> None:
    fine(run("agent", "add", "ana", "--extension", "3501", "--name", "Ana", "--password-stdin", stdin="longa-senha\n"))
    assert fine(run("agent", "list")) == "default\tana\t3501\tAna\tagent\n"
    assert run("agent", "remove", "bia").exit_code == 1
    fine(run("agent", "remove", "ana"))
    assert fine(run("agent", "list")) == ""


def test_an_agent_has_the_role_that_was_said_until_another_is(run: Run) -> None:
    bia = ("agent", "add", "bia", "--extension", "3502", "--password-stdin")
    for told, kept in ((("--role", "auditor"), "auditor"), ((), "auditor"), (("--role", "agent"), "agent")):
        fine(run(*bia, *told, stdin="longa-senha\n"))
        assert fine(run("agent", "list")) == f"default\tbia\t3502\tbia\t{kept}\n"
    fine(run("agent", "role", "bia", "supervisor"))
    assert fine(run("agent", "list")).endswith("\tsupervisor\n")
    assert run("agent", "role", "caio", "supervisor").exit_code == 1
    assert run("agent", "role", "bia", "chef").exit_code == 2


def test_a_short_password_is_refused_without_repeating_it(run: Run) -> None:
    result = run("agent", "add", "ana", "--extension", "3501", "--password-stdin", stdin="abc\n")
    assert result.exit_code == 1
    assert "8 to 256 characters; this one has 3" in result.output


@pytest.mark.parametrize("password", ["12345678", "ana.souza1"])
def test_a_password_that_is_guessed_first_is_refused_and_an_agent_keeps_the_old_one(run: Run, password: str) -> None:
    fine(run("agent", "add", "ana.souza", "--extension", "3501", "--password-stdin", stdin="longa-senha\n"))
    result = run("agent", "add", "ana.souza", "--extension", "3599", "--password-stdin", stdin=f"{password}\n")
    assert result.exit_code == 1
    assert "guessed too easily" in result.output
    assert password not in result.output
    assert fine(run("agent", "list")) == "default\tana.souza\t3501\tana.souza\tagent\n"


def test_calls_are_printed_as_table_csv_and_json(run: Run, with_appliances) -> None:
    path, _ = with_appliances
    fine(run("dial", "3501", "3502", "--config", str(path)))
    table = fine(run("calls", "--config", str(path)))
    assert table.splitlines()[0].startswith("id  tenant  direction")
    (row,) = csv.DictReader(io.StringIO(fine(run("calls", "--format", "csv", "--config", str(path)))))
    assert (row["direction"], row["number"]) == ("internal", "3502")
    call = json.loads(fine(run("calls", "--format", "json", "--config", str(path))))
    wanted = "id tenant direction extension number account started_at ended_at duration_s recording_url status"
    assert list(call)[:11] == wanted.split()


def test_calls_can_be_narrowed_by_time(run: Run, with_appliances) -> None:
    path, _ = with_appliances
    fine(run("dial", "3501", "3502", "--config", str(path)))
    assert fine(run("calls", "--format", "json", "--since", "1h", "--config", str(path)))
    assert fine(run("calls", "--format", "json", "--until", "1h", "--config", str(path))) == ""
    assert run("calls", "--since", "ontem", "--config", str(path)).exit_code == 2


def test_what_is_no_plain_text_is_json_in_csv_and_no_formula(run: Run, tmp_path: Path) -> None:
    fine(run("import", "list"))
    fields = '{"cpf":"529.982.247-25","nome":"São José"}'
    with closing(sqlite3.connect(tmp_path / "data" / "gateway.db")) as database:
        columns = "id, tenant, direction, extension, number, number_as_sent, logged_at, started_at, status, fields"
        row = (1, "default", "incoming", "3501", "4732100123", "4732100123", 1, 1, "ended", fields)
        database.execute(f"INSERT INTO calls ({columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
        database.commit()
    (row,) = csv.DictReader(io.StringIO(fine(run("calls", "--format", "csv"))))
    assert json.loads(row["fields"]) == {"cpf": "529.982.247-25", "nome": "São José"}
    assert (row["rang"], row["notes"]) == ("3501", "")
    assert json.loads(row["legs"])[0]["extension"] == "3501"


def test_calls_can_be_narrowed_by_result(run: Run, tmp_path: Path) -> None:
    fine(run("import", "list"))
    with closing(sqlite3.connect(tmp_path / "data" / "gateway.db")) as database:
        columns = "id, tenant, direction, extension, number, number_as_sent, logged_at, status, result"
        for id, result in enumerate(("busy", "missed", "answered"), start=1):
            row = (id, "default", "incoming", "3501", "4732100123", "4732100123", id, "ended", result)
            database.execute(f"INSERT INTO calls ({columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
        database.commit()
    told = fine(run("calls", "--result", "busy", "--result", "answered", "--format", "json"))
    assert [json.loads(line)["result"] for line in told.splitlines()] == ["busy", "answered"]
    refused = run("calls", "--result", "ocupado")
    assert refused.exit_code == 2
    assert "busy" in refused.output
    told = fine(run("calls", "--search", "*0123 resultado:ocupado", "--format", "json"))
    assert [json.loads(line)["result"] for line in told.splitlines()] == ["busy"]
    told = fine(run("calls", "--search", "32100", "--format", "json"))
    assert [json.loads(line)["id"] for line in told.splitlines()] == [3, 2, 1]
    book = run("calls", "--result", "busy", "--format", "xlsx").stdout_bytes
    with zipfile.ZipFile(io.BytesIO(book)) as parts:
        assert parts.read("xl/worksheets/sheet1.xml").count(b"<row ") == 2
    assert "resultado:talvez" in run("calls", "--search", "resultado:talvez").output


def test_consultations_are_told_where_they_are_asked_for(run: Run, tmp_path: Path) -> None:
    fine(run("import", "list"))
    with closing(sqlite3.connect(tmp_path / "data" / "gateway.db")) as database:
        columns = "id, tenant, direction, extension, number, number_as_sent, logged_at, status, consultation_for"
        for row in (
            (1, "default", "incoming", "3501", "x", "x", 1, "ended", None),
            (2, "default", "internal", "3502", "3501", "3501", 2, "ended", 1),
        ):
            database.execute(f"INSERT INTO calls ({columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
        database.commit()
    told = [fine(run("calls", *asked, "--format", "json")) for asked in ((), ("--consultations",))]
    found = [[json.loads(line)["consultation_for"] for line in lines.splitlines()] for lines in told]
    assert found == [[None], [None, 1]]


@pytest.mark.parametrize("command", ["calls", "traffic"])
def test_a_command_that_only_looks_makes_no_data_where_there_is_none(run: Run, tmp_path: Path, command: str) -> None:
    with pytest.raises(GatewayError, match="there is no gateway's data in"):
        raise run(command, "--data", str(tmp_path / "typo")).exception
    assert not (tmp_path / "typo").exists()


def test_a_call_is_explained_in_a_terminal_and_for_scripts(run: Run, with_appliances) -> None:
    path, _ = with_appliances
    fine(run("dial", "3501", "3502", "--config", str(path)))
    told = fine(run("calls", "--why", "1", "--config", str(path)))
    assert told.startswith("call 1: It did not come up: no agent has extension 3501.")
    assert "  NO  agent      no agent has extension 3501\n" in told
    plain = json.loads(fine(run("calls", "--why", "1", "--format", "json", "--config", str(path))))
    assert (plain["call"], plain["popped"]) == (1, False)
    assert "There is no call 77." in run("calls", "--why", "77", "--config", str(path)).output


def test_the_traffic_log_is_printed_as_a_list_and_whole(run: Run, with_appliances) -> None:
    path, _ = with_appliances
    fine(run("dial", "3501", "3502", "--config", str(path)))
    table = fine(run("traffic", "--config", str(path)))
    assert " out " in table
    assert " dial " in table
    last = json.loads(fine(run("traffic", "--format", "json", "--way", "out", "--config", str(path))).splitlines()[-1])
    assert last["call_id"] == 1
    whole = fine(run("traffic", "--id", str(last["id"]), "--config", str(path)))
    assert whole.splitlines()[0] == last["request"].splitlines()[0]
    assert fine(run("traffic", "--way", "in", "--config", str(path))) == ""
    for much in (("calls", "--why"), ("traffic", "--id"), ("traffic", "--call")):
        assert run(*much, "9" * 30, "--config", str(path)).exit_code == 2, "a number that no row can have"
    assert "There is no entry 99" in run("traffic", "--id", "99", "--config", str(path)).output


def test_what_other_nodes_keep_of_a_call_is_told_beside_the_list(
    run: Run, with_appliances, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, _ = with_appliances
    fine(run("dial", "3501", "3502", "--config", str(path)))
    known = [
        IndexedExchange(0, "acme", 1, node, url, "in", "10.0.0.7", "dial", "200 OK")
        for node, url in (("n2", "http://n2:8080"), ("n2", "http://n2:8080"), ("n3", ""))
    ]
    monkeypatch.setattr(TrafficLog, "elsewhere", lambda _self, _tenant, call: known if call == 1 else [])
    told = run("traffic", "--call", "1", "--config", str(path))
    assert told.stderr.splitlines() == [
        "# 2 more in the traffic log of node n2 (http://n2:8080)",
        "# 1 more in the traffic log of node n3",
    ]
    assert " dial " in told.stdout
    assert "n2" not in run("traffic", "--config", str(path)).output


def test_the_former_name_of_the_traffic_log_works_with_a_hint(run: Run, with_appliances) -> None:
    path, _ = with_appliances
    fine(run("dial", "3501", "3502", "--config", str(path)))
    former = run("exchanges", "--format", "json", "--config", str(path))
    assert former.stdout == run("traffic", "--format", "json", "--config", str(path)).stdout != ""
    assert "'exchanges' is called 'traffic' now" in former.stderr
    assert "exchanges  " not in run("--help").output


def test_a_tenant_that_does_not_exist_is_named_with_those_that_do(run: Run) -> None:
    with pytest.raises(GatewayError, match=r"there is no tenant 'x'\. Configured: default"):
        raise run("number", "1", "--tenant", "x").exception


def test_the_wsdl_is_printed_with_the_address_asked_for(run: Run) -> None:
    assert 'location="http://pbx.local/soap"' in fine(run("wsdl", "--address", "http://pbx.local/soap", data=False))


@pytest.mark.parametrize("name", ["cti-gateway", "wconnect"])
def test_each_published_wsdl_is_printed_by_its_name(run: Run, name: str) -> None:
    assert fine(run("wsdl", name, data=False)) == (ROOT / "wsdl" / f"{name}.wsdl").read_text(encoding="utf-8")


def test_the_wsdl_with_the_classic_names_is_printed_in_its_charset(run: Run) -> None:
    printed = run("wsdl", "wconnect-classic", data=False).stdout_bytes
    assert printed.startswith(b'<?xml version="1.0" encoding="ISO-8859-1"?>')
    assert b'<service name="WConnect CRM Senior">' in printed
    assert "liga\u00e7\u00e3o".encode("latin-1") in printed


def test_version_names_what_the_gateway_stands_on(run: Run) -> None:
    assert "spyne 2.14.0" in fine(run("version", data=False))


def test_the_database_is_upgraded_by_command_and_again_without_harm(run: Run) -> None:
    for _ in range(2):
        assert "up to date" in fine(run("db", "upgrade"))


def test_simulate_lists_its_simulators_with_login_and_failures(run: Run) -> None:
    listed = fine(run("simulate", "--list", data=False))
    for line in ("asterisk-ami", "  login: gateway:secret", "  --fail busy"):
        assert f"\n{line}" in listed
    assert "freeswitch" in fine(run("simulate", "--help", data=False))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("asterisk",), "Did you mean 'asterisk-"),
        (("kamailio", "--fail", "bussy"), "it has: auth, forbidden, busy, fault"),
        (("url", "--listen", "8080"), "is not ADDR:PORT"),
        (("url", "--events-to", "ftp://x"), "events go to an http://"),
    ],
)
def test_simulate_says_what_is_wrong_with_what_it_was_told(run: Run, arguments: tuple[str, ...], said: str) -> None:
    result = run("simulate", *arguments, data=False)
    assert result.exit_code != 0
    assert said in result.output


@pytest.mark.parametrize("name", ["asterisk-ami", "asterisk-manager", "cisco-webdialer", "url"])
def test_simulate_prints_the_settings_that_dial_on_it(name: str) -> None:
    from gateway.cli.simulate import _to_paste
    from gateway.config import loader as config_file

    pem = ROOT / "tests" / "adapters" / "localhost.pem"
    appliance = FAMILIES[name](certificate=pem if name == "cisco-webdialer" else None).start()
    try:
        printed = _to_paste(appliance)
    finally:
        appliance.stop()
    loaded = config_file.parse(tomllib.loads(printed.partition("\n\n")[2]), source="gateway.toml", base=ROOT)
    assert loaded.tenants["default"].appliances[name].extensions == ("3501",)


def test_simulate_says_that_cisco_s_preset_wants_a_certificate() -> None:
    from gateway.cli.simulate import _to_paste

    assert "give --certificate" in _to_paste(FAMILIES["cisco-webdialer"]())


def two_appliances(tmp_path: Path) -> Path:
    """A configuration with an appliance whose adapter has a defect, and one that is only unreachable."""
    (tmp_path / "broken.wsdl").write_text((ROOT / "tests" / "adapters" / "pabx.wsdl").read_text())
    path = tmp_path / "gateway.toml"
    path.write_text(
        """
[tenants.default]
area_code = "47"
[tenants.default.appliances.broken]
adapter = "soap"
wsdl = "broken.wsdl"
operation = "Call"
arguments = { from = "{{ extension }}", to = "{{ number }}" }
[tenants.default.appliances.other]
adapter = "url"
url = "http://127.0.0.1:9/?n={{ number }}"
success = "OK"
"""
    )
    return path


def test_check_notes_that_a_wsdl_was_put_right_and_lists_each_place_when_asked(run: Run, tmp_path: Path) -> None:
    wsdl = Path(__file__).parents[2] / "tests" / "adapters" / "field_wsdl" / "any-as-type.wsdl"
    spaced = tmp_path / "spaced.wsdl"
    spaced.write_text(wsdl.read_text().replace('binding="tns:B"', 'binding="tns:B "'))
    path = two_appliances(tmp_path)
    settings = f'wsdl = "{spaced}"\noperation = "Dial"\naddress = "http://127.0.0.1:9/"'
    path.write_text(path.read_text().replace('wsdl = "broken.wsdl"\noperation = "Call"', settings))
    short = [line for line in run("check", "--config", str(path)).output.splitlines() if line.startswith("note")]
    assert [line.split(maxsplit=2)[1:] for line in short] == [
        ["default/broken", "the WSDL was put right in 2 places (check -v says what)"]
    ]
    told = [line for line in run("check", "-v", "--config", str(path)).output.splitlines() if line.startswith("note")]
    assert len(told) == 2
    assert "spaced.wsdl: service 'S', port 'Q': white space around binding='tns:B ' is passed over" in told[0]
    assert "element 'from': type=\"xs:any\" is read as XML Schema's anyType" in told[1]


def test_a_defect_of_one_appliances_adapter_does_not_end_check_for_the_others(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stumble(*_: object) -> None:
        raise AttributeError("'NoneType' object has no attribute 'type'")

    monkeypatch.setattr("adapters.soap.adapter.SoapAdapter.probe", stumble)
    result = run("check", "--config", str(two_appliances(tmp_path)))
    assert result.exit_code == 1
    assert isinstance(result.exception, SystemExit)
    lines = result.stdout.splitlines()
    assert any("default/broken" in line and "defect of the adapter: AttributeError" in line for line in lines)
    assert any("default/other" in line and "connection refused" in line for line in lines)


def test_a_defect_of_an_adapter_ends_a_dry_run_with_a_sentence(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stumble(*_: object) -> None:
        raise AttributeError("'NoneType' object has no attribute 'type'")

    monkeypatch.setattr("adapters.soap.adapter.SoapAdapter.preview", stumble)
    config = ["--config", str(two_appliances(tmp_path))]
    result = run("dial", "3501", "4732100123", "--dry-run", "--appliance", "broken", *config)
    assert isinstance(result.exception, GatewayError), "a traceback"
    assert "the adapter has a defect: AttributeError" in str(result.exception)


def test_a_name_has_no_power_over_the_terminal(run: Run, tmp_path: Path) -> None:
    evil, shown = "Ana\x1b]0;x\x07\u202eb", "Ana\\x1b]0;x\\x07\\u202eb"
    told = ("--extension", "3501", "--name", evil, "--password-stdin")
    fine(run("agent", "add", "ana", *told, stdin="longa-senha\n"))
    assert fine(run("agent", "list")) == f"default\tana\t3501\t{shown}\tagent\n"
    accounts = tmp_path / "contas.csv"
    accounts.write_text("codigo;conta;telefone\n1;Loja \x9b31m\u202e;4732100123\n", encoding="utf-8")
    fine(run("import", "accounts", str(accounts)))
    assert "Loja \\x9b31m\\u202e (1)" in fine(run("number", "4732100123"))


def test_calls_on_a_terminal_show_control_characters_as_escapes(run: Run, with_appliances: Path) -> None:
    run("dial", "3501", "4732100123\x1b[2J", "--config", str(with_appliances))
    for form in ("table", "json"):
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", run("calls", "--format", form).stdout)


def test_the_audit_log_is_printed_in_every_form(run: Run, tmp_path: Path) -> None:
    fine(run("agent", "add", "ana", "--extension", "3501", "--password-stdin", stdin="longa-senha\n"))
    with closing(sqlite3.connect(tmp_path / "data" / "gateway.db")) as database, database:
        columns = "tenant, at, login, client, action, subject, detail"
        for at, action in ((1000, "listened"), (2000, "exported")):
            database.execute(
                f"INSERT INTO audit ({columns}) VALUES ('default', {at}, '=ana', '::1', '{action}', '7', '')"
            )
    assert "listened to a recording  7" in fine(run("audit", "--action", "listened"))
    lines = fine(run("audit", "--format", "csv")).splitlines()
    assert lines[1] == "1;default;1970-01-01T00:00:01.000Z;'=ana;::1;listened;7;"
    told = [json.loads(line) for line in fine(run("audit", "--format", "json", "--login", "=ana")).splitlines()]
    assert [each["action"] for each in told] == ["listened", "exported"]
    assert fine(run("audit", "--login", "bia")) == ""


FORWARD_WITH_EXAMPLES = """
[tenants.acme.forwards.crm]
adapter = "url"
url = "http://127.0.0.1:1/?r={{ ramal }}"
success = "^OK"
only = "direction == 'incoming' and kind != 'withheld'"

[[tenants.acme.forwards.crm.examples]]
event = { direction = "incoming", kind = "mobile", ring_s = 20, missed = true, rang = ["3501"], fields = { cpf = "1" } }
sent = true

[[tenants.acme.forwards.crm.examples]]
event = { direction = "incoming", kind = "withheld" }
sent = %s
"""


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        ("false", r"ok +acme/crm +2 examples hold"),
        ("true", r'FAIL +acme/crm .* does not send an event with direction = "incoming", kind = "withheld"'),
    ],
)
def test_check_holds_a_forwards_condition_against_its_examples(run: Run, tmp_path: Path, sent: str, told: str) -> None:
    path = tmp_path / "gateway.toml"
    path.write_text(FORWARD_WITH_EXAMPLES % sent)
    assert re.search(told, run("check", "--config", str(path)).output)


def test_check_says_which_example_a_forward_without_a_condition_does_not_meet(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "gateway.toml"
    path.write_text((FORWARD_WITH_EXAMPLES % "false").replace("only =", "# only ="))
    assert re.search(r"FAIL +acme/crm .*the example wants it left out", run("check", "--config", str(path)).output)
