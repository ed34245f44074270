"""The configuration of a gateway on site."""

from pathlib import Path

import pytest

from gateway.errors import ConfigError
from gateway.onsite.settings import HERE, is_of_site, load

MAIN = '[main]\nurl = "https://cti.example.com/"\nkey = "file:key.txt"\n'
AMI = '[sources.pabx]\nkind = "ami"\nhost = "10.0.0.5"\nusername = "cti"\nsecret = "s"\n'
URL = '[appliances.central]\nadapter = "url"\nurl = "http://10.0.0.5/{{ number }}"\nsuccess = "OK"\n'


@pytest.fixture
def write(tmp_path: Path):
    (tmp_path / "key.txt").write_text("ctis_secret\n")

    def written(text: str) -> Path:
        path = tmp_path / "onsite.toml"
        path.write_text(text)
        return path

    return written


def test_a_whole_configuration_is_read(write) -> None:
    path = write(f'data = "d"\nextensions = ["3500-3599"]\narea_code = "47"\n{MAIN}{AMI}{URL}')
    settings = load(path)
    assert (settings.main.url, settings.main.key.get_secret_value()) == ("https://cti.example.com", "ctis_secret")
    assert "ctis_secret" not in repr(settings)
    config = settings.as_config()
    company = config.tenants[HERE]
    assert (list(company.event_sources), list(company.appliances)) == (["pabx"], ["central"])
    assert company.event_sources["pabx"].settings.host == "10.0.0.5"
    assert company.appliances["central"].settings.success == "OK"
    assert (company.extensions, company.area_code, company.timezone) == (("3500-3599",), "47", "America/Sao_Paulo")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "main: is required"),
        ('[main]\nurl = "ftp://x"\nkey = "k"\n', "main.url"),
        ('[main]\nurl = "http://cti.example.com"\nkey = "k"\n', "https://"),
        ('[main]\nurl = "https://cti.example.com"\nkey = "env:NO_SUCH_VARIABLE"\n', "main.key"),
        ('[main]\nurl = "https://cti.example.com"\nkey = "“ctis_a”"\n', "main.key: expected a key as"),
        ('[main]\nurl = "https://cti.example.com"\nkey = "ctis_a "\n', "main.key: expected a key as"),
        (MAIN + "[sources.pabx]\nkind = 'amy'\n", "sources.pabx.kind"),
        (MAIN + AMI + "hots = 'x'\n", "sources.pabx.hots"),
        (MAIN + '[sources.nuvem]\nkind = "webhook"\n', "belongs to the main gateway"),
        (MAIN + '[appliances.pabx]\nonsite = "outro"\n', "belongs to the main gateway"),
        (MAIN + AMI + 'same_exchange_as = "other"\n', "same_exchange_as"),
        (MAIN + "[forwards.crm]\nadapter = 'url'\nurl = 'http://x'\nsuccess = 'x'\n", "forwards"),
        (MAIN + "spool_mb = 0\n", "spool_mb"),
        ("no toml", "is not TOML"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(write, text: str, told: str) -> None:
    with pytest.raises(ConfigError) as raised:
        load(write(text))
    assert told in str(raised.value)
    assert "onsite.toml" in str(raised.value)


@pytest.mark.parametrize("url", ["http://127.0.0.1:8080", "http://localhost:8080"])
def test_a_main_gateway_on_this_machine_needs_no_certificate(write, url: str) -> None:
    assert load(write(f'[main]\nurl = "{url}"\nkey = "k"\n')).main.url == url


def test_an_address_in_clear_is_taken_where_it_is_asked_for(write) -> None:
    text = '[main]\nurl = "http://10.1.1.1"\nkey = "k"\nallow_http = true\n'
    assert load(write(text)).main.url == "http://10.1.1.1"


def test_a_file_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        load(tmp_path / "none.toml")


def test_a_configuration_is_known_by_its_table(write, tmp_path: Path) -> None:
    assert is_of_site(write(MAIN))
    assert not is_of_site(write("[server]\n"))
    assert not is_of_site(write("no toml"))
    assert not is_of_site(None)
    assert not is_of_site(tmp_path / "none.toml")
