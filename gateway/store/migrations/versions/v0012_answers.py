"""Who answered a call and when, how long it rang and was spoken in, whether it was missed

What can be told of the calls of before is filled in slices while the gateway runs (``store/filling_missed.py``).
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    add("answered_at", sa.BigInteger(), "when it was answered, as far as an exchange told")
    add("answer_heard_at", sa.BigInteger(), "when an answer was received, by our clock")
    add("answered_by", sa.String(32), "the extension that took it, which may be another of its group")
    add("answered_agent", sa.String(64), "login of the agent who sat there then")
    add("ring_s", sa.Integer(), "seconds from its start to its answer, or to its end where nobody took it")
    add("talk_s", sa.Integer(), "seconds from its answer to its end")
    add("missed", sa.Boolean(), "whether its caller reached nobody; null: no, or it was not looked at yet")
    add("caller_name", sa.String(255), "Caller's name as sent")
    add("hung_up_by", sa.String(255), "Hung up by")
    op.execute("INSERT INTO counters (name, value) SELECT 'missed_to_fill', coalesce(max(id), 0) FROM calls")


def add(name: str, kind: Any, comment: str) -> None:
    op.add_column("calls", sa.Column(name, kind, comment=comment))
