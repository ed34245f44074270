"""The page of the browser extension: its sessions, each with a token that is shown once and can be revoked."""

from werkzeug.exceptions import NotFound
from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from gateway.desk.context import Visit
from gateway.desk.rendering import page
from gateway.store.program_sessions import MOST, ProgramSessions
from gateway.texts.text import Text

LONGEST = 64


def programs(visit: Visit, *, token: str = "", problem: Text | str = "", status: int = 200) -> Response:
    """Show the agent's programs; ``token`` is a new one, shown this once."""
    seq = visit.services.log.newest(visit.tenant)
    found = _sessions(visit).of_agent(visit.me.id, visit.at)
    address = f"{_address(visit)}#{token}" if token else ""
    shown = {"found": found, "address": address, "problem": problem}
    return page(visit, "programs.html", status=status, seq=seq, **shown)


def make(visit: Visit) -> Response:
    """Make a session for a program and show what to paste there."""
    name = visit.request.form.get("nome", "").strip()[:LONGEST] or "-"
    token = _sessions(visit).make(visit.me.id, name, visit.at)
    if token is None:
        told = Text("You have {most} of them already. Revoke one that you do not use.", most=MOST)
        return programs(visit, problem=told, status=409)
    return programs(visit, token=token)


def revoke(visit: Visit, session_id: str) -> Response:
    """End one of the agent's own sessions and its streams. Raises ``NotFound``."""
    if not _sessions(visit).revoke(visit.me.id, session_id):
        raise NotFound
    return redirect(visit.url("programs"), 303)


def noted(visit: Visit) -> Visit:
    """Remember that the program of ``visit`` was used."""
    if visit.services.programs:
        visit.services.programs.used(visit.token, visit.at)
    return visit


def _address(visit: Visit) -> str:
    """Return the gateway's address as this browser calls it, below the company's own path."""
    return f"{visit.request.scheme}://{visit.request.host}{visit.request.root_path}"


def _sessions(visit: Visit) -> ProgramSessions:
    if visit.services.programs is None:
        raise NotFound
    return visit.services.programs
