"""What names an account beside its telephones: CPF, CNPJ, the number of a contract.

Each has one form for all ways to write it, so that what an exchange sends finds what a directory has. A CPF has 11
digits; a CNPJ has 14 characters, of which the first 12 may be letters from July 2026 on (Receita Federal, Instrução
Normativa RFB 2.229/2024).
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

CPF, CNPJ, CONTRACT = "cpf", "cnpj", "contrato"
GUESSED = (CPF, CNPJ, CONTRACT)
LONGEST_KIND, LONGEST = 40, 64
_DOCUMENTS = frozenset((
    CPF, CNPJ, "cpf_cnpj", "cnpj_cpf", "cpfcnpj", "cnpjcpf", "cpf_ou_cnpj", "cnpj_ou_cpf", "documento", "document",
    "doc", "cgc", "a1_cgc", "contacpf", "contacnpj", "nr_cpf", "nr_cnpj", "numero_cpf", "numero_cnpj", "cpf_cliente",
    "cnpj_cliente",
))  # fmt: skip
"""Names under which a CPF or a CNPJ stands; which of the two it is shows in its length."""
_ANY_DOCUMENT = frozenset(("documento", "document", "doc"))
_CONTRACTS = frozenset((
    CONTRACT, "contract", "contratos", "numero_contrato", "num_contrato", "nr_contrato", "n_contrato", "no_contrato",
    "numero_do_contrato", "contract_number",
))  # fmt: skip
_CPF_DIGITS, _CNPJ_LENGTH, _FEWEST_LEFT = 11, 14, 8
_SEVERAL = re.compile(r"[;,|\n]+")


@dataclass(frozen=True, slots=True)
class Identifier:
    """What names an account: its ``kind`` (``cpf``, ``cnpj``, ``contrato``, or another name), its ``value`` in the one
    form, and how it was written.
    """

    kind: str
    value: str
    as_written: str = ""

    @property
    def key(self) -> tuple[str, str]:
        """What two that name the same have in common."""
        return self.kind, self.value


def plain(name: str) -> str:
    """Return ``Código da Conta`` as ``codigo_da_conta``."""
    letters = unicodedata.normalize("NFKD", name.strip().lower())
    return re.sub(r"[^a-z0-9]+", "_", "".join(c for c in letters if not unicodedata.combining(c))).strip("_")


def kind_of(name: str) -> str:
    """Return the kind that a column or field called ``name`` holds; of a CPF or CNPJ the value says which it is."""
    wanted = plain(name)
    if wanted in _DOCUMENTS:
        return CPF
    return CONTRACT if wanted in _CONTRACTS else wanted[:LONGEST_KIND]


def is_guessed(name: str) -> bool:
    """Return whether a column is one of identifiers by its name alone; a document may be of any other kind, too."""
    return plain(name) in (_DOCUMENTS - _ANY_DOCUMENT) | _CONTRACTS


def says_nothing(text: str) -> bool:
    """Return whether a cell names nothing and means to: it is empty, without a digit (ISENTO) or all zeros."""
    return not re.search(r"[1-9]", text)


def read_identifier(name: str, text: str) -> Identifier | None:
    """Return what ``text`` names, in a column or field called ``name``; None where it does not read as one.

    >>> read_identifier("CPF/CNPJ", "123.456.789-09").key, read_identifier("Contrato", "AB-0012/3").key
    (('cpf', '12345678909'), ('contrato', 'ab00123'))
    """
    kind = kind_of(name)
    if not kind or says_nothing(text):
        return None
    if kind == CPF:
        return _document(text)
    letters = "".join(filter(str.isalnum, unicodedata.normalize("NFKC", text).casefold()))
    return Identifier(kind, letters, text.strip()) if 0 < len(letters) <= LONGEST else None


def identifiers_in(name: str, cell: str) -> Iterator[tuple[str, Identifier | None]]:
    """Yield the texts of a cell that may hold several, each with what it names; those that say nothing are left out."""
    for text in _SEVERAL.split(cell):
        if not says_nothing(text):
            yield text.strip(), read_identifier(name, text)


def named_by(fields: Mapping[str, str]) -> list[Identifier]:
    """Return what the free ``fields`` of a call may name an account by, in their order."""
    found = (read_identifier(name, text) for name, text in fields.items())
    return [each for each in found if each is not None]


def searched(text: str) -> Iterator[str]:
    """Yield the values that somebody may mean who searches for ``text``, of whatever kind."""
    for name in (CPF, CONTRACT):
        if found := read_identifier(name, text):
            yield found.value


def shown(kind: str, value: str, as_written: str = "") -> str:
    """Return an identifier as people write it: ``123.456.789-09``, ``12.345.678/0001-95``."""
    if kind == CPF and len(value) == _CPF_DIGITS:
        return f"{value[:3]}.{value[3:6]}.{value[6:9]}-{value[9:]}"
    if kind == CNPJ and len(value) == _CNPJ_LENGTH:
        return f"{value[:2]}.{value[2:5]}.{value[5:8]}/{value[8:12]}-{value[12:]}"
    return as_written or value


def _document(text: str) -> Identifier | None:
    """Return a CPF or CNPJ; digits that a spreadsheet took off the front are put back where the check digits agree."""
    letters = "".join(c for c in unicodedata.normalize("NFKC", text).upper() if c.isalnum())
    if re.fullmatch(r"[0-9]{11}", letters):
        return _said(CPF, letters, text)
    if re.fullmatch(r"[0-9A-Z]{12}[0-9]{2}", letters):
        return _said(CNPJ, letters, text)
    if not letters.isdecimal() or not letters.isascii() or not _FEWEST_LEFT <= len(letters) < _CNPJ_LENGTH:
        return None
    whole = {CPF: letters.zfill(_CPF_DIGITS), CNPJ: letters.zfill(_CNPJ_LENGTH)}
    good = [kind for kind, value in whole.items() if _checks(kind, value)]
    return _said(good[0], whole[good[0]], text) if len(good) == 1 else None


def _said(kind: str, value: str, text: str) -> Identifier | None:
    """Return the identifier, unless it is one character again and again, as in a form that had to be filled in."""
    return None if len(set(value)) == 1 else Identifier(kind, value, text.strip())


def _checks(kind: str, value: str) -> bool:
    """Return whether the two check digits are right (module 11)."""
    length = _CPF_DIGITS if kind == CPF else _CNPJ_LENGTH
    if len(value) != length:
        return False
    highest = length if kind == CPF else 9
    return all(value[end] == str(_check_digit(value[:end], highest)) for end in (length - 2, length - 1))


def _check_digit(front: str, highest: int) -> int:
    weights = (2 + place % (highest - 1) for place in range(len(front)))
    total = sum(weight * (ord(letter) - ord("0")) for weight, letter in zip(weights, reversed(front), strict=True))
    return 0 if total % 11 < 2 else 11 - total % 11
