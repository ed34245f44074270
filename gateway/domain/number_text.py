"""From the text that a peer sent to the digits in it: addresses, names, remarks and noise taken off.

Nothing here knows what a number means; that is `gateway.domain.numbers`.
"""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import unquote

from gateway.domain.reading import Step
from gateway.domain.sentences import step

# What stands behind this many characters is not read, so that a text of megabytes costs nothing.
LONGEST = 256

_BARE = re.compile(r"\+?[0-9 ().\-]*")
_NOT_DIGITS = re.compile(r"[^0-9]+")
_PLUS_FIRST = re.compile(r"[^0-9+]*\+")
_FEATURE_CODE = re.compile(r"[*#]{1,2}[0-9]{1,4}(?:[*#][0-9*#]*)?")

_SCHEME = re.compile(r"\s*(?:sips?|tel|callto|h323|phone|fax):(?://)?", re.IGNORECASE)
_CHANNEL = re.compile(
    r"(?:SIP|PJSIP|IAX2?|SCCP|Skinny|DAHDI|Zap|Khomp|mISDN|Local|Agent|user|sofia|loopback)"
    r"/(?:[^/]*/)*([^/]*?)(?:-[0-9a-f]{6,16})?",
    re.IGNORECASE,
)
_CARRIER_BLANK = re.compile(
    r"([^0-9a-z]*(?:0{0,2}55[^0-9a-z]*){0,2}(?:0|90(?:90)?))[^0-9a-z]*?(?:xx|\*\*)", re.IGNORECASE
)
_EXTENSION_WORD = re.compile(
    r"(?:ramal|ramais|rml|ram|extens[aã]o|extension|extn|ext)[^0-9a-z]*[0-9]{1,6}[^0-9a-z]*$",
    re.IGNORECASE,
)
_EXTENSION_MARK = re.compile(r"(?:\br|[x#,;pw])[^0-9a-z]*[0-9]{1,6}[^0-9a-z]*$", re.IGNORECASE)
_NEXT_NUMBER = re.compile(r"[/|\\,;]|\b(?:ou|e)\b", re.IGNORECASE)
_A_NUMBER = 8


@dataclass(frozen=True, slots=True)
class Typed:
    """The digits a peer sent. ``text`` is the whole, trimmed; ``core`` what was left of it to read.

    ``international``: a + stood in front of ``digits``. ``feature_code`` is such as ``*98``, or ``""``.
    """

    text: str
    core: str
    digits: str
    international: bool
    feature_code: str
    steps: tuple[Step, ...]

    @property
    def dialled(self) -> str:
        """The digits with the + written as it is dialled: 00. No country code begins with 0: +0 is 0."""
        return "00" + self.digits if self.international and self.digits[0] != "0" else self.digits


def typed(raw: str) -> Typed:
    """What ``raw`` holds for a reader of numbers. Never raises, whatever the text."""
    if raw.isascii() and raw.isdigit() and len(raw) <= LONGEST:
        return Typed(raw, raw, raw, False, "", ())
    text = clean(raw)
    core, steps = (text, ()) if _BARE.fullmatch(text) else _unwrap(text)
    digits = _NOT_DIGITS.sub("", core)
    international = _PLUS_FIRST.match(core) is not None and digits != ""
    if international:
        steps += (_PLUS,)
    elif digits and digits != core:
        steps += (_NOISE,)
    return Typed(text, core, digits, international, _feature_code(core), steps)


def clean(raw: str) -> str:
    """``raw`` trimmed and cut to `LONGEST`; digits of other scripts become 0-9, unprintable signs spaces."""
    text = raw[:LONGEST]
    if not text.isascii():
        text = "".join(_plain_digit(sign) for sign in unicodedata.normalize("NFKC", text))[:LONGEST]
    if not text.isprintable():
        text = "".join(sign if sign.isprintable() else " " for sign in text)
    return text.strip()


def _plain_digit(sign: str) -> str:
    value = unicodedata.decimal(sign, None)
    return sign if value is None else str(value)


def _unwrap(text: str) -> tuple[str, tuple[Step, ...]]:
    steps: tuple[Step, ...] = ()
    for shell, unwrap in _SHELLS:
        inner = unwrap(text).strip()
        if inner != text:
            text, steps = inner, (*steps, shell)
    return text, steps


def _count(text: str) -> int:
    return len(_NOT_DIGITS.sub("", text))


def _without_name(text: str) -> str:
    return text[text.rfind("<") + 1 :].split(">")[0] if "<" in text else text


def _without_address(text: str) -> str:
    scheme = _SCHEME.match(text)
    user = text[scheme.end() :] if scheme else text
    user = user.split("@")[0]
    if scheme:
        user = user.split(";")[0].split(":")[0]
    return unquote(user) if "%" in user else user


def _without_channel(text: str) -> str:
    channel = _CHANNEL.fullmatch(text)
    return channel[1] if channel else text


def _without_carrier_blank(text: str) -> str:
    return _CARRIER_BLANK.sub(r"\1", text, count=1) if _CARRIER_BLANK.match(text) else text


def _without_extension(text: str) -> str:
    word = _EXTENSION_WORD.search(text)
    if word and _count(text[: word.start()]):
        return text[: word.start()]
    mark = _EXTENSION_MARK.search(text)
    return text[: mark.start()] if mark and _count(text[: mark.start()]) >= _A_NUMBER else text


def _without_second_number(text: str) -> str:
    following = _NEXT_NUMBER.search(text)
    return text[: following.start()] if following and _count(text[: following.start()]) >= _A_NUMBER else text


def _feature_code(core: str) -> str:
    if core[:1] not in ("*", "#"):
        return ""
    code = core.replace(" ", "")
    return code if _FEATURE_CODE.fullmatch(code) else ""


_NOISE = step("noise")
_PLUS = step("plus")

_SHELLS: tuple[tuple[Step, Callable[[str], str]], ...] = (
    (step("display-name"), _without_name),
    (step("address"), _without_address),
    (step("channel"), _without_channel),
    (step("carrier-blank"), _without_carrier_blank),
    (step("their-extension"), _without_extension),
    (step("second-number"), _without_second_number),
)
