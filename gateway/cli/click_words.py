"""click's own words, which it asks gettext for by their English: they are in a catalogue of ours like all others."""

import gettext
import os

from gateway.texts.catalogues import FOLDER, SOURCE, translations
from gateway.texts.languages import Language
from gateway.texts.rendering import locale_of
from gateway.texts.text import Text, counted

DOMAIN = "click"
WORDS = (
    Text("Usage:"),
    Text("Options"),
    Text("Commands"),
    Text("Positional arguments"),
    Text("Show this message and exit."),
    Text("Show the version and exit."),
    Text("Error: {message}"),
    Text("Error: The two entered values do not match."),
    Text("Try '{command} {option}' for help."),
    Text("Missing argument"),
    Text("Missing option"),
    Text("Missing parameter"),
    Text("Missing command."),
    Text("No such option {name!r}."),
    Text("No such command {name!r}."),
    Text("Option {name!r} does not take a value."),
    Text("Invalid value: {message}"),
    Text("Invalid value for {param_hint}: {message}"),
    Text("{value!r} is not a valid {number_type}."),
    Text("{value} is not in the range {range}."),
    Text("{name} {filename!r} does not exist."),
    Text("{name} {filename!r} is a file."),
    Text("{name} {filename!r} is a directory."),
    Text("{name} {filename!r} is not readable."),
    Text("{name} {filename!r} is not writable."),
    Text("file"),
    Text("directory"),
    Text("path"),
    Text("default: {default}"),
    Text("env var: {var}"),
    Text("Repeat for confirmation"),
    Text("Aborted!"),
    counted("Got unexpected extra argument ({args})", "Got unexpected extra arguments ({args})", 1),
    counted("Did you mean {possibility}?", "(Did you mean one of: {possibilities}?)", 1),
    counted("Option {name!r} requires an argument.", "Option {name!r} requires {nargs} arguments.", 1),
    counted("{value!r} is not {choice}.", "{value!r} is not one of {choices}.", 1),
)
"""What click 8 says to people; a sentence that another version says otherwise comes in English."""


def speak(language: Language) -> None:
    """Have click speak ``language``, whatever locale it finds in the environment."""
    if language == SOURCE:
        return
    translations(language)  # compiles the catalogues where that is still to be done
    gettext.bindtextdomain(DOMAIN, FOLDER)
    gettext.textdomain(DOMAIN)
    os.environ["LANGUAGE"] = locale_of(language)
