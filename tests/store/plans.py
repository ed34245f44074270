"""How a database finds what a query asks for."""

from sqlalchemy import Connection, text

POSTGRESQL = ("enable_seqscan", "enable_bitmapscan", "enable_sort")
"""What PostgreSQL would rather do in tables as small as those of tests."""


def plan_of(connection: Connection, query: str) -> str:
    """Return the plan of ``query`` in the database's own words: SEARCH and SCAN of SQLite, Index Scan of PostgreSQL."""
    if connection.dialect.name == "sqlite":
        return " ".join(str(row[3]) for row in connection.execute(text(f"EXPLAIN QUERY PLAN {query}")))
    for setting in POSTGRESQL:
        connection.execute(text(f"SET LOCAL {setting} = off"))
    return " ".join(connection.execute(text(f"EXPLAIN {query}")).scalars())


def assert_is_found_by_index(connection: Connection, query: str) -> None:
    """Assert that no table is read whole for ``query``."""
    plan = plan_of(connection, query)
    assert "SEARCH" in plan or "Index" in plan, (query, plan)
    assert "SCAN" not in plan, (query, plan)
    assert "Seq Scan" not in plan, (query, plan)


def assert_is_found_by(connection: Connection, query: str, index: str) -> None:
    """Assert that ``query`` follows ``index``; of several that fit, PostgreSQL takes any in tables of no rows."""
    if connection.dialect.name == "sqlite":
        assert index in plan_of(connection, query), query
    else:
        assert_is_found_by_index(connection, query)
