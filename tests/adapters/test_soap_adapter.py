"""The SOAP adapter: foreign WSDLs, where they may be loaded from, and the answers of real servers."""

import socket
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree
from pydantic import TypeAdapter, ValidationError

from adapters.soap.adapter import SoapAdapter
from gateway.adapter import Outcome, Outgoing
from gateway.errors import AdapterError
from tests.adapters.bad_peers import answer, free_port, serving
from tests.adapters.dialects import DIAL, WSDL
from tests.adapters.field import GET_CONTAS, parlay_x, soap, webdialer, webdialer_15su5

CONFIG = TypeAdapter(SoapAdapter.Config)
ARGUMENTS = {"from": "{{ extension }}", "to": "{{ number }}"}


def adapter(**settings) -> SoapAdapter:
    whole = {"wsdl": str(WSDL), "operation": "Call", "arguments": ARGUMENTS, **settings}
    return SoapAdapter(CONFIG.validate_python({"timeout_s": 2, **whole}), name="pabx")


def body_of(speaking: SoapAdapter) -> etree._Element:
    with closing(speaking):
        return etree.fromstring(speaking.preview(DIAL)[0].data.partition(b"\r\n\r\n")[2])


def test_a_parlay_x_call_is_built_from_the_standards_own_wsdl():
    call = body_of(soap(**parlay_x())).find(".//{*}makeCall")
    assert call.findtext("{*}callingParty") == "tel:2000"
    assert call.findtext("{*}calledParty") == "tel:04799998888"
    assert call.findtext("{*}charging/currency") == "BRL"


@pytest.mark.parametrize("vendor", [lambda: GET_CONTAS, webdialer, webdialer_15su5, parlay_x])
def test_a_wsdl_from_a_file_needs_no_network_at_all(vendor, monkeypatch):
    settings = vendor()
    asked = []
    monkeypatch.setattr(socket, "getaddrinfo", lambda *address, **_: asked.append(address) or [])
    monkeypatch.setattr(socket.socket, "connect", lambda *address: asked.append(address))
    with closing(soap(**settings)) as speaking:
        speaking.preview(DIAL)
    assert asked == []


def test_digest_answers_the_challenge_with_the_whole_envelope_again():
    challenge = 'WWW-Authenticate: Digest realm="pabx", nonce="abc", qop="auth", algorithm=MD5'

    def behave(peer, connection):
        known = b"Authorization: Digest" in peer.requests[-1]
        said = answer("200 OK", called("<t:code>0</t:code>"), "text/xml")
        return (said if known else answer("401 Unauthorized", b"", "text/html", challenge))(peer, connection)

    login = {"auth": "digest", "username": "crm", "password": "s3nha"}
    with serving(behave) as peer, closing(adapter(address=peer.address, **login)) as speaking:
        assert speaking.deliver(DIAL).outcome is Outcome.ACCEPTED
        bodies = [request.partition(b"\r\n\r\n")[2] for request in peer.requests]
    assert len(bodies) == 2
    assert bodies[0] == bodies[1] != b""


def test_any_number_arrives_as_it_is_or_not_at_all():
    with closing(adapter(address="http://pabx/")) as speaking:

        @given(st.text())
        def try_number(number):
            order = Outgoing("dial", "o-1", {**DIAL.fields, "number": number})
            with suppress(AdapterError):
                body = speaking.preview(order)[0].data.partition(b"\r\n\r\n")[2]
                assert etree.fromstring(body).findtext(".//{*}to") == number

        try_number()


def envelope(body: str, namespace: str = "http://schemas.xmlsoap.org/soap/envelope/") -> bytes:
    return f'<s:Envelope xmlns:s="{namespace}"><s:Body>{body}</s:Body></s:Envelope>'.encode()


def called(inner: str) -> bytes:
    return envelope(f'<t:Called xmlns:t="urn:test-pabx">{inner}</t:Called>')


def answered(status: str, body: bytes, **settings):
    serve = serving(answer(status, body, "text/xml"))
    with serve as peer, closing(adapter(address=peer.address, **settings)) as speaking:
        return speaking.deliver(DIAL)


FAULT = "<s:Fault><faultcode>s:Server</faultcode><faultstring>ligação negada</faultstring></s:Fault>"
FAULT_12 = "<s:Fault><s:Code><s:Value>s:Sender</s:Value></s:Code><s:Reason><s:Text>negada</s:Text></s:Reason></s:Fault>"
CODE = {"result_path": "code", "success": "^0$", "refused": "."}


@pytest.mark.parametrize(
    ("status", "body", "settings", "outcome"),
    [
        ("200 OK", called("<t:code>0</t:code>"), {}, "accepted"),
        ("200 OK", called("<t:code>0</t:code>"), CODE, "accepted"),
        ("200 OK", called("<t:code>7</t:code>"), CODE, "refused"),
        ("200 OK", called("<t:code>0</t:code><t:more>1</t:more>"), CODE, "accepted"),
        ("200 OK", called(""), CODE, "unknown"),
        ("200 OK", b"\xef\xbb\xbf\r\n" + called("<t:code>0</t:code>"), CODE, "accepted"),
        ("200 OK", envelope(FAULT), {}, "refused"),
        ("500 Oops", envelope(FAULT), {}, "refused"),
        ("500 Oops", envelope(FAULT).decode().encode("latin-1"), {}, "refused"),
        ("400 Bad Request", envelope(FAULT_12, "http://www.w3.org/2003/05/soap-envelope"), {}, "refused"),
        ("500 Oops", called("<t:code>0</t:code>"), {}, "unknown"),
        ("200 OK", envelope(""), {}, "unknown"),
        ("200 OK", b"<Envelope/>", {}, "unknown"),
        ("200 OK", called("<t:code>0</t:code>")[:-9], {}, "unknown"),
        ("200 OK", b"<!DOCTYPE a [<!ENTITY b 'c'>]>" + called("<t:code>0</t:code>"), {}, "unknown"),
        ("200 OK", envelope("<x/>", "http://www.w3.org/2003/05/soap-envelope"), {}, "unknown"),
    ],
)
def test_an_answer_is_judged_by_fault_and_rule(status, body, settings, outcome):
    assert answered(status, body, **settings).outcome == outcome


@pytest.mark.parametrize(("path", "success"), [("", "^c-1$"), ("callId", "^c-1$")])
def test_an_answers_only_part_is_found_by_its_name_and_without(tmp_path, path, success):
    """zeep hands it out bare, so settings written after the WSDL would not find it."""
    code = b'<xsd:element name="code" type="xsd:int"/>'
    (tmp_path / "one.wsdl").write_bytes(WSDL.read_bytes().replace(code, b""))
    settings = {
        "wsdl": str(tmp_path / "one.wsdl"),
        "result_path": path,
        "success": success,
        "ref_path": "callId",
    }
    delivery = answered("200 OK", called("<t:callId>c-1</t:callId>"), **settings)
    assert (delivery.outcome, delivery.peer_ref) == (Outcome.ACCEPTED, "c-1")


def test_a_fault_is_told_in_the_servers_words():
    detail = answered("500 Oops", envelope(FAULT)).detail
    assert detail == "A central 'pabx' recusou: falha s:Server, ligação negada."


def wsdl_peer(*, wsdl: bytes):
    def behave(peer, connection):
        asked = peer.requests[-1]
        body = wsdl if asked.startswith(b"GET /pabx?wsdl ") else called("<t:code>0</t:code>")
        return answer("200 OK", body, "text/xml")(peer, connection)

    return serving(behave)


def test_a_wsdl_is_downloaded_once_by_whoever_needs_it_first():
    with wsdl_peer(wsdl=WSDL.read_bytes()) as peer:
        settings = {"wsdl": peer.address + "/pabx?wsdl", "address": peer.address}
        with closing(adapter(**settings)) as speaking, ThreadPoolExecutor(8) as threads:
            assert peer.requests == []
            outcomes = [delivery.outcome for delivery in threads.map(speaking.deliver, [DIAL] * 16)]
        assert set(outcomes) == {Outcome.ACCEPTED}
        assert sum(request.startswith(b"GET ") for request in peer.requests) == 1


def test_a_wsdl_that_failed_to_load_is_tried_again_by_the_next_order():
    port = free_port()
    with closing(adapter(wsdl=f"http://127.0.0.1:{port}/pabx?wsdl")) as speaking:
        delivery = speaking.deliver(DIAL)
        assert delivery.outcome is Outcome.UNREACHABLE
        assert "WSDL" in delivery.detail
        with pytest.raises(AdapterError, match="does not load"):
            speaking.preview(DIAL)


@pytest.mark.parametrize(
    ("status", "body", "why"),
    [
        ("200 OK", b"<html><body>login</body></html>", "login page"),
        ("200 OK", b"", "login page"),
        ("404 Not Found", b"", "HTTP 404"),
        ("200 OK", b"<definitions xmlns='http://schemas.xmlsoap.org/wsdl/'/>", "no service"),
        (
            "200 OK",
            WSDL.read_bytes().replace(b'<?xml version="1.0" encoding="UTF-8"?>', b"<!DOCTYPE definitions>"),
            "no WSDL",
        ),
    ],
)
def test_what_is_no_wsdl_is_said_to_be_none_and_nothing_is_ordered(status, body, why):
    with serving(answer(status, body, "text/xml")) as peer:
        with closing(adapter(wsdl=peer.address + "/pabx?wsdl")) as speaking:
            assert why in str(speaking.probe().text)
            assert speaking.deliver(DIAL).outcome is Outcome.UNREACHABLE
        assert all(request.startswith(b"GET ") for request in peer.requests)


def importing(location: str) -> bytes:
    start = b"<types>"
    schema = f'<types><xsd:schema><xsd:import namespace="urn:x" schemaLocation="{location}"/></xsd:schema>'
    return WSDL.read_bytes().replace(start, schema.encode())


@pytest.mark.parametrize("location", ["http://127.0.0.1:{port}/x.xsd", "file:///etc/passwd"])
def test_an_import_leads_to_no_other_host_and_to_no_file(location):
    with serving(answer("200 OK", b"<schema/>")) as elsewhere:
        wsdl = importing(location.format(port=elsewhere.port))
        with wsdl_peer(wsdl=wsdl) as peer, pytest.raises(AdapterError, match="not on its own host"):
            body_of(adapter(wsdl=peer.address + "/pabx?wsdl"))
        assert elsewhere.requests == []


def test_a_wsdl_file_imports_only_from_its_own_folder(tmp_path):
    (tmp_path / "secret.xsd").write_text("<schema/>")
    folder = tmp_path / "wsdl"
    folder.mkdir()
    (folder / "pabx.wsdl").write_bytes(importing("../secret.xsd"))
    with pytest.raises(AdapterError, match="not beside it"):
        body_of(adapter(wsdl=str(folder / "pabx.wsdl")))


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"operation": "Cal"}, "no operation 'Cal'; it has: Call$"),
        ({"arguments": {"from": "1", "too": "2"}}, "too"),
        ({"arguments": {"from": "1"}}, "to"),
        ({"service": "Nope"}, "no service 'Nope'; it has: Pabx$"),
        ({"port": "Nope"}, "no SOAP port 'Nope'; it has: PabxPort$"),
        ({"wsdl": "nowhere.wsdl"}, "cannot be read"),
    ],
)
def test_a_call_that_the_wsdl_does_not_know_is_explained(settings, why):
    with closing(adapter(**settings)) as speaking, pytest.raises(AdapterError, match=why):
        speaking.preview(DIAL)


def test_unknown_settings_are_errors():
    with pytest.raises(ValidationError, match="adress"):
        CONFIG.validate_python({"wsdl": "x", "operation": "y", "adress": "z"})
