"""What came of an attempt, as a sentence for people that holds no secret; the same for every protocol."""

import re
from collections.abc import Iterable

from adapters.http.answers import Verdict
from adapters.http.outcomes import OPENINGS
from gateway.adapter import Delivery, Outcome, Probe
from gateway.errors import AdapterError


class Sentences:
    """Word outcomes and probes of the peer ``name``; every one of ``secrets`` (as spelled on the wire) is masked."""

    def __init__(self, name: str, secrets: Iterable[str] = ()) -> None:
        self.name = name
        self._secrets = tuple(sorted({secret for secret in secrets if secret}, key=len, reverse=True))

    def probe(self, ok: bool, reason: str) -> Probe:
        """A probe's result as a sentence without secrets."""
        return Probe(ok, f"A central {self.name!r} {'respondeu' if ok else 'não está pronta'}: {self._clean(reason)}.")

    def delivery(self, outcome: Outcome, reason: str = "", ref: str | None = None, *, opening: str = "") -> Delivery:
        """An outcome with its sentence; ``reason`` may quote the peer, so secrets in it are masked."""
        opening = (opening or OPENINGS[outcome]).format(self.name)
        ending = f": {self._clean(reason)}" if reason else ""
        return Delivery(outcome, f"{opening}{ending}.", self._clean(ref) if ref else None)

    def judged(self, verdict: Verdict) -> Delivery:
        """A rule's verdict; unless it is a yes, the peer's words are quoted, pages without their tags."""
        if verdict.outcome is Outcome.ACCEPTED:
            return self.delivery(verdict.outcome, ref=verdict.ref)
        return self.delivery(verdict.outcome, self.quoted(verdict.text))

    def quoted(self, text: str) -> str:
        """The peer's words as a reason, pages without their tags."""
        words = self._clean(re.sub(r"<[^>]*>", " ", self._masked(text)), longest=120)
        return f'respondeu "{words}"' if words else "a resposta veio vazia"

    def unbuilt(self, error: AdapterError) -> Delivery:
        """The request could not be built, so nothing was sent."""
        return self.delivery(Outcome.UNREACHABLE, f"o pedido não pôde ser montado ({error.message})")

    def _masked(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, "****")
        return text

    def told(self, text: str) -> str:
        """What the peer said as one line without secrets."""
        return self._clean(text)

    def _clean(self, text: str, longest: int = 300) -> str:
        """One line without secrets. Masks before it cuts, or half a secret would stay."""
        text = self._masked(text)
        if not text.isprintable():
            text = "".join(char if char.isprintable() else " " for char in text)
        text = " ".join(text.split()).rstrip(".")
        return text if len(text) <= longest else text[: longest - 3] + "..."
