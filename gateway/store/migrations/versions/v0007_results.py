"""How calls ended, in the exchange's words and as a code; who marked a call as over

The calls of before are filled in slices while the gateway runs (``store/filling.py``): here only what is to be looked
through is written down.
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.add_column(
        "calls",
        sa.Column("result", sa.String(length=12), comment="how it ended, read from result_text: domain/results.py"),
    )
    op.add_column(
        "calls",
        sa.Column(
            "result_text", sa.String(length=255), comment="how it ended, in the exchange's own words (resultado)"
        ),
    )
    op.add_column(
        "calls", sa.Column("over_by", sa.String(length=64), comment="login of the agent who marked it as over")
    )
    op.add_column("calls", sa.Column("over_at", sa.BigInteger(), comment="when it was marked as over"))
    op.execute("INSERT INTO counters (name, value) SELECT 'results_to_fill', coalesce(max(seq), 0) FROM events")
