"""From the text that a peer sent to the digits in it: addresses, names, remarks and noise taken off.

Nothing here knows what a number means; that is `gateway.domain.numbering.numbers`.
"""

import re
import unicodedata
from collections.abc import Callable
from urllib.parse import unquote

from gateway.domain.numbering.channels import line_of
from gateway.domain.numbering.reading import ReadingStep
from gateway.domain.numbering.spreadsheet import Cell, cell
from gateway.domain.records import record
from gateway.domain.sentences import step

# What stands behind this many characters is not read, so that a text of megabytes costs nothing.
LONGEST = 256

_BARE = re.compile(r"\+?[0-9 ().\-]*")
_AROUND = ("'", '"', "Z", "z")
_NOT_DIGITS = re.compile(r"[^0-9]+")
_PLUS_FIRST = re.compile(r"[^0-9+]*\+")
_FEATURE_CODE = re.compile(r"[*#]{1,2}[0-9]{1,4}(?:[*#][0-9*#]*)?")

_SCHEME = re.compile(r"\s*(?:sips?|tel|callto|h323|phone|fax):(?://)?", re.IGNORECASE)
_CARRIER_BLANK = re.compile(
    r"([^0-9a-z]*(?:(?:00[1-9][0-9]|0{0,2})55[^0-9a-z]*){0,2}(?:0|90(?:90)?))[^0-9a-z]*?(?:xx|\*\*)", re.IGNORECASE
)
_EXTENSION_WORD = re.compile(
    r"(?:ramal|ramais|rml|ram|extens[aã]o|extension|extn|ext)[^0-9a-z]*[0-9]{1,6}[^0-9a-z]*$",
    re.IGNORECASE,
)
_EXTENSION_MARK = re.compile(r"(?:\br|[x#,;pw])[^0-9a-z]*[0-9]{1,6}[^0-9a-z]*$", re.IGNORECASE)
_NEXT_NUMBER = re.compile(r"[/|\\,;]|\b(?:ou|e)\b", re.IGNORECASE)
_DASH = re.compile(r"(?<=[0-9) ])[-\u2010-\u2015](?=[ (+0-9])")
_A_NUMBER = 8
# One group of digits, with words around it at most: neither 3501&channel=1 nor B0C1 is an extension.
_ONE_GROUP = re.compile(
    r"[^0-9&?%$|{}\\]*[0-9](?:[0-9 ().\-\u2010-\u2015/+*#]*[0-9*#])?(?:;[^0-9&]*|[^0-9&=?%$|{}\\]*)"
)
# Letters between digits, as in the id of a call; the x of 0xx11 is none.
_GLUED = re.compile(r"[0-9][^\W\d_xX]+[0-9]")


@record(frozen=True, slots=True)
class Typed:
    """The digits a peer sent. ``text`` is the whole, trimmed; ``core`` what was left of it to read.

    ``international``: a + stood in front of ``digits``. ``feature_code`` is such as ``*98``, or ``""``.
    """

    text: str
    core: str
    digits: str
    international: bool
    feature_code: str
    steps: tuple[ReadingStep, ...]

    @property
    def one_group(self) -> bool:
        """Whether the digits stand together, so that they may be an extension or a public service."""
        return self.core.isdigit() or _ONE_GROUP.fullmatch(self.core) is not None

    @property
    def glued(self) -> bool:
        """Whether letters stand between the digits without a space, which no telephone has."""
        return not self.core.isdigit() and _GLUED.search(self.core) is not None

    @property
    def dialled(self) -> str:
        """The digits with the + written as it is dialled: 00. No country code begins with 0: +0 is 0."""
        return "00" + self.digits if self.international and self.digits[0] != "0" else self.digits


def typed(raw: str) -> Typed:
    """Return what ``raw`` holds for a reader of numbers. Never raises, whatever the text."""
    if raw.isascii() and raw.isdigit() and len(raw) <= LONGEST:
        return Typed(raw, raw, raw, False, "", ())
    text = clean(raw)
    if (text[-1:].isdigit() or text[-1:] in _AROUND) and (found := cell(text)) is not None:
        return _of_cell(text, found)
    core, steps = (text, ()) if _BARE.fullmatch(text) and not _may_be_two(text) else _unwrap(text)
    digits = _NOT_DIGITS.sub("", core)
    international = _PLUS_FIRST.match(core) is not None and digits != ""
    if international:
        steps += (_PLUS,)
    elif digits and digits != core:
        steps += (_NOISE,)
    return Typed(text, core, digits, international, _feature_code(core), steps)


def _may_be_two(text: str) -> bool:
    """Return whether a text of digits and signs is long enough for two numbers."""
    return len(text) > 2 * _A_NUMBER and _count(text) >= 2 * _A_NUMBER


def _of_cell(text: str, found: Cell) -> Typed:
    """Return a text that a spreadsheet or a program formatted; without digits where they cannot be known."""
    digits = (found.digits or "").lstrip("+-")
    core = found.digits if found.digits is not None else text
    return Typed(text, core, digits, core[:1] == "+", "", (step(found.rule),))


def clean(raw: str) -> str:
    """Return ``raw`` trimmed and cut to `LONGEST`; digits of other scripts become 0-9, unprintable signs spaces."""
    text = raw[:LONGEST]
    if not text.isascii():
        text = "".join(_plain_digit(sign) for sign in unicodedata.normalize("NFKC", text))[:LONGEST]
    if not text.isprintable():
        text = "".join(sign if sign.isprintable() else " " for sign in text)
    return text.strip()


def _plain_digit(sign: str) -> str:
    value = unicodedata.decimal(sign, None)
    return sign if value is None else str(value)


def _unwrap(text: str) -> tuple[str, tuple[ReadingStep, ...]]:
    steps: tuple[ReadingStep, ...] = ()
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
    line = line_of(text)
    # A channel without a line leaves its kind, which has no digits that could be taken for a number.
    return text if line is None else line or text.split("/")[0].rstrip("0123456789")


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
    if following and _count(text[: following.start()]) >= _A_NUMBER:
        return text[: following.start()]
    for dash in _DASH.finditer(text) if _may_be_two(text) else ():
        if min(_count(text[: dash.start()]), _count(text[dash.end() :])) >= _A_NUMBER:
            return text[: dash.start()]
    return text


def _feature_code(core: str) -> str:
    if core[:1] not in ("*", "#"):
        return ""
    code = core.replace(" ", "")
    return code if _FEATURE_CODE.fullmatch(code) else ""


_NOISE = step("noise")
_PLUS = step("plus")

_SHELLS: tuple[tuple[ReadingStep, Callable[[str], str]], ...] = (
    (step("display-name"), _without_name),
    (step("address"), _without_address),
    (step("channel"), _without_channel),
    (step("carrier-blank"), _without_carrier_blank),
    (step("their-extension"), _without_extension),
    (step("second-number"), _without_second_number),
)
