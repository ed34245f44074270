"""Tables of people: agents and their sessions at the desk."""

from sqlalchemy import BigInteger, Boolean, Column, Index, Table, UniqueConstraint, false

from gateway.store.fitting import FittedString
from gateway.store.tables.columns import Id, metadata

agents = Table(
    "agents",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("tenant", FittedString(63), nullable=False),
    Column("login", FittedString(64), nullable=False),
    Column("name", FittedString(255), nullable=False),
    Column("extension", FittedString(32), nullable=False),
    Column("password_hash", FittedString(255), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("language", FittedString(8)),
    Column(
        "opens_incoming",
        FittedString(8),
        comment="when the customer's record opens by itself: ring or answer; null: never",
    ),
    Column("opens_outgoing", FittedString(8), comment="the same for calls that the agent places"),
    Column(
        "opens_new", Boolean, comment="whether the CRM's page for a new customer opens so for a number that nobody has"
    ),
    Column("role", FittedString(16), nullable=False, server_default="agent", comment="domain/roles.py"),
    Column("locked_at", BigInteger, comment="since when nobody may log in as it"),
    Column(
        "first_password",
        Boolean,
        nullable=False,
        server_default=false(),
        comment="whether the password was given by somebody else, and has to be changed at the desk",
    ),
    Column(
        "chooses_extension",
        Boolean,
        nullable=False,
        server_default=false(),
        comment="whether the extension is chosen at each login",
    ),
    Column("seated_at", BigInteger, comment="since when it sits at the extension that it chose"),
    UniqueConstraint("tenant", "login"),
)

sessions = Table(
    "sessions",
    metadata,
    Column("token_hash", FittedString(64), primary_key=True, comment="SHA-256 of the cookie, which is never stored"),
    Column("agent_id", Id, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("client", FittedString(64), comment="address of whoever logged in"),
    Column("browser", FittedString(255), comment="User-Agent of whoever logged in"),
    Column("program", FittedString(64), comment="what the program is called that has it; null: a browser's"),
    Column("used_at", BigInteger, comment="when a program used it last, to the hour"),
    Index(None, "agent_id"),
    Index(None, "expires_at"),
)
