"""WSDLs as they are in the field load, and nothing is downloaded for them."""

from contextlib import closing

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from adapters.soap.known import known_schema
from adapters.soap.names import safe, written
from gateway.adapter import Outcome
from gateway.errors import AdapterError
from tests.adapters.bad_peers import answer, serving
from tests.adapters.dialects import DIAL, WSDL
from tests.adapters.field import GET_CONTAS, WCONNECT, envelope, head_and_body, soap

CALL = {"wsdl": str(WSDL), "operation": "Call", "arguments": {"from": "{{ extension }}", "to": "{{ number }}"}}


def test_a_wsdl_whose_names_hold_spaces_loads_and_is_configured_by_those_names():
    with closing(soap(**GET_CONTAS)) as speaking:
        head, body = head_and_body(speaking)
    assert head.startswith("POST /wconnect/wsdl/WConnect_WSDL.php ")
    assert 'SOAPAction: "urn:WConnect#getContas"' in head
    assert body.find(".//{urn:WConnect}getContas") is not None


@given(st.text(min_size=1))
def test_every_name_becomes_an_xml_name(name):
    assert etree.QName("urn:x", safe(name)).localname == safe(name)


def test_names_that_differ_only_in_what_no_xml_name_holds_stay_different():
    names = ["A B", "A_B", "AB", "A/B", "3CX", "CX", ""]
    assert len({safe(name) for name in names}) == len(names)


@pytest.mark.parametrize("name", ["Pabx", "getContas", "Ligação", "a-b.c_d"])
def test_a_name_that_is_one_stays_as_it_is(name):
    assert safe(name) == name


@given(st.text(alphabet="AbÇ _-/3x.\U0001f4de", max_size=9))
def test_a_safe_name_is_shown_as_the_wsdl_writes_it(name):
    assert written(safe(name)) == name


def test_a_name_that_the_wsdl_has_not_is_answered_with_those_that_it_has():
    with closing(soap(**GET_CONTAS | {"port": "Senior"})) as speaking:
        assert "no SOAP port 'Senior'; it has: WConnect CRM SeniorPort" in str(speaking.probe().text)


ADDRESS = b'<soap:address location="http://127.0.0.1:1/pabx"/>'
GET_PORT = (
    b'<binding name="ByGet" type="tns:Pabx"><h:binding xmlns:h="http://schemas.xmlsoap.org/wsdl/http/" verb="GET"/>'
    b'</binding><service name="Pabx"><port name="ByGet" binding="tns:ByGet">'
    b'<h:address xmlns:h="http://schemas.xmlsoap.org/wsdl/http/" location="http://pabx/get"/></port>'
)


@pytest.mark.parametrize(
    ("was", "becomes"),
    [
        (ADDRESS, b""),
        (ADDRESS, b'<soap:address location=""/>'),
        (b'<service name="Pabx">', GET_PORT),
        (b'"http://schemas.xmlsoap.org/wsdl/soap/"', b'"http://schemas.xmlsoap.org/wsdl/soap12/"'),
    ],
    ids=["no address", "empty address", "a GET port first", "SOAP 1.2"],
)
def test_what_a_wsdl_lacks_or_has_too_much_is_made_up_for_by_the_settings(tmp_path, was, becomes):
    (tmp_path / "pabx.wsdl").write_bytes(WSDL.read_bytes().replace(was, becomes))
    settings = {"wsdl": str(tmp_path / "pabx.wsdl"), "address": "http://pabx/soap"}
    with closing(soap(**CALL | settings)) as speaking:
        head, body = head_and_body(speaking)
    assert head.startswith("POST /soap ")
    assert body.findtext(".//{*}to") == "04799998888"
    assert ("application/soap+xml" in head) == (b"soap12" in becomes)


def test_a_wsdl_without_an_address_asks_for_one(tmp_path):
    (tmp_path / "pabx.wsdl").write_bytes(WSDL.read_bytes().replace(ADDRESS, b""))
    with closing(soap(**CALL | {"wsdl": str(tmp_path / "pabx.wsdl")})) as speaking:
        assert "has no address: set address" in str(speaking.probe().text)


def changed(tmp_path, was: str, becomes: str):
    wsdl = WCONNECT.read_text(encoding="utf-8").replace(was, becomes)
    (tmp_path / "wconnect.wsdl").write_text(wsdl, encoding="latin-1")
    return soap(**GET_CONTAS | {"wsdl": str(tmp_path / "wconnect.wsdl")})


@pytest.mark.parametrize("was", ['name="return" type="tns:ContasRetorno"', 'name="contaNome" type="xsd:string"'])
def test_apaches_types_need_no_schema(tmp_path, was):
    """Axis answers its Map and describes it nowhere; zeep would leave the operation out."""
    becomes = was.split(" ")[0] + ' type="a:Map" xmlns:a="http://xml.apache.org/xml-soap"'
    with closing(changed(tmp_path, was, becomes)) as speaking:
        assert head_and_body(speaking)[1].findtext(".//ContasId") == "7"


def test_a_type_that_is_nowhere_costs_only_what_would_be_sent_of_it(tmp_path):
    with closing(changed(tmp_path, 'type="tns:ContasRetorno"', 'type="tns:Missing"')) as speaking:
        assert head_and_body(speaking)[1].findtext(".//ContasId") == "7"
    sent = changed(tmp_path, 'name="ContasId" type="xsd:int"', 'name="ContasId" type="tns:Missing"')
    with (
        closing(sent),
        pytest.raises(AdapterError, match=r"'ContasId' cannot be sent: .* 'Missing'"),
    ):
        sent.preview(DIAL)


IMPORTS = {
    "SOAP encoding": ("http://schemas.xmlsoap.org/soap/encoding/", "http://schemas.xmlsoap.org/soap/encoding/"),
    "SOAP encoding, a copy": ("http://schemas.xmlsoap.org/soap/encoding/", "http://elsewhere.example/soapenc.xsd"),
    "SOAP encoding 1.2": ("http://www.w3.org/2003/05/soap-encoding", "http://www.w3.org/2003/05/soap-encoding"),
    "SOAP envelope": ("http://schemas.xmlsoap.org/soap/envelope/", "http://schemas.xmlsoap.org/soap/envelope/"),
    "WSDL": ("http://schemas.xmlsoap.org/wsdl/", "http://schemas.xmlsoap.org/wsdl/"),
    "XML": ("http://www.w3.org/XML/1998/namespace", "http://www.w3.org/2001/xml.xsd"),
    "XML without an address": ("http://www.w3.org/XML/1998/namespace", ""),
    "XML Schema": ("http://www.w3.org/2001/XMLSchema", "http://www.w3.org/2001/XMLSchema.xsd"),
}


@pytest.mark.parametrize("which", IMPORTS)
def test_a_well_known_schema_is_answered_from_here_wherever_a_wsdl_says_it_lies(tmp_path, which):
    namespace, location = IMPORTS[which]
    where = f'schemaLocation="{location}"' if location else ""
    imported = f'<types><xsd:schema><xsd:import namespace="{namespace}" {where}/></xsd:schema>'.encode()
    (tmp_path / "pabx.wsdl").write_bytes(WSDL.read_bytes().replace(b"<types>", imported))
    with closing(soap(**CALL | {"wsdl": str(tmp_path / "pabx.wsdl")})) as speaking:
        assert head_and_body(speaking)[1].findtext(".//{*}to") == "04799998888"


def test_a_schema_that_nobody_knows_is_not_made_up():
    assert known_schema("http://elsewhere.example/types.xsd") is None


def test_a_wsdl_in_latin_1_that_only_its_http_header_declares_loads():
    wsdl = WCONNECT.read_text(encoding="utf-8").replace(' encoding="ISO-8859-1"', "").encode("latin-1")
    with serving(answer("200 OK", wsdl, "text/xml; charset=ISO-8859-1")) as peer:
        with closing(soap(**GET_CONTAS | {"wsdl": peer.address + "/wconnect?wsdl"})) as speaking:
            head_and_body(speaking)
        assert len(peer.requests) == 1


def charset_answer(charset: str, declaration: str, really: str):
    called = '<t:Called xmlns:t="urn:test-pabx"><t:code>0</t:code><t:callId>ligação</t:callId></t:Called>'
    body = (declaration + envelope(called)).encode(really)
    return answer("200 OK", body, f"text/xml; charset={charset}" if charset else "text/xml")


@pytest.mark.parametrize(
    ("charset", "declaration", "really"),
    [
        ("ISO-8859-1", "", "latin-1"),
        ('"iso-8859-1"', '<?xml version="1.0"?>', "latin-1"),
        ("", '<?xml version="1.0" encoding="ISO-8859-1"?>', "latin-1"),
        ("utf-8", '<?xml version="1.0" encoding="ISO-8859-1"?>', "utf-8"),
        ("ISO-8859-1", "", "utf-8"),
        ("utf-8", '<?xml version="1.0" encoding="UTF-8"?>', "latin-1"),
        ("windows-1252", "\r\n", "cp1252"),
        ("utf-16", "", "utf-16"),
        ("nonsense-7", "", "utf-8"),
        ("", "", "latin-1"),
    ],
)
def test_an_answer_is_read_in_the_charset_it_is_really_in(charset, declaration, really):
    with serving(charset_answer(charset, declaration, really)) as peer:
        settings = {"address": peer.address, "result_path": "callId", "success": "^ligação$"}
        with closing(soap(**CALL | settings)) as speaking:
            assert speaking.deliver(DIAL).outcome is Outcome.ACCEPTED
