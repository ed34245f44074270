"""PgBouncer between a node and PostgreSQL: what may go through it, and what is said where it may not."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text

from gateway.config.tables import Config
from gateway.errors import ConfigError
from gateway.server.databases import database_of
from gateway.store.database import open_database
from gateway.store.durability import risks
from gateway.store.postgresql.database import PostgresqlDatabase, open_postgresql
from gateway.store.writing.journal import Journal
from tests.pgbouncer import PORT, pooler
from tests.postgresql import USER, FreshDatabase, server
from tests.store.conftest import start_draft

pytestmark = pytest.mark.postgresql


@pytest.fixture
def fresh() -> Iterator[FreshDatabase]:
    made = FreshDatabase()
    yield made
    made.give_back()


@pytest.fixture(scope="module")
def transactions() -> Iterator[Path]:
    """The folder of PgBouncer in transaction mode."""
    with pooler() as folder:
        yield folder


def through(folder: Path, fresh: FreshDatabase) -> str:
    return f"postgresql://{USER}@/{fresh.name}?host={folder}&port={PORT}"


def codes(database: PostgresqlDatabase) -> list[str]:
    return [risk.code for risk in risks(database)]


def test_a_pooler_in_transaction_mode_is_a_risk_and_said_so(
    transactions: Path, fresh: FreshDatabase, tmp_path: Path
) -> None:
    with closing(open_postgresql(through(transactions, fresh), tmp_path)) as database:
        assert "pooler" in codes(database)
        told = next(str(risk.text) for risk in risks(database) if risk.code == "pooler")
        assert "server.database_direct" in told


def test_without_one_or_in_session_mode_it_is_none(fresh: FreshDatabase, tmp_path: Path) -> None:
    with closing(fresh.open(tmp_path)) as database:
        assert "pooler" not in codes(database)
    with pooler("session") as folder, closing(open_postgresql(through(folder, fresh), tmp_path)) as database:
        assert "pooler" not in codes(database)


def test_only_reading_goes_through_it_where_the_server_is_named(
    transactions: Path, fresh: FreshDatabase, tmp_path: Path
) -> None:
    """The doorbell is heard, leases and commits are on connections of their own."""
    database = open_postgresql(through(transactions, fresh), tmp_path, direct=fresh.url)
    journal = Journal(database)
    journal.start()
    try:
        assert "pooler" not in codes(database)
        journal.write(start_draft("3501", "4733334444"))
        for _ in range(20):  # a statement is prepared with its sixth use
            with database.engine.connect() as connection:
                assert connection.execute(text("SELECT count(*) FROM calls")).scalar() == 1
        lease = database.shared().lease("source/acme/pbx")
        assert lease is not None
        assert lease.held()
        peers = server().run(
            f"SELECT DISTINCT query FROM pg_stat_activity WHERE datname = '{fresh.name}' AND query LIKE '%leases%'"
        )
        assert peers, "the lease was not taken at the server itself"
    finally:
        journal.stop()
        database.close()


def test_the_servers_own_address_must_be_one_and_is_not_repeated(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"server\.database_direct is no address") as told:
        open_database(tmp_path, "postgresql://cti@db/cti", direct="mysql://cti:geheim@db/cti")
    assert "geheim" not in f"{told.value} {told.value.hint}"


def test_the_setting_reaches_the_database(tmp_path: Path) -> None:
    settings = {"database": "postgresql://cti@pool/cti", "database_direct": "postgresql://cti@db/cti"}
    assert database_of(Config.model_validate({"server": settings}), tmp_path).shown.endswith("postgresql://cti@db/cti")
    del settings["database"]
    with pytest.raises(ConfigError, match=r"server\.database names none"):
        database_of(Config.model_validate({"server": settings}), tmp_path)


def test_both_addresses_are_shown_without_the_password(tmp_path: Path) -> None:
    database = open_postgresql("postgresql://cti@pool/cti", tmp_path, "geheim", direct="postgresql://cti@db/cti")
    assert database.shown == "postgresql://cti:***@pool/cti / postgresql://cti:***@db/cti"
