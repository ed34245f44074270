"""The shipped presets of lines, and what a description may say."""

import csv
from io import StringIO
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from gateway.errors import ConfigError
from gateway.events.lines import catalogue
from gateway.events.lines.interpreting import LineInterpreter
from gateway.events.lines.trials import ReadText, read_text, trials
from gateway.mapping.facts import MappingSource
from gateway.texts.rendering import render

RECORDED = Path(__file__).parents[2] / "recordings" / "lines"
NAMES = catalogue.names()
NOW = 1_796_050_000_000
WANTED = """panasonic-smdr hipath openscape-business-cdr avaya-ip-office definity mitel-3300 nec-sl norstar toshiba-ctx
 samsung ipecs alcatel-oxo cisco-cucm-cdr 3cx-cdr innovaphone-cdr audiocodes-syslog asterisk-cdr-csv asterisk-cdr-custom
 freeswitch-csv generic-csv generic-fixed generic-regex"""


@pytest.mark.parametrize("name", NAMES)
def test_what_stands_in_its_tests_holds(name: str) -> None:
    description = catalogue.description(name)
    assert description.tests
    assert [(test, problem) for test, problems in trials(description) for problem in problems] == []


@pytest.mark.parametrize("name", NAMES)
def test_it_says_how_sure_it_is(name: str) -> None:
    found = catalogue.description(name)
    assert found.title
    assert found.verified is not None
    recorded = name.startswith("asterisk-")
    assert (found.verified.how == "recorded") == recorded
    assert recorded or found.verified.unknown or found.verified.how == "template"


def test_all_that_were_promised_are_there() -> None:
    assert set(WANTED.split()) <= set(NAMES)


def read(name: str, data: bytes) -> ReadText:
    description = catalogue.description(name)
    interpreter = LineInterpreter(description, MappingSource(ZoneInfo("UTC")))
    return read_text(description, data, interpreter, NOW)


def test_every_line_of_the_recorded_cdr_csv_is_understood() -> None:
    data = (RECORDED / "cdr_csv.csv").read_bytes()
    made = read("asterisk-cdr-csv", data)
    assert made.unread == ()
    rows = list(csv.reader(StringIO(data.decode())))
    events = {told.event.id: told.event for told in made.events}
    assert len(made.events) == len(events), "one event for each uniqueid"
    assert set(events) == {row[16] for row in rows}
    answered = {row[16] for row in rows if row[14] == "ANSWERED" and int(row[13])}
    assert {name for name, event in events.items() if event.duration} == answered
    assert events["1796007116.0"].extension == "3501"
    assert events["1796007120.3"].result == "BUSY"


def test_every_line_of_the_recorded_cdr_custom_is_understood() -> None:
    data = (RECORDED / "cdr_custom.csv").read_bytes()
    made = read("asterisk-cdr-custom", data)
    assert made.unread == ()
    rows = list(csv.reader(StringIO(data.decode())))
    assert {told.event.id for told in made.events} == {row[12] for row in rows}


def test_a_description_of_ones_own_is_laid_over_a_preset(tmp_path: Path) -> None:
    (tmp_path / "lines").mkdir()
    own = tmp_path / "lines" / "ours.toml"
    own.write_text(
        'based_on = "generic-csv"\n[[lines]]\nnames = ["ext", "number", "way", "date", "time", "duration"]\n'
    )
    own.write_text(own.read_text() + 'separator = ";"\n[times]\nring = []\n[call]\ncaller_name = { value = "x" }\n')
    description = catalogue.description("ours", tmp_path)
    interpreter = LineInterpreter(description, MappingSource(ZoneInfo("UTC")))
    made = read_text(description, b"201;1133334444;in;05/03/2026;10:03:22;161\n", interpreter, NOW)
    assert [told.event.duration for told in made.events] == [161]
    assert "ours" in catalogue.names(tmp_path)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("lines = []", "lines"),
        ("[[lines]]\ncolumns = { ext = '22-18' }", "expected columns counted from 1"),
        ("[[lines]]\ncolumns = { ext = 'x' }", "expected columns counted from 1"),
        ("[[lines]]\npattern = '('", "is no pattern"),
        ("[[lines]]\npattern = 'a'\nnames = ['b']", "needs one of columns, names, pattern"),
        ("[[lines]]\nname = 'x'", "needs one of columns, names, pattern"),
        ("[[lines]]\nnames = ['ext']\n[times]\nat = ['dat']", "no line has a field 'dat'"),
        ("[[lines]]\nnames = ['e x']", "is no field's name"),
        ("[[lines]]\nnames = ['ext']\n[framing]\ncharsets = 'utf-9'", "is no character set"),
        ("[[lines]]\nnmes = ['ext']", "Did you mean 'names'?"),
        ("based_on = 'panasonic'\n", "Did you mean 'panasonic-smdr'?"),
        ("= 3", "is not TOML"),
    ],
)
def test_a_mistake_is_told_with_its_place(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "own.toml"
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        catalogue.read(path)
    assert told in render(caught.value.whole, "en")
