"""Adapters whose traffic is written into the traffic log: the same adapters, overheard."""

import time
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from gateway.adapter import (
    Adapter,
    Delivery,
    HangsUp,
    Limits,
    Outgoing,
    Probe,
    WireExchange,
    WireRequest,
    can_hang_up,
    carries_time,
    is_idempotent,
    limits_of,
    longest_of,
    overheard,
    overhearing,
    unwanted,
)
from gateway.store.traffic import OUT, Draft, Remark, RemarkCode, TrafficEntry, cut
from gateway.texts.languages import DEFAULT, Language
from gateway.texts.rendering import render, shown
from gateway.texts.text import Text
from gateway.traffic.masking import mask
from gateway.traffic.remarks import note_of

Add = Callable[[Draft, int], None]
NO_MESSAGE = Outgoing("probe", "", {})


class RecordedAdapter:
    """``adapter`` with every request it sends handed to ``add``; ``wire`` is its protocol's name."""

    Config: ClassVar[type[Any]] = object

    def __init__(
        self,
        adapter: Adapter,
        tenant: str,
        name: str,
        wire: str,
        *,
        add: Add,
        most_bytes: int,
        language: Language = DEFAULT,
    ) -> None:
        """Take ``language``, in which the log says why there is no answer."""
        self.adapter = adapter
        self._tenant = tenant
        self._name = name
        self._wire = wire
        self._add = add
        self._most_bytes = most_bytes
        self._language = language

    @property
    def can_hang_up(self) -> bool:
        return can_hang_up(self.adapter)

    @property
    def limits(self) -> Limits:
        return limits_of(self.adapter)

    @property
    def longest_s(self) -> float | None:
        return longest_of(self.adapter)

    @property
    def idempotent(self) -> bool:
        return is_idempotent(self.adapter)

    @property
    def carries_time(self) -> bool:
        return carries_time(self.adapter)

    def unwanted(self, message: Outgoing) -> Text | None:
        return unwanted(self.adapter, message)

    def probe(self) -> Probe:
        with overheard(self._writer(NO_MESSAGE)):
            return self.adapter.probe()

    def preview(self, message: Outgoing) -> Sequence[WireRequest]:
        return self.adapter.preview(message)

    def deliver(self, message: Outgoing) -> Delivery:
        with overheard(self._writer(message)):
            return self.adapter.deliver(message)

    def hangup(self, message: Outgoing) -> Delivery:
        adapter: HangsUp = self.adapter  # type: ignore[assignment]
        with overheard(self._writer(message)):
            return adapter.hangup(message)

    def close(self) -> None:
        self.adapter.close()

    def _writer(self, message: Outgoing) -> Callable[[WireExchange], None]:
        """Return what writes a request down, and tells whoever listens besides."""
        outer = overhearing()

        def write(heard: WireExchange) -> None:
            if outer:
                outer(heard)
            at = time.time_ns() // 1_000_000 - heard.took_us // 1000
            self._add(lambda: self._entry(heard, message, at), len(heard.request.data) + len(heard.answer))

        return write

    def _entry(self, heard: WireExchange, message: Outgoing, at: int) -> TrafficEntry:
        sent, long = cut(heard.request.data, self._most_bytes)
        came, longer = cut(heard.answer, self._most_bytes, RemarkCode.ANSWER_CUT)
        remarks = (Remark(RemarkCode.ADDRESS, {"address": heard.request.peer}), *long, *longer)
        secrets = [secret.encode() for secret in heard.request.secrets if secret]
        call_id = message.fields.get("call_id", "")
        return TrafficEntry(
            at=at,
            took_us=heard.took_us,
            way=OUT,
            tenant=self._tenant,
            peer=self._name,
            wire=self._wire,
            operation=message.kind,
            call_id=int(call_id) if call_id.isdigit() else None,
            status=status_of(heard, self._language),
            note=note_of(remarks),
            remarks=remarks,
            request=mask(sent, secrets),
            answer=mask(came, secrets),
        )


def status_of(heard: WireExchange, language: Language) -> str:
    """Return ``200 OK`` of the answer's first line, or why there is no answer."""
    if not heard.answer:
        return (shown(heard.problem, language) or render(Text("no answer"), language))[:80]
    return heard.answer.partition(b"\r\n")[0].partition(b" ")[2].decode("latin-1")[:80]
