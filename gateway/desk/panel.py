"""The panel: the agent's cards, dialling and last calls in a narrow frame inside a page of the CRM.

``static/desk/panel.js`` speaks with the page around it, which brings ``static/cti.js``.
"""

from werkzeug.wrappers import Response

from gateway.desk import account_choice, assets, cards, framing, missed, views
from gateway.desk.context import Visit
from gateway.desk.rendering import page
from gateway.domain.roles import Right
from gateway.texts.text import Text

NEEDS_HTTPS = Text(
    "The browser did not keep the login. Inside a page of another site it does so only over https: tell "
    "the administrator."
)
BLOCKED = Text(
    "The browser did not keep the login. Allow cookies for this page in its settings, or use the desk "
    "in a window of its own."
)


def panel(visit: Visit) -> Response:
    """Show the panel. The log's end is read first: what happens meanwhile comes as an event.

    Who chooses the extension, and has none, is led to the desk: no page but the panel's can be framed.
    """
    if visit.me.chooses_extension and not visit.me.extension:
        return page(visit, "panel_extension.html")
    seq = visit.services.log.newest(visit.tenant)
    found = [account_choice.card_of(visit, call) for call in cards.going_on(visit)]
    recent = cards.of_extension(visit, limit=8)
    waiting = missed.shown_in(visit) if visit.may(Right.SEE_MISSED) else {}
    return page(visit, "panel.html", seq=seq, cards=found, recent=recent, mine=True, **waiting)


def script(visit: Visit) -> Response:
    """Serve the script for pages of the CRM; a version that is not compatible gets another address."""
    return assets.shared(visit.request, "cti.js")


def login(visit: Visit) -> Response:
    """Show the panel's login; where the browser has just lost one, with the reason."""
    problem: Text | str = ""
    if framing.NOT_KEPT in visit.request.args:
        problem = BLOCKED if visit.request.scheme == "https" else NEEDS_HTTPS
    return views.login(visit, problem=problem)
