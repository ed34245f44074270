"""Requests made to cost much: as large as the gateway's default settings let them be, and just within its other limits.

A function each, because some are megabytes: what it returns is the path, the header lines and the body.
"""

import gzip
import zlib
from collections.abc import Callable

from gateway.wire.guard import MOST_MARKS
from gateway.wire.soap.contract_encoded import PATH

FULL = 1024 * 1024
SOAP = b"http://schemas.xmlsoap.org/soap/envelope/"
CALL = (
    b'<e:Envelope xmlns:e="' + SOAP + b'"><e:Body><ConsultaRamal>%b<telefone>47</telefone></ConsultaRamal>%b'
    b"</e:Body></e:Envelope>"
)
XMLRPC = b"<methodCall><methodName>%b</methodName><params>%b</params></methodCall>"
BASE64 = b'<ramal i:type="base64Binary" xmlns:i="http://www.w3.org/2001/XMLSchema-instance">%b</ramal>'
MULTIPART_FILE = b'--x\r\nContent-Disposition: form-data; name="a"; filename="a"\r\n\r\n%b\r\n--x--\r\n'
ROOM = FULL - 500
Request = tuple[str, list[str], bytes]


def soap(inside: bytes, beside: bytes = b"", *headers: str) -> Request:
    return PATH, ["Content-Type: text/xml", *headers], CALL % (inside, beside)


def xmlrpc(params: bytes, method: bytes = b"ConsultaRamal") -> Request:
    return "/xmlrpc", ["Content-Type: text/xml"], XMLRPC % (method, params)


def form(body: bytes, kind: str = "application/x-www-form-urlencoded") -> Request:
    return "/wconnect/WConnect_WSDL_FinalizaLigacao.php", [f"Content-Type: {kind}"], body


def filled(piece: bytes, room: int = ROOM) -> bytes:
    return piece * (room // len(piece))


def few(piece: bytes, marks: int = 1) -> bytes:
    """As many of ``piece``, which has so many marks, as the guard lets in."""
    return piece * ((MOST_MARKS - 60) // marks)


def entities() -> Request:
    steps = "".join(f'<!ENTITY {new} "{f"&{old};" * 10}">' for old, new in zip("abcdefgh", "bcdefghi", strict=True))
    head = f'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">{steps}]>'.encode()
    return "/soap", ["Content-Type: text/xml"], head + CALL % (b"<ramal>&i;</ramal>", b"")


def outside_entity() -> Request:
    head = b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>'
    return "/soap", ["Content-Type: text/xml"], head + CALL % (b"<ramal>&e;</ramal>", b"")


def attributes(most: int) -> Request:
    return soap(b"<x " + b" ".join(b'a%d=""' % n for n in range(most)) + b"/>")


def namespaces(most: int) -> Request:
    return soap(b"<x " + b" ".join(b'xmlns:n%d="u%d"' % (n, n) for n in range(most)) + b"/>")


def names(most: int) -> Request:
    """Every element has a name of its own."""
    return soap(b"".join(b"<n%d/>" % n for n in range(most)))


def references(to: bytes, most: int) -> Request:
    return soap(b'<ramal href="#a"/>' * most, b'<m id="a">' + to + b"</m>")


def tree_of_references(levels: int) -> Request:
    """Each refers twice to the next: two to the power of the number of levels."""
    level = b'<m id="l%d"><a href="#l%d"/><b href="#l%d"/></m>'
    return soap(b'<ramal href="#l0"/>', b"".join(level % (n, n + 1, n + 1) for n in range(levels)))


def circle(size: int) -> Request:
    ring = b"".join(b'<m id="r%d" href="#r%d"/>' % (n, (n + 1) % size) for n in range(size))
    return soap(b'<ramal href="#r0"/>', ring)


def circle_with_children() -> Request:
    """A circle that offers a value in each round; found by fuzzing as the slowest of millions."""
    return soap(b'<p href="#a"/>', b'<m id="a"><x href="#a"/><ramal>0</ramal></m>')


def gzip_bomb() -> Request:
    body = gzip.compress(b" " * 50_000_000)
    return "/soap", ["Content-Type: text/xml", "Content-Encoding: gzip"], body


def gzip_in_bounds() -> Request:
    """Small as it comes, and just within the limit unpacked."""
    path, headers, body = soap(filled(b"<a/>"))
    return path, [*headers, "Content-Encoding: gzip"], gzip.compress(body)


def deflate_bomb() -> Request:
    return "/xmlrpc", ["Content-Type: text/xml", "Content-Encoding: deflate"], zlib.compress(b" " * 50_000_000)


def arrays(levels: int) -> Request:
    start, end = b"<value><array><data>", b"</data></array></value>"
    return xmlrpc(b"<param>" + start * levels + end * levels + b"</param>")


def struct(members: int) -> Request:
    member = b"<member><name>n%d</name><value>1</value></member>"
    inside = b"".join(member % n for n in range(members))
    return xmlrpc(b"<param><value><struct>" + inside + b"</struct></value></param>")


def calls(most: int, method: bytes = b"Teste") -> Request:
    one = b"<value><struct><member><name>methodName</name><value>%b</value></member></struct></value>" % method
    return xmlrpc(b"<param><value><array><data>" + one * most + b"</data></array></value></param>", b"system.multicall")


def multipart() -> Request:
    part = b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n'
    return form(filled(part) + b"--x--\r\n", "multipart/form-data; boundary=x")


def boundaries() -> Request:
    return form(filled(b"\r\n--x"), "multipart/form-data; boundary=x")


BOMBS: dict[str, Callable[[], Request]] = {
    "entities in entities": entities,
    "an entity outside": outside_entity,
    "depth": lambda: soap(b"<a>" * (ROOM // 7) + b"</a>" * (ROOM // 7)),
    "depth, within the marks": lambda: soap(b"<a>" * 8000 + b"</a>" * 8000),
    "depth that never ends": lambda: soap(few(b"<a>")),
    "width": lambda: soap(filled(b"<a/>")),
    "width, within the marks": lambda: soap(few(b"<a/>")),
    "width of a parameter": lambda: soap(b"<ramal>" + few(b"<a/>") + b"</ramal>"),
    "structures in structures": lambda: soap((b"<a>" * 200 + b"</a>" * 200) * 40),
    "names": lambda: names(110_000),
    "names, within the marks": lambda: names(16_000),
    "long names": lambda: soap(few(b"<" + b"a" * 58 + b"/>")),
    "attributes": lambda: attributes(95_000),
    "attributes, within the marks": lambda: attributes(16_000),
    "namespaces": lambda: namespaces(40_000),
    "namespaces, within the marks": lambda: namespaces(16_000),
    "one long text": lambda: soap(b"<ramal>" + b"9" * ROOM + b"</ramal>"),
    "one long name": lambda: soap(b"<" + b"a" * ROOM + b"/>"),
    "one long attribute": lambda: soap(b'<a b="' + b" " * ROOM + b'"/>'),
    "one long operation": lambda: ("/soap", [], CALL.replace(b"ConsultaRamal", b"a" * (ROOM // 2)) % (b"", b"")),
    "comments": lambda: soap(filled(b"<!---->")),
    "comments, within the marks": lambda: soap(few(b"<!---->")),
    "instructions": lambda: soap(few(b"<?a?>")),
    "sections": lambda: soap(b"<ramal>" + few(b"<![CDATA[]]>") + b"</ramal>"),
    "characters by number": lambda: soap(b"<ramal>" + filled(b"&#9;") + b"</ramal>"),
    "characters by number, within the marks": lambda: soap(b"<ramal>" + few(b"&#9;") + b"</ramal>"),
    "lines": lambda: soap(b"<ramal>" + b"\n" * ROOM + b"</ramal>"),
    "lines, within the marks": lambda: soap(b"<ramal>" + few(b"1\r\n") + b"</ramal>"),
    "base64": lambda: soap(BASE64 % (b"QUFB" * 260_000)),
    "a circle": lambda: circle(20_000),
    "a circle, within the marks": lambda: circle(5000),
    "a circle with children": circle_with_children,
    "references to something wide": lambda: references(few(b"<b/>", 2), 4000),
    "references to a long text": lambda: references(b"9" * (ROOM // 2), 8000),
    "a tree of references": lambda: tree_of_references(2000),
    "gzip": gzip_bomb,
    "gzip within bounds": gzip_in_bounds,
    "deflate": deflate_bomb,
    "not UTF-8": lambda: soap(b"<ramal>" + b"\xe7" * ROOM + b"</ramal>"),
    "UTF-16": lambda: ("/soap", [], (CALL % (filled(b"<a/>", ROOM // 2), b"")).decode().encode("utf-16")),
    "null bytes": lambda: ("/soap", [], b"\0" * FULL),
    "no XML": lambda: ("/soap", [], b"&" * FULL),
    "blanks": lambda: ("/soap", [], b" " * FULL),
    "a declaration that never ends": lambda: ("/soap", [], b"<?xml " + b"encoding=" * (ROOM // 9)),
    "XML-RPC arrays": lambda: arrays(20_000),
    "XML-RPC arrays, within the marks": lambda: arrays(2700),
    "XML-RPC struct": lambda: struct(20_000),
    "XML-RPC struct, within the marks": lambda: struct(2700),
    "XML-RPC parameters": lambda: xmlrpc(few(b"<param><value>1</value></param>", 4)),
    "XML-RPC calls": lambda: calls(1600),
    "XML-RPC calls that fail": lambda: calls(100, b"ConsultaRamal"),
    "a long form": lambda: form(filled(b"a=1&")),
    "a form of escapes": lambda: form(b"ramal=" + filled(b"%E7")),
    "a form of escaped names": lambda: form(filled(b"%E7" * 300 + b"=1&")),
    "a form of recordings": lambda: form(b"url_audio=http://a?" + filled(b"b&")),
    "a multipart form": multipart,
    "a multipart form of boundaries": boundaries,
    "a multipart form of headers": lambda: form(b"--x\r\n" + filled(b"a: b\r\n"), "multipart/form-data; boundary=x"),
    "a multipart form of one file": lambda: form(MULTIPART_FILE % (b"\r" * ROOM), "multipart/form-data; boundary=x"),
    "a long media type": lambda: ("/soap", ["Content-Type: text/xml; " + "action " * 8000], CALL % (b"", b"")),
}


def knock_of(name: str) -> bytes:
    """The text of the request."""
    path, headers, body = BOMBS[name]()
    assert len(body) <= FULL, (name, len(body))
    head = [f"POST {path} HTTP/1.1", *headers, f"Content-Length: {len(body)}"]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body
