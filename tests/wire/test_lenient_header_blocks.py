"""Header blocks with mustUnderstand are decided by the lenient port as by the main one, in mended requests too."""

from contextlib import closing

import pytest
from structlog.testing import capture_logs

from gateway.wire.lenient.port import LenientPort, PortLimits
from gateway.wire.soap.contract_encoded import PATH
from gateway.wire.soap.envelopes import SOAP_11, SOAP_12
from tests.wire.envelopes import CONTENT_TYPES, read_fault
from tests.wire.peers import Peer
from tests.wire.test_lenient_port import ask
from tests.wire.test_soap_header_blocks import MUST, NEXT_11, REFUSING, ROLE, post, request, unknown

LIMITS = PortLimits(max_body_bytes=10_000, read_timeout_s=10)
AS_IT_SHOULD_BE = "POST {path} HTTP/1.1\r\nHost: pbx\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\r\n"
MENDED = "POST {path}?from=old pbx HTTP/1.1\nContent-Type: {kind}\nX-Line Of: ours\nContent-Length: {length}\n\n"


def sent(peer: Peer, blocks: str, version: str, head: str, path: str) -> tuple[int, bytes]:
    """Status and body of the lenient port's answer."""
    body = request(blocks, version)
    port = LenientPort(peer.front, "127.0.0.1", 0, LIMITS)
    with closing(port):
        port.start()
        filled = head.format(path=path, kind=CONTENT_TYPES[version], length=len(body))
        answer = ask(port, filled.encode() + body)
    answered, _, document = answer.partition(b"\r\n\r\n")
    return int(answered.split()[1]), document


@pytest.mark.parametrize("path", ["/soap", PATH])
@pytest.mark.parametrize("head", [AS_IT_SHOULD_BE, MENDED], ids=["well formed", "mended"])
@pytest.mark.parametrize(
    ("version", "attributes"),
    [
        (SOAP_11, f'{MUST} e:actor="{NEXT_11}"'),
        (SOAP_12, f'e:mustUnderstand="true" e:role="{ROLE}/ultimateReceiver" e:relay="true"'),
    ],
)
def test_a_block_is_refused_or_passed_over_as_the_company_says(
    head: str, version: str, attributes: str, path: str
) -> None:
    blocks = unknown(attributes)
    strict = Peer(REFUSING, address="127.0.0.1")
    status, document = sent(strict, blocks, version, head, path)
    by_the_main_port = post(strict, blocks, version, path)
    assert (status, document) == (by_the_main_port.status_code, by_the_main_port.data)
    assert (status, b"MustUnderstand" in document) == (500, True)
    assert strict.core.messages == []
    tolerant = Peer(address="127.0.0.1")
    with capture_logs() as logs:
        assert sent(tolerant, blocks, version, head, path)[0] == 200
    told = [(each["header"], each["client"]) for each in logs if each["event"] == "header_not_understood"]
    assert told == [("{http://example.org/ts-tests}Unknown", "127.0.0.1")]
    assert len(tolerant.core.messages) == 1


@pytest.mark.parametrize(
    ("version", "attributes"),
    [
        (SOAP_11, 'e:mustUnderstand="0"'),
        (SOAP_11, f'{MUST} e:actor="http://example.org/somebody"'),
        (SOAP_12, f'{MUST} e:role="{ROLE}/none"'),
    ],
)
def test_a_block_for_somebody_else_is_no_matter(version: str, attributes: str) -> None:
    strict = Peer(REFUSING, address="127.0.0.1")
    assert sent(strict, unknown(attributes), version, MENDED, "/soap")[0] == 200
    assert len(strict.core.messages) == 1


@pytest.mark.parametrize("version", [SOAP_11, SOAP_12])
def test_a_must_understand_that_is_no_boolean_is_the_senders_fault(version: str) -> None:
    strict = Peer(REFUSING, address="127.0.0.1")
    _, document = sent(strict, unknown('e:mustUnderstand="wrong"'), version, MENDED, "/soap")
    assert read_fault(document, version).number == 240
    assert strict.core.messages == []
