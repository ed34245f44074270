"""Tables of searches: the filters that agents have saved."""

from sqlalchemy import BigInteger, Column, Table, UniqueConstraint

from gateway.store.fitting import FittedString
from gateway.store.tables.columns import Id, metadata

saved_filters = Table(
    "saved_filters",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("tenant", FittedString(63), nullable=False),
    Column("login", FittedString(64), nullable=False, comment="whose it is"),
    Column("name", FittedString(60), nullable=False),
    Column("query", FittedString(1000), nullable=False, comment="the parameters of the page's address"),
    Column("saved_at", BigInteger, nullable=False),
    UniqueConstraint("tenant", "login", "name"),
)
