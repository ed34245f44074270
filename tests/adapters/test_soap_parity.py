"""What the harness in tests/parity found: envelopes that went out otherwise than PHP's, re-made small."""

import re
from contextlib import closing

import pytest

from gateway.errors import AdapterError
from tests.adapters.dialects import DIAL
from tests.adapters.test_soap_field import DOCUMENT, FIELD, dialer, expected, sent

ENC_11 = "http://schemas.xmlsoap.org/soap/encoding/"
ENC_12 = "http://www.w3.org/2003/05/soap-encoding"
NAMES = (
    f'xmlns:i="http://www.w3.org/2001/XMLSchema-instance" xmlns:x="http://www.w3.org/2001/XMLSchema" xmlns:t="urn:pbx" '
    f'xmlns:e="{ENC_11}" xmlns:f="{ENC_12}" xmlns:a="http://xml.apache.org/xml-soap"'
)
QUALIFIED = 'xmlns="urn:pbx"'


def texts(*values: object) -> str:
    return "".join(f'<item i:type="x:string">{value}</item>' for value in values)


@pytest.mark.parametrize(
    ("operation", "arguments", "inner"),
    [
        ("two", {"b": "1", "a": "2"}, f"<B {QUALIFIED}>1</B><A {QUALIFIED}>2</A>"),
        ("one", {"b": "1"}, f"<B {QUALIFIED}>1</B>"),
        ("none", {}, ""),
        ("only", {"a": "1"}, f"<A {QUALIFIED}>1</A>"),
        ("hdr", {"a": "1", "b": "2"}, f"<A {QUALIFIED}>1</A><B {QUALIFIED}>2</B>"),
        ("rpc", {"a": "1", "b": "2"}, '<n:rpc xmlns:n="urn:n"><a>1</a><b>2</b></n:rpc>'),
    ],
)
def test_the_body_holds_the_parts_that_the_binding_names_in_its_order(operation, arguments, inner):
    """Of several names zeep took none, and sent all parts; a header that had the only part left the Body empty."""
    assert sent("header-of-the-message", arguments, operation=operation) == expected(inner)


@pytest.mark.parametrize(("operation", "arguments"), [("one", {"a": "1"}), ("none", {"a": "1"}), ("rpc", {"s": "1"})])
def test_a_part_that_the_body_does_not_name_is_refused_where_it_is_given(operation, arguments):
    with pytest.raises(AdapterError, match="do not fit"):
        sent("header-of-the-message", arguments, operation=operation)


def test_a_part_that_the_message_lacks_costs_its_operation_and_is_named(tmp_path):
    wsdl = (FIELD / "header-of-the-message.wsdl").read_text().replace('parts="b a"', 'parts="b nobody"')
    (tmp_path / "w.wsdl").write_text(wsdl)
    with closing(dialer("", {"a": "1"}, wsdl=str(tmp_path / "w.wsdl"), operation="two")) as speaking:
        assert "its soap:body names the part 'nobody'; its message has: s, a, b" in str(speaking.probe().text)
    assert sent("", {"b": "1"}, wsdl=str(tmp_path / "w.wsdl"), operation="one")


@pytest.mark.parametrize(
    ("operation", "arguments", "inner"),
    [
        ("Seq", {"a": "1", "b": "2"}, "<a>1</a><b>2</b>"),
        ("Seq", {"a": ["1", "3"], "b": ["2", "4"]}, "<a>1</a><b>2</b><a>3</a><b>4</b>"),
        ("Cho", {"x": "0", "a": ["1", "2"], "b": "3"}, "<x>0</x><a>1</a><a>2</a><b>3</b>"),
        ("Top", {"b": "{{ number }}"}, "<b>04799998888</b>"),
        ("In", {"b": "1", "c": "2"}, "<b>1</b><c>2</c>"),
        ("Empty", {"all": {}}, "<all/>"),
        ("Empty", {"one": ""}, "<one/>"),
    ],
)
def test_members_of_a_choice_or_a_group_that_repeats_are_given_by_their_names(operation, arguments, inner):
    """zeep takes them under ``_value_1`` only, and drops what is empty in a choice without a word."""
    inner = f"<{operation} {QUALIFIED}>{inner}</{operation}>"
    assert sent("repeated-groups", arguments, operation=operation) == expected(inner)


def test_attributes_that_a_type_adds_to_one_of_attributes_are_given_by_their_names():
    body = sent("repeated-groups", {"id": "7", "line": 3}, operation="Attributed")
    assert body == expected(f'<Attributed {QUALIFIED} id="7" line="3"/>')


@pytest.mark.parametrize(
    ("operation", "arguments", "inner"),
    [
        ("Rules", {"rules": {}}, "<rules/>"),
        (
            "Rules",
            {"rules": {"within": [{"number": "1"}, {}]}},
            "<rules><within><number>1</number></within><within/></rules>",
        ),
        ("Open", {"open": {}}, "<open/>"),
    ],
)
def test_a_table_without_members_is_an_element_without_content(operation, arguments, inner):
    """Of a choice that repeats, and of one of anything, zeep stumbled over it."""
    inner = f"<{operation} {QUALIFIED}>{inner}</{operation}>"
    assert sent("empty-and-twice", arguments, operation=operation) == expected(inner)


@pytest.mark.parametrize(
    ("operation", "arguments", "inner"),
    [
        ("Twice", {"a": "1", "b": "2"}, "<a>1</a><b>2</b><a>1</a>"),
        ("Twice", {"a": "1", "b": "2", "a__1": "3"}, "<a>1</a><b>2</b><a>3</a>"),
        ("Lists", {"a": ["1", "3"], "b": "2"}, "<a>1</a><a>3</a><b>2</b><a>1</a><a>3</a>"),
        ("Branches", {"a": "1", "b": "2"}, "<a>1</a><b>2</b>"),
    ],
)
def test_a_member_that_stands_twice_goes_out_in_both_places(operation, arguments, inner):
    """As PHP has it; zeep sent one, or wanted a name of its own for the other."""
    inner = f"<{operation} {QUALIFIED}>{inner}</{operation}>"
    assert sent("empty-and-twice", arguments, operation=operation) == expected(inner)


def test_attributes_of_groups_within_groups_are_sent():
    """PHP loses those of the innermost, where a group of an earlier place leads to its group (see known.toml)."""
    arguments = {"T": {"Code": "c", "Am": "1", "Cur": "BRL"}, "U": {"Am": "1", "Cur": "BRL"}}
    inner = f'<D {QUALIFIED}><T Code="c" Am="1" Cur="BRL"/><U Am="1" Cur="BRL"/></D>'
    assert sent("attribute-groups", arguments, operation="D") == expected(inner)


ROWS = [["1", "2", "3"], ["4", "5", "6"]]


@pytest.mark.parametrize(
    ("name", "arguments", "inner"),
    [
        ("two-dimensions", {"table": ROWS}, f'<table e:arrayType="x:string[2,3]">{texts(*range(1, 7))}</table>'),
        ("two-dimensions", {"table": []}, '<table e:arrayType="x:string[0,0]"/>'),
        (
            "arrays-of-arrays",
            {"table": [["1", "2"], ["3"]]},
            f'<table e:arrayType="x:string[][2]"><item e:arrayType="x:string[2]">{texts(1, 2)}</item>'
            f'<item e:arrayType="x:string[1]">{texts(3)}</item></table>',
        ),
        (
            "arrays-in-soap-12",
            {"table": ROWS, "row": ["1"]},
            f'<table f:itemType="x:string" f:arraySize="2 3">{texts(*range(1, 7))}</table>'
            f'<row f:itemType="x:string" f:arraySize="1">{texts(1)}</row>',
        ),
        (
            "apache-map",
            {"table": {"n": "{{ number }}", "m": {"c": 1}}},
            '<table i:type="a:Map"><item><key i:type="x:string">n</key><value i:type="x:string">04799998888</value>'
            '</item><item><key i:type="x:string">m</key><value i:type="a:Map"><item><key i:type="x:string">c</key>'
            '<value i:type="x:int">1</value></item></value></item></table>',
        ),
    ],
)
def test_arrays_and_maps_go_out_as_their_encoding_has_them(name, arguments, inner):
    """Arrays of several dimensions were refused, those of SOAP 1.2 written in the terms of 1.1, maps as structures."""
    assert sent(name, arguments) == expected(f"<t:Dial {NAMES}>{inner}</t:Dial>")


def test_soap_12_arrays_name_the_encoding_of_soap_12():
    with closing(dialer("arrays-in-soap-12", {"table": ROWS, "row": ["1"]})) as speaking:
        envelope = speaking.preview(DIAL)[0].data.decode()
    assert re.search(rf'encodingStyle="{ENC_12}"', envelope)
    assert ":Array" in envelope
    assert "arrayType" not in envelope


@pytest.mark.parametrize(
    ("name", "table", "why"),
    [
        (
            "two-dimensions",
            [["1", "2"], ["3"]],
            "'table' is an array of several dimensions, and came with rows of diff",
        ),
        ("two-dimensions", ["1", "2"], "'table' is an array of several dimensions, so it takes lists of lists"),
        ("arrays-of-arrays", ["1"], "so it takes lists of lists"),
        ("apache-map", ["1"], "'table' is a Map, so it takes a table"),
        ("apache-map", "1", "'table' is a Map, so it takes a table"),
    ],
)
def test_an_array_or_a_map_that_came_as_something_else_is_refused(name, table, why):
    with pytest.raises(AdapterError, match=why):
        sent(name, {"table": table})


@pytest.mark.parametrize("name", ["import-other-namespace", "no-namespace", "any-as-type"])
def test_a_wsdl_that_php_loads_makes_the_envelope_that_it_describes(name):
    """An import that calls its file's namespace otherwise, a WSDL without one, and types that are spelt otherwise."""
    assert sent(name) == expected(DOCUMENT)


@pytest.mark.parametrize("namespace", ["urn:my pbx", "http://{{host}}/pbx"])
def test_a_namespace_that_cannot_be_written_is_named(tmp_path, namespace):
    wsdl = (FIELD / "one-way.wsdl").read_text().replace('"urn:pbx"', f'"{namespace}"')
    (tmp_path / "w.wsdl").write_text(wsdl)
    with closing(dialer("", wsdl=str(tmp_path / "w.wsdl"))) as speaking:
        assert f"the namespace '{namespace}' of 'Dial' is no URI and cannot be written" in str(speaking.probe().text)


def test_an_import_without_a_namespace_is_read_where_there_is_none(tmp_path):
    wsdl = (FIELD / "one-way.wsdl").read_text().replace('element="tns:', 'element="')
    wsdl = wsdl.replace(' targetNamespace="urn:pbx"><xs:element', '><xs:import schemaLocation="x.xsd"/><xs:element')
    (tmp_path / "w.wsdl").write_text(wsdl)
    (tmp_path / "x.xsd").write_text('<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"/>')
    assert sent("", wsdl=str(tmp_path / "w.wsdl")) == expected(DOCUMENT.replace(' xmlns="urn:pbx"', ""))


def test_the_schema_within_a_dataset_is_left_out(tmp_path):
    """zeep stumbled over it while it wrote."""
    members = '<xs:element ref="xs:schema"/><xs:any minOccurs="0"/>'
    dataset = f"<xs:complexType><xs:sequence>{members}</xs:sequence></xs:complexType>"
    wsdl = (FIELD / "one-way.wsdl").read_text()
    to = 'name="to" type="xs:string"/>'
    wsdl = wsdl.replace(to, f'{to}<xs:element name="d">{dataset}</xs:element>')
    (tmp_path / "w.wsdl").write_text(wsdl)
    body = sent("", {"from": "1", "to": "2", "d": {}}, wsdl=str(tmp_path / "w.wsdl"))
    assert body == expected('<Dial xmlns="urn:pbx"><from>1</from><to>2</to><d/></Dial>')


def test_a_port_without_a_binding_is_passed_over(tmp_path):
    wsdl = (
        (FIELD / "one-way.wsdl").read_text().replace('<wsdl:port name="Q"', '<wsdl:port name="X"/><wsdl:port name="Q"')
    )
    (tmp_path / "w.wsdl").write_text(wsdl)
    assert sent("", wsdl=str(tmp_path / "w.wsdl")) == expected(DOCUMENT)
