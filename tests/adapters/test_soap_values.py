"""Values that do not fit the type that the WSDL has for them: refused with a sentence that names the part."""

import re
from pathlib import Path

import pytest

from gateway.errors import AdapterError
from tests.adapters.test_soap_field import FIELD, expected, sent

TEXT = (FIELD / "values.wsdl").read_text()
PARTY = "'{}' is a structure, so it takes a table"
MODES = "came as 'x', expected one of: ring, auto"
EVERYWHERE = [
    ({"from": "123.5"}, "'from' came as '123.5', expected a whole number (int)"),
    ({"from": ["1", "2"]}, "'from' takes one text or number, and came as a list or a table"),
    ({"from": {"a": 1}}, "'from' takes "),
    ({"mode": "x"}, f"'mode' {MODES}"),
    ({"modes": ["ring", "x"]}, f"'modes' {MODES}"),
    ({"modes": "ring x"}, f"'modes' {MODES}"),
    ({"modes": {"a": 1}}, "'modes' takes "),
    ({"either": "x"}, "'either' came as 'x', expected a whole number (int) or one of: ring, auto"),
    ({"party": "text"}, PARTY.format("party")),
    ({"party": 5}, PARTY.format("party")),
    ({"party": True}, PARTY.format("party")),
    ({"party": ["text"]}, PARTY.format("party")),
    ({"party": [{"number": "1"}]}, PARTY.format("party")),
    ({"party": {"number": "1", "line": "x"}}, "'line' came as 'x', expected a whole number (int)"),
    ({"party": {"number": "1", "mode": "x"}}, f"'mode' {MODES}"),
    ({"party": {"number": {"x": 1}}}, "'number' takes "),
    ({"party": {"nummer": "1"}}, "there is no 'nummer'; there are: number, line, mode"),
    ({"party": {"line": "1"}}, "number"),
    ({"parties": "text"}, PARTY.format("parties")),
    ({"parties": [{"number": "1"}, "x"]}, PARTY.format("parties")),
    ({"parties": [[{"number": "1"}]]}, PARTY.format("parties")),
    ({"note": "x"}, "'note' came as 'x', expected a whole number (int)"),
    ({"note": {"_value_1": "x"}}, "came as 'x', expected a whole number (int)"),
    ({"note": {"_value_1": "1", "when": "heute"}}, "'when' came as 'heute', expected a date such as 2026-11-30 (date)"),
    ({"day": "heute"}, "'day' came as 'heute', expected a date such as 2026-11-30 (date)"),
    ({"day": "2026-02-30"}, "'day' came as '2026-02-30', expected a date"),
    (
        {"at": "2026-11-30 10:15"},
        "'at' came as '2026-11-30 10:15', expected a date with a time such as 2026-11-30T10:15:00",
    ),
    ({"at": "2026-02-30T10:15:00"}, "'at' came as "),
    ({"clock": "25:00:00"}, "'clock' came as '25:00:00', expected a time such as 10:15:00 (time)"),
    ({"wait": "5 min"}, "'wait' came as '5 min', expected a duration such as PT5M (duration)"),
    ({"hex": "ABC"}, "'hex' came as 'ABC', expected hexadecimal digits (hexBinary)"),
    ({"b64": "***"}, "'b64' came as '***', expected base64 (base64Binary)"),
    ({"flag": "sim"}, "'flag' came as 'sim', expected true or false (boolean)"),
    ({"ints": ["1", "x"]}, "'ints' came as 'x', expected a whole number (int)"),
    ({"ints": [["1"]]}, "'ints' takes one text or number, and came as a list or a table"),
    ({"ints": ["1", "2", "3", "4"]}, "ints"),
    ({"nobody": "1"}, "there is no 'nobody'; there are: from, mode, modes"),
]
RIGHT = [
    ({"mode": "auto"}, "<mode>auto</mode>"),
    ({"mode": ""}, "<mode/>"),
    ({"modes": ["ring", "auto"]}, "<modes>ring auto</modes>"),
    ({"either": "5"}, "<either>5</either>"),
    ({"either": "ring"}, "<either>ring</either>"),
    ({"party": {"number": "1", "mode": "ring"}}, '<party mode="ring"><number>1</number></party>'),
    ({"parties": {"number": "1"}}, "<parties><number>1</number></parties>"),
    ({"note": "7"}, "<note>7</note>"),
    ({"day": "2028-02-29-03:00"}, "<day>2028-02-29-03:00</day>"),
    ({"day": ""}, "<day/>"),
    ({"at": "2026-11-30T24:00:00.5Z"}, None),
    ({"at": "2026-11-30T10:15:00.5-03:00"}, "<at>2026-11-30T10:15:00.5-03:00</at>"),
    ({"clock": "23:59:59Z"}, "<clock>23:59:59Z</clock>"),
    ({"wait": "-P1Y2M3DT4H5M6.7S"}, "<wait>-P1Y2M3DT4H5M6.7S</wait>"),
    ({"wait": "P"}, None),
    ({"wait": "PT"}, None),
    ({"hex": "0aF9"}, "<hex>0aF9</hex>"),
    ({"b64": " w6E= "}, "<b64>w6E=</b64>"),
    ({"ints": ["1", 2]}, "<ints>1</ints><ints>2</ints>"),
    ({"month": "2026-13"}, None),
    ({"month": "2026-11"}, "<month>2026-11</month>"),
    ({"box": ["1", "2"]}, "<box><line>1</line><line>2</line></box>"),
    ({"box": {"line": ["1", "2"]}}, "<box><line>1</line><line>2</line></box>"),
    ({"box": ["x"]}, None),
]


@pytest.fixture(scope="module")
def encoded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same types, rpc and encoded."""
    text = TEXT.replace('element="tns:Dial"', 'type="tns:DialT"').replace('style="document"', 'style="rpc"')
    text = text.replace('<xs:element name="Dial"><xs:complexType>', '<xs:complexType name="DialT">')
    text = text.replace("</xs:complexType></xs:element></xs:schema>", "</xs:complexType></xs:schema>")
    path = tmp_path_factory.mktemp("values") / "encoded.wsdl"
    style = "http://schemas.xmlsoap.org/soap/encoding/"
    path.write_text(text.replace('use="literal"', f'use="encoded" namespace="urn:pbx" encodingStyle="{style}"'))
    return path


@pytest.mark.parametrize(("arguments", "why"), EVERYWHERE)
def test_a_value_that_does_not_fit_its_type_is_refused_with_its_part(encoded: Path, arguments, why: str) -> None:
    """In literal bodies zeep sent a text for a structure as its first member, and any text as a date."""
    with pytest.raises(AdapterError, match=re.escape(why)):
        sent("values", arguments)
    with pytest.raises(AdapterError, match=re.escape(why)):
        sent("", {"parameters": arguments}, wsdl=str(encoded))


@pytest.mark.parametrize(("arguments", "inner"), RIGHT)
def test_a_value_that_fits_goes_out_as_it_is(arguments, inner: str | None) -> None:
    if inner is None:
        with pytest.raises(AdapterError):
            sent("values", arguments)
    else:
        assert sent("values", arguments) == expected(f'<Dial xmlns="urn:pbx">{inner}</Dial>')


@pytest.mark.parametrize("value", [{"x": 1}, ["1", "2"]])
def test_of_anything_in_a_literal_body_only_a_text_can_be_written(value) -> None:
    """zeep wrote what Python shows of it: ``{'x': 1}``."""
    with pytest.raises(AdapterError, match="'any' may be anything, so it takes a text"):
        sent("values", {"any": value})


def test_an_array_of_structures_of_soaps_encoding_in_a_literal_body_is_refused(tmp_path: Path) -> None:
    (tmp_path / "w.wsdl").write_text(TEXT.replace('name="box" type="tns:Box"', 'name="array" type="tns:Parties"'))
    with pytest.raises(AdapterError, match="'array' is an array of SOAP's encoding in a literal body"):
        sent("", {"array": [{"number": "1"}]}, wsdl=str(tmp_path / "w.wsdl"))
