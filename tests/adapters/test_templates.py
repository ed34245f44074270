"""Templates of nothing but texts and names are put together without Jinja2, and come out as Jinja2 has them."""

import pytest
from pydantic import SecretStr

from adapters.http.templates import Template, for_form, for_header, for_json, for_text, for_url, for_xml
from gateway.adapter import Outgoing
from gateway.errors import AdapterError

ESCAPES = (for_text, for_url, for_form, for_json, for_xml, for_header)
SECRETS = {"key": SecretStr("s3&<>\"' +%/é"), "empty": SecretStr("")}
VALUES = {"extension": "3501", "number": "+55 (47) 3210-0123 & <a> \"b\" 'c' %41 é", "order_id": "", "tenant": "acme"}
ORDER = Outgoing("dial", "7", VALUES)


def by_jinja(template: Template, message: Outgoing = ORDER) -> str:
    template._parts = None
    return template.render(message)


@pytest.mark.parametrize("escape", ESCAPES)
@pytest.mark.parametrize(
    "source",
    [
        "",
        "nothing to fill in",
        "{{ number }}",
        "{{number}}{{ extension }}",
        "/dial?to={{ number }}&from={{ extension }}&key={{ secrets.key }}",
        "{{ order_id }}{{ secrets.empty }}",
        "{{ kind }} {{ id }}\n\n  {{- tenant -}}  \n",
        "a\r\n{{ number }}\r\n",
        "{# a remark #}{{ number }}{% raw %}{{ extension }}{% endraw %}",
    ],
)
def test_texts_and_names_come_out_as_from_jinja2(source, escape):
    template = Template(source, escape=escape, secrets=SECRETS)
    assert template._parts is not None
    assert template.render(ORDER) == by_jinja(template)


@pytest.mark.parametrize(
    "source",
    [
        "{{ number | int(0) }}",
        "{{ number[2:] }}",
        "{{ 'SIP/' ~ extension }}",
        "{% if number %}{{ number }}{% endif %}",
        "{{ number.lower() }}",
        "{{ secrets.key | md5 }}",
        "{{ 1 }}",
    ],
)
def test_all_else_is_left_to_jinja2(source):
    template = Template(source, secrets=SECRETS)
    assert template._parts is None
    assert template.render(ORDER)


def test_a_field_that_a_message_lacks_is_told_as_jinja2_tells_it():
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
