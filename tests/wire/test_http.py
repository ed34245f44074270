"""The entrance: which company, which wire, and nothing escapes."""

import json

import pytest
from prometheus_client import REGISTRY
from structlog.testing import capture_logs
from werkzeug.test import Client

from gateway.wire.counts import REQUESTS
from tests.wire.peers import OFFICE, Peer, RecordingCore, make_front

START = "/wconnect/WConnect_WSDL_ConsultaRamal.php"
QUERY = "ramal=3501&telefone=4732100123"
TWO = {"tenants": {"acme": {"hosts": ["pbx.acme.com.br", "ACME.local"]}, "beta": {}}}
ONE = {"tenants": {"acme": {}}}


@pytest.mark.parametrize(
    ("config", "host", "path", "tenant"),
    [
        (TWO, "pbx.acme.com.br", START, "acme"),
        (TWO, "PBX.Acme.com.br:8080", START, "acme"),
        (TWO, "pbx.acme.com.br.", START, "acme"),
        (TWO, "acme.local", START, "acme"),
        (TWO, "acme.example.com", START, "acme"),
        (TWO, "beta.example.com", START, "beta"),
        (TWO, "beta", START, "beta"),
        (TWO, "beta:8080", START, "beta"),
        (TWO, "beta.example.com", "/t/acme" + START, "acme"),
        (TWO, "10.0.0.1", "/t/beta" + START, "beta"),
        (TWO, "10.0.0.1", "/t/Beta" + START, "beta"),
        (TWO, "other.example.com", START, None),
        (TWO, "10.0.0.1", START, None),
        (TWO, "[::1]:8080", START, None),
        (TWO, "", START, None),
        (TWO, "beta.example.com", "/t/nobody" + START, None),
        (TWO, "beta.example.com", "/t/" + START, None),
        (ONE, "anything.example.com", START, "acme"),
        (ONE, "", START, "acme"),
        (ONE, "10.0.0.1:8080", START, "acme"),
        (ONE, "10.0.0.1:8080", "/t/nobody" + START, None),
        ({}, "10.0.0.1:8080", START, "default"),
    ],
)
def test_a_company_is_found_by_path_then_host_then_name_then_alone(
    config: dict[str, object], host: str, path: str, tenant: str | None
) -> None:
    peer = Peer(config)
    got = peer.get(path, query_string=QUERY, environ={"HTTP_HOST": host})
    assert got.status_code == (404 if tenant is None else 200)
    assert [message.tenant for message in peer.core.messages] == ([tenant] if tenant else [])
    if tenant is None:
        assert got.text.startswith("ERRO 270: empresa desconhecida")


BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}


@pytest.mark.parametrize("path", ["/", "/ligacoes", "/t/nobody/"])
def test_people_at_an_unknown_company_are_told_what_to_do(path: str) -> None:
    got = Peer(TWO).get(path, headers=BROWSER, environ={"HTTP_HOST": "10.0.0.1:8080"})
    assert (got.status_code, got.mimetype) == (404, "text/html")
    assert "Empresa não encontrada" in got.text
    assert "http://10.0.0.1:8080/t/EMPRESA/" in got.text
    assert "270" in got.text
    assert not {"acme", "beta"} & set(got.text.split()), "companies are not named to strangers"


@pytest.mark.parametrize(
    ("path", "headers"), [("/", {}), ("/", {"Accept": "*/*"}), (START, BROWSER), ("/api/calls", {"Accept": "*/*"})]
)
def test_machines_at_an_unknown_company_get_one_line(path: str, headers: dict[str, str]) -> None:
    got = Peer(TWO).get(path, headers=headers, environ={"HTTP_HOST": "10.0.0.1"})
    assert (got.status_code, got.mimetype) == (404, "text/plain")
    assert got.text.startswith("ERRO 270: ")
    assert got.text.count("\n") == 1


def test_a_host_of_strange_signs_stays_text_on_that_page() -> None:
    got = Peer(TWO).get("/", headers=BROWSER, environ={"HTTP_HOST": "<script>alert(1)</script>"})
    assert "<script>" not in got.text


@pytest.mark.parametrize("path", ["/soap", "/xmlrpc", "/click-to-call"])
def test_an_unknown_company_is_told_on_every_wire(path: str) -> None:
    got = Peer(TWO).post(path, data=b"")
    assert got.status_code == 404
    assert b"270" in got.data


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("/", f"<acme> <{OFFICE}> <> </>"),
        ("/calls", f"<acme> <{OFFICE}> <> </calls>"),
        ("/t/beta/", f"<beta> <{OFFICE}> </t/beta> </>"),
        ("/t/beta", f"<beta> <{OFFICE}> </t/beta> </>"),
        ("/t/beta/api/calls", f"<beta> <{OFFICE}> </t/beta> </api/calls>"),
    ],
)
def test_people_are_served_by_the_desk_which_learns_company_and_client(path: str, told: str) -> None:
    assert Peer(TWO).get(path, base_url="http://acme.example.com").text == told


def test_people_of_an_unknown_company_get_404() -> None:
    assert Peer(TWO).get("/", base_url="http://nobody.example.com").status_code == 404


def test_health_needs_no_company() -> None:
    peer = Peer(TWO)
    assert (peer.get("/healthz").status_code, peer.get("/healthz").text) == (200, "ok\n")
    assert peer.send("HEAD", "/healthz").data == b""
    assert json.loads(peer.get("/readyz").data) == {"database": True}
    assert peer.get("/metrics").text == "metrics"


def test_a_part_that_is_not_ready_makes_the_gateway_not_ready() -> None:
    client = Client(make_front(RecordingCore(), health=lambda: {"database": False, "delivery": True}))
    got = client.get("/readyz")
    assert got.status_code == 503
    assert json.loads(got.data) == {"database": False, "delivery": True}


def test_a_health_check_that_fails_itself_is_not_ready() -> None:
    def broken() -> dict[str, bool]:
        raise RuntimeError("secret-xyz")

    got = Client(make_front(RecordingCore(), health=broken)).get("/readyz")
    assert got.status_code == 503
    assert b"secret" not in got.data


def test_a_defect_is_logged_with_its_trace_under_the_incident_the_client_was_told() -> None:
    peer = Peer()
    peer.core.fail_with = RuntimeError("secret-xyz")
    with capture_logs() as logs:
        got = peer.get(START, query_string=QUERY)
    assert got.status_code == 500
    (entry,) = logs
    assert entry["incident"] in got.text
    assert isinstance(entry["exc_info"], RuntimeError)
    assert (entry["tenant"], entry["operation"], entry["wire"]) == ("default", "ConsultaRamal", "get")


def test_a_refusal_is_logged_without_values() -> None:
    with capture_logs() as logs:
        Peer().get(START, query_string="ramal=3501&telefone=" + "4" * 300)
    assert logs == [
        {
            "event": "request_refused",
            "log_level": "warning",
            "wire": "get",
            "client": OFFICE,
            "tenant": "default",
            "operation": "ConsultaRamal",
            "code": 220,
            "error": "BadParameter",
        }
    ]


def counted(wire: str, operation: str, result: str) -> float:
    REQUESTS.add_up()
    labels = {"wire": wire, "operation": operation, "result": result}
    return REGISTRY.get_sample_value("cti_events_total", labels) or 0


def test_events_are_counted_by_wire_operation_and_result() -> None:
    peer = Peer()
    before = [counted("get", "ConsultaRamal", "ok"), counted("get", "ConsultaRamal", "refused")]
    refused = counted("soap", "-", "refused")
    peer.get(START, query_string=QUERY)
    peer.get(START, query_string="ramal=1")
    peer.post("/soap", data=b"")
    after = [counted("get", "ConsultaRamal", "ok"), counted("get", "ConsultaRamal", "refused")]
    assert after == [count + 1 for count in before]
    assert counted("soap", "-", "refused") == refused + 1
