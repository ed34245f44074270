"""The call log: its list with the search box and filters, and the filters that an agent has saved."""

from typing import Any
from urllib.parse import urlencode

from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response

from gateway.desk import filters
from gateway.desk.context import Visit
from gateway.desk.problems import said
from gateway.desk.rendering import page
from gateway.errors import RequestError

PAGE_SIZE = 50


def call_log(visit: Visit) -> Response:
    """Show the call log: the whole page, or only its list for the page's own script."""
    seq = visit.services.log.newest(visit.tenant)
    search = filters.CallSearch.of(visit.request.args)
    understood = visit.reader.understand(search.text)
    wanted = understood.narrowed(search.wanted(visit.zone))
    found = visit.calls.search(wanted, limit=PAGE_SIZE + 1)
    shown, more = found.calls[:PAGE_SIZE], len(found.calls) > PAGE_SIZE
    after = shown[-1].id if more else found.next_before if found.unfinished else None
    chips = [(part, _url(visit, search, text=understood.without(part))) for part in understood.parts]
    known: dict[str, Any] = {
        "older": _url(visit, search, before_id=after) if after else None,
        "newest": _url(visit, search),
        "chips": chips,
        "downloads": {form: visit.url(f"calls_{form}", **search.parameters()) for form in ("csv", "xlsx")},
        "found": found,
        "saved": visit.services.saved_filters.of_agent(visit.tenant, visit.me.login),
    }
    template = "_calls.html" if visit.by_htmx else "calls.html"
    return page(visit, template, search=search, results=filters.RESULTS, calls=shown, seq=seq, problem="", **known)


def save_filter(visit: Visit) -> Response:
    """Keep the filter that the page shows under a name; answers with the list of saved ones."""
    form = visit.request.form
    query = urlencode(filters.CallSearch.of(form).parameters())
    try:
        saved_filters = visit.services.saved_filters
        saved_filters.save(visit.tenant, visit.me.login, form.get("nome", "").strip(), query, visit.at)
    except RequestError as error:
        return _saved(visit, problem=said(error, visit.language), status=error.http_status)
    return _saved(visit)


def remove_filter(visit: Visit, filter_id: int) -> Response:
    """Forget a saved filter; answers with the list. Raises ``NotFound``."""
    if not visit.services.saved_filters.remove(visit.tenant, visit.me.login, filter_id):
        raise NotFound
    return _saved(visit)


def _saved(visit: Visit, *, problem: str = "", status: int = 200) -> Response:
    saved = visit.services.saved_filters.of_agent(visit.tenant, visit.me.login)
    return page(visit, "_saved.html", status=status, saved=saved, problem=problem)


def _url(visit: Visit, search: filters.CallSearch, *, text: str | None = None, before_id: int | None = None) -> str:
    parameters = search.parameters(before_id)
    if text is not None:
        parameters = {"busca": text, **{name: value for name, value in parameters.items() if name != "busca"}}
    return visit.url("call_log", **{name: value for name, value in parameters.items() if value})
