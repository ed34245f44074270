"""Links into the CRM: what templates make of values that strangers may have written."""

import pytest

from gateway.desk.crm_links import EXAMPLE, LinkUnusable, link_of, shown_link, try_link

CRM = "https://crm.example"


@pytest.mark.parametrize(
    ("template", "values", "made"),
    [
        (f"{CRM}/contas/{{{{ code }}}}", {"code": "1001"}, f"{CRM}/contas/1001"),
        (f"{CRM}/{{{{ code }}}}", {"code": "../x?y=1#z&a b"}, f"{CRM}/..%2Fx%3Fy%3D1%23z%26a%20b"),
        (f"{CRM}/?q={{{{ name }}}}", {"name": "São José"}, f"{CRM}/?q=S%C3%A3o%20Jos%C3%A9"),
        (f"{CRM}/?c={{{{ codigo_erp }}}}", {"Código ERP": "7"}, f"{CRM}/?c=7"),
        (f"{CRM}/?c={{{{ cidade|default('') }}}}", {}, f"{CRM}/?c="),
        (
            f"{CRM}/{{% if number[:2] == '47' %}}sul{{% else %}}norte{{% endif %}}",
            {"number": "4732100123"},
            f"{CRM}/sul",
        ),
        ("http://{{ code }}.crm.example/", {"code": "a.evil.example/"}, "http://a.evil.example%2F.crm.example/"),
    ],
)
def test_each_value_is_encoded_where_it_stands(template: str, values: dict[str, str], made: str) -> None:
    assert link_of(template, values) == made


@pytest.mark.parametrize(
    ("template", "values", "why"),
    [
        ("{{ site }}", {"site": "https://evil.example"}, "no http or https address"),
        ("javascript:alert({{ code }})", {"code": "1"}, "no http or https address"),
        ("https:///{{ code }}", {"code": "1"}, "no http or https address"),
        (f"{CRM}/{{{{ code }}}}\n", {"code": "1"}, None),
        (f"{CRM}/\n{{{{ code }}}}", {"code": "1"}, "no http or https address"),
        (f"{CRM}/{{{{ code }}}}", {"code": "x" * 5000}, "no http or https address"),
        (f"{CRM}/{{{{ cidade }}}}", {"code": "1"}, "'cidade' is undefined"),
        (f"{CRM}/{{{{ code", {"code": "1"}, "the template is broken"),
        (f"{CRM}/{{{{ code|urlencode }}}}", {"code": "1"}, "No filter named 'urlencode'"),
        (f"{CRM}/{{{{ code / 2 }}}}", {"code": "1"}, "TypeError in an expression"),
        (f"{CRM}/{{{{ code.__class__.__mro__ }}}}", {"code": "1"}, "unsafe"),
        (f"{CRM}/{{{{ code }}}}", {"code": "\ud800"}, "in an expression"),
    ],
)
def test_what_makes_no_address_is_said_and_never_shown(template: str, values: dict[str, str], why: str | None) -> None:
    if why is None:
        assert link_of(template, values) == f"{CRM}/1"
        return
    with pytest.raises(LinkUnusable, match=why):
        link_of(template, values)
    assert shown_link(template, values) is None


def test_a_name_that_nothing_has_is_told_with_the_nearest_one() -> None:
    with pytest.raises(LinkUnusable, match=r"there is no 'cod'\. Did you mean 'code'\?"):
        try_link("link", f"{CRM}/{{{{ cod }}}}", {})
    with pytest.raises(LinkUnusable, match=r"there is no 'xyz'\. Known: account_id, call_id, caller_name, cidade,"):
        try_link("link", f"{CRM}/{{{{ xyz }}}}", {"Cidade": "x"})
    assert try_link("link", f"{CRM}/{{{{ cidade }}}}", {"Cidade": "x"}) == f"{CRM}/x"


def test_each_documented_name_works() -> None:
    for name in EXAMPLE:
        assert try_link("link", f"{CRM}/{{{{ {name} }}}}", {}).startswith(f"{CRM}/")
