"""Events for forwards in the order of their call, and what became of those that were not taken

What waits from before gets its columns after the start (``store/letters/outbox.py``).
"""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"

COLUMNS = (
    ("order_key", sa.String(64), "letters of one target with one key go one after the other"),
    ("waits_since", sa.BigInteger(), "from when its age counts: written, carried over or sent again by hand"),
    ("blocked_by", sa.BigInteger(), "the letter of the same key that goes before it"),
    ("state", sa.String(12), "how it was settled; null while it waits"),
    ("reason", sa.String(24), "why, as a code (store/letters/stored.py)"),
    ("attempted_at", sa.BigInteger(), "when the last attempt ended"),
    ("request", sa.Text(), "of the last attempt that failed, secrets masked"),
    ("answer", sa.Text(), "of the last attempt that failed, secrets masked"),
)
WAITS = "settled_at IS NULL"
INDEXES = (
    ("ix_outbox_due", f"{WAITS} AND blocked_by IS NULL", ("tenant", "target", "due_at")),
    ("ix_outbox_order", WAITS, ("tenant", "target", "order_key", "id")),
    ("ix_outbox_age", WAITS, ("tenant", "target", "kind", "waits_since")),
    ("ix_outbox_claimed", f"{WAITS} AND claimed_by IS NOT NULL", ("tenant", "target")),
    ("ix_outbox_blocked", f"{WAITS} AND blocked_by IS NOT NULL", ("blocked_by",)),
    ("ix_outbox_carried", f"{WAITS} AND order_key IS NULL", ("id",)),
    ("ix_outbox_dead", "state = 'dead'", ("tenant", "target", "settled_at")),
)


def upgrade() -> None:
    for name, kind, comment in COLUMNS:
        op.add_column("outbox", sa.Column(name, kind, comment=comment))
    for name, condition, columns in INDEXES:
        where = sa.text(condition)
        op.create_index(name, "outbox", list(columns), sqlite_where=where, postgresql_where=where)
