"""Which columns hold telephones, and which the area code (DDD) of another one, by the words in their names.

Sources: names of columns in exports of Protheus (table SA1), Google Contacts, Outlook and Salesforce.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import partial

PHONE = re.compile(
    r"(?:tele)?fone(?!ti)[a-z]*\d*|tel(?:s|efono|efonos|res|com|cel)?\d*|cel(?:s|ular|ulares)?\d*|celular[a-z]*\d*"
    r"|(?:home|work|office|business|mobile|cell|main|other|alt|alternate|primary|contact|billing|shipping)?"
    r"(?:tele)?phones?(?:number)?s?\d*|(?:cell|mobile)s?\d*|fax(?:es)?\d*|whats(?:app)?s?\d*|zap\d*"
)
"""One word of a column's name that says telephone."""
_NUMBER = re.compile(r"(?:numero|number|num|nro)s?\d*")
_WHOSE = frozenset((
    "work", "home", "office", "business", "contact", "main", "primary", "secondary", "alternate", "alternative",
    "other", "trabalho", "casa", "comercial", "residencial", "recado", "recados", "principal", "contato",
    "secundario", "alternativo", "outro", "de", "do", "da", "para",
))  # fmt: skip
_ABOUT = frozenset((
    "type", "tipo", "label", "rotulo", "etiqueta", "operadora", "carrier", "pais", "country", "ddi", "ext", "extension",
    "ramal", "valid", "valido", "verified", "verificado", "status", "situacao", "obs", "observacao", "observacoes",
    "data", "date", "hora", "time", "tem", "has", "is", "aceita", "opt", "permite", "permission", "horario", "validado",
    "confirmado", "preferred", "preferencia", "custo", "valor", "qtd", "count", "last", "ultimo", "consent",
))  # fmt: skip
"""Words of columns that say something of a telephone and hold none."""
_ADDRESS = frozenset(("endereco", "rua", "logradouro", "bairro", "cep", "street", "address"))
_AREA = re.compile(r"ddd[a-z]*\d*|areacode\d*")
_AREA_NAMES = frozenset(("area_code", "codigo_area", "codigo_de_area", "cod_area"))
_MODULE = re.compile(r"[a-z]{1,2}\d_")
_KINDS: Mapping[str, str] = {
    **dict.fromkeys(("telefone", "fone", "tel", "phone", "telephone"), "phone"),
    **dict.fromkeys(("celular", "cel", "mobile", "cell", "cellphone"), "mobile"),
}


def is_phone(name: str, names: Sequence[str] = ()) -> bool:
    """Return whether the column ``name`` is one of telephones; ``names`` are all of the table's (as of
    ``columns.plain``).
    """
    words = _words(name)
    if _ABOUT.intersection(words):
        return False
    if any(PHONE.fullmatch(word) for word in words):
        return True
    if not any(_NUMBER.fullmatch(word) for word in words):
        return False
    others = [word for word in words if not _NUMBER.fullmatch(word) and not word.isdigit()]
    # A plain "Número" beside a street is the house's.
    return all(word in _WHOSE for word in others) if others else not _ADDRESS.intersection(map(_bare, names))


def is_area(name: str) -> bool:
    """Return whether the column ``name`` holds area codes."""
    return _bare(name) in _AREA_NAMES or any(_AREA.fullmatch(word) for word in _words(name))


def area_columns(areas: Sequence[int], phones: Sequence[int], names: Sequence[str]) -> dict[int, int]:
    """Return the column of the area code for each column of telephones that has one.

    It has the telephone's words (``ddd_celular``, ``ddd2``); else a plain ``ddd`` is for all telephones, or, where
    there are several of them, for those that follow it up to the next (or stand before it, where the first does).
    """
    found: dict[int, int] = {}
    plain = [area for area in areas if not _about(names[area])]
    behind = bool(plain and phones) and phones[0] < plain[0] and phones[-1] < plain[-1]
    for phone in phones:
        named = [area for area in areas if _about(names[area]) and _about(names[area]) <= _kinds(names[phone])]
        if named:
            found[phone] = max(named, key=partial(_nearness, names, phone))
        elif plain:
            found[phone] = _beside(phone, plain, behind=behind)
    return found


def _nearness(names: Sequence[str], phone: int, area: int) -> tuple[int, bool, int]:
    """Return how well the column ``area`` fits: the more words the better, then before the telephone rather than
    behind, then the nearest.
    """
    return len(_about(names[area])), area < phone, -abs(phone - area)


def _beside(phone: int, plain: Sequence[int], *, behind: bool) -> int:
    """Return the last of the columns ``plain`` before ``phone``, or the first one ``behind`` it."""
    if behind:
        return next((area for area in plain if area > phone), plain[-1])
    return max((area for area in plain if area < phone), default=plain[0])


def _words(name: str) -> list[str]:
    return _bare(name).split("_")


def _bare(name: str) -> str:
    """Return a column's name without the module that Protheus puts before it (``a1_tel``)."""
    return _MODULE.sub("", name, count=1) if _MODULE.match(name) else name


def _kinds(name: str) -> frozenset[str]:
    """Return the words of a telephone's column, synonyms as one, a number at the end by itself."""
    return frozenset(_KINDS.get(word, word) for word in _pieces(name))


def _about(name: str) -> frozenset[str]:
    """Return the words of a column of area codes, without those that say that it is one; none where only a mapping made
    it one.
    """
    if _bare(name) in _AREA_NAMES or not is_area(name):
        return frozenset()
    words = (word.removeprefix("ddd").removeprefix("areacode") for word in _pieces(name))
    return frozenset(_KINDS.get(word, word) for word in words if word not in ("", "s"))


def _pieces(name: str) -> Iterator[str]:
    for word in _words(name):
        letters = word.rstrip("0123456789")
        yield from filter(None, (letters, word[len(letters) :]))
