"""Whose language counts."""

import pytest

from gateway.texts.languages import closest, first_of, of_browser, of_environment


@pytest.mark.parametrize(
    ("tag", "language"),
    [
        ("pt", "pt-BR"),
        ("pt-PT", "pt-BR"),
        ("pt_BR.UTF-8", "pt-BR"),
        ("ES-ar", "es"),
        ("es_419@x", "es"),
        ("en_US.UTF-8", "en"),
        ("de", None),
        ("C.UTF-8", None),
        ("", None),
        (None, None),
    ],
)
def test_the_closest_of_ours_is_taken(tag: str | None, language: str | None) -> None:
    assert closest(tag) == language


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("pt-BR,pt;q=0.9,en-US;q=0.8,en;q=0.7", "pt-BR"),
        ("de-DE,de;q=0.9,es;q=0.5,en;q=0.7", "en"),
        ("en;q=0.3, es ; q=0.8", "es"),
        ("es;q=0, en;q=0.1", "en"),
        ("es;q=nonsense, en;q=0.1", "en"),
        ("de, *", None),
        ("", None),
        (None, None),
        ("x" * 10_000 + ",es", None),
    ],
)
def test_a_browser_s_preference_is_followed(header: str | None, language: str | None) -> None:
    assert of_browser(header) == language


@pytest.mark.parametrize(
    ("environ", "language"),
    [
        ({}, "en"),
        ({"LANG": "C.UTF-8"}, "en"),
        ({"LANG": "pt_BR.UTF-8"}, "pt-BR"),
        ({"LANG": "pt_BR.UTF-8", "LC_ALL": "C"}, "en"),
        ({"LANG": "pt_BR.UTF-8", "LC_MESSAGES": "es_AR.UTF-8"}, "es"),
        ({"LANG": "de_DE.UTF-8"}, "en"),
        ({"LANG": "de_DE.UTF-8", "LANGUAGE": "de:es:en"}, "es"),
        ({"LANG": "C", "LANGUAGE": "es"}, "en"),
    ],
)
def test_a_command_speaks_the_language_of_its_environment(environ: dict[str, str], language: str) -> None:
    assert of_environment(environ) == language


def test_the_most_personal_wish_that_we_have_counts() -> None:
    assert first_of(None, "de", "es", "en") == "es"
    assert first_of(None, "") == "pt-BR"
