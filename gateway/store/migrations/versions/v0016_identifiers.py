"""What names accounts beside their telephones, and the code of a call's account and the name of who took it"""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0013"


def upgrade() -> None:
    id_type = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "identifiers",
        sa.Column("id", id_type, primary_key=True, autoincrement=True),
        sa.Column("tenant", sa.String(63), nullable=False),
        sa.Column("account_id", id_type, nullable=False),
        sa.Column("kind", sa.String(40), nullable=False, comment="cpf, cnpj, contrato, or the column's name"),
        sa.Column("value", sa.String(64), nullable=False, comment="in the one form: domain/identifiers.py"),
        sa.Column("as_written", sa.String(255), nullable=False, server_default="", comment="in the source's own words"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_identifiers")),
        sa.UniqueConstraint(
            "tenant", "value", "kind", "account_id", name=op.f("uq_identifiers_tenant_value_kind_account_id")
        ),
        comment="What names an account beside its telephones: CPF, CNPJ, contracts.",
    )
    op.create_index(op.f("ix_identifiers_account_id"), "identifiers", ["account_id"])
    op.add_column("calls", sa.Column("account_code", sa.String(64), comment="the CRM's own id of the account"))
    name = "name of who took it, as it was then"
    op.add_column("calls", sa.Column("answered_agent_name", sa.String(255), comment=name))
