"""Agents as somebody types them, one by one or as lines of a sheet: what is understood, what is refused, and why."""

import csv
import io
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from gateway.domain.roles import NAMES, Role
from gateway.texts.text import Listing, Text

MOST = 200
"""Agents that are added at once: each first password costs a tenth of a second."""
ANY = ("*", "any", "qualquer", "cualquiera")
"""What is written for an extension that is chosen at each login."""
LONGEST_LOGIN, LONGEST_NAME, LONGEST_EXTENSION = 64, 255, 32
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "login": ("login", "usuario", "user"),
    "name": ("name", "nome", "nombre"),
    "extension": ("extension", "ramal", "interno"),
    "role": ("role", "papel", "rol"),
}
"""Headings, without accents and in small letters."""
ROLES: Mapping[str, Role] = {
    **{role.value: role for role in Role},
    "agente": Role.AGENT,
    "atendente": Role.AGENT,
    "administrador": Role.ADMINISTRATOR,
    "programa": Role.PROGRAM,
}
"""What is written for a role, in any of the languages."""
NEED_AN_EXTENSION = (Role.AGENT, Role.SUPERVISOR)


@dataclass(frozen=True, slots=True)
class TypedAgent:
    """An agent as it was typed, in ``line`` of a sheet; ``problem`` says why it is refused, where it is.

    ``extension`` is empty where none is fixed; ``chooses_extension``: it is chosen at each login.
    """

    line: int
    login: str
    name: str
    extension: str
    role: Role
    chooses_extension: bool = False
    problem: Text | None = None


def typed(login: str, name: str, extension: str, role: str, *, line: int = 0, known: Sequence[str] = ()) -> TypedAgent:
    """Return the agent of four texts; one of the ``known`` logins is refused."""
    login, name, extension = login.strip(), " ".join(name.split()), extension.strip()
    chooses = extension.lower() in ANY
    meant = ROLES.get(_plain(role)) if role.strip() else Role.AGENT
    problem = _problem(login, name, extension, role, meant, known)
    fixed = "" if chooses else extension[:LONGEST_EXTENSION]
    who = (login[:LONGEST_LOGIN], (name or login)[:LONGEST_NAME])
    return TypedAgent(line, *who, fixed, meant or Role.AGENT, chooses, problem)


def of_sheet(text: str, known: Sequence[str]) -> Sequence[TypedAgent]:
    """Return the agents of a sheet with headings (login, nome, ramal, papel), separated by ``;``, ``,`` or tabs.

    Raises ``ValueError`` with a ``Text`` where it has no headings, or too many lines.
    """
    rows = list(_rows(text))
    if not rows:
        raise ValueError(Text("the list is empty."))
    columns = _columns(rows[0][1])
    if len(rows) - 1 > MOST:
        raise ValueError(Text("the list has {count} lines; at most {most} at once.", count=len(rows) - 1, most=MOST))
    found: list[TypedAgent] = []
    for line, cells in rows[1:]:
        values = {name: cells[place] if place < len(cells) else "" for name, place in columns.items()}
        taken = [*known, *(each.login for each in found if not each.problem)]
        texts = (values.get(name, "") for name in COLUMNS)
        found.append(typed(*texts, line=line, known=taken))
    return found


def _rows(text: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the lines of a sheet that are not blank, each with its number."""
    text = text.lstrip("\ufeff")
    first = text.partition("\n")[0]
    delimiter = max(";,\t", key=first.count)
    reader = csv.reader(io.StringIO(text), delimiter=delimiter)
    for row in reader:
        if any(cell.strip() for cell in row):
            yield reader.line_num, row


def _columns(headings: Sequence[str]) -> Mapping[str, int]:
    """Return where each column stands. Raises ``ValueError``."""
    plain = [_plain(heading) for heading in headings]
    found = {name: plain.index(each) for name, names in COLUMNS.items() for each in names if each in plain}
    if "login" not in found:
        came = "; ".join(headings)[:80]
        raise ValueError(
            Text("the first line must name the columns: login, name, extension, role. It is {line!r}.", line=came)
        )
    return found


def _plain(text: str) -> str:
    """Return ``text`` in small letters, without accents."""
    apart = unicodedata.normalize("NFD", text.strip().lower())
    return "".join(sign for sign in apart if not unicodedata.combining(sign))


def _problem(login: str, name: str, extension: str, role: str, meant: Role | None, known: Sequence[str]) -> Text | None:
    if not login or len(login) > LONGEST_LOGIN or not login.isprintable() or set(login) & set(" :"):
        return Text("the login {login!r} will not do: 1 to 64 signs without blanks and colons.", login=login[:80])
    if login in known:
        return Text("there is an agent {login!r} already.", login=login)
    if not name.isprintable() or len(name) > LONGEST_NAME:
        return Text("the name will not do: at most 255 signs.")
    if not extension.isprintable() or len(extension) > LONGEST_EXTENSION or " " in extension:
        return Text(
            "the extension {extension!r} will not do: digits, or * to choose it at each login.",
            extension=extension[:80],
        )
    if meant is None:
        names = Listing(tuple(NAMES.values()))
        return Text("the role {role!r} will not do: {roles}.", role=role.strip()[:80], roles=names)
    if meant in NEED_AN_EXTENSION and not extension:
        return Text("an extension is missing; * to choose it at each login.")
    return None
