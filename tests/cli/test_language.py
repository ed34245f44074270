"""Commands speak the language of the terminal, English where it names none of ours."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gateway.cli.main import cli
from gateway.cli.speech import language
from gateway.config import loader
from gateway.errors import ConfigError

SPANISH = {"LC_ALL": "", "LANG": "es_AR.UTF-8"}
ENGLISH = {"LC_ALL": "C.UTF-8"}


def run(*arguments: str, env: dict[str, str]) -> Result:
    return CliRunner().invoke(cli, list(arguments), env=env, prog_name="cti-gateway")


@pytest.mark.parametrize(
    ("env", "spoken"),
    [
        ({"LC_ALL": "C.UTF-8", "LANG": "es_AR.UTF-8"}, "en"),
        ({"LC_ALL": "", "LANG": "pt_BR.UTF-8"}, "pt-BR"),
        ({"LC_ALL": "C", "CTI_LANGUAGE": "es"}, "es"),
        ({"LC_ALL": "pt_BR.UTF-8", "CTI_LANGUAGE": "de"}, "pt-BR"),
    ],
)
def test_the_terminal_s_language_counts_and_a_variable_of_ours_before_it(
    monkeypatch: pytest.MonkeyPatch, env: dict[str, str], spoken: str
) -> None:
    for name in ("LANG", "LANGUAGE", "LC_MESSAGES", "CTI_LANGUAGE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    assert language() == spoken


def test_help_is_translated_and_english_again_in_the_next_run() -> None:
    spanish = " ".join(run("agent", "add", "--help", env=SPANISH).output.split())
    assert "Agrega el agente LOGIN, o da a uno que existe otro nombre, extensión y contraseña." in spanish
    assert "La extensión del agente." in spanish
    english = " ".join(run("agent", "add", "--help", env=ENGLISH).output.split())
    assert "Add the agent LOGIN" in english
    assert "The extension the agent sits at." in english


def test_the_list_of_commands_is_translated() -> None:
    shown = run("--help", env=SPANISH).output
    assert "Comandos:" in shown
    assert "Muestra la versión." in shown
    assert "El gateway entre CRMs y centrales telefónicas." in shown


def test_a_refusal_names_file_key_and_remedy_in_the_terminal_s_language(tmp_path: Path) -> None:
    file = tmp_path / "gateway.toml"
    file.write_text('[tenants.acme]\narea_code = "20"\nextensiones = []\n[server]\nworkers = 0\n')
    shown = run("check", "--config", str(file), env=SPANISH).output
    assert "tenants.acme.area_code: vino '20'; se esperaba uno de los 67 DDD de Brasil, dos dígitos como '47'." in shown
    assert "tenants.acme.extensiones: clave desconocida. ¿Quiso decir 'extensions'?" in shown
    assert "server.workers: vino 0; debe ser mayor o igual a 1." in shown
    assert shown.count("configuración") == 3
    with pytest.raises(ConfigError, match=r"server\.workers: came 0; input should be greater than or equal to 1\."):
        loader.load(file)


def test_what_is_wrong_at_an_appliance_is_in_the_terminal_s_language(tmp_path: Path) -> None:
    file = tmp_path / "gateway.toml"
    file.write_text('[tenants.acme.appliances.pabx]\npreset = "asterisk-amy"\n')
    shown = run("check", "--config", str(file), env=SPANISH).output
    assert "pabx.preset: no hay preajuste 'asterisk-amy'. ¿Quiso decir 'asterisk-ami'?" in shown


def test_counts_follow_the_language(tmp_path: Path) -> None:
    accounts = tmp_path / "contas.csv"
    accounts.write_text("codigo;nome;telefone\n1;Padaria;4732100123\n")
    shown = run("import", "accounts", str(accounts), "--data", str(tmp_path / "data"), env=SPANISH).output
    assert "csv: 1 línea leída; 1 cuenta nueva, 0 cambiadas, 0 iguales, 0 eliminadas, 0 líneas rechazadas; " in shown
    assert "'default' tiene ahora 1 cuenta\n" in shown


def test_labels_have_one_width_in_each_language(tmp_path: Path) -> None:
    arguments = ("number", "47999998888", "--data", str(tmp_path / "none"))
    english, spanish = (run(*arguments, env=env).output.splitlines() for env in (ENGLISH, SPANISH))
    assert "looked up 47999998888, 4799998888" in english
    assert "buscado  47999998888, 4799998888" in spanish
    assert "cuenta   - (todavía no hay base de datos aquí)" in spanish


def test_a_preset_is_shown_in_the_terminal_s_language() -> None:
    shown = run("presets", "asterisk-ami", env=SPANISH).output
    assert "  verificado  probado con: Asterisk 20.20.1, 22.10.1\n" in shown
    assert "\nConviene saber\n" in shown
    assert "  - La extensión suena primero; el destino se marca en context cuando atiende.\n" in shown
    assert "Segundos que suena la extensión.\n" in shown
    assert "probado con Asterisk 20.20.1, 22.10.1" in run("presets", env=SPANISH).output
    events = run("presets", "kamailio", "--events", "--address", "http://cti.example", env=SPANISH).output
    assert "=== kamailio: kamailio.cfg: cola, emisor y rutas de eventos" in events
    assert "--- click2call está en lugar del usuario" in events


def test_a_dial_plan_that_cannot_work_is_refused_in_the_terminal_s_language(tmp_path: Path) -> None:
    file = tmp_path / "gateway.toml"
    file.write_text('[tenants.acme]\nextensions = ["35-"]\n[tenants.beta.dial_plan]\nblocked = ["0900-"]\n')
    shown = run("check", "--config", str(file), env=SPANISH).output
    assert "no se entiende el patrón de número '0900-': se esperaban dígitos, x para cualquier dígito" in shown
    file.write_text('[tenants.acme]\nextensions = ["35-"]\n')
    shown = run("check", "--config", str(file), env=SPANISH).output
    assert "tenants.acme.extensions: No se entiende el patrón de extensiones '35-': se esperaban dígitos (201)" in shown


@pytest.mark.parametrize(
    ("arguments", "shown"),
    [
        (("check", "--help"), "Uso: cti-gateway check"),
        (("check", "--help"), "Muestra este mensaje y sale."),
        (("check", "--nonsense"), "No hay opción '--nonsense'."),
        (("serve", "--workers", "0"), "0 no está en el rango"),
        (("serve", "--listen", "nowhere"), "Error: se esperaba DIRECCIÓN:PUERTO"),
    ],
)
def test_click_s_own_words_are_in_the_terminal_s_language(arguments: tuple[str, ...], shown: str) -> None:
    """In a process of its own: gettext's domain is the process'."""
    done = subprocess.run(
        [sys.executable, "-m", "gateway", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "LC_ALL": "C.UTF-8", "CTI_LANGUAGE": "es"},
        check=False,
    )
    assert shown in done.stdout + done.stderr


@pytest.mark.parametrize(("env", "heads"), [(SPANISH, "id  empresa  sentido"), (ENGLISH, "id  tenant  direction")])
def test_the_call_log_s_heads_are_in_the_terminal_s_language(tmp_path: Path, env: dict[str, str], heads: str) -> None:
    run("import", "list", "--data", str(tmp_path), env=env)
    assert run("calls", "--data", str(tmp_path), env=env).output.splitlines()[0].startswith(heads)


def test_what_the_demo_played_is_told_in_the_terminal_s_language() -> None:
    from gateway.demo.play import PLAYED
    from gateway.texts.rendering import render

    assert [render(line, "es") for _, line in PLAYED][2] == "una llamada recibida de un número desconocido en 3501"


def test_what_simulators_do_when_they_fail_is_in_the_terminal_s_language() -> None:
    shown = run("simulate", "--list", env=SPANISH).output
    assert "se comporta como: grabado de Asterisk 20.20.1" in shown
    assert "cuando la extensión contestó." in " ".join(shown.split())
    assert "--fail busy           la extensión está ocupada: '-ERR USER_BUSY'" in shown
    assert "behaves as: recorded from Asterisk 20.20.1" in run("simulate", "--list", env=ENGLISH).output
