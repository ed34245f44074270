"""How numbers are read: the table beside this file, and what holds for any text at all."""

import re

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from gateway.domain.numbering.numbers import AREA_CODES, Extensions, NumberKind, NumberPlan, read
from gateway.domain.numbering.spreadsheet import cell
from gateway.domain.sentences import SENTENCES, step
from gateway.texts.languages import LANGUAGES, Language
from gateway.texts.rendering import render
from tests.domain.cases import table

ROWS = list(table("numbers.tsv", columns=8))
SAO_PAULO = NumberPlan("11")

areas = st.sampled_from(sorted(AREA_CODES))
plans = st.builds(
    NumberPlan,
    st.none() | areas,
    st.sampled_from(
        [
            Extensions.guess(),
            Extensions.parse(["3500-3599", "2xx"]),
            Extensions.parse(["/4[0-3][0-9]{2}/"]),
            Extensions.parse(["/0?[0-9]{4,9}/"]),
        ]
    ),
)
fixed = st.builds("{}{}".format, areas, st.from_regex(r"(?!400|300)[2-5][0-9]{7}", fullmatch=True))
mobiles = st.builds("{}{}".format, areas, st.from_regex(r"9[0-9]{8}", fullmatch=True))
special = st.from_regex(r"(?:400|300)[0-9]{5}|0(?:[358]00|303)[0-9]{6,7}", fullmatch=True)
foreign = st.sampled_from(["+12125551234", "+4798765432", "+351212345678", "+442079460018", "+39066982"])
numbers = fixed | mobiles | special
# What digits are written with, so that texts look like numbers more often than plain random ones do.
scribbles = st.text(st.sampled_from("0123456789+-(). *#xX/,;@<>ramal:"), max_size=24)
digits = st.text(st.sampled_from("0123456789"), max_size=18)
anything = st.text(max_size=40) | scribbles | digits | st.builds("+{}".format, digits)


def plan(area: str, extensions: str) -> NumberPlan:
    return NumberPlan(area or None, Extensions.parse(extensions.split()))


@pytest.mark.parametrize(
    ("raw", "area", "extensions", "kind", "national", "e164", "candidates", "collect"),
    ROWS,
    ids=[f"{row[0]!a} {row[1]} {row[2]}" for row in ROWS],
)
def test_a_number_is_read_as_the_table_says(
    raw: str, area: str, extensions: str, kind: str, national: str, e164: str, candidates: str, collect: str
) -> None:
    reading = read(raw, plan(area, extensions))

    assert (reading.kind, reading.national, reading.e164) == (kind, national, e164 or None)
    if " " not in national:
        assert reading.candidates == tuple(candidates.split())
    assert reading.collect == (collect == "collect")
    assert reading.input == raw
    assert reading.steps


def test_the_table_is_not_lost() -> None:
    assert len({tuple(row[:3]) for row in ROWS}) == len(ROWS) >= 1500
    assert len({read(row[0], plan(row[1], row[2])).national for row in ROWS}) >= 550


def test_the_table_knows_every_area_code_as_a_fixed_line_and_as_a_mobile() -> None:
    for kind in ("fixed", "mobile"):
        assert {row[4][:2] for row in ROWS if row[3] == kind} == AREA_CODES


def test_all_67_area_codes_exist_and_no_other() -> None:
    missing = {"20", "23", "25", "26", "29", "36", "39", "52", "56", "57", "58", "59", "72", "76", "78"}
    tens_and_zeros = {f"{tens}0" for tens in range(1, 10)} | {f"0{unit}" for unit in range(10)}

    assert len(AREA_CODES) == 67
    assert {f"{number:02}" for number in range(100)} - AREA_CODES == missing | tens_and_zeros


def test_every_number_explains_how_it_was_read() -> None:
    steps = read("+55 0xx15 11 8765-4321", SAO_PAULO).steps

    assert [step.rule for step in steps] == [
        "carrier-blank",
        "plus",
        "access",
        "trunk",
        "ninth-digit",
        "mobile",
    ]
    assert all(step.text.endswith(".") for step in steps)
    assert steps[3].text.startswith("Took off 015: the 0 of long-distance calls")
    assert render(steps[3].sentence, "pt-BR").startswith("Foi retirado 015: o 0 de longa distância")
    assert render(steps[3].sentence, "es").startswith("Se quitó 015: el 0 de larga distancia")


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_rule_has_a_whole_sentence_in_each_language(language: Language) -> None:
    for rule in SENTENCES:
        said = render(step(rule, "015").sentence, language)
        assert said.endswith("."), rule
        assert ("015" in said) == ("{about}" in SENTENCES[rule].id), rule


def test_every_sentence_about_reading_is_said_of_some_number_of_the_table() -> None:
    said = {step.rule for row in ROWS for step in read(row[0], plan(row[1], row[2])).steps}

    assert said == {rule for rule in SENTENCES if not rule.startswith("dial-")}


def test_a_text_of_a_megabyte_is_read_at_once() -> None:
    assert read("9" * 1_000_000, SAO_PAULO).kind is NumberKind.UNKNOWN
    assert read(" " * 1_000_000 + "11987654321", SAO_PAULO).kind is NumberKind.WITHHELD


@settings(deadline=None, max_examples=200)
@given(anything, plans)
@example("\ud800", SAO_PAULO)
@example("\x00", SAO_PAULO)
@example("sip:ana@10.0.0.1", SAO_PAULO)
def test_no_text_can_break_the_reading(raw: str, plan: NumberPlan) -> None:
    reading = read(raw, plan)

    assert reading.kind in NumberKind
    assert reading.national == "" or reading.candidates[0] == reading.national


@settings(deadline=None, max_examples=200)
@given(anything | numbers | foreign, plans)
@example("+999123456", SAO_PAULO)
@example("+047 98765432", SAO_PAULO)
@example("*98", SAO_PAULO)
@example("Ana\x00", SAO_PAULO)
def test_reading_what_was_read_changes_nothing(raw: str, plan: NumberPlan) -> None:
    national = read(raw, plan).national

    assert read(national, plan).national == national


@settings(deadline=None, max_examples=200)
@given(anything, plans)
def test_only_a_plus_or_00_can_lead_abroad(raw: str, plan: NumberPlan) -> None:
    reading = read(raw, plan)

    if reading.kind is NumberKind.FOREIGN:
        assert "+" in raw or "00" in re.sub(r"\D", "", raw)
        assert reading.e164
        assert not reading.e164.startswith("+55")


@settings(deadline=None, max_examples=200)
@given(numbers, st.data())
def test_spaces_dots_brackets_and_dashes_do_not_matter(number: str, data: st.DataObject) -> None:
    noise = st.text(st.sampled_from(" .-()\u00a0\t"), max_size=2)
    noisy = "".join(data.draw(noise) + digit for digit in number) + data.draw(noise)
    assume(cell(noisy.strip()) is None)  # 4000000.0 is no number with a dot in it

    assert read(noisy, SAO_PAULO).national == number


@settings(deadline=None, max_examples=200)
@given(
    fixed | mobiles,
    st.from_regex(r"(?:55|055|\+55|0055|00[1-9][0-9]55)?(?:0(?:[1-9][0-9])?)?", fullmatch=True),
)
def test_country_trunk_and_operator_codes_are_taken_off(number: str, head: str) -> None:
    assert read(head + number, SAO_PAULO).national == number


# Everything that may stand before area code and number, in one another's company, and around both.
heads = st.from_regex(
    r"(?:\+|00|00[1-9][0-9]|0)?(?:55 ?){1,2}(?:0(?:xx|XX|\*\*)? ?(?:[1-9][0-9])?)?"
    r"|0(?:xx|XX|\*\*)? ?|0[1-9][0-9]|(?:\+55)?90(?:[1-9][0-9])?",
    fullmatch=True,
)
shells = st.sampled_from(
    ["{}", "sip:{}@10.0.0.1:5060", '"Ana 2" <sip:{}@pbx>;tag=9f', "tel:{};ext=12", "SIP/tronco/{}", "Ana <{}>", "[{}]"]
) | st.sampled_from(
    ["{} ramal 23", "Ana: {}", "{} - Ana (2)", "'{}", '="{}"', "{}#", "\u202a{}\u202c", "{} / 3210-0123"]
)


@settings(deadline=None, max_examples=200)
@given(fixed | mobiles, heads, shells, areas)
@example("1134567890", "+55 0XX 15", "{}", "11")
@example("1120000000", "0010550xx 10", "{} - Ana (2)", "11")
def test_equal_numbers_have_equal_forms_however_they_are_written(number: str, head: str, shell: str, own: str) -> None:
    plain = read(number, NumberPlan(own))
    written = read(shell.format(head + number), NumberPlan(own))

    assert (written.kind, written.national, written.e164) == (plain.kind, number, "+55" + number)


@settings(deadline=None, max_examples=200)
@given(
    areas,
    st.from_regex(r"(?!400|300)[2-5][0-9]{7}|9?[6-9][0-9]{7}", fullmatch=True),
    st.sampled_from(["", "0", "9090"]),
)
def test_a_local_number_is_the_complete_one_of_its_own_area(area: str, number: str, head: str) -> None:
    local, whole = read(head + number, NumberPlan(area)), read(area + number, NumberPlan(None))

    assert (local.kind, local.national, local.e164) == (whole.kind, whole.national, whole.e164)


@settings(deadline=None, max_examples=200)
@given(special, areas, st.sampled_from(["", "0", "55", "+55", "0055", "{}", "0{}", "55{}", "+55{}", "021{}"]))
def test_a_special_number_is_found_behind_whatever_was_added_to_it(number: str, area: str, head: str) -> None:
    assert read(head.format(area) + number, SAO_PAULO).national == number


@settings(deadline=None, max_examples=200)
@given(fixed | mobiles, heads)
def test_a_brazilian_number_is_never_taken_for_a_foreign_one(number: str, head: str) -> None:
    for text in (head + number, head + number[:-1], head + number + "1"):
        if "+" not in text and "00" not in text:
            assert read(text, SAO_PAULO).kind is not NumberKind.FOREIGN


@settings(deadline=None, max_examples=200)
@given(fixed | mobiles, st.from_regex(r"90(?:[1-9][0-9])?", fullmatch=True))
def test_a_collect_call_is_marked_and_its_number_found(number: str, head: str) -> None:
    reading = read(head + number, SAO_PAULO)

    assert (reading.national, reading.collect) == (number, True)


@settings(deadline=None, max_examples=200)
@given(areas, st.from_regex(r"[6-9][0-9]{7}", fullmatch=True))
def test_a_mobile_is_the_same_with_and_without_its_ninth_digit(area: str, number: str) -> None:
    plan = NumberPlan("47")
    long, short = read(f"{area}9{number}", plan), read(area + number, plan)

    assert short.national == long.national == f"{area}9{number}"
    assert set(long.candidates) == {area + number, f"{area}9{number}"} <= set(short.candidates)


@settings(deadline=None, max_examples=200)
@given(numbers | foreign)
def test_the_international_form_reads_as_the_same_number(number: str) -> None:
    reading = read(number, SAO_PAULO)

    assert reading.e164 is not None
    assert read(reading.e164, SAO_PAULO).national == reading.national


@settings(deadline=None, max_examples=200)
@given(st.from_regex(r"[0-9]{2}", fullmatch=True).filter(lambda area: area not in AREA_CODES), digits)
def test_no_number_is_found_in_an_area_that_does_not_exist(area: str, rest: str) -> None:
    reading = read(area + rest, NumberPlan(None))

    if reading.kind in (NumberKind.FIXED, NumberKind.MOBILE):
        assert reading.national[:2] in AREA_CODES


@pytest.mark.parametrize(
    ("texts", "yes", "no"),
    [
        (["3500-3599"], ["3500", "3542", "3599"], ["3499", "3600", "35", "35000"]),
        (["0100 - 0199"], ["0100", "0150"], ["100", "0200"]),
        (["2xx"], ["200", "299"], ["20", "2000", "300"]),
        (["2XX", "201", " 7 "], ["255", "201", "7"], ["8"]),
        (["2x0"], ["200", "290"], ["201", "20", "2000"]),
        (["/[45]0{2,3}/"], ["400", "5000"], ["40", "50000"]),
        ([], ["12", "3501", "10215"], ["1", "190", "10315", "00", "0012", "123456", ""]),
    ],
)
def test_extensions_are_listed_as_numbers_ranges_wildcards_or_regular_expressions(
    texts: list[str], yes: list[str], no: list[str]
) -> None:
    extensions = Extensions.parse(texts)

    assert all(extensions.matches(digits) for digits in yes)
    assert not any(extensions.matches(digits) for digits in no)
    assert hash(extensions) == hash(Extensions.parse(texts))


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (["35-"], "Extension pattern '35-' is not understood: expected digits (201), a range (3500-3599)"),
        ([""], "Extension pattern '' is not understood"),
        (["ramal"], "Extension pattern 'ramal' is not understood"),
        (["/[/"], "Extension pattern '/[/' is no regular expression"),
        (["3500-99"], "Extension range '3500-99' has ends of 4 and 2 digits"),
        (["3599-3500"], "Extension range '3599-3500' runs backwards: expected 3500-3599."),
        ("3500", "Extensions came as the one text '3500': expected a list of texts."),
    ],
)
def test_a_bad_extension_pattern_says_what_came_and_what_is_expected(texts: list[str], message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        Extensions.parse(texts)


def test_an_area_code_that_does_not_exist_cannot_be_configured() -> None:
    with pytest.raises(ValueError, match="Area code '10' does not exist"):
        NumberPlan("10")


@pytest.mark.parametrize(
    ("text", "kind", "national"),
    [
        ("0047190", NumberKind.SHORT, "190"),
        ("047190", NumberKind.SHORT, "190"),
        ("0010190", NumberKind.SHORT, "10190"),
        ("0036190", NumberKind.UNKNOWN, "0036190"),
        ("47 3210 tel 0123", NumberKind.FIXED, "4732100123"),
        ("4732a100123", NumberKind.UNKNOWN, "4732a100123"),
        ("47999998888", NumberKind.MOBILE, "47999998888"),
        ("36999998888", NumberKind.UNKNOWN, "36999998888"),
    ],
)
def test_words_between_digits_and_heads_of_services_are_read(text: str, kind: NumberKind, national: str) -> None:
    reading = read(text, plan("47", "3500-3599"))
    assert (reading.kind, reading.national) == (kind, national)
