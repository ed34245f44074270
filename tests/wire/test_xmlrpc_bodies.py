"""XML-RPC bodies as phpxmlrpc tests them: read as they are meant, or refused with a sentence, never half of them."""

import codecs
import xmlrpc.client

import pytest

from gateway.domain.messages import CallEnded, CallStarted
from tests.wire import xmlrpc_shapes as shapes
from tests.wire.peers import Peer

APACHE = "http://ws.apache.org/xmlrpc/namespaces/extensions"
READ = shapes.BY_PHP_TOO | shapes.BY_US


def started(body: bytes | str, content_type: str = "text/xml") -> CallStarted:
    """What came in by ``body``."""
    peer = Peer()
    xmlrpc.client.loads(peer.post("/xmlrpc", data=body, content_type=content_type).data)
    (message,) = peer.core.messages
    assert isinstance(message, CallStarted)
    return message


def refused(body: bytes | str) -> xmlrpc.client.Fault:
    peer = Peer()
    with pytest.raises(xmlrpc.client.Fault) as raised:
        xmlrpc.client.loads(peer.post("/xmlrpc", data=body, content_type="text/xml").data)
    assert peer.core.messages == []
    return raised.value


@pytest.mark.parametrize("params", READ.values(), ids=READ.keys())
def test_a_call_is_read_however_its_client_writes_it(params: str) -> None:
    message = started(shapes.body(params))
    assert (message.ramal, message.telefone, message.call_ref) == (shapes.RAMAL, shapes.TELEFONE, None)


@pytest.mark.parametrize("attributes", [f' xmlns:ex="{APACHE}"', ' xmlns="urn:xmlrpc"'])
def test_names_are_read_without_their_namespaces(attributes: str) -> None:
    message = started(shapes.body(shapes.param("<ex:i8>3501</ex:i8>") + shapes.NUMBER, attributes=attributes))
    assert (message.ramal, message.telefone) == (shapes.RAMAL, shapes.TELEFONE)


def test_a_parameter_without_param_keeps_its_place() -> None:
    message = started(shapes.body(f"{shapes.param('3501')}<value>47</value>{shapes.param('17.1')}"))
    assert (message.telefone, message.call_ref) == ("47", "17.1")


@pytest.mark.parametrize(("params", "parent", "found"), shapes.REFUSED.values(), ids=shapes.REFUSED.keys())
def test_what_holds_more_than_a_value_is_refused_by_name(params: str, parent: str, found: str) -> None:
    fault = refused(shapes.body(params))
    assert fault.faultCode == 240
    assert parent in fault.faultString
    assert found in fault.faultString


@pytest.mark.parametrize("packed", ["!", "MzUwMQ=MzUw", "M", "===", "ação"])
def test_base64_that_has_no_meaning_is_refused_and_not_shortened(packed: str) -> None:
    fault = refused(shapes.body(shapes.param(f"<base64>{packed}</base64>") + shapes.NUMBER))
    assert (fault.faultCode, "base64" in fault.faultString) == (240, True)


def test_base64_of_the_other_alphabet_is_no_other_value() -> None:
    message = started(shapes.body(shapes.param("<base64>_-78_w</base64>") + shapes.NUMBER))
    assert message.ramal.encode("latin-1") == b"\xff\xee\xfc\xff"


@pytest.mark.parametrize("broken", ["<ex:i8>3501</ex:i4>", "<ex:i8 a='1' a='2'>3501</ex:i8>", "<ex:i8>3501"])
def test_what_is_no_xml_stays_refused_where_prefixes_are_not_declared(broken: str) -> None:
    assert refused(shapes.body(shapes.param(broken))).faultCode == 240


CHARSETS = {
    "utf-16": ("UTF-16", "recepção €"),
    "utf-16-le": ("UTF-16", "recepção €"),
    "utf-16-be": ("UTF-16", "recepção €"),
    "utf-32": ("UTF-32", "recepção €"),
    "utf-32-le": ("UTF-32", "recepção €"),
    "utf-32-be": ("UTF-32", "recepção €"),
    "utf-8-sig": ("UTF-8", "recepção €"),
    "iso-8859-1": ("ISO-8859-1", "recepção"),
    "iso-8859-15": ("ISO-8859-15", "recepção €"),
    "windows-1252": ("windows-1252", "recepção €"),
    "koi8-r": ("KOI8-R", "приёмная"),
    "gb2312": ("GB2312", "接待"),
    "gbk": ("GBK", "接待"),
    "gb18030": ("GB18030", "接待"),
    "big5": ("Big5", "接待"),
    "euc-jp": ("EUC-JP", "受付"),
    "shift_jis": ("Shift_JIS", "受付"),
    "euc-kr": ("EUC-KR", "접수"),
}


@pytest.mark.parametrize(("codec", "written", "text"), [(codec, *told) for codec, told in CHARSETS.items()])
def test_a_charset_is_read_from_the_declaration_and_from_the_header(codec: str, written: str, text: str) -> None:
    params = shapes.param(text) + shapes.NUMBER
    declared = shapes.body(params, declaration=f'<?xml version="1.0" encoding="{written}"?>')
    assert started(declared.encode(codec)).ramal == text
    assert started(shapes.body(params).encode(codec), f"text/xml; charset={written}").ramal == text


def test_a_document_type_is_refused_in_wide_characters_too() -> None:
    wide = '<!DOCTYPE x [<!ENTITY e "3501">]>' + shapes.body(shapes.param("&e;"), declaration="")
    for data in (codecs.BOM_UTF16_LE + wide.encode("utf-16-le"), wide.encode("utf-16-be"), wide.encode("utf-32")):
        assert "DOCTYPE" in refused(data).faultString


DATES = {
    "20260304T07:15:00": 1_772_619_300_000,
    "\n20260304T07:15:00\n": 1_772_619_300_000,
    "20260304T07:15:00Z": 1_772_608_500_000,
    "20260304T07:15:00-03:00": 1_772_619_300_000,
    "20260304T07:15:00+0100": 1_772_604_900_000,
    "20260304T071500": 1_772_619_300_000,
    "2026-03-04T07:15:00": 1_772_619_300_000,
    "20260304T07:15:00.5": 1_772_619_300_500,
    "00000000T00:00:00": None,
    "yesterday": None,
    "": None,
}


@pytest.mark.parametrize(("written", "moment"), DATES.items())
def test_a_date_is_read_in_all_its_shapes_and_a_wrong_one_costs_itself_only(written: str, moment: int | None) -> None:
    extras = shapes.param("17.1") + shapes.param(f"<dateTime.iso8601>{written}</dateTime.iso8601>")
    message = started(shapes.body(shapes.param("3501") + shapes.NUMBER + extras))
    assert (message.call_ref, message.occurred_at) == ("17.1", moment)


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("<int>75</int>", 75),
        ("<int>+75</int>", 75),
        ("<int>075</int>", 75),
        ("<double> +75.9 </double>", 75),
        ("<double>75.</double>", 75),
        ("<double>-75.0</double>", None),
        ("<double>7.5E+1</double>", None),
        ("<double>NaN</double>", None),
        ("<int>99999999999999999999</int>", None),
        ("<boolean>true</boolean>", None),
    ],
)
def test_a_duration_is_read_as_the_number_that_it_is(written: str, seconds: int | None) -> None:
    peer = Peer()
    params = shapes.param(f"<struct>{shapes.BOTH}{shapes.member('duracao', written)}</struct>")
    peer.post("/xmlrpc", data=shapes.body(params).replace("ConsultaRamal", "FinalizaLigacao"), content_type="text/xml")
    (message,) = peer.core.messages
    assert isinstance(message, CallEnded)
    assert message.duration_s == seconds


@pytest.mark.parametrize("kind", ["", "text/plain", "text/html; charset=none", "application/x-www-form-urlencoded"])
def test_the_media_type_does_not_matter(kind: str) -> None:
    assert started(shapes.body(shapes.param("3501") + shapes.NUMBER), kind).ramal == "3501"


def test_a_call_without_params_is_one_without_parameters() -> None:
    data = "<methodCall><methodName>Teste</methodName></methodCall>"
    ((answer,), _) = xmlrpc.client.loads(Peer().post("/xmlrpc", data=data).data)
    assert isinstance(answer, dict)
    assert answer["status"] == "OK"
