"""Whose language counts: an agent's, a browser's, a company's, or the environment of a command."""

import re
from collections.abc import Mapping
from typing import Literal, get_args

Language = Literal["pt-BR", "en", "es"]
LANGUAGES: tuple[Language, ...] = get_args(Language)
NAMES: Mapping[Language, str] = {"pt-BR": "Português (Brasil)", "en": "English", "es": "Español"}
"""What each language calls itself."""
DEFAULT: Language = "pt-BR"
OF_COMMANDS: Language = "en"
"""What commands speak where the environment names no language, or one that we do not have."""

_CLOSEST: Mapping[str, Language] = {"pt": "pt-BR", "en": "en", "es": "es"}
_LONGEST_HEADER = 500


def closest(tag: str | None) -> Language | None:
    """Return our language for ``tag`` (``pt``, ``es-AR``, ``en_US.UTF-8``), None where we do not have it."""
    return _CLOSEST.get(re.split(r"[-_.@]", (tag or "").strip().lower(), maxsplit=1)[0])


def first_of(*wanted: str | None) -> Language:
    """Return the first language of ``wanted`` that we have, else the default: give the most personal one first."""
    return next((found for tag in wanted if (found := closest(tag))), DEFAULT)


def of_browser(accept_language: str | None) -> Language | None:
    """Return the language of ours that ``Accept-Language`` prefers (RFC 9110, 12.5.4), None where it names none."""
    offers = (accept_language or "")[:_LONGEST_HEADER].split(",")
    ranked = sorted((_offer(offer) for offer in offers), key=lambda offer: -offer[1])
    return next((found for tag, weight in ranked if weight > 0 and (found := closest(tag))), None)


def of_environment(environ: Mapping[str, str]) -> Language:
    """Return the language of a command: ``LANGUAGE``, ``LC_ALL``, ``LC_MESSAGES``, ``LANG``, as gettext has it.

    ``LANGUAGE`` is a list of wishes, and counts only where the locale is not C. What is not ours is English.
    """
    locale = next((environ[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if environ.get(name)), "C")
    wishes = environ.get("LANGUAGE", "").split(":") if not re.match(r"(C|POSIX)\b", locale) else []
    return next((found for tag in (*wishes, locale) if (found := closest(tag))), OF_COMMANDS)


def _offer(offer: str) -> tuple[str, float]:
    """Return the tag and the weight of ``es-AR;q=0.8``; a weight that is none counts nothing."""
    tag, _, parameter = offer.partition(";")
    weight = parameter.strip().lower().removeprefix("q=")
    if not parameter.strip():
        return tag, 1.0
    return tag, float(weight) if re.fullmatch(r"[01](\.\d{0,3})?", weight) else 0.0
