"""Tables of the list of missed calls, beside what stands in the calls themselves."""

from sqlalchemy import BigInteger, Column, Index, Table

from gateway.domain.calls.heard import LONGEST_EXTENSION, LONGEST_LOGIN
from gateway.store.fitting import FittedString
from gateway.store.tables.columns import Id, metadata

missed_claims = Table(
    "missed_claims",
    metadata,
    Column("call_id", Id, primary_key=True, autoincrement=False, comment="the last call that was missed then"),
    Column("tenant", FittedString(63), nullable=False),
    Column("login", FittedString(LONGEST_LOGIN), nullable=False, comment="who calls back"),
    Column("name", FittedString(255), nullable=False),
    Column("extension", FittedString(LONGEST_EXTENSION), nullable=False),
    Column("claimed_at", BigInteger, nullable=False),
    Column("until", BigInteger, nullable=False, comment="when it ends by itself"),
    Index(None, "tenant", "until"),
    comment="Who calls a customer back just now whose calls were missed, so that no two do.",
)
