"""What the README and docs say is so: commands, settings, addresses, errors and adapters."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from pydantic import BaseModel

from gateway import adapter, errors, event_source
from gateway import source as sources
from gateway.cli.main import COMMANDS
from gateway.config import dial_plans, people
from gateway.config import loader as config_file
from gateway.config import tables as config
from gateway.config.forward_conditions import ForwardExample
from gateway.config.sources import EventSourceSettings, SourceSettings
from gateway.config.tables import Config
from gateway.domain.event_fields import FIELDS, EventField
from gateway.wire.http import Front
from gateway.wire.operations import OPERATIONS

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = {page.stem: page.read_text(encoding="utf-8") for page in (ROOT / "docs").glob("*.md")}
REFERENCE = PAGES["reference"]


def subclasses(root: type) -> list[type]:
    return [root, *(deeper for child in root.__subclasses__() for deeper in subclasses(child))]


def test_the_readme_counts_the_presets_rightly() -> None:
    files = [tomllib.loads(path.read_text("utf-8")) for path in (ROOT / "adapters/presets/catalogue").glob("*.toml")]
    dialling = sum("dial" in preset or "based_on" in preset for preset in files)
    assert f"There are {dialling} of them" in README
    assert f"{sum('webhook' in preset for preset in files)} presets, or a mapping" in README


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_is_in_the_reference_and_explains_itself(name: str) -> None:
    assert re.search(rf"^\| `{name}\b", REFERENCE, re.MULTILINE)
    shown = subprocess.run(
        [sys.executable, "-m", "gateway", name, "--help"], capture_output=True, text=True, timeout=60, check=True
    )
    assert "Usage: cti-gateway" in shown.stdout


@pytest.mark.parametrize(
    "model",
    [
        config.ServerSettings,
        config.Log,
        config.BranchSettings,
        people.TeamSettings,
        people.PrivacySettings,
        people.AuditSettings,
        config.TenantSettings,
        config.EventSettings,
        config.RetentionSettings,
        config.ListenerSettings,
        config.MissedSettings,
        config.OutcomeSettings,
        config.ClickToCall,
        config.CrmSettings,
        dial_plans.DialPlanSettings,
        dial_plans.DialRule,
        dial_plans.DialTest,
        config.ApplianceSettings,
        config.Forward,
        ForwardExample,
        config.DirectorySettings,
        SourceSettings,
        EventSourceSettings,
    ],
)
def test_every_setting_is_in_the_reference(model: type[BaseModel]) -> None:
    tables = {
        "branches",
        "teams",
        "privacy",
        "events",
        "retention",
        "listener",
        "pairing",
        "missed",
        "outcomes",
        "click_to_call",
        "crm",
        "dial_plan",
        "appliances",
        "forwards",
        "directory",
        "sources",
        "settings",
        "settings_by_kind",
        "late_settings",
    }
    for name in set(model.model_fields) - tables:
        assert f"`{name}`" in REFERENCE, f"{model.__name__}.{name}"


def test_every_field_of_an_event_is_documented_as_it_is() -> None:
    rows = [f"| `{name}` | {field.says} | {_holds(field)} |" for name, field in FIELDS.items()]
    table = "\n".join(["| field | is | holds |", "|---|---|---|", *rows])
    assert f"<!-- fields -->\n{table}\n<!-- /fields -->" in PAGES["forwards-targets"], table


def _holds(field: EventField) -> str:
    kinds = {"whole": "a number", "moment": "a time", "switch": "`true`, `false`", "names": "texts with spaces between"}
    kinds |= {"table": "a JSON object", "text": ", ".join(f"`{choice}`" for choice in field.choices)}
    return kinds[field.kind]


@pytest.mark.parametrize("name", adapter.names())
def test_every_adapter_and_its_settings_are_documented(name: str) -> None:
    assert re.search(rf"^\| `{name}` \|", PAGES["appliances"], re.MULTILINE)
    for setting in adapter.load(name).Config.__dataclass_fields__:
        assert f"`{setting}`" in PAGES["appliances"], setting


@pytest.mark.parametrize("name", sources.names())
def test_every_source_and_its_settings_are_documented(name: str) -> None:
    assert re.search(rf"^\| `{name}` \|", PAGES["directory"], re.MULTILINE), name
    for setting in sources.load(name).Config.__dataclass_fields__:
        assert f"`{setting}`" in PAGES["directory"] + PAGES["appliances"], setting


@pytest.mark.parametrize("kind", event_source.names())
def test_every_kind_of_event_source_and_its_settings_are_documented(kind: str) -> None:
    assert f'kind = "{kind}"' in PAGES["sources"]
    for setting in event_source.load(kind).Config.__dataclass_fields__:
        assert f"`{setting}`" in PAGES["sources"] + PAGES.get(kind, ""), setting


@pytest.mark.parametrize("error", subclasses(errors.GatewayError)[1:])
def test_every_error_code_is_in_the_reference_and_belongs_to_one_error(error: type[errors.GatewayError]) -> None:
    assert re.search(rf"^\|[ \d,]*\b{error.code}\b[ \d,]*\|", REFERENCE, re.MULTILINE), error.__name__
    assert [other for other in subclasses(errors.GatewayError) if other.code == error.code] == [error]


def test_every_machine_address_is_in_the_reference() -> None:
    front = Front(
        Config(),
        core=None,  # type: ignore[arg-type]
        verify_agent=lambda *_: None,
        desk=lambda *_: [],
        health=dict,
        metrics=lambda *_: [],
    )
    for path in {*front._routes, *front._plain}:
        assert f"`{path.rstrip('/')}`" in REFERENCE, path


@pytest.mark.parametrize("name", sorted(OPERATIONS))
def test_every_operation_and_parameter_is_documented(name: str) -> None:
    wires = PAGES["events"] + PAGES["click-to-call"]
    assert f"{name}(" in wires or f"`{name}`" in wires
    for parameter in OPERATIONS[name].names:
        assert f"`{parameter}`" in wires, parameter


def test_the_readme_is_a_front_page_that_leads_to_every_page() -> None:
    assert len(README.splitlines()) <= 250
    for name in PAGES:
        assert f"](docs/{name}.md" in README, name


def test_the_readme_s_commands_are_those_that_ci_runs() -> None:
    blocks = re.findall(r"<!-- (\w+) -->\n```sh\n(.+)\n```", README)
    assert [name for name, _ in blocks] == ["demo", "tests"]
    assert "readme_command tests" in (ROOT / ".ci" / "run").read_text()


@pytest.mark.parametrize("script", ["again", "check", "run", "sid"])
def test_no_script_pipes_into_a_program_that_stops_reading(script: str) -> None:
    """Under pipefail such a line fails whenever the writer is slower than the reader: it got SIGPIPE."""
    text = (ROOT / ".ci" / script).read_text(encoding="utf-8")
    assert not re.findall(r".*\|\s*(?:grep -\w*q|head\b).*", text)


def test_the_reference_says_each_command_and_table_once() -> None:
    rows = [line.split(" | ")[0] for line in (ROOT / "docs" / "reference.md").read_text("utf-8").splitlines()]
    named = [re.match(r"\| `(\[?[a-z]+[^` ]*)", row) for row in rows]
    names = [match[1] + row for match, row in zip(named, rows, strict=True) if match]
    assert sorted(names) == sorted(set(names))


def test_links_in_the_documentation_lead_somewhere() -> None:
    for page in (ROOT / "README.md", *(ROOT / "docs").rglob("*.md")):
        for target in re.findall(r"\]\((?!https?://)([^)#]+)\)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_the_changelog_has_an_unreleased_section() -> None:
    assert "## Unreleased" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["reverse-proxy", "security", "forwards-targets", "webhooks-out"])
def test_the_settings_that_a_page_advises_are_accepted(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("ACME_EVENTS_TOKEN", "ACME_CRM_TOKEN"):
        monkeypatch.setenv(variable, "segredo")
    monkeypatch.setenv("BITRIX_SECRET", "segredo")
    monkeypatch.setenv("ERP_WEBHOOK_SECRET", "whsec_" + "QUJD" * 8)
    blocks = re.findall(r"```toml\n(.+?)```", PAGES[name], re.DOTALL)
    assert blocks
    for block in blocks:
        config_file.parse(tomllib.loads(block), source=name)


def test_the_unit_that_the_page_shows_is_the_one_to_copy() -> None:
    sample = (ROOT / "deploy/systemd/cti-gateway.service").read_text(encoding="utf-8")
    unit = "".join(line for line in sample.splitlines(keepends=True) if not line.startswith("#"))
    assert f"```ini\n{unit}```" in PAGES["operation"]
