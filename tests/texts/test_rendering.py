"""A text is rendered in the reader's language, its facts as people of that language write them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.texts import catalogues
from gateway.texts.rendering import render
from gateway.texts.text import Listing, Quantity, Span, Text, counted, in_context, verbatim

SPANISH = """
msgid ""
msgstr "Content-Type: text/plain; charset=utf-8\\nPlural-Forms: nplurals=2; plural=(n != 1);\\n"

msgid "no answer from {peer!r}"
msgstr "{peer!r} no respondió"

msgctxt "verb"
msgid "call"
msgstr "llamar"

msgid "call"
msgstr "llamada"

msgid "{count} call"
msgid_plural "{count} calls"
msgstr[0] "{count} llamada"
msgstr[1] "{count} llamadas"
"""
BRAZILIAN = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\n"\n\nmsgid "only here"\nmsgstr "só aqui"\n'


@pytest.fixture(autouse=True)
def _catalogues(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name, text in (("es/LC_MESSAGES/a.po", SPANISH), ("pt_BR/LC_MESSAGES/a.po", BRAZILIAN)):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_text(text)
    monkeypatch.setattr(catalogues, "FOLDER", tmp_path)
    catalogues.translations.cache_clear()
    catalogues.area_sentences.cache_clear()
    yield
    catalogues.translations.cache_clear()
    catalogues.area_sentences.cache_clear()


def test_a_sentence_is_said_in_the_reader_s_language_with_its_facts() -> None:
    text = Text("no answer from {peer!r}", peer="pabx")
    assert render(text, "es") == "'pabx' no respondió"
    assert render(text, "en") == str(text) == "no answer from 'pabx'"


def test_one_english_text_has_two_translations_by_context() -> None:
    assert render(in_context("verb", "call"), "es") == "llamar"
    assert render(Text("call"), "es") == "llamada"
    assert render(in_context("verb", "call"), "en") == str(in_context("verb", "call")) == "call"


@pytest.mark.parametrize(
    ("count", "english", "spanish"),
    [(1, "1 call", "1 llamada"), (0, "0 calls", "0 llamadas"), (12345, "12,345 calls", "12.345 llamadas")],
)
def test_a_sentence_follows_its_count(count: int, english: str, spanish: str) -> None:
    text = counted("{count} call", "{count} calls", count=count)
    assert (render(text, "en"), str(text), render(text, "es")) == (english, english, spanish)


def test_what_a_language_lacks_comes_in_portuguese_else_as_it_stands() -> None:
    assert render(Text("only here"), "es") == "só aqui"
    assert render(Text("only here"), "en") == "only here"
    assert render(Text("nowhere"), "es") == "nowhere"


def test_facts_are_written_by_the_language() -> None:
    text = Text("{n} {id} {time} {long} {which} {all} {none}").id
    for language, said in {
        "pt-BR": "12.345,5 17 90 segundos 2 horas a, b ou c a e b .",
        "en": "12,345.5 17 90 seconds 2 hours a, b or c a and b .",
        "es": "12.345,5 17 90 segundos 2 horas a, b o c a y b .",
    }.items():
        facts = {
            "n": Quantity(12345.5),
            "id": 17,
            "time": Span(90),
            "long": Span(7200),
            "which": Listing(("a", "b", verbatim("c"))),
            "all": Listing(("a", "b"), joined_by="and"),
            "none": None,
        }
        assert render(Text(f"{text}.", **facts), language) == said  # type: ignore[arg-type]


def test_a_listing_of_sentences_keeps_what_stands_between_them() -> None:
    text = Text("{all}", all=Listing((Text("call"), verbatim("call")), joined_by="clauses"))
    assert (render(text, "es"), str(text)) == ("llamada; call", "call; call")


def test_a_text_within_a_text_is_rendered_too() -> None:
    assert render(Text("{why}: {words}", why=Text("call"), words="{x}"), "es") == "llamada: {x}"


def test_what_others_said_is_left_alone() -> None:
    assert render(verbatim("call {x}"), "es") == "call {x}"


def test_texts_are_values() -> None:
    assert Text("a {b}", b=1) == Text("a {b}", b=1) != Text("a {b}", b=2)
    assert len({Text("a {b}", b=1), Text("a {b}", b=1)}) == 1


def test_a_program_in_the_browser_gets_the_sentences_of_its_area() -> None:
    sentences = catalogues.area_sentences("es", "a")
    assert sentences["no answer from {peer!r}"] == "{peer!r} no respondió"
    assert sentences["{count} call"] == ["{count} llamada", "{count} llamadas"]
    assert catalogues.area_sentences("en", "a") == {}
