"""Header blocks with mustUnderstand: passed over with a line in the log, or refused, as the company has it set.

The shapes are those of the W3C's SOAP 1.2 test collection (XMLP-*, T*), made anew for our operations.
"""

from typing import Any

import pytest
from lxml import etree
from structlog.testing import capture_logs

from gateway.wire.soap.contract import NAMESPACE
from gateway.wire.soap.contract_encoded import PATH
from gateway.wire.soap.envelopes import SOAP_11, SOAP_12
from tests.wire.envelopes import CONTENT_TYPES, read_fault
from tests.wire.peers import Peer

NEXT_11 = "http://schemas.xmlsoap.org/soap/actor/next"
ROLE = f"{SOAP_12}/role"
CALL = f'<ConsultaRamal xmlns="{NAMESPACE}"><ramal>3501</ramal><telefone>4732100123</telefone></ConsultaRamal>'
MUST = 'e:mustUnderstand="1"'
REFUSING = {"tenants": {"default": {"listener": {"must_understand": "refuse"}}}}


def request(blocks: str, version: str) -> bytes:
    header = f"<e:Header>{blocks}</e:Header>"
    return f'<e:Envelope xmlns:e="{version}">{header}<e:Body>{CALL}</e:Body></e:Envelope>'.encode()


def unknown(attributes: str, name: str = "Unknown") -> str:
    return f'<t:{name} xmlns:t="http://example.org/ts-tests" {attributes}>x</t:{name}>'


def post(peer: Peer, blocks: str, version: str, path: str = "/soap") -> Any:
    return peer.post(path, data=request(blocks, version), content_type=CONTENT_TYPES[version])


@pytest.mark.parametrize(
    ("version", "attributes"),
    [
        (SOAP_11, MUST),
        (SOAP_11, f'{MUST} e:actor="{NEXT_11}"'),
        (SOAP_11, f'{MUST} e:actor=""'),
        (SOAP_12, MUST),
        (SOAP_12, 'e:mustUnderstand="true"'),
        (SOAP_12, 'e:mustUnderstand=" 1 "'),
        (SOAP_12, f'{MUST} e:role="{ROLE}/next"'),
        (SOAP_12, f'{MUST} e:role="{ROLE}/ultimateReceiver"'),
        (SOAP_12, f'{MUST} e:role=""'),
        (SOAP_12, f'{MUST} e:role="{ROLE}/next" e:relay="true"'),
    ],
)
class TestABlockThatMustBeUnderstood:
    def test_is_passed_over_with_a_line_in_the_log(self, version: str, attributes: str) -> None:
        peer = Peer()
        with capture_logs() as logs:
            codes = [post(peer, unknown(attributes), version).status_code for _ in range(3)]
        assert codes == [200, 200, 200]
        told = [each for each in logs if each["event"] == "header_not_understood"]
        assert [(each["header"], each["tenant"]) for each in told] == [
            ("{http://example.org/ts-tests}Unknown", "default")
        ]
        assert len(peer.core.messages) == 3

    def test_is_refused_where_the_company_says_so(self, version: str, attributes: str) -> None:
        peer = Peer(REFUSING)
        got = post(peer, unknown(attributes), version)
        root = etree.fromstring(got.data)
        assert got.status_code == 500
        code = root.findtext(".//{*}Code/{*}Value") if version == SOAP_12 else root.findtext(".//faultcode")
        assert code == "soap:MustUnderstand"
        assert "'{http://example.org/ts-tests}Unknown'" in "".join(root.itertext())
        assert root.findtext(f".//{{{NAMESPACE}}}codigo") == "247"
        assert peer.core.messages == []


@pytest.mark.parametrize(
    ("version", "attributes"),
    [
        (SOAP_11, 'e:mustUnderstand="0"'),
        (SOAP_11, ""),
        (SOAP_11, f'{MUST} e:actor="http://example.org/somebody"'),
        (SOAP_11, f'xmlns:o="{SOAP_12}" o:mustUnderstand="1"'),
        (SOAP_11, 'mustUnderstand="1"'),
        (SOAP_12, 'e:mustUnderstand="false"'),
        (SOAP_12, 'e:mustUnderstand="0"'),
        (SOAP_12, f'{MUST} e:role="{ROLE}/none"'),
        (SOAP_12, f'{MUST} e:role="http://example.org/ts-tests/B"'),
        (SOAP_12, f'{MUST} e:role="{ROLE}/Next"'),
        (SOAP_12, f'e:role="{ROLE}/next" e:relay="true"'),
        (SOAP_12, f'xmlns:o="{SOAP_11}" o:mustUnderstand="1"'),
        (SOAP_12, f'e:mustUnderstand="wrong" e:role="{ROLE}/none"'),
    ],
)
@pytest.mark.parametrize("config", [None, REFUSING], ids=["tolerating", "refusing"])
def test_a_block_that_is_for_somebody_else_or_need_not_be_understood_is_no_matter(
    version: str, attributes: str, config: Any
) -> None:
    peer = Peer(config)
    with capture_logs() as logs:
        assert post(peer, unknown(attributes), version).status_code == 200
    assert "header_not_understood" not in [each["event"] for each in logs]
    assert len(peer.core.messages) == 1


def test_a_fault_of_soap_12_names_each_block_that_is_not_understood() -> None:
    blocks = unknown(MUST) + unknown('e:mustUnderstand="0"', "Other") + unknown(MUST, "Second")
    got = post(Peer(REFUSING), blocks + "<bare e:mustUnderstand='true'/>", SOAP_12)
    header = etree.fromstring(got.data)[0]
    assert header.tag == f"{{{SOAP_12}}}Header"
    told = [(each.nsmap.get("n"), each.get("qname")) for each in header.iterchildren(f"{{{SOAP_12}}}NotUnderstood")]
    own = "http://example.org/ts-tests"
    assert told == [(own, "n:Unknown"), (own, "n:Second"), (None, "bare")]
    assert read_fault(got.data, SOAP_12).number == 247


def test_a_fault_of_soap_11_says_nothing_of_a_header_in_its_detail() -> None:
    """Section 4.4: its detail is about the Body, and what is about the Header stands in the Header."""
    root = etree.fromstring(post(Peer(REFUSING), unknown(MUST), SOAP_11).data)
    assert root.find(f"{{{SOAP_11}}}Body/{{{SOAP_11}}}Fault/detail") is None
    assert root[0].tag == f"{{{SOAP_11}}}Header"
    assert root[0].findtext(f"{{{NAMESPACE}}}erro/{{{NAMESPACE}}}codigo") == "247"


@pytest.mark.parametrize("version", [SOAP_11, SOAP_12])
def test_a_must_understand_that_is_no_boolean_is_the_senders_fault(version: str) -> None:
    peer = Peer(REFUSING)
    got = post(peer, unknown('e:mustUnderstand="wrong"'), version)
    fault = read_fault(got.data, version)
    assert (fault.code, fault.number) == ("soap:Sender" if version == SOAP_12 else "soap:Client", 240)
    assert "'wrong'" in fault.sentence
    assert peer.core.messages == []
    assert post(Peer(), unknown('e:mustUnderstand="wrong"'), version).status_code == 200


def test_a_namespace_that_is_no_uri_is_named_in_the_sentence() -> None:
    got = post(Peer(REFUSING), '<t:U xmlns:t="urn:my pbx" e:mustUnderstand="1"/>', SOAP_12)
    assert read_fault(got.data, SOAP_12).number == 247
    assert "'{urn:my pbx}U'" in got.text


def test_a_company_is_as_strict_as_it_says_at_the_classic_address_too() -> None:
    peer = Peer({"tenants": {"acme": {"listener": {"must_understand": "refuse", "fault_status": 200}}, "beta": {}}})
    got = post(peer, unknown(MUST), SOAP_11, f"/t/acme{PATH}")
    assert (got.status_code, b"MustUnderstand" in got.data) == (200, True)
    assert post(peer, unknown(MUST), SOAP_11, f"/t/beta{PATH}").status_code == 200


def test_strangers_names_of_blocks_do_not_fill_the_log() -> None:
    peer = Peer()
    with capture_logs() as logs:
        for start in range(0, 300, 100):
            post(peer, "".join(unknown(MUST, f"U{start + each}") for each in range(100)), SOAP_11)
        post(peer, unknown(MUST, "L" * 5000), SOAP_11)
    told = [each["header"] for each in logs if each["event"] == "header_not_understood"]
    assert len(told) == 200
    assert max(map(len, told)) <= 200
