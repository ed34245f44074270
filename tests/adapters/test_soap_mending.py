"""Defects of WSDLs that other clients pass over: each is put right and listed, or costs only what needs it."""

from contextlib import closing
from pathlib import Path

import pytest

from adapters.http.client import Peer
from adapters.soap.description import Description
from adapters.soap.settings import SoapConfig
from gateway.errors import AdapterError
from gateway.texts.rendering import render
from gateway.texts.text import Text
from tests.adapters.dialects import DIAL
from tests.adapters.test_soap_field import DOCUMENT, FIELD, TYPED, dialer, expected, sent

ONE_WAY = (FIELD / "one-way.wsdl").read_text()
ENCODED = (FIELD / "integer-part.wsdl").read_text()
TEXT = 'name="to" type="xs:string"'
SIMPLE = "<xs:simpleType{}><xs:restriction{}>{}</xs:restriction></xs:simpleType>"


def listed(wsdl: Path) -> list[str]:
    """What the description of ``wsdl`` notes."""
    peer = Peer(SoapConfig(wsdl=str(wsdl), operation="x"), name="pabx")
    with closing(peer):
        return list(map(str, Description(str(wsdl), peer, peer.attempt()).notes()))


def saved(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "w.wsdl"
    path.write_text(text)
    return path


def schema_with(inner: str, text: str = ONE_WAY) -> str:
    return text.replace("</xs:schema>", f"{inner}</xs:schema>")


@pytest.mark.parametrize(
    ("text", "note"),
    [
        (ONE_WAY, ""),
        (
            ONE_WAY.replace('type="tns:P"', 'type="tns:P "'),
            "binding 'B': white space around type='tns:P ' is passed over",
        ),
        (
            ONE_WAY.replace('message="tns:I"', 'message="nobody:I"'),
            "portType 'P', operation 'Dial', input: message=\"nobody:I\" has a prefix that is declared nowhere",
        ),
        (
            ONE_WAY.replace('binding="tns:B"', 'binding="x:B" xmlns:x="urn:x"'),
            "binding 'B': it is referred to as {urn:x}B, and {urn:pbx}B is taken",
        ),
        (
            ONE_WAY.replace(TEXT, 'name="to" type="string"'),
            "element 'Dial', complexType, element 'to': type=\"string\" has no prefix, and is read as XML Schema's own",
        ),
        (ONE_WAY.replace(TEXT, 'name="to" type="xs:String"'), 'type="xs:String" is read as XML Schema\'s string'),
        (ONE_WAY.replace(TEXT, 'name="to" type="nobody:string"'), 'type="nobody:string" has a prefix that is declared'),
        (
            schema_with('<xs:element name="x" type="a:Vector" xmlns:a="http://xml.apache.org/xml-soap"/>'),
            "element 'x': type=\"a:Vector\" is a type of Apache's that nothing describes",
        ),
        (
            schema_with('<xs:complexType name="X"><v:hint xmlns:v="urn:v"/></xs:complexType>'),
            "complexType 'X', hint: it is no part of XML Schema (urn:v), and is passed over",
        ),
        (schema_with("<xs:string/>"), "string: it cannot be understood, and is passed over"),
        (schema_with("<wsdl:element name='x'/>"), "element 'x': it is not in XML Schema's namespace"),
        (schema_with("<xs:include/>"), "include: it has no schemaLocation, and is passed over"),
        (
            schema_with('<xs:element name="x" type="tns:Gone"/>'),
            "type 'Gone' of the namespace 'urn:pbx': nothing describes it",
        ),
        (
            ONE_WAY.replace("2001/XMLSchema", "1999/XMLSchema"),
            "definitions 'D': a draft of XML Schema is read as its final version",
        ),
        (
            ONE_WAY.replace(
                "<wsdl:service", "<wsdl:service name='X'><wsdl:port name='Y'/></wsdl:service><wsdl:service"
            ),
            "service 'X', port 'Y': it has no binding, and is left out",
        ),
        (
            ONE_WAY.replace("<wsdl:port ", "<wsdl:port name='Y' binding='tns:Gone'/><wsdl:port "),
            "service 'S', port 'Y': its binding {urn:pbx}Gone is described nowhere, and it is left out",
        ),
        (
            ONE_WAY.replace('message="tns:I"/>', 'message="tns:I"/><wsdl:fault name="F" message="tns:Gone"/>'),
            "portType 'P', operation 'Dial', fault 'F': its message 'tns:Gone' is described nowhere",
        ),
        (
            ONE_WAY.replace('<soap:binding style="document" transport="http://schemas.xmlsoap.org/soap/http"/>', ""),
            "binding 'B': it has no soap:binding as its operations have, and is read as one to SOAP 1.1",
        ),
        (
            ONE_WAY.replace("<wsdl:port ", '<wsdl:port v:x="1" ').replace("<wsdl:types>", "<wsdl:types>\n"),
            "definitions: Namespace prefix v for x on port is not defined, line 9",
        ),
    ],
)
def test_what_is_put_right_is_listed_with_its_file_and_part(tmp_path: Path, text: str, note: str) -> None:
    wsdl = saved(tmp_path, text)
    assert sent("", wsdl=str(wsdl)) == expected(DOCUMENT)
    found = listed(wsdl)
    assert [line for line in found if note in line] or (not note and not found), found
    assert all(line.startswith("w.wsdl: ") for line in found)


def test_repairs_of_imported_files_name_those(tmp_path: Path) -> None:
    schema = '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:b">{}</xs:schema>'
    (tmp_path / "b.xsd").write_text(schema.format('<xs:element name="e" type="String"/>'))
    wsdl = saved(
        tmp_path,
        ONE_WAY.replace('"urn:pbx"><xs:el', '"urn:pbx"><xs:import namespace="urn:c" schemaLocation="b.xsd"/><xs:el'),
    )
    assert listed(wsdl) == [
        "w.wsdl: import: it names the namespace 'urn:c', and its file has 'urn:b', which counts",
        "w.wsdl: type 'String' of the namespace None: nothing describes it: anything in an answer, and no value of it "
        "can be sent",
    ]


def test_an_operation_that_cannot_be_used_is_listed_and_named(tmp_path: Path) -> None:
    second = '<wsdl:operation name="Other"><wsdl:input message="tns:Gone"/></wsdl:operation></wsdl:portType>'
    bound = '<wsdl:operation name="Other"><soap:operation/><wsdl:input><soap:body use="literal"/></wsdl:input>'
    text = ONE_WAY.replace("</wsdl:portType>", second).replace(
        "</wsdl:binding>", f"{bound}</wsdl:operation></wsdl:binding>"
    )
    wsdl = saved(tmp_path, text)
    with closing(dialer("", wsdl=str(wsdl))) as speaking:
        probe = speaking.probe()
    assert str(probe.note) == "1 of the WSDL's operations cannot be used: Other (check -v says what)"
    why = "it cannot be used: the message 'tns:Gone' of its input is described nowhere"
    assert tuple(map(str, probe.notes)) == (f"w.wsdl: operation 'Other': {why}",)
    told = "1 das operações do WSDL não pode ser usada: Other (check -v diz o quê)"
    assert render(Text("{note}", note=probe.note), "pt-BR") == told
    assert "el mensaje 'tns:Gone' de su input no está descrito" in render(Text("{note}", note=probe.notes[0]), "es")
    assert sent("", wsdl=str(wsdl)) == expected(DOCUMENT)


def test_the_list_of_a_wsdl_that_is_wrong_in_every_line_ends_somewhere(tmp_path: Path) -> None:
    many = "".join(f'<xs:element name="x{number}" type="xs:String"/>' for number in range(3000))
    assert len(listed(saved(tmp_path, schema_with(many)))) == 1000


@pytest.mark.parametrize(
    "kind",
    [
        SIMPLE.format(' name="K"', ' base="xs:anyType"', ""),
        SIMPLE.format(' name="K"', "", '<xs:simpleType><xs:list itemType="xs:negativeInteger"/></xs:simpleType>'),
        SIMPLE.format(' name="K"', ' base="tns:L"', '<xs:maxLength value="3"/>')
        + '<xs:simpleType name="L"><xs:list itemType="xs:string"/></xs:simpleType>',
        SIMPLE.format(' name="K"', ' base="tns:K"', ""),
        '<xs:complexType name="K"><xs:simpleContent/></xs:complexType>',
    ],
)
def test_a_type_that_stops_zeep_costs_what_needs_it(tmp_path: Path, kind: str) -> None:
    """zeep took a list's name for its items' type, found no base for ``anyType``, and gave the whole WSDL up."""
    text = schema_with(f'{kind}<xs:element name="e" type="tns:K"/>')
    assert sent("", wsdl=str(saved(tmp_path, text))) == expected(DOCUMENT)


def test_a_restricted_list_takes_a_list(tmp_path: Path) -> None:
    kind = (
        SIMPLE.format(' name="K"', ' base="tns:L"', "")
        + '<xs:simpleType name="L"><xs:list itemType="xs:int"/></xs:simpleType>'
    )
    wsdl = saved(tmp_path, schema_with(kind, ONE_WAY.replace(TEXT, 'name="to" type="tns:K"')))
    body = sent("", {"from": "1", "to": [1, "2"]}, wsdl=str(wsdl))
    assert body == expected('<Dial xmlns="urn:pbx"><from>1</from><to>1 2</to></Dial>')
    with pytest.raises(AdapterError, match="'to' came as 'x', expected a whole number"):
        sent("", {"from": "1", "to": [1, "x"]}, wsdl=str(wsdl))


def test_a_redefined_file_is_included_as_it_is(tmp_path: Path) -> None:
    """As PHP has it; zeep refused the whole WSDL."""
    schema = '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:pbx">{}</xs:schema>'
    (tmp_path / "k.xsd").write_text(schema.format(SIMPLE.format(' name="K"', ' base="xs:string"', "")))
    redefined = SIMPLE.format(' name="K"', ' base="tns:K"', '<xs:maxLength value="3"/>')
    text = ONE_WAY.replace(
        '"urn:pbx"><xs:el', f'"urn:pbx"><xs:redefine schemaLocation="k.xsd">{redefined}</xs:redefine><xs:el'
    )
    wsdl = saved(tmp_path, text.replace(TEXT, 'name="to" type="tns:K"'))
    assert sent("", wsdl=str(wsdl)) == expected(DOCUMENT)
    assert listed(wsdl) == [
        "w.wsdl: redefine: its file is included as it is; what is changed in it is passed over, as PHP does"
    ]


def test_a_part_of_an_rpc_operation_may_refer_to_an_element_of_a_schema_without_a_namespace(tmp_path: Path) -> None:
    parts = '<wsdl:part name="from" element="tns:from"/><wsdl:part name="to" element="tns:to"/>'
    schema = '<xs:schema><xs:element name="from" type="xs:string"/><xs:element name="to" type="xs:string"/></xs:schema>'
    text = ONE_WAY.replace('<wsdl:part name="parameters" element="tns:Dial"/>', parts)
    text = text.replace("</wsdl:types>", f"{schema}</wsdl:types>").replace('style="document"', 'style="rpc"')
    text = text.replace('use="literal"', 'use="literal" namespace="urn:pbx"')
    wsdl = saved(tmp_path, text)
    assert sent("", wsdl=str(wsdl)) == expected(f"<t:Dial {TYPED}><from>2000</from><to>04799998888</to></t:Dial>")
    assert "element 'to' of the namespace 'urn:pbx': it is described without a namespace only" in "".join(listed(wsdl))
    # In a document it would go out under another name than the WSDL says.
    document = saved(tmp_path, text.replace('style="rpc"', 'style="document"'))
    with pytest.raises(
        AdapterError, match=r"the element {urn:pbx}from of its part is described without a namespace only"
    ):
        sent("", wsdl=str(document))


@pytest.mark.parametrize("namespace", ['namespace=""', ""])
def test_an_operation_whose_body_has_no_namespace_is_in_none(tmp_path: Path, namespace: str) -> None:
    """zeep stumbled over an empty one; what PHP writes for it is no XML."""
    text = ENCODED.replace('namespace="urn:pbx"', namespace)
    assert sent("", {"from": "1", "to": "2"}, wsdl=str(saved(tmp_path, text)))[0][0] == "Dial"


def test_soaps_own_base64_is_a_type(tmp_path: Path) -> None:
    """SOAP 1.1, 5.2.3: ``SOAP-ENC:base64``, which Axis 1 writes."""
    wsdl = saved(tmp_path, ENCODED.replace('type="xs:int"', 'type="soapenc:base64"'))
    from_ = '<from i:type="e:base64" xmlns:e="http://schemas.xmlsoap.org/soap/encoding/">w6E=</from>'
    inner = f'<t:Dial {TYPED}>{from_}<to i:type="x:string">1</to></t:Dial>'
    assert sent("", {"from": "w6E=", "to": "1"}, wsdl=str(wsdl)) == expected(inner)


@pytest.mark.parametrize(("settings", "host"), [({}, "first"), ({"port": "B"}, "second"), ({"service": "T"}, "second")])
def test_the_service_is_the_first_that_speaks_soap_or_that_has_the_port(tmp_path: Path, settings, host: str) -> None:
    ports = [
        f'<wsdl:service name="{service}"><wsdl:port name="{port}" binding="tns:{binding}">'
        f'<soap:address location="http://{host}/"/></wsdl:port></wsdl:service>'
        for service, port, binding, host in [
            ("R", "X", "Gone", "x"),
            ("S", "A", "B", "first"),
            ("T", "B", "B", "second"),
        ]
    ]
    text = ONE_WAY[: ONE_WAY.index("<wsdl:service")] + "".join(ports) + "</wsdl:definitions>"
    with closing(dialer("", wsdl=str(saved(tmp_path, text)), address="", **settings)) as speaking:
        assert speaking.preview(DIAL)[0].peer == f"{host}:80"


@pytest.mark.parametrize("use", ["literal", "encoded"])
@pytest.mark.parametrize("named", ["to", "target"])
def test_an_rpc_part_that_refers_to_an_element_is_called_by_its_own_name(tmp_path: Path, use: str, named: str) -> None:
    """WSDL 1.1, 3.5, and PHP; zeep calls it like the element, so that settings may, too."""
    element = (
        '<wsdl:types><xs:schema targetNamespace="urn:pbx"><xs:element name="target" type="xs:string"/></xs:schema>'
    )
    text = ENCODED.replace('<wsdl:message name="DialIn">', f'{element}</wsdl:types><wsdl:message name="DialIn">')
    text = text.replace('name="to" type="xs:string"', 'name="to" element="tns:target"')
    wsdl = saved(tmp_path, text.replace('use="encoded"', f'use="{use}"'))
    body = sent("", {"from": "1", named: "2"}, wsdl=str(wsdl))
    assert [(child[0], child[2]) for child in body[0][3]] == [("from", "1"), ("to", "2")]


@pytest.mark.parametrize(
    ("was", "becomes", "why"),
    [
        ('name="to" type="xs:string"', 'name="from" type="xs:string"', "its message has two parts called 'from'"),
        (
            "<wsdl:input><soap:body",
            "<wsdl:input><soap:nobody",
            "it has parts and no soap:body, so that nothing says how",
        ),
    ],
)
def test_an_operation_that_nobody_could_write_rightly_is_refused(
    tmp_path: Path, was: str, becomes: str, why: str
) -> None:
    """Of two parts one was sent, and without a soap:body none, without a word."""
    with pytest.raises(AdapterError, match=why):
        sent("", {}, wsdl=str(saved(tmp_path, ENCODED.replace(was, becomes))))


def test_a_namespace_with_braces_costs_only_what_is_in_it(tmp_path: Path) -> None:
    """WSDLs are published as templates that nobody filled in."""
    kind = (
        SIMPLE.format(' name="K"', ' base="tns:L"', "")
        + '<xs:simpleType name="L"><xs:list itemType="xs:int"/></xs:simpleType>'
    )
    other = f'<xs:schema targetNamespace="http://{{{{host}}}}/x">{kind}</xs:schema></wsdl:types>'
    wsdl = saved(tmp_path, ONE_WAY.replace("</wsdl:types>", other).replace('binding="tns:B"', 'binding="x:B"'))
    assert sent("", wsdl=str(wsdl)) == expected(DOCUMENT)
