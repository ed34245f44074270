"""What scripts get."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from gateway.adapter import Outcome
from gateway.desk import api
from gateway.desk.pages import ROUTES
from gateway.store.calls import STATUSES
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


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("status=ended", {1, 2, 4, 5, 6}),
        ("status=ringing", {3}),
        ("status=missed", {2, 5}),
        ("status=missed,ringing", {2, 3, 5}),
        ("status=missed&status=ringing", {2, 3, 5}),
        ("status=missed&extension=3502", {5}),
        ("status=lost", set()),
        ("status=", {1, 2, 3, 4, 5, 6}),
    ],
)
def test_calls_are_found_by_where_they_stand(
    script: Callable[..., Any], office: Office, query: str, found: set[int]
) -> None:
    office.hang_up(result="ANSWERED")  # 1
    office.hang_up("4733330001", result="NOANSWER")  # 2
    office.ring("4733330002")  # 3
    office.hang_up("4733330003")  # 4: the exchange did not say
    office.hang_up("4733330004", "3502", result="CANCEL")  # 5
    office.hang_up("3501", "4733330005", result="NOANSWER")  # 6: a call that was made, not one that was missed
    assert {call["id"] for call in script(f"/api/calls?{query}")["calls"]} == found


@pytest.mark.parametrize(
    ("path", "named", "meant"),
    [
        ("/api/calls?statuss=missed", "statuss", "status"),
        ("/api/calls?Extension=3501", "Extension", "extension"),
        ("/api/calls?ramal=3501", "ramal", "Parâmetros daqui: search, extension, number"),
        ("/api/calls/1?limit=1", "limit", "não tem parâmetros"),
        ("/api/calls/1/why?x=1", "x", "não tem parâmetros"),
        ("/api/me?x=1", "x", "não tem parâmetros"),
        ("/api/appliances?x=1", "x", "não tem parâmetros"),
        ("/api/imports?limit=3", "limit", "não tem parâmetros"),
        ("/api/openapi.json?x=1", "x", "não tem parâmetros"),
    ],
)
def test_an_unknown_parameter_is_refused_with_the_nearest_known_one(
    browse: Callable[..., Browser], office: Office, path: str, named: str, meant: str
) -> None:
    office.ring()
    answer = browse().get(path, headers=basic())
    told = answer.get_json()
    assert (answer.status_code, told["code"]) == (400, 215)
    assert repr(named) in told["message"]
    assert meant in told["hint"]


def test_what_jquery_adds_against_caches_is_no_parameter(script: Callable[..., Any], office: Office) -> None:
    office.ring()
    assert len(script("/api/calls?_=1772731231123")["calls"]) == 1


@pytest.mark.parametrize("form", ["json", "data"])
def test_a_field_that_is_misspelt_dials_nothing(browse: Callable[..., Browser], office: Office, form: str) -> None:
    """It would have dialled by another appliance than was asked for."""
    body: Any = {form: {"number": UNKNOWN, "aplliance": "filial"}}
    answer = browse().post("/api/dial", headers=basic(), **body)
    assert (answer.status_code, answer.get_json()["code"], office.exchange.orders) == (400, 215, [])
    assert "Quis dizer 'appliance'?" in answer.get_json()["hint"]


@pytest.mark.parametrize("path", ["/api/dial?number=4733334444", "/api/calls/1/over?by=x", "/api/calls/1/hangup?x=1"])
def test_what_is_posted_takes_nothing_unknown_in_the_address(
    browse: Callable[..., Browser], office: Office, path: str
) -> None:
    office.ring()
    answer = browse().post(path, json={"number": UNKNOWN}, headers=basic())
    wanted = 200 if path.startswith("/api/dial") else 400
    assert answer.status_code == wanted


def test_the_description_has_all_parameters_and_statuses(script: Callable[..., Any]) -> None:
    described = api.document()
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            if not path.startswith("/api/"):
                continue
            wanted = {item["name"] for item in operation.get("parameters", ()) if item["in"] == "query"}
            endpoint = next(
                name
                for name, (verb, route, *_) in ROUTES.items()
                if verb == method.upper() and re.sub(r"<[^>]*?(\w+)>", r"{\1}", route) == path
            )
            if method == "get":
                assert wanted == set(api.PARAMETERS.get(endpoint, ())), path
    order = described["components"]["schemas"]["Order"]["properties"]
    assert set(order) == set(api.PARAMETERS["api_dial"])
    statuses = set(described["components"]["schemas"]["Call"]["properties"]["status"]["enum"])
    assert statuses == set(STATUSES)


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
    [
        "limit=0",
        "limit=201",
        "limit=x",
        "direction=in",
        "status=perdida",
        "since=ontem",
        "before_id=-1",
        "account_id=1e3",
        "number=4733&number=4732",
        "limit=1&limit=2",
    ],
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


@pytest.mark.parametrize("extension", [3501.0, "3501.0", "PJSIP/3501-0000001c"])
def test_a_script_may_send_its_own_extension_as_programs_have_it(
    browse: Callable[..., Browser], office: Office, extension: float | str
) -> None:
    answer = browse().post("/api/dial", json={"number": UNKNOWN, "extension": extension}, headers=basic()).get_json()
    assert (answer["ok"], [order.extension for order in office.exchange.orders]) == (True, ["3501"])


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


@pytest.mark.parametrize(
    "body",
    [
        "[" * 60_000,
        '{"number":' * 6_000,
        '{"number": ' + "9" * 5_000 + "}",
        '{"number": ' + "[" * 9_000 + "]" * 9_000 + "}",
    ],
    ids=["lists", "objects", "a long number", "closed lists"],
)
def test_json_made_to_break_its_reader_is_refused(browse: Callable[..., Browser], office: Office, body: str) -> None:
    answer = browse().post("/api/dial", data=body, content_type="application/json", headers=basic())
    assert (answer.status_code, answer.get_json()["ok"]) == (400, False)
    assert office.exchange.orders == []


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
        for method, path, *_ in ROUTES.values()
        if path.startswith("/api/") or path == "/events"
    }
    assert paths == served


def test_a_call_has_just_the_fields_that_are_described(script: Callable[..., Any], office: Office) -> None:
    described = api.document()["components"]["schemas"]["Call"]
    office.ring()
    assert set(script("/api/calls")["calls"][0]) == set(described["properties"]) == set(described["required"])
