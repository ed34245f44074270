"""What an exchange attached to a call stands on its page and its card, with a word for people."""

import pytest

from gateway.domain.messages import ATTACHED
from tests.desk.conftest import Browser, Office

WORDS = {
    "queue": "Fila ou grupo",
    "line": "Linha chamada",
    "caller_name": "Nome informado",
    "hung_up_by": "Quem desligou",
}


@pytest.mark.parametrize("name", list(ATTACHED))
def test_a_call_s_page_shows_it_with_its_word(office: Office, ana: Browser, name: str) -> None:
    call_id = office.hang_up(**{name: "Vendas <b>"})
    page = ana.get(f"/ligacoes/{call_id}").text
    assert f"<dt>{WORDS[name]}</dt><dd>Vendas &lt;b&gt;</dd>" in page
    assert f"<dt>{WORDS[name]}</dt>" not in ana.get(f"/ligacoes/{office.hang_up('4733330000')}").text
