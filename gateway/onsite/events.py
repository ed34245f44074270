"""Events of a gateway on site: into its spool first, from there to the main gateway, in order, until that has them."""

import json
import threading
from collections.abc import Callable, Sequence
from typing import Any

import structlog

from gateway.errors import MainGatewayError
from gateway.onsite.connection import MainGateway
from gateway.store.spool.file import Kept, Spool, Spooled
from gateway.store.spool.messages import packed
from gateway.store.writing.drafts import AgentStateDraft, EventDraft, Recorded
from gateway.texts.text import Text

log = structlog.get_logger()

AT_ONCE = 128
MOST_BYTES = 200_000
LOOK_EVERY_S = 1.0
TOO_LARGE = 413
SMALLEST_LIMIT = 1024
"""No main gateway refuses a body of so few bytes (``server.max_body_bytes``): one that is answered 413 all the same is
not to blame for that, and waits until whoever stands in between lets it through.
"""
Then = Callable[[Any], None]


class SpooledEvents:
    """Keeps events in ``spool`` and brings them to ``main``, one batch after the other."""

    def __init__(self, spool: Spool, main: MainGateway) -> None:
        self._spool, self._main = spool, main
        self._came = threading.Event()
        self._most = AT_ONCE

    def hand_in(self, draft: EventDraft | AgentStateDraft, then: Then) -> None:
        """Keep an event, and call ``then`` when it is on the disk. Raises ``BusyError`` where there is no room."""
        kept = Kept(self._spool.place(), draft.message.received_at, packed(draft.message))
        self._spool.keep([kept])
        self._came.set()
        then(Recorded(0, 0, kept=True))

    def bring(self) -> None:
        """Bring the next that wait; wait a moment where there are none. Raises ``MainGatewayError``."""
        if not self._came.wait(LOOK_EVERY_S) and not self._spool.is_occupied():
            return
        self._came.clear()
        while batch := fitting(self._spool.next(self._most)):
            self._bring(batch)

    def wake(self) -> None:
        """End a wait."""
        self._came.set()

    def _bring(self, batch: Sequence[Spooled]) -> None:
        events = [{"turn": each.turn, "at": each.at, "message": each.message} for each in batch]
        try:
            answer = self._main.ask("events", {"spool": self._spool.name, "events": events})
        except MainGatewayError as error:
            if error.status == TOO_LARGE and self._is_made_smaller(batch, error):
                return
            self._came.set()  # they wait still
            raise
        turn, last = answer.get("turn"), batch[-1].turn
        if not isinstance(turn, int) or turn < last:
            raise MainGatewayError(Text("its answer does not say that it took the events."))
        if turn > last:
            log.warning("onsite_spool_was_copied", hint="Events since the copy are sent again.")
            self._spool.begin_anew()
            return
        self._put_aside(batch, answer.get("refused"))
        self._spool.forget(last)
        self._most = AT_ONCE

    def _is_made_smaller(self, batch: Sequence[Spooled], error: MainGatewayError) -> bool:
        """Have less brought at once than ``batch``; an event that is too large alone is put aside."""
        if len(batch) > 1:
            self._most = len(batch) // 2
            return True
        (alone,) = batch
        if len(json.dumps(alone.message)) <= SMALLEST_LIMIT:
            return False
        self._refuse(alone, str(error))
        self._most = AT_ONCE
        return True

    def _put_aside(self, batch: Sequence[Spooled], refused: Any) -> None:
        """Keep what the main gateway can never write down, apart."""
        by_turn = {each.turn: each for each in batch}
        for each in refused if isinstance(refused, list) else ():
            if isinstance(each, dict) and (spooled := by_turn.get(each.get("turn", 0))):
                self._refuse(spooled, str(each.get("reason", "")))

    def _refuse(self, spooled: Spooled, reason: str) -> None:
        log.error("onsite_event_refused", turn=spooled.turn, reason=reason[:500])
        self._spool.refuse(spooled, reason[:500])


def fitting(waiting: Sequence[Spooled]) -> Sequence[Spooled]:
    """Return as many of the first that wait as go into one request; the first in any case."""
    size = 0
    found: list[Spooled] = []
    for each in waiting:
        size += len(each.message.encode()) + 60
        if found and size > MOST_BYTES:
            break
        found.append(each)
    return found
