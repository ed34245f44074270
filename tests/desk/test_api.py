"""What scripts get."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from gateway.adapter import Outcome
from gateway.desk import api
from gateway.desk.pages import ROUTES
from tests.desk.conftest import ANA, Browser, Office
from tests.desk.test_access import basic

UNKNOWN = "4733334444"


@pytest.fixture
def script(browse: Callable[..., Browser]) -> Callable[..., Any]:
    """Asks with Ana's password and returns the JSON."""
    browser = browse()
    return lambda path, **more: browser.get(path, headers=basic(), **more).get_json()


def test_calls_come_with_all_that_is_known(script: Callable[..., Any], office: Office) -> None:
    office.know("Metalúrgica Silva", ANA, "Carlos")
    office.ring(at=1772731231123)
    call_id = office.hang_up(at=1772731261123)
    (call,) = script("/api/calls")["calls"]
    assert call == script(f"/api/calls/{call_id}")
    assert call["account"] == "Metalúrgica Silva"
    assert (call["started_at"], call["duration_s"]) == ("2026-03-05T17:20:31.123Z", 30)


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("", 3),
        ("extension=3502", 1),
        ("number=4799999", 2),
        ("direction=outgoing", 0),
        ("since=2026-03-05T14:20:31", 2),
        ("since=2026-03-05T17:20:31%2B00:00", 2),
        ("since=2026-03-05T17:20:31+00:00", 2),
        ("until=2026-03-05", 1),
        ("limit=1", 1),
        ("before_id=3", 2),
    ],
)
def test_calls_are_filtered(script: Callable[..., Any], office: Office, query: str, count: int) -> None:
    office.ring(at=1772600000000)
    office.ring(ramal="3502", at=1772731231123)
    office.ring(UNKNOWN, at=1772731231124)
    assert len(script(f"/api/calls?{query}")["calls"]) == count


def test_all_calls_are_read_page_by_page(script: Callable[..., Any], office: Office) -> None:
    for n in range(5):
        office.ring(f"473333000{n}")
    seen, before = [], ""
    while True:
        page = script(f"/api/calls?limit=2{before}")
        seen += [call["id"] for call in page["calls"]]
        if page["next_before_id"] is None:
            break
        before = f"&before_id={page['next_before_id']}"
    assert seen == [5, 4, 3, 2, 1]


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=201", "limit=x", "direction=in", "since=ontem", "before_id=-1", "account_id=1e3"],
)
def test_a_parameter_that_is_not_understood_is_named(script: Callable[..., Any], query: str) -> None:
    answer = script(f"/api/calls?{query}")
    assert answer["code"] == 220
    assert query.split("=")[0] in answer["message"]


def test_a_script_places_a_call(browse: Callable[..., Browser], office: Office) -> None:
    answer = browse().post("/api/dial", json={"number": UNKNOWN, "appliance": "filial"}, headers=basic())
    assert answer.get_json() == {
        "ok": True,
        "outcome": "accepted",
        "message": "chamada aceita pela central",
        "call_id": 1,
    }
    assert office.exchange.orders[0].appliance == "filial"


def test_a_script_may_send_a_number_as_json_has_it(browse: Callable[..., Browser], office: Office) -> None:
    browse().post("/api/dial", json={"number": 47999998888.0}, headers=basic())
    assert [order.digits[-11:] for order in office.exchange.orders] == ["47999998888"]


def test_a_call_that_was_refused_is_told_as_such(browse: Callable[..., Browser], office: Office) -> None:
    office.exchange.outcome, office.exchange.detail = Outcome.REFUSED, "ramal ocupado"
    answer = browse().post("/api/dial", data={"number": UNKNOWN}, headers=basic()).get_json()
    assert (answer["ok"], answer["outcome"], answer["message"]) == (False, "refused", "ramal ocupado")


def test_the_desks_own_script_dials_with_the_forms_token(ana: Browser) -> None:
    answer = ana.post("/api/dial", json={"number": UNKNOWN}, headers={"X-CSRF-Token": ana.token()})
    assert answer.get_json()["ok"] is True


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"number": UNKNOWN, "extension": "3502"}, 403, 300),
        ({"number": "anonymous"}, 422, 530),
        ({"number": "9" * 64}, 422, 530),
        ({"number": 1e21}, 422, 530),
        ({"number": UNKNOWN, "appliance": "outra"}, 422, 520),
        ({"number": ""}, 400, 210),
        ({"number": ["1"]}, 400, 240),
        ([1], 400, 240),
    ],
)
def test_a_call_that_cannot_be_placed_says_why(
    browse: Callable[..., Browser], office: Office, body: Any, status: int, code: int
) -> None:
    answer = browse().post("/api/dial", json=body, headers=basic())
    assert (answer.status_code, answer.get_json()["code"]) == (status, code)
    assert office.exchange.orders == []


def test_broken_json_is_refused(browse: Callable[..., Browser]) -> None:
    answer = browse().post("/api/dial", data="{", content_type="application/json", headers=basic())
    assert (answer.status_code, answer.get_json()["ok"]) == (400, False)


def test_the_appliances_say_which_one_dials_by_default(script: Callable[..., Any]) -> None:
    assert script("/api/appliances")["appliances"] == [
        {"name": "matriz", "title": "Matriz", "default": True},
        {"name": "filial", "title": "Filial", "default": False},
    ]


def test_the_description_names_every_address_and_no_other(browse: Callable[..., Browser]) -> None:
    described = browse(root="/t/acme").get("/api/openapi.json").get_json()
    assert described["servers"] == [{"url": "/t/acme"}]
    paths = {(path, method.upper()) for path, methods in described["paths"].items() for method in methods}
    served = {
        (re.sub(r"<[^>]*?(\w+)>", r"{\1}", path), method)
        for method, path, _ in ROUTES.values()
        if path.startswith("/api/") or path == "/events"
    }
    assert paths == served


def test_a_call_has_just_the_fields_that_are_described(script: Callable[..., Any], office: Office) -> None:
    described = api.document()["components"]["schemas"]["Call"]
    office.ring()
    assert set(script("/api/calls")["calls"][0]) == set(described["properties"]) == set(described["required"])
