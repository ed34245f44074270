"""What may be opened by people and programs."""

import pytest

from gateway.domain.links import safe_link
from gateway.domain.spreadsheets import harmless


@pytest.mark.parametrize("url", ["http://pbx/1.wav", "https://pbx/rec?id=1&fmt=wav", "HTTPS://PBX/1"])
def test_addresses_of_the_web_are_given_out_as_they_are(url: str) -> None:
    assert safe_link(url) == url


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "java\nscript:alert(1)",
        "data:text/html,x",
        "vbscript:x",
        "file:///etc/passwd",
        "ftp://pbx/1.wav",
        "//pbx/1.wav",
        "/rec/1.wav",
        "http:",
        "http:///1.wav",
        "http://[",
        "",
        None,
    ],
)
def test_nothing_else_is(url: str | None) -> None:
    assert safe_link(url) is None


@pytest.mark.parametrize("text", ["=1+1", "+55", "-1", "@x", "\t=1", "\r=1", "\n=1", "\uff1d1"])
def test_a_formula_is_text_to_a_spreadsheet(text: str) -> None:
    assert harmless(text) == f"'{text}"


@pytest.mark.parametrize("text", ["", "1", "Ana", "a=b", " x"])
def test_other_texts_stay_as_they_are(text: str) -> None:
    assert harmless(text) == text
