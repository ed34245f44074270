"""What exchanges and operators write in place of a number that the caller does not show."""

from unicodedata import combining, normalize

# s, h, i and t are Asterisk's special extensions.
_NOBODY = frozenset((
    "", "s", "h", "i", "t", "null", "none", "nil", "undefined", "nan", "na", "semnumero", "nonumber", "semid",
    "noid", "nocallerid", "nocid", "outofarea", "naoinformado",
))  # fmt: skip
_NOBODY_PARTS = (
    "anonym", "anonim", "unknown", "desconhec", "restrict", "restrit", "privat", "privad", "confiden",
    "identificad", "indispon", "availab", "withheld", "blocked", "bloquead", "ocult", "asterisk",
)  # fmt: skip


def hides_number(text: str) -> bool:
    """Return whether ``text``, which holds no digits, stands for a caller without a number."""
    word = _letters(text)
    return word in _NOBODY or any(part in word for part in _NOBODY_PARTS)


def _letters(text: str) -> str:
    plain = (sign for sign in normalize("NFKD", text.casefold()) if not combining(sign))
    return "".join(filter(str.isalpha, plain))
