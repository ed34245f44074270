"""What adapters share whose message is one HTTP request, judged by its answer."""

from abc import ABC, abstractmethod
from collections.abc import Sequence

from adapters.http.client import HttpAnswer, HttpRequest, Peer
from adapters.http.outcomes import Failed, built
from gateway.adapter import Delivery, Outgoing, WireRequest
from gateway.errors import AdapterError


class OneRequest(ABC):
    """Previews, delivers and closes; how the request is built and the answer read is the adapter's own."""

    _peer: Peer

    def preview(self, message: Outgoing) -> Sequence[WireRequest]:
        return [self._peer.record(built(lambda: self._request(message)))]

    def deliver(self, message: Outgoing) -> Delivery:
        try:
            request = built(lambda: self._request(message))
        except AdapterError as error:
            return self._peer.unbuilt(error)
        try:
            return self._judge(self._peer.exchange(request))
        except Failed as failed:
            return self._peer.delivery(failed.outcome, failed.reason)

    def close(self) -> None:
        self._peer.close()

    @abstractmethod
    def _request(self, message: Outgoing) -> HttpRequest:
        """Return the request for ``message``. Raises ``AdapterError`` when it cannot be built."""

    @abstractmethod
    def _judge(self, answer: HttpAnswer) -> Delivery:
        """Judge ``answer``: how the attempt ended."""
