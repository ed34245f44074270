"""What is wrong with the settings of an adapter, a preset or the arguments of a call, in its reader's language."""

from pathlib import Path
from typing import Any

import pytest

from adapters.presets.files import Catalogue
from gateway.config.loader import parse
from gateway.errors import AdapterError, ConfigError
from gateway.texts.languages import Language
from gateway.texts.rendering import render
from tests.adapters.test_soap_field import sent

PRESET = """
title = "A"
address = "http://h"
verified = { how = "template", sources = ["this test"] }
dial = { get = "/", success = "ok" }
"""
URL = {"adapter": "url", "url": "http://h/", "success": "ok"}
SOAP = {"adapter": "soap", "wsdl": "http://h/?wsdl", "operation": "Dial", "success": "ok"}
AMI = {"adapter": "ami", "host": "h", "username": "u", "secret": "s", "context": "c"}


def told(raw: dict[str, Any], language: Language) -> str:
    with pytest.raises(ConfigError) as error:
        parse({"tenants": {"a": {"appliances": {"pabx": raw}}}}, source="gateway.toml")
    return render(error.value.whole, language)


@pytest.mark.parametrize(
    ("raw", "portuguese", "spanish"),
    [
        (URL | {"tls_pin": "x"}, "64 dígitos hexadecimais", "64 dígitos hexadecimales"),
        (URL | {"headers": {"a b": "x"}}, "'a b' não pode ser o nome de", "'a b' no puede ser el nombre de"),
        (URL | {"success": "("}, "não é uma expressão regular", "no es una expresión regular"),
        (URL | {"auth": "basic"}, '"basic" precisa de um username', '"basic" necesita un username'),
        (SOAP | {"wsdl": ""}, "precisa de um wsdl ou de um envelope", "necesita un wsdl o un envelope"),
        (AMI | {"host": "a b"}, "'a b' não é um nome de host", "'a b' no es un nombre de host"),
    ],
)
def test_a_wrong_setting_of_an_adapter_is_told_in_the_readers_language(
    raw: dict[str, Any], portuguese: str, spanish: str
) -> None:
    assert portuguese in told(raw, "pt-BR")
    assert spanish in told(raw, "es")


@pytest.mark.parametrize(
    ("added", "portuguese", "spanish"),
    [
        ("[session]\nlifetime_from = 'x'", "precisa de lifetime_s", "necesita lifetime_s"),
        ("[session]\nidle_s = 9\nlifetime_from = 'x'", "o login não captura nada", "el login no captura nada"),
        ("[parameters.number]\nhelp = 'X.'", "'number' não pode ser um nome", "'number' no puede ser un nombre"),
        ("= x", "não é TOML em UTF-8", "no es TOML en UTF-8"),
    ],
)
def test_a_mistake_in_the_file_of_a_preset_is_told_in_the_readers_language(
    added: str, portuguese: str, spanish: str, tmp_path: Path
) -> None:
    (tmp_path / "mine.toml").write_text(f"{PRESET}{added}\n")
    with pytest.raises(ConfigError) as error:
        Catalogue(tmp_path).preset("mine")
    assert portuguese in render(error.value.whole, "pt-BR")
    assert spanish in render(error.value.whole, "es")


@pytest.mark.parametrize(
    ("arguments", "portuguese", "spanish"),
    [
        (
            {"from": "12."},
            "'from' veio como '12.', esperado um número inteiro (int)",
            "'from' vino como '12.', se esperaba un número entero (int)",
        ),
        (
            {"either": "x"},
            "esperado um número inteiro (int) ou um destes: ring, auto",
            "se esperaba un número entero (int) o uno de estos: ring, auto",
        ),
        ({"nobody": "1"}, "não existe 'nobody'; existem: from,", "no existe 'nobody'; existen: from,"),
    ],
)
def test_arguments_that_do_not_fit_are_told_in_the_readers_language(
    arguments: dict[str, Any], portuguese: str, spanish: str
) -> None:
    with pytest.raises(AdapterError) as error:
        sent("values", arguments)
    assert portuguese in render(error.value.whole, "pt-BR")
    assert spanish in render(error.value.whole, "es")
