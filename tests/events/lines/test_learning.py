"""What is learnt of captured lines, and the page that teaches it, which is followed here."""

import re
import tomllib
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from click.testing import CliRunner

from gateway.cli.main import cli
from gateway.cli.mapping_tests import mapping_checks
from gateway.config.loader import load
from gateway.events.lines import catalogue
from gateway.events.lines.description import LineDescription
from gateway.events.lines.learning import Learnt, description_of, learn, ruler
from gateway.events.lines.trials import trials

PAGE = (Path(__file__).parents[3] / "docs" / "lines.md").read_text(encoding="utf-8")
NOW = 1_772_716_200_000
ZONE = ZoneInfo("America/Sao_Paulo")


def block(name: str) -> str:
    """Return the block of the page behind ``<!-- name -->``, without its indent."""
    found = re.search(rf"( *)<!-- {name} -->\n *```\w*\n(.*?)\n *```", PAGE, re.DOTALL)
    assert found, name
    return "\n".join(line.removeprefix(found[1]) for line in found[2].splitlines()) + "\n"


def learnt(text: str) -> Learnt:
    return learn(text.encode(), NOW, ZONE)


def named(text: str) -> dict[str, str]:
    return {column.field: column.where for column in learnt(text).columns if column.field}


def test_the_page_shows_what_the_command_prints(tmp_path: Path) -> None:
    captured = tmp_path / "captured.txt"
    captured.write_text(block("captured"))
    ran = CliRunner().invoke(cli, ["sources", "learn", str(captured)])
    assert ran.exit_code == 0, ran.output
    assert block("columns") in ran.output


def test_the_description_of_the_page_holds(tmp_path: Path) -> None:
    path = tmp_path / "gateway.toml"
    path.write_text(block("description"))
    config = load(path)
    assert config.tenants["default"].sources["pabx"].kind == "lines"
    raw = tomllib.loads(block("description"))["tenants"]["default"]["sources"]["pabx"]["description"]
    found = list(trials(catalogue.made(raw, "docs/lines.md")))
    assert [problems for _, problems in found] == [[]]


def test_every_preset_is_on_the_page() -> None:
    told = set(re.findall(r"`([a-z0-9-]+)`", PAGE)) | {"panasonic-smdr-c"}
    assert set(catalogue.names()) <= told


def test_the_page_names_every_table_of_the_description() -> None:
    rows = set(re.findall(r"^\| `([a-z_]+)` \|", PAGE, re.MULTILINE)) | {"together_ms", "based_on"}
    people = {"title", "vendor", "products", "verified", "setup"}
    assert set(LineDescription.model_fields) - people <= rows


def test_fixed_columns_are_found_where_nearly_all_lines_have_blanks() -> None:
    assert named(block("captured"))["number"] == "27-37"


def test_fields_between_separators_are_found() -> None:
    rows = "".join(
        f"05/03/2026;10:0{number}:00;in;20{number};11333344{number:02};{number};00:01:0{number};Ana Silva\n"
        for number in range(6)
    )
    assert learnt(rows).separator == ";"
    assert list(named(rows)) == ["date", "time", "way", "ext", "number", "ring", "talk", "caller_name"] or list(
        named(rows)
    ) == ["date", "time", "way", "ext", "number", "talk", "ring", "caller_name"]


@pytest.mark.parametrize(
    ("date", "order"), [("05/03/26", "dmy"), ("03/25/26", "mdy"), ("2026/03/05", "ymd"), ("25/03/26", "dmy")]
)
def test_the_order_of_a_date_is_what_it_can_be(date: str, order: str) -> None:
    made = description_of(learnt(f"{date} 10:03:22  201  1133334444  00:02:41\n" * 3))
    assert made["times"]["order"] == order


def test_a_guess_is_a_description() -> None:
    for text in (block("captured"), "05/03/2026;10:03:22;in;201;1133334444;12;161\n" * 4, "nothing at all\n"):
        raw = description_of(learnt(text))
        if text.startswith("nothing"):
            assert raw["lines"][-1] == {"columns": {}} or raw["lines"][-1]
            continue
        assert catalogue.made(raw, "guess").lines


def test_presets_that_understand_the_lines_are_named_best_first() -> None:
    lines = (Path(__file__).parents[2] / "recordings" / "lines" / "cdr_csv.csv").read_text()
    assert learnt(lines).fits[0].name == "asterisk-cdr-csv"
    assert learnt("nothing at all\n").fits == ()


def test_a_ruler_counts_from_1() -> None:
    tens, units, line = ruler(["0123456789ab"])
    assert units == "123456789012"
    assert tens[9:11] == "10"
    assert line == "0123456789ab"


def test_an_empty_file_and_a_wrong_zone_are_told(tmp_path: Path) -> None:
    empty = tmp_path / "empty.txt"
    empty.touch()
    assert "empty.txt" in CliRunner().invoke(cli, ["sources", "learn", str(empty)]).output
    ran = CliRunner().invoke(cli, ["sources", "learn", str(empty), "--timezone", "Marte"])
    assert ran.exit_code == 2
    assert "'Marte'" in ran.output


def test_check_runs_the_tests_of_a_description(tmp_path: Path) -> None:
    good = block("description")
    for text, holds in ((good, True), (good.replace("duration = 161", "duration = 162"), False)):
        (tmp_path / "gateway.toml").write_text(text)
        (checked,) = mapping_checks(load(tmp_path / "gateway.toml"))
        assert checked.good is holds
        assert "pabx" in checked.place


def test_presets_are_listed_and_their_tests_run(tmp_path: Path) -> None:
    ran = CliRunner().invoke(cli, ["sources", "lines"])
    assert ran.exit_code == 0
    assert "panasonic-smdr" in ran.output
    (tmp_path / "lines").mkdir()
    text = 'based_on = "generic-csv"\n[[tests]]\nname = "wrong"\nlines = ""\nevents = [{ kind = "ended" }]\n'
    (tmp_path / "lines" / "ours.toml").write_text(text)
    (tmp_path / "gateway.toml").write_text('[server]\npresets = "."\n[tenants.default]\n')
    config = ["--config", str(tmp_path / "gateway.toml")]
    ran = CliRunner().invoke(cli, ["sources", "lines", "ours", "--test", *config])
    assert ran.exit_code == 1
    assert "FAIL" in ran.output
