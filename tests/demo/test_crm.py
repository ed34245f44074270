"""The demo's sample CRM: pages only, no sockets."""

from pathlib import Path

import pytest

from gateway.config import loader
from gateway.demo.company import write_config
from gateway.demo.crm import SampleCrm, sample_accounts


@pytest.fixture
def crm() -> SampleCrm:
    """A CRM that does not listen."""
    made = SampleCrm.__new__(SampleCrm)
    made.gateway = "http://127.0.0.1:8080"
    made.accounts = sample_accounts()
    return made


def test_it_lists_the_sample_accounts_with_numbers_to_click_and_the_panel_s_script(crm: SampleCrm) -> None:
    shown = crm.page("/", "en")
    assert shown
    assert 'href="/contas/1001">Padaria São José</a>' in shown
    assert '<a href="tel:+5547999998888">(47) 99999-8888</a>' in shown
    assert '<script src="http://127.0.0.1:8080/cti/v1.js">' in shown
    assert "A sample CRM" in shown


def test_a_record_and_a_new_customer_are_pages_of_their_own(crm: SampleCrm) -> None:
    assert "<h2>Clínica Boa Vista</h2>" in (crm.page("/contas/1003", "pt-BR") or "")
    shown = crm.page("/contas/nova?telefone=%3Cb%3E4733334444", "pt-BR") or ""
    assert "Novo cliente com o número &lt;b&gt;4733334444" in shown
    assert crm.page("/contas/9999", "pt-BR") is None
    assert crm.page("/etc/passwd", "pt-BR") is None


def test_the_demo_s_configuration_names_it(tmp_path: Path) -> None:
    path = write_config(tmp_path, "127.0.0.1:8080", {}, "http://127.0.0.1:9000")
    settings = loader.load(path).tenants["demo"].crm
    assert settings.origins == ("http://127.0.0.1:9000",)
    assert settings.link == "http://127.0.0.1:9000/contas/{{ code }}"
    assert settings.new_link == "http://127.0.0.1:9000/contas/nova?telefone={{ number }}"
