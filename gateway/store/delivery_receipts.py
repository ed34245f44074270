"""What screens were open, what reached them, and what they say they have shown."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Any

from sqlalchemy import Column, Index, Integer, Select, Table, func, select, text

from gateway.domain.records import record
from gateway.store.diagnostic_log import metadata
from gateway.store.fitting import FittedString
from gateway.store.shared.log import BEGUN, SharedLog
from gateway.store.shared.tables import sightings
from gateway.store.write_behind import WriteBehind


class ReceiptKind(StrEnum):
    """What happened at a screen."""

    OPENED = "opened"
    CLOSED = "closed"
    DELIVERED = "delivered"
    SHOWN = "shown"


receipts = Table(
    "sightings",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("at", Integer, nullable=False),
    Column("tenant", FittedString(63), nullable=False),
    Column("extension", FittedString(32), nullable=False),
    Column("login", FittedString(64), nullable=False),
    Column("screen", FittedString(16), nullable=False),
    Column("kind", FittedString(9), nullable=False),
    Column("call_id", Integer),
    Index("ix_sightings_extension", "tenant", "extension", "at"),
    Index("ix_sightings_call", "call_id", sqlite_where=text("call_id IS NOT NULL")),
    Index("ix_sightings_at", "at"),
)


@record(frozen=True, slots=True)
class DeliveryReceipt:
    """One thing that happened at a screen: whose it is, and the call that was delivered or shown."""

    at: int
    tenant: str
    extension: str
    login: str
    screen: str
    kind: str
    call_id: int | None = None


class DeliveryReceiptLog:
    """Delivery receipts into the diagnostic log, or that of all nodes, and found again."""

    def __init__(self, log: WriteBehind) -> None:
        self._log = log
        self._table = sightings if isinstance(log, SharedLog) else receipts

    def add(self, receipt: DeliveryReceipt) -> None:
        """Have it written soon. Never waits and never raises."""
        self._log.add(lambda: (self._table, _row(receipt)), 0)

    def since(self) -> int | None:
        """Return since when there are receipts of all nodes; None where there are all those of this one's log."""
        if self._table is receipts:
            return None
        begun = select(func.max(sightings.c.at)).where(sightings.c.kind == BEGUN)
        found = self._log.read(begun)
        return found[0][0] if found else None

    def of_call(self, tenant: str, call_id: int) -> Sequence[DeliveryReceipt]:
        """Return the receipts of a call, which say what screens got and showed, oldest first."""
        columns = self._table.c
        query = select(self._table).where(columns.call_id == call_id, columns.tenant == tenant)
        return self._read(query.order_by(columns.at, columns.id).limit(500))

    def around(self, tenant: str, extension: str, since: int, until: int) -> Sequence[DeliveryReceipt]:
        """Return the screens of ``extension`` that opened and closed between two moments, oldest first."""
        columns = self._table.c
        query = select(self._table).where(
            columns.tenant == tenant,
            columns.extension == extension,
            columns.at >= since,
            columns.at <= until,
            columns.kind.in_([ReceiptKind.OPENED.value, ReceiptKind.CLOSED.value]),
        )
        return self._read(query.order_by(columns.at, columns.id).limit(2000))

    def _read(self, query: Select[Any]) -> Sequence[DeliveryReceipt]:
        rows = (row._mapping for row in self._log.read(query))
        return [DeliveryReceipt(**{name: row[name] for name in DeliveryReceipt.__dataclass_fields__}) for row in rows]


def _row(receipt: DeliveryReceipt) -> dict[str, Any]:
    """Return ``receipt`` as a row, each field by name: ``asdict`` took ten times as long."""
    return {
        "at": receipt.at,
        "tenant": receipt.tenant,
        "extension": receipt.extension,
        "login": receipt.login,
        "screen": receipt.screen,
        "kind": receipt.kind,
        "call_id": receipt.call_id,
    }
