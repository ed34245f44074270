"""Which node's traffic log has the raw requests of a call: the bytes stay where they were heard."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select

from gateway.store.shared.log import SharedLog
from gateway.store.shared.tables import exchange_index

MOST = 200


@dataclass(frozen=True, slots=True)
class IndexedExchange:
    """A request and its answer that another node has. ``at`` is milliseconds since 1970 UTC; ``url`` is that node's
    own (``server.node_url``), empty where it has none.
    """

    at: int
    tenant: str
    call_id: int
    node: str
    url: str
    way: str
    peer: str
    operation: str
    status: str


COLUMNS = tuple(exchange_index.c[name] for name in IndexedExchange.__dataclass_fields__)


class ExchangeIndex:
    """Writes down what this node, called ``node``, has of calls, and finds what others have."""

    def __init__(self, log: SharedLog, node: str, url: str | None) -> None:
        self._log = log
        self._node = node
        self._url = (url or "").rstrip("/")

    def add(self, *, at: int, tenant: str, call_id: int, way: str, peer: str, operation: str, status: str) -> None:
        """Have it written soon. Never waits and never raises."""
        row = {"at": at, "tenant": tenant, "call_id": call_id, "node": self._node, "url": self._url}
        row |= {"way": way, "peer": peer, "operation": operation, "status": status}
        self._log.add(lambda: (exchange_index, row), 0)

    def elsewhere(self, tenant: str | None, call_id: int) -> Sequence[IndexedExchange]:
        """Return what other nodes have of a call, oldest first; ``tenant`` None means any."""
        query = select(*COLUMNS).where(exchange_index.c.call_id == call_id, exchange_index.c.node != self._node)
        query = query.where(exchange_index.c.tenant == tenant) if tenant is not None else query
        return [
            IndexedExchange(**row._mapping) for row in self._log.read(query.order_by(exchange_index.c.at).limit(MOST))
        ]
