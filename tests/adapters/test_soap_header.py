"""A session or a login in the SOAP Header, with a WSDL and without."""

import hashlib
from base64 import b64decode
from contextlib import closing

import pytest
from lxml import etree
from pydantic import ValidationError

from gateway.errors import AdapterError
from tests.adapters.bad_peers import answer, serving
from tests.adapters.dialects import DIAL, WSDL, make
from tests.adapters.field import GET_CONTAS, SOAP_11, envelope, head_and_body, soap
from tests.adapters.test_soap_field import FIELD

CALL = {"wsdl": str(WSDL), "operation": "Call", "arguments": {"from": "{{ extension }}", "to": "{{ number }}"}}
RAW = {"envelope": envelope("<a>{{ number }}</a>"), "address": "http://pabx/soap"}
RAW_WITH_HEADER = {**RAW, "envelope": RAW["envelope"].replace("<s:Body>", "<s:Header><old/></s:Header><s:Body>")}
KINDS = pytest.mark.parametrize("kind", [CALL, GET_CONTAS, RAW], ids=["literal", "encoded", "raw"])
AVAYA = "http://xml.avaya.com/ws/session"
SECRETS = {"session": "s&ssion", "key": "x"}


def header(kind, **settings):
    with closing(soap(**kind | settings)) as speaking:
        return head_and_body(speaking)[1].find(f"{{{SOAP_11}}}Header")


@KINDS
def test_a_session_is_a_table_of_elements_named_with_their_namespaces(kind):
    found = header(kind, header={f"{{{AVAYA}}}sessionID": "{{ secrets.session }}"}, secrets=SECRETS)
    assert [(block.tag, block.text) for block in found] == [(f"{{{AVAYA}}}sessionID", "s&ssion")]


@KINDS
def test_a_session_is_a_template_of_xml(kind):
    text = f'<a:sessionID xmlns:a="{AVAYA}" n="{{{{ number }}}}">{{{{ secrets.session }}}}</a:sessionID><b/>'
    found = header(kind, header=text, secrets=SECRETS)
    assert [(block.tag, block.text) for block in found] == [(f"{{{AVAYA}}}sessionID", "s&ssion"), ("b", None)]
    assert found[0].get("n") == "04799998888"


def test_tables_nest_lists_repeat_and_scalars_are_written_as_xml_has_them():
    found = header(RAW, header={"{urn:x}auth": {"user": ["a", "b"], "admin": True, "level": 3}})
    assert etree.tostring(found[0], method="c14n").endswith(
        b"<user>a</user><user>b</user><admin>true</admin><level>3</level></ns0:auth>"
    )


def test_a_header_that_the_template_has_already_keeps_its_blocks():
    assert [block.tag for block in header(RAW_WITH_HEADER, header={"{urn:x}new": "1"})] == ["old", "{urn:x}new"]


def test_a_block_that_the_wsdl_names_needs_no_namespace(tmp_path):
    declared = '<message name="Session"><part name="s" element="tns:Called"/></message><message name="CallIn">'
    wsdl = WSDL.read_text().replace('<message name="CallIn">', declared)
    used = '<input><soap:header message="tns:Session" part="s" use="literal"/>'
    (tmp_path / "pabx.wsdl").write_text(wsdl.replace("<input><soap", f"{used}<soap"))
    assert (
        header(CALL | {"wsdl": str(tmp_path / "pabx.wsdl")}, header={"Called": "1"})[0].tag == "{urn:test-pabx}Called"
    )


def test_the_members_of_a_block_that_the_wsdl_describes_go_out_as_its_schema_has_them():
    kind = {"wsdl": str(FIELD / "header-blocks.wsdl"), "operation": "Dial", "arguments": {"to": "1"}}
    login = {"key": "{{ number }}", "more": 1, "site": "X", "user": "u", "client": {"local": True, "name": "a"}}
    own, named = header(kind, header={"Login": login, "{urn:pbx}Login": {"{urn:x}key": "k", "user": "u"}})
    assert own.attrib == {"site": "X"}
    found = [(each.tag, each.text) for each in own.iterdescendants()]
    qualified = [("{urn:pbx}user", "u"), ("{urn:pbx}key", "04799998888"), ("{urn:pbx}client", None)]
    assert found == [*qualified, ("{urn:pbx}name", "a"), ("local", "true"), ("more", "1")]
    assert [each.tag for each in named] == ["{urn:pbx}user", "{urn:x}key"]


LOGIN = {"auth": "wsse", "username": "crm", "password": "s&nha"}


@KINDS
def test_a_username_token_carries_the_password_as_text(kind):
    token = header(kind, **LOGIN).find("{*}Security/{*}UsernameToken")
    assert token.findtext("{*}Username") == "crm"
    assert token.findtext("{*}Password") == "s&nha"
    assert token.find("{*}Password").get("Type").endswith("#PasswordText")


@KINDS
def test_a_username_token_carries_a_digest_that_only_who_knows_the_password_can_check(kind):
    token = header(kind, **LOGIN, wsse_digest=True).find("{*}Security/{*}UsernameToken")
    nonce, created = b64decode(token.findtext("{*}Nonce")), token.findtext("{*}Created").encode()
    assert b64decode(token.findtext("{*}Password")) == hashlib.sha1(nonce + created + b"s&nha").digest()
    assert token.find("{*}Password").get("Type").endswith("#PasswordDigest")


def test_no_nonce_is_used_twice():
    with closing(soap(**CALL, **LOGIN, wsse_digest=True)) as speaking:
        nonces = {head_and_body(speaking)[1].findtext(".//{*}Nonce") for _ in range(3)}
    assert len(nonces) == 3


@KINDS
def test_a_preview_with_header_and_token_is_what_a_delivery_sends_with_its_secrets_hidden(kind):
    settings = {"header": {"{urn:x}session": "{{ secrets.session }}"}, "secrets": SECRETS}
    pabx = serving(answer("200 OK", envelope("<r><a>1</a></r>").encode(), "text/xml"))
    with pabx as peer, closing(soap(**kind | LOGIN | settings | {"address": peer.address + "/x"})) as speaking:
        shown = speaking.preview(DIAL)[0]
        speaking.deliver(DIAL)
        assert [shown.data] == peer.requests
    assert "s&amp;nha" in shown.data.decode()
    assert not any(secret in shown.shown() for secret in ("nha<", "s&ssion", "s&amp;ssion"))


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"header": "<a>{{ nunber }}</a>"}, "Did you mean 'number'"),
        ({"header": "<a>"}, "no well-formed XML"),
        ({"header": "session"}, "no well-formed XML"),
        ({"header": {"a b": "1"}}, "'a b', which is no name"),
        ({"header": {"a": {"{urn:x}": "1"}}}, "which is no name"),
    ],
)
def test_a_header_that_makes_no_xml_is_never_sent(settings, why):
    with pytest.raises(AdapterError, match=why):
        header(RAW, **settings)


@pytest.mark.parametrize(
    ("settings", "why"),
    [({"auth": "wsse"}, "needs a username"), ({"wsse_digest": True}, 'needs auth = "wsse"')],
)
def test_a_login_that_lacks_something_is_refused_at_once(settings, why):
    with pytest.raises(ValidationError, match=why):
        soap(**CALL, **settings)


@pytest.mark.parametrize("name", ["url", "xmlrpc"])
def test_a_username_token_is_for_soap_only(name):
    with pytest.raises(ValidationError, match="not for this adapter; expected none, basic, digest"):
        make(name, "http://pabx", auth="wsse", username="crm")
