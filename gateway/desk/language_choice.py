"""The language of an agent's pages, chosen in the menu."""

from werkzeug.utils import redirect
from werkzeug.wrappers import Response

from gateway.desk.context import Visit
from gateway.desk.rendering import private
from gateway.errors import BadParameter
from gateway.texts.languages import LANGUAGES

FIELD = "idioma"


def choose(visit: Visit) -> Response:
    """Keep the language that the agent chose, empty for the browser's own, and show the pages in it.

    Raises ``BadParameter`` for a language that we do not have.
    """
    wanted = visit.request.form.get(FIELD, "")
    if wanted and wanted not in LANGUAGES:
        raise BadParameter(FIELD, wanted, expected=", ".join(LANGUAGES))
    visit.services.directory.choose_language(visit.me.id, wanted)
    if visit.by_htmx:
        return private(Response(status=204, headers={"HX-Refresh": "true"}))
    return private(redirect(visit.url("screen"), 303))
