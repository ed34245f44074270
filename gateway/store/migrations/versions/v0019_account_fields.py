"""Fields of accounts, and when an agent has a customer's record in the CRM opened"""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    fields = "JSON: fields by name that the source was told to keep (domain/account_fields.py)"
    op.add_column("accounts", sa.Column("fields", sa.Text(), comment=fields))
    opens = {
        "opens_incoming": "when the customer's record opens by itself: ring or answer; null: never",
        "opens_outgoing": "the same for calls that the agent places",
    }
    for name, comment in opens.items():
        op.add_column("agents", sa.Column(name, sa.String(8), comment=comment))
    unknown = "whether the CRM's page for a new customer opens so for a number that nobody has"
    op.add_column("agents", sa.Column("opens_new", sa.Boolean(), comment=unknown))
