"""No Portuguese stands in the code outside the catalogues: a sentence is written in English, and translated there."""

import re
from pathlib import Path

import pytest

from gateway.texts import areas
from tests.texts.portuguese import found, is_portuguese

ROOT = Path(__file__).parents[2]
PORTUGUESE_ON_PURPOSE = {
    "gateway/demo/company.py": (5, "names of the sample company and its people"),
    "gateway/demo/history.py": (2, "what the sample company's people wrote"),
    "gateway/demo/play.py": (2, "names of the sample accounts"),
    "gateway/logins/weak.py": (1, "keys of a Brazilian keyboard, in their order"),
    "gateway/simulators/providers.py": (5, "what the real providers answer"),
    "gateway/desk/search_words.py": (8, "what people write into the search box"),
    "gateway/domain/calls/results.py": (4, "words for how a call ended, which exchanges write"),
    "gateway/domain/numbering/number_text.py": (1, "words around an extension, which spreadsheets hold"),
    "gateway/wire/values.py": (2, "values of the Portuguese contract, and its names as placeholders"),
    "gateway/events/lines/learning.py": (1, "words for directions, which exchanges write"),
    "gateway/mapping/facts.py": (1, "what senders write"),
    "gateway/mapping/sides.py": (1, "what senders write"),
    "gateway/directory/database.py": (1, "the name of a column"),
    "gateway/directory/sheet.py": (1, "names of columns"),
    "adapters/soap/names.py": (1, "the characters that a name in XML may have"),
}
"""How many strings, and why."""
SEARCHED = [
    path for path in areas.sources(ROOT) if not path.endswith(".toml") and not path.startswith("gateway/texts/")
]


@pytest.mark.parametrize("path", [path for path in SEARCHED if path not in PORTUGUESE_ON_PURPOSE])
def test_a_source_file_has_no_portuguese_sentence(path: str) -> None:
    lines = found(ROOT / path)
    assert not lines, "\n".join(lines)


@pytest.mark.parametrize("path", PORTUGUESE_ON_PURPOSE)
def test_an_exception_holds_for_the_strings_that_need_it(path: str) -> None:
    lines = found(ROOT / path)
    assert len(lines) == PORTUGUESE_ON_PURPOSE[path][0], "\n".join(lines)


@pytest.mark.parametrize(
    "string",
    [
        "Ligações",
        "pedido sem destino",
        "a central recusou",
        "parâmetro ausente",
        "Tente outra vez: envie para a central",
    ],
)
def test_portuguese_is_noticed(string: str) -> None:
    assert is_portuguese(string)


@pytest.mark.parametrize(
    "string",
    ["id_ligacao", "/wconnect/sem-destino", "#contas-17", "call as it came", "ramal", "http://pbx.example.com/a b"],
)
def test_names_and_english_are_left_alone(string: str) -> None:
    assert not is_portuguese(string)


def test_styles_have_no_words() -> None:
    """What a style puts before a value comes from the page, which knows the language."""
    styles = (ROOT / "gateway/desk/static/desk.css").read_text(encoding="utf-8")
    assert re.findall(r'(?<!-)content: "[^"]*[A-Za-z]{2}', styles) == []


def test_strings_of_python_are_searched_and_docstrings_are_not(tmp_path: Path) -> None:
    file = tmp_path / "sample.py"
    file.write_text('"""Não."""\nA = f"fica {1} não"\n"""Ligação."""\n\ndef f():\n    """Olá."""\n    return "é"\n')
    assert found(file) == ["2: não", "7: é"]


def test_comments_of_templates_and_scripts_are_not_searched(tmp_path: Path) -> None:
    page, script = tmp_path / "a.html", tmp_path / "a.js"
    page.write_text('{# não\n#}\n<p>ligação</p>\n<input name="senha" id="conta">\n<input title="a senha">')
    script.write_text('// não\n/* é */ say("ligação"); open("http://x")\n')
    assert found(page) == ["3: <p>ligação</p>", '5: <input title="a senha">']
    assert found(script) == ["2: ligação"]
