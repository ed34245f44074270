"""WSDLs and schemas that import and include each other, also in a circle: each is read once, and all of it is found."""

import itertools
from contextlib import closing
from pathlib import Path
from socket import socket

import pytest

from gateway.errors import AdapterError
from tests.adapters.bad_peers import Peer, answer, serving
from tests.adapters.test_soap_field import DOCUMENT, FIELD, PAIR, dialer, expected, sent

NUMBER = '<{0} xmlns="urn:pbx:calls" xmlns:n="urn:pbx:numbers"><n:area>47</n:area><n:digits>{1}</n:digits></{0}>'
SCHEMA = (
    '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns="urn:{0}" targetNamespace="urn:{0}">{1}</xs:schema>'
)
TEXT = '<xs:simpleType name="{}"><xs:restriction base="xs:string"/></xs:simpleType>'
CIRCLE = {"from": {"area": "47", "digits": "1"}, "to": {"area": "47", "digits": "{{ number }}"}}
ONE_WAY = (FIELD / "one-way.wsdl").read_text()


@pytest.mark.parametrize("name", ["import-circle", "import-circle-binding", "service-imported"])
def test_files_that_import_each_other_in_a_circle_are_read_like_one(name: str) -> None:
    inner = NUMBER.format("from", 1) + NUMBER.format("to", "04799998888")
    assert sent(name, CIRCLE) == expected(f'<Dial xmlns="urn:pbx:calls">{inner}</Dial>')


def asked(request: bytes) -> str:
    return request.split()[1].decode().rpartition("/")[2]


def test_each_file_of_a_circle_is_asked_for_once() -> None:
    """By addresses, as an appliance that serves them by ?wsdl and ?xsd=."""
    files = {path.name: path.read_bytes() for path in FIELD.glob("import-circle*")}

    def serve(peer: Peer, connection: socket) -> bool:
        return answer("200 OK", files[asked(peer.asked)], "text/xml")(peer, connection)

    with serving(serve) as peer:
        assert sent("", CIRCLE, wsdl=f"{peer.address}/import-circle.wsdl") == sent("import-circle", CIRCLE)
        assert sorted(map(asked, peer.requests)) == sorted(files)


@pytest.mark.parametrize("namespace", ["urn:pbx", "urn:other", ""])
def test_a_wsdl_that_imports_itself_is_read_once(tmp_path: Path, namespace: str) -> None:
    itself = f'<wsdl:import namespace="{namespace}" location="w.wsdl"/><wsdl:types>'
    (tmp_path / "w.wsdl").write_text(ONE_WAY.replace("<wsdl:types>", itself))
    assert sent("", wsdl=str(tmp_path / "w.wsdl")) == expected(DOCUMENT)


@pytest.mark.parametrize("namespace", ['namespace="urn:other"', 'namespace="urn:pbx"', ""])
def test_schemas_that_import_each_other_by_wrong_namespaces_end(tmp_path: Path, namespace: str) -> None:
    imports = f'<xs:import {namespace} schemaLocation="{{}}.xsd"/>'
    (tmp_path / "a.xsd").write_text(SCHEMA.format("a", imports.format("b")))
    (tmp_path / "b.xsd").write_text(SCHEMA.format("b", imports.format("a") + TEXT.format("Text")))
    wsdl = ONE_WAY.replace(
        '"urn:pbx"><xs:element', f'"urn:pbx"><xs:import {namespace} schemaLocation="a.xsd"/><xs:element'
    )
    wsdl = wsdl.replace('name="to" type="xs:string"', 'name="to" type="b:Text" xmlns:b="urn:b"')
    (tmp_path / "w.wsdl").write_text(wsdl)
    assert sent("", wsdl=str(tmp_path / "w.wsdl")) == expected(DOCUMENT)


def test_files_of_one_name_in_two_folders_are_two(tmp_path: Path) -> None:
    """zeep knew them apart by what stands in schemaLocation, and passed the second one over."""
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "all.xsd").write_text(SCHEMA.format("pbx", '<xs:include schemaLocation="common.xsd"/>'))
        (tmp_path / folder / "common.xsd").write_text(SCHEMA.format("pbx", TEXT.format(f"Text{folder}")))
    included = "".join(f'<xs:include schemaLocation="{folder}/all.xsd"/>' for folder in ("one", "two"))
    wsdl = ONE_WAY.replace('"urn:pbx"><xs:element', f'"urn:pbx">{included}<xs:element')
    wsdl = wsdl.replace('name="from" type="xs:string"', 'name="from" type="tns:Textone"')
    (tmp_path / "w.wsdl").write_text(wsdl.replace('name="to" type="xs:string"', 'name="to" type="tns:Texttwo"'))
    assert sent("", wsdl=str(tmp_path / "w.wsdl")) == expected(DOCUMENT)


def test_the_types_of_a_wsdl_may_stand_in_the_one_that_imports_it(tmp_path: Path) -> None:
    types = ONE_WAY[ONE_WAY.index("<wsdl:types>") : ONE_WAY.index("<wsdl:message")]
    (tmp_path / "calls.wsdl").write_text(ONE_WAY.replace(types, ""))
    head = ONE_WAY[: ONE_WAY.index("<wsdl:types>")]
    (tmp_path / "w.wsdl").write_text(
        f'{head}<wsdl:import namespace="urn:pbx" location="calls.wsdl"/>{types}</wsdl:definitions>'
    )
    assert sent("", wsdl=str(tmp_path / "w.wsdl")) == expected(DOCUMENT)


def test_a_server_that_imports_ever_new_files_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adapters.soap.loading.MOST_DOCUMENTS", 20)
    ever = '<definitions xmlns="http://schemas.xmlsoap.org/wsdl/"><import location="x{}.wsdl"/></definitions>'
    count = itertools.count()

    def serve(peer: Peer, connection: socket) -> bool:
        return answer("200 OK", ever.format(next(count)).encode(), "text/xml")(peer, connection)

    with serving(serve) as peer:
        with closing(dialer("", PAIR, wsdl=f"{peer.address}/w.wsdl")) as speaking:
            assert "imports more than 20 files" in str(speaking.probe().text)
        assert len(peer.requests) == 20


def test_an_operation_is_an_error_only_for_who_calls_it_where_an_import_lacks_its_message(tmp_path: Path) -> None:
    wsdl = ONE_WAY.replace(
        '<wsdl:operation name="Dial"><wsdl:input message="tns:I"/>',
        '<wsdl:operation name="Dial"><wsdl:input message="tns:I"/><wsdl:fault name="F" message="tns:Nowhere"/>',
    )
    (tmp_path / "w.wsdl").write_text(wsdl)
    assert sent("", wsdl=str(tmp_path / "w.wsdl")) == expected(DOCUMENT)
    (tmp_path / "w.wsdl").write_text(
        ONE_WAY.replace('<wsdl:input message="tns:I"/>', '<wsdl:input message="tns:Nowhere"/>')
    )
    with pytest.raises(AdapterError, match="the message 'tns:Nowhere' of its input is described nowhere"):
        sent("", wsdl=str(tmp_path / "w.wsdl"))
