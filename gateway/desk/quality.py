"""Data quality: what is wrong with the directory, to be put right on the spot or taken along as a CSV."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from werkzeug.exceptions import NotFound
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from gateway.desk.context import Visit
from gateway.desk.formats import date_text, number_text, time_text
from gateway.desk.problems import said
from gateway.desk.rendering import page, private
from gateway.directory.accounts import phone_of
from gateway.domain.numbering.numbers import NumberKind, read
from gateway.domain.spreadsheets import harmless
from gateway.errors import BadParameter, RequestError
from gateway.store.quality import Flaw, PhoneLine
from gateway.texts.text import Text

PAGE_SIZE = 50
LONGEST = 255
CALLERS, SHARED = "chamadores", "repetidos"
FLAWS: Mapping[str, Flaw] = {
    "sem-ddd": Flaw.NO_AREA,
    "oito-digitos": Flaw.OLD_MOBILE,
    "ilegiveis": Flaw.UNREADABLE,
    "corrigidos": Flaw.EDITED,
}
VIEWS: Mapping[str, tuple[Text, Text]] = {
    CALLERS: (
        Text("Callers without an account"),
        Text("Numbers that called (or were called) more than once in the last 30 days and are in no account."),
    ),
    "sem-ddd": (
        Text("No area code"),
        Text("Telephones written without an area code; the number used is completed with the company's."),
    ),
    "oito-digitos": (
        Text("Eight digits"),
        Text("Mobiles in the old form, without the ninth digit; they are found all the same."),
    ),
    "ilegiveis": (
        Text("Unreadable"),
        Text("What is in the directory and cannot be read as a telephone; nobody is found by it."),
    ),
    SHARED: (Text("Shared"), Text("The same number in more than one account.")),
    "corrigidos": (
        Text("Corrected here"),
        Text("What was corrected, taken off or added on this page. Imports respect it."),
    ),
}
UNUSABLE = (NumberKind.WITHHELD, NumberKind.UNKNOWN, NumberKind.EXTENSION)


@dataclass(frozen=True, slots=True)
class ShownPage:
    """One page of a list: telephones, groups of telephones, or callers; and where it goes on."""

    lines: Sequence[Any]
    after: str | int | None = None


def quality(visit: Visit, *, problem: str = "", status: int = 200) -> Response:
    """Show one list of what is wrong."""
    view = _view(visit)
    shown = _shown(visit, view)
    more = visit.url("quality", ver=view, depois=shown.after) if shown.after is not None else None
    return page(
        visit,
        "quality.html",
        status=status,
        view=view,
        views=VIEWS,
        shown=shown,
        more=more,
        after=visit.request.values.get("depois", ""),
        problem=problem,
        seq=visit.services.log.newest(visit.tenant),
    )


def correct(visit: Visit) -> Response:
    """Put a telephone right, take it off, or go back to what the source says. Raises ``NotFound``."""
    form = visit.request.form
    action, phone_id = form.get("acao", ""), form.get("telefone_id", "")
    if action not in ACTIONS or not phone_id.isdigit() or len(phone_id) > 15:
        raise NotFound
    try:
        if not ACTIONS[action](visit, int(phone_id)):
            raise NotFound
    except RequestError as error:
        return quality(visit, problem=said(error, visit.language), status=error.http_status)
    return _back(visit)


def add(visit: Visit) -> Response:
    """Add a number to the account with this code."""
    form, corrections = visit.request.form, visit.services.corrections
    try:
        number = _number(visit)
        account_id = _account(visit, form.get("codigo", "").strip()[:LONGEST])
        contact = form.get("contato", "").strip()
        corrections.add(visit.tenant, account_id, number, contact, by=visit.me.login, at=visit.at)
    except RequestError as error:
        return quality(visit, problem=said(error, visit.language), status=error.http_status)
    return _back(visit)


def export(visit: Visit) -> Response:
    """Serve the whole list as a CSV that Excel opens."""
    view = _view(visit)
    response = private(Response(_csv(_rows(visit, view)), mimetype="text/csv"))
    response.headers["Content-Disposition"] = f'attachment; filename="qualidade-{view}.csv"'
    return response


def _put_right(visit: Visit, phone_id: int) -> bool:
    number = _number(visit)
    return visit.services.corrections.put_right(visit.tenant, phone_id, number, by=visit.me.login, at=visit.at)


def _take_off(visit: Visit, phone_id: int) -> bool:
    return visit.services.corrections.put_right(visit.tenant, phone_id, None, by=visit.me.login, at=visit.at)


def _undo(visit: Visit, phone_id: int) -> bool:
    plan = visit.services.core.tenant(visit.tenant).numbers
    return visit.services.corrections.undo(visit.tenant, phone_id, lambda text, contact: phone_of(text, contact, plan))


ACTIONS = {"corrigir": _put_right, "tirar": _take_off, "desfazer": _undo}


def _account(visit: Visit, text: str) -> int:
    """Return the account with this code, else the only one with this name. Raises ``BadParameter``."""
    account_id = visit.services.corrections.account_id(visit.tenant, text) if text else None
    if account_id is not None:
        return account_id
    found = visit.services.directory.search(visit.tenant, text, limit=50) if text else ()
    named = [account for account in found if account.name.casefold() == text.casefold()]
    if len(named) == 1:
        return named[0].id
    raise BadParameter("codigo", text, expected=_expected([account.code for account in named]))


def _expected(codes: Sequence[str]) -> Text:
    if not codes:
        return Text("the code of an account in the directory, or its whole name")
    shown = ", ".join(codes[:5])
    return Text("the code, for {count} accounts have this name ({shown})", count=len(codes), shown=shown)


def _number(visit: Visit) -> str:
    """Return the canonical form of what was typed. Raises ``BadParameter``."""
    typed = visit.request.form.get("numero", "").strip()[:64]
    reading = read(typed, visit.services.core.tenant(visit.tenant).numbers)
    if reading.kind in UNUSABLE or len(reading.national) > 32:
        raise BadParameter("numero", typed, expected=Text("area code + number, like (47) 99999-8888"))
    return reading.national


def _back(visit: Visit) -> Response:
    form = visit.request.form
    after = form.get("depois", "")[:32]
    values = {"ver": _view(visit)} | ({"depois": after} if after else {})
    return redirect(visit.url("quality", **values), 303)


def _view(visit: Visit) -> str:
    view = visit.request.values.get("ver", CALLERS)
    if view not in VIEWS:
        raise NotFound
    return view


def _shown(visit: Visit, view: str) -> ShownPage:
    after, store = visit.request.values.get("depois", "")[:32], visit.services.quality
    if view == CALLERS:
        return ShownPage(store.callers(visit.tenant, visit.at))
    if view == SHARED:
        found = store.shared(visit.tenant, after=after, limit=PAGE_SIZE)
        return ShownPage(found.groups, found.after)
    after_id = int(after) if after.isascii() and after.isdigit() and len(after) < 16 else 0
    lines = store.flawed(visit.tenant, FLAWS[view], after_id=after_id, limit=PAGE_SIZE + 1)
    return ShownPage(lines[:PAGE_SIZE], lines[PAGE_SIZE - 1].id if len(lines) > PAGE_SIZE else None)


def _rows(visit: Visit, view: str) -> Iterator[Sequence[str]]:
    if view == CALLERS:
        yield "numero", "ligacoes", "ultima"
        for caller in visit.services.quality.callers(visit.tenant, visit.at, limit=1000):
            last = f"{date_text(caller.last_at, visit.zone)} {time_text(caller.last_at, visit.zone)}"
            yield number_text(caller.number), str(caller.calls), last
        return
    yield "numero", "no_cadastro", "codigo", "conta", "contato", "corrigido_por"
    yield from map(_row, _all_lines(visit, view))


def _all_lines(visit: Visit, view: str) -> Iterable[PhoneLine]:
    store = visit.services.quality
    if view == SHARED:
        return (line for group in store.all_shared(visit.tenant) for line in group)
    return store.all_flawed(visit.tenant, FLAWS[view])


def _row(line: PhoneLine) -> Sequence[str]:
    written = line.as_written or ""
    return number_text(line.number or ""), written, line.code, line.name, line.contact, line.edited_by or ""


def _csv(rows: Iterable[Sequence[str]]) -> Iterator[bytes]:
    """Yield the lines of a CSV. Cells that a spreadsheet would take for a formula get a ' in front: directories are
    written by strangers.
    """
    yield "\ufeff".encode()
    for row in rows:
        line = io.StringIO()
        csv.writer(line, delimiter=";").writerow([harmless(cell) for cell in row])
        yield line.getvalue().encode()
