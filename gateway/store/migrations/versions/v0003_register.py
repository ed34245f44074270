"""The register: where accounts come from, phones as they were written, the runs of imports"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

PARTIAL = {
    "no_area": "no_area AND edited_at IS NULL",
    "old_mobile": "old_mobile AND edited_at IS NULL",
    "unreadable": "number IS NULL AND edited_at IS NULL",
    "edited": "edited_at IS NOT NULL",
}
COUNTS = ("entries", "added", "changed", "unchanged", "removed", "refused")


def upgrade() -> None:
    with op.batch_alter_table("accounts") as accounts:
        accounts.add_column(
            sa.Column("source", sa.String(63), nullable=False, server_default="csv", comment="who brought it last")
        )
        accounts.add_column(
            sa.Column(
                "digest",
                sa.BigInteger(),
                comment="of what the source said, so that what is unchanged is not written again",
            )
        )
        accounts.add_column(
            sa.Column(
                "refused", sa.Integer(), nullable=False, server_default="0", comment="phones of it that do not read"
            )
        )
    upgrade_phones()
    create_imports()


def upgrade_phones() -> None:
    with op.batch_alter_table("phones") as phones:
        phones.alter_column(
            "number",
            existing_type=sa.String(32),
            nullable=True,
            comment="DDD + number, as facts about numbers have it; null: does not read, or taken off at the desk",
        )
        phones.add_column(
            sa.Column("as_written", sa.String(255), comment="in the source's own words; null: added at the desk")
        )
        for name, comment in (
            ("no_area", "written without DDD"),
            ("old_mobile", "a mobile without its ninth digit"),
        ):
            phones.add_column(sa.Column(name, sa.Boolean(), nullable=False, server_default=sa.false(), comment=comment))
        phones.add_column(
            sa.Column(
                "edited_at", sa.BigInteger(), comment="when it was put right at the desk; imports then leave it alone"
            )
        )
        phones.add_column(sa.Column("edited_by", sa.String(64)))
    # What came before this version is in canonical form only.
    op.execute("UPDATE phones SET as_written = number")
    for name, condition in PARTIAL.items():
        op.create_index(
            f"ix_phones_{name}",
            "phones",
            ["tenant", "id"],
            sqlite_where=sa.text(condition),
            postgresql_where=sa.text(condition),
        )


def create_imports() -> None:
    op.create_table(
        "imports",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("tenant", sa.String(63), nullable=False),
        sa.Column("source", sa.String(63), nullable=False),
        sa.Column("kind", sa.String(63), nullable=False, comment="csv, sql, wconnect ..."),
        sa.Column("state", sa.String(12), nullable=False, comment="running, done or failed"),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column(
            "seen_at", sa.BigInteger(), nullable=False, comment="the last sign of life of the process that runs it"
        ),
        sa.Column("finished_at", sa.BigInteger()),
        *(sa.Column(name, sa.Integer(), nullable=False, server_default="0") for name in COUNTS),
        sa.Column("message", sa.Text(), comment="why it failed, or what was left undone"),
        sa.Column("refusals", sa.Text(), comment="JSON: the first refused lines"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_imports")),
    )
    op.create_index(op.f("ix_imports_tenant_source_id"), "imports", ["tenant", "source", "id"])
