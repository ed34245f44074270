"""Errors in the words of who sits at a page: what a form calls its fields, not what its address calls them."""

from collections.abc import Mapping

from gateway.errors import BadParameter, GatewayError, MissingParameter

FIELDS: Mapping[str, str] = {
    "codigo": "A conta",
    "conta": "A conta",
    "contato": "O contato",
    "ligacao": "A ligação",
    "nome": "O nome da conta",
    "number": "O número",
    "numero": "O número",
}


def said(error: GatewayError) -> str:
    """The sentence for people; what is no field of a form is said as programs get it."""
    if not isinstance(error, BadParameter | MissingParameter) or error.name not in FIELDS:
        return str(error)
    name, value = FIELDS[error.name], error.value.strip()
    if not value:
        return f"{name} está em branco: informe {error.expected}."
    return f"{name} “{_short(value)}” não serve: informe {error.expected}."


def _short(value: str) -> str:
    return value if len(value) <= 80 else f"{value[:77]}..."
