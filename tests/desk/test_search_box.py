"""The search box: what it understands, in three languages, and that no text is an error."""

from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as some

from gateway.desk.formats import day_start
from gateway.desk.search_box import LONGEST, SearchReader
from gateway.domain.calls.search_terms import Field, Term
from gateway.store.calls import CallFilter
from gateway.texts.languages import Language
from gateway.texts.rendering import shown

ZONE = ZoneInfo("America/Sao_Paulo")
TODAY = date(2026, 11, 30)  # a Monday


def read(line: str, language: Language = "pt-BR") -> CallFilter:
    return SearchReader(ZONE, TODAY, language).understand(line).narrowed(CallFilter())


def between(first: date, last: date) -> dict[str, Any]:
    return {"since": day_start(first, ZONE), "until": day_start(last, ZONE, after=1)}


def any_of(*texts: str) -> dict[str, Any]:
    return {"terms": tuple(Term(Field.ANY, text) for text in texts)}


NOVEMBER = {day: date(2026, 11, day) for day in range(1, 31)}


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("", {}),
        ("Padaria São", any_of("padaria", "sao")),
        ('"são joão"', any_of("sao joao")),
        ("(47) 99999-8888", any_of("(47) 99999-8888")),
        ("+55 47 99999-8888", any_of("47 99999-8888")),
        ("04799998888", any_of("4799998888")),
        ("3501", any_of("3501")),
        ("*8888", {"terms": (Term(Field.ENDING, "8888"),)}),
        ("…8888", {"terms": (Term(Field.ENDING, "8888"),)}),
        ("final:88-88", {"terms": (Term(Field.ENDING, "8888"),)}),
        ("fila:Vendas", {"terms": (Term(Field.QUEUE, "vendas"),)}),
        ('cola:"Ventas Sur"', {"terms": (Term(Field.QUEUE, "ventas sur"),)}),
        ("Código:C-17", {"terms": (Term(Field.CODE, "c-17"),)}),
        ("quem:ana ramal:3501", {"terms": (Term(Field.WHO, "ana"),), "extension": "3501"}),
        ("perdidas", {"missed": True}),
        ("resultado:perdida", {"missed": True}),
        ("result:missed", {"missed": True}),
        ("resultado:nao_atendida", {"results": ("missed",)}),
        ('resultado:"Não atendida"', {"results": ("missed",)}),
        ("resultado:ocupado", {"results": ("busy",)}),
        ("result:voicemail", {"results": ("voicemail",)}),
        ("situacao:perdida", {"statuses": ("missed",)}),
        ("status:ended", {"statuses": ("ended",)}),
        ("sentido:saída", {"direction": "outgoing"}),
        ("direction:in", {"direction": "incoming"}),
        ("ontem", between(NOVEMBER[29], NOVEMBER[29])),
        ("yesterday", between(NOVEMBER[29], NOVEMBER[29])),
        ("ayer", between(NOVEMBER[29], NOVEMBER[29])),
        ("anteontem", between(NOVEMBER[28], NOVEMBER[28])),
        ("12/11", between(NOVEMBER[12], NOVEMBER[12])),
        ("1/12", between(date(2025, 12, 1), date(2025, 12, 1))),  # that of this year has not been yet
        ("12/11/25", between(date(2025, 11, 12), date(2025, 11, 12))),
        ("2026-11-12", between(NOVEMBER[12], NOVEMBER[12])),
        ("12/11-10/11", between(NOVEMBER[10], NOVEMBER[12])),
        ("2026-11-10..2026-11-12", between(NOVEMBER[10], NOVEMBER[12])),
        ("dia:semana", between(NOVEMBER[30], NOVEMBER[30])),
        ('dia:"semana passada"', between(NOVEMBER[23], NOVEMBER[29])),
        ("dia:mês", between(NOVEMBER[1], NOVEMBER[30])),
        ('dia:"mes passado"', between(date(2026, 10, 1), date(2026, 10, 31))),
        ("desde:1/11", {"since": day_start(NOVEMBER[1], ZONE)}),
        ("até:ontem", {"until": day_start(NOVEMBER[30], ZONE)}),
        ("semana", any_of("semana")),
        ('"ontem"', any_of("ontem")),
        ("31/02", any_of("31/02")),
        ("http://x:80", any_of("http://x:80")),
        ("outro:valor", any_of("outro:valor")),
        ("silva ontem fila:vendas", {"terms": (Term(Field.ANY, "silva"), Term(Field.QUEUE, "vendas"))}
         | between(NOVEMBER[29], NOVEMBER[29])),
    ],
)  # fmt: skip
def test_what_a_line_says(line: str, wanted: dict[str, Any]) -> None:
    assert read(line) == CallFilter(**wanted)


def test_in_english_the_month_comes_first() -> None:
    assert read("11/12", "en") == CallFilter(**between(NOVEMBER[12], NOVEMBER[12]))


@pytest.mark.parametrize("line", ["resultado:talvez", "dia:jamais", "sentido:norte", "situacao:x", "desde:y", "fila:"])
def test_a_value_that_is_none_is_shown_as_not_understood(line: str) -> None:
    (part,) = SearchReader(ZONE, TODAY, "pt-BR").understand(line).parts
    assert part.wanted == {}
    assert part.source == line


def test_each_part_can_be_taken_away() -> None:
    understood = SearchReader(ZONE, TODAY, "pt-BR").understand('silva  fila:"Vendas Sul" (47) 3210-0123 ontem')
    rest = [understood.without(part) for part in understood.parts]
    assert rest == [
        'fila:"Vendas Sul" (47) 3210-0123 ontem',
        "silva (47) 3210-0123 ontem",
        'silva fila:"Vendas Sul" ontem',
        'silva fila:"Vendas Sul" (47) 3210-0123',
    ]
    said = [f"{shown(part.name, 'pt-BR')}: {shown(part.value, 'pt-BR')}" for part in understood.parts]
    assert said == ["Texto: silva", "Fila: Vendas Sul", "Texto: (47) 3210-0123", "Dia: 29/11/2026"]


@given(some.text(max_size=LONGEST + 20) | some.from_regex(r'([a-z]{0,9}:?"?[0-9()/+ .-]{0,12}"?[ \t]?){0,6}'))
def test_any_text_is_a_filter(line: str) -> None:
    for language in ("pt-BR", "en", "es"):
        understood = SearchReader(ZONE, TODAY, language).understand(line)  # type: ignore[arg-type]
        understood.narrowed(CallFilter())
        again = SearchReader(ZONE, TODAY, language).understand(" ".join(part.source for part in understood.parts))  # type: ignore[arg-type]
        assert [part.wanted for part in again.parts] == [part.wanted for part in understood.parts]
