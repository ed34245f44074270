"""Texts in a reader's language."""

from functools import lru_cache

from gateway.texts.catalogues import translations
from gateway.texts.languages import Language
from gateway.texts.text import SEPARATORS, Fact, Listing, Quantity, Span, Text

UNITS = (("day", 86400), ("hour", 3600), ("minute", 60), ("second", 1))


def render(text: Text, language: Language) -> str:
    """Return ``text`` in ``language``, its facts as people of that language write them."""
    sentence = _sentence(text, language)
    return sentence.format(**{name: shown(fact, language) for name, fact in text.facts.items()})


def shown(fact: Fact, language: Language) -> str:
    """Return ``fact`` as it stands in a sentence of ``language``."""
    match fact:
        case str():
            return fact
        case None:
            return ""
        case Text():
            return render(fact, language)
        case Quantity():
            return _amount(fact, language)
        case Span():
            return _span(fact, language)
        case Listing():
            return _listing(fact, language)
        case _:
            return str(fact)


def locale_of(language: Language) -> str:
    """Return babel's name of ``language``: our English is British, and Spanish writes numbers as South America does.

    (Babel's es_419 writes them as Mexico.)
    """
    return {"en": "en_GB"}.get(language, language.replace("-", "_"))


def _sentence(text: Text, language: Language) -> str:
    if text.plural:
        return translations(language).ngettext(text.id, text.plural, text.count)
    return _without_count(text.context, text.id, language)


@lru_cache(maxsize=8192)
def _without_count(context: str, id: str, language: Language) -> str:
    found = translations(language)
    if context:
        return found.pgettext(context, id)
    return found.gettext(id) if id else ""


def _amount(quantity: Quantity, language: Language) -> str:
    from babel.numbers import format_decimal

    return format_decimal(quantity.value, locale=locale_of(language))


def _span(span: Span, language: Language) -> str:
    """Write the span in the largest unit that leaves nothing over: 90 seconds, 2 hours."""
    from babel.units import format_unit

    unit, seconds = next((each for each in UNITS if span.seconds >= each[1] and not span.seconds % each[1]), UNITS[-1])
    return format_unit(span.seconds / seconds, f"duration-{unit}", locale=locale_of(language))


def _listing(listing: Listing, language: Language) -> str:
    items, locale = [shown(item, language) for item in listing.items], locale_of(language)
    if listing.joined_by in SEPARATORS:
        return SEPARATORS[listing.joined_by].join(items)
    from babel.lists import format_list

    return format_list(items, "or" if listing.joined_by == "or" else "standard", locale)
