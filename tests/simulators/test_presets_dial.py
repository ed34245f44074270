"""Each shipped preset that has a simulator dials on it over HTTP, and each failure comes to its outcome.

The settings are those that ``simulate`` prints; the preset and the simulator know nothing of each other.
"""

import re
import tomllib
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from gateway.adapter import Outcome, Outgoing, load
from gateway.simulators import FAMILIES, SIMULATORS, Behaviour

PEM = Path(__file__).parents[1] / "adapters" / "localhost.pem"
ORDER = Outgoing(
    "dial",
    "17",
    {"extension": "3501", "number": "04799998888", "order_id": "17", "call_id": "18", "tenant": "acme"},
)
PRESET = load("preset")
HTTPS_ONLY = {"cisco-webdialer", "cisco-webdialer-15su5", "avaya-aes", "sippy", "grandstream-ucm"}
HTTPS_ONLY |= {"yeastar-s", "yeastar-p", "3cx-v20", "wazo", "broadworks", "openscape-business"}
HTTPS_ONLY |= {"evolux", "totalvoice", "nvoip", "api4com", "3cplus", "sipgate"}
HTTPS_ONLY |= {"twilio", "zadarma"}
ADAPTERS_OWN = {*SIMULATORS, "asterisk-manager"}
"""The simulators that an adapter dials on without a preset; test_asterisk_manager.py has the cases of the latter."""
LINES = (Path(__file__).with_name("outcomes.tsv")).read_text(encoding="utf-8").splitlines()
CASES = [tuple(re.split(r"\t+", line)) for line in LINES if line and not line.startswith("#")]


def simulator_of(preset):
    """The simulator that stands for a preset's appliance: several presets may dial on one."""
    return FAMILIES[max((name for name in FAMILIES if preset.startswith(name)), key=len)]


@contextmanager
def simulated(preset, **behaviour):
    certificate = PEM if preset in HTTPS_ONLY else None
    appliance = simulator_of(preset)(behaviour=Behaviour(**behaviour), certificate=certificate).start()
    try:
        yield appliance
    finally:
        appliance.stop()


@contextmanager
def dialling(preset, appliance, given="-"):
    """The preset's adapter with the settings that the simulator proposes, and ``given`` over them."""
    more = {} if given == "-" else tomllib.loads(f"given = {{ {given} }}")["given"]
    table = {**appliance.tables()[preset], "connect_timeout_s": 5.0, "timeout_s": 10.0, **more}
    config = TypeAdapter(PRESET.config_for(table, None)).validate_python(table)
    with closing(PRESET(config, name="simulada")) as made:
        yield made


@pytest.mark.parametrize(("preset", "given", "failure", "outcome", "taken"), CASES)
def test_each_behaviour_comes_to_its_outcome(preset, given, failure, outcome, taken):
    fail = "" if failure == "-" else failure
    with simulated(preset, fail=fail) as appliance, dialling(preset, appliance, given) as adapter:
        delivery = adapter.deliver(ORDER)
        assert (delivery.outcome, len(appliance.received)) == (Outcome(outcome), int(taken == "yes")), delivery.detail
        if taken == "yes":
            assert appliance.received[0].number.endswith("04799998888")


PRESETS = sorted({case[0] for case in CASES})


@pytest.mark.parametrize("preset", PRESETS)
def test_an_order_that_was_taken_and_not_answered_is_unknown(preset):
    with simulated(preset, drop=True) as appliance, dialling(preset, appliance) as adapter:
        assert adapter.deliver(ORDER).outcome is Outcome.UNKNOWN
        # innovaphone makes the call with the Poll that never came.
        assert len(appliance.received) == (preset != "innovaphone")


@pytest.mark.parametrize("preset", PRESETS)
def test_a_simulator_that_has_stopped_is_unreachable(preset):
    with simulated(preset) as appliance, dialling(preset, appliance) as adapter:
        appliance.stop()
        assert adapter.deliver(ORDER).outcome is Outcome.UNREACHABLE


@pytest.mark.parametrize("preset", PRESETS)
def test_a_check_rings_nobody(preset):
    with simulated(preset) as appliance, dialling(preset, appliance) as adapter:
        probe = adapter.probe()
        assert probe.ok, probe
        assert appliance.received == []


@pytest.mark.parametrize("name", [name for name in FAMILIES if name not in ADAPTERS_OWN])
def test_every_simulator_has_a_preset_and_every_failure_a_case(name):
    presets = {preset for preset in PRESETS if simulator_of(preset) is FAMILIES[name]}
    assert presets
    for preset in presets:
        failures = {failure for case, _, failure, *_ in CASES if case == preset}
        assert failures == {"-", *FAMILIES[name].failures}, preset


WITHOUT_SIMULATOR = {"freepbx", "issabel", "generic-soap", "generic-url", "generic-xmlrpc"}
"""Those that are of no appliance or of Asterisk's."""


def test_every_shipped_preset_that_dials_has_a_simulator():
    catalogue = Path(__file__).parents[2] / "adapters" / "presets" / "catalogue"
    files = {path.stem: tomllib.loads(path.read_text(encoding="utf-8")) for path in catalogue.glob("*.toml")}
    dialling = {name for name, preset in files.items() if "dial" in preset or "based_on" in preset}
    assert dialling - set(PRESETS) == WITHOUT_SIMULATOR


def test_where_the_preset_wants_https_the_simulator_proposes_nothing_without_a_certificate():
    proposed = {}
    for name, cls in FAMILIES.items():
        appliance = cls().start()
        proposed[name] = appliance.tables()
        appliance.stop()
    assert {name for name, tables in proposed.items() if not tables} == HTTPS_ONLY


@pytest.mark.parametrize("preset", [name for name in PRESETS if re.match(r"asterisk|freepbx|issabel|freeswitch", name)])
def test_a_call_is_hung_up_by_the_id_that_the_order_gave_it(preset):
    with simulated(preset) as appliance, dialling(preset, appliance) as adapter:
        ref = adapter.deliver(ORDER).peer_ref
        assert ref == "gw-acme-17"
        assert adapter.hangup(hangup(ref)).outcome is Outcome.ACCEPTED
        assert adapter.hangup(hangup("gw-acme-1")).outcome is Outcome.REFUSED


def hangup(ref):
    return Outgoing("hangup", "17", {**ORDER.fields, "peer_ref": ref})
