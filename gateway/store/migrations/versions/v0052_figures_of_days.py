"""From when on figures are summed by the day, too

Revises: 0050
"""

import sqlalchemy as sa
from alembic import op

revision = "0052"
down_revision = "0050"

SINCE = "from when on days are summed, too; null: none is"
VERSION = "the same as version: nobody has written hours and left out their days"


def upgrade() -> None:
    op.add_column("figures_summed", sa.Column("days_since", sa.BigInteger(), comment=SINCE))
    op.add_column("figures_summed", sa.Column("days_version", sa.BigInteger(), comment=VERSION))
