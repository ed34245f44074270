"""Sentences as they are kept, in a database or a file: id and facts as JSON, rendered for whoever reads them."""

import json
from collections.abc import Mapping
from typing import Any

from gateway.texts.catalogues import has
from gateway.texts.text import Fact, Listing, Quantity, Span, Text, counted, in_context, verbatim

# One encoder for all: json.dumps makes a new one at each call that names separators.
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def pack(text: Text) -> str:
    """Return ``text`` as JSON."""
    return _encode(_packed(text))


def unpack(packed: str | None, *, words: str) -> Text:
    """Return the sentence that was packed; ``words``, its text when it was written, where none was or it is unknown.

    A row of version 0.1.0 has only words, and one of another version may have a sentence that is said otherwise now.
    """
    try:
        text = _text(json.loads(packed or "{}"))
    except (ValueError, LookupError, TypeError, AttributeError):  # of JSON, and of what is no sentence
        return verbatim(words)
    return text if _is_known(text) else verbatim(words)


def _packed(text: Text) -> dict[str, Any]:
    found: dict[str, Any] = {"id": text.id}
    if text.facts:
        found["facts"] = {name: _packed_fact(fact) for name, fact in text.facts.items()}
    if text.context:
        found["context"] = text.context
    if text.plural:
        found |= {"plural": text.plural, "count": text.count}
    return found


def _packed_fact(fact: Fact) -> Any:
    match fact:
        case Text():
            return _packed(fact)
        case Quantity():
            return {"quantity": fact.value}
        case Span():
            return {"span": fact.seconds}
        case Listing():
            return {"items": [_packed_fact(item) for item in fact.items], "by": fact.joined_by}
    return fact


def _text(found: Mapping[str, Any]) -> Text:
    """Return the sentence. Raises ``LookupError``, ``TypeError`` and ``AttributeError`` for what is none."""
    facts = {name: _fact(fact) for name, fact in found.get("facts", {}).items()}
    if "plural" in found:
        del facts["count"]
        return counted(found["id"], found["plural"], count=found["count"], **facts)
    if "context" in found:
        return in_context(found["context"], found["id"], **facts)
    return Text(found["id"], **facts)


def _fact(found: Any) -> Fact:
    if not isinstance(found, dict):
        return found  # type: ignore[no-any-return]
    if "quantity" in found:
        return Quantity(found["quantity"])
    if "span" in found:
        return Span(found["span"])
    if "items" in found:
        items = tuple(item if isinstance(item, str) else _text(item) for item in found["items"])
        return Listing(items, joined_by=found["by"])
    return _text(found)


def _is_known(text: Text) -> bool:
    """Return whether the catalogues have the sentence, and those in it."""
    parts = [part for fact in text.facts.values() for part in (fact.items if isinstance(fact, Listing) else (fact,))]
    return has(text) and all(_is_known(part) for part in parts if isinstance(part, Text))
