"""The table of what agents write of calls."""

from sqlalchemy import BigInteger, Column, Index, Integer, Table, text

from gateway.domain.calls.heard import LONGEST_LOGIN, LONGEST_NUMBER
from gateway.store.fitting import FittedString, FittedText
from gateway.store.tables.columns import Id, metadata

agent_notes = Table(
    "agent_notes",
    metadata,
    Column("call_id", Id, primary_key=True, autoincrement=False),
    Column("tenant", FittedString(63), nullable=False),
    Column("account_id", Id, comment="the call's, so that whoever speaks with the account next is shown it"),
    Column("number", FittedString(LONGEST_NUMBER), nullable=False, comment="the call's"),
    Column("text", FittedText, nullable=False),
    Column("outcome", FittedString(32), comment="a code of the configuration (outcomes)"),
    Column("follow_up_at", BigInteger, comment="when somebody is to call again"),
    Column("follow_up_done_at", BigInteger, comment="when somebody did, or said that it is done"),
    Column("follow_up_done_by", FittedString(LONGEST_LOGIN), comment="login of who said so; null: a call did it"),
    Column("follow_up_done_in", Id, comment="the call in which somebody spoke with the customer again"),
    Column("author", FittedString(LONGEST_LOGIN), nullable=False, comment="login of who wrote it last"),
    Column("author_name", FittedString(255), nullable=False, comment="the name, as it was then"),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    Column("revision", Integer, nullable=False, comment="grows with each change: who knows an older one is told"),
    Column("told_revision", Integer, nullable=False, comment="the revision that the log and forwards were told of"),
    Index(None, "tenant", "number", "call_id"),
    *(
        Index(name, *columns, sqlite_where=text(condition), postgresql_where=text(condition))
        for name, columns, condition in (
            (
                "ix_agent_notes_due",
                ("tenant", "follow_up_at"),
                "follow_up_at IS NOT NULL AND follow_up_done_at IS NULL",
            ),
            ("ix_agent_notes_untold", ("updated_at",), "revision > told_revision"),
            ("ix_agent_notes_account", ("account_id", "call_id"), "account_id IS NOT NULL"),
        )
    ),
    comment="What agents write of calls, one note for each: saved while it is typed, told when it is finished.",
)
