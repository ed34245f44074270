"""A secret is found in raw bytes however they spell it."""

import base64
import json
from urllib.parse import quote

import pytest

from gateway.traffic.spelled import MOST, masked
from tests.loops import cpu_s, loops

SECRET = 'p&w "é+\\1'
SPELLINGS = {
    "as it is": SECRET.encode(),
    "Latin-1": SECRET.encode("latin-1"),
    "code page 850": SECRET.encode("cp850"),
    "UTF-8 that was encoded twice": SECRET.encode().decode("latin-1").encode(),
    "percent": quote(SECRET, safe="").encode(),
    "percent in small letters": quote(SECRET, safe="").lower().encode(),
    "percent of Latin-1": quote(SECRET.encode("latin-1"), safe="").encode(),
    "every letter escaped": "".join(f"%{byte:02x}" for byte in SECRET.encode()).encode(),
    "escaped twice": quote(quote(SECRET, safe=""), safe="").encode(),
    "a form": b"p%26w+%22%C3%A9%2B%5C1",
    "entities": b"p&amp;w &quot;&#xE9;+\\1",
    "character references": "".join(f"&#{ord(letter)};" for letter in SECRET).encode(),
    "hexadecimal references": "".join(f"&#x{ord(letter):04x};" for letter in SECRET).encode(),
    "CDATA": f"<![CDATA[{SECRET}]]>".encode(),
    "pieces of CDATA": b'p&amp;<![CDATA[w "]]>' + "é<!-- - -->+<?x y?>\\1".encode(),
    "JSON": json.dumps(SECRET).encode(),
    "JSON, every letter escaped": "".join(f"\\u{ord(letter):04X}" for letter in SECRET).encode(),
    "base64": base64.b64encode(SECRET.encode()),
    "base64 of Latin-1": base64.b64encode(SECRET.encode("latin-1")),
    "base64 in lines": b"\r\n ".join(base64.b64encode(SECRET.encode())[at : at + 3] for at in range(0, 16, 3)),
    "base64 in references": "".join(f"&#{byte};" for byte in base64.b64encode(SECRET.encode())).encode(),
    "base64 in a query": quote(base64.b64encode(SECRET.encode()), safe="").encode(),
}


@pytest.mark.parametrize("name", SPELLINGS)
def test_every_spelling_is_masked_and_nothing_beside_it(name: str) -> None:
    raw = b"<v>before:" + SPELLINGS[name] + b":behind</v>"
    hidden, complete = masked(raw, {SECRET: 1})
    assert complete
    assert SPELLINGS[name] not in hidden
    assert hidden.startswith(b"<v>before:")
    assert hidden.endswith(b":behind</v>")
    assert b"****" in hidden
    assert len(hidden) < len(b"<v>before:****:behind</v>") + 20, "only borders of CDATA and filling are left"


def test_each_occurrence_is_masked_and_counted() -> None:
    raw = b"a=segredo-9&b=%73egredo-9&c=<x>segred&#111;-9</x>"
    assert masked(raw, {"segredo-9": 3}) == (b"a=****&b=****&c=<x>****</x>", True)
    assert masked(raw, {"segredo-9": 4})[1] is False


def test_what_is_not_there_is_said_to_be_missing() -> None:
    assert masked(b"abc", {"segredo-9": 1}) == (b"abc", False)
    assert masked(b"abc", {}) == (b"abc", True)


def test_a_short_secret_counts_only_as_a_whole_value() -> None:
    raw = b"<ramal>1231</ramal><senha>123</senha>&x=123 &y=4123"
    assert masked(raw, {"123": 1}) == (b"<ramal>1231</ramal><senha>****</senha>&x=**** &y=4123", True)


def test_a_secret_inside_another_is_masked_with_it() -> None:
    assert masked(b"<a>longa-senha-1</a><b>senha-1</b>", {"senha-1": 2, "longa-senha-1": 1}) == (
        b"<a>****</a><b>****</b>",
        True,
    )


def test_so_many_secrets_that_they_take_long_to_find_are_not_looked_for() -> None:
    secrets = {f"segredo-{n}": 1 for n in range(MOST + 1)}
    assert masked(b"segredo-1", secrets) == (b"segredo-1", False)


@pytest.mark.parametrize(
    "raw",
    [
        b"<!--" * 16_000,
        b"%41" * 22_000,
        b"1 " * 33_000,
        b"a" * 66_000,
        b"&#" * 33_000,
        b"]]>p" * 16_000,
        b"\\u" * 33_000,
    ],
)
def test_bytes_made_to_be_searched_slowly_are_not(raw: bytes) -> None:
    secrets = {"1": 1, "a" * 250 + "b": 1, "pppp": 1} | {f"segredo-{n}": 1 for n in range(MOST - 3)}
    assert loops(lambda: cpu_s(lambda: masked(raw, secrets)), most=100) < 100
