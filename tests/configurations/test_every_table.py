"""A configuration that uses every table and key: each reaches ``serve``, and every command works with it."""

import os
import pickle
import socket
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from werkzeug.test import Client

from gateway.cli.main import cli
from gateway.config import dial_plans
from gateway.config import loader as config_file
from gateway.config import tables as config
from gateway.config.forward_conditions import ForwardExample
from gateway.config.sources import SourceSettings
from gateway.config.tables import Config
from gateway.config.values import Table
from gateway.directory.schedule import ImportRequest
from gateway.domain.roles import Role
from gateway.logins.passwords import KEY, hash_password
from gateway.server import bootstrap, serve, worker
from gateway.server import import_process as process
from gateway.server.application import Application
from gateway.server.worker import WorkerOptions
from gateway.store.directory import Account, Agent
from tests.configurations import every_table

AS_DEFAULT = {(config.TrafficSettings, "record")}
"""Keys that the configuration has with the default's value, so that what hangs on them can be tested with it."""
NOT_FOR_SERVE = {(dial_plans.DialPlanSettings, "tests"), (config.Forward, "examples")} | {
    *((dial_plans.DialTest, name) for name in dial_plans.DialTest.model_fields),
    *((ForwardExample, name) for name in ForwardExample.model_fields),
}
"""Keys that only a command looks at: ``check`` proves the dial plans, and what forwards want."""
FOR_THE_LOADER = {
    (config.ServerSettings, "presets"),
    (config.ServerSettings, "public_targets_only"),
    (config.ApplianceSettings, "preset"),
    (SourceSettings, "preset"),
    (SourceSettings, "kind"),
    (config.Forward, "patience"),
}
"""Keys that are used up while the file is read: without them ``own-cloud`` would not load."""

FOR_POSTGRESQL = {
    (config.ServerSettings, name)
    for name in (
        *("database", "database_password", "database_direct", "accept_loss", "remove_whole_partitions"),
        *("spool", "spool_mb", "spool_hours"),
    )
}
"""Keys that a server of its own is needed for: tests/live/test_postgresql.py, tests/server/test_node_watch.py,
tests/server/test_node_spool.py, tests/store/test_partitions.py.
"""

Key = tuple[type[Table], str]


OF_A_SITE = "gateway.onsite.settings"
"""Tables of a file of their own, that of a gateway on site: tests/onsite/every_setting.toml."""


def keys() -> set[Key]:
    models = [model for model in every_table.models() if model.__module__ != OF_A_SITE]
    return {(model, name) for model in models for name in model.model_fields}


def names(found: set[Key]) -> list[str]:
    return sorted(f"{model.__name__}.{name}" for model, name in found)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return every_table.write(tmp_path)


def test_no_table_and_no_key_is_missing_in_it(path: Path) -> None:
    used: set[Key] = {
        (type(table), name)
        for table in every_table.tables(config_file.load(path))
        for name in table.model_fields_set
        if (type(table), name) in AS_DEFAULT or getattr(table, name) != type(table).model_fields[name].default
    }
    assert names(keys() - used - FOR_POSTGRESQL) == []


class FakeWorkers:
    """Stands in for Granian's processes: keeps what each worker would be given, and does ``work`` in its place."""

    given: WorkerOptions
    work: Callable[[WorkerOptions], None] = staticmethod(lambda _: None)

    def __init__(self, *_: object, **__: object) -> None:
        self.serving: set[int] = set()

    def on_startup(self, _: object) -> None:
        pass

    def serve_with(self, loader: Any) -> None:
        (work,) = loader.args
        config, data = pickle.loads(pickle.dumps((work.config, work.data)))
        FakeWorkers.given = replace(work, config=config, data=data)
        FakeWorkers.work(FakeWorkers.given)


@pytest.fixture
def no_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[FakeWorkers]]:
    monkeypatch.setattr(serve, "Workers", FakeWorkers)
    monkeypatch.setattr(FakeWorkers, "work", staticmethod(lambda _: None))
    monkeypatch.setattr(serve.multiprocessing, "set_start_method", lambda *_, **__: None)
    monkeypatch.setattr(worker, "Finalize", lambda *_, **__: None)
    for name in ("PROMETHEUS_MULTIPROC_DIR", KEY):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    umask = os.umask(0o077)
    yield FakeWorkers
    os.umask(umask)


def given_to_workers(path: Path, *options: str) -> WorkerOptions:
    """What ``serve`` hands its workers, through the pickle that takes it there."""
    done = CliRunner().invoke(cli, ["serve", "--config", str(path), *options], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return FakeWorkers.given


@pytest.mark.parametrize("record", ["true", "false"])
def test_each_setting_reaches_the_workers_of_serve(tmp_path: Path, no_server: type[FakeWorkers], record: str) -> None:
    changed = [("record = true", f"record = {record}"), ("18000", str(free_port())), ("18100", str(free_port()))]
    path = every_table.write(tmp_path, changed=changed)
    options = given_to_workers(path)
    assert every_table.plain(options.config) == every_table.plain(config_file.load(path))
    assert options.data == tmp_path / "files"


def test_options_of_the_command_change_their_own_settings_only(tmp_path: Path, no_server: type[FakeWorkers]) -> None:
    listen = f"127.0.0.1:{free_port()}"
    path = every_table.write(tmp_path, changed=[("18100", str(free_port()))])
    options = given_to_workers(path, "--listen", listen, "--workers", "3")
    loaded = config_file.load(path)
    server = loaded.server.model_copy(update={"listen": listen, "workers": 3})
    assert every_table.plain(options.config) == every_table.plain(loaded.model_copy(update={"server": server}))


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> set[Key]:
    """Every key that is looked at from now on, but for looks of the loader, which checks whether keys fit together."""
    seen: set[Key] = set()
    loading = [False]
    load = config_file.load

    def spy(table: Table, name: str) -> Any:
        if not loading[0] and name in type(table).model_fields:
            seen.add((type(table), name))
        return object.__getattribute__(table, name)

    def load_unseen(path: Path | None) -> Config:
        loading[0] = True
        try:
            return load(path)
        finally:
            loading[0] = False

    monkeypatch.setattr(Table, "__getattribute__", spy)
    monkeypatch.setattr(config_file, "load", load_unseen)
    return seen


@pytest.fixture
def loaded(no_server: type[FakeWorkers], monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Application]]:
    """The applications that workers make."""
    made: list[Application] = []

    class Kept(Application):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            made.append(self)

    shortened: list[bool] = []
    monkeypatch.setattr("gateway.server.application.Application", Kept)
    monkeypatch.setattr("gateway.server.pauses.shorten", lambda _: shortened.append(True))  # not of the tests' process
    yield made
    for application in made:
        application.close()
    assert len(shortened) == len(made)


def test_each_setting_is_looked_at_by_a_gateway_that_serves(
    tmp_path: Path, no_server: type[FakeWorkers], loaded: list[Application], read: set[Key]
) -> None:
    path = every_table.write(tmp_path, changed=[("18000", str(free_port())), ("18100", str(free_port()))])

    def work(given: WorkerOptions) -> None:
        worker.load(given)
        ask_everything(loaded[0])
        import_from_a_source(given)

    no_server.work = staticmethod(work)
    given_to_workers(path)
    assert names(keys() - read - NOT_FOR_SERVE - FOR_THE_LOADER - FOR_POSTGRESQL) == []


def ask_everything(application: Application) -> None:
    """What each wire and the desk look at only when somebody asks."""
    ana = Agent(0, "acme", "ana", "Ana", "3501", role=Role.ADMINISTRATOR)
    application._gateway.directory.save_agent(ana, hash_password("uma-senha"), at=1)
    shop = Account("1", "Loja", (("4732100123", "Rita"),))
    application._gateway.directory.load_accounts("acme", [shop], 1)
    client = Client(application.wsgi)
    here = {"REMOTE_ADDR": "127.0.0.1"}
    event = f"/t/acme/wconnect/WConnect_WSDL_ConsultaRamal.php?dst=3501&src=4732100123&token={every_table.EVENTS_TOKEN}"
    assert client.get(event).text.startswith("ok ")
    assert client.get("/t/acme/wconnect/WConnect_WSDL_ConsultaRamal.php", environ_base=here).status_code == 299
    assert client.post("/t/acme/soap", data=b"<x/>", content_type="text/xml", environ_base=here).status_code == 298
    assert client.get("/t/acme/discar?de=3501&para=4732100123", environ_base=here).status_code == 401
    wrong = {"token_auth": every_table.CRM_TOKEN}
    assert client.get("/t/acme/discar?de=3501&para=4732100123", environ_base=here, headers=wrong).status_code == 401
    for path in ("me", "appliances", "missed", "calls", "outcomes"):
        assert client.get(f"/t/acme/api/{path}", auth=("ana", "uma-senha"), environ_base=here).status_code == 200
    note = client.put(
        "/t/acme/api/calls/1/note", json={"outcome": "sold"}, auth=("ana", "uma-senha"), environ_base=here
    )
    assert note.status_code == 200
    claim = "/t/acme/api/missed/999/claim"
    assert client.post(claim, auth=("ana", "uma-senha"), environ_base=here).status_code == 409
    assert client.get("/t/acme/login").status_code == 200
    _look_at_cards(client, event)
    assert "Bilhetagem" in client.get("/t/acme/centrais").text
    assert list(application._gateway.schedule._scheduled())


def _look_at_cards(client: Client, event: str) -> None:
    """Ana's cards of a call from a known number and of one from an unknown one."""
    who = {"usuario": "ana", "senha": "uma-senha"}
    assert client.post("/t/acme/login", data=who, headers={"Sec-Fetch-Site": "same-origin"}).status_code == 303
    unknown = client.get(event.replace("4732100123", "4733334444")).text.removeprefix("ok ").strip()
    assert "https://crm.acme.example/contatos?nome=Rita" in client.get("/t/acme/telas/ligacao/1").text
    assert "https://crm.acme.example/nova?fone=4733334444" in client.get(f"/t/acme/telas/ligacao/{unknown}").text


def import_from_a_source(options: WorkerOptions) -> None:
    with bootstrap.build(options.config, options.data) as gateway:
        run_id = gateway.importer.imports.claim_due("acme", "planilha", "csv", 1, not_after=0, most=9)
        assert run_id is not None
        assert process._import(gateway, ImportRequest(options.config, options.data, "acme", "planilha", run_id)) == 0


def test_the_default_configuration_is_what_serve_uses_without_a_file(
    tmp_path: Path, no_server: type[FakeWorkers]
) -> None:
    arguments = ["serve", "--data", str(tmp_path / "data"), "--listen", f"127.0.0.1:{free_port()}"]
    assert CliRunner().invoke(cli, arguments, catch_exceptions=False).exit_code == 0
    assert no_server.given.config.traffic == Config().traffic
