"""Every sentence of the source is translated into every language, and nothing else is in the catalogues."""

import ast
import re
from collections import defaultdict
from functools import cache
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po

from gateway.texts import areas, catalogues, extraction, update
from gateway.texts.languages import Language
from tests.texts.portuguese import is_portuguese

ROOT = Path(__file__).parents[2]
PLACEHOLDER = re.compile(r"%\(\w+\)s|\{\w*(?:![rs])?(?::[^{}]*)?\}")
WITH_PORTUGUESE_NAMES = (
    "Columns by name, in any order: codigo",
    "Name the columns in the query",
    "Expected names such as codigo",
    # Parameters of the Portuguese contract, and a Brazilian exchange's own menus.
    "The dialplan gets the extension as the variable ramal",
    "Needs mod_curl. Run on FreeSWITCH 1.10.12, with ramal and telefone",
    "A BYE from the far side swaps ramal and telefone",
    "itflex: event of an answered call (evento de atendimento)",
    "From developer.itflex.com.br, not run.",
    "Gestão, Configuração, Integrações, Geral",
)
EACH = [(area, language) for area in areas.AREAS for language in update.TRANSLATED]


found_in = cache(lambda area: extraction.extract(ROOT, area))


def catalogue(area: str, language: Language) -> Catalog:
    with update.place(area, language).open("rb") as file:
        return read_po(file, charset="utf-8", abort_invalid=True)


def messages(area: str, language: Language) -> list[Message]:
    return [message for message in catalogue(area, language) if message.id]


def several(value: str | tuple[str, ...] | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else list(value)


def wanted(message: Message) -> list[set[str]]:
    """Return the placeholders of a translation: those of the id; a singular may do without the number."""
    forms = [set(PLACEHOLDER.findall(form)) for form in several(message.id)]
    return forms if len(forms) == 1 else [forms[0] | {"{count}"}, forms[0] - {"{count}"}, *forms]


@pytest.mark.parametrize("area", areas.AREAS)
def test_the_catalogues_have_what_stands_in_the_source_and_nothing_else(area: str) -> None:
    """``python -m gateway.texts.update`` brings them up to date."""
    for language in update.TRANSLATED:
        data = update.updated(area, language, found_in(area))
        assert data.decode() == update.place(area, language).read_text(encoding="utf-8"), "run gateway.texts.update"


@pytest.mark.parametrize(("area", "language"), EACH)
def test_every_sentence_is_translated(area: str, language: Language) -> None:
    found = messages(area, language)
    assert [message.id for message in found if not all(several(message.string)) or message.fuzzy] == []
    assert [message.id for message in found if len(several(message.id)) != len(several(message.string))] == []


@pytest.mark.parametrize(("area", "language"), EACH)
def test_a_translation_has_the_placeholders_of_the_sentence(area: str, language: Language) -> None:
    for message in messages(area, language):
        for form in several(message.string):
            assert set(PLACEHOLDER.findall(form)) in wanted(message), message.id


@pytest.mark.parametrize("area", areas.AREAS)
def test_the_ids_are_english(area: str) -> None:
    """So English is complete without a catalogue of its own."""
    found = [form for message in found_in(area) for form in several(message.id)]
    assert [form for form in found if is_portuguese(form) and not form.startswith(WITH_PORTUGUESE_NAMES)] == []


@pytest.mark.parametrize("language", update.TRANSLATED)
def test_a_sentence_of_two_areas_is_translated_alike(language: str) -> None:
    found: dict[tuple[str, str | None], set[str]] = defaultdict(set)
    for area in areas.AREAS:
        for message in messages(area, language):
            found[several(message.id)[0], message.context].add("|".join(several(message.string)))
    assert {id: said for id, said in found.items() if len(said) > 1} == {}


def test_every_source_file_is_of_one_area_or_has_no_sentences() -> None:
    missing = {path for path in areas.sources(ROOT) if areas.area_of(path) is None}
    without = {
        "gateway/__init__.py",
        "gateway/clock.py",
        "gateway/desk/static/cti.js",
        "gateway/gateway.toml",
        "gateway/demo/crm.html",
        "gateway/simulators/page.html",
    }
    assert {path for path in missing if not path.startswith("gateway/texts/")} == without


def test_sentences_are_found_where_they_stand(tmp_path: Path) -> None:
    for path, text in {
        "gateway/desk/a.py": 'Text("one {n}"); counted("{count} call", "{count} calls", count=2); in_context("v", "C")',
        "gateway/desk/templates/a.html": "{% trans %}\n  two\n  lines{% endtrans %}{{ _('three') }}",
        "gateway/desk/static/desk/a.js": 'gettext("four {n}", { n: 1 });',
        "gateway/cli/a.py": '@a.command()\n@a.option("-b", help="5.")\ndef a():\n    """Six\n    six.\n\n    7."""',
        "adapters/presets/catalogue/a.toml": 'title = "Eight"\nvendor = "No"\n[parameters.a]\nhelp = "Nine."',
    }.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    desk = [message.id for message in extraction.extract(tmp_path, "desk") if message.id]
    assert set(desk) == {"one {n}", ("{count} call", "{count} calls"), "C", "two lines", "three"}
    assert [message.id for message in extraction.extract(tmp_path, "script") if message.id] == ["four {n}"]
    assert {message.id for message in extraction.extract(tmp_path, "commands")} == {"", "5.", "Six six.", "7."}
    assert {message.id for message in extraction.extract(tmp_path, "presets")} == {"", "Eight", "Nine."}


def test_a_changed_catalogue_is_compiled_when_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalogues, "FOLDER", tmp_path)
    source = tmp_path / "es/LC_MESSAGES/desk.po"
    source.parent.mkdir(parents=True)
    for word in ("llamada", "llamadas"):
        source.write_text(f'msgid "call"\nmsgstr "{word}"\n')
        catalogues.translations.cache_clear()
        assert catalogues.translations("es").gettext("call") == word
        assert source.with_suffix(".mo").exists()
        source.with_suffix(".mo").touch()
    source.unlink()
    catalogues.translations.cache_clear()
    assert catalogues.translations("es").gettext("call") == "llamadas"
    catalogues.translations.cache_clear()


def test_no_sentence_stands_within_an_f_string() -> None:
    """Before Python 3.12 an f-string is one token, so that nothing in it is found for the catalogues."""
    hidden = []
    for path in areas.sources(ROOT):
        if path.endswith(".py"):
            for node in ast.walk(ast.parse((ROOT / path).read_text(encoding="utf-8"))):
                if isinstance(node, ast.JoinedStr):
                    calls = (each for each in ast.walk(node) if isinstance(each, ast.Call))
                    names = [call.func.id for call in calls if isinstance(call.func, ast.Name)]
                    hidden += [f"{path}:{node.lineno}" for name in names if name in extraction.KEYWORDS]
    assert hidden == []
