"""What strangers write is shown without power over terminals and the text around it."""

import json

import pytest
from markupsafe import Markup

from gateway.domain.shown_text import escaped, escaped_json, unturned


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Ana\u202eavlis", "Anaavlis"),
        ("\u2066Ana\u2069 \u202a3501\u202c", "Ana 3501"),
        ("محمد\u200f (17)", "محمد\u200f (17)"),
        ("Metalúrgica & Filhos", "Metalúrgica & Filhos"),
    ],
)
def test_pages_show_names_without_overrides(text: str, shown: str) -> None:
    assert unturned(text) == shown


def test_markup_stays_markup() -> None:
    assert isinstance(unturned(Markup("<b>a\u202e</b>")), Markup)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[2J\x1b]0;x\x07", "\\x1b[2J\\x1b]0;x\\x07"),
        ("\x9b31m", "\\x9b31m"),
        ("a\r\nb\tc", "a\\x0d\\x0ab\\x09c"),
        ("\u202e\u2028\udc41", "\\u202e\\u2028\\udc41"),
        ("Ação 😀", "Ação 😀"),
    ],
)
def test_terminals_get_no_control_characters(text: str, shown: str) -> None:
    assert escaped(text) == shown


def test_what_is_kept_is_kept() -> None:
    assert escaped("a\n\x1b", keep="\n") == "a\n\\x1b"


def test_json_keeps_its_data() -> None:
    data = {"account": "\x9b31m\u202eAção\x1b\x7f"}
    text = escaped_json(json.dumps(data, ensure_ascii=False))
    assert text.isprintable() or text.isascii()
    assert "\x9b" not in text
    assert "\u202e" not in text
    assert json.loads(text) == data
