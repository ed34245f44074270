"""What a source of the directory is: whoever can say which accounts there are, and which telephones they have.

A source is one class, found by its name in the entry-point group ``cti_gateway.directories``, as an adapter is in its
own. It only reads: when it runs, what changed and what is written down belongs to ``gateway.directory``.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from enum import StrEnum
from importlib.metadata import EntryPoint, entry_points
from typing import Annotated, Any, ClassVar, Protocol

from pydantic import BeforeValidator

from gateway.adapter import Probe
from gateway.domain.account_fields import LONGEST_FIELD_NAME, MOST_ACCOUNT_FIELDS, Labels
from gateway.domain.identifiers import plain
from gateway.errors import UnknownSource
from gateway.texts.languages import LANGUAGES
from gateway.texts.text import Text

GROUP = "cti_gateway.directories"


class Reason(StrEnum):
    """Why something that a source said is not in the directory."""

    NO_NAME = "no_name"
    LONG_CODE = "long_code"
    BAD_LINE = "bad_line"
    LONG_LINE = "long_line"
    OPEN_QUOTE = "open_quote"
    SAME_NAME = "same_name"
    UNREADABLE = "unreadable"
    SHORTENED = "shortened"
    BAD_IDENTIFIER = "bad_identifier"
    MANY_IDENTIFIERS = "many_identifiers"
    CUT_FIELD = "cut_field"
    NO_FIELD = "no_field"

    @property
    def text(self) -> Text:
        """Return it as a sentence."""
        return _REASONS[self]


_REASONS: Mapping[Reason, Text] = {
    Reason.NO_NAME: Text("the name is empty, and no other line has one for this code"),
    Reason.LONG_CODE: Text("the code is longer than 64 characters"),
    Reason.BAD_LINE: Text("the line cannot be taken apart"),
    Reason.LONG_LINE: Text("the line is longer than 256 KiB"),
    Reason.OPEN_QUOTE: Text("a quotation mark is opened in this line and not closed where it should be"),
    Reason.SAME_NAME: Text("another line has this name, and no code says whether it is the same account"),
    Reason.UNREADABLE: Text("does not read as a telephone number"),
    Reason.SHORTENED: Text("a spreadsheet shortened this number: digits are missing (format the column as text)"),
    Reason.BAD_IDENTIFIER: Text("does not read as an identifier (a CPF has 11 digits, a CNPJ 14 characters)"),
    Reason.MANY_IDENTIFIERS: Text("the account has 100 identifiers already"),
    Reason.CUT_FIELD: Text("the account's fields together are longer than 4 kB; this one was cut"),
    Reason.NO_FIELD: Text("nothing that came has this field"),
}


LOST = (Reason.BAD_LINE, Reason.LONG_LINE, Reason.OPEN_QUOTE)
"""What leaves unknown which account a line was of."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that a source says of an account, in its own words: a line, a row, an account or one of its contacts.

    ``phones`` are (text, contact), or (text, contact, area code) where that stands beside the text; a text may hold
    several numbers. Entries with the same ``code`` are one account, wherever they stand; ``name``
    may be empty in all of them but one. ``place`` says where it stood, for reports; ``owner`` is the extension or login
    of who looks after the account. ``person`` tells people of one name apart where there is no code. ``identifiers``
    are what names the account beside its telephones, as pairs (name of what it is, text): CPF, CNPJ, contracts.
    ``fields`` are what else is to be shown of it, as pairs (name, text).
    """

    code: str
    name: str
    phones: tuple[tuple[str, ...], ...] = ()
    place: str = ""
    owner: str = ""
    person: str = ""
    identifiers: tuple[tuple[str, str], ...] = ()
    fields: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Refused:
    """Something that was not taken: where it stood, what it was, and why."""

    place: str
    reason: Reason
    text: str = ""


class Source(Protocol):
    """Life cycle: made from its validated config, probed or read (by one thread), closed.

    One that reads tables may have ``unused_columns``: pairs (place, column) of what it read and did not understand.
    """

    Config: ClassVar[type[Any]]
    """A frozen dataclass with help texts in ``metadata["help"]``; secrets are ``pydantic.SecretStr``."""

    def __init__(self, config: Any, *, name: str) -> None: ...

    @property
    def incremental(self) -> bool:
        """Whether it can be asked for what changed since a moment; it then never says what is gone."""

    def probe(self) -> Probe:
        """Check whether it can be read. Never raises for what the other side does."""

    def entries(self, since: int | None) -> Iterator[Entry | Refused]:
        """Yield all that it has to say, a little at a time, so that nobody holds it all.

        With ``since`` (milliseconds since 1970 UTC), if it is incremental, only what changed after that moment.

        Raises ``gateway.errors.SourceError`` when it cannot be read, or not to its end.
        """

    def share(self) -> float | None:
        """Return how much of it has been read, from 0 to 1; None when nobody can tell."""

    def close(self) -> None:
        """Let go of files and connections. The source is not used afterwards."""


def kept_fields(given: object) -> Mapping[str, Labels]:
    """Return the fields that a source is to keep, with their labels: of a list of names, or of a table with a label for
    each, or with a table of labels by language.

    >>> kept_fields(["Cidade"]), kept_fields({"st": "Situação"})
    ({'Cidade': {}}, {'st': {'': 'Situação'}})

    Raises ``ValueError`` for anything else.
    """
    if isinstance(given, Mapping):
        found = {_name(name): _labels(name, label) for name, label in given.items()}
    elif isinstance(given, list | tuple):
        found = {_name(name): {} for name in given}
    else:
        raise ValueError(Text("expected a list of columns, or a table with a label for each"))
    if len({plain(name) for name in found}) < len(given):
        raise ValueError(Text("a column is named twice"))
    if len(found) > MOST_ACCOUNT_FIELDS:
        told = Text("expected at most {most} columns, came {count}", most=MOST_ACCOUNT_FIELDS, count=len(found))
        raise ValueError(told)
    return found


KeptFields = Annotated[Mapping[str, Labels], BeforeValidator(kept_fields)]
"""The setting of a source that says which fields of accounts it keeps: a list, or a table with labels."""


def setting(default: Any, text: str) -> Any:
    """Return a field of a source's ``Config`` with its sentence."""
    if isinstance(default, Mapping):
        return field(default_factory=lambda: dict(default), metadata={"help": text})
    return field(default=default, metadata={"help": text})


def names() -> list[str]:
    """Return the names of all installed sources, sorted; nothing is imported."""
    return sorted({found.name for found in entry_points(group=GROUP)})


def load(name: str) -> type[Source]:
    """Return the source class called ``name``. Raises ``UnknownSource`` when there is none, or more than one."""
    found: list[EntryPoint] = list(entry_points(group=GROUP, name=name))
    if len({point.value for point in found}) != 1:
        near = get_close_matches(name, names(), n=1)
        raise UnknownSource(name, known=names(), nearest=near[0] if near else None, duplicates=len(found))
    loaded: type[Source] = found[0].load()
    return loaded


def _name(name: object) -> str:
    if not isinstance(name, str) or not plain(name) or len(name.strip()) > LONGEST_FIELD_NAME:
        expected = Text("expected names of columns, of at most {most} characters", most=LONGEST_FIELD_NAME)
        raise ValueError(Text("came {value}; {expected}", value=repr(name), expected=expected))
    return name.strip()


def _labels(name: str, label: object) -> Labels:
    labels = {"": label} if isinstance(label, str) else label
    if not isinstance(labels, Mapping) or not all(isinstance(text, str) for text in labels.values()):
        raise ValueError(Text("{name}: expected a label, or a table of labels by language", name=name))
    for language in labels:
        if language and language not in LANGUAGES:
            facts = {"name": name, "language": language, "known": ", ".join(LANGUAGES)}
            raise ValueError(Text("{name}: there is no language {language!r}; known: {known}", **facts))
    return dict(labels)
