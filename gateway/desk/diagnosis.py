"""The page that answers: why did this extension get no pop-up at that time?"""

from datetime import datetime

from werkzeug.wrappers import Response

from gateway.desk.context import Visit
from gateway.desk.rendering import page
from gateway.domain.calls.scope import CallSides
from gateway.errors import AccessError
from gateway.texts.text import Text

NEAR_MIN = 10


def why(visit: Visit) -> Response:
    """Show calls, refused requests and screens of one extension near a moment; the form alone until both are given."""
    asked = visit.request.args
    extension = asked.get("ramal", "").strip()[:32] or visit.me.extension
    moment = _moment(asked.get("quando"))
    _require_sight(visit, extension)
    explainer = visit.services.explainer
    found = None
    if moment:
        at = round(moment.replace(tzinfo=visit.zone).timestamp() * 1000)
        found = {
            "calls": explainer.around(visit.tenant, extension, at, within_ms=NEAR_MIN * 60_000),
            "refused": explainer.refused(visit.tenant, at, within_ms=NEAR_MIN * 60_000),
            "screens": explainer.screens(visit.tenant, extension, at),
            "at": at,
        }
    when = moment.isoformat(timespec="minutes") if moment else _now(visit)
    seq = visit.services.log.newest(visit.tenant)
    return page(visit, "why.html", extension=extension, when=when, found=found, near_min=NEAR_MIN, seq=seq)


def _require_sight(visit: Visit, extension: str) -> None:
    """Refuse who may not see the calls at ``extension``. Raises ``AccessError``."""
    if not visit.scope.admits(CallSides(frozenset((extension,)), at=visit.at)):
        raise AccessError(
            Text("extension {extension} is not one of your teams.", extension=extension),
            hint=Text("A supervisor sees the teams that the configuration names him or her for."),
        )


def _now(visit: Visit) -> str:
    return datetime.fromtimestamp(visit.at / 1000, visit.zone).strftime("%Y-%m-%dT%H:%M")


def _moment(text: str | None) -> datetime | None:
    """Read what a browser's date-time field sends: ``2026-03-05T14:20``."""
    try:
        moment = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return moment if 1970 < moment.year < 9000 and moment.tzinfo is None else None
