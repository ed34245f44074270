"""What a template makes of a message: values escaped for where they go, and nothing sent that could not be meant."""

import pytest
from pydantic import SecretStr

from adapters.http.templates import Template, for_form, for_header, for_json, for_text, for_url, for_xml
from gateway.adapter import Outgoing
from gateway.errors import AdapterError

ESCAPES = (for_text, for_url, for_form, for_json, for_xml, for_header)
NUMBER = '+55 <a> "b" & %41 é'
ORDER = Outgoing("dial", "7", {"extension": "3501", "number": NUMBER, "order_id": "", "tenant": "acme"})


@pytest.mark.parametrize(
    ("escape", "written"),
    [
        (for_text, NUMBER),
        (for_url, "%2B55%20%3Ca%3E%20%22b%22%20%26%20%2541%20%C3%A9"),
        (for_form, "%2B55+%3Ca%3E+%22b%22+%26+%2541+%C3%A9"),
        (for_json, r"+55 <a> \"b\" & %41 \u00e9"),
        (for_xml, "+55 &lt;a&gt; &quot;b&quot; &amp; %41 é"),
    ],
)
def test_a_value_is_escaped_for_where_it_goes(escape, written):
    template = Template("[{{ number }}|{{ secrets.key }}]", escape=escape, secrets={"key": SecretStr(NUMBER)})
    assert template.render(ORDER) == f"[{written}|{written}]"


@pytest.mark.parametrize(
    ("source", "made"),
    [
        ("", ""),
        ("nothing to fill in", "nothing to fill in"),
        ("{{extension}}{{ order_id }}", "3501"),
        ("{{ kind }} {{ id }}\n\n  {{- tenant -}}  \n", "dial 7acme"),
        ("a\r\n{{ extension }}\r\n", "a\r\n3501\r\n"),
        ("{# a remark #}{% raw %}{{ extension }}{% endraw %}", "{{ extension }}"),
        ("{{ extension[2:] }}{{ extension | int + 1 }}{{ 'SIP/' ~ extension }}", "013502SIP/3501"),
    ],
)
def test_a_template_is_jinja2s(source, made):
    assert Template(source, secrets={}).render(ORDER) == made


@pytest.mark.parametrize("escape", ESCAPES)
@pytest.mark.parametrize(
    "source",
    [
        "",
        "nothing to fill in",
        "{{number}}{{ extension }}",
        "/dial?to={{ number }}&from={{ extension }}&key={{ secrets.key }}",
        "{{ order_id }}{{ secrets.empty }}",
        "{{ kind }} {{ id }}\n\n  {{- tenant -}}  \n",
        "a\r\n{{ number }}\r\n",
        "{# a remark #}{{ number }}{% raw %}{{ extension }}{% endraw %}",
    ],
)
def test_texts_and_names_are_put_together_as_jinja2_does_it(source, escape):
    template = Template(source, escape=escape, secrets={"key": SecretStr("s3&<>\"' +%/é"), "empty": SecretStr("")})
    assert template._parts is not None
    by_us, template._parts = template.render(ORDER), None
    assert by_us == template.render(ORDER)


@pytest.mark.parametrize(
    "source",
    [
        "{{ number | int(0) }}",
        "{{ number[2:] }}",
        "{{ 'SIP/' ~ extension }}",
        "{% if number %}{{ number }}{% endif %}",
        "{{ number.lower() }}",
        "{{ secrets.key | md5 }}",
        "{{ secrets }}",
        "{{ 1 }}",
    ],
)
def test_all_else_is_left_to_jinja2(source):
    template = Template(source, secrets={"key": SecretStr("s3")})
    assert template._parts is None
    assert template.render(ORDER)


def test_a_field_that_a_message_lacks_is_told():
    template = Template("{{ number }}{{ url_audio }}", secrets={})
    assert template._parts is not None
    with pytest.raises(AdapterError, match="'url_audio' is undefined"):
        template.render(ORDER)


@pytest.mark.parametrize("escape", ESCAPES)
def test_a_control_character_in_a_value_is_never_sent(escape):
    template = Template("to={{ number }}", escape=escape, secrets={})
    with pytest.raises(AdapterError, match="control characters"):
        template.render(Outgoing("dial", "7", {"number": "47\r\n"}))


def test_a_secret_that_cannot_be_sent_is_told_when_it_should_be():
    template = Template("{{ secrets.key }}", secrets={"key": SecretStr("a\nb")})
    with pytest.raises(AdapterError, match="control characters"):
        template.render(ORDER)
