"""What a source heard and said, as entries of the traffic log: one for each event of a call, with its bytes."""

import threading
from collections.abc import Callable, Iterable

from gateway.event_source import SourcePlace
from gateway.store.traffic import IN, OUT, Draft, Remark, RemarkCode, TrafficEntry, cut
from gateway.store.writing.drafts import Recorded
from gateway.traffic.masking import mask, spellings
from gateway.traffic.remarks import note_of

OK = "200 OK"
NOT_UNDERSTOOD = "400 ?"
OLD_MS = 5_000
"""What is no part of an event is written after so long."""


class SourceTraffic:
    """Gathers bytes until they are an event's, or many, or old. Safe for several threads."""

    def __init__(
        self,
        add: Callable[[Draft, int], None] | None,
        place: SourcePlace,
        peer: str,
        secrets: Iterable[str],
        most_bytes: int,
    ) -> None:
        """Take ``add``, which has an entry written; None: there is no traffic log."""
        self._add, self._place, self._peer = add, place, peer
        self._secrets = spellings(secrets)
        self._most = most_bytes
        self._lock = threading.Lock()
        self._heard, self._said = bytearray(), bytearray()
        self._at = 0

    def heard(self, data: bytes) -> None:
        """Keep ``data`` for the next event."""
        self._keep(self._heard, data)

    def said(self, data: bytes, secrets: Iterable[str] = ()) -> None:
        """Keep ``data`` without ``secrets``; what was heard before is no answer to it."""
        if self._heard and not self._said:
            self.flush()
        self._keep(self._said, mask(data, spellings(secrets)))

    def event(self) -> Callable[[Recorded], None]:
        """Return how the bytes up to now are written as those of a call, when that is known."""
        entry = self._taken(OK)
        return (lambda recorded: self._write(entry, recorded.call_id)) if entry else lambda _recorded: None

    def problem(self, problem: str, data: bytes) -> None:
        """Write ``data``, or what was heard up to now, with why it was not understood."""
        if data and not self._heard:
            self._keep(self._heard, data)
        if entry := self._taken(NOT_UNDERSTOOD, Remark(RemarkCode.NOT_MAPPED, {"problem": problem})):
            self._write(entry, None)

    def flush(self, *, before: int | None = None) -> None:
        """Write what is no part of an event, if it began ``before`` (milliseconds)."""
        if (before is None or self._at < before) and (entry := self._taken(OK)):
            self._write(entry, None)

    def _keep(self, kept: bytearray, data: bytes) -> None:
        if self._add is None:
            return
        with self._lock:
            self._at = self._at or self._place.clock()
            kept += data
            is_full = len(kept) > self._most
        if is_full:
            self.flush()

    def _taken(self, status: str, *remarks: Remark) -> "Callable[[int | None], TrafficEntry] | None":
        with self._lock:
            heard, said, at = bytes(self._heard), bytes(self._said), self._at
            self._heard.clear()
            self._said.clear()
            self._at = 0
        if not heard and not said:
            return None
        return lambda call_id: self._entry(heard, said, at, call_id, status, remarks)

    def _write(self, entry: Callable[[int | None], TrafficEntry], call_id: int | None) -> None:
        if self._add:
            self._add(lambda: entry(call_id), self._most)

    def _entry(
        self, heard: bytes, said: bytes, at: int, call_id: int | None, status: str, remarks: tuple[Remark, ...]
    ) -> TrafficEntry:
        request, long = cut(mask(said or heard, self._secrets), self._most)
        answer, longer = cut(mask(heard, self._secrets) if said else b"", self._most, RemarkCode.ANSWER_CUT)
        told = (Remark(RemarkCode.ADDRESS, {"address": self._peer}), *long, *longer, *remarks)
        return TrafficEntry(
            at=at,
            took_us=0,
            way=OUT if said else IN,
            tenant=self._place.tenant,
            peer=self._place.name,
            wire=self._place.kind,
            operation=f"{self._place.kind}/{self._place.name}",
            call_id=call_id or None,
            status=status,
            note=note_of(told),
            remarks=told,
            request=request,
            answer=answer,
        )
