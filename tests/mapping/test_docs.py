"""docs/webhooks.md names every key of the language, and its tutorial works as it is written."""

import re
import tomllib
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from gateway.config import loader as config_file
from gateway.config.sources import SourceSettings
from gateway.mapping import schema
from gateway.mapping.bodies import WebhookRequest
from gateway.mapping.engine import interpret
from gateway.mapping.facts import MappingSource
from gateway.mapping.paths import ROOTS
from gateway.mapping.trials import trials

PAGE = (Path(__file__).parents[2] / "docs" / "webhooks.md").read_text(encoding="utf-8")
SECTIONS = {
    "The source": SourceSettings,
    "The mapping": schema.WebhookMapping,
    "Values": schema.MappedValue,
    "What an event is made of": schema.CallValues,
    "Rules for events": schema.EventRule,
    "Conditions": schema.MappingCondition,
    "Tests": schema.WebhookTrial,
}


def section(title: str) -> str:
    return re.split(r"\n##+ ", PAGE.partition(f"# {title}\n")[2])[0]


def block(mark: str) -> str:
    text = PAGE.partition(f"<!-- {mark} -->")[2].partition("```")[2].partition("\n")[2].partition("```")[0]
    return re.sub(r"(?m)^   ", "", text)


@pytest.mark.parametrize("title", SECTIONS)
def test_every_key_stands_in_its_table_and_no_other(title: str) -> None:
    rows = re.findall(r"^\| (`.+?`(?:, `.+?`)*) \|", section(title), re.MULTILINE)
    told = {key for row in rows for key in re.findall(r"`(\w+)`", row)}
    assert told == set(SECTIONS[title].model_fields)


def test_every_kind_and_beginning_of_a_path_is_there() -> None:
    assert set(re.findall(r"`(\w+)`", "".join(re.findall(r"^\| .*? \|", section("Kinds"), re.M)))) == set(schema.KINDS)
    for root in ROOTS:
        assert f"`{root}" in section("Paths")


def test_the_tutorial_s_mapping_makes_of_its_request_what_is_said() -> None:
    config = config_file.parse(tomllib.loads(block("mapping")), source="gateway.toml")
    mapping = config.tenants["default"].sources["cloud"].mapping
    assert mapping is not None
    made = interpret(mapping, WebhookRequest(block("ring.json").encode()), MappingSource(ZoneInfo("America/Sao_Paulo")))
    (event,) = made.events
    kind, *lines = block("made").rstrip().splitlines()
    told = dict(line.split()[:2] for line in lines)
    shown = event.shown()
    fields = {f"fields.{name}": text for name, text in shown.pop("fields").items()}
    assert kind == shown.pop("kind")
    assert {name: str(value) for name, value in (shown | fields).items()} == told


def test_the_tutorial_s_test_holds() -> None:
    raw = tomllib.loads(block("mapping") + block("trial"))
    mapping = config_file.parse(raw, source="gateway.toml").tenants["default"].sources["cloud"].mapping
    assert mapping is not None
    assert [failures for _name, failures in trials(mapping)] == [[]]


def test_all_examples_are_accepted() -> None:
    for text in re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL):
        raw = tomllib.loads(re.sub(r"(?m)^   ", "", text))
        table = raw["tenants"]["default"]["sources"]["cloud"]
        table["kind"] = "webhook"
        if "mapping" in table:
            table["mapping"].setdefault("other", "ignore")
        config_file.parse(raw, source="gateway.toml")
