"""What the lenient port mends in a request's head, and what it refuses."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.wire.lenient.repair import Repaired, Unrepairable, environ_of, repair
from tests.loops import cpu_s, loops

GOOD = b"GET /c?telefone=1 HTTP/1.1\r\nHost: a\r\n\r\n"
PARSABLE = re.compile(rb"[A-Z]+ /[!$-;=?-~]* HTTP/1\.[01]\r\n(?:[!-9;-~]+: [\t -~\x80-\xff]*\r\n)*\r\n")


def line(request_line: bytes) -> bytes:
    return request_line + b"\r\nHost: a\r\n\r\n"


def mended(head: bytes) -> Repaired:
    found = repair(head)
    assert isinstance(found, Repaired), found
    return found


def test_a_good_request_stays_as_it_is() -> None:
    assert repair(GOOD) == Repaired(GOOD, ())


@pytest.mark.parametrize(
    ("came", "becomes", "repairs"),
    [
        (b"GET /c?t=11 98765-4321 HTTP/1.1", b"GET /c?t=11%2098765-4321 HTTP/1.1", ("space",)),
        (b"GET /c?t=1\t2  3 HTTP/1.1", b"GET /c?t=1%092%20%203 HTTP/1.1", ("space",)),
        (b"GET /c?t=1 HTTP/1.1 2 HTTP/1.1", b"GET /c?t=1%20HTTP/1.1%202 HTTP/1.1", ("space",)),
        (b"GET /c?n=Jos\xe9 HTTP/1.1", b"GET /c?n=Jos%E9 HTTP/1.1", ("bytes",)),
        (b"GET /c?n=Jos\xc3\xa9 HTTP/1.1", b"GET /c?n=Jos%C3%A9 HTTP/1.1", ("bytes",)),
        (b'GET /c?n="A"<4732> HTTP/1.1', b"GET /c?n=%22A%22%3C4732%3E HTTP/1.1", ("quotes",)),
        (b"GET /c?n=a\x00\x1b\x7f HTTP/1.1", b"GET /c?n=a%00%1B%7F HTTP/1.1", ("control",)),
        (b"GET /c?t=#31#47 HTTP/1.1", b"GET /c?t=%2331%2347 HTTP/1.1", ("fragment",)),
        (b"GET /c?t={}[]|^\\` HTTP/1.1", b"GET /c?t={}[]|^\\` HTTP/1.1", ()),
        (b"GET /c?t=%2B55+47%20%zz HTTP/1.1", b"GET /c?t=%2B55+47%20%zz HTTP/1.1", ()),
        (b"get /c HTTP/1.1", b"GET /c HTTP/1.1", ("method",)),
        (b"Get   /c \t HTTP/1.1 ", b"GET /c HTTP/1.1", ("method",)),
        (b"GET /c http/1.1", b"GET /c HTTP/1.1", ("version",)),
        (b"GET /c HTTP/1", b"GET /c HTTP/1.0", ("version",)),
        (b"GET /c?t=1 2", b"GET /c?t=1%202 HTTP/1.0", ("version", "space")),
        (b"\r\n\r\nGET /c HTTP/1.1", b"GET /c HTTP/1.1", ()),
    ],
)
def test_the_request_line_is_mended(came: bytes, becomes: bytes, repairs: tuple[str, ...]) -> None:
    assert repair(line(came)) == Repaired(line(becomes), repairs)


@pytest.mark.parametrize(
    ("came", "becomes", "repairs"),
    [
        (b"GET /c HTTP/1.1\nHost: a\n\n", b"GET /c HTTP/1.1\r\nHost: a\r\n\r\n", ("lines",)),
        (b"GET /c HTTP/1.1\r\nHost: a\n\r\n", b"GET /c HTTP/1.1\r\nHost: a\r\n\r\n", ("lines",)),
        (
            b"GET /c HTTP/1.1\r\nHost: a\r\nUser-Agent: PABX\r\n   1.0 \r\n\tb\r\n\r\n",
            b"GET /c HTTP/1.1\r\nHost: a\r\nUser-Agent: PABX 1.0 b\r\n\r\n",
            ("folding",),
        ),
        (b"GET /c HTTP/1.1\r\n\r\n", b"GET /c HTTP/1.1\r\nHost: \r\n\r\n", ("host",)),
        (b"GET /c HTTP/1.0\r\n\r\n", b"GET /c HTTP/1.0\r\n\r\n", ()),
        (
            b"GET http://u:p@gw:80/c?t=1 HTTP/1.0\r\nHost: b\r\n\r\n",
            b"GET /c?t=1 HTTP/1.0\r\nHost: gw:80\r\n\r\n",
            ("address",),
        ),
        (b"GET HTTP://gw HTTP/1.1\r\n\r\n", b"GET / HTTP/1.1\r\nHost: gw\r\n\r\n", ("address",)),
        (
            b"GET /c HTTP/1.1\r\nHost : a\r\nnonsense\r\nX y: 1\r\nA: b\rc\r\n\r\n",
            b"GET /c HTTP/1.1\r\nHost: a\r\nA: b c\r\n\r\n",
            ("header",),
        ),
        (
            b"GET /c HTTP/1.1\r\nHost: a\r\ntoken_auth: Jos\xe9\r\n\r\n",
            b"GET /c HTTP/1.1\r\nHost: a\r\ntoken_auth: Jos\xe9\r\n\r\n",
            (),
        ),
    ],
)
def test_lines_and_headers_are_mended(came: bytes, becomes: bytes, repairs: tuple[str, ...]) -> None:
    assert repair(came) == Repaired(becomes, repairs)


@pytest.mark.parametrize(
    ("came", "status"),
    [
        (b"", 400),
        (b"\x16\x03\x01\x02\x00\x01\r\n\r\n", 400),
        (b"GET\r\n\r\n", 400),
        (b"GET HTTP/1.1\r\n\r\n", 400),
        (b"GET c?t=1 HTTP/1.1\r\n\r\n", 400),
        (b"OPTIONS * HTTP/1.1\r\n\r\n", 400),
        (b"GET /c HTTP/2.0\r\n\r\n", 505),
        (b"GET /c HTTP/1.1\r\n folded: 1\r\n\r\n", 400),
        (b"GET /c HTTP/1.1\r\nHost: a\r\nhost: b\r\n\r\n", 400),
        (b"POST /c HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400),
        (b"POST /c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n", 501),
    ],
)
def test_what_has_no_one_meaning_is_refused_with_a_reason(came: bytes, status: int) -> None:
    found = repair(came)
    assert isinstance(found, Unrepairable)
    assert found.status == status
    assert str(found.reason).endswith(".")


LINES = [b"GET ", b"post ", b"/c?t=", b" HTTP/1.1", b"HTTP/1", b"http://u@", b"Host: a", b"Content-Length: 1"]
MARKS = [b"\r\n", b"\n", b"\r", b" ", b"\t", b":", b"#", b'"', b"%", b"\xe9", b"\0", b"x"]
WORDS = st.sampled_from([*LINES, *MARKS])


@given(st.one_of(st.binary(max_size=200), st.lists(WORDS, max_size=20).map(b"".join)))
def test_any_bytes_become_a_readable_head_or_a_refusal_and_mending_twice_changes_nothing(came: bytes) -> None:
    for head in (came, b"GET /" + came, b"GET / HTTP/1.1\r\n" + came):
        found = repair(head)
        if isinstance(found, Unrepairable):
            continue
        assert PARSABLE.fullmatch(found.head), found.head
        assert repair(found.head) == Repaired(found.head, ())
        assert environ_of(found.head)["PATH_INFO"].startswith("/")


def test_a_long_run_of_blanks_takes_no_time() -> None:
    assert mended(b"GET /" + b" \t" * 32_000 + b"x HTTP/1.1\nHost:" + b" " * 60_000 + b"\n\n").repairs


HEAD = b"GET /c?a=1 HTTP/1.1\r\nHost: a\r\n"
LARGE = {
    "folded lines": HEAD + b"a: b\r\n" + b" c\n" * 21_000 + b"\r\n",
    "the same header": HEAD + b"a:b\n" * 16_000 + b"\r\n",
    "lines that are no header": HEAD + b"x\n" * 32_000 + b"\r\n",
    "Latin-1": b"GET /" + b"\xe9" * 65_000 + b" HTTP/1.1\r\n\r\n",
    "control characters": b"GET /" + b"\x01" * 65_000 + b" HTTP/1.1\r\n\r\n",
    "control characters in a header": HEAD + b"a:" + b"\x01" * 65_000 + b"\r\n\r\n",
}


@pytest.mark.parametrize("case", LARGE)
def test_a_head_as_large_as_may_be_costs_no_more_than_20_small_loops(case: str) -> None:
    def read() -> None:
        found = repair(LARGE[case])
        if isinstance(found, Repaired):
            environ_of(found.head)

    assert loops(lambda: cpu_s(read), most=20) < 20


def test_a_head_of_very_many_lines_is_refused() -> None:
    assert isinstance(repair(HEAD + b"a: b\r\n" * 900 + b"\r\n"), Repaired)
    found = repair(LARGE["folded lines"])
    assert isinstance(found, Unrepairable)
    assert found.status == 431


def test_the_environ_tells_the_head_as_pep_3333_asks() -> None:
    environ = environ_of(
        mended(b"POST /t/acm%C3%A9/c?n=Jos\xe9?1 HTTP/1.0\nContent-Type: text/xml\ntoken_auth: s\nA: 1\nA: 2\n\n").head
    )
    assert environ == {
        "REQUEST_METHOD": "POST",
        "SCRIPT_NAME": "",
        "PATH_INFO": "/t/acmÃ©/c",
        "QUERY_STRING": "n=Jos%E9?1",
        "SERVER_PROTOCOL": "HTTP/1.0",
        "CONTENT_TYPE": "text/xml",
        "HTTP_TOKEN_AUTH": "s",
        "HTTP_A": "1,2",
    }
