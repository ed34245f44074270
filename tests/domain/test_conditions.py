"""Conditions say which events a forward is told of; a mistake in one is found before an event comes."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.config.tables import EVENT_KINDS as CONFIGURED_KINDS
from gateway.domain.conditions import LONGEST, NAMES, condition
from gateway.domain.event_fields import EVENT_KINDS, FIELDS, SAMPLE

EVENT = {
    **dict.fromkeys(FIELDS, ""),
    "event": "call_ended",
    "direction": "incoming",
    "number_kind": "mobile",
    "ramal": "3501",
    "answered_by": "3501",
    "ring_s": "21",
    "missed": "false",
    "rang": "3501 3502",
    "fila": "Vendas",
    "fields": '{"cpf":"123"}',
    "started_at": "2026-03-05T17:20:31.123Z",
}

HOLD = [
    "direction == 'incoming' and kind != 'withheld'",
    'direction == "incoming"',
    "'incoming' == direction",
    "event == 'call_ended'",
    "kind in ['mobile', 'fixed']",
    "kind not in ('short', 'special')",
    "number_kind == 'mobile'",
    "not (direction == 'internal' or kind == 'short')",
    "ring_s > 20 and ring_s <= 21 and 20 < ring_s",
    "not talk_s > 0 and not talk_s < 1 and not talk_s == 0",
    "talk_s == '' and ring_s != ''",
    "not missed and missed == false and true",
    "'3502' in rang and '9' not in rang",
    "ramal in rang and ramal == answered_by",
    "fila and not linha and fila != ''",
    "fields['cpf'] == '123' and fields['no'] == ''",
    "fields != ''",
    "started_at > '2026-03-05' and started_at < '2026-03-06'",
    "ring_s > -1",
    "  ramal == '3501'  ",
]


@pytest.mark.parametrize("source", HOLD)
def test_holds_and_its_contrary_does_not(source):
    assert condition(source).holds(EVENT) is True
    assert condition(f"not ({source})").holds(EVENT) is False


REFUSED = [
    ("", "is no condition"),
    ("direction = 'incoming'", "compare with =="),
    ("direction == 'inbound'", "direction is never 'inbound', but incoming, outgoing, internal"),
    ("direction == 'incomming'", "did you mean 'incoming'?"),
    ("kind == 'call_started'", "the kind of event is called event"),
    ("kind in ['mobil']", "did you mean 'mobile'?"),
    ("directon == 'incoming'", "unknown name 'directon'; did you mean 'direction'?"),
    ("xyzzy", "unknown name 'xyzzy'; known: "),
    ("ramal == 3501", "ramal is a text, and 3501 is none: write texts with quotes"),
    ("ring_s > '20'", "ring_s is a number, and '20' is none"),
    ("missed == 'true'", "missed is true or false"),
    ("rang == '3501'", "rang is a list"),
    ("fields == 'x'", "fields has several texts"),
    ("ring_s", "ring_s is no yes or no"),
    ("'x'", "'x' is no yes or no"),
    ("ramal > 'a'", "ramal is no number and no time"),
    ("1 < ring_s < 5", "join them by and"),
    ("'a' in fila", "behind in stands a list"),
    ("ramal[0] == '3'", "in brackets stands the name of a free field"),
    ("ring_s == 1.5", "has no place in a condition"),
    ("ramal is '3501'", "has no place in a condition"),
    ("ramal.upper() == 'A'", "has no place in a condition"),
    ("__import__('os')", "has no place in a condition"),
    ("[x for x in rang]", "has no place in a condition"),
    ("lambda: 1", "has no place in a condition"),
    ("ring_s + 1 > 2", "has no place in a condition"),
    ("f'{ramal}' == '1'", "has no place in a condition"),
    ("(" * 400 + "missed" + ")" * 400, "is no condition"),
    ("a" * (LONGEST + 1), "at most 1000 characters"),
    ("missed\0", "is no condition"),
    ("ramal == -'a'", "has no place in a condition"),
    ("ring_s > -ring_s", "has no place in a condition"),
]


@pytest.mark.parametrize(("source", "told"), REFUSED, ids=[source[:30].replace("\0", "0") for source, _ in REFUSED])
def test_what_cannot_be_understood_is_refused_with_what_is_wrong(source, told):
    with pytest.raises(ValueError, match=re.escape(told)):
        condition(source)


def test_a_deep_condition_is_taken_up_to_the_limit():
    deep = "not " * 240 + "missed"
    assert condition(deep).holds(EVENT) is False


def test_a_condition_knows_which_fields_it_asks_for():
    assert condition("kind == 'mobile' and event == 'call_ended'").names == {"number_kind", "event"}


@pytest.mark.parametrize("fields", ["x", "[1]", '{"cpf": 1}', "[" * 100_000, "null"])
def test_what_is_no_table_of_texts_has_no_free_field(fields):
    assert condition("fields['cpf'] == ''").holds({**EVENT, "fields": fields}) is True


WORDS = st.sampled_from(
    [
        *NAMES,
        "true",
        "false",
        "and",
        "or",
        "not",
        "in",
        "==",
        "!=",
        "<",
        ">=",
        "(",
        ")",
        "[",
        "]",
        ",",
        "'a'",
        "7",
        "-1",
    ]
)


@given(st.one_of(st.text(max_size=60), st.lists(WORDS, max_size=12).map(" ".join)))
def test_no_text_is_more_than_refused_and_none_that_is_taken_stumbles_over_an_event(source):
    try:
        made = condition(source)
    except ValueError:
        return
    for fields in ({}, SAMPLE, dict.fromkeys(FIELDS, "x"), dict.fromkeys(FIELDS, "-7")):
        assert made.holds(fields) in (True, False)


def test_what_is_no_number_counts_as_not_known():
    assert condition("ring_s > 1").holds({**EVENT, "ring_s": "9" * 5000}) is False
    assert condition("ring_s == ''").holds({**EVENT, "ring_s": "x"}) is True


def test_an_event_without_a_field_is_one_of_which_it_is_not_known():
    assert condition("not account and talk_s == ''").holds({}) is True


def test_every_field_is_described_and_has_a_sample():
    assert set(SAMPLE) == set(FIELDS)
    assert all(field.says for field in FIELDS.values())
    assert len({field.key or name for name, field in FIELDS.items()}) == len(FIELDS), "two fields of one key"


def test_the_kinds_of_events_are_those_of_the_configuration():
    assert EVENT_KINDS == CONFIGURED_KINDS
