"""Whatever form a body has, it becomes one document; what is none is told, never raised as something else."""

import json

import pytest

from gateway.mapping.bodies import MOST_BYTES, UnreadableBody, WebhookRequest, document_of, opened

FORM = "application/x-www-form-urlencoded"
MULTIPART = (
    b'--x\r\nContent-Disposition: form-data; name="from"\r\n\r\n4733334444\r\n'
    b'--x\r\nContent-Disposition: form-data; name="user[]"\r\n\r\nJo\xc3\xa3o\r\n'
    b'--x\r\nContent-Disposition: form-data; name="audio"; filename="a.wav"\r\n\r\nRIFF\r\n--x--\r\n'
)


@pytest.mark.parametrize(
    ("body", "kind", "document"),
    [
        (b'{"a": {"b": [1, 2.5, true, null]}}', "application/json", {"a": {"b": [1, 2.5, True, None]}}),
        (b'\xef\xbb\xbf {"a": 1}', "text/plain", {"a": 1}),
        (b'{"nome": "Jo\xe3o"}', "application/json; charset=iso-8859-1", {"nome": "João"}),
        (b'[{"a": 1}]', FORM, [{"a": 1}]),
        (b"a=1&b=x+y%21&a=2", FORM, {"a": ["1", "2"], "b": "x y!"}),
        (b"user[]=Ana&user[]=Bob&call[id]=7&p[0][id]=x&p[1][id]=y", FORM,
         {"user": ["Ana", "Bob"], "call": {"id": "7"}, "p": [{"id": "x"}, {"id": "y"}]}),
        (b"nome=Jo%E3o", FORM, {"nome": "Jo\ufffdo"}),
        (MULTIPART, "multipart/form-data; boundary=x", {"from": "4733334444", "user": ["João"]}),
        (b'<call id="7"><from>4733334444</from><to>1</to><to>2</to><x:n xmlns:x="u">v</x:n></call>', "text/xml",
         {"call": {"id": "7", "from": "4733334444", "to": ["1", "2"], "n": "v"}}),
        (b"<?xml version='1.0' encoding='ISO-8859-1'?><n>Jo\xe3o</n>", "text/xml", {"n": "João"}),
    ],
)  # fmt: skip
def test_a_body_becomes_a_document(body, kind, document):
    assert document_of(WebhookRequest(body, kind)) == document


def test_a_request_without_a_body_is_read_from_its_query():
    request = WebhookRequest(query="event=ring&from=4733334444", method="GET")
    assert document_of(request) == {"event": "ring", "from": "4733334444"}


def test_json_in_a_field_is_opened():
    request = WebhookRequest(b"key=K&json=%7B%22seq%22%3A1%7D", FORM)
    assert opened(document_of(request), ["json"]) == {"key": "K", "json": {"seq": 1}}
    inner = WebhookRequest(json.dumps({"type": 30011, "msg": '{"call_id":"1.42"}'}).encode(), "application/json")
    assert opened(document_of(inner), ["msg"]) == {"type": 30011, "msg": {"call_id": "1.42"}}


def test_json_in_json_whose_quotes_came_unescaped_is_read_all_the_same():
    body = b'{"type":30011,"sn":"36X","msg":"{"call_id":"1.42","members":[{"a":1}]}"}'
    document = document_of(WebhookRequest(body, "application/json"))
    assert opened(document, ["msg"]) == {"type": 30011, "sn": "36X", "msg": {"call_id": "1.42", "members": [{"a": 1}]}}


@pytest.mark.parametrize(
    ("body", "kind", "form", "problem"),
    [
        (b"{broken", "application/json", "auto", "the body is no JSON (line 1): '{broken'"),
        (b"", "application/json", "json", "the body is no JSON (line 1): ''"),
        (b"[" * 5000, "application/json", "auto", "the body nests deeper than 32 levels"),
        (b"<a><b></a>", "text/xml", "auto", "the body is no XML (line 1)"),
        (b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", "text/xml", "auto", "DOCTYPE is not accepted"),
        (b"<a>" * 40 + b"</a>" * 40, "text/xml", "auto", "the body nests deeper than 32 levels"),
        (b"a=1&" * 2000, FORM, "auto", "the body has more than 1000 values"),
        (b"[" + b"1," * 30000 + b"1]", "application/json", "auto", "the body has more than 20000 values"),
        (b" " * (MOST_BYTES + 1), FORM, "auto", f"the body has more than {MOST_BYTES} bytes"),
    ],
)  # fmt: skip
def test_what_is_no_such_body_is_told(body, kind, form, problem):
    with pytest.raises(UnreadableBody) as told:
        document_of(WebhookRequest(body, kind), form)
    assert str(told.value.args[0]) == problem


def test_lists_are_read_as_deep_as_they_may_nest():
    deepest = document_of(WebhookRequest(b"[" * 32 + b"]" * 32, "application/json"))
    assert str(deepest) == "[" * 32 + "]" * 32
    with pytest.raises(UnreadableBody):
        document_of(WebhookRequest(b"[" * 33 + b"]" * 33, "application/json"))


def test_a_text_that_is_to_hold_json_and_does_not_is_told():
    with pytest.raises(UnreadableBody) as told:
        opened({"msg": "hello"}, ["msg"])
    assert str(told.value.args[0]) == "msg holds no JSON: 'hello'"
