"""What came of an attempt, as a sentence for people that holds no secret; the same for every protocol."""

import re
from collections.abc import Iterable

from adapters.http.answers import Verdict, fault_text
from adapters.http.outcomes import OPENINGS
from gateway.adapter import Delivery, Outcome, Probe
from gateway.errors import AdapterError
from gateway.texts.text import VERBATIM, Text, verbatim


class Sentences:
    """Word outcomes and probes of the peer ``name``; every one of ``secrets`` (as spelled on the wire) is masked.

    A reason is a ``Text``, or a plain string, which is nobody's to translate.
    """

    def __init__(self, name: str, secrets: Iterable[str] = ()) -> None:
        self.name = name
        self._secrets = tuple(sorted({secret for secret in secrets if secret}, key=len, reverse=True))
        self._accepted = Text("The appliance {name!r} accepted the order.", name=name)

    def probe(self, ok: bool, reason: Text | str) -> Probe:
        """Return a probe's result as a sentence without secrets."""
        opening = Text("The appliance {name!r} answered") if ok else Text("The appliance {name!r} is not ready")
        return Probe(ok, self._said(opening, reason))

    def delivery(
        self,
        outcome: Outcome,
        reason: Text | str = "",
        ref: str | None = None,
        *,
        opening: Text | None = None,
        retry_after_s: float | None = None,
    ) -> Delivery:
        """Return an outcome with its sentence; ``reason`` may quote the peer, so secrets in it are masked."""
        ref = self._clean(ref) if ref else None
        if outcome is Outcome.ACCEPTED and not reason and not opening:
            return Delivery(outcome, self._accepted, ref)
        return Delivery(outcome, self._said(opening or OPENINGS[outcome], reason), ref, retry_after_s)

    def judged(self, verdict: Verdict) -> Delivery:
        """Return a rule's verdict; unless it is a yes, the peer's words are quoted, pages without their tags."""
        if verdict.outcome is Outcome.ACCEPTED:
            return self.delivery(verdict.outcome, ref=verdict.ref)
        return self.delivery(verdict.outcome, verdict.problem or self.quoted(verdict.text))

    def quoted(self, text: str, *, fault: bool = False) -> Text:
        """Return the peer's words as a reason, pages without their tags; ``fault`` says that they are a fault's."""
        words = self._clean(re.sub(r"<[^>]*>", " ", self._masked(text)), longest=120)
        if fault:
            return Text('answered "{fault}"', fault=fault_text(words))
        return Text('answered "{words}"', words=words) if words else Text("the answer came empty")

    def unbuilt(self, error: AdapterError) -> Delivery:
        """Return the outcome of a request that could not be built: nothing was sent."""
        return self.delivery(Outcome.UNREACHABLE, Text("the request could not be built ({why})", why=error.text))

    def told(self, text: str) -> str:
        """Return what the peer said as one line without secrets."""
        return self._clean(text)

    def clean(self, text: Text | str) -> Text:
        """Return ``text`` with every word of others in it as one line without secrets."""
        return (text if isinstance(text, Text) else verbatim(text)).with_words(self._clean)

    def _said(self, opening: Text, reason: Text | str) -> Text:
        """Return a whole sentence. A reason that is one has its full stop already."""
        begun, why = Text(opening.id, name=self.name), self.clean(reason)
        if not reason:
            return Text("{opening}.", opening=begun)
        if _ends(why):
            return Text("{opening}: {reason}", opening=begun, reason=why)
        return Text("{opening}: {reason}.", opening=begun, reason=why)

    def _masked(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, "****")
        return text

    def _clean(self, text: str, longest: int = 300) -> str:
        """Return one line without secrets. Masks before it cuts, or half a secret would stay."""
        text = self._masked(text)
        if not text.isprintable():
            text = "".join(char if char.isprintable() else " " for char in text)
        text = " ".join(text.split()).rstrip(".")
        return text if len(text) <= longest else text[: longest - 3] + "..."


def _ends(text: Text) -> bool:
    """Return whether ``text`` ends with a full stop, its own or that of the last text in it."""
    if text.id == VERBATIM:
        return str(text.facts["words"]).endswith("...")
    last = re.search(r"\{(\w+)\}$", text.id)
    inner = text.facts.get(last[1]) if last else None
    return _ends(inner) if isinstance(inner, Text) else text.id.endswith(".")
