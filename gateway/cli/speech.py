"""The language of commands: that of the terminal (``LC_ALL``, ``LC_MESSAGES``, ``LANG``), or ``CTI_LANGUAGE``."""

import os

import click

from gateway.texts.catalogues import translations
from gateway.texts.languages import Language, closest, of_environment
from gateway.texts.paragraphs import paragraphs
from gateway.texts.rendering import render, shown
from gateway.texts.text import Fact, Text

VARIABLE = "CTI_LANGUAGE"


def language() -> Language:
    """Return the language of this run; ``CTI_LANGUAGE`` is for where the locale has to stay another one."""
    return closest(os.environ.get(VARIABLE)) or of_environment(os.environ)


def _(id: str, /, **facts: Fact) -> str:
    """Return the sentence ``id`` with its facts in the language of this run; the id stands in the call as a literal."""
    return render(Text(id, **facts), language())


def said(fact: Fact) -> str:
    """Return ``fact``, a text or what stands in one, in the language of this run."""
    return shown(fact, language())


def translated(english: str) -> str:
    """Return what a preset says to people, which stands in its file in English, in the language of this run."""
    return translations(language()).gettext(english) if english else ""


def translate_help(command: click.Command) -> None:
    """Put what ``command`` says of itself and its options into the language of this run.

    Its English stands in the code, as click wants it: docstrings and ``help=``.
    """
    command.help = _translated(command, "help")
    command.epilog = _translated(command, "epilog")
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            parameter.help = _translated(parameter, "help")
    if isinstance(command, click.Group):
        for name in command.commands:
            translate_help(command.commands[name])


def _translated(described: click.Command | click.Option, what: str) -> str | None:
    """Return the translation of ``described.what``; the English is kept, for another run in the same process."""
    english: str | None = described.__dict__.setdefault(f"_english_{what}", getattr(described, what))
    if english is None:
        return None
    return "\n\n".join(map(translated, paragraphs(english)))
