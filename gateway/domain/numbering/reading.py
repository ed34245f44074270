"""What a number turned out to be: the words that reading, matching, dialling and the log share."""

from enum import StrEnum

from gateway.domain.records import record
from gateway.texts.text import Text


class NumberKind(StrEnum):
    """What a text is.

    *special* is a Brazilian number without an area code (0800…, 4004-1234), *short* a public service code
    (190, 10315), *withheld* a caller who does not show a number, *unknown* anything that no rule explains.
    """

    EXTENSION = "extension"
    MOBILE = "mobile"
    FIXED = "fixed"
    SPECIAL = "special"
    SHORT = "short"
    FOREIGN = "foreign"
    WITHHELD = "withheld"
    UNKNOWN = "unknown"


@record(frozen=True, slots=True)
class ReadingStep:
    """One thing done on the way: ``rule`` is a short stable identifier, ``pattern`` its sentence without facts.

    ``about`` is what the sentence names, such as the digits taken off. Made by `gateway.domain.sentences.step`.
    """

    rule: str
    pattern: Text
    about: str = ""

    @property
    def sentence(self) -> Text:
        """What the step says to people; put together only when somebody reads it."""
        return Text(self.pattern.id, about=self.about)

    @property
    def text(self) -> str:
        """The sentence in English, for scripts."""
        return str(self.sentence)


@record(frozen=True, slots=True)
class Reading:
    """How a text was read.

    ``national`` is what the CRM gets. Reading it again gives the same:

    - area code and number, 10 digits (fixed) or 11 (mobile);
    - the digits of a special or short number, or of an extension (a code such as ``*98`` with its signs);
    - ``00``, country code and number for a foreign one;
    - ``""`` when withheld;
    - the digits as they came when unknown, or the trimmed text when it holds none.

    ``e164`` has the ``+``, or is None where no such form exists. ``candidates`` are the forms to look up, the
    canonical one first: an old mobile without its ninth digit, or a second way to understand the digits.
    ``collect`` is true for a call that the called party is asked to pay.
    """

    input: str
    kind: NumberKind
    national: str
    e164: str | None
    candidates: tuple[str, ...]
    collect: bool
    steps: tuple[ReadingStep, ...]
