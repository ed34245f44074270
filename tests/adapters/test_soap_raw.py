"""SOAP without a WSDL: the envelope is a template."""

from contextlib import closing, suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree
from pydantic import ValidationError

from gateway.adapter import Outgoing
from gateway.errors import AdapterError
from tests.adapters.bad_peers import answer, serving
from tests.adapters.dialects import DIAL, WSDL
from tests.adapters.field import SOAP_11, envelope, soap

SOAP_12 = "http://www.w3.org/2003/05/soap-envelope"
CALL = '<t:makeCall xmlns:t="urn:x"><from>{{ extension }}</from><to>{{ number }}</to></t:makeCall>'
TEMPLATE = envelope(CALL)


def raw(text: str = TEMPLATE, **settings):
    return soap(**{"envelope": text, "address": "http://pabx/soap", **settings})


def request(text: str = TEMPLATE, **settings) -> tuple[str, bytes]:
    with closing(raw(text, **settings)) as speaking:
        head, _, body = speaking.preview(DIAL)[0].data.partition(b"\r\n\r\n")
    return head.decode(), body


def test_the_envelope_goes_out_letter_for_letter_with_its_values():
    head, body = request(f"\n<!-- ours -->\n{TEMPLATE}\n", soap_action="urn:x#makeCall")
    filled = TEMPLATE.replace("{{ extension }}", "2000").replace("{{ number }}", "04799998888")
    assert body.decode() == f"<!-- ours -->\n{filled}"
    assert 'SOAPAction: "urn:x#makeCall"' in head
    assert "Content-Type: text/xml; charset=utf-8" in head


@pytest.mark.parametrize(
    ("namespace", "version", "said"),
    [
        (SOAP_11, "", 'Content-Type: text/xml; charset=utf-8\r\nSOAPAction: "a"'),
        (SOAP_12, "", 'Content-Type: application/soap+xml; charset=utf-8; action="a"'),
        (SOAP_12, "1.1", 'Content-Type: text/xml; charset=utf-8\r\nSOAPAction: "a"'),
    ],
)
def test_the_headers_are_those_of_the_envelopes_soap_version_or_of_the_one_that_is_set(namespace, version, said):
    assert said in request(envelope(CALL, namespace=namespace), soap_action="a", soap_version=version)[0]


def test_an_envelope_is_sent_in_the_charset_that_it_declares():
    text = f'<?xml version="1.0" encoding="ISO-8859-1"?><!-- ligação €-->{TEMPLATE}'
    head, body = request(text)
    assert "Content-Type: text/xml; charset=ISO-8859-1" in head
    assert "ligação &#8364;".encode("latin-1") in body


@given(st.text())
def test_any_number_arrives_as_it_is_or_not_at_all(number):
    order = Outgoing("dial", "o-1", {**DIAL.fields, "number": number})
    with closing(raw()) as speaking, suppress(AdapterError):
        body = speaking.preview(order)[0].data.partition(b"\r\n\r\n")[2]
        assert (etree.fromstring(body).findtext(".//to") or "") == number


@pytest.mark.parametrize(
    ("body", "settings", "outcome"),
    [
        ("<r><code>0</code></r>", {"result_path": "code", "success": "^0$", "refused": "."}, "accepted"),
        ("<r><ret><code>7</code></ret></r>", {"result_path": "code", "success": "^0$", "refused": "."}, "refused"),
        ("<r><code>7</code></r>", {"result_path": "nope", "success": "."}, "unknown"),
        ("<r>OK</r>", {"success": "^OK$"}, "accepted"),
        ("<r/>", {}, "accepted"),
        ("", {}, "unknown"),
        ("<s:Fault><faultcode>a</faultcode><faultstring>b</faultstring></s:Fault>", {}, "refused"),
    ],
)
def test_its_answer_is_judged_by_the_same_rules(body, settings, outcome):
    peer = serving(answer("200 OK", envelope(body).encode(), "text/xml"))
    with peer as pabx, closing(raw(address=pabx.address, **settings)) as speaking:
        assert speaking.deliver(DIAL).outcome == outcome


def test_a_preview_is_byte_for_byte_what_a_delivery_sends_and_hides_its_secrets():
    settings = {"secrets": {"key": "ch&ve<"}}
    peer = serving(answer("200 OK", envelope("<r/>").encode(), "text/xml"))
    with peer as pabx, closing(raw(envelope("<a>{{ secrets.key }}</a>"), address=pabx.address, **settings)) as speaking:
        assert speaking.probe().ok
        shown = speaking.preview(DIAL)[0]
        speaking.deliver(DIAL)
        assert [shown.data] == pabx.requests[1:]
    assert pabx.requests[0].startswith(b"GET / ")
    assert b"<a>ch&amp;ve&lt;</a>" in shown.data
    assert "<a>****</a>" in shown.shown()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("<a>{{ number }}</a>", "no well-formed SOAP"),
        (TEMPLATE[:-3], "no well-formed SOAP"),
        (f'<?xml version="1.0" encoding="klingon"?>{TEMPLATE}', "unknown encoding 'klingon'"),
        (f"<!DOCTYPE a>{TEMPLATE}", "no well-formed SOAP"),
        ("{{ nunber }}", "Did you mean 'number'"),
    ],
)
def test_a_template_that_makes_no_envelope_is_never_sent(text, why):
    with pytest.raises(AdapterError, match=why):
        request(text)


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({}, "either a wsdl or an envelope"),
        ({"wsdl": str(WSDL), "operation": "Call", "envelope": TEMPLATE}, "either a wsdl or an envelope"),
        ({"wsdl": str(WSDL)}, "needs an operation"),
        ({"wsdl": str(WSDL), "operation": "Call", "soap_version": "1.1"}, "takes no soap_version"),
        ({"envelope": TEMPLATE}, "needs an address"),
        ({"envelope": TEMPLATE, "address": "http://pabx", "operation": "Call"}, "takes no operation"),
        ({"envelope": TEMPLATE, "address": "http://pabx", "soap_action": 'a"b'}, "soap_action"),
        ({"envelope": TEMPLATE, "address": "http://pabx", "soap_version": "2"}, "soap_version"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(settings, why):
    with pytest.raises(ValidationError, match=why):
        soap(**settings)


def test_a_soap_action_of_ones_own_replaces_that_of_the_wsdl():
    settings = {"wsdl": str(WSDL), "operation": "Call", "arguments": {"from": "1", "to": "2"}}
    with closing(soap(**settings, soap_action="urn:other")) as speaking:
        assert b'SOAPAction: "urn:other"' in speaking.preview(DIAL)[0].data
