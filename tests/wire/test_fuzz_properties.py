"""Good requests, broken in every way that hypothesis thinks of: every entrance answers, and keeps its promises.

The promises are in ``tests/fuzz/entrances.py``; ``tests/fuzz/wire.py`` searches further, guided by coverage.
"""

import gzip
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from gateway.wire.http import Front
from tests.fuzz.entrances import PATHS, front, knock_at
from tests.fuzz.wire import seeds, wires_of

SEEDS = {wire: [seed for seed in seeds() if wire in wires_of(seed, tuple(PATHS))] for wire in PATHS}
DOCTYPE = b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;"><!ENTITY c SYSTEM "file:///etc/passwd">]>'
SNIPPETS = [
    DOCTYPE,
    b"&a;",
    b"&b;&c;",
    b"&#0;",
    b"&#xD800;",
    b"&lt;!DOCTYPE x&gt;",
    b"<![CDATA[",
    b"<!--",
    b"<?xml version='1.0' encoding='utf-16'?>",
    b'<x id="a" href="#b"/><x id="b" href="#a"/>',
    b'<x id="a"><x href="#a"/><x href="#a"/></x>',
    b'<ramal href="#nada"/>',
    b"<item><key/><value/></item>",
    b"<a>" * 300,
    b"</a>" * 300,
    b"\0",
    b"\xff\xfe",
    b"\xef\xbb\xbf",
    b"\xed\xa0\x80",
    b"\r\n\r\n",
    b"&" * 50,
    b"%",
    b"=",
    b"9" * 400,
]
HEADERS = [
    b"Content-Type: application/soap+xml",
    b"Content-Type: text/xml; charset=utf-16",
    b"Content-Type: text/xml; charset=punycode",
    b'Content-Type: text/xml; charset="\xe7"',
    b"Content-Type: multipart/form-data; boundary=x",
    b"Content-Type: multipart/form-data; boundary=",
    b"Content-Type: multipart/form-data; boundary=" + b"x" * 300,
    b"Content-Type: image/png",
    b"Content-Encoding: gzip",
    b"Content-Encoding: br",
    b"Content-Length: 7777",
    b"Content-Length: " + b"9" * 5000,
    b"Content-Length: -1",
    b"SOAPAction: ###",
    b"SOAPAction: urn:WConnect#ClickToCall",
    b"Accept: application/json",
    b"Origin: http://[",
    b"Authorization: Basic \xe7",
    b"Authorization: Bearer \xe7",
    b"X-Forwarded-For: ,,[::1,unknown",
    b"X-Packed: 1",
    b"Host: [",
]
METHODS = [b"GET", b"POST", b"HEAD", b"OPTIONS", b"", b"post"]
Mutation = Callable[[bytes], bytes]


def at(data: bytes, where: float) -> int:
    return int(where * len(data))


def cut(where: float) -> Mutation:
    return lambda data: data[: at(data, where)]


def twice(start: float, end: float) -> Mutation:
    def mutate(data: bytes) -> bytes:
        first, last = sorted((at(data, start), at(data, end)))
        return data[:last] + data[first:]

    return mutate


def inserted(what: bytes, where: float) -> Mutation:
    return lambda data: data[: at(data, where)] + what + data[at(data, where) :]


def replaced(what: bytes, where: float) -> Mutation:
    return lambda data: data[: at(data, where)] + what + data[at(data, where) + len(what) :]


def swapped(one: float, other: float) -> Mutation:
    def mutate(data: bytes) -> bytes:
        changed, first, last = bytearray(data), at(data, one), at(data, other)
        changed[first : first + 1], changed[last : last + 1] = data[last : last + 1], data[first : first + 1]
        return bytes(changed)

    return mutate


def with_header(line: bytes) -> Mutation:
    """Later headers win, as the last one read."""
    return lambda data: data.replace(b"\r\n\r\n", b"\r\n" + line + b"\r\n\r\n", 1)


def with_method(method: bytes) -> Mutation:
    return lambda data: method + b" " + data.partition(b" ")[2]


def recoded(charset: str) -> Mutation:
    def mutate(data: bytes) -> bytes:
        head, gap, body = data.partition(b"\r\n\r\n")
        return head + gap + body.decode("latin-1").encode(charset)

    return mutate


def in_gzip(data: bytes) -> bytes:
    """A packed body, which later mutations may break."""
    head, gap, body = with_header(b"Content-Encoding: gzip")(data).partition(b"\r\n\r\n")
    return head + gap + gzip.compress(body, 1)


places = st.floats(0, 1, exclude_max=True)
mutations = st.one_of(
    st.builds(cut, places),
    st.builds(twice, places, places),
    st.builds(swapped, places, places),
    st.builds(inserted, st.sampled_from(SNIPPETS) | st.binary(max_size=8), places),
    st.builds(replaced, st.sampled_from(SNIPPETS) | st.binary(max_size=8), places),
    st.builds(with_header, st.sampled_from(HEADERS)),
    st.builds(with_method, st.sampled_from(METHODS)),
    st.builds(recoded, st.sampled_from(["utf-8", "utf-16", "utf-16-le", "utf-32"])),
    st.just(in_gzip),
)
many = settings(
    max_examples=150, deadline=None, database=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture(scope="module")
def entrance() -> Front:
    return front()


@pytest.mark.parametrize("wire", PATHS)
@many
@given(data=st.data())
def test_a_good_request_broken_anyhow_gets_an_answer_that_keeps_the_promises(
    entrance: Front, wire: str, data: st.DataObject
) -> None:
    knock = data.draw(st.sampled_from(SEEDS[wire]), label="seed")
    for mutation in data.draw(st.lists(mutations, min_size=1, max_size=6), label="mutations"):
        knock = mutation(knock)
    knock_at(entrance, wire, knock)


@pytest.mark.parametrize("wire", PATHS)
@many
@given(body=st.binary(max_size=400), method=st.sampled_from(METHODS), header=st.sampled_from(HEADERS))
@example(body=b"", method=b"POST", header=b"")
def test_bytes_that_mean_nothing_get_an_answer_that_keeps_the_promises(
    entrance: Front, wire: str, body: bytes, method: bytes, header: bytes
) -> None:
    knock_at(entrance, wire, method + b" / HTTP/1.1\r\n" + header + b"\r\n\r\n" + body)


@pytest.mark.parametrize("wire", PATHS)
@many
@given(name=st.binary(max_size=40), value=st.binary(max_size=80))
def test_queries_that_mean_nothing_get_an_answer_that_keeps_the_promises(
    entrance: Front, wire: str, name: bytes, value: bytes
) -> None:
    query = b"ramal=3501&telefone=47&" + name + b"=" + value + b"&wsdl"
    knock_at(entrance, wire, b"GET /?" + query + b" HTTP/1.1\r\n\r\n")


FOUND = {
    "a part without name": (
        "get",
        b"POST / HTTP/1.1\r\nContent-Type: multipart/form-data; boundary=x\r\nContent-Length: 1\r\n\r\n"
        b"--x\r\nContent-Disposition: form-data\r\n\r\n1\r\n--x--\r\n",
    ),
    "an Origin that is no address": ("dialing", b"GET /?origem=1&destino=2 HTTP/1.1\r\nOrigin: http://[\r\n\r\n"),
    "a form shorter than it says": (
        "dialing",
        b"POST / HTTP/1.1\r\nContent-Type: multipart/form-data; boundary=x\r\nContent-Length: 7777\r\n\r\n--x",
    ),
    "a client that is no address": (
        "get",
        b"GET /?ramal=1&telefone=2 HTTP/1.1\r\nX-Forwarded-For: " + b"x" * 900 + b"\r\n\r\n",
    ),
}


@pytest.mark.parametrize("case", FOUND)
def test_what_was_found_once_is_not_found_again(entrance: Front, case: str) -> None:
    knock_at(entrance, *FOUND[case])
