"""Which passwords may be chosen."""

import pytest

from gateway.logins.passwords import WeakPassword, hash_password
from gateway.logins.weak import weakness
from gateway.texts.rendering import render

GOOD = (
    "segredo-123", "longa-senha", "demo-1234", "correct horse battery", "X7#kq!2m", "ana gosta de café", "83920174",
    "12345-ok-vamos-la", "Maria Silva 1987", "aaaabbbb-cccc-dddd",
)  # fmt: skip
BAD = (
    "12345678", "123456789", "87654321", "11111111", "aaaaaaaaaa", "12121212", "abcabcabc", "12341234", "11112222",
    "abcdefgh", "qwertyui", "QWERTYUIOP", "asdfghjkl", "qwerty123", "1234abcd", "abcd1234", "1q2w3e4r", "1qaz2wsx",
    "password", "Password1", "P@ssw0rd", "senha123", "Senha@2024", "SENHA1234!", "mudar123", "admin123", "teste1234",
    "brasil2024", "Flamengo10", "iloveyou", "        ", "!!!!!!!!",
)  # fmt: skip


@pytest.mark.parametrize("password", BAD)
def test_a_password_that_is_guessed_first_is_refused_with_the_reason(password: str) -> None:
    with pytest.raises(WeakPassword) as caught:
        hash_password(password, login="bruno")
    assert "choose another" in str(caught.value)
    assert "é adivinhada com facilidade demais" in render(caught.value.text, "pt-BR")


@pytest.mark.parametrize("password", GOOD)
def test_other_passwords_are_taken(password: str) -> None:
    assert weakness(password, "bruno") is None


@pytest.mark.parametrize(
    ("login", "password"),
    [("ana.souza", "ana.souza"), ("ana.souza", "ANA.SOUZA1"), ("anasouza", "azuosana"), ("carolina", "carolina2024")],
)
def test_the_login_is_no_password(login: str, password: str) -> None:
    assert weakness(password, login)
    assert weakness(password, "bruno") is None


def test_a_long_password_may_hold_the_login() -> None:
    assert weakness("segredo-da-ana", "ana") is None
