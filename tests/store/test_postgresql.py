"""Opening a PostgreSQL database: what is made of an empty one, and what is said of one that cannot be used."""

import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
from structlog.testing import capture_logs

from gateway.errors import ConfigError, DatabaseNotReached, DataUnusable, NewerSchema
from gateway.store import revisions
from gateway.store.database import explained, open_database
from gateway.store.postgresql import database as postgresql_database
from gateway.store.postgresql import errors as postgresql_errors
from gateway.store.postgresql import schema as postgresql_schema
from gateway.store.postgresql.database import open_postgresql
from tests.postgresql import GUARDED, FreshDatabase, server
from tests.waiting import until

pytestmark = pytest.mark.postgresql
Empty = Callable[..., str]


@pytest.fixture
def empty() -> Iterator[Empty]:
    """Makes databases without any table; returns their addresses."""
    made: list[str] = []

    def make(name: str, options: str = "") -> str:
        made.append(name)
        server().run(f"CREATE DATABASE {name} {options}")
        return server().url(name)

    yield make
    for name in made:
        server().run(f"DROP DATABASE {name} WITH (FORCE)")


def upgraded(url: str, data: Path, password: str | None = None) -> str | None:
    database = open_postgresql(url, data, password)
    try:
        database.upgrade()
        return database.revision()
    finally:
        database.close()


def refusal(url: str, data: Path, password: str | None = None) -> str:
    with pytest.raises(DataUnusable) as told:
        upgraded(url, data, password)
    return f"{told.value} {told.value.hint}"


def test_several_nodes_make_an_empty_database_at_once_and_again(empty: Empty, tmp_path: Path) -> None:
    url = empty("bare")
    database = open_database(tmp_path, url)
    assert (database.kind, database.exists(), database.revision()) == ("postgresql", False, None)
    with ThreadPoolExecutor(3) as threads:
        found = list(threads.map(lambda _: upgraded(url, tmp_path), range(3)))
    assert found == [revisions.of_this_version()] * 3
    assert database.exists()
    assert (database.lanes, database.lane_of("acme")) == (8, open_database(tmp_path, url).lane_of("acme"))
    assert {database.lane_of(f"company{n}") for n in range(100)} == set(range(8))
    assert upgraded(url, tmp_path) == revisions.of_this_version(), "nothing is made twice"
    database.close()


@pytest.fixture
def newer() -> Iterator[FreshDatabase]:
    """A database that a newer version has brought to its schema, 9999."""
    fresh = FreshDatabase()
    server().run("UPDATE alembic_version SET version_num = '9999'", fresh.name)
    yield fresh
    server().run(f"UPDATE alembic_version SET version_num = '{revisions.of_this_version()}'", fresh.name)
    fresh.give_back()


def test_a_newer_schema_is_worked_with_and_left_alone(newer: FreshDatabase, tmp_path: Path) -> None:
    with capture_logs() as logs:
        assert upgraded(newer.url, tmp_path) == "9999"
    (told,) = (entry for entry in logs if entry["event"] == "schema_newer")
    assert (told["found"], told["ours"]) == ("9999", revisions.of_this_version())


def test_a_newer_schema_that_this_version_does_not_survive_is_refused(newer: FreshDatabase, tmp_path: Path) -> None:
    server().run("INSERT INTO counters (name, value) VALUES ('oldest_schema', 9000)", newer.name)
    with pytest.raises(NewerSchema, match="9999"):
        upgraded(newer.url, tmp_path)
    assert newer.open(tmp_path).revision() == "9999"
    ours = int(revisions.of_this_version())
    server().run(f"UPDATE counters SET value = {ours} WHERE name = 'oldest_schema'", newer.name)
    assert upgraded(newer.url, tmp_path) == "9999", "the oldest that may is this version"


def one_more_migration(folder: Path) -> Path:
    """Return a copy of the migrations in ``folder``, with one behind them that changes a table."""
    copied = shutil.copytree(revisions.MIGRATIONS, folder, ignore=shutil.ignore_patterns("__pycache__"))
    (copied / "versions" / "v9999_one_more.py").write_text(
        "import sqlalchemy as sa\n"
        "from alembic import op\n"
        f'revision, down_revision = "9999", "{revisions.of_this_version()}"\n'
        "def upgrade():\n"
        '    op.add_column("event_sources", sa.Column("one_more", sa.Integer()))\n'
    )
    return copied


def test_an_upgrade_waits_for_who_reads_and_holds_up_nobody_meanwhile(
    empty: Empty, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgresql_schema, "WAITS_FOR_A_TABLE_MS", 50)
    monkeypatch.setattr(postgresql_database, "UPGRADE_PAUSE_S", 0.05)
    url = empty("waited_for")
    assert upgraded(url, tmp_path) == revisions.of_this_version()
    monkeypatch.setattr(postgresql_schema, "MIGRATIONS", one_more_migration(tmp_path / "migrations"))
    with ThreadPoolExecutor(1) as threads, psycopg.connect(url) as reader:
        reader.execute("SELECT count(*) FROM event_sources")
        with capture_logs() as logs:
            upgrading = threads.submit(upgraded, url, tmp_path)
            until(lambda: sum(entry["event"] == "schema_waits" for entry in logs) > 1, 30)
            reader.rollback()
            assert upgrading.result(30) == "9999"


def test_an_older_server_is_refused(empty: Empty, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgresql_schema, "OLDEST", 990_000)
    url = empty("old_server")
    assert "at least 99 is needed" in refusal(url, tmp_path)
    assert open_database(tmp_path, url).revision() is None


def test_a_database_of_another_encoding_or_of_others_is_refused(empty: Empty, tmp_path: Path) -> None:
    ascii_only = empty("latin", "ENCODING 'SQL_ASCII' TEMPLATE template0 LOCALE 'C' LOCALE_PROVIDER libc")
    assert "keeps texts as SQL_ASCII; UTF8 is needed" in refusal(ascii_only, tmp_path)
    theirs = empty("theirs")
    server().run("CREATE TABLE orders (id int)", "theirs")
    assert "has tables of these names already, but not the gateway's: orders." in refusal(theirs, tmp_path)


def test_a_wrong_password_is_named_and_never_shown(tmp_path: Path) -> None:
    fresh = FreshDatabase()
    said = refusal(fresh.guarded_url, tmp_path, "not-it")
    assert "refuses the user or its password" in said
    assert "not-it" not in said
    assert "not-it" not in repr(open_postgresql(fresh.guarded_url, tmp_path, "not-it"))
    assert upgraded(fresh.guarded_url, tmp_path, FreshDatabase.PASSWORD) == revisions.of_this_version()
    inside = fresh.guarded_url.replace(f"{GUARDED}@", f"{GUARDED}:{FreshDatabase.PASSWORD}@")
    assert upgraded(inside, tmp_path) == revisions.of_this_version()
    fresh.give_back()


def test_a_user_without_rights_is_told_what_it_needs(empty: Empty, tmp_path: Path) -> None:
    url = empty("not_mine")
    server().run("CREATE ROLE stranger LOGIN")
    try:
        said = refusal(url.replace("//cti@", "//stranger@"), tmp_path)
    finally:
        server().run("DROP ROLE stranger")
    assert "the user may not do that (permission denied for schema public" in said
    assert "Let it own the database" in said


def test_what_is_not_there_is_said_in_one_sentence(tmp_path: Path) -> None:
    assert "there is no such database" in refusal(server().url("nowhere"), tmp_path)
    database = open_database(tmp_path, "postgresql://cti@/cti?host=/no/such/folder")
    with pytest.raises(DataUnusable, match="cannot be reached"):
        database.revision()
    assert "pg_hba.conf" in refusal("postgresql://cti@/cti?host=/no/such/folder", tmp_path)


@pytest.mark.parametrize("url", ["mysql://cti:geheim@db/cti", "postgresql+asyncpg://cti:geheim@db/cti", "geheim", ""])
def test_an_address_of_something_else_is_refused_and_not_repeated(url: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no address of a PostgreSQL database") as told:
        open_database(tmp_path, url)
    assert "geheim" not in f"{told.value} {told.value.hint}"


def test_without_the_driver_one_sentence_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.store.database.find_spec", lambda _name: None)
    with pytest.raises(ConfigError, match="the driver of PostgreSQL is not installed") as told:
        open_database(tmp_path, "postgresql://cti@db/cti")
    assert "cti-gateway[postgresql]" in str(told.value.hint)


def test_what_goes_wrong_with_the_data_folder_is_still_told(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")
    database = open_database(tmp_path / "data", server().url("postgres"))
    with pytest.raises(DataUnusable, match="is no folder"), explained(database):
        database.engine.connect()


def test_a_writing_connection_is_never_timed_out_and_lets_go_when_its_process_hangs(tmp_path: Path) -> None:
    fresh = FreshDatabase()
    database = fresh.open(tmp_path)
    with database._writing_engine.connect() as connection:
        shown = {
            name: connection.exec_driver_sql(f"SHOW {name}").scalar()
            for name in ("statement_timeout", "idle_in_transaction_session_timeout", "transaction_isolation")
        }
    assert shown == {
        "statement_timeout": "0",
        "idle_in_transaction_session_timeout": "1500ms",
        "transaction_isolation": "read committed",
    }
    database.close()
    fresh.give_back()


def test_readers_see_one_moment_as_they_do_on_sqlite(tmp_path: Path) -> None:
    """A call and its legs are read by two statements: an event between them must not split what is shown."""
    fresh = FreshDatabase()
    database = fresh.open(tmp_path)
    count = "SELECT count(*) FROM counters"
    with database.engine.connect() as reader:
        before = reader.exec_driver_sql(count).scalar()
        with database.engine.begin() as writer:
            writer.exec_driver_sql("INSERT INTO counters VALUES ('another', 1)")
        assert reader.exec_driver_sql(count).scalar() == before
    with database.engine.connect() as reader:
        assert reader.exec_driver_sql(count).scalar() != before
    database.close()
    fresh.give_back()


def test_texts_are_compared_by_their_bytes_whatever_the_server_s_language(tmp_path: Path) -> None:
    fresh = FreshDatabase()
    database = fresh.open(tmp_path)
    with database.engine.connect() as connection:
        theirs = connection.exec_driver_sql("SELECT 'a' < 'B'").scalar()
        assert theirs is True, "the server sorts as people do"
        connection.exec_driver_sql("INSERT INTO counters VALUES ('B', 1), ('a', 1)")
        found = connection.exec_driver_sql("SELECT name FROM counters WHERE name IN ('a', 'B') ORDER BY name")
        assert list(found.scalars()) == ["B", "a"]
    database.close()
    fresh.give_back()


REFUSED = 'connection failed: connection to server at "10.0.0.22", port 5432 failed: Connection refused'
PASSWORD = (
    'connection failed: connection to server at "10.0.0.21", port 5432 failed: FATAL:  password authentication failed'
)
SASL = 'connection to server at "10.0.0.21", port 6432 failed: FATAL:  SASL authentication failed'
STANDBY = 'connection to server at "10.0.0.22", port 5432 failed: session is read-only'
CERTIFICATE = 'connection to server at "10.0.0.21", port 5432 failed: SSL error: certificate verify failed'


@pytest.mark.parametrize(
    ("first", "second", "said"),
    [
        (PASSWORD, REFUSED, "refuses the user or its password"),
        (REFUSED, PASSWORD, "refuses the user or its password"),
        (PASSWORD, STANDBY, "refuses the user or its password"),
        (CERTIFICATE, REFUSED, "the server's certificate is not believed"),
        (REFUSED, STANDBY, "no server named there takes writes: who answers is a standby"),
        (STANDBY, STANDBY, "Start the primary, or promote a standby"),
        (SASL, STANDBY, "refuses the user or its password"),
        (REFUSED, REFUSED, "Connection refused"),
    ],
)
@pytest.mark.parametrize("address", ["'10.0.0.21'", "'::1'", "'fe80::1:2'"])
def test_of_several_servers_the_most_telling_answer_is_told(first: str, second: str, said: str, address: str) -> None:
    """As psycopg 3.2 and later write it: the last error, then each server's."""
    place = f"host: 'pg', port: '5432', hostaddr: {address}"
    text = f"{second}\nMultiple connection attempts failed. All failures were:\n- {place}: {first}\n- {place}: {second}"
    told = postgresql_errors.explain(psycopg.OperationalError(text), "postgresql://cti@/cti")
    assert told is not None
    assert said in str(told)
    assert "hostaddr" not in str(told)


def test_a_standby_that_is_named_alone_is_told_to_be_one() -> None:
    told = postgresql_errors.explain(
        psycopg.errors.ReadOnlySqlTransaction("cannot execute INSERT"), "postgresql://cti@/cti"
    )
    assert "Name the primary" in str(told)


def test_a_pooler_without_its_server_is_waited_for() -> None:
    said = "server login has been failing, try again later (server_login_retry)"
    told = postgresql_errors.explain(psycopg.errors.ProtocolViolation(said), "postgresql://cti@/cti")
    assert isinstance(told, DatabaseNotReached)
    assert "a pooler does not reach its server" in str(told)
