"""An office in another area code: numbers that come without one are of its area."""

import pytest

from gateway.config import loader as config_file
from gateway.domain.messages import CallEnded, CallStarted, Direction, Origin, PlaceCall
from gateway.domain.tenant import Tenant
from gateway.errors import ConfigError
from gateway.handlers import Core
from gateway.server.companies import tenants
from tests.test_handlers import Memory

HERE = Origin("get", "127.0.0.1")
PBX = {"adapter": "url", "url": "http://192.0.2.1/?to={{ number }}", "success": "ok"}
ACME = {
    "area_code": "47",
    "extensions": ["35xx"],
    "branches": {
        "curitiba": {"extensions": ["3590-3599", "36xx"], "area_code": "41"},
        "recife": {"extensions": ["600000"], "area_code": "81"},
    },
    "appliances": {"pbx": PBX | {"fallback": "voip", "dial_plan": {"prefix": "0"}}, "voip": PBX},
}


def acme(**changed: object) -> Tenant:
    return tenants(config_file.parse({"tenants": {"acme": ACME | changed}}, source="gateway.toml"))["acme"]


@pytest.mark.parametrize(
    ("ramal", "telefone", "extension", "number", "direction"),
    [
        ("3501", "32100123", "3501", "4732100123", Direction.INCOMING),
        ("3595", "32100123", "3595", "4132100123", Direction.INCOMING),
        ("3601", "32100123", "3601", "4132100123", Direction.INCOMING),
        ("600000", "98765-4321", "600000", "81987654321", Direction.INCOMING),
        ("98765-4321", "sip:3601@pbx", "3601", "41987654321", Direction.OUTGOING),
        ("3601", "4732100123", "3601", "4732100123", Direction.INCOMING),
        ("3601", "3501", "3601", "3501", Direction.INTERNAL),
        ("3700", "32100123", "3700", "4732100123", Direction.INCOMING),
    ],
)
def test_a_number_without_area_code_is_of_the_area_where_its_extension_sits(
    ramal: str, telefone: str, extension: str, number: str, direction: Direction
) -> None:
    memory = Memory()
    core = Core({"acme": acme()}, memory, memory)
    core.handle(CallStarted("acme", ramal, telefone, HERE, 5))
    core.handle(CallEnded("acme", ramal, telefone, HERE, 6))
    for draft in memory.drafts:
        assert (draft.event.extension, draft.event.number) == (extension, number)
        assert draft.event.direction is direction


@pytest.mark.parametrize(("caller", "digits"), [("3501", "4732100123"), ("3601", "4132100123")])
def test_an_agent_calls_a_local_number_of_the_own_office_also_by_the_fallback(caller: str, digits: str) -> None:
    memory = Memory()
    Core({"acme": acme()}, memory, memory).handle(PlaceCall("acme", caller, "3210-0123", HERE, 5))
    (draft,) = memory.drafts
    assert (draft.digits, draft.fallback.digits) == ("0" + digits, digits)


def test_a_branch_s_extensions_are_added_to_those_guessed() -> None:
    numbers = acme(extensions=[]).numbers
    assert [numbers.extensions.matches(text) for text in ("201", "600000", "600001")] == [True, True, False]


@pytest.mark.parametrize(
    ("branch", "said"),
    [
        ({"extensions": ["36xx"], "area_code": "10"}, "branches.b.area_code: came '10'; expected one of Brazil's 67"),
        ({"extensions": ["36xx"]}, "branches.b.area_code: is required and missing"),
        ({"extensions": [], "area_code": "41"}, "branches.b.extensions"),
        (
            {"extensions": ["36-"], "area_code": "41"},
            "branches.b.extensions: Extension pattern '36-' is not understood",
        ),
        ({"extension": ["36xx"], "area_code": "41"}, "branches.b.extension: unknown key. Did you mean 'extensions'?"),
    ],
)
def test_a_branch_that_cannot_be_is_refused(branch: dict, said: str) -> None:
    with pytest.raises(ConfigError) as error:
        acme(branches={"b": branch})
    assert said in str(error.value)
