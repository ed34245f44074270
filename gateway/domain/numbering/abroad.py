"""Whether digits are a valid number in another country, as the library phonenumbers knows the world's plans."""

import re

import phonenumbers

_COUNTRIES = frozenset(phonenumbers.COUNTRY_CODE_TO_REGION_CODE)
_REWRITTEN = re.compile(r"0|(?<=54)")


def valid_abroad(number: str) -> str | None:
    """Return the E.164 form of ``number`` (digits, country code first) if it is valid in some country other than
    Brazil.
    """
    if not 7 <= len(number) <= 16 or number[0] == "0" or number.startswith("55"):
        return None
    country = next((number[:size] for size in (1, 2, 3) if int(number[:size]) in _COUNTRIES), "")
    if not country or (country == "1" and len(number) != 11):
        return None
    if _is_valid_in(country, number[len(country) :]):
        return "+" + number
    return _parsed(number) if _REWRITTEN.match(number, len(country)) else None


def _is_valid_in(country: str, number: str) -> bool:
    """Return whether ``number`` is valid in ``country``. The library is asked without its parser, which takes most of
    the time and is built for texts with noise.
    """
    zeros = len(number) - len(number.lstrip("0"))
    candidate = phonenumbers.PhoneNumber(
        country_code=int(country),
        national_number=int(number),
        italian_leading_zero=zeros > 0,
        number_of_leading_zeros=zeros or None,
    )
    return bool(phonenumbers.is_valid_number(candidate))


def _parsed(number: str) -> str | None:
    """Parse a number that is written so yet not dialled from abroad: the (0) in +44 (0)20, the 15 in +54 11 15. None
    where it is not valid.
    """
    try:
        parsed = phonenumbers.parse("+" + number, None)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(parsed):
        return None
    return str(phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164))
