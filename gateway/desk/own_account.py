"""One's own login: the password, the sessions, and the extension where it is chosen."""

from werkzeug.exceptions import NotFound
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from gateway.desk import access
from gateway.desk.auditing import actor
from gateway.desk.context import Visit
from gateway.desk.rendering import page
from gateway.domain.roles import Right
from gateway.errors import LoginsBusy, TooManyAttempts
from gateway.logins.passwords import WeakPassword, hash_password
from gateway.store.agents import NAME_LENGTH
from gateway.store.directory import Agent, token_hash
from gateway.texts.text import Text

LONGEST_EXTENSION = 32


def password(visit: Visit, *, problem: Text | str = "", done: bool = False, status: int = 200) -> Response:
    """Show the form to change one's password."""
    if visit.me.first_password:  # without the rest of the desk, which it does not get yet
        return page(visit, "first_password.html", status=status, problem=problem)
    seq = visit.services.log.newest(visit.tenant)
    return page(visit, "password.html", status=status, problem=problem, done=done, seq=seq)


def change_password(visit: Visit) -> Response:
    """Change one's password, for the present one; all other sessions end."""
    form, me = visit.request.form, visit.me
    wanted, again = form.get("nova", ""), form.get("outra_vez", "")
    try:
        known = visit.services.verifier.verify(
            visit.tenant, me.login, form.get("atual", ""), access.address_of(visit.request)
        )
    except (TooManyAttempts, LoginsBusy) as error:
        return password(visit, problem=error.said(visit.language), status=error.http_status)
    if known is None:
        return password(visit, problem=Text("The present password is wrong."), status=400)
    if wanted != again:
        return password(visit, problem=Text("The new password was not typed the same twice."), status=400)
    if wanted == form.get("atual"):
        return password(visit, problem=Text("The new password is the old one."), status=400)
    try:
        hashed = hash_password(wanted, login=me.login)
    except WeakPassword as error:
        return password(visit, problem=error.text, status=400)
    visit.services.people.change_password(me.id, hashed, actor(visit), keep=_session_name(visit))
    return redirect(visit.url("screen"), 303) if me.first_password else password(visit, done=True)


def sessions(visit: Visit) -> Response:
    """Show one's own open sessions; an administrator's page has everybody's."""
    everybody = visit.may(Right.READ_AGENTS)
    found = visit.services.people.sessions(visit.tenant, visit.at, None if everybody else visit.me.id)
    seq, mine = visit.services.log.newest(visit.tenant), _session_name(visit)
    return page(visit, "sessions.html", sessions=found, mine=mine, everybody=everybody, seq=seq)


def end_session(visit: Visit) -> Response:
    """End a session, with its open pages, at once. Raises ``NotFound`` for one that is not one's own."""
    name = visit.request.form.get("sessao", "")[:NAME_LENGTH]
    of_agent = None if visit.may(Right.CHANGE_AGENTS) else visit.me.id
    if not visit.services.people.end_session(name, actor(visit), of_agent=of_agent):
        raise NotFound
    return redirect(visit.url("sessions"), 303)


def extension(visit: Visit, *, problem: Text | str = "", status: int = 200, held_by: Agent | None = None) -> Response:
    """Ask at which extension the agent sits today."""
    if not visit.me.chooses_extension:
        raise NotFound
    asked = visit.request.form.get("ramal", "").strip()[:LONGEST_EXTENSION]
    values = {"problem": problem, "held_by": held_by, "asked": asked}
    return page(visit, "extension.html", status=status, seq=visit.services.log.newest(visit.tenant), **values)


def sit(visit: Visit) -> Response:
    """Sit at an extension; who sits there already is told, and may be relieved where he or she chose it as well."""
    if not visit.me.chooses_extension:
        raise NotFound
    wanted = visit.request.form.get("ramal", "").strip()[:LONGEST_EXTENSION]
    if not wanted or not wanted.isprintable() or " " in wanted:
        return extension(visit, problem=Text("Type the extension of the telephone in front of you."), status=400)
    take_over = bool(visit.request.form.get("assumir"))
    held_by = visit.services.people.sit(visit.me.id, wanted, actor(visit), take_over=take_over)
    if held_by is not None:
        return extension(visit, held_by=held_by, status=409)
    return redirect(visit.url("screen"), 303)


def _session_name(visit: Visit) -> str:
    return token_hash(visit.secret)[:NAME_LENGTH] if visit.secret else ""
