"""Tables of the directory: accounts, their telephones and identifiers, what agents chose, and imports."""

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, Table, UniqueConstraint, false, text

from gateway.domain.identifiers import LONGEST, LONGEST_KIND
from gateway.store.fitting import FittedString, FittedText
from gateway.store.tables.columns import FIXED, LATER, SENTENCE, Id, metadata

accounts = Table(
    "accounts",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("tenant", FittedString(63), nullable=False, info=FIXED),
    Column("code", FittedString(64), nullable=False, comment="the CRM's own id of the account", info=FIXED),
    Column("name", FittedString(255), nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    Column("owner", FittedString(64), comment="extension or login of who looks after the account"),
    Column("source", FittedString(63), nullable=False, server_default="csv", comment="who brought it last"),
    Column("digest", BigInteger, comment="of what the source said, so that what is unchanged is not written again"),
    Column("refused", Integer, nullable=False, server_default="0", comment="phones of it that do not read"),
    Column(
        "fields",
        FittedText,
        comment="JSON: fields by name that the source was told to keep (domain/account_fields.py)",
    ),
    UniqueConstraint("tenant", "code"),
)

phones = Table(
    "phones",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("tenant", FittedString(63), nullable=False),
    Column(
        "number",
        FittedString(32),
        comment="DDD + number, as facts about numbers have it; null: does not read, or taken off at the desk",
    ),
    Column("account_id", Id, nullable=False),
    Column("contact", FittedString(255), nullable=False, server_default="", comment="the person who answers there"),
    Column("as_written", FittedString(255), comment="in the source's own words; null: added at the desk"),
    Column("no_area", Boolean, nullable=False, server_default=false(), comment="written without DDD"),
    Column("old_mobile", Boolean, nullable=False, server_default=false(), comment="a mobile without its ninth digit"),
    Column(
        "edited_at", BigInteger, comment="when it was put right at the desk; imports then leave it alone", info=LATER
    ),
    Column("edited_by", FittedString(64), info=LATER),
    UniqueConstraint("tenant", "number", "account_id"),
    Index(None, "account_id"),
    *(
        Index(
            f"ix_phones_{name}",
            "tenant",
            "id",
            sqlite_where=text(condition),
            postgresql_where=text(condition),
        )
        for name, condition in (
            ("no_area", "no_area AND edited_at IS NULL"),
            ("old_mobile", "old_mobile AND edited_at IS NULL"),
            ("unreadable", "number IS NULL AND edited_at IS NULL"),
            ("edited", "edited_at IS NOT NULL"),
        )
    ),
)

identifiers = Table(
    "identifiers",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("tenant", FittedString(63), nullable=False),
    Column("account_id", Id, nullable=False),
    Column("kind", FittedString(LONGEST_KIND), nullable=False, comment="cpf, cnpj, contrato, or the column's name"),
    Column("value", FittedString(LONGEST), nullable=False, comment="in the one form: domain/identifiers.py"),
    Column("as_written", FittedString(255), nullable=False, server_default="", comment="in the source's own words"),
    UniqueConstraint("tenant", "value", "kind", "account_id"),
    Index(None, "account_id"),
    comment="What names an account beside its telephones: CPF, CNPJ, contracts.",
)

choices = Table(
    "choices",
    metadata,
    Column("tenant", FittedString(63), primary_key=True),
    Column("number", FittedString(32), primary_key=True, comment="canonical form"),
    Column("account_id", Id, nullable=False, comment="whose the number's calls are, as an agent said"),
    Column("chosen_at", BigInteger, nullable=False),
    Column("chosen_by", FittedString(64), nullable=False),
)

imports = Table(
    "imports",
    metadata,
    Column("id", Id, primary_key=True, autoincrement=True),
    Column("tenant", FittedString(63), nullable=False),
    Column("source", FittedString(63), nullable=False),
    Column("kind", FittedString(63), nullable=False, comment="csv, sql, wconnect ..."),
    Column("state", FittedString(12), nullable=False, comment="running, done or failed"),
    Column("started_at", BigInteger, nullable=False),
    Column("seen_at", BigInteger, nullable=False, comment="the last sign of life of the process that runs it"),
    Column("finished_at", BigInteger),
    *(
        Column(name, Integer, nullable=False, server_default="0")
        for name in ("entries", "added", "changed", "unchanged", "removed", "refused")
    ),
    Column("message", FittedText, comment="why it failed, or what was left undone, in the company's language"),
    Column("refusals", FittedText, comment="JSON: the first refused lines"),
    Column("sentence", FittedText, comment=SENTENCE),
    Index(None, "tenant", "source", "id"),
)
