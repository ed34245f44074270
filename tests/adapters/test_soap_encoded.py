"""rpc/encoded requests: every value typed, arrays with their size, as the binding's use="encoded" promises."""

from contextlib import closing

import pytest

from gateway.errors import AdapterError
from tests.adapters.bad_peers import answer, serving
from tests.adapters.dialects import DIAL
from tests.adapters.field import GET_CONTAS, SOAP_11, WCONNECT, envelope, head_and_body, soap, webdialer

XSI = "{http://www.w3.org/2001/XMLSchema-instance}"
ENCODING = "http://schemas.xmlsoap.org/soap/encoding/"


def types(operation) -> dict[str, str]:
    """Each element's xsi:type by its name, prefixes resolved."""
    found = {}
    for element in operation.iterdescendants():
        prefix, _, local = element.get(f"{XSI}type", "").partition(":")
        found[element.tag] = f"{{{element.nsmap[prefix]}}}{local}" if local else ""
    return found


def test_every_part_of_a_webdialer_call_says_its_type():
    with closing(soap(**webdialer())) as speaking:
        head, body = head_and_body(speaking)
        assert "s3nha" not in speaking.preview(DIAL)[0].shown()
    call = body.find(".//{urn:WD70}makeCallSoap")
    text = "{http://www.w3.org/2001/XMLSchema}string"
    assert 'SOAPAction: ""' in head
    assert call.get(f"{{{SOAP_11}}}encodingStyle") == ENCODING
    assert [part.tag for part in call] == ["in0", "in1", "in2"]
    assert (
        types(call).items()
        >= {
            "in0": "{urn:WD70}Credential",
            "password": text,
            "in1": f"{{{ENCODING}}}string",
            "in2": "{urn:WD70}UserProfile",
            "lineNumber": text,
            "supportEM": "{http://www.w3.org/2001/XMLSchema}boolean",
        }.items()
    )
    assert (call.findtext("in0/password"), call.findtext("in2/supportEM")) == ("s3nha<&>", "false")


def get_contas(wsdl=WCONNECT, **parameters):
    known = {"UsuarioLogin": "gw", "UsuarioSenha": "s"}
    arguments = {"Parametros": {**known, **parameters}}
    with closing(soap(**GET_CONTAS | {"arguments": arguments, "wsdl": str(wsdl)})) as speaking:
        return head_and_body(speaking)[1].find(".//Parametros")


@pytest.mark.parametrize(("phones", "size"), [([], 0), (["1", "2"], 2)])
def test_an_array_says_what_and_how_many_it_holds(phones, size):
    array = get_contas(ContasTelefones=phones).find("ContasTelefones")
    assert array.get(f"{{{ENCODING}}}arrayType") == f"xsd:string[{size}]"
    assert array.get(f"{XSI}type") == "soapenc:Array"
    assert [item.text for item in array] == phones


def test_an_array_of_structures_types_each_of_them(tmp_path):
    wsdl = WCONNECT.read_bytes().replace(b"xsd:string[]", b"tns:ContasDados[]")
    (tmp_path / "wconnect.wsdl").write_bytes(wsdl)
    accounts = [{"contaId": 7, "contaNome": "Ana"}]
    array = get_contas(tmp_path / "wconnect.wsdl", ContasTelefones=accounts).find("ContasTelefones")
    assert array.get(f"{{{ENCODING}}}arrayType").endswith(":ContasDados[1]")
    assert types(array) | {"item": ""} == {
        "item": "",
        "contaId": "{http://www.w3.org/2001/XMLSchema}int",
        "contaNome": "{http://www.w3.org/2001/XMLSchema}string",
    }


@pytest.mark.parametrize(
    ("value", "kind"),
    [("x", "string"), (7, "int"), (True, "boolean"), (1.5, "double"), (["x"], "Array"), ({"a": 1}, "")],
)
def test_a_value_of_any_type_says_the_type_it_has(tmp_path, value, kind):
    wsdl = WCONNECT.read_bytes().replace(b'name="ContasId" type="xsd:int"', b'name="ContasId" type="xsd:anyType"')
    (tmp_path / "wconnect.wsdl").write_bytes(wsdl)
    element = get_contas(tmp_path / "wconnect.wsdl", ContasId=value).find("ContasId")
    assert element.get(f"{XSI}type", "").rpartition(":")[2] == kind


def test_nothing_is_sent_as_nil():
    assert get_contas(ContasId=None).find("ContasId").get(f"{XSI}nil") == "true"


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ({"Parametro": {}}, "no 'Parametro'; there are: Parametros"),
        ({}, "'Parametros' is missing"),
        ({"Parametros": {"UsuarioLogin": "gw"}}, "'UsuarioSenha' is missing"),
        ({"Parametros": "gw"}, "'Parametros' is a structure"),
        ({"Parametros": {"UsuarioLogin": {"a": 1}, "UsuarioSenha": "s"}}, "'UsuarioLogin' takes a text"),
        ({"Parametros": {"UsuarioLogin": "g", "UsuarioSenha": "s", "ContasTelefones": "1"}}, "is an array"),
    ],
)
def test_arguments_that_do_not_fit_the_types_are_explained(arguments, why):
    with closing(soap(**GET_CONTAS | {"arguments": arguments})) as speaking, pytest.raises(AdapterError, match=why):
        speaking.preview(DIAL)


def test_a_literal_binding_is_sent_without_types(tmp_path):
    (tmp_path / "literal.wsdl").write_bytes(WCONNECT.read_bytes().replace(b'use="encoded"', b'use="literal"'))
    parameters = get_contas(tmp_path / "literal.wsdl")
    assert set(types(parameters).values()) == {""}
    assert parameters.findtext("UsuarioLogin") == "gw"


def test_an_encoded_preview_is_byte_for_byte_what_a_delivery_sends():
    crm = serving(answer("200 OK", envelope("<r><a>1</a></r>").encode(), "text/xml"))
    with crm as peer, closing(soap(**GET_CONTAS, address=peer.address + "/x")) as speaking:
        shown = speaking.preview(DIAL)
        assert speaking.deliver(DIAL).outcome == "accepted"
        assert [request.data for request in shown] == peer.requests
