"""The URL adapter: what goes out for a template, and what its rules make of an answer."""

import json
from contextlib import closing
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree
from pydantic import TypeAdapter, ValidationError

from adapters.url import UrlAdapter, as_written
from gateway.adapter import Outcome, Outgoing
from gateway.errors import AdapterError
from tests.adapters.bad_peers import answer, serving
from tests.adapters.dialects import DIAL

CONFIG = TypeAdapter(UrlAdapter.Config)


def adapter(**settings) -> UrlAdapter:
    return UrlAdapter(CONFIG.validate_python({"success": "OK", **settings}), name="pabx")


def order(**fields) -> Outgoing:
    return Outgoing("dial", "o-1", {**DIAL.fields, **fields})


def sent(message=DIAL, **settings) -> tuple[str, str]:
    """The request's target and body."""
    with closing(adapter(**settings)) as speaking:
        head, _, body = speaking.preview(message)[0].data.decode().partition("\r\n\r\n")
    return head.split(" ")[1], body


@pytest.mark.parametrize(
    ("template", "target"),
    [
        ("http://pabx/d?n={{ number }}", "/d?n=%2B55%2047%20%26%C3%A9%2F"),
        ("http://pabx/d&n={{ extension }}&p=%2b%20x", "/d&n=2000&p=%2b%20x"),
        ("http://pabx?n={{ extension }}", "/?n=2000"),
        ("http://pabx", "/"),
        ("http://pabx:8080/servlet?key=number={{ extension }}@x|y[0]", "/servlet?key=number=2000@x|y[0]"),
        ("http://pabx/ligação feita/{{ extension }}", "/liga%C3%A7%C3%A3o%20feita/2000"),
        ("http://pabx/{% if kind == 'dial' %}dial{% endif %}/{{ id }}", "/dial/o-1"),
        ("http://pabx/d?n={{ number[1:3] }}{{ '#' }}", "/d?n=55%23"),
    ],
)
def test_a_url_goes_out_as_it_is_written_with_its_values_encoded(template, target):
    number = "+55 47 &é/"
    assert sent(order(number=number), url=template)[0] == target


@pytest.mark.parametrize(
    ("content_type", "template", "read"),
    [
        ("application/x-www-form-urlencoded", "n={{ number }}&x=1", lambda body: parse_qs(body)["n"][0]),
        ("application/json; charset=utf-8", '{"n": "{{ number }}"}', lambda body: json.loads(body)["n"]),
        ("application/vnd.pbx+json", '{"n": "{{ number }}"}', lambda body: json.loads(body)["n"]),
        ("text/xml", "<a n='{{ number }}'/>", lambda body: etree.fromstring(body).get("n")),
        ("application/xml", "<a><n>{{ number }}</n></a>", lambda body: etree.fromstring(body)[0].text),
        ("text/plain", "{{ number }}", str),
    ],
)
@pytest.mark.parametrize("number", ["+55 &\"'<x>]]>é\\", "%41{{ x }}", "a=b&c=d"])
def test_a_body_carries_values_escaped_for_its_type(content_type, template, read, number):
    _, body = sent(order(number=number), url="http://pabx/", method="POST", body=template, content_type=content_type)
    assert read(body) == number


@given(st.text())
def test_no_number_changes_host_path_or_lines(number):
    with closing(adapter(url="http://pabx/dial/{{ number }}/now?n={{ number }}")) as speaking:
        try:
            data = speaking.preview(order(number=number))[0].data
        except AdapterError:
            assert speaking.deliver(order(number=number)).outcome is Outcome.UNREACHABLE
            return
    lines = data.decode("ascii").split("\r\n")
    method, target, version = lines[0].split(" ")
    assert (method, version, lines[1], len(lines)) == ("GET", "HTTP/1.1", "Host: pabx", 7)
    path = urlsplit(f"//pabx{target}").path.split("/")
    assert path[:2] + path[3:] == ["", "dial", "now"]
    assert unquote(path[2]) == number
    assert "\n" not in "".join(lines)
    assert "\x00" not in data.decode()


@pytest.mark.parametrize("number", [".", ".."])
def test_a_number_cannot_climb_out_of_its_path(number):
    with pytest.raises(AdapterError, match="change the URL's path"):
        sent(order(number=number), url="http://pabx/api/{{ number }}/dial")


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"url": "http://{{ number }}/"}, "written-out host"),
        ({"url": "http://pabx{{ number }}/"}, "written-out host"),
        ({"url": "{{ number }}"}, "written-out host"),
        ({"url": "ftp://pabx/"}, "http:// or https://"),
        ({"url": "http://user:s3nha@pabx/"}, "username and password"),
        ({"url": "http://pabx/*{{ number }}#"}, "%23"),
        ({"url": "http://pabx/{{ nunber }}"}, "Did you mean 'number'"),
        ({"url": "http://pabx/{{ secrets.kei }}", "secrets": {"key": "x"}}, "Did you mean 'key'"),
        ({"url": "http://pabx/{{ number"}, "broken"),
        ({"url": "http://pabx/{{ number|urlencode }}"}, "urlencode"),
        ({"url": "http://pabx/", "method": "POST", "body": "{{ nobody }}"}, "'nobody'"),
        ({"url": "http://pabx/", "probe_url": "pabx/ping"}, "http:// or https://"),
    ],
)
def test_a_template_that_cannot_work_is_refused_when_the_gateway_starts(settings, why):
    with pytest.raises(AdapterError, match=why) as caught:
        adapter(**settings)
    assert "s3nha" not in str(caught.value)


def test_a_field_that_this_kind_of_message_lacks_sends_nothing():
    with closing(adapter(url="http://127.0.0.1:1/{{ ramal }}")) as speaking:
        with pytest.raises(AdapterError, match="'ramal' is undefined"):
            speaking.preview(DIAL)
        delivery = speaking.deliver(DIAL)
    assert delivery.outcome is Outcome.UNREACHABLE
    assert "ramal" in delivery.detail


def test_a_template_is_a_sandbox():
    with pytest.raises(AdapterError):
        sent(url="http://pabx/{{ number.__class__.__mro__ }}")


@pytest.mark.parametrize(
    ("settings", "key"),
    [
        ({"url": "http://pabx/"}, "success"),
        ({"url": "http://pabx/", "success": ""}, "success"),
        ({"url": "http://pabx/", "success": "("}, "success"),
        ({"url": "http://pabx/", "success": "ok", "sucess": "ok"}, "sucess"),
        ({"url": "http://pabx/", "success": "ok", "method": "PUT"}, "method"),
        ({"url": "http://pabx/", "success": "ok", "timeout_s": 0}, "timeout_s"),
        ({"url": "http://pabx/", "success": "ok", "timeout_s": "soon"}, "timeout_s"),
        ({"url": "http://pabx/", "success": "ok", "auth": "basic"}, "username"),
        ({"url": "http://pabx/", "success": "ok", "body": "x"}, "POST"),
        ({"url": "http://pabx/", "success": "ok", "headers": {"X-A": "1\r\nX-B: 2"}}, "X-A"),
        ({"url": "http://pabx/", "success": "ok", "headers": {"X A": "1"}}, "X A"),
        ({"success": "ok"}, "url"),
    ],
)
def test_settings_that_cannot_work_are_named(settings, key):
    with pytest.raises(ValidationError, match=key):
        CONFIG.validate_python(settings)


RULES = {"success": r"Success|ok:(?P<ref>\d+)", "refused": "Error|denied"}


@pytest.mark.parametrize(
    ("status", "body", "settings", "outcome", "ref"),
    [
        ("200 OK", b"Response: Success", RULES, "accepted", None),
        ("200 OK", b"ok:17", RULES, "accepted", "17"),
        ("200 OK", b"Response: Error\r\nMessage: busy", RULES, "refused", None),
        ("200 OK", b"<html>login</html>", RULES, "unknown", None),
        ("500 Oops", b"Permission denied", RULES, "refused", None),
        ("500 Oops", b"Success", RULES, "unknown", None),
        ("404 Not Found", b"Success", RULES, "refused", None),
        ("302 Found", b"Success", {**RULES, "success_status": [200, 399]}, "accepted", None),
        ("200 OK", "ligação: Success".encode("latin-1"), {"success": "ligação"}, "accepted", None),
    ],
)
def test_an_answer_is_judged_by_its_text_before_its_status(status, body, settings, outcome, ref):
    with serving(answer(status, body)) as peer, closing(adapter(url=peer.address, **settings)) as speaking:
        delivery = speaking.deliver(DIAL)
    assert (delivery.outcome, delivery.peer_ref) == (outcome, ref)


def test_what_the_peer_said_is_quoted_without_tags_and_lines():
    page = b"<h1>Permission\r\n denied</h1>"
    with serving(answer("200 OK", page)) as peer, closing(adapter(url=peer.address, **RULES)) as speaking:
        assert speaking.deliver(DIAL).detail == "A central 'pabx' recusou: respondeu \"Permission denied\"."


def probed(status: str):
    with serving(answer(status)) as peer:
        with closing(adapter(url=peer.address, probe_url=peer.address + "/ping")) as speaking:
            found = speaking.probe()
        assert peer.requests[0].startswith(b"GET /ping ")
        return found


def test_a_probe_url_is_requested_when_there_is_one():
    assert probed("200 OK").ok
    assert probed("401 Unauthorized").detail == "A central 'pabx' não está pronta: HTTP 401 (usuário ou senha)."


@pytest.mark.parametrize("path", ["/..", "/a/../b", "/a/.", "/%2e%2E/b", "/a/%2e?x", "/.%2e#x"])
def test_no_value_climbs_in_the_path(path):
    with pytest.raises(AdapterError, match="change the URL's path"):
        as_written(f"http://pabx{path}", "http://pabx")


@pytest.mark.parametrize("path", ["", "?to=/../x", "/a?b=/..", "/...", "/a.b/.c", "/a#/..", "/%2e%2e%2e"])
def test_dots_elsewhere_are_left_as_they_are(path):
    assert as_written(f"http://pabx{path}", "http://pabx") == f"http://pabx{path}"


def test_only_what_no_request_line_can_hold_is_encoded():
    assert as_written("http://pabx/a b?c=\u00e9%2b", "http://pabx") == "http://pabx/a%20b?c=%C3%A9%2b"
