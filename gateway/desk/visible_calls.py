"""The call log as far as a visitor may see it: pages and the API read calls by this, never past it.

Other calls are as if there were none, so that an id that somebody guessed tells nothing. Where the company masks
telephones for the visitor's role, calls are read with theirs masked; ``whole`` is for what has to know them, and is not
shown.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from werkzeug.exceptions import NotFound

from gateway.domain.calls.scope import CallScope
from gateway.domain.masking import hidden_in, hidden_in_all, masked
from gateway.store.calls import ANY, CallFilter, CallLog, LoggedCall
from gateway.store.search.search import CallFinder, Found

TEXTS = ("account", "contact", "caller_name", "result_text", "detail", "request_id", "call_ref", "note")
"""What may tell a call's telephone besides."""


@dataclass(frozen=True, slots=True)
class VisibleCalls:
    """The calls of ``tenant`` that ``scope`` admits, their telephones ``masked`` or not."""

    log: CallLog
    finder: CallFinder
    tenant: str
    scope: CallScope
    masked: bool = False

    def get(self, call_id: int) -> LoggedCall | None:
        """Return one call; None where there is none, or it may not be seen."""
        found = self.log.get(self.tenant, call_id, self.scope)
        return self.shown(found) if found else None

    def find(self, call_id: int) -> LoggedCall:
        """Return one call. Raises ``NotFound``."""
        found = self.get(call_id)
        if found is None:
            raise NotFound
        return found

    def recent(self, wanted: CallFilter = ANY, *, limit: int = 50) -> Sequence[LoggedCall]:
        """Return calls, the newest first."""
        return list(map(self.shown, self.log.recent(self.tenant, self._narrowed(wanted), limit=limit)))

    def search(self, wanted: CallFilter, *, limit: int = 50) -> Found:
        """Return calls that a search finds, the newest first."""
        found = self.finder.find(self.tenant, self._narrowed(wanted), limit=limit)
        return replace(found, calls=list(map(self.shown, found.calls)))

    def every(self, wanted: CallFilter) -> Iterator[LoggedCall]:
        """Return all calls that a search finds, the newest first, without holding them all."""
        return map(self.shown, self.finder.every(self.tenant, self._narrowed(wanted)))

    def pages(self, wanted: CallFilter = ANY, *, size: int = 1000) -> Iterator[LoggedCall]:
        """Return all matching calls, oldest first, without holding them all."""
        return map(self.shown, self.log.pages(self.tenant, self._narrowed(wanted), size=size))

    def busy_extensions(self, wanted: CallFilter, *, limit: int) -> frozenset[str]:
        """Return at which extensions calls are that match, whoever may see these: no more than that is told of them."""
        found = self.log.recent(self.tenant, wanted, limit=limit)
        there = ((call, each) for call in found for each in (call.extension, *(leg.extension for leg in call.legs)))
        return frozenset(each for call, each in there if each and call.seen_from(each) in wanted.statuses)

    def transferred_here(self, call: LoggedCall) -> LoggedCall | None:
        """Return the call that went on as ``call``: who may see this one may know where it came from."""
        return self.log.transferred_here(self.whole(call))

    def consultations(self, call: LoggedCall) -> Sequence[LoggedCall]:
        """Return the consultations for ``call``: who may see this one may know of them."""
        return list(map(self.shown, self.log.consultations(call)))

    def whole(self, call: LoggedCall) -> LoggedCall:
        """Return ``call`` with its telephone, to look for others of it or to dial it."""
        return (self.log.get(self.tenant, call.id) or call) if self.masked else call

    def shown(self, call: LoggedCall) -> LoggedCall:
        """Return ``call`` as the visitor may see it."""
        return with_masked_number(call) if self.masked else call

    def _narrowed(self, wanted: CallFilter) -> CallFilter:
        """Return the filter of this visitor: who may not see telephones finds them by the whole only, not digit by
        digit.
        """
        return replace(wanted, scope=self.scope, whole_number=wanted.whole_number or self.masked)


def with_masked_number(call: LoggedCall) -> LoggedCall:
    """Return ``call`` with its telephone masked, and hidden in what else was told of it."""
    hide = partial(hidden_in, number=call.number)
    texts: dict[str, Any] = {name: hide(text) for name in TEXTS if (text := getattr(call, name))}
    if texts.get("detail", call.detail) != call.detail:
        texts["sentence"] = None
    notes = tuple(
        note._replace(recording_url=None, transcript=note.transcript and hide(note.transcript)) for note in call.notes
    )
    return replace(
        call,
        number=masked(call.number),
        fields=hidden_in_all(call.fields, call.number),
        recording_url=None,
        notes=notes,
        **texts,
    )
