"""When an agent has a customer's record in the CRM opened by the browser: chosen on the screen, kept with the agent."""

from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from gateway.desk.context import Visit
from gateway.desk.rendering import private
from gateway.errors import BadParameter
from gateway.store.directory import RecordOpening

INCOMING, OUTGOING, NEW = "entrada", "saida", "novos"
MOMENTS = ("", "ring", "answer")


def choose(visit: Visit) -> Response:
    """Keep what the agent chose; it counts from the next call on. Raises ``BadParameter``."""
    form = visit.request.form
    opening = RecordOpening(_moment(visit, INCOMING), _moment(visit, OUTGOING), form.get(NEW) == "1")
    visit.services.directory.choose_opening(visit.me.id, opening)
    if visit.by_htmx:
        return private(Response(status=204))
    return private(redirect(visit.url("screen"), 303))


def _moment(visit: Visit, name: str) -> str:
    wanted = visit.request.form.get(name, "")
    if wanted not in MOMENTS:
        raise BadParameter(name, wanted, expected="ring, answer")
    return wanted
