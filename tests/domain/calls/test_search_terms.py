"""What a search finds, and that an index by tokens leads to all of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from gateway.domain.calls import search_terms
from gateway.domain.calls.search_terms import (
    Field,
    Term,
    digits_of,
    folded,
    line_of,
    matcher,
    matches,
    rules_out,
    term_of,
    tokens_of_lines,
    tokens_of_term,
)

CALL = (
    *line_of(Field.NUMBER, "47999998888"),
    *line_of(Field.NAME, "Padaria São João Ltda."),
    *line_of(Field.CODE, "12.345.678/0001-95"),
    *line_of(Field.WHO, "3501"),
    *line_of(Field.QUEUE, "Vendas"),
    *line_of(Field.NOTE, "Pediu o contrato (ref. 2026-17) até sexta"),
)


@pytest.mark.parametrize(
    ("field", "text"),
    [
        (Field.ANY, "padaria"),
        (Field.ANY, "SAO JOAO"),
        (Field.ANY, "daria s"),
        (Field.ANY, "jo"),
        (Field.ANY, "99999"),
        (Field.ANY, "(47) 99999"),
        (Field.ANY, "47"),
        (Field.ANY, "8888"),
        (Field.ENDING, "8888"),
        (Field.ENDING, "98888"),
        (Field.NUMBER, "9999-8888"),
        (Field.CODE, "12345678"),
        (Field.CODE, "678/0001"),
        (Field.NOTE, "2026-17) ate"),
        (Field.WHO, "3501"),
        (Field.QUEUE, "vend"),
    ],
)
def test_found(field: Field, text: str) -> None:
    term = term_of(field, text)
    assert term
    assert matches(term, CALL)
    assert tokens_of_term(term) <= tokens_of_lines(CALL)


@pytest.mark.parametrize(
    ("field", "text"),
    [
        (Field.ANY, "padoca"),
        (Field.ANY, "oa"),  # two letters are the beginning of a word
        (Field.NAME, "8888"),
        (Field.ENDING, "9999"),
        (Field.ENDING, "sexta"),
        (Field.NUMBER, "3501"),
        (Field.QUEUE, "padaria"),
    ],
)
def test_not_found(field: Field, text: str) -> None:
    term = term_of(field, text)
    assert term
    assert not matches(term, CALL)


def test_digits_of_a_code_are_looked_for_as_those_of_a_number() -> None:
    """Four of them lead to far fewer calls than three characters do."""
    term = term_of(Field.CODE, "C00123")
    assert term
    assert tokens_of_term(term) >= {"c00", "0012", "0123"}


def test_case_and_accents_count_for_nothing() -> None:
    assert folded("Ação ÇÃÑ ß") == "acao can ss"
    assert digits_of("+55 (47) 3210-0123") == "554732100123"
    assert digits_of("loja 12") == ""


LETTERS = some.characters(exclude_categories=("Cs",))
TEXTS = some.text(alphabet=some.one_of(some.sampled_from("abé çß 0123456789()-+./_'Ω"), LETTERS), max_size=40)
FIELDS = some.sampled_from(list(Field))


@given(text=TEXTS, field=FIELDS, start=some.integers(0, 39), size=some.integers(1, 20), asked=FIELDS)
def test_an_index_leads_to_all_that_matches(text: str, field: Field, start: int, size: int, asked: Field) -> None:
    lines = line_of(field, text)
    for wanted in (text[start : start + size], folded(text)[start : start + size], digits_of(text)[start:]):
        term = term_of(asked, wanted)
        if term and matches(term, lines):
            assert tokens_of_term(term) <= tokens_of_lines(lines), term


@given(text=TEXTS, others=some.lists(TEXTS, max_size=3), field=FIELDS, start=some.integers(0, 39), asked=FIELDS)
def test_what_matches_is_not_ruled_out(text: str, others: list[str], field: Field, start: int, asked: Field) -> None:
    texts = [*others[:1], text, *others[1:]]
    lines = [line for each in texts for line in line_of(field, each)]
    for size in (1, 2, 3, 8):
        for wanted in (text[start : start + size], folded(text)[start : start + size], digits_of(text)[start:][:size]):
            term = term_of(asked, wanted)
            if term and matches(term, lines):
                assert not rules_out([term])("\n".join(texts)), term


def test_what_surely_does_not_match_is_ruled_out() -> None:
    texts = "Padaria São João 47\n(47) 3210-0123\nC00123"
    for word in ("joao", "s", "4", "c0"):
        assert not rules_out([Term(Field.ANY, word)])(texts)
    for word in ("joana", "x", "1", "õ"):
        assert rules_out([Term(Field.ANY, word)])(texts)


@given(text=TEXTS, start=some.integers(0, 39), size=some.integers(3, 20))
def test_any_part_of_three_letters_is_found(text: str, start: int, size: int) -> None:
    part = folded(text)[start : start + size]
    if len(part) >= 3 and not digits_of(part):
        assert matches(Term(Field.ANY, part), line_of(Field.NAME, text))


def test_what_a_term_tells_is_found_out_once_for_many_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    monkeypatch.setattr(search_terms, "digits_of", lambda text: read.append(text) or "")
    says = matcher(Term(Field.ANY, "padaria"))
    assert [says(CALL), says(()), says(CALL)] == [True, False, True]
    assert read == ["padaria"]
