"""What clients that encode by SOAP's section 5 send: references, structures, maps, arrays, nil, base64."""

import pytest
from structlog.testing import capture_logs

from gateway.domain.messages import CallEnded, CallStarted
from gateway.wire.soap.contract_encoded import PATH
from gateway.wire.soap.envelopes import SOAP_11, SOAP_12
from tests.loops import cpu_s, loops
from tests.wire.envelopes import SOAP_ENC, XSD, XSI, read_any_fault
from tests.wire.peers import Peer

PREFIXES = f'xmlns:i="{XSI}" xmlns:x="{XSD}" xmlns:enc="{SOAP_ENC}" xmlns:m="http://xml.apache.org/xml-soap"'
ENC_12 = "http://www.w3.org/2003/05/soap-encoding"
PATHS = pytest.mark.parametrize("path", [PATH, "/soap"])


def send(path: str, body: str, *, version: str = SOAP_11, action: str = "") -> tuple[Peer, bytes]:
    peer = Peer()
    envelope = f'<e:Envelope xmlns:e="{version}" {PREFIXES}><e:Body>{body}</e:Body></e:Envelope>'
    got = peer.post(path, data=envelope.encode(), content_type="text/xml", headers={"SOAPAction": action})
    return peer, got.data


def call(inner: str, beside: str = "") -> str:
    return f'<n:ConsultaRamal xmlns:n="urn:WConnect">{inner}</n:ConsultaRamal>{beside}'


MAP = (
    '<param0 i:type="m:Map"><item><key i:type="x:string">telefone</key><value>4732100123</value></item>'
    "<item><key>ramal</key><value>3501</value></item></param0>"
)
UNDERSTOOD = {
    "references of Axis 1": call(
        '<in0 href="#id0"/><in1 href="#id1"/>',
        '<multiRef id="id1" enc:root="0" i:type="x:string">4732100123</multiRef>'
        '<multiRef id="id0" enc:root="0" i:type="x:string">3501</multiRef>',
    ),
    "what is referred to stands first": '<multiRef id="r">3501</multiRef>'
    + call('<ramal href="#r"/><telefone>4732100123</telefone>'),
    "a structure behind a reference, as Delphi": call(
        '<Pedido href="#1"/>',
        '<n2:TPedido xmlns:n2="urn:x" id="1" i:type="n2:TPedido"><ramal>3501</ramal><telefone href="#2"/></n2:TPedido>'
        '<y id="2">4732100123</y>',
    ),
    "a reference to a reference": call(
        '<ramal href="#a"/><telefone>4732100123</telefone>', '<r id="a" href="#b"/><r id="b">3501</r>'
    ),
    "a structure": call("<Dados><telefone>4732100123</telefone><ramal>3501</ramal></Dados>"),
    "a map of PHP": call(MAP),
    "an array": call(
        '<lista i:type="enc:Array" enc:arrayType="x:string[2]"><item>3501</item><item>4732100123</item></lista>'
    ),
    "a value in a structure of its own": call("<ramal><value>3501</value></ramal><telefone>4732100123</telefone>"),
    "nil for what is optional": call(
        '<ramal>3501</ramal><telefone>4732100123</telefone><id_ligacao i:nil="true"/><data_hora i:nil="1"/>'
    ),
    "nil keeps its position": call(
        "<param0>3501</param0><param1>4732100123</param1>" + '<param2 i:nil="true"/><param3 i:nil="true"/>'
    ),
    "base64": call(
        '<ramal i:type="x:base64Binary">MzUwMQ==</ramal><telefone i:type="enc:base64">NDczMjEwMDEyMw==</telefone>'
    ),
    "types that are guessed": call('<ramal i:type="x:int">3501</ramal><telefone i:type="x:long">4732100123</telefone>'),
}


@PATHS
@pytest.mark.parametrize("body", UNDERSTOOD.values(), ids=UNDERSTOOD.keys())
def test_what_section_5_encoders_write_is_understood(path: str, body: str) -> None:
    peer, _ = send(path, body)
    (message,) = peer.core.messages
    assert isinstance(message, CallStarted)
    assert (message.ramal, message.telefone, message.call_ref) == ("3501", "4732100123", None)


@PATHS
def test_soap_1_2_refers_by_attributes_of_its_encoding(path: str) -> None:
    inner = f'<ramal xmlns:c="{ENC_12}" c:ref="a"/><telefone>4732100123</telefone>'
    peer, _ = send(path, call(inner, f'<r xmlns:c="{ENC_12}" c:id="a">3501</r>'), version=SOAP_12)
    assert peer.core.messages[0].ramal == "3501"  # type: ignore[union-attr]


@PATHS
def test_a_structure_without_the_operation_s_element_is_found_by_the_soap_action(path: str) -> None:
    peer, _ = send(path, MAP, action='"urn:WConnect#ConsultaRamal"')
    assert peer.core.messages[0].ramal == "3501"  # type: ignore[union-attr]


@PATHS
def test_an_empty_body_calls_what_the_soap_action_names(path: str) -> None:
    assert b"cti-gateway " in send(path, "", action='"urn:WConnect#Teste"')[1]
    assert read_any_fault(send(path, "", action='"urn:WConnect#ConsultaRamal"')[1]).number == 210
    assert read_any_fault(send(path, "")[1]).number == 240


@PATHS
def test_phone_numbers_keep_their_plus_and_zeros_whatever_type_is_claimed(path: str) -> None:
    peer, _ = send(path, call('<ramal i:type="x:int">0035</ramal><telefone i:type="x:int">+5547</telefone>'))
    message = peer.core.messages[0]
    assert isinstance(message, CallStarted)
    assert (message.ramal, message.telefone) == ("0035", "+5547")


@PATHS
def test_base64_may_hold_latin_1(path: str) -> None:
    body = call('<ramal i:type="x:base64Binary">Sm9z6Q==</ramal><telefone>47</telefone>')
    assert send(path, body)[0].core.messages[0].ramal == "José"  # type: ignore[union-attr]


@PATHS
def test_an_unencoded_end_in_a_structure_brings_its_recording(path: str) -> None:
    inner = "<d><ramal>3501</ramal><telefone>47</telefone><url_audio>http://pbx/a.wav</url_audio></d>"
    peer, _ = send(path, f"<FinalizaLigacao>{inner}</FinalizaLigacao>")
    message = peer.core.messages[0]
    assert isinstance(message, CallEnded)
    assert message.recording_url == "http://pbx/a.wav"


def chain(length: int) -> str:
    links = "".join(f'<s id="s{n}"><x href="#s{n + 1}"/></s>' for n in range(length))
    return call('<d href="#s0"/>', links + f'<s id="s{length}"><ramal>3501</ramal></s>')


TENFOLD = "".join(f'<s id="s{n}">' + f'<x href="#s{n + 1}"/>' * 10 + "</s>" for n in range(9))
BOMB = call('<d href="#s0"/>', TENFOLD + '<s id="s9">1</s>')
REFUSED = {
    "leads to nothing": call('<ramal href="#x"/><telefone>47</telefone>'),
    "leads to itself": call('<ramal id="a" href="#a"/>'),
    "in a circle": call('<ramal href="#a"/>', '<r id="a" href="#b"/><r id="b" href="#a"/>'),
    "a structure that holds itself": call('<d href="#a"/>', '<s id="a"><x href="#a"/></s>'),
    "a map that holds itself": call('<d href="#a"/>', '<s id="a"><item><key>k</key><value href="#a"/></item></s>'),
    "a parameter that holds itself": call('<ramal href="#a"/>', '<s id="a"><ramal href="#a"/></s>'),
    "a long chain": chain(900),
    "more values than memory": BOMB,
}


@PATHS
@pytest.mark.parametrize("body", REFUSED.values(), ids=REFUSED.keys())
def test_references_that_lead_nowhere_or_never_end_are_the_clients_fault(path: str, body: str) -> None:
    peer, data = send(path, body)
    fault = read_any_fault(data)
    assert (fault.code, fault.number) == ("soap:Client", 240)
    assert not peer.core.messages


MANY = '<x href="#a"/>' * 20_000
COSTLY = {
    "many references to a long chain": call(
        '<x href="#r0"/>' * 3000, "".join(f'<r id="r{n}" href="#r{n + 1}"/>' for n in range(20_000))
    ),
    "many references to a wide structure": call(MANY, f'<s id="a">{"<y/>" * 100_000}</s>'),
    "many references to a long text": call(MANY, f'<s id="a" i:type="x:base64Binary">{"QUFB" * 150_000}</s>'),
}


@pytest.mark.parametrize("body", COSTLY.values(), ids=COSTLY.keys())
def test_references_cannot_make_a_body_costly(body: str) -> None:
    def ask() -> None:
        _, data = send(PATH, body)
        assert read_any_fault(data).number == 240

    assert loops(lambda: cpu_s(ask), most=20) < 20


@PATHS
def test_a_reference_is_looked_for_only_where_there_is_one(path: str) -> None:
    peer, _ = send(path, call("<ramal>3501</ramal><telefone>47</telefone>", '<r id="a" href="#nada"/>'))
    assert len(peer.core.messages) == 1


@PATHS
def test_a_parameter_with_two_values_is_named_in_the_log(path: str) -> None:
    with capture_logs() as logs:
        peer, _ = send(
            path, call("<ramal>3501</ramal><telefone>47</telefone><ramal>3502</ramal><telefone>47</telefone>")
        )
    assert [entry["parameters"] for entry in logs if entry["event"] == "parameter_given_twice"] == [["ramal"]]
    (message,) = peer.core.messages
    assert isinstance(message, CallStarted)
    assert message.ramal == "3501"
