"""Table of the audit log."""

from sqlalchemy import BigInteger, Column, Index, Table

from gateway.domain.audit import LONGEST_SUBJECT
from gateway.store.fitting import FittedString, FittedText
from gateway.store.tables.columns import Id, metadata

audit = Table(
    "audit",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("tenant", FittedString(63), nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("login", FittedString(64), nullable=False, comment="as it was given, where nobody had logged in"),
    Column("client", FittedString(64), nullable=False, comment="address"),
    Column("action", FittedString(32), nullable=False, comment="domain/audit.py"),
    Column("subject", FittedString(LONGEST_SUBJECT), nullable=False, comment="what it was done with"),
    Column("detail", FittedText, nullable=False, comment="JSON: what was asked for, without passwords"),
    Index(None, "tenant", "id"),
    Index(None, "at"),
    comment="Who did what. Rows are added, and removed by age; never changed.",
)
