"""The presets that are shipped: each does what the tests in its own file say, and can be set up as it says."""

import pickle
import re
import tomllib
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import pytest
from pydantic import TypeAdapter

from adapters.http.templates import FILTERS
from adapters.presets import language as preset_language
from adapters.presets import schema as preset_schema
from adapters.presets.adapter import PresetAdapter
from adapters.presets.files import Catalogue
from adapters.presets.language import RESERVED
from adapters.presets.settings import PresetConfig, config_class_of
from adapters.presets.trials import ScriptedPeer, failures
from gateway.adapter import Outgoing
from gateway.cli.preset_events import events_table
from gateway.cli.presets import example, table
from gateway.config import loader as config_file
from gateway.config.tables import ApplianceSettings
from gateway.domain.dialplan.plan import DialPlan, dial
from gateway.domain.numbering.numbers import Extensions, NumberPlan
from gateway.errors import AdapterError
from gateway.mapping.schema import MappingTable

CATALOGUE = Catalogue()
PRESETS = {name: CATALOGUE.preset(name) for name in CATALOGUE.names()}
SECRET = "c2VncmVkbyBkZSAzMiBieXRlcyBwYXJhIHRlc3RlczE="
"""Long enough for every kind of proof, and a key for those that want one in base64."""
DIALLING = [name for name, preset in PRESETS.items() if preset.dial]
TRIALS = [(name, trial) for name, preset in PRESETS.items() for trial in preset.tests]
DIALLED = [
    (name, trial)
    for name, trial in TRIALS
    if trial.outcome == "accepted" and trial.hang_up is None and trial.kept is None
]
APPLIANCES = (Path(__file__).parents[2] / "docs" / "appliances.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(("name", "trial"), TRIALS, ids=[f"{name}: {trial.name}" for name, trial in TRIALS])
def test_exactly_this_goes_out_and_this_comes_of_it(name, trial):
    assert failures(PRESETS[name], trial) == []


@pytest.mark.parametrize("name", DIALLING)
def test_every_preset_shows_a_success_and_a_failure(name):
    outcomes = {trial.outcome for trial in PRESETS[name].tests if trial.hang_up is None}
    assert "accepted" in outcomes
    assert len(outcomes) > 1


@pytest.mark.parametrize("name", PRESETS)
def test_what_hangs_up_is_shown_too(name):
    shown = any(trial.hang_up is not None for trial in PRESETS[name].tests)
    assert shown == bool(PRESETS[name].hangup)


@pytest.mark.parametrize(
    "name", [name for name, preset in PRESETS.items() if preset.session and preset.dial and preset.dial.expired]
)
def test_a_kept_login_that_is_over_is_shown_to_be_made_anew(name):
    accepted = [trial for trial in PRESETS[name].tests if trial.kept is not None and trial.outcome == "accepted"]
    assert any(len(trial.exchange) == len(PRESETS[name].login) + 2 for trial in accepted)


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_says_what_it_is_how_sure_that_is_and_from_where(name):
    preset = PRESETS[name]
    assert preset.title
    assert preset.verified.sources
    assert preset.verified.version or preset.verified.how != "run against"
    assert preset.verified.unknown or preset.verified.how in ("run against", "template")
    for parameter in preset.parameters.values():
        assert parameter.default is not None or parameter.example is not None, "what would one write there?"


@pytest.mark.parametrize("name", PRESETS)
def test_the_example_can_be_pasted_as_it_is(name, tmp_path):
    lines = list(example(name, PRESETS[name]))
    for line in lines:
        for wanted in re.findall(r'"file:([^"]+)"', line):
            (tmp_path / wanted).write_text(SECRET if wanted.endswith(".secret") else "s3nha")
    for text in ("\n".join(lines), "\n".join(line.removeprefix("# ") for line in lines)):
        loaded = config_file.parse(tomllib.loads(text), source="gateway.toml", base=tmp_path)
        if name in DIALLING and name != "generic-soap":  # its WSDL and its envelope exclude each other
            PresetAdapter(loaded.tenants["default"].appliances["pabx"].settings, name="pabx").close()


@pytest.mark.parametrize(("name", "trial"), DIALLED, ids=[f"{name}: {trial.name}" for name, trial in DIALLED])
def test_settings_reach_the_gateways_processes_through_a_pipe(name, trial):
    made = TypeAdapter(config_class_of(PRESETS[name])).validate_python(
        {"preset": name, **PRESETS[name].given, **trial.given}
    )
    received = pickle.loads(pickle.dumps(made))
    assert {each: getattr(received, each) for each in made.__dataclass_fields__} == {
        each: getattr(made, each) for each in made.__dataclass_fields__
    }
    assert received.chosen == made.chosen


@pytest.mark.parametrize(("name", "trial"), DIALLED, ids=[f"{name}: {trial.name}" for name, trial in DIALLED])
def test_a_dry_run_shows_what_goes_out(name, trial):
    """Byte for byte; what only an answer tells stands as __name__, and a hash of it as __md5__."""
    preset = PRESETS[name]
    settings = {"preset": name, **preset.given, **trial.given}
    made = TypeAdapter(config_class_of(preset)).validate_python(settings)
    peers = []

    def peer(config, *, name):
        peers.append(ScriptedPeer(config, name=name, script=trial.exchange))
        return peers[0]

    adapter = PresetAdapter(made, name="pabx", peer=peer)
    order = Outgoing("dial", trial.order.order_id, trial.order.model_dump())
    shown = [request.data for request in adapter.preview(order)]
    adapter.deliver(order)
    sent = peers[0].sent
    assert len(shown) >= len(sent)
    for preview, real in zip(shown, sent, strict=False):
        placeholders = rb"__[a-z0-9_]+__"
        if re.search(placeholders, preview):
            head = re.escape(re.sub(rb"(?i)content-length: \d+", b"Content-Length: 0", preview))
            pattern = re.sub(placeholders, lambda _: rb"[^\r\n]*", head)
            assert re.fullmatch(pattern, re.sub(rb"(?i)content-length: \d+", b"Content-Length: 0", real), re.DOTALL)
        else:
            assert preview == real
    adapter.close()


def test_the_readme_lists_every_preset_with_how_it_was_verified():
    block = APPLIANCES.partition("<!-- presets -->\n")[2].partition("<!-- presets end -->")[0].strip()
    wanted = "\n".join(table(PresetAdapter, list(PRESETS.items())))
    assert block == wanted, "put the output of 'cti-gateway presets --markdown' between the marks in docs/appliances.md"


def test_the_page_of_events_says_what_each_preset_tells():
    page = (Path(__file__).parents[2] / "docs" / "events.md").read_text(encoding="utf-8")
    block = page.partition("<!-- tellers -->\n")[2].partition("<!-- tellers end -->")[0].strip()
    wanted = "\n".join(events_table(PresetAdapter, list(PRESETS.items())))
    assert block == wanted, "put the output of 'cti-gateway presets --events --markdown' between the marks"


def test_no_parameter_can_hide_a_setting_of_the_gateway():
    settings = set(PresetConfig.__dataclass_fields__) | set(ApplianceSettings.model_fields)
    assert settings <= RESERVED


def test_numbers_and_extensions_as_the_dial_plan_gives_them_are_accepted_by_every_preset():
    plan, numbers = DialPlan("0"), NumberPlan("47", Extensions.guess())
    dialled = [dial(raw, plan, numbers).digits for raw in ("+5547999998888", "*21#", "3501")]
    for name, preset in PRESETS.items():
        for digits in dialled:
            pattern = preset.accepts.get("number")
            assert pattern is None or re.fullmatch(pattern, digits), name


HOSTILE = [
    *("1\r\nX: y", "1\n", "1\x00", "..", "1/../x", "1&a=b", "1 XML default"),
    *("1}{a=b", "1,2", "1'", '1"', "<1>", "\uff11", ""),
]


@pytest.mark.parametrize("field", ["extension", "number"])
@pytest.mark.parametrize("name", DIALLING)
def test_what_is_no_number_is_never_sent_by_any_preset(name, field):
    """Not even to a part of an appliance's own syntax, such as FreeSWITCH's spaces and braces."""
    preset = PRESETS[name]
    given = {"preset": name, **preset.given, **preset.tests[0].given}
    adapter = PresetAdapter(TypeAdapter(config_class_of(preset)).validate_python(given), name="pabx")
    order = {"extension": "2000", "number": "04799998888", "order_id": "17", "call_id": "18", "tenant": "acme"}
    for value in HOSTILE:
        with pytest.raises(AdapterError):
            adapter.preview(Outgoing("dial", "17", {**order, field: value}))
    adapter.close()


def test_the_reference_names_every_key_and_filter_of_the_language():
    text = (Path(__file__).parents[2] / "docs" / "presets.md").read_text(encoding="utf-8")
    parts = [
        each
        for each in (vars(preset_language) | vars(preset_schema)).values()
        if isinstance(each, type) and issubclass(each, preset_language.Part)
    ]
    for part in parts:
        for key, field in part.model_fields.items():
            assert f"`{field.alias or key}`" in text, f"{part.__name__}.{key}"
    for name in FILTERS:
        assert f"`{name}`" in text, name


SECTIONS = {
    "Reference": preset_schema.Preset,
    "Parameters": preset_schema.PresetParameter,
    "Origins": preset_schema.OriginField,
    "Steps": preset_language.PresetStep,
    "Kept logins": preset_schema.PresetSession,
    "Places and rules": preset_language.AnswerPlace,
    "Tests": preset_schema.PresetTrial,
    "Forwards": preset_schema.ForwardSteps,
    "Tests of a forward": preset_schema.ForwardTrial,
}
SHAPES = {"template": "text", "pattern": "text", "place": "table", "rules": "list", "of": "anything", "true": "bool"}
"""By the first word of what the reference says; other words stand for themselves."""


@pytest.mark.parametrize("title", SECTIONS)
def test_the_reference_says_the_shape_of_every_key_as_it_is(title):
    text = (Path(__file__).parents[2] / "docs" / "presets.md").read_text(encoding="utf-8")
    section = re.split(r"\n##+ ", text.partition(f"# {title}\n")[2])[0]
    rows = re.findall(r"^\| (`.+?`) \| (.+?) \| .* \|$", section, re.MULTILINE)
    told = {key: shape for keys, shape in rows for key in re.findall(r"`(\w+)`", keys)}
    shapes = {field.alias or name: shape_of(field.annotation) for name, field in SECTIONS[title].model_fields.items()}
    assert {key: shapes[key] for key in told} == {
        key: SHAPES.get(shape.split()[0], shape.split()[0]) for key, shape in told.items()
    }
    # These stand in the row of the key that they belong to.
    beside = {"envelope", "wsdl", "operation", "arguments", "soap_action", "soap_header", "method", "params"}
    assert shapes.keys() - told.keys() <= beside | {"content_type"}


def shape_of(annotation):
    inner = [each for each in get_args(annotation) if each is not type(None)]
    whole = get_origin(annotation)
    if whole in (Union, UnionType, Annotated):
        return shape_of(inner[0])
    if whole is tuple:
        return "list"
    if whole is dict or (isinstance(annotation, type) and issubclass(annotation, preset_language.Part | MappingTable)):
        return "table"
    if whole is Literal or annotation is str:
        return "text"
    return {bool: "bool", int: "integer", float: "number", Any: "anything"}[annotation]
