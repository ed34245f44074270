"""The directory live from WConnect, for which a nuSOAP server stands in."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr, TypeAdapter

from adapters.wconnect.settings import WConnectConfig
from adapters.wconnect.source import WConnectSource
from gateway.errors import SourceError
from gateway.source import Entry
from tests.directory.conftest import Office, office, open_store, store
from tests.live.conftest import free_port
from tests.live.test_soap_servers import NUSOAP, SERVERS, running
from tests.peers import absent, need

__all__ = ["office", "open_store", "store"]

PAGES = {"Pagina": "{{ page }}", "PorPagina": 40}
ACCOUNTS = 125


@contextmanager
def wconnect(**environment: str) -> Iterator[str]:
    php = need("php", package="php-cli")
    if not NUSOAP.exists():
        absent("nuSOAP is not installed (Debian: apt-get install libnusoap-php)")
    port = free_port()
    settings = {"WCONNECT_ACCOUNTS": str(ACCOUNTS)} | environment
    with running([php, "-S", f"127.0.0.1:{port}", str(SERVERS / "wconnect.php")], port, settings):
        yield f"http://127.0.0.1:{port}/?wsdl"


@pytest.fixture(scope="module")
def wsdl() -> Iterator[str]:
    with wconnect() as address:
        yield address


def source(wsdl: str, pages: Mapping[str, Any] | None = None, **more: Any) -> WConnectSource:
    login = {"username": "gateway", "password": "s3nhaç"}
    parameters = {"account_parameters": pages or {}, "contact_parameters": pages or {}}
    config = TypeAdapter(WConnectConfig).validate_python({"wsdl": wsdl} | login | parameters | more)
    return WConnectSource(config, name="wconnect")


@pytest.mark.parametrize("pages", [{}, PAGES])
def test_accounts_and_contacts_come_with_their_numbers(office: Office, wsdl: str, pages: dict[str, Any]) -> None:
    run = office.take(source(wsdl, pages), "wconnect", full=True)
    assert (run.counts.entries, run.counts.added, run.counts.refused) == (ACCOUNTS + 63, ACCOUNTS + 1, 0)
    accounts = office.accounts()
    assert accounts["3"] == (
        "Padaria São João & Cia 3",
        {"4732000003": "", "47990000003": "", "47980000003": "José 3"},
    )
    assert accounts["contato-1001"] == ("José 1", {"47980000001": "José 1"})
    again = office.take(source(wsdl, pages), "wconnect", full=True)
    assert (again.counts.unchanged, again.counts.changed) == (ACCOUNTS + 1, 0)


def test_the_numbers_are_found_when_somebody_calls(office: Office, wsdl: str) -> None:
    office.take(source(wsdl), "wconnect")
    office.store.start("3501", "47980000003")
    (call,) = office.store.calls.recent("acme")
    assert (call.account, call.contact) == ("Padaria São João & Cia 3", "José 3")


def test_fields_that_it_is_told_of_are_kept_and_one_that_nothing_has_is_named(office: Office, wsdl: str) -> None:
    wanted = ["contaCidadeDescricao", "contaBairro"]
    run = office.take(source(wsdl, fields=wanted), "wconnect")
    (found,) = (each for each in office.store.directory.search("acme", "3") if each.code == "3")
    account = office.store.directory.account("acme", found.id)
    assert account is not None
    assert account.fields == {"contaCidadeDescricao": "Jaraguá"}
    assert [(one["place"], one["reason"], one["text"]) for one in run.refusals] == [
        ("getContas", "no_field", "contaBairro")
    ]


def test_an_account_is_found_by_its_cnpj(office: Office, wsdl: str) -> None:
    office.take(source(wsdl), "wconnect")
    (found,) = office.store.directory.search("acme", "11222333000181")
    assert found.code == "3"
    office.take(source(wsdl, account_identifiers=[]), "wconnect")
    assert office.store.directory.search("acme", "11222333000181") == []


def test_changes_only_are_asked_for_where_it_understands_that(office: Office, wsdl: str) -> None:
    speaking = source(wsdl, PAGES | {"AlteradoDesde": "{{ since }}"})
    assert speaking.incremental
    assert not source(wsdl, PAGES).incremental
    entries = list(speaking.entries(1_780_000_000_000))
    speaking.close()
    assert [entry.code for entry in entries if isinstance(entry, Entry)][:3] == ["1", "11", "21"]


def test_contacts_need_not_be_asked_for(wsdl: str) -> None:
    speaking = source(wsdl, contacts_operation="")
    assert len(list(speaking.entries(None))) == ACCOUNTS
    speaking.close()


def test_a_server_that_does_not_know_pages_is_found_out() -> None:
    with wconnect(WCONNECT_NO_PAGES="1") as wsdl:
        speaking = source(wsdl, PAGES)
        with pytest.raises(SourceError, match=r"getContas: a página 2 repete a anterior\. O WConnect não entende"):
            list(speaking.entries(None))
        speaking.close()


def test_a_wrong_password_is_said_in_the_server_s_words_and_not_repeated(office: Office, wsdl: str) -> None:
    with pytest.raises(SourceError) as error:
        office.take(source(wsdl, password="errada-1"), "wconnect")
    assert "getContas: o WConnect recusou: usuário ou senha inválidos." in str(error.value)
    assert "errada-1" not in str(error.value)
    assert office.accounts() == {}


def test_check_logs_in_and_says_what_came(wsdl: str) -> None:
    good, bad = source(wsdl), source(wsdl, password="errada-1")
    probe = good.probe()
    assert (probe.ok, probe.detail) == (
        True,
        "O WConnect respondeu ao setTeste: status 'OK', mensagem 'conexão estabelecida'",
    )
    assert not bad.probe().ok
    for each in (good, bad):
        each.close()


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"accounts_operation": "getConta"}, "o WSDL não tem operação 'getConta'; tem: setTeste, getContas"),
        ({"account_parameters": {"Page": 1}}, "getContas não tem o parâmetro 'Page'; tem: AlteradoDesde, ContasCNPJ"),
    ],
)
def test_what_is_wrong_is_said_in_words_to_act_on(wsdl: str, more: dict[str, Any], said: str) -> None:
    speaking = source(wsdl, **more)
    with pytest.raises(SourceError) as error:
        list(speaking.entries(None))
    speaking.close()
    assert said in str(error.value)


def test_an_answer_that_is_too_large_says_what_to_do() -> None:
    with wconnect(WCONNECT_ACCOUNTS="2000") as wsdl:
        speaking = source(wsdl, max_answer_mb=1)
        with pytest.raises(SourceError, match=r"a resposta é grande demais\. Peça páginas \(account_parameters"):
            list(speaking.entries(None))
        speaking.close()


def test_a_server_that_is_not_there_is_named(tmp_path: Path) -> None:
    speaking = source(f"http://127.0.0.1:{free_port()}/?wsdl")
    with pytest.raises(SourceError, match=r"o WSDL do WConnect não foi carregado: conexão recusada\."):
        list(speaking.entries(None))
    assert not speaking.probe().ok
    speaking.close()


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"account_parameters": {"P": "{{ pagina }}"}}, "there is no {{ pagina }}; known: {{ page }}, {{ since }}"),
        ({"account_parameters": {"D": "{{ since }}"}}, "must stand in both"),
        ({"max_answer_mb": 0}, "max_answer_mb must be 1 at least"),
        ({"timezone": "Brasil"}, "timezone: there is no 'Brasil'"),
    ],
)
def test_wrong_settings_are_refused_at_the_start(more: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said.replace("{", r"\{")):
        source("http://wconnect.example/?wsdl", **more)


def test_the_password_is_in_no_repr(wsdl: str) -> None:
    config = WConnectConfig(wsdl=wsdl, username="gateway", password=SecretStr("s3nhaç"))
    assert "s3nha" not in repr(config)
