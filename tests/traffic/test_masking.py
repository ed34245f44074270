"""What must never be written down, and what must stay readable."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.traffic import masking
from gateway.traffic.masking import mask, spellings
from tests.loops import cpu_s, loops

SECRET = "s3gr&do \u00e7"


@pytest.mark.parametrize(
    ("raw", "masked"),
    [
        (b"GET /x?ramal=3501&token=abc HTTP/1.1\r\n\r\n", b"GET /x?ramal=3501&token=**** HTTP/1.1\r\n\r\n"),
        (b"GET /x?a=1&amp;Token=abc&b=2 HTTP/1.1", b"GET /x?a=1&amp;Token=****&b=2 HTTP/1.1"),
        (b"GET /amxml?action=login&secret=x1&u=2 HTTP/1.1", b"GET /amxml?action=login&secret=****&u=2 HTTP/1.1"),
        (
            b"GET / HTTP/1.1\r\nAuthorization: Basic YTpi\r\nX: 1",
            b"GET / HTTP/1.1\r\nAuthorization: Basic ****\r\nX: 1",
        ),
        (b"GET / HTTP/1.1\r\ntoken_auth: abc\r\nX: 1", b"GET / HTTP/1.1\r\ntoken_auth: ****\r\nX: 1"),
        (b"GET / HTTP/1.1\r\nCookie: cti=1; b=2", b"GET / HTTP/1.1\r\nCookie: ****"),
        (b"GET / HTTP/1.1\r\nX-Api-Key:k\r\nX: 1", b"GET / HTTP/1.1\r\nX-Api-Key: ****\r\nX: 1"),
        (b"GET / HTTP/1.1\r\n\r\nauthorization: kept", b"GET / HTTP/1.1\r\n\r\nauthorization: kept"),
        (b"POST / HTTP/1.0\r\n\r\nsenha=1%202&ramal=1", b"POST / HTTP/1.0\r\n\r\nsenha=****&ramal=1"),
        (
            b"<UsuarioSenha xsi:type='x'>abc</UsuarioSenha><a>1</a>",
            b"<UsuarioSenha xsi:type='x'>****</UsuarioSenha><a>1</a>",
        ),
        (b"<wsse:Password Type='d'>\nab\n</wsse:Password>", b"<wsse:Password Type='d'>****</wsse:Password>"),
        (b"<token/><ramal>1</ramal>", b"<token/><ramal>1</ramal>"),
        (
            b"<member><name>UsuarioSenha</name><value><string>abc</string></value></member>",
            b"<member><name>UsuarioSenha</name><value><string>****</string></value></member>",
        ),
        (b"<name>token</name>\n <value>abc</value>", b"<name>token</name>\n <value>****</value>"),
        (b'{"api_key": "a\\"b", "n": "1"}', b'{"api_key": "****", "n": "1"}'),
        (b"GET /x?ramal=1&t%6Fken=abc&%73%65nha=b HTTP/1.1", b"GET /x?ramal=1&t%6Fken=****&%73%65nha=**** HTTP/1.1"),
        (b"GET /x?t%256Fken=abc&telef%6Fne=47", b"GET /x?t%256Fken=****&telef%6Fne=47"),
        (b"<senha><![CDATA[a<b]]>c<!-- d --></senha>", b"<senha>****</senha>"),
        (b"<name>U&#115;uarioSenh&#x61;</name><value>abc", b"<name>U&#115;uarioSenh&#x61;</name><value>****"),
        (b"<name><![CDATA[pwd]]></name><value><string>a", b"<name><![CDATA[pwd]]></name><value><string>****"),
        (b"<name>p<![CDATA[wd]]></name><value>a", b"<name>p<![CDATA[wd]]></name><value>****"),
        (b"<key i:type='x'>token</key><value i:type='x'>abc<", b"<key i:type='x'>token</key><value i:type='x'>****<"),
        (b'{"\\u0070assword": "x", "n\\u0061me": "y"}', b'{"\\u0070assword": "****", "n\\u0061me": "y"}'),
        (b'{"senha": 12345678, "ramal": 3501}', b'{"senha": "****", "ramal": 3501}'),
        (b'name="pass"\r\n\r\na\r\nb\r\n--x', b'name="pass"\r\n\r\n****\r\n--x'),
        (b"u=http://ana:abc@pbx/x&v=ftp%3A%2F%2Fa%3Ab%40c", b"u=http://ana:****@pbx/x&v=ftp%3A%2F%2Fa%3A****%40c"),
        (b"u=http://pbx:8088/x?a=b@c", b"u=http://pbx:8088/x?a=b@c"),
        (b"GET / HTTP/1.1\r\nX-Auth: abc\r\nAuthor: b", b"GET / HTTP/1.1\r\nX-Auth: ****\r\nAuthor: b"),
        (b"HTTP/1.1 401\r\nWWW-Authenticate: Basic realm=x", b"HTTP/1.1 401\r\nWWW-Authenticate: Basic realm=x"),
        (b"ramal=3501&telefone=4732100123", b"ramal=3501&telefone=4732100123"),
        (b"bypassar=1&passagem=2", b"bypassar=1&passagem=2"),
        (b"GET /x?ramal=3501&pw=abc&upw=1 HTTP/1.1", b"GET /x?ramal=3501&pw=****&upw=1 HTTP/1.1"),
        (
            b"GET /x?campos[senha]=abc&user[nome]=1&user[pass]=b HTTP/1.1",
            b"GET /x?campos[senha]=****&user[nome]=1&user[pass]=**** HTTP/1.1",
        ),
        (b'name="login[token]"\r\n\r\na\r\n--x', b'name="login[token]"\r\n\r\n****\r\n--x'),
        (b'{"user_pw": "abc", "pwm": "1"}', b'{"user_pw": "****", "pwm": "1"}'),
    ],
)
def test_a_secret_is_masked_wherever_such_fields_stand(raw: bytes, masked: bytes) -> None:
    assert mask(raw) == masked
    assert mask(masked) == masked, "masking twice changes nothing"


@pytest.mark.parametrize("raw", [SECRET, "s3gr%26do%20%C3%A7", "s3gr%26do+%C3%A7", "s3gr&amp;do \u00e7"])
def test_a_configured_secret_is_masked_in_every_spelling_under_any_name(raw: str) -> None:
    assert mask(f"GET /?chamada={raw}".encode(), spellings([SECRET])) == b"GET /?chamada=****"


def test_a_configured_secret_is_masked_in_latin_1_too() -> None:
    assert mask(f"x={SECRET}".encode("latin-1"), spellings([SECRET])) == b"x=****"


def test_a_secret_too_short_to_tell_from_other_text_is_left_to_its_field_name() -> None:
    assert spellings(["1", ""]) == ()


def test_bytes_that_are_no_text_pass() -> None:
    raw = bytes(range(256)) + b"token="
    assert mask(raw) == raw


PIECES = [b"Token", b"s%65nha", b"&#115;enha", b"pw", b"\\u0070w", b"<![CDATA[", b"<name>", b"</name>", b"<value>"]
PIECES += [b"=", b"&", b'"', b":", b"://ab1:27@", b"%3A//ab:2%40", b"\r\n", b"\r\n\r\n", b"Cookie", b"ab1", b"27"]


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=12).map(b"".join))
def test_what_is_plain_by_its_shape_has_nothing_to_be_masked(raw: bytes) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(masking, "LONGEST_SHAPE", -1)
        looked_through = mask(raw)
    assert mask(raw) == looked_through


TOKENS = b"token" * 13_000
HOSTILE = {
    "header": b"GET / HTTP/1.1\r\n" + TOKENS + b"\r\n\r\n",
    "parameter": b"&" + TOKENS,
    "element": b"<" + TOKENS,
    "elements": b"<token " * 9000,
    "attributes": b"<tokentokentokentoken " + b" " * 65_000,
    "member": b"<name>" + TOKENS,
    "members": (b"<name>" + b" " * 100) * 600 + b"token",
    "JSON": b'"' + TOKENS,
    "escaped parameters": b"%61" * 22_000,
    "escaped members": b"<name>&#97;" * 6_000,
    "CDATA": b"<senha><![CDATA[" + b"]<![CDATA[" * 6_000,
    "comments": b"<senha>" + b"<!--" * 16_000,
    "parts": b'name="token"\r\n\r\n' * 3_000,
    "users": b"://a:" * 13_000 + b"@",
    "escaped users": b"%3a%2f%2fa%3a" * 5_000 + b"%40",
    "JSON value": b'"token":"' + b"\\" * 65_000,
}


@pytest.mark.parametrize("case", HOSTILE)
def test_a_request_made_to_be_masked_slowly_is_not(case: str) -> None:
    """As long as the wire log keeps them. Before its patterns had ends, one of these took half a minute."""
    assert loops(lambda: cpu_s(lambda: mask(HOSTILE[case])), most=30) < 30
