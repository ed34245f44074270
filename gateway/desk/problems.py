"""Errors in the words of who sits at a page: what a form calls its fields, not what its address calls them."""

from collections.abc import Mapping

from gateway.errors import BadParameter, GatewayError, MissingParameter
from gateway.texts.languages import Language
from gateway.texts.rendering import render
from gateway.texts.text import Text

ACCOUNT, NUMBER = Text("The account"), Text("The number")
FIELDS: Mapping[str, Text] = {
    "codigo": ACCOUNT,
    "conta": ACCOUNT,
    "contato": Text("The contact"),
    "ligacao": Text("The call"),
    "nome": Text("The name of the account"),
    "number": NUMBER,
    "numero": NUMBER,
}


def said(error: GatewayError, language: Language) -> str:
    """Return the sentence for people in ``language``; what is no field of a form is said as programs get it."""
    if not isinstance(error, BadParameter | MissingParameter) or error.name not in FIELDS:
        return error.said(language)
    return render(_of_field(FIELDS[error.name], error), language)


def _of_field(field: Text, error: BadParameter | MissingParameter) -> Text:
    value = error.value.strip()
    if not value:
        return Text("{field} is blank: give {expected}.", field=field, expected=error.expected)
    return Text(
        "{field} “{value}” will not do: give {expected}.", field=field, value=_short(value), expected=error.expected
    )


def _short(value: str) -> str:
    return value if len(value) <= 80 else f"{value[:77]}..."
